"""Proposals for tests, over the API as a program makes them."""

from typing import Any

import asyncpg
import httpx

from tests import people
from tests.people import Person


async def codes(connection: asyncpg.Connection, table: str = "trade", count: int = 2) -> list[str]:
    rows = await connection.fetch(
        f"SELECT code FROM {table} ORDER BY code LIMIT $1",
        count,
    )
    return [row["code"] for row in rows]


def draft(codes_of: list[str], **changed: Any) -> dict[str, Any]:
    return {
        "kind": "trade", "name_fr": "Lutherie", "purpose_fr": "Partager un atelier.",
        "trades": codes_of, "need": "Chacun travaille seul.\n\nLe bois coûte cher.",
        "intentions": "Une rencontre à Namur.", **changed,
    }  # fmt: skip


async def proposed(
    client: httpx.AsyncClient, connection: asyncpg.Connection, **changed: Any
) -> tuple[Person, str]:
    """Who proposed it, still signed in, and the slug."""
    proposer = await people.member(connection, "Clémence Wauters")
    await people.sign_in(client, proposer)
    answer = await client.post("/api/v1/filieres", json=draft(await codes(connection), **changed))
    assert answer.status_code == 201, answer.text
    slug: str = answer.json()["slug"]
    return proposer, slug


async def supports(
    client: httpx.AsyncClient, connection: asyncpg.Connection, slug: str, **said: Any
) -> Person:
    """One more member says something of it; they stay signed in."""
    person = await people.member(connection, said.pop("name", "Noé Lambrecht"))
    await people.sign_in(client, person)
    answer = await client.put(f"/api/v1/filieres/{slug}/support", json=said)
    assert answer.status_code == 200, answer.text
    return person


async def coordinator(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """A coordinator, signed in."""
    person = await people.member(connection, "Hélène Carlier")
    await people.grants(connection, person, "coordinator")
    await people.sign_in(client, person)
    return person
