"""Joining as people walk it: in a real browser, with a worker and real mail."""

import re

import asyncpg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.site import LINK, Site, browser, demo_template, sign_in, site
from tests.test_pages import CLEMENCE, SHOTS, WEB

__all__ = ["browser", "demo_template", "site"]
SLUG = WEB.removeprefix("/filieres/")


async def window(browser: Browser, site: Site, email: str, *, scripts: bool = True) -> Page:
    context: BrowserContext = await browser.new_context(
        base_url=site.url, locale="fr-BE", java_script_enabled=scripts
    )
    context.set_default_timeout(10_000)
    page = await context.new_page()
    await sign_in(page, site, email)
    return page


async def look(page: Page, name: str) -> None:
    """Nothing scrolls sideways and nothing is out of reach, on a phone and a wide screen."""
    SHOTS.mkdir(exist_ok=True)
    for width in (390, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth"), name
    found = await Axe().run(page)
    grave = [
        f"{name}: {violation['id']} {violation['nodes'][0]['html'][:120]}"
        for violation in found.response["violations"]
        if violation["impact"] in {"serious", "critical"}
    ]
    assert grave == []


@pytest.fixture
async def asker(site: Site) -> str:
    """The address of somebody who is in other filières, one place free, and would come in."""
    connection = await asyncpg.connect(site.database)
    await connection.execute("UPDATE filiere SET openness = 'approval' WHERE slug = $1", SLUG)
    email: str = await connection.fetchval(
        "SELECT a.email::text FROM account a JOIN member m ON m.account_id = a.id "
        "WHERE m.left_on IS NULL AND (SELECT count(*) FROM membership s WHERE s.member_id = m.id "
        "AND s.left_at IS NULL) = 2 AND NOT EXISTS (SELECT FROM membership s JOIN filiere f "
        "ON f.id = s.filiere_id WHERE s.member_id = m.id AND f.slug = $1 AND s.left_at IS NULL) "
        "ORDER BY m.id LIMIT 1",
        SLUG,
    )
    await connection.close()
    return email


async def test_asking_being_told_to_free_a_place_and_changing_filieres(
    browser: Browser, site: Site, asker: str
) -> None:
    page = await window(browser, site, asker)
    await page.goto(WEB)
    await look(page, "ask")
    await page.get_by_label("Ce qui vous amène").fill("Je fais des sites depuis dix ans.")
    await page.get_by_label(re.compile("J’accepte la")).check()
    await page.get_by_role("button", name="Envoyer ma demande").click()
    await expect(page.get_by_text("attend une réponse")).to_be_visible()
    await look(page, "asked")

    mails = await site.mails(CLEMENCE)
    assert "Je fais des sites depuis dix ans." in site.text(mails[0])
    animator = await window(browser, site, CLEMENCE)
    await animator.goto(next(link for link in LINK.findall(site.text(mails[0])) if "/requ" in link))
    await look(animator, "requests")
    await animator.goto(f"{WEB}/invitations?q=an")
    await look(animator, "invitations")
    await animator.goto(f"{WEB}/requests")

    # Meanwhile the last place is taken elsewhere.
    await page.goto("/filieres")
    others = page.locator(".section a[href^='/filieres/']")
    await look(page, "own-filieres")
    assert await others.count() > 3
    connection = await asyncpg.connect(site.database)
    await connection.execute(
        "INSERT INTO membership (filiere_id, member_id) SELECT f.id, m.id FROM filiere f, member m "
        "JOIN account a ON a.id = m.account_id WHERE a.email = $1 AND f.stage = 'active' "
        "AND f.slug <> $2 AND NOT EXISTS (SELECT FROM membership s WHERE s.member_id = m.id "
        "AND s.filiere_id = f.id AND s.left_at IS NULL) LIMIT 1",
        asker, SLUG,
    )  # fmt: skip
    await connection.close()
    await animator.get_by_role("button", name="Accepter").click()
    await expect(animator.get_by_text("Accord donné").first).to_be_visible()
    await site.mails(asker, 2)
    await page.goto(WEB)
    await look(page, "approved-and-full")
    await page.locator("input[name=leaving]").first.check()
    await page.get_by_label(re.compile("J’accepte la")).check()
    await page.get_by_role("button", name="Quitter l’autre et rejoindre celle-ci").click()
    await expect(page.get_by_text("Vous êtes dans la filière.")).to_be_visible()
    await page.get_by_role("link", name="Voir qui est dans la filière").click()
    await look(page, "filiere-members")
    await page.get_by_label("Un nom").fill("zzzz")
    await page.get_by_role("button", name="Chercher").click()
    await expect(page.get_by_text("Personne ici ne porte ce nom.")).to_be_visible()


async def test_inviting_and_coming_in_without_javascript(
    browser: Browser, site: Site, asker: str
) -> None:
    animator = await window(browser, site, CLEMENCE, scripts=False)
    await animator.goto(WEB)
    await animator.get_by_role("link", name="Inviter des membres").click()
    await animator.get_by_label("Adresse mail d’un membre").fill("pas une adresse")
    await animator.get_by_role("button", name="Envoyer l’invitation").click()
    await expect(animator.get_by_text("Écrivez une adresse")).to_be_visible()
    await animator.get_by_label("Adresse mail d’un membre").fill(asker)
    await animator.get_by_label("Un mot avec l’invitation").last.fill("Venez nous voir.")
    await animator.get_by_role("button", name="Envoyer l’invitation").click()
    await expect(animator.get_by_text("L’invitation part par mail")).to_be_visible()
    await animator.get_by_label("Un nom").fill("a")
    await animator.get_by_role("button", name="Chercher").click()
    mails = await site.mails(asker)
    page = await window(browser, site, asker, scripts=False)
    await page.goto(next(link for link in LINK.findall(site.text(mails[0])) if SLUG in link))
    await expect(page.get_by_text("Venez nous voir.")).to_be_visible()
    await page.get_by_label(re.compile("J’accepte la")).check()
    await page.get_by_role("button", name="Rejoindre la filière").click()
    await expect(page.get_by_text("Vous êtes dans la filière.")).to_be_visible()
