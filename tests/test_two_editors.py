"""Two people, or two windows, on one profile: nothing is lost without a word."""

import asyncio
import re
from typing import Any

import asyncpg
import httpx
import pytest

from tests import people
from tests.people import Person


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    return awa


async def opened(client: httpx.AsyncClient, person: Person, field: str) -> dict[str, Any]:
    """What a window sends back besides what is typed."""
    page = await client.get(f"/members/{person.member_id}/edit/{field}")
    assert page.status_code == 200
    return hidden(page.text)


def hidden(page: str) -> dict[str, Any]:
    found = dict(re.findall(r'name="(version|seen)" value="([^"]*)"', page))
    chosen = re.findall('name="audience" value="([a-z]+)" checked', page)
    return {**found, "audience": chosen[0]}


async def save(
    client: httpx.AsyncClient, person: Person, field: str, form: dict[str, Any]
) -> httpx.Response:
    return await client.post(f"/members/{person.member_id}/edit/{field}", data=form)


async def read(client: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    seen: dict[str, Any] = (await client.get(f"/api/v1/members/{person.member_id}")).json()
    return seen


async def test_windows_on_different_fields_are_in_nobodys_way(
    client: httpx.AsyncClient, awa: Person
) -> None:
    one, other = await opened(client, awa, "headline"), await opened(client, awa, "biography")
    for field, form in (("headline", one), ("biography", other)):
        assert (await save(client, awa, field, form | {"value": field})).status_code == 303
    seen = await read(client, awa)
    assert (seen["headline"], seen["biography"], seen["version"]) == ("headline", "biography", 3)


@pytest.mark.parametrize("keeps_mine", [True, False])
async def test_the_second_window_sees_what_the_first_saved_and_chooses(
    client: httpx.AsyncClient, awa: Person, keeps_mine: bool
) -> None:
    one, other = await opened(client, awa, "headline"), await opened(client, awa, "headline")
    await save(client, awa, "headline", one | {"value": "Première", "audience": "public"})
    answer = await save(client, awa, "headline", other | {"value": "Seconde"})
    assert answer.status_code == 409
    panel = answer.text.partition('-clash"')[2].partition("</div>\n<form")[0]
    assert "Première" in panel
    assert "Tout le monde" in panel
    assert 'value="Seconde"' in answer.text
    assert (await read(client, awa))["headline"] == "Première"
    if keeps_mine:
        again = await save(client, awa, "headline", hidden(answer.text) | {"value": "Seconde"})
        assert again.status_code == 303
        assert (await read(client, awa))["headline"] == "Seconde"
    else:
        assert f'href="/members/{awa.member_id}#headline"' in panel


async def test_a_third_save_in_between_is_shown_again(
    client: httpx.AsyncClient, awa: Person
) -> None:
    old = await opened(client, awa, "headline")
    await save(client, awa, "headline", old | {"value": "Une"})
    clash = await save(client, awa, "headline", old | {"value": "Deux"})
    await save(client, awa, "headline", hidden(clash.text) | {"value": "Trois"})
    answer = await save(client, awa, "headline", hidden(clash.text) | {"value": "Deux"})
    assert answer.status_code == 409
    assert "Trois" in answer.text
    assert (await read(client, awa))["headline"] == "Trois"


async def test_an_audience_that_changed_is_a_conflict_too(
    client: httpx.AsyncClient, awa: Person
) -> None:
    one, other = await opened(client, awa, "headline"), await opened(client, awa, "headline")
    await save(client, awa, "headline", one | {"value": "", "audience": "me"})
    assert (await save(client, awa, "headline", other | {"value": "x"})).status_code == 409


@pytest.mark.parametrize("field", ["trades", "languages", "availability", "place", "links"])
async def test_a_conflict_is_drawn_for_every_kind_of_field(
    client: httpx.AsyncClient, awa: Person, field: str
) -> None:
    form = await opened(client, awa, field)
    assert (await save(client, awa, field, form | {"audience": "me"})).status_code == 303
    answer = await save(client, awa, field, form | {"audience": "public"})
    assert answer.status_code == 409
    assert "Garder ma version" in answer.text


async def test_of_many_at_once_one_wins_and_the_others_are_told(
    client: httpx.AsyncClient, awa: Person
) -> None:
    form = await opened(client, awa, "headline")
    answers = await asyncio.gather(
        *(save(client, awa, "headline", form | {"value": f"Phrase {n}"}) for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 7
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 303)
    assert (await read(client, awa))["headline"] == f"Phrase {winner}"


async def test_of_many_at_once_on_different_fields_all_win(
    client: httpx.AsyncClient, awa: Person
) -> None:
    fields = ("headline", "biography", "skills_offered", "skills_wanted", "phone", "display_name")
    typed = {"phone": "+32 81 22 22 22"}
    forms = {field: await opened(client, awa, field) for field in fields}
    answers = await asyncio.gather(
        *(
            save(client, awa, field, form | {"value": typed.get(field, "Écrit")})
            for field, form in forms.items()
        )
    )
    assert {answer.status_code for answer in answers} == {303}
    seen = await read(client, awa)
    assert seen["version"] == 1 + len(fields)
    assert seen["skills_wanted"] == ["Écrit"]


async def test_a_program_says_what_it_read(client: httpx.AsyncClient, awa: Person) -> None:
    path = f"/api/v1/members/{awa.member_id}"
    tag = (await client.get(path)).headers["etag"]
    assert tag == '"1"'

    async def patch(value: str, if_match: str | None = None, **given: int) -> httpx.Response:
        headers = {"if-match": if_match} if if_match is not None else {}
        return await client.patch(path, json={"headline": value, **given}, headers=headers)

    first = await patch("Une", tag)
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    assert (await patch("Deux", tag)).status_code == 412
    assert (await patch("Deux", 'W/"2"')).status_code == 412
    assert (await patch("Deux", "nonsense")).status_code == 412
    assert (await patch("Deux", '"1", "2"')).status_code == 200
    assert (await patch("Trois", "*")).status_code == 200
    assert (await patch("Quatre")).status_code == 428
    assert (await patch("Quatre", version=1)).status_code == 409
    assert (await patch("Quatre", '"4"', version=4)).status_code == 200
    assert (await read(client, awa))["headline"] == "Quatre"


async def test_of_many_programs_at_once_one_wins(client: httpx.AsyncClient, awa: Person) -> None:
    path = f"/api/v1/members/{awa.member_id}"
    answers = await asyncio.gather(
        *(
            client.patch(path, json={"headline": f"Phrase {n}"}, headers={"if-match": '"1"'})
            for n in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


async def test_others_get_no_version(
    client: httpx.AsyncClient, awa: Person, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    answer = await client.get(f"/api/v1/members/{awa.member_id}")
    assert answer.status_code == 200
    assert "etag" not in answer.headers
