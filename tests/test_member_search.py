"""The search for members over HTTP: what it takes, what it says, and to whom."""

from typing import Any

import asyncpg
import httpx
import pytest

from directory import indexing
from directory.members.audiences import Audience
from tests import people, profile_rows
from tests.people import Person

ROWS = {
    # name: trade, place, skill, language
    "Léa Lefèvre": ("Développeuse web", "be-4000-liege", "Django", "fr"),
    "Tom Peeters": ("Graphiste", "be-4800-verviers", "Logo", "nl"),
    "Inès Roux": ("Infographiste", "be-1000-bruxelles", "Cartes", "fr"),
    "Omar Sy Diallo": ("Luthier", "be-5000-namur", "Guitare", "fr"),
    "Zoé Martin": ("Comédienne", None, "Clown", "en"),
}
LIEGE = "50.6337,5.5675"


async def enter(connection: asyncpg.Connection, name: str, row: tuple[Any, ...]) -> Person:
    trade, place, skill, language = row
    person = await people.member(connection, name)
    await connection.execute(
        "UPDATE member SET confirmed_at = now(),"
        " place_id = (SELECT id FROM place WHERE code = $2) WHERE id = $1",
        person.member_id, place,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO member_trade (member_id, trade_id, position) SELECT $1, min(id), 0 FROM trade"
        " WHERE $2 IN (label_masculine, label_feminine)",
        person.member_id, trade,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO member_skill (member_id, kind, position, label) VALUES ($1, 'offered', 0, $2)",
        person.member_id, skill,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO member_language (member_id, language, level) VALUES ($1, $2, 'native')",
        person.member_id, language,
    )  # fmt: skip
    return person


@pytest.fixture
async def crowd(client: httpx.AsyncClient, connection: asyncpg.Connection) -> dict[str, Person]:
    """Five members, everything for members; the first is signed in."""
    crowd = {name: await enter(connection, name, row) for name, row in ROWS.items()}
    await indexing.rebuild()
    await people.sign_in(client, crowd["Léa Lefèvre"])
    return crowd


