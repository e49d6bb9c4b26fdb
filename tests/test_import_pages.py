"""A coordinator imports a file in a real browser, and a new member takes up the invitation."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.importing import table
from tests.site import Site, browser, demo_template, page, sign_in, site

__all__ = ["browser", "demo_template", "page", "site"]
HELENE = "helene@etabli.example"
FILE = (
    table(
        "numéro de membre;adresse mail;nom complet;accroche;code postal;ville;couleur",
        "900001;marie@nouvelle.example;Marie Nouvelle;Cordes et archets;4000;Liège;bleu",
        "900002;pas-une-adresse;Paul Mal;;;;",
        "000001;;;Une accroche venue du registre;;;",
    )
    .decode()
    .encode("cp1252")
)


@pytest.mark.parametrize("has_script", [True, False])
async def test_a_file_is_planned_confirmed_and_invites(
    browser: Browser, site: Site, tmp_path: Path, has_script: bool
) -> None:
    context = await browser.new_context(
        base_url=site.url, locale="fr", java_script_enabled=has_script
    )
    page = await context.new_page()
    await sign_in(page, site, HELENE)
    path = tmp_path / "registre.csv"
    path.write_bytes(FILE)
    await page.goto("/")
    await page.get_by_role("link", name="Importer des membres").click()
    await page.get_by_label("Fichier CSV de votre registre").set_input_files(path)
    await page.get_by_role("button", name="Faire le plan").click()
    await expect(page.get_by_text("Empreinte du plan")).to_be_visible(timeout=20_000)
    await expect(page.get_by_text("Windows-1252")).to_be_visible()
    await expect(page.get_by_text("Colonnes que l’annuaire ne connaît pas")).to_contain_text(
        "couleur"
    )
    await page.get_by_role("link", name="Rejets 1").click()
    await expect(page.locator("#rows")).to_contain_text("« pas-une-adresse » n’est pas une adresse")
    await page.get_by_label("Inviter les personnes ajoutées").check()
    await page.get_by_role("button", name="Appliquer : 1 à ajouter").click()
    await expect(page.get_by_text("L’import est terminé.")).to_be_visible(timeout=20_000)
    await context.close()


async def test_a_file_that_is_none_is_explained_beside_the_field(
    page: Page, site: Site, tmp_path: Path
) -> None:
    await sign_in(page, site, HELENE)
    await page.goto("/members/import")
    await page.get_by_role("button", name="Faire le plan").click()
    field = page.get_by_label("Fichier CSV de votre registre")
    await expect(field).to_have_accessible_description(re.compile("Choisissez un fichier"))
