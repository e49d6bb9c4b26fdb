"""The way to the database: transactions, connections, migrations."""

import contextlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import asyncpg
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

from directory import piccolo_conf

MIGRATION_LOCK = 20111
POOL_SIZE = 10


class MigrationFailed(Exception):
    """A migration did not run. Nothing of it, nor of the ones before it in this run, is left."""


@asynccontextmanager
async def pool(*, of_requests: bool = False) -> AsyncIterator[None]:
    """Keep connections open for the length of a process, or of a test.

    Requests set nothing on a connection beyond a transaction: asyncpg's reset, a round trip each
    of the four or five times that a request takes one, is left out for them.
    """
    given = {"reset": _roll_back} if of_requests else {}
    await piccolo_conf.DB.start_connection_pool(min_size=1, max_size=POOL_SIZE, **given)
    try:
        yield
    finally:
        await piccolo_conf.DB.close_connection_pool()


async def _roll_back(pooled: asyncpg.Connection) -> None:
    if pooled.is_in_transaction():
        await pooled.reset()


@asynccontextmanager
async def transaction() -> AsyncIterator[asyncpg.Connection]:
    """Open a transaction, or join the one that is open in this task. Piccolo's queries ride along.

    An error anywhere inside ends the whole: never catch one and go on.
    """
    engine = piccolo_conf.DB
    if (outer := engine.current_transaction.get()) is not None:
        yield outer.connection
        return
    inner = engine.transaction()
    try:
        async with inner:
            yield inner.connection
    finally:
        # Piccolo leaves both behind when COMMIT itself fails (a deferred constraint): every
        # later "transaction" of this task would then do nothing, without a word.
        if engine.current_transaction.get() is inner:
            engine.current_transaction.set(None)
            if engine.pool:
                await engine.pool.release(inner.connection)
            else:
                await inner.connection.close()


@asynccontextmanager
async def connection() -> AsyncIterator[asyncpg.Connection]:
    """A connection to read with: the open transaction's, or one of the pool."""
    engine = piccolo_conf.DB
    if (outer := engine.current_transaction.get()) is not None:
        yield outer.connection
    elif engine.pool:
        async with engine.pool.acquire() as pooled:
            yield cast(asyncpg.Connection, pooled)  # a proxy of the same methods
    else:
        async with transaction() as alone:
            yield alone


def current() -> asyncpg.Connection:
    """The connection of the open transaction.

    :raises RuntimeError: where none is open, for what must be part of the caller's.
    """
    if (outer := piccolo_conf.DB.current_transaction.get()) is None:
        raise RuntimeError("this needs an open transaction")
    opened: asyncpg.Connection = outer.connection
    return opened


def sql_migration(migration_id: str, description: str, sql: str) -> MigrationManager:
    """A migration of plain SQL, of as many statements as it takes."""
    manager = MigrationManager(
        migration_id=migration_id, app_name="directory", description=description
    )

    async def run() -> None:
        await current().execute(sql)

    manager.add_raw(run)
    return manager


async def migrate() -> None:
    """Bring the database up to date: all or nothing, one process at a time.

    :raises MigrationFailed: with the reason.
    """
    async with transaction() as opened:
        await opened.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
        with contextlib.redirect_stdout(io.StringIO()) as said:  # Piccolo prints
            result = await ForwardsMigrationManager(app_name="directory").run()
        if not result.success:
            raise MigrationFailed(result.message or said.getvalue().strip())


async def pending_migrations() -> list[str]:
    """The IDs of migrations that the code has and the database has not."""
    manager = ForwardsMigrationManager(app_name="directory")
    modules = manager.get_migration_modules(str(piccolo_conf.APP_CONFIG.migrations_folder_path))
    async with connection() as reader:
        if not await reader.fetchval("SELECT to_regclass('migration') IS NOT NULL"):
            return sorted(modules)
        ran = {row["name"] for row in await reader.fetch("SELECT name FROM migration")}
    return sorted(modules.keys() - ran)
