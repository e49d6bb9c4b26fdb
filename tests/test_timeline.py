"""The timeline of a filière: append-only, signed, and what cannot be undone is confirmed."""

import asyncpg
import httpx
import pytest

from directory.filieres import lifecycle
from directory.filieres.lifecycle import Stage
from tests import founding, people


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stage_change SET reason = 'Autre'",
        "UPDATE stage_change SET decided_at = now() - interval '1 year'",
        "UPDATE stage_change SET decided_by = NULL",
        "UPDATE stage_change SET decided_as = 'service'",
        "DELETE FROM stage_change",
        "DELETE FROM filiere",
        "TRUNCATE stage_change CASCADE",
    ],
)
async def test_the_database_refuses_every_change(
    client: httpx.AsyncClient, connection: asyncpg.Connection, statement: str
) -> None:
    await people.filiere(connection, "web")
    await founding.coordinator(client, connection)
    body = {"to_stage": "dormant", "reason": "Pause."}
    await client.post("/api/v1/filieres/web/timeline", json=body)
    before = await connection.fetch("SELECT * FROM stage_change")
    assert len(before) == 1
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute(statement)
    assert await connection.fetch("SELECT * FROM stage_change") == before


async def test_a_decision_outlives_the_account_of_who_took_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    helene = await founding.coordinator(client, connection)
    body = {"to_stage": "dormant", "reason": "Pause."}
    await client.post("/api/v1/filieres/web/timeline", json=body)
    await connection.execute("DELETE FROM member WHERE id = $1", helene.member_id)
    await connection.execute("DELETE FROM account WHERE id = $1", helene.account_id)
    assert await connection.fetchval("SELECT decided_by FROM stage_change") is None
    page = (await client.get("/filieres/web")).text
    assert "Pause." in page
    assert "Décidée par la coordination" in page


async def test_a_decision_names_who_took_it_to_those_who_may_see_the_name(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    helene = await founding.coordinator(client, connection)
    for to_stage in ("dormant", "active", "dormant"):
        body = {"to_stage": to_stage, "reason": f"Vers {to_stage}."}
        await client.post("/api/v1/filieres/web/timeline", json=body)
    page = (await client.get("/filieres/web")).text
    assert f'Décidée par <a href="/members/{helene.member_id}">' in page
    assert "Hélène Carlier</bdi></a>, coordination" in page
    found = (await client.get("/api/v1/filieres/web/timeline?limit=2&page=2")).json()
    assert (found["total"], len(found["items"])) == (3, 1)
    assert found["items"][0]["reason"] == "Vers dormant."
    assert found["items"][0]["decided_by"]["name"] == "Hélène Carlier"
    client.cookies.clear()
    for path in ("/filieres/web", "/api/v1/filieres/web/timeline", "/api/v1/filieres/web"):
        assert "Hélène" not in (await client.get(path)).text
    assert (await client.get("/api/v1/filieres/nowhere/timeline")).status_code == 404


async def test_closing_is_confirmed_and_says_what_it_does(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    web = await people.filiere(connection, "web")
    awa = await people.member(connection)
    await connection.execute(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)", web, awa.member_id
    )
    await founding.coordinator(client, connection)
    form = {"to_stage": "closed", "reason": "Plus <personne>."}
    asked = await client.post("/filieres/web/stage", data=form)
    assert asked.status_code == 200
    assert "Une filière fermée ne rouvre pas." in asked.text
    assert "Sa seule personne en sort" in asked.text
    assert 'value="Plus &lt;personne&gt;."' in asked.text
    assert await connection.fetchval("SELECT stage FROM filiere") == "active"
    done = await client.post("/filieres/web/stage", data=form | {"confirmed": "1"})
    assert done.status_code == 303
    assert await connection.fetchval("SELECT stage FROM filiere") == "closed"


async def test_a_move_that_somebody_else_made_first_is_explained(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    await founding.coordinator(client, connection)
    form = {"to_stage": "dormant", "reason": "Pause."}
    assert (await client.post("/filieres/web/stage", data=form)).status_code == 303
    answer = await client.post("/filieres/web/stage", data=form)
    assert answer.status_code == 409
    assert "La filière est à l’étape « En sommeil »" in answer.text
    assert "Changer d’étape" in answer.text


@pytest.mark.parametrize(
    ("reason", "status"), [("x" * 500, 201), ("x" * 501, 400), ("a\u202eb", 400), ("a\nb", 201)]
)
async def test_reasons_are_of_one_line_and_not_long(
    client: httpx.AsyncClient, connection: asyncpg.Connection, reason: str, status: int
) -> None:
    await people.filiere(connection, "web")
    await founding.coordinator(client, connection)
    body = {"to_stage": "dormant", "reason": reason}
    answer = await client.post("/api/v1/filieres/web/timeline", json=body)
    assert answer.status_code == status


def test_what_can_be_undone() -> None:
    undone = [
        (one, other)
        for one, others in lifecycle.MOVES.items()
        for other in others
        if lifecycle.is_reversible(one, other)
    ]
    assert undone == [(Stage.ACTIVE, Stage.DORMANT), (Stage.DORMANT, Stage.ACTIVE)]


async def test_the_list_shows_the_open_ones_and_counts_the_others(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    for number, stage in enumerate(Stage):
        await people.filiere(connection, f"f{number}", f"Filière {stage.value}")
        await connection.execute(
            "UPDATE filiere SET stage = $1::filiere_stage WHERE slug = $2",
            stage.value, f"f{number}",
        )  # fmt: skip
    page = (await client.get("/filieres")).text
    for words in ("3 ouvertes", "2 proposées", "1 en sommeil", "1 fermée", "Proposer une filière"):
        assert words in page
    assert "Filière active" in page
    assert "Filière dormant" not in page
    assert "Filière gathering" in (await client.get("/filieres?show=proposed")).text
    every = (await client.get("/api/v1/filieres")).json()["items"]
    assert [card["stage"] for card in every] == [
        "active", "forming", "launched", "gathering", "proposed", "dormant", "closed",
    ]  # fmt: skip
    found = await client.get("/api/v1/filieres?stage=dormant&stage=closed")
    assert found.json()["total"] == 2
    assert (await client.get("/filieres?show=x")).status_code == 400
    assert (await client.get("/api/v1/filieres?stage=x")).status_code == 400


async def test_an_empty_part_of_the_list_says_where_there_are_some(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    page = (await client.get("/filieres?show=proposed")).text
    assert "Personne ne propose de filière en ce moment." in page
    assert 'href="/filieres?show=open"' in page


async def test_the_page_of_a_closed_filiere_promises_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    await founding.coordinator(client, connection)
    open_page = (await client.get("/filieres/web")).text
    body = {"to_stage": "closed", "reason": "Plus personne."}
    answer = await client.post("/api/v1/filieres/web/timeline", json=body)
    assert answer.status_code == 201, answer.text
    closed_page = (await client.get("/filieres/web")).text
    for promise in ("<dt>Ouverture</dt>", 'id="dates"', "calendar.ics", 'id="animation"'):
        assert promise in open_page
        assert promise not in closed_page
    assert "Plus personne." in closed_page


async def test_who_is_no_member_is_not_led_to_a_page_of_members(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    way = '<a href="/preferences"'
    assert way in (await client.get("/filieres")).text  # a visitor, who may be a member
    helene = await founding.coordinator(client, connection)
    assert way in (await client.get("/filieres")).text
    await connection.execute("DELETE FROM member WHERE id = $1", helene.member_id)
    assert way not in (await client.get("/filieres")).text
