"""Imports for tests: who may, a file sent and planned, a plan committed."""

from typing import Any

import asyncpg
import httpx
import msgspec

from directory.members.imports import work
from directory.members.imports.record import CommitAsked, ImportAsked
from tests import people
from tests.people import Person

CSV = {"content-type": "text/csv"}


async def coordinator(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """Somebody of the staff, signed in."""
    person = await people.member(connection, "Hélène Petit")
    await people.grants(connection, person, "coordinator")
    await people.sign_in(client, person)
    return person


def table(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


async def planned(client: httpx.AsyncClient, content: bytes, **options: bool) -> dict[str, Any]:
    """The import, after a worker made its plan."""
    answer = await client.post(
        "/api/v1/members/imports", content=content, headers=CSV, params=options
    )
    assert answer.status_code == 202, answer.text
    await work.read_and_plan(ImportAsked(answer.json()["id"]))
    return await get(client, answer.json()["id"])


async def get(client: httpx.AsyncClient, import_id: int) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/members/imports/{import_id}")
    return msgspec.json.decode(answer.content, type=dict[str, Any])


async def rows(
    client: httpx.AsyncClient, import_id: int, **chosen: str | int | bool
) -> list[dict[str, Any]]:
    answer = await client.get(
        f"/api/v1/members/imports/{import_id}/rows", params={"limit": 50, **chosen}
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def committed(
    client: httpx.AsyncClient, found: dict[str, Any], *, invite: bool = False
) -> dict[str, Any]:
    """The import, after a worker applied its plan."""
    answer = await client.post(
        f"/api/v1/members/imports/{found['id']}/commit",
        json={"hash": found["hash"], "invite": invite},
    )
    assert answer.status_code == 202, answer.text
    await work.apply(CommitAsked(found["id"]))
    return await get(client, found["id"])


async def imported(client: httpx.AsyncClient, content: bytes, **options: bool) -> dict[str, Any]:
    return await committed(client, await planned(client, content, **options))
