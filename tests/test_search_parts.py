"""The search page and its parts over HTTP: what its form may send, and what htmx gets."""

import re

import asyncpg
import httpx
import pytest

from tests.people import Person
from tests.test_member_search import ask, crowd, names

__all__ = ["crowd"]
HTMX = {"HX-Request": "true", "HX-Trigger": "search"}


def boxes(html: str) -> list[tuple[str, bool]]:
    """The labels of the boxes in their order, and whether each is ticked."""
    found = re.findall(r'<input type="checkbox"[^>]*?( checked)?><span[^>]*><span>([^<]+)', html)
    return [(label, bool(checked)) for checked, label in found]


@pytest.mark.usefixtures("crowd")
async def test_the_form_may_send_a_distance_from_nowhere_the_api_may_not(
    client: httpx.AsyncClient,
) -> None:
    query = {"q": "graphiste", "near": " ", "within_km": "25", "sort": "distance"}
    page = await client.get("/", params=query)
    assert page.status_code == 200
    assert "Tom Peeters" in page.text
    assert page.headers["hx-push-url"] == "/?q=graphiste"
    assert (await client.get("/facets/trade", params={**query, "like": "graph"})).status_code == 200
    refused = await client.get("/api/v1/members", params=query)
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "within_km"


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("near", ["Nullepartville", "91,5", "<zzzz>\0", "x" * 120])
async def test_what_is_no_place_is_kept_and_told_and_the_rest_is_searched(
    client: httpx.AsyncClient, near: str
) -> None:
    page = await client.get("/", params={"q": "graphiste", "near": near, "within_km": "25"})
    assert page.status_code == 400
    assert "Tom Peeters" in page.text
    assert 'aria-invalid="true"' in page.text
    assert "<zzzz>" not in page.text.split('id="near-error"')[1].split("</p>")[0]
    assert httpx.URL(page.headers["hx-push-url"]).params["near"] == near
    back = {**HTMX, "HX-History-Restore-Request": "true"}
    assert (await client.get("/", params={"near": near}, headers=back)).status_code == 200
    assert (await client.get("/api/v1/members", params={"near": near})).status_code == 400


async def test_places_are_suggested_by_name_postal_code_and_in_dutch(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    for typed in ("liege", "Liège", "4000", "luik", "4000 li"):
        options = (await client.get("/places", params={"near": typed})).text
        assert 'value="4000 Liège"' in options, typed
        # Browsers show an option only if what is typed stands in it, letter by letter.
        first = re.search(r'value="([^"]+)">([^<]*)', options)
        assert first
        assert typed.lower() in f"{first[1]} {first[2]}".lower()
    for typed in ("", " ", "zzzz", "<script>"):
        assert "<option" not in (await client.get("/places", params={"near": typed})).text
    many = (await client.get("/places", params={"near": "saint"})).text
    assert many.count("<option") == 10
    nowhere = await connection.fetchval(
        "SELECT postal_code || ' ' || label_fr FROM place WHERE latitude IS NULL LIMIT 1"
    )
    assert nowhere
    assert nowhere not in (await client.get("/places", params={"near": nowhere})).text


async def test_a_facet_lists_what_is_chosen_and_what_matches_each_once(
    client: httpx.AsyncClient, crowd: dict[str, Person]
) -> None:
    assert crowd
    found = await ask(client)
    code = {value["label"]: value["value"] for value in found["facets"]["trade"]}
    query = {"trade": [code["Luthier·ère"], code["Graphiste"]], "like": "graph"}
    part = await client.get("/facets/trade", params=query)
    listed = boxes(part.text)
    assert ("Luthier·ère", True) in listed
    assert ("Graphiste", True) in listed
    assert ("Infographiste", False) in listed
    assert len({label for label, _ in listed}) == len(listed)
    whole = await client.get("/facets/trade", params={**query, "like": " "})
    assert {label for label, _ in boxes(whole.text)} == set(code)
    assert (await client.get("/facets/shoes")).status_code == 404
    assert (await client.get("/facets/shoes", params={"like": "x"})).status_code == 404


@pytest.mark.usefixtures("crowd")
async def test_a_facet_whose_own_choice_alone_changed_is_left_as_it_is(
    client: httpx.AsyncClient,
) -> None:
    async def drawn(before: str, now: str, **headers: str) -> set[str]:
        asked = {**HTMX, "HX-Current-URL": f"http://testserver.local{before}", **headers}
        return set(re.findall(r'id="facet-(\w+)"', (await client.get(now, headers=asked)).text))

    every = {"availability", "trade", "filiere", "sector", "language", "region"}
    assert await drawn("/?q=web", "/?q=web&language=fr&near=") == every - {"language"}
    assert await drawn("/?language=fr&page=2", "/?language=fr&language=nl") == every - {"language"}
    assert await drawn("/?language=fr", "/") == every - {"language"}
    assert await drawn("/?q=we&language=fr", "/?q=web&language=nl") == every
    assert await drawn("/?language=fr", "/?region=BE-WLG") == every
    assert await drawn("/?q=web", "/?q=web") == every
    # A chip takes the choice back: its box must follow.
    assert await drawn("/?language=fr", "/", **{"HX-Trigger": "", "HX-Boosted": "true"}) == every


@pytest.mark.usefixtures("crowd")
async def test_only_a_link_gives_the_form_its_fields_again(client: httpx.AsyncClient) -> None:
    query = {"q": "graphiste", "near": "4000", "within_km": "30", "exact": "true", "limit": "5"}
    typed = (await client.get("/", params=query, headers=HTMX)).text
    followed = (await client.get("/", params=query, headers={**HTMX, "HX-Boosted": "true"})).text
    for part, is_typed in (('id="q"', False), ('id="near"', False), ('id="within_km"', True)):
        assert (part in typed) == is_typed
        assert part in followed
    assert '<option value="30" selected>' in typed
    assert 'name="exact" value="true"' in typed
    assert 'name="limit" value="5"' in typed
    assert "<html" not in typed
    restored = await client.get(
        "/", params=query, headers={**HTMX, "HX-History-Restore-Request": "true"}
    )
    assert "<html" in restored.text


@pytest.mark.usefixtures("crowd")
async def test_nobody_near_says_how_far_the_nearest_is(client: httpx.AsyncClient) -> None:
    query = {"q": "luthier", "near": "4000", "within_km": "10"}
    page = (await client.get("/", params=query)).text
    assert names(await ask(client, **query)) == []
    href = re.search(r'href="(/\?[^"]*within_km=[^"]*)">Élargir', page)
    assert href
    wider = httpx.URL(href[1].replace("&amp;", "&")).params
    assert names(await ask(client, **wider)) == ["Omar Sy Diallo"]
    assert "La personne la plus proche est à" in page
    assert "Sans limite de distance" in page


@pytest.mark.usefixtures("crowd")
async def test_a_distance_under_one_kilometre_is_said_so(client: httpx.AsyncClient) -> None:
    page = (await client.get("/", params={"near": "4000", "within_km": "50"})).text
    assert "moins d’1\u00a0km" in page
    assert "21\u00a0km" in page


@pytest.mark.usefixtures("crowd")
async def test_going_back_to_a_search_without_result_counts_it_no_second_time(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    for headers in ({}, {**HTMX, "HX-History-Restore-Request": "true"}, {"X-Unfinished": "true"}):
        await client.get("/", params={"q": "astrologue"}, headers=headers)
    assert await connection.fetchval("SELECT searches FROM search_miss") == 1
