"""A filière with members, an animator, a coordinator, and a mailbox, for tests of mandates."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from directory import jobs, settings
from directory.accounts import sessions
from directory.accounts.actor import Actor
from directory.settings import Settings
from tests import people, smtp_sink
from tests.mailing_scene import joins
from tests.people import Person
from tests.smtp_sink import Sink


class Scene(msgspec.Struct, frozen=True):
    """`awa` animates the filière web, `noe` and `ilse` are in it, `helene` coordinates."""

    web: int
    awa: Person
    noe: Person
    ilse: Person
    helene: Person


@pytest.fixture
async def scene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Scene:
    web = await people.filiere(connection, "web")
    awa = await people.member(connection, "Awa Lemaire", "awa@test.example")
    noe = await people.member(connection, "Noé Lambrecht", "noe@test.example")
    ilse = await people.member(connection, "Ilse Maes", "ilse@test.example", language="nl")
    helene = await people.member(connection, "Hélène Carlier", "helene@test.example")
    await people.grants(connection, helene, "coordinator")
    await people.animates(connection, awa, web)
    for person in (awa, noe, ilse):
        await joins(connection, person, web)
    return Scene(web, awa, noe, ilse, helene)


@pytest.fixture
async def sink(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


async def actor(person: Person) -> Actor:
    return await sessions.actor_of_session(await sessions.open_session(person.account_id, "test"))


async def work(connection: asyncpg.Connection) -> int:
    """Do the jobs that wait, one after the other. How many."""
    done = 0
    while row := await connection.fetchrow(
        "DELETE FROM pgqueuer WHERE id = (SELECT min(id) FROM pgqueuer) "
        "RETURNING entrypoint, payload"
    ):
        await jobs._handlers[row["entrypoint"]](row["payload"])
        done += 1
    return done


async def ask(client: httpx.AsyncClient, by: Person, to: Person, **more: Any) -> httpx.Response:
    await people.sign_in(client, by)
    return await client.post(
        "/api/v1/filieres/web/mandate-offers", json={"to_member": to.member_id, **more}
    )


async def answer(
    client: httpx.AsyncClient, by: Person, offer_id: int, *, accept: bool = True, reason: str = ""
) -> httpx.Response:
    await people.sign_in(client, by)
    return await client.post(
        f"/api/v1/mandate-offers/{offer_id}/answer", json={"accept": accept, "reason": reason}
    )


async def mandates(connection: asyncpg.Connection) -> list[tuple[int, date, date]]:
    """Who has which running mandate, from and until when."""
    rows = await connection.fetch(
        "SELECT member_id, starts_on, ends_on FROM mandate WHERE ends_on >= current_date "
        "ORDER BY member_id, id"
    )
    return [tuple(row) for row in rows]


async def mandate_of(connection: asyncpg.Connection, person: Person) -> int:
    number: int = await connection.fetchval(
        "SELECT id FROM mandate WHERE member_id = $1", person.member_id
    )
    return number
