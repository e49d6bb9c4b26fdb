"""What members say of a proposal, what follows from it, and who reads it."""

import asyncio

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.filieres import supports
from directory.filieres.supports import SupportReached
from directory.settings import Settings
from tests import founding, people, smtp_sink


async def stage(client: httpx.AsyncClient, slug: str) -> str:
    return str((await client.get(f"/api/v1/filieres/{slug}")).json()["stage"])


async def test_the_first_support_of_somebody_else_moves_it_on_by_itself(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    _, slug = await founding.proposed(client, connection)
    said = (await client.get(f"/api/v1/filieres/{slug}/support")).json()
    assert said["tally"] == {"favourable": 1, "reserves": 0, "needed": 10}
    assert said["own"]["wants_mails"] is False
    await client.put(f"/api/v1/filieres/{slug}/support", json={"opinion": "La mienne."})
    await founding.supports(client, connection, slug, stance="reserve", opinion="Trop large.")
    assert await stage(client, slug) == "proposed"
    await founding.supports(client, connection, slug)
    assert await stage(client, slug) == "gathering"
    entry = (await client.get(f"/api/v1/filieres/{slug}/timeline")).json()["items"][1]
    assert entry["decided_as"] == "service"
    assert entry["reason"] == "Une deuxième personne la soutient."
    client.cookies.set("language", "en")
    english = await client.get(f"/filieres/{slug}")
    assert "A second person supports it." in english.text
    client.cookies.delete("language")
    await founding.supports(client, connection, slug)
    moves = await connection.fetchval("SELECT count(*) FROM stage_change")
    assert moves == 2


async def test_somebody_says_something_else_and_takes_it_back(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    _, slug = await founding.proposed(client, connection)
    await people.sign_in(client, await people.member(connection, "Noé Lambrecht"))
    path = f"/filieres/{slug}/support"
    form = {"stance": "favourable", "opinion": "Enfin !"}
    assert (await client.post(path, data=form)).status_code == 303
    form = {"stance": "reserve", "opinion": "À voir.\r\nVraiment.", "wants_mails": "1"}
    assert (await client.post(path, data=form)).status_code == 303
    page = (await client.get(f"/filieres/{slug}")).text
    assert "À voir.<br>Vraiment." in page
    assert "Enfin" not in page
    assert "Noé Lambrecht" in page
    own = (await client.get(f"/api/v1{path}")).json()["own"]
    assert (own["stance"], own["wants_mails"]) == ("reserve", True)
    assert (await client.post(f"{path}/withdraw")).status_code == 303
    assert (await client.get(f"/api/v1{path}")).json()["own"] is None
    actions = await connection.fetch(
        "SELECT action FROM audit_entry WHERE action LIKE 'support.%' ORDER BY id"
    )
    assert [row["action"] for row in actions] == [
        "support.given", "support.changed", "support.withdrawn",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [
        {"stance": "reserve", "opinion": " "},
        {"stance": "favourable", "opinion": "x" * 501},
        {"stance": "favourable", "opinion": "a\u202eb"},
    ],
)
async def test_what_is_wrong_with_an_opinion_is_said_beside_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection, form: dict[str, str]
) -> None:
    _, slug = await founding.proposed(client, connection)
    await people.sign_in(client, await people.member(connection))
    answer = await client.post(f"/filieres/{slug}/support", data=form)
    assert answer.status_code == 400
    assert 'id="opinion-error"' in answer.text
    assert f'value="{form["stance"]}" checked' in answer.text
    problem = await client.put(f"/api/v1/filieres/{slug}/support", json=form)
    assert problem.json()["errors"][0]["field"] == "opinion"
    assert (await client.post(f"/filieres/{slug}/support", data={"stance": "x"})).status_code == 400


async def test_a_name_is_shown_to_those_who_may_see_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    _, slug = await founding.proposed(client, connection)
    noe = await founding.supports(client, connection, slug, opinion="Oui.")
    client.cookies.clear()
    for path in (f"/filieres/{slug}", f"/filieres/{slug}/support"):
        page = (await client.get(path)).text
        assert "Oui." in page
        assert "Noé" not in page
    opinion = (await client.get(f"/api/v1/filieres/{slug}/opinions")).json()["items"][0]
    assert opinion["by"] == {"member_id": None, "name": None}
    await people.sign_in(client, await people.member(connection))
    opinion = (await client.get(f"/api/v1/filieres/{slug}/opinions")).json()["items"][0]
    assert opinion["by"] == {"member_id": noe.member_id, "name": "Noé Lambrecht"}


async def test_opinions_are_paged(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    _, slug = await founding.proposed(client, connection)
    for number in range(7):
        await founding.supports(client, connection, slug, opinion=f"Avis {number}.")
    await founding.supports(client, connection, slug)
    path = f"/api/v1/filieres/{slug}/opinions"
    pages = [(await client.get(f"{path}?limit=4&page={page}")).json() for page in (1, 2, 3)]
    assert [len(page["items"]) for page in pages] == [4, 3, 0]
    assert {page["total"] for page in pages} == {7}
    assert pages[0]["items"][0]["opinion"] == "Avis 6."
    page = (await client.get(f"/filieres/{slug}")).text
    assert "Avis 6." in page
    assert "Avis 1." not in page
    assert "Lire les 7 avis" in page
    assert "Avis 1." in (await client.get(f"/filieres/{slug}/support")).text
    assert (await client.get(f"/filieres/{slug}/support?page=9")).status_code == 200


async def test_who_left_or_is_erased_takes_their_opinion_along(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    _, slug = await founding.proposed(client, connection)
    noe = await founding.supports(client, connection, slug, opinion="Oui.")
    await connection.execute("UPDATE member SET left_on = now() WHERE id = $1", noe.member_id)
    client.cookies.clear()
    said = (await client.get(f"/api/v1/filieres/{slug}/support")).json()
    assert said["tally"]["favourable"] == 1
    assert "Oui." not in (await client.get(f"/filieres/{slug}")).text
    await connection.execute("DELETE FROM member WHERE id = $1", noe.member_id)
    assert await connection.fetchval("SELECT count(*) FROM filiere_support") == 1


async def test_what_is_no_proposal_any_more_is_not_supported(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    _, slug = await founding.proposed(client, connection)
    await founding.supports(client, connection, slug, opinion="Oui.")
    await connection.execute("UPDATE filiere SET stage = 'forming'")
    path = f"/api/v1/filieres/{slug}/support"
    assert (await client.put(path, json={})).status_code == 409
    assert (await client.delete(path)).status_code == 409
    assert (await client.put("/api/v1/filieres/nowhere/support", json={})).status_code == 404
    page = (await client.get(f"/filieres/{slug}")).text
    assert "Oui." in page
    assert f'action="/filieres/{slug}/support"' not in page


async def test_coordinators_are_told_once_when_enough_support_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings
) -> None:
    settings.use(msgspec.structs.replace(chosen, supports_needed=4))
    _, slug = await founding.proposed(client, connection)
    staff = await people.member(connection, email="helene@coop.example", language="nl")
    await people.grants(connection, staff, "coordinator")
    await founding.supports(client, connection, slug, stance="reserve", opinion="Non.")
    await founding.supports(client, connection, slug)

    voices = [await people.member(connection) for _ in range(6)]
    clients = []
    for voice in voices:
        one = httpx.AsyncClient(transport=client._transport, base_url=client.base_url)
        await people.sign_in(one, voice)
        clients.append(one)
    path = f"/api/v1/filieres/{slug}/support"
    answers = await asyncio.gather(*(one.put(path, json={}) for one in clients))
    assert {answer.status_code for answer in answers} == {200}
    waiting = await connection.fetch(
        "SELECT payload FROM pgqueuer WHERE entrypoint LIKE '%supports.write'"
    )
    assert len(waiting) == 1
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        told = msgspec.json.decode(waiting[0]["payload"], type=SupportReached)
        await supports.write(told)
    assert sink.recipients == {"helene@coop.example": 1}
    assert f"/filieres/{slug}" in sink.mails[0].text
    assert "8" in sink.mails[0].text
