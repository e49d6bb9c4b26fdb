"""The search page as readers use it: typing, filtering, going back, with and without script."""

import asyncio
import re
from urllib.parse import parse_qs, urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, Request, Route, expect

from tests.site import Site, browser, demo_template, page, sign_in, site

__all__ = ["browser", "demo_template", "page", "site"]
AWA = "awa@etabli.example"
PHONE = {"width": 390, "height": 800}


def state(page: Page) -> dict[str, list[str]]:
    """What the address says."""
    return parse_qs(urlsplit(page.url).query)


async def total(page: Page) -> int:
    return int(re.sub(r"\D", "", await page.locator("#tally b").inner_text()))


async def form(page: Page) -> dict[str, list[str]]:
    """What the form would send, without what is empty."""
    pairs: list[list[str]] = await page.evaluate(
        "[...new FormData(document.querySelector('#search'))].filter(([, value]) => value)"
    )
    sent: dict[str, list[str]] = {}
    for name, value in pairs:
        sent.setdefault(name, []).append(value)
    return sent


def box(page: Page, facet: str, number: int = 0) -> Locator:
    return page.locator(f"#boxes-{facet} > ul input").nth(number)


async def test_a_reader_types_and_back_leads_to_the_search_before_not_to_a_letter(
    page: Page,
) -> None:
    asked: list[Request] = []
    page.on("request", lambda sent: asked.append(sent) if "/?" in sent.url else None)
    await page.goto("/?q=photographe")
    asked.clear()
    await page.locator("#q").fill("")
    await page.locator("#q").press_sequentially("graph", delay=250)
    await expect(page).to_have_url(re.compile(r"\?q=graph$"))
    await expect(page.locator("#results mark").first).to_be_visible()
    await expect(page).to_have_title(re.compile("graph"))
    await expect(page.locator("#live")).to_have_text(re.compile(r"\d+ membres? trouvés?"))
    await expect(page.locator("#q")).to_be_focused()
    assert len(asked) > 2
    assert all(sent.headers["x-unfinished"] == "true" for sent in asked)
    await page.locator("#q").press("Enter")
    async with page.expect_response(re.compile("q=graphiste")):
        await page.locator("#q").fill("graphiste")
        await page.locator("#q").press("Enter")
    assert "x-unfinished" not in asked[-1].headers
    await expect(page).to_have_url(re.compile("graphiste"))
    for text in ("graph", "photographe"):
        await page.go_back()
        await expect(page.locator("#q")).to_have_value(text)
        assert state(page) == {"q": [text]}
    await page.go_forward()
    await expect(page.locator("#q")).to_have_value("graph")


async def test_back_forward_and_reload_restore_the_results_and_the_whole_form(
    page: Page, site: Site
) -> None:
    await sign_in(page, site, AWA)
    await page.goto("/")
    seen: list[tuple[dict[str, list[str]], int]] = []

    async def settle(shown: str) -> None:
        await expect(page).to_have_url(re.compile(shown))
        await expect(page.locator(".htmx-request")).to_have_count(0)
        assert await form(page) == state(page)
        seen.append((state(page), await total(page)))

    await settle("/$")
    await page.locator("#q").fill("design")
    await settle("q=design$")
    await box(page, "language").check()
    await settle("language=")
    await page.locator("#near").fill("4000 Liège")
    await page.locator("#near").press("Tab")
    await settle("near=4000.*within_km=25$")
    await page.locator("#within_km").select_option("100")
    await settle("within_km=100$")
    await page.locator(".order a", has_text="distance").click()
    await settle("sort=distance$")
    await page.locator(".order a", has_text="nom").click()
    await settle("sort=name$")
    await page.locator(".chip").first.click()
    await settle(r"q=design&near=[^&]*&within_km=100&sort=name$")

    async def is_again(number: int) -> None:
        for _ in range(100):
            if await form(page) == state(page) == seen[number][0]:
                break
            await asyncio.sleep(0.05)
        assert await form(page) == state(page) == seen[number][0]
        assert await total(page) == seen[number][1]

    for number in reversed(range(len(seen) - 1)):
        await page.go_back()
        await is_again(number)
    for number in range(1, len(seen)):
        await page.go_forward()
        await is_again(number)
    await page.reload()
    await is_again(-1)
    await page.locator(".entry h3 a").first.click()
    await expect(page).to_have_url(re.compile("/members/"))
    await page.go_back()
    await is_again(-1)
    await page.go_back()
    await is_again(-2)
    # Two steps at once: the entry in between must not come after.
    await page.evaluate("history.back(); setTimeout(() => history.back(), 5)")
    await expect(page.locator("#within_km")).to_have_value("100")
    await expect(page).not_to_have_url(re.compile("sort="))
    await is_again(-4)


