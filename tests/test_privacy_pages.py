"""One's own data in a real browser, with the worker and the mails: a copy, an erasure, undone."""

import re
import zipfile
from pathlib import Path

import asyncpg
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.site import LINK, Site, browser, demo_template, page, sign_in, site

__all__ = ["browser", "demo_template", "page", "site"]  # fixtures

CLEMENCE = "clemence@etabli.example"
SHOTS = Path("/tmp/filieres-shots")


async def looked_at(page: Page, name: str) -> None:
    """No serious fault of accessibility, nothing beside the screen of a phone; and a picture."""
    for width in (390, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        found = await Axe().run(page)
        serious = [
            f"{violation['id']} {violation['nodes'][0]['html'][:120]}"
            for violation in found.response["violations"]
            if violation["impact"] in {"serious", "critical"}
        ]
        assert serious == [], name


async def alone(site: Site) -> None:
    """Nobody animates beside Clémence."""
    connection = await asyncpg.connect(site.database)
    mine = "SELECT m.id FROM member m JOIN account a ON a.id = m.account_id WHERE a.email = $1"
    await connection.execute(f"DELETE FROM mandate WHERE member_id NOT IN ({mine})", CLEMENCE)
    await connection.execute(
        "DELETE FROM access_grant WHERE role = 'animator' AND account_id NOT IN "
        "(SELECT id FROM account WHERE email = $1)",
        CLEMENCE,
    )
    await connection.close()


async def link(site: Site, count: int, word: str) -> str:
    letters = await site.mails(CLEMENCE, count)
    links = LINK.findall(site.text(letters[0]))
    found: str = next(one for one in links if word in one)
    return found


async def test_a_member_takes_a_copy_with_the_link_of_a_mail(page: Page, site: Site) -> None:
    await sign_in(page, site, CLEMENCE)
    await page.goto("/account/data")
    await looked_at(page, "data")
    await page.get_by_role("button", name="Préparer une copie").click()
    # The part that says how far it is comes again by itself.
    await expect(page.get_by_role("link", name="Télécharger")).to_be_visible(timeout=30_000)
    await looked_at(page, "data-ready")
    await page.goto(await link(site, 2, "/account/data"))
    async with page.expect_download() as waited:
        await page.get_by_role("link", name="Télécharger").click()
    download = await waited.value
    assert re.fullmatch(r"donnees-\d{4}-\d\d-\d\d-\d+\.zip", download.suggested_filename)
    folder = site.var_dir / "copy"
    with zipfile.ZipFile(await download.path()) as archive:
        archive.extractall(folder)
    await page.goto((folder / "index.html").as_uri())
    await expect(page.get_by_role("heading", name="Votre fiche")).to_be_visible()
    await looked_at(page, "copy")


async def test_a_member_asks_to_be_erased_confirms_by_mail_and_changes_their_mind(
    page: Page, site: Site
) -> None:
    await alone(site)
    await sign_in(page, site, CLEMENCE)
    await page.goto("/account/data")
    await expect(page.get_by_text("Vous animez seul·e Métiers du web.")).to_be_visible()
    await page.get_by_role("button", name="Demander l’effacement de mon compte").click()
    await expect(page.get_by_text(f"Un mail part à {CLEMENCE}.")).to_be_visible()
    await page.goto(await link(site, 2, "/erasure/"))
    await looked_at(page, "confirm")
    await page.get_by_role("button", name="Effacer mon compte dans 14 jours").click()
    await expect(page.get_by_role("heading", name="C’est confirmé")).to_be_visible()
    await page.goto("/account/data")
    await expect(page.get_by_role("heading", name="Effacement prévu")).to_be_visible()
    await looked_at(page, "planned")
    staff = await site.mails("helene@etabli.example", 1)
    assert "n’anime plus cette filière" in staff[0].subject
    await page.goto(await link(site, 3, "/erasure/keep/"))
    await looked_at(page, "keep")
    await page.get_by_role("button", name="Garder mon compte").click()
    await expect(page.get_by_role("heading", name="Aucun effacement n’est prévu")).to_be_visible()
    await page.goto("/account/data")
    await expect(page.get_by_role("heading", name="Effacement prévu")).to_have_count(0)
