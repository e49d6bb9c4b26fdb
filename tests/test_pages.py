"""The thin line of the service, as people walk it: in a real browser, by real mail."""

import asyncio
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import asyncpg
import httpx
import icalendar
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.site import LINK, Site, browser, demo_template, page, sign_in, site

__all__ = ["browser", "demo_template", "page", "site"]
AWA, NOE, CLEMENCE = "awa@etabli.example", "noe@etabli.example", "clemence@etabli.example"
WEB = "/filieres/metiers-du-web"
HELENE = "helene@etabli.example"
SHOTS = Path(__file__).parent / "screenshots"
SCHEMES: dict[str, Literal["light", "dark"]] = {"light": "light", "dark": "dark"}


async def test_a_search_answers_as_one_types_and_the_address_follows(page: Page) -> None:
    await page.goto("/")
    everybody = await page.locator("#tally b").inner_text()
    await page.locator("#q").press_sequentially("graphiste", delay=20)
    await expect(page).to_have_url(re.compile(r"q=graphiste"))
    await expect(page.locator("#tally b")).not_to_have_text(everybody)
    await expect(page.locator("#results mark").first).to_be_visible()
    await page.locator("#facets input[name=language]").first.check()
    await expect(page).to_have_url(re.compile(r"language="))
    await expect(page.locator("#results .chip:not(.ours)")).to_be_visible()
    await page.go_back()
    await expect(page.locator("#results .chip:not(.ours)")).to_have_count(0)


