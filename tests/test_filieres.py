"""Filières: the list, the page, the stages, who runs them."""

import asyncpg
import httpx
import pytest

from directory import errors
from directory.accounts.actor import Actor, Grant, Role
from directory.filieres import lifecycle, registry
from directory.filieres.lifecycle import Stage
from tests import people

COORDINATOR = Actor(account_id=None, grants=frozenset({Grant(Role.COORDINATOR)}))


async def test_the_empty_list_says_what_helps(client: httpx.AsyncClient) -> None:
    answer = await client.get("/filieres")
    assert answer.status_code == 200
    assert "n’a pas encore de filière" in answer.text


async def test_the_list_shows_both_kinds_with_their_members(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    web = await people.filiere(connection, "web")
    await people.filiere(connection, "culture", "Spectacle et culture", "sector")
    for name in ("Awa Lemaire", "Noé Lambrecht"):
        person = await people.member(connection, name)
        await connection.execute(
            "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)", web, person.member_id
        )
    page = (await client.get("/filieres")).text
    assert "Filières métier" in page
    assert "Filières secteur" in page
    assert "2 membres" in page
    answer = (await client.get("/api/v1/filieres")).json()
    assert [card["slug"] for card in answer["items"]] == ["web", "culture"]
    assert [card["member_count"] for card in answer["items"]] == [2, 0]
    assert answer["total"] == 2


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ({"kind": "sector"}, ["culture"]),
        ({"q": "METIERS wéb"}, ["web"]),
        ({"q": "100%"}, []),
        ({"q": "web\0"}, ["web"]),
        ({"limit": 1, "page": 2}, ["culture"]),
        ({"page": 99}, []),
    ],
)
async def test_the_list_is_filtered_and_paged(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    query: dict[str, str],
    slugs: list[str],
) -> None:
    await people.filiere(connection, "web")
    await people.filiere(connection, "culture", "Spectacle et culture", "sector")
    answer = await client.get("/api/v1/filieres", params=query)
    assert answer.status_code == 200, answer.text
    assert [card["slug"] for card in answer.json()["items"]] == slugs
    assert answer.json()["total"] == (2 if "page" in query else len(slugs))
    assert (await client.get("/filieres", params=query | {"limit": 1})).status_code == 400
    query.pop("limit", None)
    assert (await client.get("/filieres", params=query)).status_code == 200


