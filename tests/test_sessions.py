"""Sessions end when they should, and their owner sees and ends them."""

import re

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.accounts import devices, sessions, tokens
from directory.accounts.actor import Scope
from directory.settings import Settings
from tests import people

PATH = "/api/v1/sessions"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
EDGE = f"{CHROME} Safari/537.36 Edg/140.0.0.0".replace("X11; Linux x86_64", "Windows NT 10.0")
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)
ANDROID = CHROME.replace("X11; Linux x86_64", "Linux; Android 15; SM-A55") + " Mobile Safari/537.36"


async def status(client: httpx.AsyncClient) -> int:
    return (await client.get("/api/v1/me")).status_code


async def is_signed_in(client: httpx.AsyncClient, secret: str) -> bool:
    client.cookies.set("session", secret)
    return await status(client) == 200


@pytest.mark.parametrize(
    ("age", "unused", "expected"),
    [(1, 13.9, 200), (20, 14.1, 401), (29.9, 1, 200), (30.1, 0, 401)],
)
async def test_a_session_ends_after_two_weeks_unused_and_after_a_month_in_any_case(
    client: httpx.AsyncClient, connection: asyncpg.Connection, age: float, unused: float,
    expected: int,
) -> None:  # fmt: skip
    await people.sign_in(client, await people.member(connection))
    await connection.execute(
        "UPDATE session SET expires_at = expires_at - make_interval(secs => $1),"
        " created_at = created_at - make_interval(secs => $1),"
        " seen_at = seen_at - make_interval(secs => $2)",
        age * 86400, unused * 86400,
    )  # fmt: skip
    assert await status(client) == expected
    if expected == 200:  # and has been used by now
        unseen = await connection.fetchval("SELECT now() - seen_at FROM session")
        assert unseen.total_seconds() < 60
    await sessions.forget_expired()
    assert await connection.fetchval("SELECT count(*) FROM session") == (expected == 200)


async def test_the_settings_say_how_long(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings
) -> None:
    settings.use(msgspec.structs.replace(chosen, session_days=2, session_idle_days=1))
    await people.sign_in(client, await people.member(connection))
    days = await connection.fetchval("SELECT expires_at - created_at FROM session")
    assert days.days == 2
    await connection.execute("UPDATE session SET seen_at = now() - interval '25 hours'")
    assert await status(client) == 401


async def test_a_disabled_account_is_out_of_all_its_sessions_at_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    person = await people.member(connection)
    secrets = [await sessions.open_session(person.account_id, FIREFOX) for _ in range(2)]
    await connection.execute("UPDATE account SET disabled_at = now()")
    assert [await is_signed_in(client, secret) for secret in secrets] == [False, False]


