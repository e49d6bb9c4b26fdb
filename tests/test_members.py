"""Who sees what of a profile, and what is found of it."""

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directory import errors
from directory.accounts.actor import VISITOR, Actor, Grant, Role, Scope
from directory.members import audiences, documents, profiles, views
from directory.members.audiences import Audience, Field, Level
from search.documents import Document
from tests import people, profile_rows

BRIEFLY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CHOICES = st.dictionaries(st.sampled_from(Field), st.sampled_from(Audience))
BROKEN = st.one_of(st.sampled_from(Audience), st.none(), st.text(max_size=8), st.integers())
VIEWERS = ("visitor", "member", "fellow", "oneself", "coordinator", "blind token")


def actor(person: people.Person) -> Actor:
    return Actor(account_id=person.account_id, member_id=person.member_id)


async def everybody(connection: asyncpg.Connection, whom: people.Person) -> dict[str, Actor]:
    """All that one can be to a member."""
    member, fellow = await people.member(connection), await people.member(connection)
    filiere_id = await people.filiere(connection, "image")
    await profile_rows.join(connection, filiere_id, whom, fellow)
    blind = frozenset({Scope.MAILINGS_WRITE})
    return {
        "visitor": VISITOR,
        "member": actor(member),
        "fellow": actor(fellow),
        "oneself": actor(whom),
        "coordinator": Actor(account_id=999, grants=frozenset({Grant(Role.COORDINATOR)})),
        "blind token": msgspec.structs.replace(actor(fellow), token_scopes=blind),
    }


@BRIEFLY
@given(chosen=st.dictionaries(st.sampled_from(Field), BROKEN), nearness=st.sampled_from(Level))
async def test_the_database_and_the_code_agree_on_what_is_visible(
    connection: asyncpg.Connection, chosen: dict[str, object], nearness: Level
) -> None:
    columns = ", ".join(audiences.sql_visible(field, "$1::jsonb", "$2::int") for field in Field)
    text = msgspec.json.encode(chosen).decode().replace("\\u0000", "")
    row = await connection.fetchrow(f"SELECT {columns}", text, nearness)
    seen = {field for field, visible in zip(Field, row or (), strict=True) if visible}
    assert seen == audiences.visible_to(nearness, chosen)


