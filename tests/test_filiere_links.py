"""Links between filières, and the members that two of them share."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from tests import people
from tests.people import Person


def path(slug: str, other: str = "") -> str:
    return f"/api/v1/filieres/{slug}/links" + (f"/{other}" if other else "")


@pytest.fixture
async def coordinator(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """Signed in, with the filières a, b, c and d."""
    for slug in "abcd":
        await people.filiere(connection, slug, f"Filière {slug}")
    person = await people.member(connection)
    await people.grants(connection, person, "coordinator")
    await people.sign_in(client, person)
    return person


async def put(client: httpx.AsyncClient, slug: str, other: str, relation: str) -> httpx.Response:
    return await client.put(path(slug, other), json={"relation": relation})


async def _ids(connection: asyncpg.Connection) -> dict[str, int]:
    rows = await connection.fetch("SELECT slug, id FROM filiere")
    return {row["slug"]: row["id"] for row in rows}


async def links(client: httpx.AsyncClient, slug: str) -> list[tuple[str, str]]:
    found: list[dict[str, Any]] = (await client.get(path(slug))).json()
    return [(one["relation"], one["other"]["slug"]) for one in found]


async def test_a_link_is_read_from_both_sides(
    client: httpx.AsyncClient, coordinator: Person
) -> None:
    assert (await put(client, "a", "b", "part_of")).status_code == 200
    assert (await put(client, "c", "a", "complementary")).status_code == 200
    assert await links(client, "a") == [("part_of", "b"), ("complementary", "c")]
    assert await links(client, "b") == [("includes", "a")]
    assert await links(client, "c") == [("complementary", "a")]
    client.cookies.clear()
    page = (await client.get("/filieres/a")).text
    assert "Fait partie de" in page
    assert 'href="/filieres/c"' in page
    assert "Comprend" in (await client.get("/filieres/b")).text
    assert "Filières liées" not in (await client.get("/filieres/d")).text


async def test_two_filieres_have_one_link(client: httpx.AsyncClient, coordinator: Person) -> None:
    for relation in ("complementary", "part_of", "includes", "includes"):
        assert (await put(client, "a", "b", relation)).status_code == 200
    assert await links(client, "a") == [("includes", "b")]
    assert await links(client, "b") == [("part_of", "a")]
    for _ in range(2):
        assert (await client.delete(path("b", "a"))).status_code == 204
    assert await links(client, "a") == []


async def test_no_filiere_is_a_part_of_itself(
    client: httpx.AsyncClient, coordinator: Person
) -> None:
    assert (await put(client, "a", "a", "part_of")).status_code == 400
    await put(client, "a", "b", "part_of")
    await put(client, "b", "c", "part_of")
    for slug, other, relation in (("c", "a", "part_of"), ("a", "c", "includes")):
        answer = await put(client, slug, other, relation)
        assert answer.status_code == 409, (slug, other)
        assert answer.json()["type"] == "urn:filieres:problem:link-refused"
        assert "fait déjà partie de" in answer.json()["detail"]
    assert await links(client, "c") == [("includes", "b")]
    assert (await put(client, "a", "c", "part_of")).status_code == 200  # no ring
    assert (await put(client, "b", "a", "part_of")).status_code == 200  # turned round
    form = {"other": "b", "relation": "part_of"}
    answer = await client.post("/filieres/c/links", data=form)
    assert answer.status_code == 409
    assert "fait déjà partie de" in answer.text
    assert await links(client, "c") == [("includes", "a"), ("includes", "b")]  # as before


async def test_links_put_at_once_make_no_ring(
    client: httpx.AsyncClient, coordinator: Person, connection: asyncpg.Connection
) -> None:
    ring = [("a", "b"), ("b", "c"), ("c", "d"), ("d", "a")]
    answers = await asyncio.gather(*(put(client, *pair, "part_of") for pair in ring))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 409]


async def test_who_tends_both_links_them(
    client: httpx.AsyncClient, coordinator: Person, connection: asyncpg.Connection
) -> None:
    ids = await _ids(connection)
    animator = await people.member(connection)
    await people.animates(connection, animator, ids["a"])
    await people.sign_in(client, animator)
    assert (await put(client, "a", "b", "complementary")).status_code == 403
    assert (await put(client, "b", "a", "complementary")).status_code == 403
    assert "demandez à la coordination" in (await client.get("/filieres/a/links")).text
    await people.grants(connection, animator, "animator", f"filiere:{ids['b']}")
    await people.sign_in(client, animator)
    assert (await put(client, "a", "b", "complementary")).status_code == 200
    form = {"other": "b", "relation": "part_of"}
    assert (await client.post("/filieres/a/links", data=form)).status_code == 303
    assert "fait partie de" in (await client.get("/filieres/a/links")).text
    assert (await client.post("/filieres/a/links/remove", data={"other": "b"})).status_code == 303
    assert (await client.delete(path("a", "c"))).status_code == 403
    await people.sign_in(client, await people.member(connection))
    assert (await client.get("/filieres/a/links")).status_code == 403
    client.cookies.clear()
    assert (await put(client, "a", "b", "complementary")).status_code == 401


async def test_what_cannot_be_linked_is_named(
    client: httpx.AsyncClient, coordinator: Person
) -> None:
    assert (await put(client, "a", "none", "part_of")).status_code == 404
    assert (await put(client, "none", "a", "part_of")).status_code == 404
    assert (await put(client, "a", "b", "above")).status_code == 400
    assert (await client.get(path("none"))).status_code == 404
    for form in ({"other": "", "relation": "part_of"}, {"other": "b", "relation": "x"}, {}):
        assert (await client.post("/filieres/a/links", data=form)).status_code == 400


async def _join(connection: asyncpg.Connection, sizes: dict[str, int]) -> None:
    """Members of the filières whose letters are in the key: {"ab": 6} are six in both."""
    ids = await _ids(connection)
    for slugs, count in sizes.items():
        for _ in range(count):
            person = await people.member(connection)
            for slug in slugs:
                await connection.execute(
                    "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
                    ids[slug], person.member_id,
                )  # fmt: skip


async def test_coordinators_read_whom_two_filieres_share(
    client: httpx.AsyncClient, coordinator: Person, connection: asyncpg.Connection
) -> None:
    await _join(connection, {"ab": 6, "a": 10, "b": 5, "c": 5, "ac": 4})
    found = (await client.get("/api/v1/filieres/overlap")).json()
    assert [(one["first"]["slug"], one["second"]["slug"]) for one in found] == [("a", "b")]
    assert (found[0]["shared"], found[0]["first_members"], found[0]["second_members"]) == (
        6, 20, 11,
    )  # fmt: skip
    page = (await client.get("/filieres/overlap")).text
    assert "30\u00a0% de 20" in page
    assert "55\u00a0% de 11" in page
    assert "Filière c" not in page


@pytest.mark.parametrize(
    "sizes",
    [
        {"ab": 4, "a": 9, "b": 9},
        {"ab": 9, "a": 4, "b": 9},
        {"ab": 9, "a": 9},
        {"ab": 9, "b": 9},
        {"a": 9, "b": 9},
        {},
    ],
)
async def test_no_figure_speaks_of_a_few_people(
    client: httpx.AsyncClient,
    coordinator: Person,
    connection: asyncpg.Connection,
    sizes: dict[str, int],
) -> None:
    await _join(connection, sizes)
    assert (await client.get("/api/v1/filieres/overlap")).json() == []
    assert "Aucune paire" in (await client.get("/filieres/overlap")).text


async def test_who_left_is_not_counted(
    client: httpx.AsyncClient, coordinator: Person, connection: asyncpg.Connection
) -> None:
    await _join(connection, {"ab": 5, "a": 5, "b": 5})
    assert len((await client.get("/api/v1/filieres/overlap")).json()) == 1
    await connection.execute(
        "UPDATE membership SET left_at = now() WHERE id = (SELECT min(id) FROM membership)"
    )
    assert (await client.get("/api/v1/filieres/overlap")).json() == []


async def test_nobody_else_reads_the_figures(
    client: httpx.AsyncClient, coordinator: Person, connection: asyncpg.Connection
) -> None:
    animator = await people.member(connection)
    await people.animates(
        connection, animator, await connection.fetchval("SELECT min(id) FROM filiere")
    )
    await people.sign_in(client, animator)
    for address in ("/filieres/overlap", "/api/v1/filieres/overlap"):
        assert (await client.get(address)).status_code == 403
    client.cookies.clear()
    assert (await client.get("/api/v1/filieres/overlap")).status_code == 401
