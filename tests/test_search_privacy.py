"""What a viewer may not see has no effect on what the search gives them: the whole answer, to the
byte, of every address, on every engine that is there."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directory import indexing
from directory.members import documents
from directory.members.audiences import Audience, Field
from directory.settings import Settings
from search.server import Server
from tests import meili, people, profile_rows
from tests.people import Person

API = "/api/v1/members"
ADDRESSES = (
    API,
    f"{API}?q=graphiste",
    f"{API}?q=developeuse",  # corrected
    f"{API}?q=plume",
    f"{API}?q=affi",
    f"{API}?q=affiche+gravure",
    f"{API}?q=quispe",
    f"{API}?q=comedienne&exact=true",
    f"{API}?q=luthier&language=wo",  # nobody: suggestions
    f"{API}?q=illustratrice&region=BE-WNA&near=5000&within_km=5",
    f"{API}?near=be-4000-liege&within_km=200&sort=distance",
    f"{API}?sort=name&limit=3&page=2",
    f"{API}?sort=fresh&sector=62&sector=90",
    f"{API}?availability=soon",
    f"{API}/facets/trade?like=com",
    f"{API}/facets/language?like=wo",
    "/?q=affiche",
    "/?q=zzz",
    "/?near=4000",
    "/facets/trade?like=illus",
)
TEXTS = st.lists(
    st.sampled_from(
        ["graphiste", "dévelopeuse", "affiches", "Quispe", "plume", "luthier", "gravure", "Liège"]
    ),
    max_size=4,
).map(" ".join) | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)
TEXT_COLUMNS = {
    Field.HEADLINE: "headline",
    Field.BIOGRAPHY: "biography",
    Field.DISPLAY_NAME: "display_name",
}
# Who chose what; what is not named here is for members.
CHOSEN: Mapping[str, Mapping[Field, Audience]] = {
    "secretive": {
        field: Audience.ME for field in Field if field not in {Field.DISPLAY_NAME, Field.TRADES}
    }
    | {Field.DISPLAY_NAME: Audience.PUBLIC, Field.TRADES: Audience.PUBLIC},
    "among friends": dict.fromkeys(Field, Audience.FILIERES)
    | {Field.DISPLAY_NAME: Audience.MEMBERS, Field.PLACE: Audience.MEMBERS},
    "gone into hiding": {Field.DISPLAY_NAME: Audience.ME},
    "half public": {
        Field.DISPLAY_NAME: Audience.PUBLIC,
        Field.HEADLINE: Audience.PUBLIC,
        Field.PLACE: Audience.PUBLIC,
    },
}
SEEN = {"member": {Audience.PUBLIC, Audience.MEMBERS}, "visitor": {Audience.PUBLIC}}


@pytest.fixture(params=["postgres", "meilisearch"])
async def chosen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Settings]:
    plain = Settings(
        demo=True, var_dir=tmp_path, secret_key="x" * 40, base_url="http://testserver.local"
    )
    if request.param == "postgres":
        yield plain
        return
    address = meili.address()
    yield msgspec.structs.replace(
        plain, meili_url=address.url, meili_key=address.key, meili_prefix=address.prefix
    )
    async with Server(address, seconds=10) as opened:
        await meili.clear(opened, [index for index, _ in indexing.INDEXES])


@pytest.fixture
async def crowd(client: httpx.AsyncClient, connection: asyncpg.Connection) -> dict[str, Person]:
    """Four who hide something, two who do not, and a viewer."""
    crowd = {}
    for number, name in enumerate(("first open", "second open", *CHOSEN)):
        crowd[name] = await people.member(connection, name)
        await profile_rows.fill(connection, crowd[name], number % 2)
        everything = dict.fromkeys(Field, Audience.PUBLIC)
        await profile_rows.choose(connection, crowd[name], CHOSEN.get(name, everything))
    crowd["viewer"] = await people.member(connection, "Viewer")
    await indexing.rebuild()
    return crowd


def hidden(name: str, viewer: str) -> list[Field]:
    """The fields that this viewer may not see."""
    chosen = CHOSEN[name]
    if chosen.get(Field.DISPLAY_NAME, Audience.MEMBERS) not in SEEN[viewer]:
        return list(Field)
    return [f for f in Field if chosen.get(f, Audience.MEMBERS) not in SEEN[viewer]]


async def answers(client: httpx.AsyncClient) -> dict[str, bytes]:
    found = {}
    for address in ADDRESSES:
        answer = await client.get(address)
        assert answer.status_code == 200, answer.text
        assert b'"degraded":true' not in answer.content
        found[address] = answer.content
    return found


async def write(
    connection: asyncpg.Connection, person: Person, field: Field, value: tuple[int, str]
) -> None:
    variant, text = value
    if field in TEXT_COLUMNS:
        await connection.execute(
            f"UPDATE member SET {TEXT_COLUMNS[field]} = $2 WHERE id = $1", person.member_id,
            text or "x",
        )  # fmt: skip
    elif field is not Field.EMAIL:
        await profile_rows.write(connection, person, field, variant)


VALUES = st.fixed_dictionaries(
    {
        name: st.dictionaries(
            st.sampled_from(Field), st.tuples(st.integers(0, 1), TEXTS), max_size=8
        )
        for name in CHOSEN
    }
)


@pytest.fixture(params=SEEN)
async def viewer(
    request: pytest.FixtureRequest, client: httpx.AsyncClient, crowd: dict[str, Person]
) -> str:
    """Who asks: the client is signed in as a member, or not."""
    if request.param == "member":
        await people.sign_in(client, crowd["viewer"])
    return str(request.param)


@pytest.fixture
async def before(client: httpx.AsyncClient, viewer: str) -> dict[str, bytes]:
    return await answers(client)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=VALUES)
async def test_hidden_values_change_no_byte_of_any_answer(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    crowd: dict[str, Person],
    viewer: str,
    before: dict[str, bytes],
    values: dict[str, dict[Field, tuple[int, str]]],
) -> None:
    for name, fields in values.items():
        for field in hidden(name, viewer):
            if field in fields:
                await write(connection, crowd[name], field, fields[field])
    await documents.refresh(connection, [person.member_id for person in crowd.values()])
    await indexing.drain()
    after = await answers(client)
    for address, content in before.items():
        assert after[address] == content, address


async def test_the_same_values_shown_do_change_answers(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    crowd: dict[str, Person],
    before: dict[str, bytes],
) -> None:
    """What the test above compares is sensitive to what it changes."""
    for field in Field:
        await write(connection, crowd["first open"], field, (1, "affiches Quispe"))
    await documents.refresh(connection, [crowd["first open"].member_id])
    await indexing.drain()
    after = await answers(client)
    changed: list[Any] = [address for address in ADDRESSES if after[address] != before[address]]
    assert len(changed) > len(ADDRESSES) // 2


async def test_what_is_hidden_is_found_by_nobody_from_that_moment_on(
    client: httpx.AsyncClient, connection: asyncpg.Connection, crowd: dict[str, Person]
) -> None:
    """No worker has run since: on Meilisearch the old state is still there."""
    await people.sign_in(client, crowd["viewer"])
    hiding = crowd["first open"]
    await connection.execute(
        "UPDATE member SET headline = 'Xylophoniste' WHERE id = $1", hiding.member_id
    )
    await indexing.rebuild()
    address = f"{API}?q=xylophoniste"
    assert (await client.get(address)).json()["total"] == 1
    async with connection.transaction():
        await profile_rows.choose(connection, hiding, {Field.DISPLAY_NAME: Audience.ME})
        await documents.refresh(connection, [hiding.member_id])
    found = (await client.get(address)).json()
    assert (found["total"], found["degraded"]) == (0, False)
