"""Two filières, their animator, and people who chose to hear from them or did not."""

from typing import Any

import asyncpg
import httpx
import msgspec

from directory.mailings import sending
from directory.mailings.dispatch import MailingDue
from tests import people
from tests.people import Person


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

    async def view(self, mailing_id: int) -> dict[str, Any]:
        answer = await self.client.get(f"/api/v1/mailings/{mailing_id}")
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def time_passes(self, mailing_id: int) -> None:
        """Hours go by: what was put off is due, what was leased is not any more."""
        await self.connection.execute(
            "UPDATE delivery SET next_at = now(), lease_until = lease_until - interval '9 hours' "
            "WHERE mailing_id = $1",
            mailing_id,
        )
        await self.connection.execute(
            "UPDATE mailing SET worked_at = now() - interval '9 hours' WHERE id = $1", mailing_id
        )

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


async def build(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Scene:
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
