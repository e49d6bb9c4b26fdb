"""What is written and decided of a filière, and what a decision keeps for ever."""

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.filieres import evidence
from tests import crowd, people
from tests.crowd import TRADES
from tests.dossier import API, MOVE, PAGE, awa, criterion, helene, read, web
from tests.people import Person

__all__ = ["awa", "helene", "web"]


async def test_the_staff_write_why_and_everybody_reads_it(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    web: int,
    awa: Person,
    helene: Person,
) -> None:
    body = {"text": "Les marchés publics s’ouvrent.\n\nNous voulons y être."}
    assert (await client.put(f"{API}/reasons", json=body)).status_code == 401
    await people.sign_in(client, awa)
    assert (await client.put(f"{API}/reasons", json=body)).status_code == 403
    await people.sign_in(client, helene)
    answers = [await client.put(f"{API}/reasons", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    (reason,) = answers[1].json()["reasons"]
    assert reason["text"] == body["text"]
    assert reason["author"] == {
        "name": "Hélène Carlier", "member_id": helene.member_id, "role": "coordinator",
    }  # fmt: skip
    form = await client.post(f"{PAGE}/reasons", data={"text": "Et à Gand, le bureau recrute."})
    assert form.status_code == 303
    client.cookies.clear()
    page = (await client.get(PAGE)).text
    assert "Et à Gand, le bureau recrute." in page
    assert "Ce qui était écrit avant" in page
    assert "Hélène Carlier" not in page  # her name is for members
    assert "la coordination" in page
    assert "Publier les raisons" not in page


@pytest.mark.parametrize("text", ["a" * 4001, "a\u202eb", "a\x07"])
async def test_reasons_that_cannot_be_kept_are_named(
    client: httpx.AsyncClient, web: int, helene: Person, text: str
) -> None:
    await people.sign_in(client, helene)
    answer = await client.put(f"{API}/reasons", json={"text": text})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "text"
    answer = await client.post(f"{PAGE}/reasons", data={"text": text})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text


async def test_reasons_are_taken_back_by_nothing(
    client: httpx.AsyncClient, web: int, helene: Person
) -> None:
    await people.sign_in(client, helene)
    await client.put(f"{API}/reasons", json={"text": "Parce que."})
    await client.put(f"{API}/reasons", json={"text": " "})
    page = (await client.get(PAGE)).text
    assert "pas encore écrit pourquoi" in page
    assert "Parce que." in page


async def test_a_decision_publishes_the_figures_of_its_moment_for_ever(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int, helene: Person
) -> None:
    await people.sign_in(client, helene)
    form = (await client.get("/filieres/web")).text
    assert "les chiffres du dossier tels qu’ils sont ce jour-là" in form
    await client.put(f"{API}/reasons", json={"text": "Le bureau de Gand recrute."})
    body = {"to_stage": "forming", "reason": "Ouverte malgré l’absence à Gand : on y recrute"}
    assert (await client.post(MOVE, json=body)).status_code == 201
    seen = (await read(client))["decisions"]
    client.cookies.clear()

    (decision,) = (await read(client))["decisions"]
    assert decision["author"] == {"name": None, "member_id": None, "role": "coordinator"}
    assert seen == [
        decision
        | {"author": decision["author"] | {"name": "Hélène Carlier", "member_id": helene.member_id}}
    ]
    assert criterion(decision, "members")["value"] == {"value": 40, "bound": "exact"}
    assert criterion(decision, "members")["threshold"] == 150
    assert criterion(decision, "members")["is_met"] is False
    assert decision["is_strategic"] is True
    section = (await client.get("/filieres/web")).text
    assert "Ouverte malgré l’absence à Gand : on y recrute." in section
    assert "Ouverte alors que 2 critères n’étaient pas atteints" in section
    assert ">40<" in section
    assert "Décidée par la coordination" in section

    await crowd.of(connection, 300, trade=TRADES[0])
    await connection.execute("UPDATE dossier_figures SET counted_on = counted_on - 40")
    await evidence.refresh_due()
    settings.use(msgspec.structs.replace(settings.current(), dossier_members=10))
    assert (await read(client))["decisions"] == [decision]
    assert ">340<" not in (await client.get("/filieres/web")).text


async def test_a_refusal_keeps_its_reason_and_its_figures(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int, helene: Person
) -> None:
    await people.sign_in(client, helene)
    body = {"to_stage": "closed", "reason": "Trop peu de monde à Gand."}
    assert (await client.post(MOVE, json=body)).status_code == 201
    client.cookies.clear()
    for path in ("/filieres/web", PAGE):
        page = (await client.get(path)).text
        assert "Refusée : Trop peu de monde à Gand." in page
        assert "non atteint" in page
    await connection.execute("UPDATE dossier_figures SET counted_on = counted_on - 40")
    await crowd.of(connection, 300, trade=TRADES[0])
    await evidence.refresh_due()
    (decision,) = (await read(client))["decisions"]
    assert criterion(decision, "members")["value"]["value"] == 40
    await people.sign_in(client, helene)
    assert criterion(await read(client), "members")["value"]["value"] == 40  # counted no more


async def test_a_decision_on_what_was_never_counted_counts_first(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    await crowd.of(connection, 12, trade=TRADES[0])
    await crowd.filiere(connection, "web")
    await people.sign_in(client, helene)
    body = {"to_stage": "forming", "reason": "Oui."}
    assert (await client.post(MOVE, json=body)).status_code == 201
    (decision,) = (await read(client))["decisions"]
    assert criterion(decision, "members")["value"]["value"] == 12


async def test_a_proposal_is_counted_at_once_and_before(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await crowd.of(connection, 23, trade=TRADES[0], place="be-4000-liege")
    await people.sign_in(client, awa)
    form = {"kind": "trade", "trades": TRADES[0], "find": "figures"}
    page = (await client.post("/filieres/propose", data=form)).text
    assert "environ 25" in page
    assert "4000 Liège" in page
    page = (await client.post("/filieres/propose", data=form | {"find": "trades"})).text
    assert "4000 Liège" not in page
    body = {
        "kind": "trade", "trades": [TRADES[0]], "name_fr": "Boulange", "purpose_fr": "Cuire.",
        "need": "Un four.", "intentions": "En chercher un.",
    }  # fmt: skip
    answer = await client.post("/api/v1/filieres", json=body)
    assert answer.status_code == 201, answer.text
    slug = answer.json()["slug"]
    found = (await client.get(f"/api/v1/filieres/{slug}/dossier")).json()
    assert criterion(found, "members")["value"] == {"value": 23, "bound": "exact"}
    assert found["decisions"] == []


async def test_only_a_decision_of_the_staff_publishes_figures(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await crowd.of(connection, 23, trade=TRADES[0])
    await people.sign_in(client, awa)
    body = {
        "kind": "trade", "trades": [TRADES[0]], "name_fr": "Web", "purpose_fr": "Cuire.",
        "need": "Un four.", "intentions": "En chercher un.",
    }  # fmt: skip
    assert (await client.post("/api/v1/filieres", json=body)).status_code == 201
    assert (await client.post("/filieres/web/withdraw")).status_code == 303
    assert await connection.fetchval("SELECT count(dossier) FROM stage_change") == 0
    page = (await client.get(PAGE)).text
    assert "Retirée" in page
    assert "Refusée" not in page
    client.cookies.clear()
    assert ">23<" not in (await client.get(PAGE)).text


async def test_opinions_are_counted_in_groups_and_published_by_a_decision(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int, helene: Person
) -> None:
    ids = await crowd.of(connection, 9)
    await connection.executemany(
        "INSERT INTO filiere_support (filiere_id, member_id, stance) VALUES ($1, $2, $3)",
        [(web, one, "favourable" if place < 6 else "reserve") for place, one in enumerate(ids)],
    )
    await people.sign_in(client, helene)
    told = {
        "favourable": {"value": 6, "bound": "exact"}, "reserved": {"value": 5, "bound": "under"},
    }  # fmt: skip
    assert (await read(client))["opinions"] == told
    body = {"to_stage": "forming", "reason": "Oui."}
    assert (await client.post(MOVE, json=body)).status_code == 201
    client.cookies.clear()
    found = await read(client)
    assert found["opinions"] is None
    assert found["decisions"][0]["opinions"] == told
    page = (await client.get("/filieres/web")).text
    assert "après 6 avis favorables et moins de 5 avis réservés" in page
