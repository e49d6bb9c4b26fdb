"""Signing in by a real OpenID Connect provider on the loopback."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import msgspec
import pytest

from directory import operations, settings
from directory.accounts import attempts, provider
from directory.accounts.provider import ProviderRefused
from directory.settings import Settings
from tests import people
from tests.oidc import real
from tests.test_command_line import free_port

SECRET = "s+c/r t=%&:"
CALLBACK = "http://testserver.local/login/oidc/callback"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture
def chosen(tmp_path: Path, port: int) -> Settings:
    return Settings(
        demo=True, name="L’Établi", var_dir=tmp_path, secret_key="x" * 40,
        base_url="http://testserver.local", oidc_issuer=f"http://127.0.0.1:{port}",
        oidc_client_id=real.CLIENT, oidc_client_secret=SECRET, oidc_name="Coop ID",
    )  # fmt: skip


@pytest.fixture(scope="module")
async def issuer(anyio_backend: str, port: int) -> AsyncIterator[str]:
    ours = Settings(base_url="http://testserver.local", oidc_client_secret=SECRET)
    async with real.running(port, ours) as issuer:
        yield issuer


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """The person's cookies at the provider."""
    async with httpx.AsyncClient() as browser:
        yield browser


async def way_back(client: httpx.AsyncClient, browser: httpx.AsyncClient, login: str) -> str:
    """Leave for the provider and sign in there; where it sends the browser back to."""
    left = await client.get("/login/oidc?next=/about")
    assert left.status_code == 303
    return await real.sign_in(browser, left.headers["location"], login, CALLBACK)


