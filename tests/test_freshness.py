"""A profile is confirmed now and then, by one click in a mail; and previewed as others see it."""

import re
from collections.abc import AsyncIterator

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from directory import indexing, settings
from directory.members import freshness
from directory.members.audiences import Audience, Field
from directory.members.freshness import FreshnessDue
from directory.members.posting import RelayAway
from directory.settings import Settings
from tests import people, profile_rows, smtp_sink
from tests.people import Person
from tests.smtp_sink import Sink

WAITING = "SELECT count(*) FROM pgqueuer WHERE entrypoint LIKE '%freshness.ask'"


@pytest.fixture
async def sink(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """Nobody has confirmed her profile for 200 days."""
    person = await people.member(connection, "Awa Lemaire", "awa@lemaire.example", language="nl")
    await connection.execute(
        "UPDATE member SET created_at = now() - interval '900 days',"
        " confirmed_at = now() - interval '200 days' WHERE id = $1",
        person.member_id,
    )
    return person


def link(text: str, folder: str) -> str:
    found = re.search(rf"http://testserver.local(/{folder}/\S+)", text)
    assert found
    return found[1]


async def everything(connection: asyncpg.Connection) -> list[tuple[object, ...]]:
    tables = ("member", "account", "session", "audit_entry", "pgqueuer", "search_outbox")
    return [
        tuple(row) for table in tables for row in await connection.fetch(f"SELECT * FROM {table}")
    ]


async def test_a_stale_profile_asks_its_owner_once_in_their_language(
    connection: asyncpg.Connection, awa: Person, sink: Sink
) -> None:
    await freshness.remind()
    assert await connection.fetchval(WAITING) == 1
    for _ in range(2):
        await freshness.ask(FreshnessDue(awa.member_id))
    mail = sink.to("awa@lemaire.example")
    assert mail.message["Subject"] == "Klopt uw fiche nog?"
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    await connection.execute("DELETE FROM pgqueuer")
    await freshness.remind()
    assert await connection.fetchval(WAITING) == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE member SET confirmed_at = now() - interval '100 days'",
        "UPDATE member SET takes_reminders = false",
        "UPDATE member SET left_on = current_date",
        "UPDATE member SET reminded_at = now() - interval '100 days'",
        "UPDATE account SET email_confirmed_at = NULL",
        "UPDATE account SET disabled_at = now()",
        "INSERT INTO suppression (email, reason) VALUES ('awa@lemaire.example', 'hard_bounce')",
    ],
)
async def test_who_gets_no_reminder(
    connection: asyncpg.Connection, awa: Person, sink: Sink, change: str
) -> None:
    await connection.execute(change)
    await freshness.remind()
    assert await connection.fetchval(WAITING) == 0
    await freshness.ask(FreshnessDue(awa.member_id))
    assert sink.mails == []


async def test_reminders_keep_to_the_settings(
    connection: asyncpg.Connection, awa: Person, chosen: Settings
) -> None:
    for _ in range(3):
        await people.member(connection)
    await connection.execute("UPDATE member SET created_at = now() - interval '900 days'")
    settings.use(msgspec.structs.replace(chosen, freshness_per_hour=2))
    await freshness.remind()
    assert await connection.fetchval(WAITING) == 2
    await connection.execute("DELETE FROM pgqueuer")
    settings.use(msgspec.structs.replace(chosen, freshness_days=0))
    await freshness.remind()
    assert await connection.fetchval(WAITING) == 0


async def test_a_reminder_that_the_relay_did_not_take_is_tried_again(
    connection: asyncpg.Connection, awa: Person, sink: Sink
) -> None:
    sink.refuse["awa@lemaire.example"] = "451 4.3.0 later"
    with pytest.raises(RelayAway):
        await freshness.ask(FreshnessDue(awa.member_id))
    sink.refuse.clear()
    sink.hang_up_on.add("awa@lemaire.example")
    for _ in range(2):
        await freshness.ask(FreshnessDue(awa.member_id))
    assert sink.recipients == {"awa@lemaire.example": 1}


