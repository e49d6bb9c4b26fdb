"""Somebody who wants to be gone is gone: from tables, index, files and queue, but for numbers."""

import asyncpg
import httpx
import pytest

from directory import db, files, indexing
from directory.members import profiles
from directory.privacy import erasing, erasures
from directory.privacy.erasing import ErasureDue
from search import normaliser
from tests import known_person, people
from tests.known_person import ACCOUNT, MEMBER, WORDS
from tests.people import Person

# Where the number of somebody who is gone may stand: it names nobody.
PSEUDONYMS = {
    "audit_entry.account_id", "audit_entry.member_id", "consent_ledger.member_id",
    "consent_ledger.actor_id", "delivery.member_id", "erasure.account_id", "erasure.member_id",
}  # fmt: skip
HEARD = {
    "directory.indexing.follow_member", "directory.privacy.erasures.write_asked",
    "directory.privacy.erasures.write_confirmed", "directory.privacy.erasing.erase",
    "directory.filieres.vacancies.write",
}  # fmt: skip
WHAT_TO_DO = (
    "this column still names an erased person. Let `erase` of its domain's holdings empty it; or, "
    "where the number alone must stay, say so in PSEUDONYMS and in privacy/keeping.py"
)
COLUMNS = """
    SELECT c.relname AS table, a.attname AS column, t.typname AS type
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
      AND NOT a.attisdropped ORDER BY 1, 2
"""


async def traces(connection: asyncpg.Connection) -> set[str]:
    """Each column of the database that holds a word or a number of the known person."""
    keys = [word.key for text in WORDS[:1] for word in normaliser.words(text)]
    words = [*(word.lower() for word in WORDS), *keys]
    found = set()
    for row in await connection.fetch(COLUMNS):
        table, column = row["table"], row["column"]
        text = f'"{column}"::text'
        if row["type"] == "bytea":
            text = f"encode(\"{column}\", 'escape')"
        has = await connection.fetchval(
            f'SELECT EXISTS (SELECT FROM "{table}", unnest($1::text[]) AS word '
            f"WHERE strpos(lower({text}), word) > 0 "
            f"OR strpos(lower({text}), encode(convert_to(word, 'UTF8'), 'escape')) > 0)",
            words,
        )
        if has:
            found.add(f"{table}.{column}")
    return found


async def file_keys() -> list[str]:
    return [
        key
        for folder in (f"photo/{MEMBER}", f"portfolio/{MEMBER}", f"export/{ACCOUNT}")
        for key in await files.list_keys(folder)
    ]


@pytest.fixture
async def zelie(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    person = await known_person.is_there(connection)
    await people.sign_in(client, person)
    async with db.transaction():
        await profiles.tell([person.member_id])
    return person


async def link(connection: asyncpg.Connection) -> str:
    row = await connection.fetchrow("SELECT id, asked_at FROM erasure WHERE state = 'asked'")
    assert row is not None
    return erasures.confirm_path(row["id"], row["asked_at"])


async def confirmed(client: httpx.AsyncClient, connection: asyncpg.Connection) -> int:
    assert (await client.post("/account/data/erasure")).status_code == 303
    assert (await client.post(await link(connection))).status_code == 303
    erasure_id: int = await connection.fetchval("SELECT id FROM erasure WHERE state = 'confirmed'")
    return erasure_id


async def time_passes(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE erasure SET due_at = now() WHERE state = 'confirmed'")
    await erasing.wake()


async def test_nothing_of_an_erased_person_is_left_but_numbers_that_name_nobody(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    before = await traces(connection)
    assert {"search_text.vector", "pgqueuer.payload", "pgqueuer_log.traceback"} <= before
    erasure_id = await confirmed(client, connection)
    await time_passes(connection)
    await erasing.erase(ErasureDue(erasure_id))
    await indexing.drain()
    # What the worker does next, and the job of somebody whose number begins the same.
    left = await connection.fetch("DELETE FROM pgqueuer RETURNING entrypoint")
    assert {row["entrypoint"] for row in left} - HEARD == {"kept"}
    found = await traces(connection)
    assert found <= PSEUDONYMS, f"{found - PSEUDONYMS}: {WHAT_TO_DO}"
    assert await file_keys() == []
    state = await connection.fetchval("SELECT state::text FROM erasure WHERE id = $1", erasure_id)
    assert state == "done"