async def test_signing_in_again_closes_the_session_before(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    person = await people.member(connection)
    old = await sessions.open_session(person.account_id, FIREFOX)
    other = await sessions.open_session(person.account_id, CHROME)
    new = await sessions.open_session(person.account_id, FIREFOX, old)
    assert old != new
    assert [await is_signed_in(client, one) for one in (old, other, new)] == [False, True, True]
    entries = await connection.fetch(
        "SELECT action, account_id, member_id, subject FROM audit_entry ORDER BY id"
    )
    assert [entry["action"] for entry in entries] == [
        "session.opened", "session.opened", "session.ended", "session.opened",
    ]  # fmt: skip
    assert {(e["account_id"], e["member_id"]) for e in entries} == {
        (person.account_id, person.member_id)
    }
    assert entries[2]["subject"] == entries[0]["subject"]


async def test_more_sessions_than_anybody_has_make_room_for_the_newest(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    person, other = await people.member(connection), await people.member(connection)
    kept = await sessions.open_session(other.account_id, FIREFOX)
    first = await sessions.open_session(person.account_id, FIREFOX)
    await connection.execute("UPDATE session SET seen_at = now() - interval '1 day'")
    for _ in range(sessions.MOST):
        last = await sessions.open_session(person.account_id, FIREFOX)
    assert [await is_signed_in(client, one) for one in (kept, first, last)] == [True, False, True]
    assert len((await client.get(PATH)).json()) == sessions.MOST


async def test_the_owner_lists_their_sessions_without_any_secret(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa, noe = await people.member(connection), await people.member(connection)
    await sessions.open_session(noe.account_id, IPHONE)
    other = await sessions.open_session(awa.account_id, FIREFOX)
    await people.sign_in(client, awa)
    answer = await client.get(PATH)
    listed = answer.json()
    assert [(one["browser"], one["system"], one["is_current"]) for one in listed] == [
        ("", "", True), ("Firefox", "Windows", False),
    ]  # fmt: skip
    assert set(listed[0]) == {
        "id", "browser", "system", "first_seen_at", "last_seen_at", "expires_at", "is_current",
    }  # fmt: skip
    page = (await client.get("/account/sessions")).text
    assert "Firefox sur Windows" in page
    hashes = await connection.fetch("SELECT token_hash FROM session")
    for text in (answer.text, page):
        for secret in (other, client.cookies["session"], *(h.hex() for (h,) in hashes)):
            assert secret not in text


async def test_ending_one_ends_it_at_once_and_no_other(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa, noe = await people.member(connection), await people.member(connection)
    theirs = await sessions.open_session(noe.account_id, IPHONE)
    lost = await sessions.open_session(awa.account_id, FIREFOX)
    await people.sign_in(client, awa)
    here = client.cookies["session"]
    rows = await connection.fetch("SELECT user_agent, id FROM session")
    ids = {row["user_agent"]: row["id"] for row in rows}
    assert (await client.delete(f"{PATH}/{ids[IPHONE]}")).status_code == 404
    assert (await client.delete(f"{PATH}/{ids[FIREFOX]}")).status_code == 204
    again = await client.delete(f"{PATH}/{ids[FIREFOX]}")
    assert again.status_code == 404
    assert again.headers["content-type"].startswith("application/problem+json")
    assert (await client.delete(f"{PATH}/no-uuid")).status_code == 404
    found = [await is_signed_in(client, one) for one in (theirs, lost, here)]
    assert found == [True, False, True]
    ended = "SELECT count(*) FROM audit_entry WHERE action = 'session.ended'"
    assert await connection.fetchval(ended) == 1


async def test_a_page_ends_one_all_others_and_this_one(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    others = [await sessions.open_session(awa.account_id, ua) for ua in (FIREFOX, EDGE, ANDROID)]
    await people.sign_in(client, awa)
    here = client.cookies["session"]
    page = (await client.get("/account/sessions")).text
    assert "Fermer les 3 autres connexions" in page
    addresses = re.findall(r'action="(/account/sessions/[0-9a-f-]{36}/end)"', page)
    assert len(addresses) == 4
    one = await client.post(addresses[1])
    assert one.headers["location"] == "/account/sessions?done=ended"
    rest = await client.post("/account/sessions/end-others")
    assert rest.headers["location"] == "/account/sessions?done=others"
    assert [await is_signed_in(client, secret) for secret in others] == [False, False, False]
    assert await is_signed_in(client, here)
    assert "n’est ouvert nulle part ailleurs" in (await client.get("/account/sessions")).text
    gone = await client.post(addresses[0])
    assert gone.headers["location"] == "/"
    assert 'session=""' in gone.headers["set-cookie"] or "Max-Age=0" in gone.headers["set-cookie"]
    assert not await is_signed_in(client, here)


async def test_neither_a_token_nor_a_visitor_nor_another_site_manages_sessions(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    kept = await sessions.open_session(awa.account_id, FIREFOX)
    one = await connection.fetchval("SELECT id FROM session")
    token = await tokens.create(awa.email, list(Scope))
    bearer = {"Authorization": f"Bearer {token}"}
    ways = (
        ("GET", PATH), ("DELETE", f"{PATH}/{one}"), ("GET", "/account/sessions"),
        ("POST", f"/account/sessions/{one}/end"), ("POST", "/account/sessions/end-others"),
        ("POST", "/account/identity/part"),
    )  # fmt: skip
    for method, path in ways:
        assert (await client.request(method, path, headers=bearer)).status_code == 403, path
        assert (await client.request(method, path)).status_code == 401, path
    client.cookies.set("session", kept)
    for method, path in ways:
        if method != "GET":
            cross = await client.request(method, path, headers={"Sec-Fetch-Site": "cross-site"})
            assert cross.status_code == 403, path
    assert await is_signed_in(client, kept)


@pytest.mark.parametrize(
    ("demo", "url"), [(False, "http://localhost:8000"), (True, "https://x.test")]
)
async def test_cookies_are_for_this_host_alone_and_for_tls(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, demo: bool,
    url: str,
) -> None:  # fmt: skip
    settings.use(msgspec.structs.replace(chosen, demo=demo, base_url=url))
    person = await people.member(connection)
    secret = await sessions.open_session(person.account_id, FIREFOX)
    asked = await client.post("/login", data={"email": person.email})
    (cookie,) = asked.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-browser=")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    # A plain cookie of that name, which a neighbour could plant, is not read.
    plain = await client.get("/api/v1/me", headers={"cookie": f"session={secret}"})
    assert plain.status_code == 401
    ours = await client.get("/api/v1/me", headers={"cookie": f"__Host-session={secret}"})
    assert ours.status_code == 200
    left = await client.post("/logout", headers={"cookie": f"__Host-session={secret}"})
    assert left.headers["set-cookie"].startswith("__Host-session=")


@pytest.mark.parametrize(
    ("user_agent", "browser", "system"),
    [
        (FIREFOX, "Firefox", "Windows"), (CHROME, "Chrome", "Linux"), (EDGE, "Edge", "Windows"),
        (IPHONE, "Safari", "iPhone"), (ANDROID, "Chrome", "Android"),
        ("curl/8.0", "", ""), ("", "", ""), ("<script>", "", ""),
    ],
)  # fmt: skip
def test_a_browser_is_named_or_not_named(user_agent: str, browser: str, system: str) -> None:
    assert (devices.browser(user_agent), devices.system(user_agent)) == (browser, system)
