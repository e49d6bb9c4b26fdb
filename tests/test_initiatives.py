"""Initiatives: told by members, read by members, and what becomes of them."""

from typing import Any

import asyncpg
import httpx
import pytest

from directory.accounts import sessions
from directory.accounts.actor import Actor
from directory.filieres import initiatives
from directory.filieres.initiatives import Prefill
from directory.members import merges
from tests import people
from tests.people import Person

PATH = "/api/v1/initiatives"
DRAFT = {
    "title": "Un atelier partagé à Liège",
    "description": "Louer à plusieurs.\n\nTrois cents mètres carrés.",
    "seeking": "Quelqu’un qui sait négocier un bail",
    "url": "atelier.example/projet",
}


@pytest.fixture
async def person(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """A member who is signed in."""
    made = await people.member(connection, "Awa Lemaire")
    await people.sign_in(client, made)
    return made


async def opened(client: httpx.AsyncClient, **others: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=DRAFT | others)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def actor_of(person: Person) -> Actor:
    found = await sessions.actor_of_session(await sessions.open_session(person.account_id, "test"))
    assert found is not None
    return found


async def test_the_empty_register_says_what_helps(
    client: httpx.AsyncClient, person: Person
) -> None:
    page = await client.get("/initiatives")
    assert page.status_code == 200
    assert "Aucune initiative n’est encore connue." in page.text
    assert "Aucune initiative ne répond" in (await client.get("/initiatives?q=bail")).text


async def test_a_member_opens_one_and_others_read_it(
    client: httpx.AsyncClient, person: Person, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    trade = await connection.fetchval("SELECT min(code) FROM trade WHERE merged_into IS NULL")
    form = DRAFT | {"filiere": "web", "choice": trade}
    answer = await client.post("/initiatives", data=form)
    assert answer.status_code == 303, answer.text
    address = answer.headers["location"].partition("?")[0]
    page = (await client.get(answer.headers["location"])).text
    assert "L’initiative est publiée." in page
    assert "Modifier cette initiative" in page
    reader = await people.member(connection, "Noé Lambrecht")
    await people.sign_in(client, reader)
    page = (await client.get(address)).text
    assert "Awa Lemaire" in page
    assert 'href="https://atelier.example/projet"' in page
    assert "Trois cents mètres carrés." in page
    assert "Modifier cette initiative" not in page
    found = (await client.get(PATH, params={"trade": trade, "filiere": "web"})).json()
    assert [one["title"] for one in found["items"]] == [DRAFT["title"]]
    assert found["items"][0]["trades"][0]["code"] == trade
    assert DRAFT["title"] in (await client.get("/initiatives")).text
    assert DRAFT["title"] in (await client.get("/filieres/web")).text
    client.cookies.clear()
    assert DRAFT["title"] not in (await client.get("/filieres/web")).text
    for path in (PATH, f"{PATH}/1", "/initiatives", address, "/initiatives/new"):
        assert (await client.get(path)).status_code == 401, path


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, ["Radio", "Atelier"]),
        ({"q": "ATÉLIER  bail"}, ["Atelier"]),
        ({"q": "100%"}, []),
        ({"state": "finished"}, ["Radio"]),
        ({"state": "open"}, ["Atelier"]),
        ({"filiere": "web"}, ["Radio"]),
        ({"mine": "true"}, ["Radio"]),
        ({"limit": 1, "page": 2}, ["Atelier"]),
        ({"page": 9}, []),
    ],
)
async def test_the_register_is_filtered_and_paged(
    client: httpx.AsyncClient,
    person: Person,
    connection: asyncpg.Connection,
    query: dict[str, Any],
    titles: list[str],
) -> None:
    await people.filiere(connection, "web")
    await people.sign_in(client, await people.member(connection))
    await opened(client, title="Atelier")
    await people.sign_in(client, person)
    await opened(client, title="Radio", seeking="", filiere="web", state="finished")
    found = (await client.get(PATH, params=query)).json()
    assert [one["title"] for one in found["items"]] == titles
    assert found["total"] == (2 if "page" in query else len(titles))
    query.pop("limit", None)
    assert (await client.get("/initiatives", params=query)).status_code == 200


