"""New members are invited at a steady rate, once; an imported address is not confirmed by that."""

import re
from collections.abc import AsyncIterator

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.accounts import sessions
from directory.members.imports import invitations
from directory.settings import Settings
from tests import importing, mailing_scene, people, smtp_sink
from tests.importing import table
from tests.people import Person
from tests.smtp_sink import Sink

HEADER = "number;email;full name;mail language"
RATE = 120
PEOPLE = 5


@pytest.fixture
async def sink(app: object, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url, invitations_per_hour=RATE))
        yield sink


@pytest.fixture
async def helene(client: httpx.AsyncClient, connection: asyncpg.Connection, sink: Sink) -> Person:
    return await importing.coordinator(client, connection)


async def invited(client: httpx.AsyncClient, count: int = PEOPLE) -> int:
    """An import of so many people, who are to be invited."""
    lines = [f"{n};new{n}@lemaire.example;Membre {n};nl" for n in range(count)]
    found = await importing.planned(client, table(HEADER, *lines))
    await importing.committed(client, found, invite=True)
    import_id: int = found["id"]
    return import_id


def link(sink: Sink, number: int) -> str:
    found = re.search(r"/invitation/\S+", sink.to(f"new{number}@lemaire.example").text)
    assert found
    return found[0]


async def test_nobody_is_invited_unless_the_coordinator_says_so(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, sink: Sink
) -> None:
    await importing.imported(client, table(HEADER, "1;a@lemaire.example;Awa;"))
    await invitations.send_some()
    assert not sink.mails


async def test_invitations_go_out_at_the_rate_and_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, sink: Sink
) -> None:
    await invited(client)
    sent = []
    for _ in range(4):
        await invitations.send_some()
        sent.append(len(sink.mails))
    assert sent == [2, 4, 5, 5]
    assert set(sink.recipients.values()) == {1}
    assert "Dag Membre 0" in sink.to("new0@lemaire.example").text


async def test_no_hour_has_more_than_the_rate(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, sink: Sink,
    chosen: Settings,
) -> None:  # fmt: skip
    settings.use(msgspec.structs.replace(settings.current(), invitations_per_hour=3))
    await invited(client)
    for _ in range(6):
        await invitations.send_some()
    assert len(sink.mails) == 3
    await connection.execute(
        "UPDATE member_invitation SET claimed_at = claimed_at - interval '61 minutes'"
    )
    for _ in range(6):
        await invitations.send_some()
    assert len(sink.mails) == 5


async def test_the_link_signs_in_by_a_button_alone_and_once_and_confirms_the_address(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, sink: Sink
) -> None:
    await invited(client, 1)
    await invitations.send_some()
    path = link(sink, 0)
    client.cookies.clear()
    confirmed = (
        "SELECT email_confirmed_at IS NOT NULL FROM account WHERE email = 'new0@lemaire.example'"
    )
    for _ in range(2):
        assert (await client.get(path)).status_code == 200
    assert await connection.fetchval(confirmed) is False
    answer = await client.post(path)
    assert answer.status_code == 303
    assert client.cookies.get(sessions.COOKIE)
    assert (await client.get(answer.headers["location"])).status_code == 200
    assert await connection.fetchval(confirmed) is True
    assert (await client.post(path)).status_code == 410
    assert (await client.get(path)).status_code == 410
    assert (await client.get("/invitation/%00")).status_code == 410


async def test_an_invitation_is_withdrawn_and_sent_again(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, sink: Sink
) -> None:
    import_id = await invited(client, 2)
    await invitations.send_some()
    path, other = link(sink, 0), link(sink, 1)
    page = f"/members/import/{import_id}/invitations"
    one = await connection.fetchval("SELECT id FROM member WHERE number = '0'")
    assert (await client.post(f"{page}/withdraw", data={"member_id": one})).status_code == 303
    assert (await client.get(path)).status_code == 410
    assert (await client.get(other)).status_code == 200
    assert (await client.get(page)).status_code == 200
    assert (await client.post(f"{page}/resend", data={"member_id": one})).status_code == 303
    await invitations.send_some()
    assert sink.recipients["new0@lemaire.example"] == 2
    assert (await client.post(f"{page}/withdraw", data={"member_id": 0})).status_code == 303
    states = {row["state"] for row in await connection.fetch("SELECT state FROM member_invitation")}
    assert states == {"withdrawn"}
    assert (await client.post(f"{page}/resend", data={"member_id": 2**63})).status_code == 303


async def test_who_has_come_in_or_left_is_not_written_to(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, sink: Sink
) -> None:
    await invited(client, 3)
    await connection.execute(
        "UPDATE account SET email_confirmed_at = now() WHERE email = 'new0@lemaire.example'"
    )
    await connection.execute("UPDATE member SET left_on = current_date WHERE number = '1'")
    await invitations.send_some()
    assert set(sink.recipients) == {"new2@lemaire.example"}


async def test_a_relay_that_is_away_is_tried_again_and_a_dead_worker_leaves_a_doubt(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, sink: Sink
) -> None:
    await invited(client, 1)
    there = settings.current()
    settings.use(msgspec.structs.replace(there, smtp_url="smtp://127.0.0.1:1"))
    await invitations.send_some()
    assert await connection.fetchval("SELECT state FROM member_invitation") == "waiting"
    settings.use(there)
    await invitations.send_some()
    assert not sink.mails  # not before its time
    await connection.execute(
        "UPDATE member_invitation SET state = 'sending', claimed_at = now() - interval '1 hour'"
    )
    await invitations.send_some()
    assert not sink.mails
    assert await connection.fetchval("SELECT state FROM member_invitation") == "in_doubt"


async def test_an_invitation_that_may_have_arrived_is_not_sent_again_and_its_link_lets_in(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, sink: Sink
) -> None:
    await invited(client, 2)
    sink.hang_up_on.add("new0@lemaire.example")  # after the text: nobody knows
    for _ in range(3):
        await invitations.send_some()
    assert sink.recipients == {"new0@lemaire.example": 1, "new1@lemaire.example": 1}
    states = await connection.fetch(
        "SELECT v.state::text FROM member_invitation v JOIN member m ON m.id = v.member_id"
        " ORDER BY m.number"
    )
    assert [row["state"] for row in states] == ["in_doubt", "sent"]
    client.cookies.clear()
    assert (await client.post(link(sink, 0))).status_code == 303
    assert client.cookies.get(sessions.COOKIE)


async def test_an_imported_address_gets_no_mailing_before_it_is_confirmed(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, sink: Sink
) -> None:
    await importing.imported(client, table(HEADER, "1;awa@lemaire.example;Awa Lemaire;"))
    row = await connection.fetchrow("SELECT id, account_id FROM member WHERE number = '1'")
    assert row is not None
    imported = Person(row["account_id"], row["id"], "awa@lemaire.example")
    client.cookies.clear()
    scene = await mailing_scene.build(client, connection)
    await mailing_scene.subscribes(connection, imported, scene.web)
    mailing_id = await scene.draft()
    reason = "SELECT reason FROM mailing_audience WHERE mailing_id = $1 AND member_id = $2"
    assert await connection.fetchval(reason, mailing_id, imported.member_id) == "unconfirmed"
    answer = await client.get(f"/api/v1/mailings/{mailing_id}/audience")
    left_out = {one["reason"]: one["count"] for one in answer.json()["left_out"]}
    assert left_out["unconfirmed"] >= 1
    await people.sign_in(client, scene.clemence)
    await scene.send(mailing_id)
    await scene.work()
    assert "awa@lemaire.example" not in sink.recipients