async def test_a_verified_address_signs_in_and_the_subject_is_remembered(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    await connection.execute("UPDATE account SET email_confirmed_at = NULL")
    page = await client.get("/login?next=/about")
    assert 'href="/login/oidc?next=/about"' in page.text
    assert "Me connecter avec Coop ID" in page.text
    entered = await client.get(await way_back(client, browser, awa.email))
    assert (entered.status_code, entered.headers["location"]) == (303, "/about")
    cookies = entered.headers.get_list("set-cookie")
    assert all("HttpOnly" in one and "SameSite=lax" in one for one in cookies)
    assert (await client.get("/api/v1/me")).json()["email"] == awa.email
    rows = await connection.fetch("SELECT issuer, subject, account_id FROM identity")
    assert [tuple(row) for row in rows] == [(issuer, awa.email, awa.account_id)]
    assert await connection.fetchval("SELECT email_confirmed_at FROM account") is not None
    actions = await connection.fetch("SELECT action FROM audit_entry ORDER BY id")
    assert [action for (action,) in actions] == ["identity.joined", "session.opened"]


async def test_after_the_first_time_the_subject_counts_and_no_address(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str,
) -> None:  # fmt: skip
    awa, noe = await people.member(connection), await people.member(connection)
    await client.get(await way_back(client, browser, awa.email))
    old = client.cookies["session"]
    # The addresses change hands in the directory.
    await connection.execute(
        "UPDATE account SET email = 'x@test.example' WHERE id = $1", awa.account_id
    )
    await connection.execute(
        "UPDATE account SET email = $2 WHERE id = $1", noe.account_id, awa.email
    )
    await client.get(await way_back(client, browser, awa.email))
    assert (await client.get("/api/v1/me")).json()["account_id"] == awa.account_id
    client.cookies.clear()
    client.cookies.set("session", old)  # rotated: the one before is closed
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_another_subject_with_the_address_of_a_joined_account_does_not_enter(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    await client.get(await way_back(client, browser, awa.email))
    client.cookies.clear()
    browser.cookies.clear()
    refused = await client.get(await way_back(client, browser, f"{awa.email}|2"))
    assert refused.status_code == 403
    assert (await client.get("/api/v1/me")).status_code == 401


@pytest.mark.parametrize("login", ["nobody@test.example", "{email}|unverified"])
async def test_who_is_not_known_here_gets_one_neutral_page(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str, login: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    address = await way_back(client, browser, login.format(email=awa.email))
    refused = await client.get(address)
    assert refused.status_code == 403
    assert "Aucun compte d’ici ne correspond" in refused.text
    assert awa.email not in refused.text
    assert 'href="/login"' in refused.text
    assert await connection.fetchval("SELECT count(*) FROM identity") == 0
    assert await connection.fetchval("SELECT count(*) FROM session") == 0


async def test_a_disabled_account_does_not_enter_joined_or_not(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    await client.get(await way_back(client, browser, awa.email))
    await connection.execute("UPDATE account SET disabled_at = now()")
    assert (await client.get("/api/v1/me")).status_code == 401
    assert (await client.get(await way_back(client, browser, awa.email))).status_code == 403
    await connection.execute("DELETE FROM identity")
    assert (await client.get(await way_back(client, browser, awa.email))).status_code == 403
    assert await connection.fetchval("SELECT count(*) FROM identity") == 0


async def test_an_answer_counts_once(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    address = await way_back(client, browser, awa.email)
    attempt = client.cookies["attempt"]
    await client.get(address)
    assert "attempt" not in client.cookies
    client.cookies.clear()
    assert (await client.get(address)).status_code == 400
    client.cookies.set("attempt", attempt)
    assert (await client.get(address)).status_code == 400
    # And were its state not spent, the provider would not take the code twice.
    await connection.execute("DELETE FROM spent_state")
    client.cookies.set("attempt", attempt)
    assert (await client.get(address)).status_code == 403
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_wrong_or_missing_state_signs_nobody_in(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    query = parse_qs(urlsplit(await way_back(client, browser, awa.email)).query)
    attempt = client.cookies["attempt"]
    for state in ("", "x", query["state"][0][:-1] + "!", "é" * 50):
        client.cookies.set("attempt", attempt)
        refused = await client.get(
            "/login/oidc/callback", params={"code": query["code"][0], "state": state}
        )
        assert refused.status_code == 400
        assert "Cette tentative a expiré" in refused.text
    assert (await client.get("/api/v1/me")).status_code == 401


@pytest.mark.parametrize("change", ["next", "time", "seed", "shape"])
async def test_a_changed_cookie_no_longer_fits_its_state(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str, change: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    address = await way_back(client, browser, awa.email)
    seed, started_at, path = client.cookies["attempt"].split(".")
    changed = {
        "next": f"{seed}.{started_at}.Ly9ldmlsLnRlc3Q",
        "time": f"{seed}.{int(started_at) + 1}.{path}",
        "seed": f"x{seed}.{started_at}.{path}", "shape": "a.b",
    }  # fmt: skip
    client.cookies.set("attempt", changed[change])
    assert (await client.get(address)).status_code == 400


async def test_an_answer_for_another_browser_signs_nobody_in(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str,
) -> None:  # fmt: skip
    """Whoever is sent somebody else's answer does not find themselves in that account."""
    eve = await people.member(connection)
    address = await way_back(client, browser, eve.email)
    client.cookies.clear()
    assert (await client.get(address)).status_code == 400
    await client.get("/login/oidc")  # one of their own under way
    assert (await client.get(address)).status_code == 400


async def test_an_answer_of_another_issuer_is_refused(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    for swap in ("iss=http%3A%2F%2F127.0.0.1%3A9", "other=1"):
        address = await way_back(client, browser, awa.email)
        before, _, _ = address.partition("iss=")
        assert before != address
        assert (await client.get(before + swap)).status_code == 502
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_an_attempt_that_is_too_old_is_over(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    address = await way_back(client, browser, awa.email)
    monkeypatch.setattr(attempts, "SECONDS", -61)
    assert (await client.get(address)).status_code == 400


async def test_the_provider_refuses_a_verifier_that_is_not_ours(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str, chosen: Settings,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    known = await provider.known(chosen)
    for is_right in (False, True):
        query = parse_qs(urlsplit(await way_back(client, browser, awa.email)).query)
        verifier = attempts._read(client.cookies["attempt"]).verifier
        if is_right:
            assert (await provider.exchange(chosen, known, query["code"][0], verifier)).id_token
            continue
        with pytest.raises(ProviderRefused) as refused:
            await provider.exchange(chosen, known, query["code"][0], "x" * 43)
        assert refused.value.reason == "invalid_grant"


async def test_who_cancels_at_the_provider_is_told_and_stays_out(
    client: httpx.AsyncClient, issuer: str
) -> None:
    left = await client.get("/login/oidc")
    state = parse_qs(urlsplit(left.headers["location"]).query)["state"][0]
    answer = {"error": "access_denied", "state": state, "iss": issuer}
    refused = await client.get("/login/oidc/callback", params=answer)
    assert refused.status_code == 403
    assert "Coop ID n’a pas confirmé votre connexion." in refused.text
    english = {"accept-language": "en"}
    await client.get("/login/oidc")
    lost = await client.get("/login/oidc/callback", params=answer, headers=english)
    assert "This attempt has expired" in lost.text


async def test_an_account_is_parted_from_the_provider_by_its_owner(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    await client.get(await way_back(client, browser, awa.email))
    assert "Votre compte est relié à Coop ID" in (await client.get("/account/sessions")).text
    parted = await client.post("/account/identity/part")
    assert parted.headers["location"] == "/account/sessions?done=parted"
    assert await connection.fetchval("SELECT count(*) FROM identity") == 0
    assert "relié à Coop ID" not in (await client.get("/account/sessions")).text
    assert (await client.post("/account/identity/part")).status_code == 404


async def test_where_no_provider_is_set_there_is_no_way_to_it(
    client: httpx.AsyncClient, chosen: Settings
) -> None:
    settings.use(msgspec.structs.replace(chosen, oidc_issuer="", oidc_client_id=""))
    assert "/login/oidc" not in (await client.get("/login")).text
    assert (await client.get("/login/oidc")).status_code == 404
    assert (await client.get("/login/oidc/callback")).status_code == 404


async def test_the_doctor_reads_the_provider(chosen: Settings, issuer: str) -> None:
    (found,) = await operations._examine_provider(chosen)
    assert found.is_well
    assert CALLBACK in found.words
    slash = msgspec.structs.replace(chosen, oidc_issuer=f"{issuer}/")
    (found,) = await operations._examine_provider(slash)
    assert not found.is_well
    assert "it calls itself" in found.words
    (found,) = await operations._examine_provider(
        msgspec.structs.replace(chosen, oidc_issuer="http://127.0.0.1:9")
    )
    assert "not reached" in found.words
    assert await operations._examine_provider(Settings()) == []


async def test_who_came_by_the_provider_may_sign_out_there_too(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    await client.get(await way_back(client, browser, awa.email))
    left = await client.post("/logout")
    assert (left.status_code, left.headers["location"]) == (303, "/logout/oidc")
    assert (await client.get("/api/v1/me")).status_code == 401
    page = await client.get(left.headers["location"])
    assert "Me déconnecter aussi de Coop ID" in page.text
    link = re.search(f'href="({re.escape(issuer)}[^"]+)"', page.text)
    assert link
    # Still in at the provider: the way back is open without a word. After signing out it is not.
    again = (await client.get("/login/oidc")).headers["location"]
    known = await browser.get(again)
    assert "/interaction/" not in known.headers["location"]
    back = await real.sign_out(browser, html.unescape(link[1]))
    assert back == "http://testserver.local/"
    again = (await client.get("/login/oidc")).headers["location"]
    asked = await browser.get(again)
    assert "/interaction/" in asked.headers["location"]


async def test_who_came_by_mail_is_sent_nowhere_else(
    client: httpx.AsyncClient, connection: asyncpg.Connection, issuer: str
) -> None:
    await people.sign_in(client, await people.member(connection))
    assert (await client.post("/logout")).headers["location"] == "/"


async def test_a_provider_without_a_way_out_or_away_is_named_and_not_linked(
    client: httpx.AsyncClient, browser: httpx.AsyncClient, connection: asyncpg.Connection,
    issuer: str, chosen: Settings,
) -> None:  # fmt: skip
    known = await provider.known(chosen)
    known.metadata = msgspec.structs.replace(known.metadata, end_session_endpoint="")
    page = await client.get("/logout/oidc")
    assert page.status_code == 200
    assert "sur le site de Coop ID" in page.text
    provider._known.clear()
    away = f"http://127.0.0.1:{free_port()}"
    settings.use(msgspec.structs.replace(settings.current(), oidc_issuer=away))
    page = await client.get("/logout/oidc")
    assert page.status_code == 200
    assert "sur le site de Coop ID" in page.text
