"""Searches that found nobody are counted, and tell of nobody."""

import asyncio
from datetime import date, timedelta
from typing import Any, cast

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar

from directory import jobs
from directory.accounts import tokens
from directory.accounts.actor import Scope
from directory.members import misses, views
from directory.web import search
from tests import people

PATH = "/api/v1/vocabulary/misses"


@pytest.fixture
async def helene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> people.Person:
    """A coordinator who is signed in."""
    helene = await people.member(connection, "Hélène Carlier")
    await people.grants(connection, helene, "coordinator")
    await people.sign_in(client, helene)
    return helene


async def listed(client: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(PATH + query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def remember(
    connection: asyncpg.Connection, text: str, searches: int, last_on: date | None = None
) -> None:
    await connection.execute(
        "INSERT INTO search_miss (text, searches, language, first_on, last_on)"
        " VALUES ($1, $2, 'fr', $3, $3)",
        text, searches, last_on or views.today(),
    )  # fmt: skip


async def test_spellings_of_one_search_are_one_row_that_can_be_read(
    client: httpx.AsyncClient, helene: people.Person
) -> None:
    for text in ("Luthière ", "LUTHIERE", "  luthière", "luthie\u0300re", "lu\u200bthière"):
        await misses.note(text, "fr")
    await misses.note("luthière", "nl")
    today = views.today().isoformat()
    assert await listed(client) == [
        {"text": "luthiere", "count": 6, "language": "nl", "first_on": today, "last_on": today}
    ]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Luthier, d’art", "luthier d art"),
        ("développeur·se web", "developpeur web"),
        ("web-designer", "web designer"),
        ("C++", "c++"),
        ("node.js", "node js"),
        ("Facilitateur en 3D 2026", "facilitateur en 3d 2026"),
        ("<b>tourneur</b>", "b tourneur b"),
        ("a\0b\x1b[31m\r\nc", "a b 31m c"),
        ("مترجم", "مترجم"),
        (" ".join("abcdefgh"), "a b c d e f g h"),
        ("x" * 40 + " " + "y" * 40 + " " + "z" * 38, f"{'x' * 40} {'y' * 40} {'z' * 38}"),
    ],
)
async def test_words_are_kept_without_case_accents_and_signs(
    client: httpx.AsyncClient, helene: people.Person, typed: str, kept: str
) -> None:
    await misses.note(typed, "fr")
    assert [row["text"] for row in await listed(client)] == [kept]


NEVER = [
    "awa@test.example", "awa @ test", "awa\uff20test", "awa\ufe6btest", "@awa",
    "http://x", "HTTPS://Atelier", "www.atelier", "atelier.example", "awa\uff0etest\uff0ebe",
    "atelier\u3002be", "voir atelier.be/awa", "awa.lemaire",
    "081 22 22 22", "+32 (0)4.7.5.1.2", "12-34-56", "\uff11\uff12\uff13\uff14\uff15\uff16",
    "\u0661\u0662\u0663\u0664\u0665\u0666", "1a2b3c4d5e6f", "né le 03/12/1980",
    "x" * 121, "\u00e9" * 121, "mot " * 30, "a b c d e f g h i", "x " + " " * 500 + "y" * 120,
]  # fmt: skip


@pytest.mark.parametrize("typed", NEVER)
async def test_what_may_reach_a_person_and_what_is_long_is_not_kept(
    connection: asyncpg.Connection, typed: str
) -> None:
    await misses.note(typed, "fr")
    assert await connection.fetchval("SELECT count(*) FROM search_miss") == 0


@pytest.mark.parametrize(
    "typed", ["", " ", "\0", "🙂", "…", "%", "de la", "the", "l’ ", "Wie is er"]
)
async def test_what_says_nothing_is_not_kept(connection: asyncpg.Connection, typed: str) -> None:
    await misses.note(typed, "fr")
    assert await connection.fetchval("SELECT count(*) FROM search_miss") == 0


@given(st.text(max_size=160))
def test_what_is_kept_is_short_and_stays_itself(text: str) -> None:
    kept = misses.readable(text)
    if kept is not None:
        assert 0 < len(kept) <= misses.LONGEST
        assert "@" not in kept
        assert "." not in kept
        assert kept.isprintable()
        assert sum(character.isdigit() for character in kept) < 6
        assert misses.readable(kept) == kept


async def test_a_row_has_no_place_for_a_person_nor_an_hour(
    connection: asyncpg.Connection,
) -> None:
    columns = await connection.fetch(
        "SELECT attname || ' ' || format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = 'search_miss'::regclass AND attnum > 0 ORDER BY attnum"
    )
    assert [name for (name,) in columns] == [
        "text text", "searches bigint", "language text", "first_on date", "last_on date",
    ]  # fmt: skip


