"""The thin line of the service, as people walk it: in a real browser, by real mail."""

import re
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.site import LINK, Site, browser, demo_template, page, sign_in, site

__all__ = ["browser", "demo_template", "page", "site"]
SHOTS = Path(__file__).parent / "screenshots"


async def test_a_search_answers_as_one_types_and_the_address_follows(page: Page) -> None:
    await page.goto("/")
    everybody = await page.locator("#tally b").inner_text()
    await page.locator("#q").press_sequentially("graphiste", delay=20)
    await expect(page).to_have_url(re.compile(r"q=graphiste"))
    await expect(page.locator("#tally b")).not_to_have_text(everybody)
    await expect(page.locator("#results mark").first).to_be_visible()
    await page.locator("#facets input[name=language]").first.check()
    await expect(page).to_have_url(re.compile(r"language="))
    await expect(page.locator("#results .chip")).to_be_visible()
    await page.go_back()
    await expect(page.locator("#results .chip")).to_have_count(0)


async def test_the_search_works_without_javascript(browser: Browser, site: Site) -> None:
    context = await browser.new_context(base_url=site.url, locale="fr", java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/")
    await page.locator("#q").fill("graphiste")
    await page.get_by_role("button", name="Chercher").click()
    await expect(page).to_have_url(re.compile(r"q=graphiste"))
    await expect(page.locator(".entry").first).to_be_visible()
    await context.close()


async def test_a_link_signs_in_once(page: Page, site: Site) -> None:
    await sign_in(page, site, "awa@etabli.example")
    await expect(page.locator(".who")).to_contain_text("Awa")
    letters = await site.mails("awa@etabli.example")
    link = next(link for link in LINK.findall(site.text(letters[0])) if "/login/" in link)
    await page.get_by_role("button", name="Se déconnecter").click()
    await page.goto(link)
    await expect(page.locator("h1")).to_have_text("Ce lien ne sert plus")
