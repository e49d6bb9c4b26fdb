"""A link knows the browser that asked for it, and asking tells nothing of who is known."""

import os
import re
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import asyncpg
import httpx
import msgspec
import pytest
from litestar import Litestar
from playwright.async_api import Browser, Page, expect

from directory import jobs, settings
from directory.accounts import login, provider
from directory.accounts.login import LoginAsked
from directory.demo import mailbox
from tests import people
from tests.oidc import real
from tests.site import LINK, Site, browser, demo_template, page, sign_in, site
from tests.test_accounts import post_office
from tests.test_command_line import free_port

__all__ = ["browser", "demo_template", "page", "post_office", "site"]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
async def other(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """Another browser, in another network."""
    transport = httpx.ASGITransport(app=cast(Any, app), client=("198.51.100.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver.local") as other:
        yield other


async def asked(connection: asyncpg.Connection) -> list[LoginAsked]:
    """What waits for the worker."""
    rows = await connection.fetch("SELECT payload FROM pgqueuer ORDER BY id")
    return [msgspec.json.decode(row["payload"], type=LoginAsked) for row in rows]


async def delivered(connection: asyncpg.Connection, email: str) -> str:
    """The path of the link, once the worker has sent what was asked last."""
    await login.send_link((await asked(connection))[-1])
    body = mailbox.get_mail(mailbox.list_letters(email)[0][0].name).get_body(("plain",))
    assert body
    found = re.search(r"http://testserver\.local(/login/\S+)", body.get_content())
    assert found
    return found[1]


async def is_in(client: httpx.AsyncClient) -> bool:
    return (await client.get("/api/v1/me")).status_code == 200


async def test_in_the_browser_that_asked_one_click_signs_in(
    client: httpx.AsyncClient, connection: asyncpg.Connection, post_office: None
) -> None:
    awa = await people.member(connection)
    answer = await client.post("/login", data={"email": awa.email, "next": "/about"})
    (cookie,) = answer.headers.get_list("set-cookie")
    assert {"HttpOnly", "SameSite=lax", "Max-Age=3600"} <= set(cookie.split("; "))
    secret = client.cookies["browser"]
    path = await delivered(connection, awa.email)
    kept = await connection.fetchval("SELECT browser_hash FROM login_link")
    assert len(kept) == 32
    assert secret.encode() not in kept
    shown = await client.get(path)
    assert "Encore un clic" in shown.text
    assert awa.email in shown.text
    entered = await client.post(path)
    assert (entered.status_code, entered.headers["location"]) == (303, "/about")
    assert await is_in(client)


async def test_every_link_that_one_browser_asked_for_is_of_that_browser(
    client: httpx.AsyncClient, connection: asyncpg.Connection, post_office: None
) -> None:
    awa = await people.member(connection)
    await client.post("/login", data={"email": awa.email})
    first = await delivered(connection, awa.email)
    await client.post("/login", data={"email": awa.email})
    assert "Encore un clic" in (await client.get(first)).text


@pytest.mark.parametrize("content", ["", "address=", "address=eve%40test.example", "address=%ff"])
async def test_in_another_browser_nobody_enters_who_was_not_shown_the_address(
    client: httpx.AsyncClient, other: httpx.AsyncClient, connection: asyncpg.Connection,
    post_office: None, content: str,
) -> None:  # fmt: skip
    eve = await people.member(connection)
    await client.post("/login", data={"email": eve.email})
    path = await delivered(connection, eve.email)
    for cookie in ("", "x", "x" * 5000, "%C3"):
        headers = FORM | {"cookie": f"browser={cookie}"}
        answer = await other.post(path, content=content, headers=headers)
        assert answer.status_code in {400, 409}
        assert not await is_in(other)
    shown = await other.get(path)
    assert "Ce lien n’a pas été demandé dans ce navigateur" in shown.text
    assert f"Vous entrerez avec l’adresse <b>{eve.email}</b>" in shown.text


async def test_in_another_browser_the_address_is_shown_and_a_click_signs_in(
    client: httpx.AsyncClient, other: httpx.AsyncClient, connection: asyncpg.Connection,
    post_office: None,
) -> None:  # fmt: skip
    awa, noe = await people.member(connection), await people.member(connection)
    await people.sign_in(other, noe)
    noes = other.cookies["session"]
    await client.post("/login", data={"email": awa.email})
    path = await delivered(connection, awa.email)
    shown = await other.get(path)
    assert f"Votre connexion avec {noe.email} sera fermée." in shown.text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
    entered = await other.post(path, data={"address": fields["address"]})
    assert entered.status_code == 303
    assert (await other.get("/api/v1/me")).json()["email"] == awa.email
    other.cookies.clear()
    other.cookies.set("session", noes)  # what the browser had before is closed
    assert not await is_in(other)
    assert not await is_in(client)


async def test_another_site_cannot_sign_somebody_in_by_its_own_link(
    client: httpx.AsyncClient, other: httpx.AsyncClient, connection: asyncpg.Connection,
    post_office: None,
) -> None:  # fmt: skip
    eve = await people.member(connection)
    await client.post("/login", data={"email": eve.email})
    path = await delivered(connection, eve.email)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.test"}):
        answer = await other.post(path, data={"address": eve.email}, headers=headers)
        assert answer.status_code == 403
    assert not await is_in(other)


async def test_a_link_of_an_account_that_was_disabled_since_is_none(
    client: httpx.AsyncClient, connection: asyncpg.Connection, post_office: None
) -> None:
    awa = await people.member(connection)
    await client.post("/login", data={"email": awa.email})
    path = await delivered(connection, awa.email)
    await connection.execute("UPDATE account SET disabled_at = now()")
    assert (await client.get(path)).status_code == 410
    assert (await client.post(path)).status_code == 410


async def test_a_network_that_asks_too_often_is_told_beside_the_field_whoever_it_asks_for(
    client: httpx.AsyncClient, other: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    for number in range(login.ASKS_OF_A_NETWORK.most):
        answer = await client.post("/login", data={"email": f"n{number}@test.example"})
        assert answer.status_code == 200
    jobs_before = len(await asked(connection))
    for email in (awa.email, "rien@test.example"):
        answer = await client.post("/login", data={"email": email, "next": "/about"})
        assert answer.status_code == 429
        assert "Trop de demandes à la suite" in answer.text
        assert f'value="{email}"' in answer.text
        assert 'value="/about"' in answer.text
        assert 'aria-invalid="true"' in answer.text
    assert len(await asked(connection)) == jobs_before
    assert (await other.post("/login", data={"email": awa.email})).status_code == 200


async def test_the_limit_of_an_address_is_told_to_nobody(
    client: httpx.AsyncClient, connection: asyncpg.Connection, post_office: None
) -> None:
    awa = await people.member(connection)
    answers = set()
    for email in (awa.email, "rien@test.example"):
        for _ in range(login.LINKS_AT_ONCE + 2):
            answer = await client.post("/login", data={"email": email})
            await login.send_link((await asked(connection))[-1])
            answers.add((answer.status_code, answer.text.replace(email, "x")))
    assert len(answers) == 1
    assert mailbox.list_letters()[1] == login.LINKS_AT_ONCE


async def test_a_known_address_takes_no_longer_than_an_unknown_one(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    """Whatever the noise: neither is looked up before the answer, so no statement differs."""
    awa = await people.member(connection)
    times: dict[str, list[float]] = {awa.email: [], "rien22@test.example": []}
    for _ in range(25):
        for email, taken in times.items():
            began = time.perf_counter()
            assert (await client.post("/login", data={"email": email})).status_code == 200
            taken.append(time.perf_counter() - began)
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert abs(known - unknown) < max(known, unknown) / 2
    assert await connection.fetchval("SELECT count(*) FROM login_link") == 0


async def test_an_ask_from_before_this_version_still_gets_its_link(
    client: httpx.AsyncClient, connection: asyncpg.Connection, post_office: None
) -> None:
    awa = await people.member(connection)
    old = b'{"email": "%s", "next_path": "/", "language": "fr"}' % awa.email.encode()
    await jobs._handlers["directory.accounts.login.send_link"](old)
    assert mailbox.list_letters(awa.email)[1] == 1
    assert await connection.fetchval("SELECT browser_hash FROM login_link") == b""


async def test_on_a_phone_that_reads_the_mail_of_another_browser(
    page: Page, browser: Browser, site: Site
) -> None:
    email = "awa@etabli.example"
    await page.goto("/login")
    await page.get_by_label("Adresse mail").fill(email)
    await page.get_by_role("button", name="M’envoyer un lien").click()
    await expect(page.locator("h1")).to_have_text("Regardez vos mails")
    link = LINK.findall(site.text((await site.mails(email))[0]))[0]
    phone = await browser.new_context(
        base_url=site.url, locale="fr", viewport={"width": 390, "height": 800},
        java_script_enabled=False,
    )  # fmt: skip
    there = await phone.new_page()
    await there.goto(link)
    await expect(there.locator("h1")).to_have_text("Est-ce bien vous ?")
    await expect(there.locator("main")).to_contain_text(email)
    if folder := os.environ.get("SHOTS"):
        await there.screenshot(path=f"{folder}/enter.png", full_page=True)
    await there.get_by_role("button", name="Me connecter").click()
    await there.goto("/account/sessions")
    await expect(there.locator("main li")).to_have_count(1)
    await phone.close()
    # The link has served.
    await page.goto(link)
    await expect(page.locator("h1")).to_have_text("Ce lien ne sert plus")


async def test_a_person_ends_what_they_do_not_recognise(
    page: Page, browser: Browser, site: Site
) -> None:
    email = "awa@etabli.example"
    await sign_in(page, site, email)
    lost = await browser.new_context(base_url=site.url, locale="fr")
    there = await lost.new_page()
    await sign_in(there, site, email)
    await expect(there.locator(".who")).to_contain_text("Awa")
    await page.goto("/account/sessions")
    if folder := os.environ.get("SHOTS"):
        await page.screenshot(path=f"{folder}/sessions.png", full_page=True)
        await page.set_viewport_size({"width": 390, "height": 800})
        await page.screenshot(path=f"{folder}/sessions-phone.png", full_page=True)
    await page.get_by_role("button", name="Fermer :").click()
    await expect(page.get_by_role("status")).to_contain_text("Cette connexion est fermée.")
    await expect(page.locator("main li")).to_have_count(1)
    await there.goto("/preferences")
    await expect(there.locator("h1")).to_have_text("Connectez-vous pour continuer")
    await lost.close()


async def test_a_person_signs_in_by_the_provider_in_a_browser(page: Page, site: Site) -> None:
    """The provider is another site for the browser: 127.0.0.1 there, localhost here."""
    ours = msgspec.structs.replace(
        settings.current(), oidc_client_id=real.CLIENT, oidc_client_secret="secret",
        oidc_name="Coop ID", oidc_issuer=f"http://127.0.0.1:{(other := free_port())}",
    )  # fmt: skip
    async with real.running(other, ours):
        settings.use(ours)
        await page.goto("/login?next=/preferences")
        if folder := os.environ.get("SHOTS"):
            await page.screenshot(path=f"{folder}/login.png", full_page=True)
        await page.get_by_role("link", name="Me connecter avec Coop ID").click()
        await page.get_by_placeholder("Enter any login").fill("awa@etabli.example")
        await page.get_by_placeholder("and password").fill("x")
        await page.get_by_role("button", name="Sign-in").click()
        await page.get_by_role("button", name="Continue").click()
        await expect(page).to_have_url(f"{site.url}/preferences")
        await expect(page.locator(".who")).to_contain_text("Awa")
        await page.go_back()  # the provider's page of consent is over, and so is the answer
        await page.goto("/account/sessions")
        await expect(page.locator("main")).to_contain_text("Votre compte est relié à Coop ID")
    # Away by now: said, and the other way in is offered.
    await page.get_by_role("button", name="Se déconnecter").click()
    provider._known.clear()
    answer = await page.request.get("/login/oidc")
    assert answer.status == 503
    await page.goto("/login")
    await expect(page.get_by_role("button", name="M’envoyer un lien")).to_be_visible()
