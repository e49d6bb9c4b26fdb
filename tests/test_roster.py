"""The members of a filière: who hides is in no page, no order, no total and no figure."""

from collections.abc import Mapping

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directory.members.audiences import Audience, Field
from tests import joining, people, profile_rows
from tests.people import Person

API, PAGE = "/api/v1/filieres/web/members", "/filieres/web/members"
ADDRESSES = (
    API, f"{API}?limit=2&page=2", f"{API}?q=zo", f"{API}?q=quispe+zo", PAGE, f"{PAGE}?q=a",
    "/filieres", "/filieres/web", "/filieres/image", "/api/v1/filieres", "/api/v1/filieres/web",
)  # fmt: skip
# How one hides from the other members, or from those who are in no filière with one.
HIDING: Mapping[str, Mapping[Field, Audience]] = {
    "name": {Field.DISPLAY_NAME: Audience.ME},
    "filieres": {Field.MEMBERSHIPS: Audience.ME},
    "both": {Field.DISPLAY_NAME: Audience.ME, Field.MEMBERSHIPS: Audience.ME},
    "for fellows": {Field.MEMBERSHIPS: Audience.FILIERES},
}


async def join(connection: asyncpg.Connection, person: Person, filiere_id: int) -> None:
    await connection.execute(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
        filiere_id, person.member_id,
    )  # fmt: skip


@pytest.fixture
async def web(connection: asyncpg.Connection, client: httpx.AsyncClient) -> int:
    await people.filiere(connection, "image", "Image")
    return await people.filiere(connection, "web")


async def names(client: httpx.AsyncClient, address: str = API) -> list[str]:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    return [one["display_name"] for one in answer.json()["items"]]


async def test_members_are_listed_by_name_page_by_page_and_found_by_words(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int
) -> None:
    for name in ("zoé Quispe", "Émile Dubois", "Awa Lemaire", "awa Diallo", "Zoé Quispe"):
        await join(connection, await people.member(connection, name), web)
    await people.sign_in(client, await people.member(connection, "Reader"))
    listed = ["awa Diallo", "Awa Lemaire", "Émile Dubois", "zoé Quispe", "Zoé Quispe"]
    assert await names(client) == listed
    assert (await client.get(API)).json()["total"] == 5
    paged = [
        name for page in (1, 2, 3) for name in await names(client, f"{API}?limit=2&page={page}")
    ]
    assert paged == listed
    assert await names(client, f"{API}?q=quispe+ZOE") == listed[3:]
    assert await names(client, f"{API}?q=emile") == ["Émile Dubois"]
    assert await names(client, f"{API}?q=%25") == await names(client, f"{API}?page=9") == []
    page = (await client.get(PAGE)).text
    assert page.count('class="entry"') == 5
    assert 'href="/members/' in page
    assert "Personne ici ne porte ce nom." in (await client.get(f"{PAGE}?q=xyz")).text
    assert "au-delà" in (await client.get(f"{PAGE}?page=9")).text


async def test_only_members_of_the_cooperative_read_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int
) -> None:
    for address in (API, PAGE):
        assert (await client.get(address)).status_code == 401
    assert "/filieres/web/members" not in (await client.get("/filieres/web")).text
    await people.sign_in(client, await people.member(connection))
    assert (await client.get("/api/v1/filieres/nowhere/members")).status_code == 404
    assert (await client.get(f"{API}?limit=51")).status_code == 400
    assert (await client.get(f"{API}?order=age")).status_code == 400


async def test_each_field_is_seen_by_its_own_audience_and_fellows_see_more(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int
) -> None:
    awa = await people.member(connection, "Awa")
    await join(connection, awa, web)
    await profile_rows.fill(connection, awa)
    await profile_rows.choose(
        connection, awa, {Field.HEADLINE: Audience.FILIERES, Field.PLACE: Audience.ME}
    )
    reader = await people.member(connection, "Zed")
    await people.sign_in(client, reader)
    (card,) = (await client.get(API)).json()["items"]
    assert (card["headline"], card["place"]) == ("", None)
    await join(connection, reader, web)
    card, own = (await client.get(API)).json()["items"]
    assert (card["headline"], card["place"]) == ("Des choses simples", None)
    assert own["id"] == reader.member_id