async def test_an_older_answer_never_overwrites_a_newer_one(page: Page) -> None:
    await page.goto("/")
    held = asyncio.Event()

    async def slowly(route: Route) -> None:
        answer = await route.fetch()
        await held.wait()
        await route.fulfill(response=answer)

    await page.route(re.compile("q=photographe"), slowly)
    async with page.expect_request(re.compile("q=photographe")):
        await page.locator("#q").fill("photographe")
    await page.locator("#q").fill("graphiste")
    await expect(page).to_have_url(re.compile("q=graphiste"))
    found = await total(page)
    held.set()
    await page.wait_for_timeout(300)
    assert state(page) == {"q": ["graphiste"]}
    assert await total(page) == found
    await expect(page.locator("#q")).to_have_value("graphiste")


async def test_leaving_by_back_while_an_answer_is_awaited_wins(page: Page) -> None:
    await page.goto("/?q=graphiste")
    await page.locator("#q").fill("photographe")
    await page.locator("#q").press("Enter")
    await expect(page).to_have_url(re.compile("q=photographe"))
    held = asyncio.Event()

    async def slowly(route: Route) -> None:
        answer = await route.fetch()
        await held.wait()
        await route.fulfill(response=answer)

    await page.route(re.compile("q=menuisier"), slowly)
    async with page.expect_request(re.compile("q=menuisier")):
        await page.locator("#q").fill("menuisier")
    await page.go_back()
    await expect(page.locator("#q")).to_have_value("graphiste")
    held.set()
    await page.wait_for_timeout(300)
    assert state(page) == {"q": ["graphiste"]}
    await expect(page.locator("#q")).to_have_value("graphiste")
    await page.go_forward()
    await expect(page.locator("#q")).to_have_value("photographe")


async def test_a_town_is_chosen_from_the_list_and_taken_away_by_its_chip(
    page: Page, site: Site
) -> None:
    await sign_in(page, site, AWA)
    await page.goto("/?q=design")
    everywhere = await total(page)
    await page.locator("#near").press_sequentially("liege", delay=30)
    option = page.locator("#places option").first
    await expect(option).to_have_attribute("value", "4000 Liège")
    # What is typed must stand in an option for the browser to show it.
    await expect(option).to_have_text(re.compile("liege"))
    assert "near" not in state(page)
    await page.locator("#near").fill("4000 Liège")  # as a choice from the list does
    await expect(page.locator("#results .chip:not(.ours)")).to_have_text(
        "À moins de 25\u00a0km de 4000 Liège"
    )
    await expect(page.locator("#near")).to_be_focused()
    await expect(page.locator(".entry .num").first).to_have_text(re.compile("km$"))
    assert 0 < await total(page) < everywhere
    await page.locator("#within_km").focus()
    await page.locator("#within_km").select_option("50")
    await expect(page.locator("#results .chip:not(.ours)")).to_have_text(re.compile("50\u00a0km"))
    await expect(page.locator("#within_km")).to_be_focused()
    await page.locator(".order a", has_text="distance").click()
    await expect(page).to_have_url(re.compile("sort=distance"))
    await expect(page.locator("#results")).to_contain_text("du plus proche au plus lointain")
    texts = await page.locator(".entry .num").all_inner_texts()
    away = [0 if text.startswith("moins") else int(text.split("\u00a0")[0]) for text in texts]
    assert away == sorted(away)
    await page.locator("#results .chip:not(.ours)").click()
    await expect(page.locator("#near")).to_have_value("")
    await expect(page.locator("#within_km")).to_have_count(0)
    await expect(page.locator("#tally b")).to_have_text(str(everywhere))
    assert state(page) == {"q": ["design"]}
    # The link that was followed is gone: a keyboard goes on from the results.
    await expect(page.locator("#tally")).to_be_focused()


