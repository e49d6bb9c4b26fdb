"""The links in mails: what they open, what they stop, and all that they cannot do."""

import re

import asyncpg
import httpx
import pytest

from directory import errors, limits
from directory.settings import Settings
from directory.subscriptions import consent, ledger, links, memberships, wordings
from directory.subscriptions.consent import Choice
from directory.subscriptions.topics import Rhythm, Topic
from tests import people
from tests.people import Person
from tests.test_subscriptions import TRACE, actor, member_with_two_choices, rows

SECRET = b"s" * 40
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture(autouse=True)
async def _words(connection: asyncpg.Connection) -> None:
    await wordings.load(connection)


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """In 'web', whose news and meetings she receives."""
    return (await member_with_two_choices(connection))[0]


async def web_id(connection: asyncpg.Connection) -> int:
    found: int = await connection.fetchval("SELECT id FROM filiere WHERE slug = 'web'")
    return found


async def everything(connection: asyncpg.Connection) -> dict[str, str]:
    """The content of every table."""
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {
        name: await connection.fetchval(
            f"SELECT count(*) || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') "
            f'FROM "{name}" t'
        )
        for (name,) in tables
        if name not in {"trade", "trade_label", "place", "sector"}
    }


def test_a_link_is_good_for_one_purpose() -> None:
    path = links.unsubscribe_path(SECRET, 7, "news", [12, 3])
    token = path.split("/")[2]
    assert path == f"/m/{token}/stop"
    assert links.read_unsubscribe(SECRET, token).filiere_ids == (3, 12)
    preferences = links.preferences_path(SECRET, 7).split("/")[2]
    assert links.read_preferences(SECRET, preferences).member_id == 7
    for read, wrong in (
        (links.read_preferences, token),
        (links.read_undo, token),
        (links.read_unsubscribe, preferences),
    ):
        with pytest.raises(errors.NotFound):
            read(SECRET, wrong)
    with pytest.raises(ValueError, match="filière"):
        links.unsubscribe_path(SECRET, 7, "news", [])


def test_a_masked_address_shows_one_letter() -> None:
    assert links.masked("awa@lemaire.example") == "a•••@lemaire.example"


async def test_opening_the_links_changes_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    web = await web_id(connection)
    before = await everything(connection)
    for path in (
        links.preferences_path(chosen.secret, awa.member_id),
        links.unsubscribe_path(chosen.secret, awa.member_id, "news", [web]),
    ):
        for method in ("GET", "HEAD", "GET"):
            answer = await client.request(method, path)
            assert answer.status_code == 200 or method == "HEAD", answer.text
            for action in re.findall(r'action="(/m/[^"]*)"', answer.text):
                await client.request(method, action)
    assert await everything(connection) == before


