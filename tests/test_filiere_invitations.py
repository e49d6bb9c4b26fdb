"""Inviting into a filière: one mail, no disclosure, and nobody is in before they say so."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.members.audiences import Audience, Field
from directory.settings import Settings
from directory.subscriptions import invitations, wordings
from tests import job_runner, joining, people, profile_rows, smtp_sink
from tests.joining import Door
from tests.people import Person
from tests.smtp_sink import Sink

PAGE, API = "/filieres/web/invitations", "/api/v1/filieres/web/invitations"


@pytest.fixture
async def sink(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


@pytest.fixture
async def door(connection: asyncpg.Connection, client: httpx.AsyncClient) -> Door:
    """Clémence is signed in."""
    await wordings.load(connection)
    found = await joining.door(connection)
    await people.sign_in(client, found.clemence)
    return found


async def invited(client: httpx.AsyncClient, person: Person, message: str = "") -> httpx.Response:
    return await client.post(API, json={"member_id": person.member_id, "message": message})


async def test_an_invitation_is_one_mail_and_opens_the_door_without_a_request(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    found = await client.get(PAGE, params={"q": "lemaire"})
    assert f'name="member_id" value="{door.awa.member_id}"' in found.text
    form = {"member_id": str(door.awa.member_id), "message": "Venez voir.", "q": "lemaire"}
    answer = await client.post(PAGE, data=form)
    assert answer.headers["location"] == f"{PAGE}?done=invited"
    await client.post(PAGE, data=form)  # a second click
    await job_runner.run_all(connection)
    mail = sink.to(door.awa.email)
    assert mail.message["subject"] == "Clémence Wauters vous invite dans la filière Métiers du web"
    assert "Venez voir." in mail.text
    assert "Rien ne change" in mail.text
    sent = (await client.get(API)).json()
    assert [(one["member"]["id"], one["state"]) for one in sent["items"]] == [
        (door.awa.member_id, "open")
    ]
    assert await connection.fetchval("SELECT count(*) FROM membership") == 1

    await people.sign_in(client, door.awa)
    page = (await client.get("/filieres/web")).text
    assert "Clémence Wauters vous invite" in page
    assert "Rejoindre la filière" in page
    assert "Décliner" in page
    assert "Clémence Wauters vous y invite" in (await client.get("/filieres")).text
    (own,) = (await client.get("/api/v1/me/invitations")).json()
    assert (own["filiere"]["slug"], own["by"]) == ("web", "Clémence Wauters")
    assert (await client.put("/api/v1/filieres/web/membership")).status_code == 200
    assert (await client.get("/api/v1/me/invitations")).json() == []
    assert await connection.fetchval("SELECT state::text FROM filiere_invitation") == "accepted"
    assert await connection.fetchval("SELECT count(*) FROM consent_ledger") == 0


@pytest.mark.parametrize("openness", ["approval", "invitation"])
async def test_without_an_invitation_the_door_stays_shut(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, openness: str
) -> None:
    await connection.execute("UPDATE filiere SET openness = $1::filiere_openness", openness)
    await invited(client, door.awa)
    bo = await people.member(connection, "Bo")
    headers = await joining.signed(bo)
    path = "/api/v1/filieres/web/membership"
    assert (await client.put(path, headers=headers)).status_code == 409
    headers = await joining.signed(door.awa)
    assert (await client.put(path, headers=headers)).status_code == 200


async def test_an_invitation_ends_after_thirty_days_and_may_be_made_again(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    await invited(client, door.awa)
    await connection.execute(
        "UPDATE filiere_invitation SET invited_at = now() - interval '30 days'"
    )
    await job_runner.run_all(connection)
    assert sink.mails == []  # too late to write
    headers = await joining.signed(door.awa)
    path = "/api/v1/filieres/web/membership"
    assert (await client.put(path, headers=headers)).status_code == 409
    assert (await client.get("/api/v1/me/invitations", headers=headers)).json() == []
    await invited(client, door.awa)
    await invitations.end()
    states = await connection.fetch("SELECT state::text FROM filiere_invitation ORDER BY id")
    assert [row["state"] for row in states] == ["lapsed", "open"]
    assert (await client.put(path, headers=headers)).status_code == 200


async def test_who_declines_is_left_alone_for_a_month(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door
) -> None:
    await invited(client, door.awa)
    headers = await joining.signed(door.awa)
    answer = await client.post("/filieres/web/invitation/decline", headers=headers)
    assert answer.headers["location"] == "/filieres/web?done=declined"
    assert (
        await client.delete("/api/v1/filieres/web/invitation", headers=headers)
    ).status_code == 204
    assert (await client.get(API)).json()["items"][0]["state"] == "declined"
    again = await invited(client, door.awa)
    assert again.status_code == 409
    assert "décliné" in again.json()["detail"]
    page = await client.post(PAGE, data={"member_id": str(door.awa.member_id), "q": "awa"})
    assert page.status_code == 409
    assert "décliné" in page.text
    by_address = await client.post(API, json={"email": door.awa.email})
    assert by_address.status_code == 202  # says nothing
    assert await connection.fetchval("SELECT count(*) FROM filiere_invitation") == 1


async def test_an_address_gives_the_same_answer_whoever_it_is_of(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    staff = await people.member(connection, "Staff", "staff@coop.example")
    await connection.execute("DELETE FROM member WHERE id = $1", staff.member_id)
    gone = await people.member(connection, "Partie", "gone@coop.example")
    await connection.execute("UPDATE member SET left_on = now() WHERE id = $1", gone.member_id)
    inside = await people.member(connection, "Dedans", "inside@coop.example")
    await connection.execute(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
        door.web, inside.member_id,
    )  # fmt: skip
    seen = set()
    for email in (
        "AWA@lemaire.example", "nobody@coop.example", staff.email, gone.email, inside.email,
    ):  # fmt: skip
        answer = await client.post(API, json={"email": email})
        page = await client.post(PAGE, data={"email": email})
        log = (await client.get("/api/v1/me/activity")).json()["items"][0]
        seen.add((
            answer.status_code, answer.text, page.status_code, page.headers["location"],
            (await client.get(API)).text, (await client.get(PAGE)).text,
            log["action"], str(log["concerns"]),
        ))  # fmt: skip
    assert len(seen) == 1
    await job_runner.run_all(connection)
    assert [mail.recipient for mail in sink.mails] == ["awa@lemaire.example"]


async def test_who_is_in_and_hides_it_is_not_given_away(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    inside = await people.member(connection, "Inès Dedans")
    outside = await people.member(connection, "Inès Dehors")
    await connection.execute(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
        door.web, inside.member_id,
    )  # fmt: skip
    await profile_rows.choose(connection, inside, {Field.MEMBERSHIPS: Audience.ME})
    page = (await client.get(PAGE, params={"q": "ines"})).text
    assert "déjà dans la filière" not in page
    first, second = await invited(client, inside), await invited(client, outside)
    assert (first.status_code, first.text) == (second.status_code, second.text)
    sent = (await client.get(API)).json()["items"]
    assert [one["state"] for one in sent] == ["open", "open"]
    await job_runner.run_all(connection)
    assert [mail.recipient for mail in sink.mails] == [outside.email]
    headers = await joining.signed(inside)
    assert (await client.get("/api/v1/me/invitations", headers=headers)).json() == []


async def test_who_hides_their_name_is_neither_found_nor_invited_nor_listed(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door
) -> None:
    await invited(client, door.awa)
    await profile_rows.choose(connection, door.awa, {Field.DISPLAY_NAME: Audience.ME})
    assert "Lemaire" not in (await client.get(PAGE, params={"q": "lemaire"})).text
    assert (await client.get(API)).json() == {"items": [], "total": 0, "page": 1, "limit": 20}
    assert (await invited(client, door.awa)).status_code == 404


async def test_inviting_by_number_does_not_tell_what_was_declined_by_address(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    await client.post(API, json={"email": door.awa.email})
    await job_runner.run_all(connection)
    headers = await joining.signed(door.awa)
    await client.delete("/api/v1/filieres/web/invitation", headers=headers)
    assert (await invited(client, door.awa)).status_code == 202
    assert [one["state"] for one in (await client.get(API)).json()["items"]] == ["open"]
    await job_runner.run_all(connection)
    assert len(sink.mails) == 1  # who declined is left alone all the same


async def test_inviting_by_number_does_not_tell_who_is_invited_by_address(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    await client.post(API, json={"email": door.awa.email})
    assert (await client.get(API)).json()["total"] == 0
    await invited(client, door.awa, "Venez.")
    (sent,) = (await client.get(API)).json()["items"]
    assert (sent["state"], sent["message"]) == ("open", "Venez.")
    await client.post(API, json={"email": door.awa.email})
    assert (await client.get(API)).json()["items"] == [sent]
    await job_runner.run_all(connection)
    assert len(sink.mails) == 1


async def test_who_invites_and_hides_their_name_is_not_named(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    await profile_rows.choose(connection, door.clemence, {Field.DISPLAY_NAME: Audience.ME})
    await invited(client, door.awa)
    await job_runner.run_all(connection)
    assert "Clémence" not in sink.to(door.awa.email).text
    headers = await joining.signed(door.awa)
    (own,) = (await client.get("/api/v1/me/invitations", headers=headers)).json()
    assert own["by"] is None


async def test_taking_it_back_and_inviting_again_sends_no_second_mail(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    for _ in range(3):
        await invited(client, door.awa)
        await job_runner.run_all(connection)
        number = (await client.get(API)).json()["items"][0]["id"]
        await client.delete(f"{API}/{number}")
    assert len(sink.mails) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE account SET email_confirmed_at = NULL WHERE id = $1",
        "UPDATE member SET takes_messages = false WHERE account_id = $1",
        """INSERT INTO mail_pause (member_id, until)
           SELECT id, current_date + 9 FROM member WHERE account_id = $1""",
        """INSERT INTO suppression (email, reason)
           SELECT email, 'hard_bounce' FROM account WHERE id = $1""",
    ],
)
async def test_who_takes_no_mail_finds_the_invitation_on_the_page(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink, change: str
) -> None:
    await connection.execute(change, door.awa.account_id)
    await invited(client, door.awa)
    await job_runner.run_all(connection)
    assert sink.mails == []
    headers = await joining.signed(door.awa)
    assert len((await client.get("/api/v1/me/invitations", headers=headers)).json()) == 1


async def test_who_refuses_messages_of_the_animator_gets_no_mail(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    await connection.execute(
        "INSERT INTO contact_refusal (member_id, sender_id) VALUES ($1, $2)",
        door.awa.member_id, door.clemence.account_id,
    )  # fmt: skip
    await invited(client, door.awa)
    await job_runner.run_all(connection)
    assert sink.mails == []


async def test_twenty_a_day_and_one_may_be_taken_back(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    await invited(client, door.awa)
    number = (await client.get(API)).json()["items"][0]["id"]
    answer = await client.post(f"{PAGE}/{number}/withdraw")
    assert answer.headers["location"] == f"{PAGE}?done=withdrawn"
    assert (await client.delete(f"{API}/{number}")).status_code == 404
    await job_runner.run_all(connection)
    assert sink.mails == []
    for _ in range(19):
        assert (await client.post(API, json={"email": "x@coop.example"})).status_code == 202
    assert (await client.post(API, json={"email": "x@coop.example"})).status_code == 429
    page = await client.post(PAGE, data={"email": "x@coop.example"})
    assert page.status_code == 429
    assert 'value="x@coop.example"' in page.text


@pytest.mark.parametrize(
    ("draft", "status", "field"),
    [
        ({}, 400, "email"),
        ({"email": "pas une adresse"}, 400, "email"),
        ({"email": "a@b.example", "member_id": 1}, 400, "email"),
        ({"email": "a@" + "b" * 300}, 400, "email"),
        ({"email": "a\0@b.example"}, 202, ""),
        ({"member_id": 0}, 404, ""),
        ({"member_id": 2**70}, 404, ""),
        ({"email": "a@b.example", "message": "x" * 501}, 400, "message"),
    ],
)
async def test_a_wrong_invitation_is_refused_by_its_field(
    client: httpx.AsyncClient, door: Door, draft: dict[str, object], status: int, field: str
) -> None:
    answer = await client.post(API, json=draft)
    assert answer.status_code == status, answer.text
    if field:
        assert field in answer.json()["errors"][0]["field"]


async def test_the_form_says_what_is_wrong_beside_its_field(
    client: httpx.AsyncClient, door: Door
) -> None:
    for form in ({"email": "awa"}, {"member_id": "x"}, {"member_id": "9" * 30}, {}):
        page = await client.post(PAGE, data={"message": "Bonjour", **form})
        assert page.status_code == 400
        assert "Bonjour" in page.text