async def test_the_database_and_the_code_agree_on_who_is_near(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    found = {}
    for name, viewer in (await everybody(connection, awa)).items():
        own, standing = audiences.own_id(viewer), audiences.standing(viewer)
        shares = await connection.fetchval(
            f"SELECT {audiences.sql_shares_filiere('$1::bigint', '$2::bigint')}",
            awa.member_id, own,
        )  # fmt: skip
        found[name] = audiences.level(viewer, awa.member_id, shares_filiere=shares)
        sql = audiences.sql_level("$1::bigint", "$2::bigint", "$3::int")
        assert found[name] == await connection.fetchval(
            f"SELECT {sql}", awa.member_id, own, standing
        )
    assert found == {
        "visitor": Level.VISITOR,
        "member": Level.MEMBER,
        "fellow": Level.FELLOW,
        "oneself": Level.SELF,
        "coordinator": Level.MEMBER,
        "blind token": Level.VISITOR,
    }


async def test_who_left_a_filiere_is_no_fellow_any_more(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    fellow = (await everybody(connection, awa))["fellow"]
    await profile_rows.choose(connection, awa, {Field.HEADLINE: Audience.FILIERES})
    await profile_rows.write(connection, awa, Field.HEADLINE, 0)
    assert (await profiles.get(fellow, awa.member_id)).headline
    await connection.execute(
        "UPDATE membership SET left_at = now() WHERE member_id = $1", awa.member_id
    )
    assert not (await profiles.get(fellow, awa.member_id)).headline


async def answers(viewer: Actor, member_id: int) -> bytes:
    """All that a viewer gets of a member through the code."""
    cards = await profiles.cards(viewer, [member_id])
    try:
        view = await profiles.get(viewer, member_id)
    except errors.NotFound as problem:
        assert cards == []
        return str(problem).encode()
    assert [card.id for card in cards] == [member_id]
    for name in msgspec.structs.fields(views.MemberCard):
        assert getattr(cards[0], name.name) == getattr(view, name.name)
    return msgspec.json.encode([view, cards])


async def indexed(connection: asyncpg.Connection, member_id: int, audience: str) -> list[Document]:
    found = await documents.documents(connection, [member_id])
    return [document for document in found if document.audience == audience]


NOT_SEARCHED = {
    Field.STAGE, Field.PHONE, Field.EMAIL, Field.LINKS, Field.PHOTO, Field.PORTFOLIO,
}  # fmt: skip


@BRIEFLY
@given(chosen=CHOICES, field=st.sampled_from(Field), name=st.sampled_from(VIEWERS))
async def test_a_hidden_field_changes_nothing_of_what_others_get(
    client: httpx.AsyncClient, connection: asyncpg.Connection,
    chosen: dict[str, Audience], field: Field, name: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    await connection.execute("DELETE FROM filiere WHERE slug = 'image'")
    viewer = (await everybody(connection, awa))[name]
    await profile_rows.fill(connection, awa)
    await profile_rows.choose(connection, awa, chosen)
    shares = name == "fellow"
    nearness = audiences.level(viewer, awa.member_id, shares_filiere=shares)
    is_seen = {
        level: {field, Field.DISPLAY_NAME} <= audiences.visible_to(level, chosen)
        for level in (nearness, Level.VISITOR, Level.MEMBER)
    }
    before = await answers(viewer, awa.member_id)
    found = {audience: await indexed(connection, awa.member_id, audience) for audience in LEVELS}
    await profile_rows.write(connection, awa, field, 1)
    after = await answers(viewer, awa.member_id)
    assert (before != after) is is_seen[nearness]
    for audience, level in LEVELS.items():
        now = await indexed(connection, awa.member_id, audience)
        if not is_seen[level] or field in NOT_SEARCHED:
            assert now == found[audience]
        else:
            assert now != found[audience]


@settings(BRIEFLY, max_examples=25)
@given(chosen=CHOICES, field=st.sampled_from(Field), name=st.sampled_from(VIEWERS[:3]))
async def test_a_hidden_field_changes_no_byte_of_the_page_and_of_the_api(
    client: httpx.AsyncClient, connection: asyncpg.Connection,
    chosen: dict[str, Audience], field: Field, name: str,
) -> None:  # fmt: skip
    await connection.execute("DELETE FROM filiere WHERE slug = 'image'")
    awa, other = await people.member(connection), await people.member(connection)
    await profile_rows.fill(connection, awa)
    await profile_rows.choose(connection, awa, chosen)
    client.cookies.clear()
    if name != "visitor":
        await people.sign_in(client, other)
    if name == "fellow":
        filiere_id = await people.filiere(connection, "image")
        await profile_rows.join(connection, filiere_id, awa, other)
    level = Level[name.upper()]
    paths = (f"/members/{awa.member_id}", f"/api/v1/members/{awa.member_id}")
    before = [await client.get(path) for path in paths]
    await profile_rows.write(connection, awa, field, 1)
    after = [await client.get(path) for path in paths]
    is_seen = {field, Field.DISPLAY_NAME} <= audiences.visible_to(level, chosen)
    assert {answer.status_code for answer in before} <= {200, 404}
    for old, new in zip(before, after, strict=True):
        assert (old.content != new.content) is is_seen


async def test_who_is_hidden_answers_like_who_never_was(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    for path in ("/members/", "/api/v1/members/"):
        hidden = await client.get(f"{path}{awa.member_id}")
        unknown = await client.get(f"{path}987654321")
        assert hidden.status_code == unknown.status_code == 404
        same = unknown.text.replace("987654321", str(awa.member_id))
        assert hidden.text == same


@pytest.mark.parametrize("name", ["0", "-1", "9" * 18, "9" * 30, "%00", "1%00", "x", "1.5", "１"])
async def test_a_number_that_is_nobodys_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    for path in ("/members/", "/api/v1/members/"):
        assert (await client.get(f"{path}{name}")).status_code == 404


LEVELS: dict[str, Level] = {str(name): level for name, level in documents.LEVELS.items()}


async def test_a_member_who_left_is_gone_for_all(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    viewers = await everybody(connection, awa)
    await connection.execute(
        "UPDATE member SET left_on = current_date WHERE id = $1", awa.member_id
    )
    for viewer in viewers.values():
        assert await profiles.cards(viewer, [awa.member_id]) == []
        with pytest.raises(errors.NotFound):
            await profiles.get(viewer, awa.member_id)
    assert await documents.documents(connection, [awa.member_id]) == []
    assert awa.member_id not in await documents.keys(connection)


async def test_cards_keep_the_order_they_are_asked_in(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    people_ = [await people.member(connection, name) for name in ("Ana", "Bob", "Chloé")]
    ids = [person.member_id for person in people_][::-1]
    found = await profiles.cards(actor(people_[0]), [ids[0], 10**12, *ids[1:]])
    assert [card.display_name for card in found] == ["Chloé", "Bob", "Ana"]


async def test_a_document_says_a_trade_in_three_languages_and_a_sector_with_what_it_is_part_of(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    await profile_rows.fill(connection, awa)
    (document,) = await documents.documents(connection, [awa.member_id])
    assert document.audience == "members"
    assert {"Awa Lemaire", "Illustratrice", "Développeur web"} <= set(document.title)
    assert {"web developer", "webontwikkelaar"} <= {word.lower() for word in document.vocabulary}
    assert set(document.facets["sector"]) > {"K", "62"}
    assert document.facets["region"] == ["BE-WNA"]
    assert document.facets["availability"] == ["available"]
    assert sorted(document.facets["language"]) == ["fr", "nl"]
    assert await documents.documents(connection, None) == [document]


async def test_a_trade_without_a_name_abroad_takes_those_of_what_it_is_a_kind_of(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    words = {}
    for name in ("Photographe itinérant", "Photographe de mode", "Plombier chauffagiste"):
        person = await people.member(connection, name)
        await connection.execute(
            "INSERT INTO member_trade (member_id, trade_id, position)"
            " SELECT $1, id, 0 FROM trade WHERE label_masculine = $2",
            person.member_id,
            name,
        )
        (words[name],) = await documents.documents(connection, [person.member_id])
    assert words["Photographe itinérant"].summary[:2] == ("Fotograaf", "Photographer")
    assert words["Photographe de mode"].summary[:4] == (
        "Modefotograaf", "Fashion photographer", "Fotograaf", "Photographer",
    )  # fmt: skip
    assert "Plumber and heating engineer" in words["Plombier chauffagiste"].summary
    assert {"loodgieter", "plumber"} <= set(words["Plombier chauffagiste"].related)


async def test_an_availability_falls_back_after_its_last_day(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    await profile_rows.fill(connection, awa)
    await connection.execute("UPDATE member SET available_until = current_date - 2")
    (document,) = await documents.documents(connection, [awa.member_id])
    assert "availability" not in document.facets
    (card,) = await profiles.cards(actor(awa), [awa.member_id])
    assert (card.availability, card.available_until) == (None, None)