async def test_one_click_stops_at_once_and_again_without_a_word(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    path = links.unsubscribe_path(chosen.secret, awa.member_id, "news", [await web_id(connection)])
    for _ in range(3):
        answer = await client.post(path, data=ONE_CLICK)
        assert (answer.status_code, answer.text) == (200, "")
        assert "set-cookie" not in answer.headers
    assert (await rows(connection))[2:] == [("news", None, "withdrawn", "one_click")]
    found = await connection.fetch("SELECT topic::text FROM consent")
    assert [row["topic"] for row in found] == ["meetings"]
    assert len(await memberships.list_of(awa.member_id, "fr")) == 1
    assert await ledger.verify() == []
    row = await connection.fetchrow("SELECT * FROM consent_ledger ORDER BY id DESC LIMIT 1")
    assert row is not None
    assert (row["actor_id"], row["network"]) == (None, "127.0.0.0/24")


async def test_one_click_in_the_other_encoding_stops_too(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    path = links.unsubscribe_path(chosen.secret, awa.member_id, "news", [await web_id(connection)])
    files = {name: (None, text) for name, text in ONE_CLICK.items()}
    assert (await client.post(path, files=files)).status_code == 200
    assert (await rows(connection))[2][3] == "one_click"


async def test_unsubscribing_from_the_page_can_be_taken_back(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    path = links.unsubscribe_path(chosen.secret, awa.member_id, "news", [await web_id(connection)])
    page = (await client.get(path)).text
    assert "Ouvrir cette page n’a rien changé" in page
    assert "a•••@lemaire.example" in page
    assert awa.email not in page
    first = await client.post(path)
    assert first.status_code == 303
    page = (await client.get(first.headers["location"])).text
    assert "C’est fait" in page
    undo = re.findall(r'name="undo" value="([^"]+)"', page)[0]
    for _ in range(2):
        back = await client.post(f"{path}/undo", data={"undo": undo})
        assert back.status_code == 303
    assert "Vous recevez à nouveau" in (await client.get(back.headers["location"])).text
    assert (await rows(connection))[2:] == [
        ("news", None, "withdrawn", "mail"),
        ("news", "at_once", "given", "mail"),
    ]
    given = await connection.fetch(
        "SELECT wording_id FROM consent_ledger WHERE topic = 'news' AND act = 'given'"
    )
    assert given[0]["wording_id"] == given[1]["wording_id"]
    assert await ledger.verify() == []


async def test_an_undo_is_for_its_own_member_and_for_an_hour(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    stop = await consent.stop(links.Holder(awa.member_id), TRACE)
    assert stop is not None
    undo = links.undo_token(chosen.secret, stop)
    other = links.preferences_path(chosen.secret, (await people.member(connection)).member_id)
    assert (await client.post(f"{other}/undo", data={"undo": undo})).status_code == 404
    own = links.preferences_path(chosen.secret, awa.member_id)
    for forged in ("", "x", undo[:-1], undo.replace(".", "%00"), "\0"):
        assert (await client.post(f"{own}/undo", data={"undo": forged})).status_code == 404
    await connection.execute("ALTER TABLE consent_ledger DISABLE TRIGGER USER")
    await connection.execute("UPDATE consent_ledger SET at = at - interval '61 minutes'")
    await connection.execute("ALTER TABLE consent_ledger ENABLE TRIGGER USER")
    assert (await client.post(f"{own}/undo", data={"undo": undo})).status_code == 410
    assert await connection.fetchval("SELECT count(*) FROM consent") == 0


async def test_an_undo_brings_nothing_back_to_who_left_or_chose_since(
    connection: asyncpg.Connection, awa: Person
) -> None:
    stop = await consent.stop(links.Holder(awa.member_id), TRACE)
    assert stop is not None
    latest = await wordings.list_latest("fr")
    news = Choice("web", Topic.NEWS, Rhythm.AT_ONCE, latest[Topic.NEWS].id)
    await consent.choose(actor(awa), [news], TRACE)
    await consent.choose(actor(awa), [Choice("web", Topic.NEWS, None)], TRACE)
    await memberships.leave(actor(awa), "web", TRACE)
    await consent.restore(stop, TRACE)
    assert await connection.fetchval("SELECT count(*) FROM consent") == 0


async def test_a_link_stops_topics_but_starts_none(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    path = links.preferences_path(chosen.secret, awa.member_id)
    page = (await client.get(path)).text
    assert "a•••@lemaire.example" in page
    assert awa.email not in page
    assert 'name="web.calls" value="at_once" disabled' in page
    shown = re.findall(r'name="wordings" value="([^"]+)"', page)[0]
    before = await rows(connection)
    form = {"web.calls": "at_once", "web.news": "", "wordings": shown}
    assert (await client.post(path, data=form)).status_code == 403
    for slug in ("other", "w\0b", "web.web"):
        refused = await client.post(path, data={f"{slug}.news": "at_once", "wordings": shown})
        assert refused.status_code in {400, 403}
    assert await rows(connection) == before

    form = {"web.meetings": "at_once", "web.news": "", "wordings": shown}
    answer = await client.post(path, data=form)
    page = (await client.get(answer.headers["location"])).text
    assert "C’est fait" in page
    assert "Non, «\u202fActualités\u202f», Métiers du web, depuis un mail" in page
    assert (await rows(connection))[2:] == [("news", None, "withdrawn", "mail")]
    undo = re.findall(r'name="undo" value="([^"]+)"', page)[0]
    assert (await client.post(f"{path}/undo", data={"undo": undo})).status_code == 303
    assert (await rows(connection))[3:] == [("news", "at_once", "given", "mail")]
    assert (await client.post(path, data={"web.news": "at_once"})).status_code == 303
    assert len(await rows(connection)) == 4


async def test_one_button_stops_every_mail(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    path = links.preferences_path(chosen.secret, awa.member_id)
    assert "Arrêter tous les mails" in (await client.get(path)).text
    for _ in range(2):
        assert (await client.post(f"{path}/stop-all")).status_code == 303
    assert await connection.fetchval("SELECT count(*) FROM consent") == 0
    assert len(await rows(connection)) == 4
    assert len(await memberships.list_of(awa.member_id, "fr")) == 1


async def test_of_a_choice_that_is_named_twice_the_last_word_holds(
    client: httpx.AsyncClient, awa: Person
) -> None:
    await people.sign_in(client, awa)
    legal = (await client.get("/api/v1/me/consents")).json()["filieres"][0]["topics"][3]
    named = {"filiere": "web", "topic": "legal", "wording_id": legal["wording"]["id"]}
    choices = [named | {"rhythm": "weekly"}, named | {"rhythm": None}]
    answer = await client.put("/api/v1/me/consents", json={"choices": choices})
    assert answer.json()["filieres"][0]["topics"][3]["rhythm"] is None
    assert await ledger.verify() == []


async def test_a_link_fills_no_ledger_and_always_stops(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    path = links.preferences_path(chosen.secret, awa.member_id)
    for _ in range(120):
        await limits.has_room(consent.GIVING, awa.member_id)
    stopped = await client.post(f"{path}/stop-all")
    assert await connection.fetchval("SELECT count(*) FROM consent") == 0
    before = len(await rows(connection))
    undo = stopped.headers["location"].partition("undo=")[2]
    assert (await client.post(f"{path}/undo", data={"undo": undo})).status_code == 429
    assert len(await rows(connection)) == before


async def test_a_link_never_signs_in(
    client: httpx.AsyncClient, chosen: Settings, awa: Person
) -> None:
    answer = await client.get(links.preferences_path(chosen.secret, awa.member_id))
    assert "set-cookie" not in answer.headers
    assert (await client.get("/api/v1/me")).status_code == 401
    assert (await client.get("/preferences")).status_code == 401


async def test_forged_links_are_not_found_and_change_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    web = await web_id(connection)
    good = links.unsubscribe_path(chosen.secret, awa.member_id, "news", [web]).split("/")[2]
    preferences = links.preferences_path(chosen.secret, awa.member_id).split("/")[2]
    before = await everything(connection)
    body, _, signature = good.rpartition(".")
    for token in (
        "x", "%00", "..", good[:-1], good + "A", good.replace("news", "legal"),
        f"{body}.{web + 1}.{signature}", f"{good}%00", "%F0%9F%8E%AD", "9" * 4000, preferences,
        links.unsubscribe_path(SECRET, awa.member_id, "news", [web]).split("/")[2],
    ):  # fmt: skip
        for tail in ("/stop", "/stop/undo"):
            path = f"/m/{token}{tail}"
            answer = await client.post(path, data=ONE_CLICK | {"undo": "x"})
            assert answer.status_code in {404, 405}, path
        assert (await client.get(f"/m/{token}/stop")).status_code == 404
    for token in ("x", "%00", good, preferences[:-1]):
        for tail in ("", "/stop-all", "/undo"):
            answer = await client.post(f"/m/{token}{tail}", data={"undo": "x"})
            assert answer.status_code == 404, (token, tail)
        assert (await client.get(f"/m/{token}")).status_code == 404
    assert await everything(connection) == before


async def test_odd_bodies_never_break_the_unsubscribe(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    web = await web_id(connection)
    path = links.unsubscribe_path(chosen.secret, awa.member_id, "news", [web])
    for kind in ("multipart/form-data", "application/json", "", "text/plain; charset=nope"):
        for body in (b"", b"\0\xff", b"{", b"List-Unsubscribe=One-Click"):
            answer = await client.post(path, content=body, headers={"content-type": kind})
            assert answer.status_code in {200, 303}, (kind, body, answer.text)


async def test_a_link_of_an_erased_member_stops_nothing_and_says_so(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    path = links.unsubscribe_path(chosen.secret, awa.member_id, "news", [await web_id(connection)])
    await connection.execute("DELETE FROM member WHERE id = $1", awa.member_id)
    assert (await client.post(path, data=ONE_CLICK)).status_code == 200
    assert "C’est déjà arrêté" in (await client.get(path)).text
    page = await client.get(links.preferences_path(chosen.secret, awa.member_id))
    assert "Rien à arrêter" in page.text
    assert len(await rows(connection)) == 2


async def test_signed_in_a_member_starts_and_stops_on_one_page(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await people.sign_in(client, awa)
    page = (await client.get("/preferences")).text
    assert awa.email in page
    assert "disabled" not in page
    shown = re.findall(r'name="wordings" value="([^"]+)"', page)[0]
    form = {"web.calls": "at_once", "web.news": "", "wordings": shown}
    answer = await client.post("/preferences", data=form)
    assert answer.status_code == 303
    page = (await client.get(answer.headers["location"])).text
    assert "Vos choix sont enregistrés." in page
    assert "Oui, «\u202fAppels\u202f», Métiers du web, tout de suite" in page
    assert sorted((await rows(connection))[2:]) == [
        ("calls", "at_once", "given", "preferences"),
        ("news", None, "withdrawn", "preferences"),
    ]
    stopped = await client.post("/preferences/stop-all")
    page = (await client.get(stopped.headers["location"])).text
    undo = re.findall(r'name="undo" value="([^"]+)"', page)[0]
    assert await connection.fetchval("SELECT count(*) FROM consent") == 0
    assert (await client.post("/preferences/undo", data={"undo": undo})).status_code == 303
    assert await connection.fetchval("SELECT count(*) FROM consent") == 2
    assert await ledger.verify() == []


async def test_a_post_from_another_site_is_refused(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    path = links.preferences_path(chosen.secret, awa.member_id)
    answer = await client.post(f"{path}/stop-all", headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert len(await rows(connection)) == 2
