"""A worker killed with kill -9 in the middle of a copy, and of an erasure: another one ends it.

It is stopped where the test wants by a lock on a table that it needs next.
"""

import asyncio
import io
import signal
import sys
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from directory import db, files, jobs
from directory.privacy import erasing
from directory.privacy.erasing import ErasureDue
from directory.settings import Settings
from tests import known_person, people, smtp_sink
from tests.known_person import ACCOUNT, EMAIL, MEMBER
from tests.people import Person
from tests.smtp_sink import Sink

PATIENCE = 30


@pytest.fixture
async def zelie(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    person = await known_person.is_there(connection)
    await connection.execute("DELETE FROM pgqueuer")
    await people.sign_in(client, person)
    return person


@asynccontextmanager
async def worker(
    database: str, sink: Sink, chosen: Settings, last: signal.Signals
) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.privacy_worker", database, sink.url, str(chosen.var_dir)
    )
    try:
        yield
    finally:
        process.send_signal(last)
        await asyncio.wait_for(process.wait(), PATIENCE)


async def until(connection: asyncpg.Connection, question: str) -> None:
    for _ in range(PATIENCE * 20):
        if await connection.fetchval(f"SELECT EXISTS ({question})"):
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"not within {PATIENCE} s: {question}")


@asynccontextmanager
async def stopped_at(database: str, table: str) -> AsyncIterator[None]:
    """Nobody else gets at this table."""
    holder = await asyncpg.connect(database)
    async with holder.transaction():
        await holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
    await holder.close()


def waits_for(table: str) -> str:
    return f"SELECT FROM pg_locks WHERE relation = '{table}'::regclass AND NOT granted"


async def test_a_copy_is_made_once_though_its_worker_is_killed(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection, database: str,
    chosen: Settings,
) -> None:  # fmt: skip
    async with smtp_sink.listening() as sink:
        async with stopped_at(database, "delivery"):
            export = (await client.post("/api/v1/me/exports")).json()
            async with worker(database, sink, chosen, signal.SIGKILL):
                await until(connection, waits_for("delivery"))
                shown = (await client.get(f"/api/v1/me/exports/{export['id']}")).json()
                assert shown["state"] == "making"
                assert 0 < shown["done"] < shown["total"]
        path = f"/api/v1/me/exports/{export['id']}/file"
        assert (await client.get(path)).status_code == 409
        async with worker(database, sink, chosen, signal.SIGTERM):
            await until(connection, f"SELECT FROM personal_export WHERE id = {export['id']} "
                        "AND state = 'ready'")  # fmt: skip
            await sink.wait_for(1)
            await until(connection, "SELECT WHERE NOT EXISTS (SELECT FROM pgqueuer)")
    archive = zipfile.ZipFile(io.BytesIO((await client.get(path)).content))
    assert archive.testzip() is None
    assert sink.recipients == {EMAIL: 1}


@pytest.mark.parametrize("table", ["mandate", "consent_ledger"])
async def test_an_erasure_is_whole_though_its_worker_is_killed(
    zelie: Person, connection: asyncpg.Connection, database: str, chosen: Settings, table: str
) -> None:
    await connection.execute(
        "INSERT INTO erasure (account_id, member_id, reason, state, due_at, worked_at) "
        "VALUES ($1, $2, 'operator', 'erasing', now(), now())",
        ACCOUNT, MEMBER,
    )  # fmt: skip
    erasure_id = await connection.fetchval("SELECT id FROM erasure WHERE state = 'erasing'")
    async with smtp_sink.listening() as sink:
        async with stopped_at(database, table):
            async with db.transaction():
                await jobs.emit(ErasureDue(erasure_id))
            async with worker(database, sink, chosen, signal.SIGKILL):
                await until(connection, waits_for(table))
        # Nothing half done: all of the person is still there.
        assert await connection.fetchval("SELECT count(*) FROM mailing") == 2
        assert await connection.fetchval("SELECT true FROM account WHERE id = $1", ACCOUNT)
        assert await files.list_keys(f"photo/{MEMBER}")
        async with worker(database, sink, chosen, signal.SIGTERM):
            await until(connection, f"SELECT FROM erasure WHERE id = {erasure_id} "
                        "AND state = 'done'")  # fmt: skip
            await until(connection, "SELECT WHERE NOT EXISTS (SELECT FROM pgqueuer)")
    assert not await connection.fetchval("SELECT true FROM account WHERE id = $1", ACCOUNT)
    assert not await connection.fetchval("SELECT true FROM member WHERE id = $1", MEMBER)
    assert await files.list_keys(f"photo/{MEMBER}") == []


async def test_files_go_though_the_worker_was_killed_between_the_rows_and_them(
    zelie: Person, connection: asyncpg.Connection
) -> None:
    """The second run finds no row, and files."""
    await connection.execute(
        "INSERT INTO erasure (account_id, member_id, reason, state, due_at, worked_at) "
        "VALUES ($1, $2, 'operator', 'erasing', now(), now() - interval '2 hours')",
        ACCOUNT, MEMBER,
    )  # fmt: skip
    await connection.execute("DELETE FROM member WHERE id = $1", MEMBER)
    await connection.execute("DELETE FROM account WHERE id = $1", ACCOUNT)
    await erasing.wake()
    again = await connection.fetchval(
        "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'directory.privacy.erasing.erase'"
    )
    assert again == 1
    await erasing.erase(
        ErasureDue(await connection.fetchval("SELECT id FROM erasure WHERE state = 'erasing'"))
    )
    assert await files.list_keys(f"photo/{MEMBER}") == []
    assert await files.list_keys(f"export/{ACCOUNT}") == []
    assert not await connection.fetchval("SELECT true FROM erasure WHERE state = 'erasing'")
