"""The page of one's mails in a real browser, signed in and by the link of a mail."""

from datetime import timedelta

import asyncpg
from playwright.async_api import Page, expect

from directory.subscriptions import links, pauses
from tests.site import LINK, Site, browser, demo_template, page, sign_in, site
from tests.test_privacy_pages import SHOTS, looked_at

__all__ = ["browser", "demo_template", "page", "site"]  # fixtures
AWA, HELENE = "awa@etabli.example", "helene@etabli.example"
SECRET = b"x" * 40


async def member_id(site: Site, email: str) -> int:
    connection = await asyncpg.connect(site.database)
    found: int = await connection.fetchval(
        "SELECT m.id FROM member m JOIN account a ON a.id = m.account_id WHERE a.email = $1", email
    )
    await connection.close()
    return found


async def test_a_member_chooses_rhythms_pauses_and_reads_what_they_said(
    page: Page, site: Site
) -> None:
    SHOTS.mkdir(exist_ok=True)
    await sign_in(page, site, AWA)
    await page.goto("/preferences")
    await looked_at(page, "mails-signed-in")
    first = page.get_by_role("radiogroup").first
    await first.get_by_label("résumé du lundi").check()
    await page.get_by_role("button", name="Enregistrer mes choix").click()
    await expect(page.get_by_text("Vos choix sont enregistrés.")).to_be_visible()
    await expect(first.get_by_label("résumé du lundi")).to_be_checked()
    day = pauses.today() + timedelta(days=30)
    await page.get_by_label("Ne plus rien recevoir avant le").fill(day.isoformat())
    await page.get_by_role("button", name="Faire une pause").click()
    await expect(page.get_by_text("Vous ne recevez rien avant le")).to_be_visible()
    await looked_at(page, "mails-paused")
    await page.get_by_role("button", name="Reprendre maintenant").click()
    await page.get_by_role("link", name="Le registre complet").click()
    await looked_at(page, "mails-history")
    await expect(page.get_by_text("Changé,").first).to_be_visible()
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Tableau (CSV)").click()
    assert (await downloading.value).suggested_filename == "consents.csv"


async def test_by_the_link_of_a_mail_one_stops_and_comes_back_by_ones_own_mailbox(
    page: Page, site: Site
) -> None:
    SHOTS.mkdir(exist_ok=True)
    path = links.preferences_path(SECRET, await member_id(site, AWA))
    await page.goto(path)
    await looked_at(page, "mails-by-link")
    await page.get_by_role("button", name="Arrêter tous les mails de filière").click()
    await expect(page.get_by_text("ces mails sont arrêtés")).to_be_visible()
    before = len(await site.mails(AWA, 0))
    await page.get_by_role("button", name="Recevoir un lien pour revenir").click()
    letters = await site.mails(AWA, before + 1)
    await page.goto(next(one for one in LINK.findall(site.text(letters[0])) if "/return/" in one))
    await looked_at(page, "mails-return")
    await page.get_by_role("button", name="Recevoir ces mails à nouveau").click()
    await expect(page.get_by_text("Vos choix d’avant valent de nouveau.")).to_be_visible()


async def test_a_coordinator_looks_for_a_proof(page: Page, site: Site) -> None:
    SHOTS.mkdir(exist_ok=True)
    awa = await member_id(site, AWA)
    connection = await asyncpg.connect(site.database)
    await connection.execute(
        "WITH g AS (INSERT INTO mailing (topic, state, subject, body, started_at) SELECT "
        "topic, 'sent', 'Un prix juste', 'Bonjour', now() FROM consent WHERE member_id = $1 "
        "ORDER BY ledger_id LIMIT 1 RETURNING id), f AS (INSERT INTO mailing_filiere "
        "SELECT g.id, c.filiere_id FROM g, consent c WHERE c.member_id = $1 "
        "ORDER BY c.ledger_id LIMIT 1) INSERT INTO delivery (mailing_id, member_id, consent_id, "
        "state, sent_at) SELECT g.id, $1, c.ledger_id, 'sent', now() FROM g, consent c "
        "WHERE c.member_id = $1 ORDER BY c.ledger_id LIMIT 1",
        awa,
    )
    await connection.close()
    await sign_in(page, site, HELENE)
    await page.get_by_role("link", name="Preuves").click()
    await page.get_by_label("Numéro de sa fiche").fill(str(awa))
    await page.get_by_role("button", name="Voir ses mails").click()
    await page.get_by_role("link", name="Un prix juste").click()
    await looked_at(page, "proof")
    await expect(page.get_by_text("la personne elle-même, connectée")).to_be_visible()