@pytest.mark.parametrize(
    "query", ["state=lost", "filiere=none", "trade=none", "trade=a%00", "page=0", "mines=true"]
)
async def test_a_malformed_filter_is_named(
    client: httpx.AsyncClient, person: Person, query: str
) -> None:
    answer = await client.get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]
    assert (await client.get(f"/initiatives?{query}")).status_code == 400


@pytest.mark.parametrize(
    ("others", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"title": "a\u202eb"}, "title"),
        ({"description": ""}, "description"),
        ({"description": "x" * 3001}, "description"),
        ({"seeking": "x" * 501}, "seeking"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"filiere": "none"}, "filiere"),
        ({"filiere": "closed"}, "filiere"),
        ({"trades": ["none"]}, "trades"),
        ({"trades": [str(n) for n in range(11)]}, "trades"),
    ],
)
async def test_what_does_not_hold_is_named_and_what_was_typed_stays(
    client: httpx.AsyncClient,
    person: Person,
    connection: asyncpg.Connection,
    others: dict[str, Any],
    field: str,
) -> None:
    await people.filiere(connection, "closed")
    await connection.execute("UPDATE filiere SET stage = 'closed'")
    answer = await client.post(PATH, json=DRAFT | others)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    form: dict[str, Any] = DRAFT | others
    form["choice"] = form.pop("trades", [])
    answer = await client.post("/initiatives", data=form)
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert DRAFT["seeking" if field == "description" else "description"][:9] in answer.text
    assert await connection.fetchval("SELECT count(*) FROM initiative") == 0


async def test_trades_are_found_without_saving(
    client: httpx.AsyncClient, person: Person, connection: asyncpg.Connection
) -> None:
    answer = await client.post("/initiatives", data=DRAFT | {"q": "plombier", "look": "yes"})
    assert answer.status_code == 200
    assert "Plombi" in answer.text
    assert DRAFT["title"] in answer.text
    assert await connection.fetchval("SELECT count(*) FROM initiative") == 0


async def test_the_carrier_keeps_it_up_to_date(
    client: httpx.AsyncClient, person: Person, connection: asyncpg.Connection
) -> None:
    number = (await opened(client))["id"]
    assert DRAFT["title"] in (await client.get(f"/initiatives/{number}/edit")).text
    done = await client.put(f"{PATH}/{number}", json=DRAFT | {"state": "finished", "version": 1})
    assert done.status_code == 200
    assert done.json()["finished_on"] is not None
    stale = await client.put(f"{PATH}/{number}", json=DRAFT | {"version": 1})
    assert stale.status_code == 409
    form = DRAFT | {"title": "Le mien", "version": "1", "state": "open"}
    answer = await client.post(f"/initiatives/{number}", data=form)
    assert answer.status_code == 409
    assert "Le mien" in answer.text
    answer = await client.post(f"/initiatives/{number}", data=form | {"version": "2"})
    assert answer.status_code == 303
    rows = await connection.fetch("SELECT title, state::text, finished_on FROM initiative")
    assert tuple(rows[0]) == ("Le mien", "open", None)
    assert (await client.post(f"/initiatives/{number}/remove")).status_code == 303
    assert (await client.get(f"{PATH}/{number}")).status_code == 404


async def test_nobody_else_writes_it_but_a_coordinator(
    client: httpx.AsyncClient, person: Person, connection: asyncpg.Connection
) -> None:
    number = (await opened(client))["id"]
    await people.sign_in(client, await people.member(connection))
    assert (await client.put(f"{PATH}/{number}", json=DRAFT)).status_code == 403
    assert (await client.delete(f"{PATH}/{number}")).status_code == 403
    assert (await client.get(f"/initiatives/{number}/edit")).status_code == 403
    assert (await client.post(f"/initiatives/{number}", data=DRAFT)).status_code == 403
    coordinator = await people.member(connection)
    await people.grants(connection, coordinator, "coordinator")
    await people.sign_in(client, coordinator)
    assert (await client.delete(f"{PATH}/{number}")).status_code == 204
    noted = await connection.fetchval(
        "SELECT member_id FROM audit_entry WHERE action = 'initiative.removed'"
    )
    assert noted == person.member_id


