"""Asking to join a filière on approval: over HTTP, with the mails on a real SMTP server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.filieres import lifecycle
from directory.filieres.lifecycle import Stage
from directory.settings import Settings
from directory.subscriptions import answers, invitations, ledger, links, notices, wordings
from tests import job_runner, joining, people, smtp_sink
from tests.joining import Door
from tests.smtp_sink import Sink
from tests.test_filieres import COORDINATOR

ASK, API_ASK = "/filieres/web/request", "/api/v1/filieres/web/request"
REQUESTS = "/api/v1/filieres/web/requests"


@pytest.fixture
async def sink(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


@pytest.fixture
async def door(connection: asyncpg.Connection, client: httpx.AsyncClient) -> Door:
    await wordings.load(connection)
    found = await joining.door(connection)
    await people.sign_in(client, found.awa)
    return found


async def news_wording() -> int:
    latest = await wordings.list_latest("fr")
    return next(one.id for topic, one in latest.items() if topic.value == "news")


async def asked(client: httpx.AsyncClient, **draft: Any) -> int:
    answer = await client.put(API_ASK, json=draft)
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["id"]
    return number


async def answered(
    client: httpx.AsyncClient, door: Door, number: int, answer: str, reason: str = ""
) -> httpx.Response:
    """By the animator, through the API."""
    return await client.post(
        f"{REQUESTS}/{number}/answer", json={"answer": answer, "reason": reason},
        headers=await joining.signed(door.clemence),
    )  # fmt: skip


async def is_in(connection: asyncpg.Connection, door: Door) -> bool:
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM membership WHERE member_id = $1 AND filiere_id = $2 "
        "AND left_at IS NULL)",
        door.awa.member_id, door.web,
    )  # fmt: skip
    return found


async def test_a_request_travels_from_the_form_to_the_animator_and_back(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    page = (await client.get("/filieres/web")).text
    assert "Demander à entrer" in page
    assert 'value="at_once" checked' not in page
    form = {
        "message": "Je fais des sites.\r\nVous aussi\u00a0?", "web.news": "at_once",
        "web.meetings": "", "wordings": str(await news_wording()),
    }  # fmt: skip
    answer = await client.post(ASK, data=form)
    assert answer.headers["location"] == "/filieres/web?done=asked#join"
    page = (await client.get("/filieres/web?done=asked")).text
    assert "attend une réponse" in page
    assert "Je fais des sites." in page
    assert "Retirer ma demande" in page
    assert not await is_in(connection, door)
    assert await connection.fetchval("SELECT count(*) FROM consent_ledger") == 0

    await job_runner.run_all(connection)
    mail = sink.to(door.clemence.email)
    assert "Awa Lemaire demande à entrer" in mail.message["subject"]
    assert "Je fais des sites." in mail.text
    assert "http://testserver.local/filieres/web/requests" in mail.text
    assert "List-Unsubscribe" not in mail.message

    headers = await joining.signed(door.clemence)
    page = (await client.get("/filieres/web/requests", headers=headers)).text
    assert "Awa Lemaire" in page
    assert "Je fais des sites." in page
    number = await connection.fetchval("SELECT id FROM membership_request")
    path = f"/filieres/web/requests/{number}/answer"
    answer = await client.post(path, data={"answer": "accept"}, headers=headers)
    assert answer.headers["location"] == "/filieres/web/requests?done=accepted"
    assert await is_in(connection, door)
    await job_runner.run_all(connection)
    mail = sink.to(door.awa.email)
    assert "Vous êtes dans la filière Métiers du web" in mail.message["subject"]
    assert "Les mails que vous aviez choisis commencent." in mail.text


async def test_what_was_ticked_while_asking_is_the_askers_own_consent_at_acceptance(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door
) -> None:
    wording = await news_wording()
    choice = {"topic": "news", "rhythm": "at_once", "wording_id": wording}
    number = await asked(client, message="Bonjour", choices=[choice])
    await connection.execute("UPDATE membership_request SET asked_at = now() - interval '3 days'")
    assert (await answered(client, door, number, "accept")).json()["state"] == "accepted"
    row = await connection.fetchrow("SELECT * FROM consent_ledger")
    assert row is not None
    assert (row["member_id"], row["filiere_id"], row["topic"], row["rhythm"], row["act"]) == (
        door.awa.member_id, door.web, "news", "at_once", "given",
    )  # fmt: skip
    assert (row["actor_id"], row["screen"], row["wording_id"]) == (
        door.awa.account_id, "request", wording,
    )  # fmt: skip
    assert row["network"] == "127.0.0.0/24"
    joined_at = await connection.fetchval(
        "SELECT joined_at FROM membership WHERE member_id = $1", door.awa.member_id
    )
    assert row["at"] >= joined_at
    assert await ledger.verify() == []
    audited = await connection.fetch(
        "SELECT action, account_id FROM audit_entry WHERE member_id = $1 "
        "AND action NOT LIKE 'session%' ORDER BY id",
        door.awa.member_id,
    )
    assert [tuple(row) for row in audited] == [
        ("joining.asked", door.awa.account_id),
        ("joining.accepted", door.clemence.account_id),
        ("membership.joined", door.clemence.account_id),
    ]
    history = (await client.get("/preferences")).text
    assert "avec votre demande d’entrée, à son acceptation" in history


async def test_who_stops_every_mail_meanwhile_gets_none_at_the_acceptance(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, chosen: Settings
) -> None:
    choice = {"topic": "news", "rhythm": "at_once", "wording_id": await news_wording()}
    number = await asked(client, message="Bonjour", choices=[choice])
    path = links.preferences_path(chosen.secret, door.awa.member_id)
    assert (await client.post(f"{path}/stop-all")).status_code == 303
    assert (await answered(client, door, number, "accept")).json()["state"] == "accepted"
    assert await connection.fetchval("SELECT count(*) FROM consent_ledger") == 0


async def test_a_refusal_has_a_reason_which_the_asker_reads_and_may_ask_again(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    number = await asked(client)
    await job_runner.run_all(connection)
    without = await answered(client, door, number, "refuse", "  ")
    assert without.status_code == 400
    assert without.json()["errors"][0]["field"] == "reason"
    headers = await joining.signed(door.clemence)
    page = await client.post(
        f"/filieres/web/requests/{number}/answer", data={"answer": "refuse"}, headers=headers
    )
    assert page.status_code == 400
    assert "Écrivez la raison" in page.text
    answer = await answered(client, door, number, "refuse", "Le groupe est plein.\nEn mars\u00a0?")
    assert answer.json()["state"] == "refused"
    await job_runner.run_all(connection)
    assert "Le groupe est plein." in sink.to(door.awa.email).text
    door_page = (await client.get("/filieres/web")).text
    assert "Le groupe est plein." in door_page
    assert "Envoyer ma demande" in door_page
    assert (await answered(client, door, number, "accept")).status_code == 404
    assert await asked(client) != number
    assert not await is_in(connection, door)


async def test_a_request_is_taken_back_and_leaves_nothing_to_answer(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    number = await asked(client, message="Bonjour")
    assert await asked(client, message="Autre chose") == number
    assert (await client.get(API_ASK)).json()["message"] == "Bonjour"
    answer = await client.post(f"{ASK}/withdraw")
    assert answer.headers["location"] == "/filieres/web?done=unasked#join"
    assert (await client.delete(API_ASK)).status_code == 204
    await job_runner.run_all(connection)  # the mail that waited finds nothing to ask
    assert sink.mails == []
    assert (await answered(client, door, number, "accept")).status_code == 404
    assert (await client.get("/api/v1/me/requests")).json() == []


async def test_accepted_without_a_place_left_the_request_waits_for_the_swap(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    slugs = await joining.fill_places(connection, door.awa)
    choice = {"topic": "news", "rhythm": "at_once", "wording_id": await news_wording()}
    number = await asked(client, choices=[choice])
    answer = (await answered(client, door, number, "accept", "Bienvenue")).json()
    assert (answer["state"], answer["is_approved"]) == ("open", True)
    again = (await answered(client, door, number, "accept")).json()
    assert again == answer
    await job_runner.run_all(connection)
    assert "libérez une place" in sink.to(door.awa.email).message["subject"]
    assert await connection.fetchval("SELECT count(*) FROM consent_ledger") == 0

    page = (await client.get("/filieres/web")).text
    assert "il ne manque que votre confirmation" in page
    assert 'name="leaving" value="other-0"' in page
    assert 'name="web.news" value="at_once" checked' in page  # as they ticked it
    assert (await client.put("/api/v1/filieres/web/membership")).status_code == 409
    answer = await client.put(f"/api/v1/filieres/web/membership?leaving={slugs[0]}")
    assert answer.status_code == 200
    assert await is_in(connection, door)
    assert (await client.get(API_ASK)).json()["state"] == "accepted"


async def test_the_quota_holds_when_acceptances_and_joins_race(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door
) -> None:
    await joining.fill_places(connection, door.awa, 2)
    await people.filiere(connection, "open")
    number = await asked(client)
    both = await asyncio.gather(
        answered(client, door, number, "accept"), client.put("/api/v1/filieres/open/membership"),
        answered(client, door, number, "accept"),
    )  # fmt: skip
    assert all(answer.status_code in {200, 404, 409} for answer in both), both
    active = "SELECT count(*) FROM membership WHERE member_id = $1 AND left_at IS NULL"
    assert await connection.fetchval(active, door.awa.member_id) == 3


async def test_unanswered_for_a_week_it_is_recalled_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    await asked(client)
    await job_runner.run_all(connection)
    await notices.remind()
    assert await job_runner.run_all(connection) == []
    await connection.execute("UPDATE membership_request SET asked_at = now() - interval '7 days'")
    for _ in range(2):
        await notices.remind()
        await job_runner.run_all(connection)
    first, second = sink.mails
    assert "Toujours sans réponse" in second.message["subject"]
    assert first.recipient == second.recipient == door.clemence.email


async def test_without_an_animator_the_staff_is_told(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    await connection.execute("UPDATE access_grant SET ends_on = current_date - 1")
    staff = await people.member(connection, "Hélène", "helene@coop.example", language="nl")
    await people.grants(connection, staff, "coordinator")
    await asked(client)
    await job_runner.run_all(connection)
    assert [mail.recipient for mail in sink.mails] == ["helene@coop.example"]
    assert "vraagt" in sink.mails[0].message["subject"]


async def test_where_no_mail_reaches_the_animator_the_staff_is_told(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    helene = await people.member(connection, "Hélène Carlier", "helene@etabli.example")
    await people.grants(connection, helene, "coordinator")
    await connection.execute(
        "INSERT INTO suppression (email, reason) VALUES ($1, 'hard_bounce')", door.clemence.email
    )
    await asked(client, message="Bonjour")
    await job_runner.run_all(connection)
    assert [mail.recipient for mail in sink.mails] == [helene.email]


async def test_no_answer_goes_to_an_address_that_fails(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    number = await asked(client, message="Bonjour")
    await job_runner.run_all(connection)
    await connection.execute(
        "INSERT INTO suppression (email, reason) VALUES ($1, 'complaint')", door.awa.email
    )
    await answered(client, door, number, "accept")
    await job_runner.run_all(connection)
    assert [mail.recipient for mail in sink.mails] == [door.clemence.email]


async def test_a_closed_filiere_lets_its_requests_and_invitations_lapse(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door, sink: Sink
) -> None:
    await asked(client)
    bo = await people.member(connection, "Bo")
    draft = invitations.InvitationDraft(member_id=bo.member_id)
    await invitations.invite(joining.animator(door.clemence, door.web), "web", draft)
    await job_runner.run_all(connection)
    await lifecycle.advance(COORDINATOR, "web", Stage.CLOSED, "Plus personne")
    await job_runner.run_all(connection)
    assert (await client.get(API_ASK)).json()["state"] == "lapsed"
    assert "a fermé" in sink.to(door.awa.email).message["subject"]
    assert await connection.fetchval("SELECT state::text FROM filiere_invitation") == "lapsed"
    page = (await client.get("/filieres/web")).text
    assert "on n’y entre plus" in page
    assert (await client.put(API_ASK, json={})).status_code == 409


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({"message": "x" * 501}, "message"),
        ({"message": "a\u0007b"}, "message"),
        ({"choices": [{"topic": "news", "rhythm": "hourly", "wording_id": 1}]}, ""),
        ({"choices": [{"topic": "news", "rhythm": "at_once", "wording_id": 999}]}, "wording_id"),
        ({"choices": [{"topic": "gossip", "rhythm": "at_once", "wording_id": 1}]}, ""),
        ({"choices": [{"topic": "news", "rhythm": None, "wording_id": 1}]}, ""),
        ({"words": "x"}, "words"),
    ],
)
async def test_a_wrong_request_is_refused_by_its_field_and_nothing_is_kept(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    door: Door,
    draft: dict[str, Any],
    field: str,
) -> None:
    answer = await client.put(API_ASK, json=draft)
    assert answer.status_code == 400, answer.text
    assert field in answer.json()["errors"][0]["field"]
    assert await connection.fetchval("SELECT count(*) FROM membership_request") == 0


async def test_one_asks_only_where_there_is_something_to_ask(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door
) -> None:
    await people.filiere(connection, "open")
    await people.filiere(connection, "closed-circle")
    await connection.execute(
        "UPDATE filiere SET openness = 'invitation' WHERE slug = 'closed-circle'"
    )
    for slug, status in (("open", 409), ("closed-circle", 409), ("nowhere", 404)):
        answer = await client.put(f"/api/v1/filieres/{slug}/request", json={})
        assert answer.status_code == status, slug
    other = await client.post(ASK, data={"open.news": "at_once", "wordings": "1"})
    assert other.status_code == 400
    await connection.execute("UPDATE filiere SET openness = 'open' WHERE slug = 'web'")
    assert (await client.put(API_ASK, json={})).json()["detail"].startswith("Rien à demander")
    for _ in range(10):
        await connection.execute("UPDATE filiere SET openness = 'approval' WHERE slug = 'web'")
        assert (await client.put(API_ASK, json={})).status_code == 200
        await client.delete(API_ASK)
    assert (await client.put(API_ASK, json={})).status_code == 429


async def test_only_those_who_run_the_filiere_read_and_answer(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door
) -> None:
    number = await asked(client, message="Secret")
    other = await joining.vetted(connection, "image")
    noe = await people.member(connection, "Noé")
    await people.animates(connection, noe, other)
    headers = await joining.signed(noe)
    for method, path in (
        ("GET", "/filieres/web/requests"),
        ("GET", REQUESTS),
        ("GET", "/filieres/web/invitations"),
    ):
        assert (await client.request(method, path, headers=headers)).status_code == 403
    answer = await client.post(
        f"{REQUESTS}/{number}/answer", json={"answer": "accept"}, headers=headers
    )
    assert answer.status_code == 403
    # Nor by way of the filière that they do run.
    answer = await client.post(
        f"/api/v1/filieres/image/requests/{number}/answer", json={"answer": "accept"},
        headers=headers,
    )  # fmt: skip
    assert answer.status_code == 404
    for wrong in (0, 2**63, 2**70):
        answer = await client.post(
            f"/api/v1/filieres/image/requests/{wrong}/answer", json={"answer": "accept"},
            headers=headers,
        )  # fmt: skip
        assert answer.status_code == 404
    assert "Demandes d’entrée" not in (await client.get("/filieres/web")).text
    page = await client.get("/filieres/web", headers=await joining.signed(door.clemence))
    assert 'href="/filieres/web/requests"' in page.text


async def test_who_left_the_cooperative_waits_for_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door
) -> None:
    number = await asked(client)
    await connection.execute(
        "UPDATE member SET left_on = current_date WHERE id = $1", door.awa.member_id
    )
    clemence = joining.animator(door.clemence, door.web)
    assert (await answers.list_requests(clemence, "web")).total == 0
    assert await answers.count_waiting(clemence, "fr") == []
    assert (await answered(client, door, number, "accept")).status_code == 404


async def test_the_list_of_filieres_says_what_waits_for_whom(
    client: httpx.AsyncClient, connection: asyncpg.Connection, door: Door
) -> None:
    page = (await client.get("/filieres")).text
    assert "Vous n’êtes encore dans aucune filière." in page
    await asked(client)
    page = (await client.get("/filieres")).text
    assert "Vos filières" in page
    assert "Votre demande attend une réponse." in page
    page = (await client.get("/filieres", headers=await joining.signed(door.clemence))).text
    assert "une demande d’entrée" in page
    assert "depuis le" in page
    client.cookies.clear()
    assert "Vos filières" not in (await client.get("/filieres")).text