async def test_the_search_works_without_javascript(browser: Browser, site: Site) -> None:
    context = await browser.new_context(base_url=site.url, locale="fr", java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/")
    await page.locator("#q").fill("graphiste")
    await page.get_by_role("button", name="Chercher").click()
    await expect(page).to_have_url(re.compile(r"q=graphiste"))
    await expect(page.locator(".entry").first).to_be_visible()
    await context.close()


async def test_on_a_phone_the_filters_are_a_sheet_that_tells_what_will_be_found(
    page: Page,
) -> None:
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.goto("/")
    await page.get_by_role("button", name="Filtres").click()
    await page.locator("#facets input[name=language]").nth(1).check()
    await expect(page.locator("#apply")).to_have_text(re.compile(r"Voir les \d+ membres"))
    await expect(page.locator("#filters")).to_be_visible()
    await page.locator("#apply").click()
    await expect(page.locator("#filters")).to_be_hidden()
    await expect(page.locator("#results .chip:not(.ours)")).to_be_visible()


async def test_a_link_signs_in_once(page: Page, site: Site) -> None:
    await sign_in(page, site, "awa@etabli.example")
    await expect(page.locator(".who")).to_contain_text("Awa")
    letters = await site.mails("awa@etabli.example")
    link = next(link for link in LINK.findall(site.text(letters[0])) if "/login/" in link)
    await page.get_by_role("button", name="Se déconnecter").click()
    await page.goto(link)
    await expect(page.locator("h1")).to_have_text("Ce lien ne sert plus")


async def test_a_member_joins_a_filiere_and_agrees_to_one_topic(page: Page, site: Site) -> None:
    await sign_in(page, site, AWA)
    await page.goto(WEB)
    row = page.get_by_role("radiogroup", name="Formations")
    await row.get_by_label("tout de suite").check()
    await page.get_by_label(re.compile("J’accepte la")).check()
    await page.get_by_role("button", name="Rejoindre la filière").click()
    await expect(page.get_by_role("button", name="Quitter la filière")).to_be_visible()
    connection = await asyncpg.connect(site.database)
    rows = await connection.fetch(
        """
        SELECT l.topic, l.act, l.rhythm, w.text FROM consent_ledger l
        JOIN consent_wording w ON w.id = l.wording_id
        JOIN filiere f ON f.id = l.filiere_id JOIN member m ON m.id = l.member_id
        JOIN account a ON a.id = m.account_id
        WHERE a.email = $1 AND f.slug = 'metiers-du-web'
        """,
        AWA,
    )
    await connection.close()
    assert [tuple(row)[:3] for row in rows] == [("trainings", "given", "at_once")]
    assert rows[0]["text"]


async def test_the_fourth_filiere_is_refused_with_what_could_be_left(
    page: Page, site: Site
) -> None:
    await sign_in(page, site, NOE)
    await page.goto("/filieres/alimentation")
    await expect(page.locator("#join")).to_contain_text("Vous êtes déjà dans 3 filières")
    await expect(page.locator("#join")).to_contain_text("Métiers du web")
    # The way out is offered: leave one and join this one, in one step.
    await page.get_by_role("radio", name="Métiers du web").check()
    await page.get_by_role("button", name="Quitter l’autre et rejoindre celle-ci").click()
    await expect(page.get_by_role("button", name="Quitter la filière")).to_be_visible()


async def test_an_announcement_reaches_those_who_chose_it_once_and_can_be_stopped(
    page: Page, site: Site
) -> None:
    connection = await asyncpg.connect(site.database)
    wanted = {
        email
        for (email,) in await connection.fetch(
            """
            SELECT a.email::text FROM consent c JOIN filiere f ON f.id = c.filiere_id
            JOIN member m ON m.id = c.member_id JOIN account a ON a.id = m.account_id
            JOIN membership s ON s.member_id = m.id AND s.filiere_id = f.id AND s.left_at IS NULL
            LEFT JOIN mail_pause p ON p.member_id = m.id AND p.until > current_date
            LEFT JOIN suppression x ON x.email = a.email
            WHERE f.slug = 'metiers-du-web' AND c.topic = 'trainings' AND c.rhythm = 'at_once'
              AND m.left_on IS NULL AND a.disabled_at IS NULL AND p.until IS NULL
              AND x.email IS NULL AND a.email_confirmed_at IS NOT NULL
            """
        )
    }
    assert wanted
    await sign_in(page, site, CLEMENCE)
    await page.goto("/mailings/new")
    await page.get_by_label("Métiers du web").check()
    await page.get_by_label("Formations").check()
    await page.get_by_label("Objet").fill("Chiffrer un site : une deuxième session")
    await page.get_by_label("Texte").fill("Bonjour,\n\nVenez avec un **devis réel**.")
    await expect(page.locator("#preview")).to_contain_text("devis réel")
    await page.get_by_role("button", name="Voir qui le recevra").click()
    await page.get_by_role("button", name=re.compile(f"Envoyer à {len(wanted)} personne")).click()
    letters = await site.mails("", len(wanted) + 1)
    reached = [letter.to for letter in letters if letter.subject.startswith("Chiffrer")]
    assert sorted(reached) == sorted(wanted)

    letter = next(letter for letter in letters if letter.subject.startswith("Chiffrer"))
    stop = next(link for link in LINK.findall(site.text(letter)) if link.endswith("/stop"))
    async with httpx.AsyncClient() as machine:
        count = "SELECT count(*) FROM consent_ledger WHERE act = 'withdrawn'"
        before = await connection.fetchval(count)
        await machine.get(stop)
        await machine.head(stop)
        assert await connection.fetchval(count) == before
        for _ in range(2):
            stopped = await machine.post(stop, data={"List-Unsubscribe": "One-Click"})
            assert stopped.status_code == 200
        assert await connection.fetchval(count) == before + 1
        forged = await machine.post(stop.replace("/stop", "x/stop"))
        assert forged.status_code == 404
    await connection.close()


async def test_an_animator_lists_an_event_and_calendars_show_it(page: Page, site: Site) -> None:
    await sign_in(page, site, CLEMENCE)
    await page.goto("/events/new?filiere=metiers-du-web")
    day = date.today() + timedelta(days=40)  # noqa: DTZ011 - any day to come
    await page.get_by_label("Titre").fill("Midi des devis, épreuve")
    await page.get_by_label("Début, le jour").fill(day.isoformat())
    await page.get_by_label("Début, l’heure").fill("12:30")
    await page.get_by_label("Fin, l’heure").fill("13:30")
    await page.get_by_label("Lien en ligne").fill("https://visio.example/midi")
    await page.get_by_label("Tout le monde").check()
    await page.get_by_role("button", name="Ajouter à l’agenda").click()
    await expect(page.locator("h1")).to_have_text("Midi des devis, épreuve")
    async with httpx.AsyncClient() as machine:
        answer = await machine.get(f"{site.url}{WEB}/calendar.ics")
    calendar = icalendar.Calendar.from_ical(answer.content)
    (event,) = [entry for entry in calendar.events if "épreuve" in str(entry["SUMMARY"])]
    assert event.start.strftime("%Y-%m-%d %H:%M") == f"{day.isoformat()} 12:30"
    assert calendar.timezones
    await page.goto(WEB)
    await expect(page.locator("main")).to_contain_text("Midi des devis, épreuve")


async def test_a_field_for_oneself_is_in_nobody_elses_page_answer_or_index(
    page: Page, site: Site
) -> None:
    await sign_in(page, site, AWA)
    profile = await page.locator(".who a").first.get_attribute("href")
    await page.goto(f"{profile}/edit/headline")
    await page.get_by_role("textbox").last.fill("Zyxwvutologue de confiance")
    await page.get_by_label(re.compile("Moi seul")).check()
    await page.get_by_role("button", name="Enregistrer").click()
    await expect(page.get_by_text(re.compile("^Enregistré"))).to_be_visible()
    await page.goto(f"{profile}")
    await expect(page.locator("main")).to_contain_text("Zyxwvutologue")
    connection = await asyncpg.connect(site.database)
    for _ in range(100):
        if not await connection.fetchval("SELECT count(*) FROM search_outbox"):
            break
        await asyncio.sleep(0.1)
    for table in ("search_text", "search_document", "search_term", "search_facet"):
        kept = await connection.fetchval(
            f"SELECT count(*) FROM {table} AS kept WHERE kept::text ILIKE '%zyxw%'"
        )
        assert kept == 0, table
    await connection.close()
    await page.get_by_role("button", name="Se déconnecter").click()
    for email in ("", NOE, HELENE):
        if email:
            await sign_in(page, site, email)
        for address in (profile, "/?q=zyxwvutologue", "/api/v1/members?q=zyxwvutologue"):
            answer = await page.goto(str(address))
            assert answer
            assert "Zyxwvutologue" not in (await answer.text()).replace("q=zyxw", ""), email
        if email:
            await page.goto("/about")
            await page.get_by_role("button", name="Se déconnecter").click()


PAGES = {
    "": {
        "home": "/",
        "search": "/?q=developeuse+web",
        "nobody": "/?q=zzzzzz",
        "filieres": "/filieres",
        "filiere": WEB,
        "dossier": f"{WEB}/dossier",
        "agenda": "/events",
        "login": "/login",
        "expired": "/login/x",
        "about": "/about",
        "missing": "/filieres/nulle-part",
        "mailbox": "/demo/mailbox",
    },
    AWA: {
        "preferences": "/preferences",
        "profile": "{profile}",
        "joining": WEB,
        "account": "/account",
        "tokens": "/account/tokens",
        "activity": "/account/activity",
        "proposing": "/trades/propose?label=d%C3%A9veloppeuse+web",
    },
    CLEMENCE: {"mailings": "/mailings", "composer": "/mailings/new", "event-form": "/events/new"},
    HELENE: {
        "vocabulary": "/vocabulary",
        "roles": "/roles",
        "audit": "/audit",
        "dossier-kept": f"{WEB}/dossier",
    },
}


async def test_no_page_has_a_serious_fault_of_accessibility_nor_scrolls_sideways(
    browser: Browser, site: Site
) -> None:
    """Also leaves a picture of each page, on a phone and a wide screen, light and dark."""
    SHOTS.mkdir(exist_ok=True)
    faults: list[str] = []
    for email, pages in PAGES.items():
        context = await browser.new_context(base_url=site.url, locale="fr-BE")
        window = await context.new_page()
        if email:
            await sign_in(window, site, email)
            if any("{" in path for path in pages.values()):
                mine = await window.locator(".who a").first.get_attribute("href")
        for name, path in pages.items():
            await window.goto(path.format(profile=mine) if "{" in path else path)
            for width, scheme in ((390, "light"), (1280, "dark"), (390, "dark"), (1280, "light")):
                await window.emulate_media(color_scheme=SCHEMES[scheme])
                await window.set_viewport_size({"width": width, "height": 900})
                where = f"{name}-{width}-{scheme}"
                await window.screenshot(path=SHOTS / f"{where}.png", full_page=True)
                if await window.evaluate("document.documentElement.scrollWidth > innerWidth"):
                    faults.append(f"{where}: scrolls sideways")
                if (width, scheme) in {(390, "light"), (1280, "dark")}:
                    found = await Axe().run(window)
                    faults += [
                        f"{where}: {violation['id']} {violation['nodes'][0]['html'][:120]}"
                        for violation in found.response["violations"]
                        if violation["impact"] in {"serious", "critical"}
                    ]
        await context.close()
    assert faults == []


async def test_the_api_can_be_tried_in_the_browser(page: Page) -> None:
    elsewhere: list[str] = []
    page.on(
        "request", lambda asked: None if "localhost" in asked.url else elsewhere.append(asked.url)
    )
    await page.goto("/schema")
    await page.get_by_text("Search members, with counts by facet").first.click()
    await expect(page.get_by_role("button", name="TRY").first).to_be_visible()
    assert [url for url in elsewhere if url.startswith("http")] == []