@pytest.mark.parametrize("query", ["kind=region", "page=0", "regionn=x", "q=" + "a" * 501])
async def test_a_malformed_filter_is_named(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/v1/filieres?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("slug", ["nowhere", "%00", "web%00", "%F0%9F%8E%AD", "x" * 5000, "..%2f"])
async def test_an_unknown_filiere_is_not_found(client: httpx.AsyncClient, slug: str) -> None:
    for path in (f"/filieres/{slug}", f"/api/v1/filieres/{slug}"):
        assert (await client.get(path)).status_code == 404, path


async def test_missing_translations_fall_back_to_french(connection: asyncpg.Connection) -> None:
    filiere_id = await people.filiere(connection, "web")
    await connection.execute("UPDATE filiere SET name_nl = 'Webberoepen', name_en = NULL")
    assert (await registry.get("web", "nl")).name == "Webberoepen"
    assert (await registry.get("web", "en")).name == "Métiers du web"
    assert (await registry.refs([filiere_id, 999], "nl")).keys() == {filiere_id}
    assert await registry.find("nowhere", "fr") is None


async def test_a_visitor_sees_only_the_names_that_are_public(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    web = await people.filiere(connection, "web")
    shown, hidden, secret, gone = [
        await people.member(connection, name)
        for name in ("Clémence Wauters", "Noé Lambrecht", "Ilse Maes", "Jean Parti")
    ]
    for person, audience in ((shown, "public"), (hidden, "members"), (secret, "me")):
        await people.animates(connection, person, web)
        await connection.execute(
            "UPDATE member SET audiences = jsonb_build_object('display_name', $2::text) "
            "WHERE id = $1",
            person.member_id, audience,
        )  # fmt: skip
    await people.animates(connection, gone, web)
    await connection.execute("UPDATE member SET left_on = now() WHERE id = $1", gone.member_id)

    page = (await client.get("/filieres/web")).text
    data = (await client.get("/api/v1/filieres/web")).text
    for text in (page, data):
        assert "Clémence Wauters" in text
        assert not {"Noé Lambrecht", "Ilse Maes", "Jean Parti"} & {n for n in NAMES if n in text}
    assert "2 personnes l’animent sans montrer leur nom ici." in page

    await people.sign_in(client, await people.member(connection))
    page = (await client.get("/filieres/web")).text
    assert "Noé Lambrecht" in page
    assert "Ilse Maes" not in page

    await people.sign_in(client, secret)
    assert "Ilse Maes" in (await client.get("/filieres/web")).text


NAMES = ("Noé Lambrecht", "Ilse Maes", "Jean Parti")


async def test_a_name_for_ones_own_filieres_is_shown_to_those_who_share_one(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    web = await people.filiere(connection, "web")
    animator, fellow = await people.member(connection, "Ilse Maes"), await people.member(connection)
    await people.animates(connection, animator, web)
    await connection.execute(
        'UPDATE member SET audiences = \'{"display_name": "filieres"}\' WHERE id = $1',
        animator.member_id,
    )
    await people.sign_in(client, fellow)
    assert "Ilse Maes" not in (await client.get("/filieres/web")).text
    for person in (animator, fellow):
        await connection.execute(
            "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)", web, person.member_id
        )
    assert "Ilse Maes" in (await client.get("/filieres/web")).text


async def test_a_coordinator_moves_a_filiere_on_and_everybody_reads_why(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    coordinator = await people.member(connection)
    await people.grants(connection, coordinator, "coordinator")
    await people.sign_in(client, coordinator)
    assert "Changer d’étape" in (await client.get("/filieres/web")).text
    form = {"to_stage": "dormant", "reason": "Plus d’équipe depuis juin."}
    answer = await client.post("/filieres/web/stage", data=form)
    assert answer.status_code == 303
    client.cookies.clear()
    page = (await client.get(answer.headers["location"])).text
    assert "En sommeil" in page
    assert "Plus d’équipe depuis juin." in page
    assert "Changer d’étape" not in page
    timeline = (await client.get("/api/v1/filieres/web")).json()["timeline"]
    assert [(move["from_stage"], move["to_stage"]) for move in timeline] == [("active", "dormant")]
    decided_by = await connection.fetchval("SELECT decided_by FROM stage_change")
    assert decided_by == coordinator.account_id


async def test_a_move_by_the_api_is_allowed_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    coordinator = await people.member(connection)
    await people.grants(connection, coordinator, "coordinator")
    body = {"to_stage": "dormant", "reason": "Plus d’équipe depuis juin."}
    path = "/api/v1/filieres/web/timeline"
    assert (await client.post(path, json=body)).status_code == 401
    await people.sign_in(client, coordinator)
    answers = [await client.post(path, json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[0].json()["stage"] == "dormant"
    assert answers[1].json()["type"] == "urn:filieres:problem:stage-move-refused"
    assert (await client.post(path, json=body | {"reason": "\0 "})).status_code == 400
    assert (await client.post(path, json=body | {"to_stage": "gone"})).status_code == 400


async def test_a_move_without_a_reason_is_asked_for_one(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    coordinator = await people.member(connection)
    await people.grants(connection, coordinator, "coordinator")
    await people.sign_in(client, coordinator)
    answer = await client.post("/filieres/web/stage", data={"to_stage": "dormant", "reason": " "})
    assert answer.status_code == 400
    assert "Écrivez la raison" in answer.text
    assert (await connection.fetchval("SELECT stage FROM filiere")) == "active"


async def test_nobody_else_moves_a_filiere(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    web = await people.filiere(connection, "web")
    form = {"to_stage": "closed", "reason": "Je veux"}
    assert (await client.post("/filieres/web/stage", data=form)).status_code == 401
    animator = await people.member(connection)
    await people.animates(connection, animator, web)
    await people.sign_in(client, animator)
    assert (await client.post("/filieres/web/stage", data=form)).status_code == 403
    assert (await connection.fetchval("SELECT stage FROM filiere")) == "active"


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("from_stage", list(Stage))
async def test_only_the_moves_of_the_table_are_made(
    connection: asyncpg.Connection, from_stage: Stage
) -> None:
    await people.filiere(connection, "web")
    for to_stage in Stage:
        await connection.execute("UPDATE filiere SET stage = $1::filiere_stage", from_stage.value)
        if to_stage in lifecycle.MOVES[from_stage]:
            await lifecycle.advance(COORDINATOR, "web", to_stage, "Parce que")
            assert await connection.fetchval("SELECT stage FROM filiere") == to_stage.value
        else:
            with pytest.raises(lifecycle.MoveRefused):
                await lifecycle.advance(COORDINATOR, "web", to_stage, "Parce que")
            assert await connection.fetchval("SELECT stage FROM filiere") == from_stage.value
    moves = await connection.fetchval("SELECT count(*) FROM stage_change")
    assert moves == len(lifecycle.MOVES[from_stage])


@pytest.mark.usefixtures("app")
async def test_an_animator_runs_only_their_own_filieres(connection: asyncpg.Connection) -> None:
    web = await people.filiere(connection, "web")
    await people.filiere(connection, "culture", "Spectacle")
    actor = Actor(account_id=1, grants=frozenset({Grant(Role.ANIMATOR, f"filiere:{web}")}))
    assert [ref.slug for ref in await registry.animated_by(actor, "fr")] == ["web"]
    assert await registry.animated_by(COORDINATOR, "fr") == []
    await lifecycle.advance(COORDINATOR, "web", Stage.CLOSED, "Finie")
    assert await registry.animated_by(actor, "fr") == []


@pytest.mark.usefixtures("app")
async def test_an_unknown_filiere_cannot_be_moved() -> None:
    with pytest.raises(errors.NotFound):
        await lifecycle.advance(COORDINATOR, "nowhere", Stage.CLOSED, "Finie")


async def test_the_next_date_is_one_that_the_reader_may_see(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    web = await people.filiere(connection, "web")
    for uid, audience, days in (("a", "filieres", 1), ("b", "members", 2), ("c", "public", 3)):
        await connection.execute(
            """
            WITH added AS (
                INSERT INTO event (uid, kind, audience, title, starts_at, ends_at)
                VALUES ($1, 'meeting', $2::event_audience, 'Midi',
                    now() + make_interval(days => $3),
                    now() + make_interval(days => $3, hours => 1)) RETURNING id)
            INSERT INTO event_filiere SELECT id, $4 FROM added
            """,
            uid, audience, days, web,
        )  # fmt: skip
    starts = await connection.fetch("SELECT starts_at FROM event ORDER BY uid")

    async def seen() -> str:
        return str((await client.get("/api/v1/filieres/web")).json()["next_event_at"])[:19]

    assert await seen() == starts[2]["starts_at"].isoformat()[:19]
    await people.sign_in(client, await people.member(connection))
    assert await seen() == starts[1]["starts_at"].isoformat()[:19]
