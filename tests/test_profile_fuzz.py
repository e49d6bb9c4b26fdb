"""Any text in any field, by page and by API: kept as it was typed, or refused naming the field."""

import html
import json
import unicodedata
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import people
from tests.people import Person

BRIEFLY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
CONTROLS = [chr(code) for code in (*range(32), *range(127, 160))]
BREAKS = "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85"  # Python calls these spaces
REFUSED = [one for one in (*CONTROLS, *TURNING) if one not in BREAKS]
TEXTS = ("display_name", "headline", "biography", "phone")
LISTS = ("skills_offered", "skills_wanted", "links")
SIGNS = [*CONTROLS, *TURNING, *'ae\u0301\u0628<&"', "\ud800"]
ANY = st.text(max_size=80) | st.text(alphabet=st.sampled_from(SIGNS), max_size=12)


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    return awa


async def read(client: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    seen: dict[str, Any] = (await client.get(f"/api/v1/members/{person.member_id}")).json()
    return seen


async def patch(client: httpx.AsyncClient, person: Person, **given: object) -> httpx.Response:
    return await client.patch(
        f"/api/v1/members/{person.member_id}", json=given, headers={"if-match": "*"}
    )


async def post(client: httpx.AsyncClient, person: Person, field: str, typed: str) -> httpx.Response:
    form = {"version": (await read(client, person))["version"], "audience": "members"}
    return await client.post(
        f"/members/{person.member_id}/edit/{field}",
        data=form | {"value": typed.encode("utf-8", "replace").decode()},
    )


def kept(field: str, typed: str) -> str:
    """What comes back of a text that is taken: in NFC, trimmed, one line where there is one."""
    composed = unicodedata.normalize("NFC", typed)
    if field == "biography":
        return composed.replace("\r\n", "\n").replace("\r", "\n").strip()
    return " ".join(composed.split())


@BRIEFLY
@given(field=st.sampled_from(TEXTS), typed=ANY)
async def test_any_text_of_a_program_comes_back_or_is_refused_by_name(
    client: httpx.AsyncClient, awa: Person, field: str, typed: str
) -> None:
    before = await read(client, awa)
    answer = await client.patch(
        f"/api/v1/members/{awa.member_id}",
        content=json.dumps({field: typed}),  # lone halves of pairs too, as escapes
        headers={"content-type": "application/json", "if-match": "*"},
    )
    seen = await read(client, awa)
    if answer.status_code == 200:
        assert seen[field] == kept(field, typed)
    else:
        assert answer.status_code == 400, answer.text
        is_lone = any("\ud800" <= one <= "\udfff" for one in typed)
        assert is_lone or answer.json()["errors"][0]["field"] == field
        assert seen == before
    assert (await client.get(f"/members/{awa.member_id}")).status_code == 200


@BRIEFLY
@given(field=st.sampled_from((*TEXTS, *LISTS)), typed=ANY)
async def test_any_text_of_a_form_comes_back_or_is_shown_again(
    client: httpx.AsyncClient, awa: Person, field: str, typed: str
) -> None:
    answer = await post(client, awa, field, typed)
    assert answer.status_code in {303, 400}
    if answer.status_code == 400:
        assert 'class="error"' in answer.text
    elif field in TEXTS:
        sent = typed.encode("utf-8", "replace").decode()
        assert (await read(client, awa))[field] == kept(field, sent)
    assert (await client.get(f"/members/{awa.member_id}/edit/{field}")).status_code == 200


@BRIEFLY
@given(field=st.sampled_from(LISTS), typed=st.lists(ANY, max_size=25))
async def test_any_list_comes_back_or_is_refused_by_name(
    client: httpx.AsyncClient, awa: Person, field: str, typed: list[str]
) -> None:
    typed = [one.encode("utf-8", "replace").decode() for one in typed]
    answer = await patch(client, awa, **{field: typed})
    if answer.status_code == 400:
        assert answer.json()["errors"][0]["field"] == field
    else:
        assert answer.status_code == 200, answer.text
        seen = (await read(client, awa))[field]
        if field == "links":
            assert all(link["url"].startswith(("http://", "https://")) for link in seen)
        else:
            assert {one.casefold() for one in seen} == {
                kept(field, one).casefold() for one in typed if one.strip()
            }


@BRIEFLY
@given(
    body=st.dictionaries(
        st.sampled_from(
            [*TEXTS, *LISTS, "trades", "sectors", "languages", "availability", "stage", "place",
             "territory", "audiences", "version", "photo", "portfolio", "email"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=9),
            lambda inner: st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=9), inner, max_size=3),
            max_leaves=6,
        ),
        max_size=3,
    )
)  # fmt: skip
async def test_any_body_is_taken_or_refused(
    client: httpx.AsyncClient, awa: Person, body: dict[str, Any]
) -> None:
    answer = await patch(client, awa, **body)
    assert answer.status_code in {200, 400, 409}, answer.text


