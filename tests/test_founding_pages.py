"""Proposing and supporting a filière in a real browser, without JavaScript and on a phone."""

import os

from playwright.async_api import Browser, Page

from tests.site import Site, browser, demo_template, page, sign_in, site

__all__ = ["browser", "demo_template", "page", "site"]
SHOTS = os.environ.get("SHOTS")


async def shot(window: Page, name: str) -> None:
    if SHOTS:
        await window.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


async def fits(window: Page) -> bool:
    return bool(await window.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


async def fill(window: Page) -> None:
    await window.get_by_label("Nom en français").fill("Lutherie et archets")
    await window.get_by_label("But en français").fill("Partager un atelier et du bois.")
    await window.get_by_label("Le besoin").fill("Chacun travaille seul.")
    await window.get_by_label("Les premières intentions").fill("Une rencontre à Namur.")


async def test_a_member_proposes_without_javascript(browser: Browser, site: Site) -> None:
    context = await browser.new_context(
        base_url=site.url, locale="fr-BE", java_script_enabled=False,
        viewport={"width": 390, "height": 844},
    )  # fmt: skip
    window = await context.new_page()
    await sign_in(window, site, "awa@etabli.example")
    await window.goto("/filieres")
    await window.get_by_role("link", name="Proposer une filière").click()
    await fill(window)
    await window.get_by_label("Chercher un métier").fill("luthier")
    await window.get_by_role("button", name="Chercher : Métiers").click()
    await window.get_by_role("group", name="Trouvé").get_by_role("checkbox").first.check()
    await shot(window, "propose-390")
    await window.get_by_role("button", name="Proposer cette filière").click()
    await window.wait_for_url("**/filieres/lutherie-et-archets*")
    heading = window.get_by_role("heading", level=1)
    assert await heading.inner_text() == "Lutherie et archets"
    assert await window.get_by_text("Chacun travaille seul.").is_visible()
    await shot(window, "proposed-390")
    await context.close()


async def test_a_proposal_is_supported_on_a_phone(page: Page, site: Site) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await sign_in(page, site, "awa@etabli.example")
    await page.goto("/filieres/propose")
    assert await fits(page)
    assert await page.get_by_label("Chercher un métier").is_visible()
    await page.get_by_label("Filière secteur").check()
    assert not await page.get_by_label("Chercher un métier").is_visible()
    await page.get_by_label("Filière métier").check()
    await fill(page)
    await page.get_by_label("Chercher un métier").press_sequentially("luthier")
    await page.get_by_role("group", name="Trouvé").get_by_role("checkbox").first.check()
    await page.get_by_role("button", name="Proposer cette filière").click()
    await page.wait_for_url("**/filieres/lutherie-et-archets*")
    await page.get_by_role("button", name="Se déconnecter").first.click()
    await sign_in(page, site, "noe@etabli.example")
    await page.goto("/filieres/lutherie-et-archets")
    await page.get_by_label("J’ai une réserve").check()
    await page.get_by_role("button", name="Donner votre avis").click()
    assert await page.get_by_text("Écrivez votre réserve en une phrase").is_visible()
    await page.get_by_label("Je soutiens cette proposition").check()
    await page.get_by_label("En quelques mots").fill("Enfin un lieu pour nos outils.")
    await page.get_by_role("button", name="Donner votre avis").click()
    await page.wait_for_url("**/filieres/lutherie-et-archets*")
    assert await page.get_by_text("Une deuxième personne la soutient.").is_visible()
    assert await fits(page)
    await shot(page, "supported-390")
    await page.set_viewport_size({"width": 1280, "height": 900})
    await shot(page, "supported-1280")
    await page.goto("/filieres/propose")
    await fill(page)
    await page.get_by_role("button", name="Proposer cette filière").click()
    await shot(page, "propose-wrong-1280")
    await page.goto("/filieres?show=proposed")
    await shot(page, "list-1280")
