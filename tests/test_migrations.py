"""The tables in the code and those in the database are the same."""

import asyncio

import asyncpg
import pytest
from pgqueuer import Queries
from piccolo.table import create_db_tables

from directory import db, piccolo_conf
from tests.conftest import database_url

COLUMNS = """
    SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, NULL)
        || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END AS words
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND a.attnum > 0
      AND NOT a.attisdropped AND c.relname = ANY($2)
"""
# Tables with a key of several columns, or of a library: read and written by SQL alone.
WITHOUT_CLASS = {
    "consent", "contact_refusal", "delivery", "digest_delivery", "digest_entry", "digest_run",
    "dossier_point", "event_filiere", "filiere_sector", "filiere_support", "filiere_trade",
    "filiere_vacancy", "identity", "import_plan", "import_row", "mailing_filiere",
    "mandate_reminder", "member_language", "member_link", "member_sector", "member_skill",
    "member_trade", "membership_quota", "migration", "rate_count", "reference_version",
    "spent_state", "stage_mail", "suggestion_dismissed", "trade_label", "trade_merge",
    "trade_merge_member", "worker_heartbeat",
}  # fmt: skip
OF_LIBRARIES = ("pgqueuer", "search_")


async def test_no_column_differs_between_the_tables_of_the_code_and_of_the_database(
    database: str,
) -> None:
    tables = piccolo_conf.APP_CONFIG.table_classes
    names = [table._meta.tablename for table in tables]
    assert names
    with pytest.raises(Rollback):
        async with db.transaction() as opened:
            await opened.execute("CREATE SCHEMA drift; SET LOCAL search_path = drift, public")
            await create_db_tables(*tables)
            wanted = {row["words"] for row in await opened.fetch(COLUMNS, "drift", names)}
            found = {row["words"] for row in await opened.fetch(COLUMNS, "public", names)}
            assert wanted == found
            raise Rollback


class Rollback(Exception):
    pass


async def test_every_table_of_the_database_is_known_to_the_code(
    connection: asyncpg.Connection,
) -> None:
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    known = {table._meta.tablename for table in piccolo_conf.APP_CONFIG.table_classes}
    unknown = {
        name
        for (name,) in rows
        if name not in known | WITHOUT_CLASS and not name.startswith(OF_LIBRARIES)
    }
    assert unknown == set()


async def test_the_queue_is_the_one_that_the_library_wants(connection: asyncpg.Connection) -> None:
    plan = await Queries.from_asyncpg_connection(connection).plan_upgrade()
    assert plan.statements == ()


async def test_a_second_run_of_the_migrations_changes_nothing(database: str) -> None:
    assert await db.pending_migrations() == []
    await db.migrate()


@pytest.fixture
async def empty_database(worker_id: str, anyio_backend: str) -> str:
    name = f"empty_{worker_id}"
    admin = await asyncpg.connect(database_url("postgres"))
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    piccolo_conf.point_at(database_url(name))
    return name


async def test_three_starts_at_once_migrate_once(empty_database: str) -> None:
    await asyncio.gather(*(db.migrate() for _ in range(3)))
    assert await db.pending_migrations() == []


async def test_a_migration_that_fails_leaves_nothing(empty_database: str) -> None:
    admin = await asyncpg.connect(database_url(empty_database))
    await admin.execute("CREATE TABLE delivery ()")  # in the way of a late migration
    with pytest.raises(Exception, match="delivery"):
        await db.migrate()
    rows = await admin.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await admin.close()
    assert [row["tablename"] for row in rows] == ["delivery"]