async def test_fifty_searches_at_the_same_moment_count_fifty(
    client: httpx.AsyncClient, helene: people.Person
) -> None:
    await asyncio.gather(*(misses.note("luthière", "fr") for _ in range(50)))
    assert [(row["text"], row["count"]) for row in await listed(client)] == [("luthiere", 50)]


async def test_a_full_table_forgets_the_least_searched_and_oldest(
    client: httpx.AsyncClient, helene: people.Person, connection: asyncpg.Connection
) -> None:
    today = views.today()
    await remember(connection, "luthiere", 1, today)
    await remember(connection, "relieuse", 2, today - timedelta(300))
    await connection.execute(
        "INSERT INTO search_miss (text, language, first_on, last_on)"
        " SELECT 'mot' || n, 'fr', $2, $2 FROM generate_series(1, $1) n",
        misses.MOST_ROWS - 5, today - timedelta(9),
    )  # fmt: skip
    await remember(connection, "ancien", 1, today - timedelta(10))
    new = [f"nouveau {letter}" for letter in "abcdefghijkl"]
    await asyncio.gather(*(misses.note(text, "fr") for text in [*new, *new, *["luthière"] * 8]))
    rows = await connection.fetch("SELECT * FROM search_miss WHERE text NOT LIKE 'mot%'")
    found = {row["text"]: row["searches"] for row in rows}
    assert found == {"luthiere": 9, "relieuse": 2, **dict.fromkeys(new, 2)}
    assert await connection.fetchval("SELECT count(*) FROM search_miss") == misses.MOST_ROWS