async def test_an_unknown_place_is_told_beside_its_field_and_the_search_goes_on(
    page: Page,
) -> None:
    await page.goto("/?q=design")
    found = await total(page)
    await page.locator("#near").fill("Lièjje")
    await page.locator("#near").press("Enter")
    problem = page.locator("#near-error")
    await expect(problem).to_contain_text("Le lieu «\u202fLièjje\u202f» n’existe pas.")
    await expect(page.locator("#near")).to_have_value("Lièjje")
    await expect(page.locator("#near")).to_have_attribute("aria-invalid", "true")
    assert await total(page) == found
    answer = await page.reload()
    assert answer
    assert answer.status == 400
    await expect(problem).to_contain_text("par exemple 4000")
    await expect(page.locator("#near")).to_have_value("Lièjje")
    order = page.locator(".order [aria-current]")
    await page.locator(".order a", has_text="nom").click()  # an entry to come back from
    await expect(order).to_have_text("nom")
    await page.go_back()
    # The page before shows the same problem: what is typed into it would go with it.
    await expect(order).to_have_text("pertinence")
    await expect(problem).to_contain_text("Lièjje")
    # htmx takes hold of the form a moment after it is shown.
    await page.wait_for_function("document.querySelector('#search')['htmx-internal-data']")
    await page.locator("#near").fill("")
    await expect(problem).to_be_hidden()
    assert state(page) == {"q": ["design"]}


async def test_everything_works_without_javascript(browser: Browser, site: Site) -> None:
    context = await browser.new_context(base_url=site.url, locale="fr", java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/")
    await expect(page.locator(".like").first).to_be_hidden()
    await page.locator("#q").fill("design")
    await page.get_by_role("button", name="Chercher").click()
    await expect(page.locator("#results mark").first).to_be_visible()
    everywhere = await total(page)
    await box(page, "language").check()
    await page.locator("#near").fill("namur")
    await page.get_by_role("button", name="Appliquer les filtres").click()
    await expect(page.locator("#results .chip:not(.ours)")).to_have_count(2)
    await expect(page.locator("#within_km")).to_have_value("25")
    assert await total(page) <= everywhere
    await page.locator("#within_km").select_option("100")
    await page.get_by_role("button", name="Chercher").click()
    await expect(page.locator("#results .chip:not(.ours)").last).to_contain_text(
        "100\u00a0km de 5000 Namur"
    )
    await page.locator(".order a", has_text="distance").click()
    # The form sends a radius and an order that nothing is measured from any more.
    await page.locator("#near").fill("")
    await page.get_by_role("button", name="Chercher").click()
    await expect(page.locator("#results .chip:not(.ours)")).to_have_count(1)
    await expect(page.locator("#within_km")).to_have_count(0)
    await page.locator("#near").fill("nullepart")
    await page.get_by_role("button", name="Chercher").click()
    await expect(page.locator("#near-error")).to_contain_text("n’existe pas")
    await context.close()


async def test_a_value_is_found_by_typing_in_its_facet_and_nothing_moves_when_it_is_chosen(
    page: Page, site: Site
) -> None:
    await sign_in(page, site, AWA)
    await page.goto("/")
    await box(page, "trade", 1).check()
    first = await box(page, "trade", 1).get_attribute("id")
    await expect(page).to_have_url(re.compile("trade="))
    await page.locator("#like-trade").fill("comédien")
    chosen = page.locator("#boxes-trade").get_by_label(re.compile("^Comédien"))
    await expect(chosen).to_be_visible()
    await expect(page.locator("#live")).to_have_text(re.compile("choix pour «\u202fcomédien"))
    # What is chosen is there whatever is typed, and once.
    await expect(page.locator(f"#{first}")).to_have_count(1)
    await expect(page.locator(f"#{first}")).to_be_checked()
    await page.locator("#like-trade").press("Tab")
    await chosen.focus()
    await page.keyboard.press("Space")
    await expect(page.locator("#results .chip:not(.ours)")).to_have_count(2)
    await expect(chosen).to_be_focused()
    await expect(page.locator("#like-trade")).to_have_value("comédien")
    assert len(state(page)["trade"]) == 2
    await page.locator("#like-trade").fill("zzz")
    await expect(page.locator("#facet-trade")).to_contain_text("Aucun résultat pour")
    await expect(page.locator("#boxes-trade input:checked")).to_have_count(2)
    await page.locator("#like-trade").fill("")
    await expect(page.locator("#more-trade")).to_be_visible()
    await expect(page.locator("#boxes-trade input:checked")).to_have_count(2)
    ids = await page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))


