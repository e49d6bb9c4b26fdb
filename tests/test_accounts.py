"""Signing in by a link in a mail, sessions, tokens, and who may post."""

import re
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from directory import errors, settings
from directory.accounts import login, tokens
from directory.accounts.actor import Scope
from directory.accounts.login import LoginAsked
from directory.demo import mailbox
from directory.settings import Settings
from tests import people


@pytest.fixture
async def post_office(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[None]:
    """Mails of the code under test arrive in the mailbox of `chosen.var_dir`."""
    async with mailbox.listening(chosen.var_dir / "mailbox") as port:
        with_relay = Settings(
            demo=True, var_dir=chosen.var_dir, secret_key=chosen.secret_key,
            base_url=chosen.base_url, smtp_url=f"smtp://127.0.0.1:{port}",
        )  # fmt: skip
        settings.use(with_relay)
        yield


async def link_for(email: str) -> str:
    await login.send_link(LoginAsked(email=email, next_path="/about", language="fr"))
    body = mailbox.get_mail(mailbox.list_letters(email)[0][0].name).get_body(("plain",))
    assert body is not None
    found = re.search(r"http://testserver\.local(/login/\S+)", body.get_content())
    assert found
    return found[1]


async def test_a_link_signs_in_once_and_reading_it_changes_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, post_office: None
) -> None:
    awa = await people.member(connection)
    path = await link_for(awa.email)
    for method in ("GET", "HEAD", "GET"):
        await client.request(method, path)
    entered = await client.post(path, data={"address": awa.email})
    assert entered.status_code == 303
    assert entered.headers["location"] == "/about"
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await client.get("/api/v1/me")).json()["email"] == awa.email

    again = await client.post(path)
    assert again.status_code == 410
    assert "Ce lien" in again.text


async def test_an_expired_link_signs_nobody_in(
    client: httpx.AsyncClient, connection: asyncpg.Connection, post_office: None
) -> None:
    path = await link_for((await people.member(connection)).email)
    await connection.execute("UPDATE login_link SET expires_at = now() - interval '1 second'")
    assert (await client.get(path)).status_code == 410
    assert (await client.post(path)).status_code == 410
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_known_and_an_unknown_address_get_the_same_answer(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    known = await client.post("/login", data={"email": awa.email})
    unknown = await client.post("/login", data={"email": "rien@test.example"})
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace(awa.email, "x") == unknown.text.replace("rien@test.example", "x")
    assert await connection.fetchval("SELECT count(*) FROM login_link") == 0


async def test_an_unknown_address_gets_no_mail(
    client: httpx.AsyncClient, post_office: None
) -> None:
    await login.send_link(LoginAsked(email="rien@test.example", next_path="/", language="fr"))
    assert mailbox.list_letters() == ([], 0)


async def test_the_sixth_link_in_a_quarter_of_an_hour_is_not_sent(
    connection: asyncpg.Connection, post_office: None
) -> None:
    awa = await people.member(connection)
    for _ in range(7):
        await login.send_link(LoginAsked(email=awa.email, next_path="/", language="fr"))
    assert mailbox.list_letters(awa.email)[1] == login.LINKS_AT_ONCE


@pytest.mark.parametrize("email", ["", "x", "@", "a@", "a b@c.example", "a@b\r\nBcc: x", "é" * 300])
async def test_what_is_no_address_is_said_beside_the_field(
    client: httpx.AsyncClient, email: str
) -> None:
    answer = await client.post("/login", data={"email": email})
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.test/", "https://evil.test/", "/\\evil.test", "javascript:alert(1)", "/a\nb"],
)
def test_after_signing_in_one_stays_on_this_site(elsewhere: str) -> None:
    assert login.local_path(elsewhere) == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.test"},
        {"origin": "null"},
    ],
)
async def test_another_site_may_not_post(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.post("/login", data={"email": "a@test.example"}, headers=headers)
    assert answer.status_code == 403


async def test_signing_out_ends_the_session_for_good(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    cookie = client.cookies["session"]
    await client.post("/logout")
    client.cookies.set("session", cookie)
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_token_does_what_its_scope_says_and_no_more(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    secret = await tokens.create(awa.email, [Scope.EVENTS_WRITE])
    kept = await connection.fetchval("SELECT token_hash FROM api_token")
    assert secret.encode() not in kept
    client.headers["authorization"] = f"Bearer {secret}"
    assert (await client.get("/api/v1/me")).json()["member_id"] == awa.member_id
    await connection.execute("UPDATE api_token SET revoked_at = now()")
    refused = await client.get("/api/v1/me")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.headers["content-type"].startswith("application/problem+json")


async def test_no_token_is_made_for_an_address_that_nobody_has(database: str) -> None:
    with pytest.raises(errors.NotFound):
        await tokens.create("rien@test.example", [Scope.MEMBERS_READ])


async def test_the_chosen_language_stays(client: httpx.AsyncClient) -> None:
    answer = await client.post("/language", data={"language": "nl", "next": "/about"})
    assert answer.headers["location"] == "/about"
    page = await client.get("/about", headers={"accept-language": "en"})
    assert '<html lang="nl">' in page.text
