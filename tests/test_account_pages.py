"""A token and a role, as people handle them: in a real browser, by real mail."""

import httpx
from playwright.async_api import Browser, Page, expect

from directory.accounts import tokens
from tests.site import Site, browser, demo_template, page, sign_in, site

__all__ = ["browser", "demo_template", "page", "site"]
AWA, ADMIN = "awa@etabli.example", "admin@etabli.example"


async def test_a_member_makes_a_token_copies_it_and_revokes_it(page: Page, site: Site) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await sign_in(page, site, AWA)
    await page.locator(".who").get_by_role("link", name="Compte").click()
    await page.get_by_role("link", name="Jetons d’API").click()
    await page.get_by_label("À quoi sert-il").fill("Tableur")
    await page.get_by_label("Lire l’annuaire").check()
    await page.get_by_role("button", name="Créer le jeton").click()
    await page.get_by_role("button", name="Copier le jeton").click()
    await expect(page.get_by_text("Le jeton est copié.")).to_be_visible()
    secret = await page.evaluate("navigator.clipboard.readText()")
    assert tokens.is_well_formed(secret)
    headers = {"authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers) as program:
        assert (await program.get("/api/v1/me")).json()["email"] == AWA
        letters = await site.mails(AWA, 2)
        assert letters[0].subject == "Un jeton a été créé sur votre compte"
        await page.goto("/account/tokens")
        assert secret not in await page.content()
        await page.get_by_role("button", name="Révoquer").click()
        await expect(page.get_by_role("status")).to_contain_text("Le jeton est révoqué")
        assert (await program.get("/api/v1/me")).status_code == 401
    await page.goto("/account/activity")
    await expect(page.locator(".lines li").first).to_contain_text("Jeton d’API révoqué")


async def test_an_administrator_gives_a_role_without_javascript(
    browser: Browser, site: Site
) -> None:
    context = await browser.new_context(base_url=site.url, locale="fr", java_script_enabled=False)
    page = await context.new_page()
    await sign_in(page, site, ADMIN)
    await page.get_by_role("link", name="Rôles").click()
    await page.get_by_label("À qui").fill("rien@etabli.example")
    await page.get_by_label("Animation d’une filière").check()
    await page.get_by_label("Dans quelle filière").select_option("metiers-du-web")
    await page.get_by_role("button", name="Donner ce rôle").click()
    await expect(page.get_by_label("À qui")).to_have_attribute("aria-invalid", "true")
    await page.get_by_label("À qui").fill(AWA)
    await page.get_by_role("button", name="Donner ce rôle").click()
    await expect(page.get_by_role("status")).to_have_text("Le rôle est donné.")
    await page.get_by_role("link", name="Journal").click()
    await expect(page.locator(".lines li").first).to_contain_text("Concerne Awa Lemaire")
    await context.close()