@pytest.mark.parametrize("number", [0, -1, 99, 2**63, 2**70])
async def test_one_that_is_not_there_is_not_found(
    client: httpx.AsyncClient, person: Person, number: int
) -> None:
    for path in (f"{PATH}/{number}", f"/initiatives/{number}", f"/initiatives/{number}/edit"):
        assert (await client.get(path)).status_code == 404, path
    assert (await client.delete(f"{PATH}/{number}")).status_code == 404


async def test_a_hidden_name_is_not_told(
    client: httpx.AsyncClient, person: Person, connection: asyncpg.Connection
) -> None:
    number = (await opened(client))["id"]
    await connection.execute(
        'UPDATE member SET audiences = \'{"display_name": "me"}\' WHERE id = $1', person.member_id
    )
    assert "Awa Lemaire" in (await client.get(f"/initiatives/{number}")).text
    await people.sign_in(client, await people.member(connection, "Noé Lambrecht"))
    for path in (f"/initiatives/{number}", "/initiatives", PATH, f"{PATH}/{number}"):
        text = (await client.get(path)).text
        assert "Awa" not in text
        assert f"/members/{person.member_id}" not in text
    assert (await client.get(f"{PATH}/{number}")).json()["carried_by"] is None


async def test_it_goes_with_who_leaves(
    client: httpx.AsyncClient, person: Person, connection: asyncpg.Connection
) -> None:
    number = (await opened(client))["id"]
    await connection.execute("UPDATE member SET left_on = now() WHERE id = $1", person.member_id)
    await people.sign_in(client, await people.member(connection))
    assert (await client.get(f"{PATH}/{number}")).status_code == 404
    assert (await client.get(PATH)).json()["total"] == 0
    await connection.execute("DELETE FROM member WHERE id = $1", person.member_id)
    assert await connection.fetchval("SELECT count(*) FROM initiative") == 0


async def test_nobody_carries_more_than_twenty(
    client: httpx.AsyncClient, person: Person, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO initiative (member_id, title, description) "
        "SELECT $1, 'x', 'y' FROM generate_series(1, 20)",
        person.member_id,
    )
    assert (await client.post(PATH, json=DRAFT)).status_code == 409
    page = await client.post("/initiatives", data=DRAFT)
    assert page.status_code == 409
    assert "Vous portez déjà 20 initiatives." in page.text
    assert (await client.post(PATH, json=DRAFT | {"state": "finished"})).status_code == 201


async def test_it_gives_what_a_proposal_begins_with(
    client: httpx.AsyncClient, person: Person, connection: asyncpg.Connection
) -> None:
    codes = [
        row["code"] for row in await connection.fetch("SELECT code FROM trade ORDER BY 1 LIMIT 2")
    ]
    view = await opened(client, trades=codes)
    given = await initiatives.prefill(await actor_of(person), view["id"])
    assert given == Prefill(
        title=DRAFT["title"], need=DRAFT["description"], intentions=DRAFT["seeking"], trades=codes
    )
    address = f"/filieres/propose?initiative={view['id']}"
    assert address in (await client.get(f"/initiatives/{view['id']}")).text
    form = await client.get(address)
    assert form.status_code == 200
    assert str(DRAFT["title"]) in form.text
    assert "Trois cents mètres carrés." in form.text
    assert f'value="{codes[0]}" checked' in form.text
    assert (await client.get("/filieres/propose?initiative=99")).status_code == 404
    assert (await client.get("/filieres/propose?initiative=0")).status_code == 400


async def test_a_merged_trade_is_found_by_the_one_that_stands_for_it(
    client: httpx.AsyncClient, person: Person, connection: asyncpg.Connection
) -> None:
    old, new = [
        row["code"] for row in await connection.fetch("SELECT code FROM trade ORDER BY 1 LIMIT 2")
    ]
    await opened(client, trades=[old])
    coordinator = await people.member(connection)
    await people.grants(connection, coordinator, "coordinator")
    await merges.merge(await actor_of(coordinator), old, new)
    for code in (old, new):
        assert (await client.get(PATH, params={"trade": code})).json()["total"] == 1