async def ask(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await client.get("/api/v1/members", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [item["display_name"] for item in found["items"]]


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("near", ["be-4000-liege", "Liège", "liege", "4000", LIEGE])
async def test_a_place_is_its_code_its_name_its_postal_code_or_a_point(
    client: httpx.AsyncClient, near: str
) -> None:
    found = await ask(client, near=near, within_km=30, sort="distance")
    assert names(found) == ["Léa Lefèvre", "Tom Peeters"]
    assert [item["distance_km"] for item in found["items"]] == [0, pytest.approx(20.6, abs=1)]
    assert found["near"]["within_km"] == 30
    assert found["near"]["code"] == (None if near == LIEGE else "be-4000-liege")


@pytest.mark.usefixtures("crowd")
async def test_near_counts_facets_and_defaults_to_a_radius(client: httpx.AsyncClient) -> None:
    found = await ask(client, near="be-4000-liege")
    assert found["near"]["within_km"] == 25
    assert {v["value"]: v["count"] for v in found["facets"]["language"]} == {"fr": 1, "nl": 1}
    assert (await ask(client, near=" "))["total"] == 5


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"near": "Xyzzy"}, "near"),
        ({"near": "l"}, "near"),
        ({"near": "Brux"}, "near"),
        ({"near": "be-0000-nulle-part"}, "near"),
        ({"near": "91,5"}, "near"),
        ({"near": "50,181"}, "near"),
        ({"near": "\0"}, "near"),
        ({"near": "x" * 121}, "near"),
        ({"near": "4000", "within_km": "0"}, "within_km"),
        ({"near": "4000", "within_km": "-1"}, "within_km"),
        ({"near": "4000", "within_km": "nan"}, "within_km"),
        ({"near": "4000", "within_km": "1001"}, "within_km"),
        ({"near": "4000", "within_km": "near"}, "within_km"),
        ({"within_km": "5"}, "within_km"),
        ({"sort": "distance"}, "sort"),
        ({"sort": "best"}, "sort"),
        ({"facets": "colour"}, "facets"),
        ({"trade": "no-such-trade"}, "trade"),
        ({"trade": ["14156", "zzz"]}, "trade"),
        ({"sector": "99999"}, "sector"),
        ({"language": "xx"}, "language"),
        ({"region": "BE"}, "region"),
        ({"filiere": "none"}, "filiere"),
        ({"availability": "perhaps"}, "availability"),
        ({"limit": "51"}, "limit"),
        ({"limit": "0"}, "limit"),
        ({"page": "0"}, "page"),
        ({"page": "one"}, "page"),
        ({"exact": "perhaps"}, "exact"),
        ({"regionn": "BE-WLG"}, "regionn"),
    ],
)
async def test_what_cannot_be_meant_is_refused_by_name(
    client: httpx.AsyncClient, query: dict[str, Any], field: str
) -> None:
    for address in ("/api/v1/members", "/api/v1/members/facets/trade"):
        answer = await client.get(address, params=query)
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.usefixtures("crowd")
async def test_the_order_is_the_one_that_is_asked_for(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await connection.execute("UPDATE member SET confirmed_at = now() - id * interval '1 day'")
    await indexing.rebuild()
    assert names(await ask(client, sort="name")) == sorted(ROWS)
    assert names(await ask(client, sort="fresh")) == list(ROWS)


@pytest.mark.usefixtures("crowd")
async def test_facets_are_counted_when_asked_for(client: httpx.AsyncClient) -> None:
    assert (await ask(client, facets="none"))["facets"] == {}
    assert list((await ask(client, facets=["trade", "language"]))["facets"]) == [
        "trade", "language",
    ]  # fmt: skip
    assert len((await ask(client))["facets"]) == 6


@pytest.mark.usefixtures("crowd")
async def test_hits_say_which_of_their_words_were_meant(client: httpx.AsyncClient) -> None:
    (hit,) = (await ask(client, q="liege developeuse dja"))["items"]
    lit = {
        each["field"]: [
            {"trades": hit["trades"][0]["label"], "skills_offered": hit["skills_offered"][0],
             "place": hit["place"]["label"]}[each["field"]][start:end]
            for start, end in each["ranges"]
        ]
        for each in hit["highlights"]
    }  # fmt: skip
    assert lit == {"trades": ["Développeur·se"], "place": ["Liège"]} | (
        {"skills_offered": ["Django"]}
    )


@pytest.mark.usefixtures("crowd")
async def test_a_trade_found_in_another_language_is_lit_whole(client: httpx.AsyncClient) -> None:
    (hit,) = (await ask(client, q="webontwikkelaar"))["items"]
    label = hit["trades"][0]["label"]
    assert hit["highlights"] == [{"field": "trades", "position": 0, "ranges": [[0, len(label)]]}]


@pytest.mark.usefixtures("crowd")
async def test_who_is_found_by_a_neighbouring_trade_is_said_and_undone(
    client: httpx.AsyncClient,
) -> None:
    found = await ask(client, q="affichiste")
    assert set(names(found)) == {"Inès Roux", "Tom Peeters"}
    assert {word["label"] for word in found["widened"]} == {"Graphiste", "Infographiste"}
    exact = await ask(client, q="affichiste", exact="true")
    assert (exact["items"], exact["widened"]) == ([], [])
    assert (await ask(client, q="luthier"))["widened"] == []


@pytest.mark.usefixtures("crowd")
async def test_a_correction_is_said_and_undone(client: httpx.AsyncClient) -> None:
    found = await ask(client, q="developeuse")
    assert found["corrections"] == [{"typed": "developeuse", "used": ["développeuse"]}]
    undone = await ask(client, q="developeuse", exact="true")
    assert (undone["total"], undone["corrections"]) == (0, [])


@pytest.mark.usefixtures("crowd")
async def test_a_trade_that_nobody_has_is_no_typo_and_leads_to_its_neighbours(
    client: httpx.AsyncClient,
) -> None:
    found = await ask(client, q="affichiste")
    assert found["corrections"] == []
    found = await ask(client, q="affichiste", exact="true")
    assert found["total"] == 0
    labels = [each["label"] for each in found["suggestions"]["trades"]]
    assert set(labels) == {"Graphiste", "Infographiste"}


@pytest.mark.usefixtures("crowd")
async def test_nobody_found_says_what_is_in_the_way(client: httpx.AsyncClient) -> None:
    found = await ask(client, q="graphiste", language="en", near="4800", within_km=5)
    assert found["total"] == 0
    (obstacle,) = found["suggestions"]["obstacles"]
    assert (obstacle["filter"], obstacle["values"], obstacle["total"]) == ("language", ["en"], 1)
    found = await ask(client, q="graphiste", language=["en", "de"], near="4800", within_km=5)
    (obstacle,) = found["suggestions"]["obstacles"]
    assert (obstacle["values"], obstacle["total"]) == (["en", "de"], 1)
    found = await ask(client, q="luthier", near="be-4000-liege", within_km=5)
    assert [(o["filter"], o["total"]) for o in found["suggestions"]["obstacles"]] == [("near", 1)]
    assert (await ask(client, q="luthier"))["suggestions"] is None


async def facet(client: httpx.AsyncClient, name: str, **query: Any) -> dict[str, int]:
    answer = await client.get(f"/api/v1/members/facets/{name}", params=query)
    assert answer.status_code == 200, answer.text
    return {value["label"]: value["count"] for value in answer.json()}


@pytest.mark.usefixtures("crowd")
async def test_a_value_of_a_facet_is_found_by_typing_in_any_language(
    client: httpx.AsyncClient,
) -> None:
    assert await facet(client, "trade", like="luth") == {"Luthier·ère": 1}
    assert await facet(client, "trade", like="webontw") == {"Développeur·se web": 1}
    assert await facet(client, "trade", like="plombier") == {}
    assert await facet(client, "language", like="néer") == {"néerlandais": 1}
    assert await facet(client, "trade", like="graph", language="nl") == {"Graphiste": 1}
    assert len(await facet(client, "trade", q="comédienne")) == 1
    # its own choice does not narrow it
    assert await facet(client, "trade", like="luth", trade="14156") == {"Luthier·ère": 1}
    assert (await client.get("/api/v1/members/facets/colour")).status_code == 404


async def test_my_own_change_is_in_my_own_next_search(
    client: httpx.AsyncClient, crowd: dict[str, Person]
) -> None:
    lea = crowd["Léa Lefèvre"].member_id
    version = (await client.get(f"/api/v1/members/{lea}")).json()["version"]
    changed = await client.patch(
        f"/api/v1/members/{lea}", json={"version": version, "headline": "Xylophoniste"}
    )
    assert changed.status_code == 200
    assert names(await ask(client, q="xylophoniste")) == ["Léa Lefèvre"]
    hidden = await client.patch(
        f"/api/v1/members/{lea}",
        json={"version": version + 1, "audiences": {"headline": "me"}},
    )
    assert hidden.status_code == 200
    assert names(await ask(client, q="xylophoniste")) == []


async def test_a_place_that_is_hidden_is_near_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, crowd: dict[str, Person]
) -> None:
    tom = crowd["Tom Peeters"]
    await profile_rows.choose(connection, tom, {"place": Audience.ME})
    await indexing.rebuild()
    assert names(await ask(client, near="4800", within_km=5)) == []
    (item,) = (await ask(client, q="peeters"))["items"]
    assert (item["place"], item["distance_km"]) == (None, None)


async def missed(connection: asyncpg.Connection) -> dict[str, int]:
    rows = await connection.fetch("SELECT text, searches FROM search_miss")
    return {row["text"]: row["searches"] for row in rows}


@pytest.mark.usefixtures("crowd")
async def test_a_search_without_result_is_kept_once_it_is_finished(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await ask(client, q="Vielleur")
    await client.get("/", params={"q": "vielleur"})
    await client.get("/", params={"q": "viell"}, headers={"X-Unfinished": "true"})
    await client.get("/api/v1/members", params={"q": "vie"}, headers={"X-Unfinished": "true"})
    for narrowed in ({"language": "nl"}, {"near": "4000"}, {"exact": "true"}, {"page": 2}):
        await ask(client, q="tonnelier", **narrowed)
    await ask(client, q="graphiste")
    await ask(client, q="developeuse")
    await ask(client)
    assert await missed(connection) == {"vielleur": 2}


@pytest.mark.usefixtures("crowd")
async def test_a_visitor_who_seeks_a_hidden_member_leaves_no_name_behind(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    client.cookies.clear()
    for text in ("Zoé Martin", "vielleur"):
        assert (await ask(client, q=text))["total"] == 0
    assert await missed(connection) == {"vielleur": 1}