async def test_what_one_network_searches_beyond_its_limit_is_not_kept_and_answered_all_the_same(
    app: Litestar, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    for number in range(search.KEPT_OF_A_NETWORK.most + 3):
        answer = await client.get("/api/v1/members", params={"q": f"xylo {number}"})
        assert (answer.status_code, answer.json()["total"]) == (200, 0)
    kept = "SELECT count(*) FROM search_miss"
    assert await connection.fetchval(kept) == search.KEPT_OF_A_NETWORK.most
    elsewhere = httpx.ASGITransport(app=cast(Any, app), client=("198.51.100.7", 1))
    async with httpx.AsyncClient(transport=elsewhere, base_url=str(client.base_url)) as other:
        await other.get("/api/v1/members", params={"q": "xylophoniste"})
    assert await connection.fetchval(kept) == search.KEPT_OF_A_NETWORK.most + 1


async def test_the_most_frequent_come_first_then_the_newest(
    client: httpx.AsyncClient, helene: people.Person, connection: asyncpg.Connection
) -> None:
    today = views.today()
    for text, searches, days in (("a", 2, 0), ("b", 5, 9), ("c", 2, 3), ("d", 5, 1), ("e", 5, 1)):
        await remember(connection, text, searches, today - timedelta(days))
    assert [row["text"] for row in await listed(client)] == ["d", "e", "b", "a", "c"]
    second = (await client.get(f"{PATH}?page=2&limit=2")).json()
    assert [row["text"] for row in second["items"]] == ["b", "a"]
    assert (second["total"], second["page"], second["limit"]) == (5, 2, 2)
    beyond = (await client.get(f"{PATH}?page=9")).json()
    assert (beyond["items"], beyond["total"]) == ([], 5)


async def test_a_search_is_forgotten_a_year_after_the_last_time(
    connection: asyncpg.Connection,
) -> None:
    assert "directory.members.misses.forget_old" in jobs._ticks
    day = views.today()
    for text, days in (("fresh", 0), ("old", 360), ("older", 367), ("ancient", 4000)):
        await remember(connection, text, 3, day - timedelta(days))
    await misses.note("ancient", "fr")
    await misses.forget_old()
    rows = await connection.fetch("SELECT text FROM search_miss ORDER BY text")
    assert [row["text"] for row in rows] == ["ancient", "fresh", "old"]


async def test_a_coordinator_forgets_what_the_vocabulary_has_learned(
    client: httpx.AsyncClient, helene: people.Person, connection: asyncpg.Connection
) -> None:
    await misses.note("luthière d’art", "fr")
    await misses.note("relieuse", "fr")
    await remember(connection, "Écrit Autrement", 1)  # as an older normaliser may have
    for text in ("Luthière, d'art", "luthiere d art", "Écrit Autrement", "never was", "\0", "a@b"):
        answer = await client.delete(PATH, params={"text": text})
        assert (answer.status_code, answer.content) == (204, b"")
    assert [row["text"] for row in await listed(client)] == ["relieuse"]


async def test_only_coordinators_and_administrators_see_and_forget(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await misses.note("luthière", "fr")
    person = await people.member(connection)
    filiere_id = await people.filiere(connection, "web")

    async def refused() -> None:
        status = 403 if client.cookies else 401
        for answer in (
            await client.get(PATH),
            await client.delete(PATH, params={"text": "luthiere"}),
            await client.get("/vocabulary"),
            await client.post("/vocabulary/misses/forget", data={"text": "luthiere"}),
        ):
            assert answer.status_code == status
            assert "luthiere" not in answer.text
            assert 'href="/vocabulary' not in answer.text

    await refused()
    await people.sign_in(client, person)
    await refused()
    await people.animates(connection, person, filiere_id)
    await refused()
    await people.grants(connection, person, "ambassador")
    await people.grants(connection, person, "coordinator", f"filiere:{filiere_id}")
    await refused()
    for role in ("coordinator", "administrator"):
        other = await people.member(connection)
        await people.grants(connection, other, role)
        await people.sign_in(client, other)
        assert [row["count"] for row in await listed(client)] == [1]
        assert '<a href="/vocabulary">' in (await client.get("/about")).text


async def test_a_token_needs_the_right_to_the_vocabulary(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    helene, awa = await people.member(connection), await people.member(connection)
    await people.grants(connection, helene, "coordinator")
    others = [scope for scope in Scope if scope is not Scope.VOCABULARY_WRITE]
    for person, scopes, status in (
        (helene, others, 403),
        (helene, [Scope.VOCABULARY_WRITE], 200),
        (awa, list(Scope), 403),
    ):
        token = await tokens.create(person.email, scopes)
        headers = {"Authorization": f"Bearer {token}"}
        answer = await client.get(PATH, headers=headers)
        assert answer.status_code == status
        gone = await client.delete(PATH, params={"text": "x"}, headers=headers)
        assert gone.status_code == (204 if status == 200 else status)


@pytest.mark.parametrize(
    ("method", "query", "field"),
    [
        ("GET", "page=0", "page"), ("GET", "limit=51", "limit"), ("GET", "limit=x", "limit"),
        ("GET", "pages=2", "pages"), ("DELETE", "", "text"), ("DELETE", "text=", "text"),
        ("DELETE", "text=" + "x" * 501, "text"), ("DELETE", "text=x&page=1", "page"),
    ],
)  # fmt: skip
async def test_a_malformed_parameter_is_named(
    client: httpx.AsyncClient, helene: people.Person, method: str, query: str, field: str
) -> None:
    answer = await client.request(method, f"{PATH}?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("text", ["%ED%A0%80", "%FF", "%00", "%F0%9F%99%82", "%E2%80%AE"])
async def test_odd_bytes_forget_nothing_and_break_nothing(
    client: httpx.AsyncClient, helene: people.Person, text: str
) -> None:
    assert (await client.delete(f"{PATH}?text={text}")).status_code in {204, 400}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = await client.post("/vocabulary/misses/forget", content=f"text={text}", headers=form)
    assert posted.status_code in {303, 400}


async def test_the_page_lists_and_forgets(
    client: httpx.AsyncClient, helene: people.Person, connection: asyncpg.Connection
) -> None:
    empty = (await client.get("/vocabulary")).text
    assert "Aucune recherche n’est restée sans résultat." in empty
    await connection.execute(
        "INSERT INTO search_miss (text, searches, language, first_on, last_on)"
        " SELECT 'mot' || n, n, 'fr', '2026-02-03', '2026-02-03' FROM generate_series(1, 60) n"
    )
    await remember(connection, "<script>alert(1)</script>", 1200)
    page = (await client.get("/vocabulary")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "1\u202f200" in page
    assert "3 févr. 2026" in page
    assert "page 1 sur 2" in page
    last = (await client.get("/vocabulary?misses=2")).text
    assert '"mot1"' in last
    posted = await client.post("/vocabulary/misses/forget", data={"text": "mot1", "page": 2})
    assert (posted.status_code, posted.headers["location"]) == (
        303,
        "/vocabulary?done=forgotten&misses=2",
    )
    after = (await client.get(posted.headers["location"])).text
    assert "Cette recherche est oubliée." in after
    assert '"mot1"' not in after
    assert "au-delà de la dernière" in (await client.get("/vocabulary?misses=7")).text


async def test_another_site_makes_nobody_forget(
    client: httpx.AsyncClient, helene: people.Person
) -> None:
    await misses.note("luthière", "fr")
    posted = await client.post(
        "/vocabulary/misses/forget",
        data={"text": "luthiere"}, headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip
    assert posted.status_code == 403
    assert len(await listed(client)) == 1