async def test_the_link_confirms_by_post_alone_and_does_nothing_else(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, sink: Sink
) -> None:
    await profile_rows.fill(connection, awa)
    await connection.execute("UPDATE account SET email = 'awa@lemaire.example'")
    await freshness.ask(FreshnessDue(awa.member_id))
    path = link(sink.mails[0].text, "fresh")
    before = await everything(connection)
    for method in ("GET", "HEAD"):
        shown = await client.request(method, path)
        assert shown.status_code == 200
    assert "Plume" not in (await client.get(path)).text
    assert await everything(connection) == before
    assert (await client.post(path)).status_code == 303
    fresh = await connection.fetchval(
        "SELECT confirmed_at > now() - interval '1 minute' FROM member WHERE id = $1",
        awa.member_id,
    )
    assert fresh
    assert not client.cookies
    assert (await client.get(f"/members/{awa.member_id}")).status_code == 404
    for wrong in (path.replace("fresh", "reminders"), path + "x", "/fresh/1.abc", "/fresh/x"):
        assert (await client.post(wrong)).status_code == 404
    await connection.execute("UPDATE member SET left_on = current_date")
    assert (await client.get(path)).status_code == 404
    assert (await client.post(path)).status_code == 404


async def test_reminders_are_stopped_by_one_click_and_come_back(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, sink: Sink
) -> None:
    await freshness.ask(FreshnessDue(awa.member_id))
    path = link(sink.mails[0].text, "reminders")
    takes = "SELECT takes_reminders FROM member"
    assert (await client.get(path)).status_code == 200
    assert await connection.fetchval(takes)
    answer = await client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert not await connection.fetchval(takes)
    assert (await client.post(f"{path}/again")).status_code == 303
    assert await connection.fetchval(takes)


async def test_any_save_confirms(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await people.sign_in(client, awa)
    answer = await client.patch(
        f"/api/v1/members/{awa.member_id}", json={"version": 1, "headline": "Des affiches"}
    )
    assert answer.status_code == 200
    assert await connection.fetchval(
        "SELECT confirmed_at > now() - interval '1 minute' FROM member WHERE id = $1",
        awa.member_id,
    )


async def test_a_stale_profile_comes_after_a_fresh_one_that_matches_as_well(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    others = [await people.member(connection, "Zoé") for _ in range(3)]
    await connection.execute(
        "INSERT INTO member_skill (member_id, kind, position, label)"
        " SELECT id, 'offered', 0, 'Gravure' FROM member"
    )
    await connection.execute(
        "UPDATE member SET created_at = now() - interval '900 days',"
        " confirmed_at = now() - CASE WHEN id = $1 THEN interval '1 day' ELSE '400 days' END",
        others[1].member_id,
    )
    await indexing.rebuild()
    await people.sign_in(client, awa)
    found = (await client.get("/api/v1/members", params={"q": "gravure"})).json()
    assert found["total"] == 4
    assert found["items"][0]["id"] == others[1].member_id
    await connection.execute("UPDATE member SET confirmed_at = now() - interval '400 days'")
    await indexing.rebuild()
    await client.post(f"/members/{awa.member_id}/confirm")
    found = (await client.get("/api/v1/members", params={"q": "gravure"})).json()
    assert found["items"][0]["id"] == awa.member_id


def content(page: str) -> str:
    """What a page says, without the ways to look at it."""
    main = page.partition("<main")[2].partition("</main>")[0]
    return re.sub(r'\s*<nav class="viewas".*?</nav>', "", main, flags=re.DOTALL)


@examples(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    chosen=st.dictionaries(st.sampled_from(Field), st.sampled_from(Audience)),
    takes_messages=st.booleans(),
)
async def test_a_preview_is_the_page_that_such_a_reader_gets(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: dict[Field, Audience],
    takes_messages: bool,
) -> None:  # fmt: skip
    awa, member, fellow = [await people.member(connection) for _ in range(3)]
    await profile_rows.fill(connection, awa)
    filiere_id = await people.filiere(connection, f"f-{awa.member_id}")
    await profile_rows.join(connection, filiere_id, awa, fellow)
    await profile_rows.choose(connection, awa, chosen)
    await connection.execute(
        "UPDATE member SET takes_messages = $2 WHERE id = $1", awa.member_id, takes_messages
    )
    path = f"/members/{awa.member_id}"
    for seen_as, reader in (
        (Audience.PUBLIC, None), (Audience.MEMBERS, member), (Audience.FILIERES, fellow),
    ):  # fmt: skip
        client.cookies.clear()
        await people.sign_in(client, awa)
        preview = await client.get(path, params={"as": seen_as.value})
        client.cookies.clear()
        if reader:
            await people.sign_in(client, reader)
        real = await client.get(path)
        if real.status_code == 404:
            assert "Rien à voir ici" in preview.text
        else:
            assert content(preview.text) == content(real.text)