async def test_what_is_unfolded_stays_open_and_the_focus_stays(page: Page, site: Site) -> None:
    await sign_in(page, site, AWA)
    await page.goto("/")
    await page.locator("#more-trade summary").click()
    await box(page, "language").focus()
    await page.keyboard.press("Space")
    await expect(page.locator("#results .chip:not(.ours)")).to_have_count(1)
    await expect(box(page, "language")).to_be_focused()
    await expect(page.locator("#more-trade")).to_have_attribute("open", "")
    await page.locator("#more-trade input").last.check()
    await expect(page.locator("#results .chip:not(.ours)")).to_have_count(2)
    await expect(page.locator("#more-trade input").last).to_be_focused()
    # Another facet's choice draws this one again, with what is chosen of it.
    await page.locator("#results .chip:not(.ours)").first.click()
    await expect(page.locator("#results .chip:not(.ours)")).to_have_count(1)
    assert await form(page) == state(page)


async def test_what_was_corrected_and_added_is_told_and_undone_by_one_link(
    page: Page, site: Site
) -> None:
    await sign_in(page, site, AWA)
    await page.goto("/?q=developeuse")
    await expect(page.locator(".chip.ours").first).to_contain_text("pour «\u202fdevelopeuse")
    await page.get_by_role("link", name="S’en tenir à vos mots").click()
    await expect(page.locator("#results")).to_contain_text("Vos mots, sans rien corriger")
    assert state(page) == {"q": ["developeuse"], "exact": ["true"]}
    await page.get_by_role("link", name="Chercher plus largement").click()
    await expect(page.locator(".chip.ours").first).to_be_visible()
    assert state(page) == {"q": ["developeuse"]}
    await page.goto("/?q=maquettiste")
    await expect(page.locator(".chips")).to_contain_text("Nous cherchons aussi")
    await expect(page.get_by_role("link", name="S’en tenir à vos mots")).to_have_count(1)


async def test_the_ways_out_of_an_empty_search_lead_to_members(page: Page, site: Site) -> None:
    await sign_in(page, site, AWA)
    for asked in (
        "/?q=graphiste&trade=17700&language=de",
        "/?q=graphiste&near=Dunkerque&within_km=5",
        "/?q=graphiste&near=Dunkerque&within_km=5&sort=distance&language=fr&availability=busy",
        "/?q=infographe+qqqqqqqq",
        "/?q=graphiste&sector=01&language=de&region=FR-HDF",
    ):
        await page.goto(asked)
        await expect(page.locator("#tally b")).to_have_text("0")
        links = page.locator(".empty .lines a, .empty .button")
        promised = {
            str(await link.get_attribute("href")): await link.evaluate(
                "(link) => link.closest('li')?.lastElementChild.textContent ?? ''"
            )
            for link in await links.all()
        }
        assert promised, asked
        for address, figure in promised.items():
            await page.goto(asked)
            await page.locator(f'.empty [href="{address}"]').click()
            await expect(page.locator(".entry").first).to_be_visible()
            if figure:
                assert await total(page) == int(re.sub(r"\D", "", figure))


