"""A profile is saved part by part, in place where a script runs."""

import re
from typing import Any

import asyncpg
import httpx
import pytest
from playwright.async_api import Page, expect

from tests import people
from tests.people import Person
from tests.site import Site, browser, demo_template, page, sign_in, site
from tests.test_two_editors import opened

__all__ = ["browser", "demo_template", "page", "site"]
AWA = "awa@etabli.example"
HTMX = {"hx-request": "true"}


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    return awa


async def save(
    client: httpx.AsyncClient, person: Person, field: str, form: dict[str, Any], **headers: str
) -> httpx.Response:
    path = f"/members/{person.member_id}/edit/{field}"
    return await client.post(path, data=form, headers=HTMX | headers)


async def test_a_saved_part_comes_alone_and_says_so(client: httpx.AsyncClient, awa: Person) -> None:
    form = await opened(client, awa, "headline")
    answer = await save(client, awa, "headline", form | {"value": "Encre", "audience": "public"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    rows = re.findall(r'<div id="([a-z_]+)"(?: class="editing")?>', answer.text)
    assert rows == ["headline"]
    told = re.search(r'id="told" role="status" hx-swap-oob="innerHTML">([^<]*)<', answer.text)
    assert told
    assert re.match(r"Accroche\s:\sEnregistré à", told[1])
    assert 'id="identity" hx-swap-oob="true"' in answer.text
    assert "hx-replace-url" not in answer.headers
    at_form = {"hx-current-url": f"http://x.example/members/{awa.member_id}/edit/headline"}
    again = await opened(client, awa, "headline")
    answer = await save(client, awa, "headline", again | {"value": "Encres"}, **at_form)
    assert answer.headers["hx-replace-url"] == f"/members/{awa.member_id}"


async def test_parts_opened_together_are_saved_one_after_the_other(
    client: httpx.AsyncClient, awa: Person
) -> None:
    forms = {field: await opened(client, awa, field) for field in ("headline", "biography")}
    for field, form in forms.items():
        answer = await save(client, awa, field, form | {"value": field})
        assert answer.status_code == 200, answer.text
        assert "clash" not in answer.text
    seen = (await client.get(f"/api/v1/members/{awa.member_id}")).json()
    assert (seen["headline"], seen["biography"]) == ("headline", "biography")


async def test_a_part_that_is_refused_comes_alone_with_what_was_typed(
    client: httpx.AsyncClient, awa: Person
) -> None:
    form = await opened(client, awa, "phone")
    answer = await save(client, awa, "phone", form | {"value": "demain"})
    assert answer.status_code == 400
    assert "<html" not in answer.text
    assert 'value="demain"' in answer.text
    assert 'aria-describedby="phone-error"' in answer.text
    assert "hx-swap-oob" not in answer.text


async def test_ids_of_two_open_forms_differ(client: httpx.AsyncClient, awa: Person) -> None:
    ids: list[str] = []
    fields = ("headline", "biography", "trades", "place", "availability", "stage", "photo", "links")
    for field in fields:
        part = await client.get(f"/members/{awa.member_id}/edit/{field}", headers=HTMX)
        assert "<html" not in part.text
        ids += re.findall(r'\sid="([^"]+)"', part.text)
        for pointed in re.findall(r'(?:for|aria-describedby)="([^"]+)"', part.text):
            assert set(pointed.split()) <= set(ids)
    assert len(ids) == len(set(ids))


async def open_part(page: Page, name: str) -> None:
    await page.get_by_role("link", name=f"Modifier : {name}").focus()
    await page.keyboard.press("Enter")


async def test_parts_are_saved_in_place_by_keyboard(page: Page, site: Site) -> None:
    await sign_in(page, site, AWA)
    await page.get_by_role("link", name="Awa Lemaire").click()
    await expect(page.get_by_role("link", name="Modifier : Accroche")).to_be_visible()
    await page.wait_for_load_state("load")
    await page.wait_for_function("window.htmx !== undefined")
    address = page.url
    await page.evaluate("window.stays = true")
    told = page.get_by_role("status")
    await open_part(page, "Accroche")
    field = page.get_by_label("Accroche", exact=True)
    await expect(field).to_be_focused()
    await field.fill("Des livres à plier")
    await page.keyboard.press("Enter")
    await expect(told).to_contain_text(re.compile(r"Accroche\s:\sEnregistré à"))
    await expect(page.locator("#headline")).to_contain_text("Des livres à plier")
    await expect(page.locator(".standfirst")).to_have_text("Des livres à plier")
    await expect(page.get_by_role("link", name="Modifier : Accroche")).to_be_focused()
    # The next one is refused: its error is read with the field, which has the focus.
    await open_part(page, "Téléphone")
    phone = page.get_by_label("Téléphone", exact=True)
    await phone.fill("demain")
    await page.keyboard.press("Enter")
    await expect(phone).to_have_accessible_description(re.compile("n’est pas un numéro"))
    await expect(phone).to_be_focused()
    await expect(phone).to_have_value("demain")
    await phone.fill("+32 81 33 33 33")
    await page.keyboard.press("Enter")
    await expect(told).to_contain_text(re.compile(r"Téléphone\s:\sEnregistré à"))
    await expect(page.get_by_role("link", name="Modifier : Téléphone")).to_be_focused()
    assert page.url == address
    assert await page.evaluate("window.stays") is True
    await page.go_back()
    assert page.url != address
    await page.go_forward()
    assert page.url == address
    await expect(page.locator("#headline")).to_contain_text("Des livres à plier")
    await expect(page.locator("#phone")).to_contain_text("+32 81 33 33 33")


async def test_two_open_parts_keep_what_is_typed(page: Page, site: Site) -> None:
    await sign_in(page, site, AWA)
    await page.locator(".who a").first.click()
    await open_part(page, "Parcours")
    await page.get_by_label("Parcours", exact=True).fill("Gravure sur bois.")
    await open_part(page, "Accroche")
    await page.get_by_label("Accroche", exact=True).fill("Graveuse")
    await page.locator("#headline").get_by_role("button", name="Enregistrer").click()
    await expect(page.locator("#headline")).to_contain_text("Graveuse")
    await expect(page.get_by_label("Parcours", exact=True)).to_have_value("Gravure sur bois.")
    await page.locator("#biography").get_by_role("button", name="Enregistrer").click()
    await expect(page.locator("#biography")).to_contain_text("Gravure sur bois.")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await open_part(page, "Bureau")
    await expect(page.get_by_label("Bureau", exact=True)).to_be_focused()
    await page.get_by_role("link", name="Ne rien changer").click()
    await expect(page.get_by_role("link", name="Modifier : Bureau")).to_be_focused()


async def test_enter_in_a_picker_searches_and_does_not_save(page: Page, site: Site) -> None:
    await sign_in(page, site, AWA)
    await page.locator(".who a").first.click()
    await open_part(page, "Ville")
    await page.get_by_role("searchbox").fill("dinant")
    await page.keyboard.press("Enter")
    await page.get_by_label(re.compile("Dinant")).first.check()
    await page.locator("#place").get_by_role("button", name="Enregistrer").click()
    await expect(page.locator("#place")).to_contain_text("Dinant")
    await expect(page.get_by_role("status")).to_contain_text(re.compile(r"Ville\s:\sEnregistré à"))