async def test_who_shows_it_to_fellows_alone_is_there_for_them_alone(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int
) -> None:
    awa = await people.member(connection, "Awa")
    await join(connection, awa, web)
    await profile_rows.choose(connection, awa, HIDING["for fellows"])
    reader = await people.member(connection, "Zed")
    await people.sign_in(client, reader)
    assert await names(client) == []
    assert (await client.get("/api/v1/filieres/web")).json()["member_count"] == 0
    await join(connection, reader, web)
    assert await names(client) == ["Awa", "Zed"]
    assert (await client.get("/api/v1/filieres/web")).json()["member_count"] == 2


async def test_one_sees_oneself_and_those_who_run_it_count_everybody(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int
) -> None:
    hidden = await people.member(connection, "Cachée")
    await join(connection, hidden, web)
    await profile_rows.choose(connection, hidden, HIDING["both"])
    await people.sign_in(client, hidden)
    assert await names(client) == ["Cachée"]
    clemence = await people.member(connection, "Clémence")
    await people.animates(connection, clemence, web)
    headers = await joining.signed(clemence)
    assert (await client.get(API, headers=headers)).json()["total"] == 0
    count = (await client.get("/api/v1/filieres/web", headers=headers)).json()["member_count"]
    assert count == 1
    cards = (await client.get("/api/v1/filieres", headers=headers)).json()["items"]
    assert {card["slug"]: card["member_count"] for card in cards} == {"web": 1, "image": 0}
    page = (await client.get(PAGE, headers=headers)).text
    assert "Une personne de la filière ne se montre pas ici" in page
    assert "Cachée" not in page


class Crowd(msgspec.Struct, frozen=True):
    reader: Person
    hiding: dict[str, Person]
    filieres: dict[str, int]


@pytest.fixture
async def crowd(connection: asyncpg.Connection, web: int) -> Crowd:
    """Two who show that they are in the filière, four who do not, and a reader."""
    image = await connection.fetchval("SELECT id FROM filiere WHERE slug = 'image'")
    for name in ("Zoé Quispe", "Awa Lemaire"):
        await join(connection, await people.member(connection, name), web)
    hiding = {}
    for name, chosen in HIDING.items():
        hiding[name] = await people.member(connection, f"Zoë {name}")
        await profile_rows.choose(connection, hiding[name], chosen)
    return Crowd(await people.member(connection, "Reader"), hiding, {"web": web, "image": image})


async def read(client: httpx.AsyncClient) -> dict[str, tuple[int, bytes]]:
    found = {}
    for address in ADDRESSES:
        answer = await client.get(address)
        found[address] = (answer.status_code, answer.content)
    return found


@pytest.mark.parametrize("viewer", ["visitor", "member"])
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    inside=st.sets(st.tuples(st.sampled_from(sorted(HIDING)), st.sampled_from(["web", "image"]))),
    named=st.dictionaries(
        st.sampled_from(["name", "both"]), st.sampled_from(["Aaa", "zo quispe", "Zoé Quispe"])
    ),
)
async def test_hidden_memberships_change_no_byte_of_what_others_get(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    crowd: Crowd,
    viewer: str,
    inside: set[tuple[str, str]],
    named: dict[str, str],
) -> None:
    client.cookies.clear()
    if viewer == "member":
        await people.sign_in(client, crowd.reader)
    hidden = [person.member_id for person in crowd.hiding.values()]
    await connection.execute("DELETE FROM membership WHERE member_id = ANY($1)", hidden)
    before = await read(client)
    for name, slug in inside:
        await join(connection, crowd.hiding[name], crowd.filieres[slug])
    for name, words in named.items():
        await connection.execute(
            "UPDATE member SET display_name = $2 WHERE id = $1",
            crowd.hiding[name].member_id, words,
        )  # fmt: skip
    after = await read(client)
    for address, content in before.items():
        assert after[address] == content, address


async def test_the_same_memberships_shown_do_change_them(
    client: httpx.AsyncClient, connection: asyncpg.Connection, crowd: Crowd
) -> None:
    """What the test above compares is sensitive to what it changes."""
    await people.sign_in(client, crowd.reader)
    before = await read(client)
    shown = await people.member(connection, "Zoé Quispe Aaa")
    await join(connection, shown, crowd.filieres["web"])
    after = await read(client)
    assert [one for one in ADDRESSES if after[one] == before[one]] == ["/filieres/image"]