async def test_a_search_that_is_kept_says_so(page: Page, site: Site) -> None:
    kept = page.get_by_text("Nous gardons cette recherche, sans votre nom")
    propose = page.get_by_role("link", name="Proposer un métier")
    await page.goto("/")
    await page.locator("#q").fill("zzzzzz")
    await expect(page.locator(".empty")).to_be_visible()
    await expect(kept).to_have_count(0)  # not while it is typed
    await page.locator("#q").press("Enter")
    await expect(kept).to_be_visible()
    await expect(propose).to_have_count(0)
    await page.goto("/?q=zzzzzz&exact=true")
    await expect(kept).to_have_count(0)
    await page.goto("/?q=zzzzzz&language=fr")
    await expect(kept).to_have_count(0)
    await sign_in(page, site, AWA)
    await page.goto("/?q=zzzzzz qq")
    await expect(propose).to_have_attribute("href", re.compile("label=zzzzzz"))


async def test_on_a_phone_the_sheet_of_filters_stays_through_choices(page: Page) -> None:
    await page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    await page.goto("/")
    await page.get_by_role("button", name="Filtres").click()
    await page.locator("#like-trade").fill("graph")
    await expect(page.locator("#live")).to_have_text(re.compile("choix pour"))
    await box(page, "trade").check()
    await expect(page.locator("#apply")).to_have_text(re.compile(r"Voir (les \d+|le) membre"))
    await box(page, "language").check()
    await expect(page.locator("#filters")).to_be_visible()
    await expect(box(page, "language")).to_be_checked()
    await page.locator("#apply").click()
    await expect(page.locator("#filters")).to_be_hidden()
    await expect(page.locator("#results .chip:not(.ours)")).to_have_count(2)
    await expect(page.get_by_role("button", name="Filtres (2)")).to_be_visible()
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def test_the_pages_of_a_search_follow_each_other_from_their_top(page: Page) -> None:
    await page.goto("/")
    first = await page.locator(".entry h3").first.inner_text()
    await page.get_by_role("link", name="Les suivants").click()
    await expect(page.locator(".entry h3").first).not_to_have_text(first)
    await expect(page.locator("#tally")).to_be_in_viewport()
    assert state(page) == {"page": ["2"]}
    await page.get_by_role("link", name="Se connecter").click()
    await expect(page.locator("main input[name=next]")).to_have_value("/?page=2")
    await page.go_back()
    await page.get_by_role("button", name="NL").click()
    assert state(page) == {"page": ["2"]}
    await expect(page.locator("html")).to_have_attribute("lang", "nl")


async def test_a_service_that_does_not_answer_is_told_until_it_does(page: Page) -> None:
    await page.goto("/")
    await page.route(re.compile("q="), lambda route: route.abort())
    await page.locator("#q").fill("graphiste")
    await expect(page.locator("#unreached")).to_be_visible()
    assert state(page) == {}
    await page.unroute_all()
    await page.locator("#q").press("Enter")
    await expect(page.locator("#results mark").first).to_be_visible()
    await expect(page.locator("#unreached")).to_be_hidden()


async def test_no_state_of_the_page_has_a_serious_fault_nor_scrolls_sideways(
    page: Page, site: Site
) -> None:
    await sign_in(page, site, AWA)
    faults: list[str] = []
    for asked in (
        "/?q=graphiste&near=4000&within_km=50&language=fr&sort=distance",
        "/?q=graphiste&near=Nullepart",
        "/?q=graphiste&near=Dunkerque&within_km=5",
        "/?q=developeuse",
    ):
        for width in (320, 1280):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.goto(asked)
            filters = page.get_by_role("button", name="Filtres")
            if await filters.is_visible():
                await filters.click()
            if await page.locator("#like-trade").is_visible():
                await page.locator("#like-trade").fill("graph")
                await expect(page.locator("#live")).to_have_text(re.compile("choix"))
            if await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                faults.append(f"{asked} at {width}: scrolls sideways")
            found = await Axe().run(page)
            faults += [
                f"{asked} at {width}: {each['id']} {each['nodes'][0]['html'][:120]}"
                for each in found.response["violations"]
                if each["impact"] in {"serious", "critical"}
            ]
    assert faults == []