@pytest.mark.parametrize("field", TEXTS[:3])
async def test_signs_that_nobody_sees_are_refused(
    client: httpx.AsyncClient, awa: Person, field: str
) -> None:
    for sign in REFUSED:
        answer = await patch(client, awa, **{field: f"Awa{sign}Lemaire"})
        assert answer.status_code == 400, f"{ord(sign):04x}"
        assert answer.json()["errors"][0]["field"] == field


NAMES = {
    "one word": "Björk",
    "one letter": "Q",
    "han": "佐藤 花子",
    "arabic": "محمد الأمين",
    "hebrew with points": "שָׁלוֹם",
    "thai": "สมชาย",
    "devanagari with a joiner": "क्‍ष शर्मा",
    "persian with a non-joiner": "علی‌رضا",
    "georgian": "ნინო",
    "amharic": "አበበ ቢቂላ",
    "vietnamese": "Nguyễn Thị Minh Khai",
    "apostrophes": "N’Golo O'Neill",
    "hyphens": "Jean-Noël-d’Arc",
    "click": "ǃXóõ",
    "digits": "Élodie 2e",
    "long": "Wolfeschlegelsteinhausen" * 8,
    "markup": '<b>Awa</b> & "fils" \'--',
    "emoji": "Awa 🌻",
    "outside the first plane": "𐌰𐍅𐌰",
}


@pytest.mark.parametrize("name", NAMES)
async def test_names_of_any_script_are_kept_and_shown(
    client: httpx.AsyncClient, awa: Person, name: str
) -> None:
    wanted = unicodedata.normalize("NFC", NAMES[name])
    for form in ("NFC", "NFD"):
        typed = unicodedata.normalize(form, NAMES[name])
        assert (await patch(client, awa, display_name=typed)).status_code == 200
        assert (await read(client, awa))["display_name"] == wanted
        page = await client.get(f"/members/{awa.member_id}")
        assert html.escape(wanted, quote=False) in html.unescape(page.text).replace(
            wanted, html.escape(wanted, quote=False)
        )
        assert "<b>Awa</b>" not in page.text
        search = await client.get("/", params={"q": wanted[:100]})
        assert search.status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "data:text/html,x",
        "vbscript:x", "file:///etc/passwd", "ftp://atelier.example", "//atelier.example",
        "https://", "https://a", "http://a:b@c.example", "https://x.example/\u202egnp",
        "https://x.example/a b", "https://x.example\\@evil.example", "https://[::1", "https://x.example:99999",
        "java\nscript:alert(1)", "https:/x.example", "https://.", "https://x..example" * 40,
    ],
)  # fmt: skip
async def test_a_link_is_http_or_nothing(client: httpx.AsyncClient, awa: Person, url: str) -> None:
    answer = await patch(client, awa, links=[url])
    assert answer.status_code == 400, answer.json()["links"]
    assert answer.json()["errors"][0]["field"] == "links"
