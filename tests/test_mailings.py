"""Mailings: who gets them, what they get, and that nobody gets one twice."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.mailings import sending
from directory.mailings.dispatch import MailingDue
from directory.settings import Settings
from tests import people, smtp_sink
from tests.people import Person
from tests.smtp_sink import Sink


@pytest.fixture
async def sink(chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


async def subscribes(
    connection: asyncpg.Connection,
    person: Person,
    filiere_id: int,
    topic: str = "trainings",
    rhythm: str = "at_once",
) -> None:
    """Joins the filière, if need be, and chooses the topic."""
    await joins(connection, person, filiere_id)
    ledger_id = await connection.fetchval(
        "INSERT INTO consent_ledger (member_id, filiere_id, topic, rhythm, act, screen, at) "
        "VALUES ($1, $2, $3::topic, $4::rhythm, 'given', 'test', '2026-08-14 22:30+00') "
        "RETURNING id",
        person.member_id, filiere_id, topic, rhythm,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO consent (member_id, filiere_id, topic, rhythm, ledger_id) "
        "VALUES ($1, $2, $3::topic, $4::rhythm, $5)",
        person.member_id, filiere_id, topic, rhythm, ledger_id,
    )  # fmt: skip


async def joins(connection: asyncpg.Connection, person: Person, filiere_id: int) -> None:
    await connection.execute(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        filiere_id, person.member_id,
    )  # fmt: skip


async def withdraws(connection: asyncpg.Connection, person: Person) -> None:
    await connection.execute("DELETE FROM consent WHERE member_id = $1", person.member_id)


class Scene(msgspec.Struct):
    """An animator signed in, with a filière of three subscribers and one of two."""

    client: httpx.AsyncClient
    connection: asyncpg.Connection
    clemence: Person
    web: int
    image: int
    awa: Person
    bert: Person
    chloe: Person
    silent: Person

    async def draft(self, **changes: object) -> int:
        answer = await self.client.post(
            "/api/v1/mailings",
            json={
                "filiere_ids": [self.web], "topic": "trainings",
                "subject": "Chiffrer un site : le 4 février", "body": "Bonjour,\n\nVenez **tous**.",
                **changes,
            },
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        mailing_id: int = answer.json()["id"]
        return mailing_id

    async def send(self, mailing_id: int) -> httpx.Response:
        return await self.client.post(f"/api/v1/mailings/{mailing_id}/send")

    async def states(self, mailing_id: int) -> dict[int, tuple[str, str]]:
        rows = await self.connection.fetch(
            "SELECT member_id, state::text, reason FROM delivery WHERE mailing_id = $1", mailing_id
        )
        return {row["member_id"]: (row["state"], row["reason"]) for row in rows}

    async def due(self) -> list[MailingDue]:
        """The jobs that wait to be worked on, taken out of the queue."""
        rows = await self.connection.fetch(
            "DELETE FROM pgqueuer WHERE entrypoint LIKE '%sending.work' RETURNING payload"
        )
        return [msgspec.json.decode(row["payload"], type=MailingDue) for row in rows]

    async def work(self) -> None:
        """Be the worker until the queue is empty."""
        while jobs := await self.due():
            for due in jobs:
                await sending.work(due)


@pytest.fixture
async def scene(client: httpx.AsyncClient, connection: asyncpg.Connection, sink: Sink) -> Scene:
    web = await people.filiere(connection, "metiers-du-web")
    image = await people.filiere(connection, "image", "Image et édition")
    clemence = await people.member(connection, "Clémence Wauters", "clemence@wauters.example")
    for filiere_id in (web, image):
        await people.animates(connection, clemence, filiere_id)
    awa, bert, chloe, silent = [await people.member(connection) for _ in range(4)]
    for person in (awa, bert, chloe):
        await subscribes(connection, person, web)
    for person in (bert, chloe):
        await subscribes(connection, person, image)
    await joins(connection, silent, web)
    await people.sign_in(client, clemence)
    return Scene(client, connection, clemence, web, image, awa, bert, chloe, silent)


async def test_each_consenting_subscriber_gets_the_mail_once_and_nobody_else_does(
    scene: Scene, sink: Sink
) -> None:
    elsewhere = await people.member(scene.connection)
    await subscribes(scene.connection, elsewhere, scene.image)
    other_topic = await people.member(scene.connection)
    await subscribes(scene.connection, other_topic, scene.web, topic="news")

    answer = await scene.send(mailing_id := await scene.draft())
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "sending"
    assert answer.json()["audience_size"] == 3
    await scene.work()

    assert sink.recipients == {scene.awa.email: 1, scene.bert.email: 1, scene.chloe.email: 1}
    view = (await scene.client.get(f"/api/v1/mailings/{mailing_id}")).json()
    assert view["state"] == "sent"
    assert view["deliveries"]["sent"] == 3
    assert view["finished_at"]
