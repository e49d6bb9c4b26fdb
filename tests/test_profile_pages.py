"""A member edits their profile, in a real browser."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.site import Site, browser, demo_template, page, sign_in, site

__all__ = ["browser", "demo_template", "page", "site"]
AWA = "awa@etabli.example"


async def open_field(page: Page, name: str) -> None:
    await page.locator(".who a").first.click()
    await page.get_by_role("link", name=f"Modifier : {name}").click()


@pytest.mark.parametrize("has_script", [True, False])
async def test_a_trade_is_picked_by_typing(browser: Browser, site: Site, has_script: bool) -> None:
    context = await browser.new_context(
        base_url=site.url, locale="fr", java_script_enabled=has_script
    )
    page = await context.new_page()
    await sign_in(page, site, AWA)
    await open_field(page, "Métiers")
    await page.get_by_role("searchbox").press_sequentially("illustratrice de pr", delay=10)
    if not has_script:
        await page.get_by_role("searchbox").press("Enter")
    await page.get_by_label("Illustrateur·rice de presse", exact=True).check()
    await page.get_by_label("Les membres").check()
    await page.get_by_role("button", name="Enregistrer").click()
    await expect(page.get_by_role("status")).to_contain_text("Enregistré à")
    await expect(page.locator("#trades")).to_contain_text("Illustrateur·rice de presse")
    await expect(page.locator("#trades .audience")).to_have_text("Les membres")
    await context.close()


async def test_a_day_that_is_past_is_explained_beside_the_field(page: Page, site: Site) -> None:
    await sign_in(page, site, AWA)
    await open_field(page, "Disponibilité")
    await page.get_by_label("Vous êtes").select_option("Disponible")
    await page.get_by_label("Jusqu’au").fill("14/03/2025")
    await page.get_by_role("button", name="Enregistrer").click()
    await expect(page.get_by_label("Jusqu’au")).to_have_accessible_description(
        re.compile("Le 14 mars 2025 est passé. Indiquez une date à venir")
    )
    await expect(page.get_by_label("Jusqu’au")).to_have_value("14/03/2025")
    await expect(page.get_by_label("Jusqu’au")).to_be_focused()


async def test_the_owner_sees_what_others_see(page: Page, site: Site) -> None:
    await sign_in(page, site, AWA)
    await open_field(page, "Nom affiché")
    await page.get_by_label("Les membres").check()
    await page.get_by_role("button", name="Enregistrer").click()
    await expect(page.locator("#display_name .audience")).to_have_text("Les membres")
    await page.get_by_role("link", name="un membre").click()
    await expect(page.locator("h1")).to_have_text("Awa Lemaire")
    await expect(page.get_by_role("link", name="Modifier")).to_have_count(0)
    await page.get_by_role("link", name="tout le monde").click()
    await expect(page.locator("h1")).to_have_text("Rien à voir ici")
