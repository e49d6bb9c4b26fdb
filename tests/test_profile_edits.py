"""A member edits their own profile, part by part."""

import re
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directory import indexing
from directory.members import forms, links, profiles, views
from directory.members.audiences import Audience, Field
from tests import people, profile_rows

BRIEFLY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> people.Person:
    """A member who is signed in."""
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    return awa


async def save(
    client: httpx.AsyncClient, person: people.Person, field: str, **form: object
) -> httpx.Response:
    """What the form of the field posts, at the version that is there."""
    seen = (await client.get(f"/api/v1/members/{person.member_id}")).json()
    form = {"version": seen.get("version") or 1, "audience": "members", **form}
    return await client.post(f"/members/{person.member_id}/edit/{field}", data=form)


async def read(client: httpx.AsyncClient, person: people.Person) -> dict[str, Any]:
    seen: dict[str, Any] = (await client.get(f"/api/v1/members/{person.member_id}")).json()
    return seen


FRENCH = "Développeur·se web"
SAVED: list[tuple[str, dict[str, object], str, object]] = [
    ("display_name", {"value": " Nguyễn  Thị "}, "display_name", "Nguyễn Thị"),
    ("display_name", {"value": "佐藤"}, "display_name", "佐藤"),
    ("display_name", {"value": "محمد"}, "display_name", "محمد"),
    ("headline", {"value": "<b>Rien</b> & tout"}, "headline", "<b>Rien</b> & tout"),
    ("biography", {"value": "Un.\r\n\r\nDeux."}, "biography", "Un.\n\nDeux."),
    ("skills_offered", {"value": "Plume, encre\nEncre;;papier"}, "skills_offered",
        ["Plume", "encre", "papier"]),
    ("skills_wanted", {"value": ""}, "skills_wanted", []),
    ("phone", {"value": "+32 81 22.22.22"}, "phone", "+32 81 22.22.22"),
    ("links", {"value": "atelier.example\nhttps://www.linkedin.com/in/awa\nhttps://social.example/@awa"},
        "links", [
            {"kind": "site", "url": "https://atelier.example"},
            {"kind": "linkedin", "url": "https://www.linkedin.com/in/awa"},
            {"kind": "mastodon", "url": "https://social.example/@awa"},
        ]),
    ("languages", {"language": ["fr", "", "wo"], "level": ["native", "b1", "c1"]}, "languages",
        [{"language": "fr", "level": "native"}, {"language": "wo", "level": "c1"}]),
    ("languages", {"language": "nl", "level": "a2"}, "languages",
        [{"language": "nl", "level": "a2"}]),
    ("stage", {"state": "starting"}, "stage", "starting"),
    ("place", {"choice": "be-5000-namur"}, "place",
        {"code": "be-5000-namur", "label": "Namur", "region_code": "BE-WNA", "region": "Namur"}),
    ("place", {"choice": ""}, "place", None),
]  # fmt: skip


@pytest.mark.parametrize(("field", "form", "name", "kept"), SAVED)
async def test_a_member_saves_a_field(
    client: httpx.AsyncClient, awa: people.Person,
    field: str, form: dict[str, object], name: str, kept: object,
) -> None:  # fmt: skip
    answer = await save(client, awa, field, audience="filieres", **form)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == f"/members/{awa.member_id}?saved={field}#{field}"
    seen = await read(client, awa)
    assert seen[name] == kept
    assert seen["audiences"][field] == "filieres"
    page = await client.get(answer.headers["location"])
    assert page.status_code == 200
    assert re.search(r'role="status">[^<]*Enregistré à \d+.h.\d\d', page.text)


async def test_trades_keep_their_main_one_first(
    client: httpx.AsyncClient, awa: people.Person, connection: asyncpg.Connection
) -> None:
    rows = await connection.fetch("SELECT code FROM trade ORDER BY id LIMIT 6")
    codes = [row["code"] for row in rows]
    answer = await save(client, awa, "trades", choice=codes[:5], main=codes[2])
    assert answer.status_code == 303
    kept = [trade["code"] for trade in (await read(client, awa))["trades"]]
    assert kept == [codes[2], codes[0], codes[1], codes[3], codes[4]]
    refused = await save(client, awa, "trades", choice=codes)
    assert refused.status_code == 400
    assert "Gardez 5 métiers au plus" in refused.text


async def test_a_trade_is_picked_by_typing_without_a_script(
    client: httpx.AsyncClient, awa: people.Person, connection: asyncpg.Connection
) -> None:
    kept = await connection.fetchval("SELECT code FROM trade WHERE label_feminine = 'Graphiste'")
    page = await client.get(
        f"/members/{awa.member_id}/edit/trades",
        params={"version": 1, "audience": "public", "q": "developpeuse web", "choice": kept},
    )
    web = await connection.fetchval("SELECT code FROM trade WHERE label_fr = $1", FRENCH)
    assert page.status_code == 200
    assert re.search(f'name="choice" value="{kept}" checked', page.text)
    assert re.search(f'name="choice" value="{web}">', page.text)
    assert re.search('name="audience" value="public" checked', page.text)


async def test_an_availability_has_a_last_day(
    client: httpx.AsyncClient, awa: people.Person
) -> None:
    day = views.today() + timedelta(days=30)
    for typed in (day.strftime("%d/%m/%Y"), day.isoformat()):
        answer = await save(client, awa, "availability", state="soon", until=typed)
        assert answer.status_code == 303
        seen = await read(client, awa)
        assert (seen["availability"], seen["available_until"]) == ("soon", day.isoformat())
    await save(client, awa, "availability", state="", until=day.isoformat())
    assert (await read(client, awa))["availability"] is None


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("31/01/2027", "2027-01-31"), ("1.2.2027", "2027-02-01"), ("2027-1-31", "2027-01-31"),
        ("31 janvier 2027", "2027-01-31"), ("1er août 2027", "2027-08-01"),
        ("3 maart 2027", "2027-03-03"), ("3 May 2027", "2027-05-03"), (" ", "None"),
    ],
)  # fmt: skip
def test_a_day_is_read_as_people_write_it(typed: str, read: str) -> None:
    assert str(forms.day(typed)) == read


REFUSED: list[tuple[str, dict[str, object], str]] = [
    ("display_name", {"value": "  "}, "Écrivez un nom"),
    ("display_name", {"value": "\u200b"}, "Écrivez un nom"),
    ("display_name", {"value": "x" * 201}, "Écrivez 200 signes au plus. Il y en a 201."),
    ("headline", {"value": "a\0b"}, "signe invisible"),
    ("phone", {"value": "appelez-moi"}, "« appelez-moi » n’est pas un numéro"),
    ("skills_offered", {"value": "\n".join(map(str, range(21)))}, "Gardez 20 compétences"),
    ("skills_wanted", {"value": "x" * 81}, "80 signes"),
    ("links", {"value": "javascript:alert(1)"}, "n’est pas une adresse web"),
    ("links", {"value": "https://a:b@site.example"}, "n’est pas une adresse web"),
    ("links", {"value": "mailto:awa@lemaire.example"}, "Sa place est le champ « Adresse mail »"),
    ("links", {"value": "awa@lemaire.example"}, "Sa place est le champ « Adresse mail »"),
    ("links", {"value": "TEL: +32 81 22 22 22"}, "Sa place est le champ « Téléphone »"),
    ("links", {"value": "https://[1"}, "n’est pas une adresse web"),
    ("availability", {"state": "soon", "until": "14/03/2025"},
        "Le 14 mars 2025 est passé. Indiquez une date à venir"),
    ("availability", {"state": "soon", "until": "31/02/2027"}, "n’est pas une date"),
    ("availability", {"state": "later"}, "Cette valeur n’existe pas."),
    ("stage", {"state": "later"}, "Cette valeur n’existe pas."),
    ("languages", {"language": "xx", "level": "b1"}, "La langue « xx » n’existe pas."),
    ("trades", {"choice": "nothing"}, "Le métier « nothing » n’existe pas."),
    ("sectors", {"choice": "a\0"}, "n’existe pas."),
    ("place", {"choice": "nowhere"}, "Le lieu « nowhere » n’existe pas."),
    ("territory", {"state": "nowhere"}, "Le bureau « nowhere » n’existe pas."),
]  # fmt: skip


@pytest.mark.parametrize(("field", "form", "words"), REFUSED)
async def test_a_value_that_does_not_fit_is_shown_again_with_the_reason(
    client: httpx.AsyncClient, awa: people.Person, field: str, form: dict[str, object], words: str
) -> None:
    before = await read(client, awa)
    answer = await save(client, awa, field, **form)
    assert answer.status_code == 400
    assert words in answer.text
    assert 'class="editing"' in answer.text
    assert await read(client, awa) == before


@pytest.mark.parametrize("field", list(Field))
async def test_every_field_has_a_form_and_an_audience(
    client: httpx.AsyncClient, awa: people.Person, field: Field
) -> None:
    page = await client.get(f"/members/{awa.member_id}/edit/{field}")
    assert page.status_code == 200
    chosen = re.findall('name="audience" value="([a-z]+)" checked', page.text)
    assert chosen == ["me" if field in {Field.EMAIL, Field.PHONE} else "members"]


async def test_an_unknown_field_has_no_form(client: httpx.AsyncClient, awa: people.Person) -> None:
    assert (await client.get(f"/members/{awa.member_id}/edit/secret")).status_code == 404


async def test_an_audience_is_set_without_another_change(
    client: httpx.AsyncClient, awa: people.Person
) -> None:
    assert (await save(client, awa, "email", audience="public")).status_code == 303
    seen = await read(client, awa)
    assert seen["audiences"]["email"] == "public"
    assert seen["email"] == awa.email


async def test_a_second_save_from_an_old_page_is_a_conflict(
    client: httpx.AsyncClient, awa: people.Person
) -> None:
    form = {"version": 1, "audience": "members", "value": "Première"}
    path = f"/members/{awa.member_id}/edit/headline"
    assert (await client.post(path, data=form)).status_code == 303
    answer = await client.post(path, data=form | {"value": "Seconde"})
    assert answer.status_code == 409
    assert "Garder ma version" in answer.text
    program = await client.patch(
        f"/api/v1/members/{awa.member_id}", json={"version": 1, "headline": "Troisième"}
    )
    assert program.status_code == 409
    assert (await read(client, awa))["headline"] == "Première"


async def test_nobody_edits_anothers_profile(
    client: httpx.AsyncClient, awa: people.Person, connection: asyncpg.Connection
) -> None:
    other = await people.member(connection, "Bob")
    await profile_rows.choose(connection, other, {Field.DISPLAY_NAME: Audience.PUBLIC})
    hidden = await people.member(connection, "Chloé")
    await profile_rows.choose(connection, hidden, {Field.DISPLAY_NAME: Audience.ME})
    form = {"version": 1, "audience": "public", "value": "Pirate"}
    body = {"version": 1, "headline": "Pirate"}
    for signed_in, whom, status in (
        (True, other.member_id, 403), (True, hidden.member_id, 404), (True, 10**18, 404),
        (False, other.member_id, 401), (False, hidden.member_id, 401), (False, 10**30, 401),
    ):  # fmt: skip
        if not signed_in:
            client.cookies.clear()
        for answer in (
            await client.get(f"/members/{whom}/edit/headline"),
            await client.get(f"/members/{whom}?as=public"),
            await client.post(f"/members/{whom}/edit/headline", data=form),
            await client.post(f"/members/{whom}/confirm"),
            await client.patch(f"/api/v1/members/{whom}", json=body),
        ):
            assert answer.status_code == status, (signed_in, whom, answer.request.url)
    assert await connection.fetchval("SELECT max(version) FROM member") == 1


async def test_the_owner_looks_through_others_eyes(
    client: httpx.AsyncClient, awa: people.Person, connection: asyncpg.Connection
) -> None:
    await profile_rows.fill(connection, awa)
    await profile_rows.choose(
        connection, awa, {Field.HEADLINE: Audience.FILIERES, Field.PHONE: Audience.ME}
    )
    path = f"/members/{awa.member_id}"
    for seen_as, headline, phone in (
        ("me", True, True), ("filieres", True, False), ("members", False, False),
    ):  # fmt: skip
        page = await client.get(path, params={"as": seen_as})
        assert page.status_code == 200
        assert ("Des choses simples" in page.text) is headline
        assert ("+32 81 22 22 22" in page.text) is phone
        assert ("/edit/" in page.text) is (seen_as == "me")
    page = await client.get(path, params={"as": "public"})
    assert "votre fiche n’existe pas" in page.text
    assert (await client.get(path, params={"as": "everybody"})).status_code == 400


async def test_markup_is_shown_as_it_was_typed(
    client: httpx.AsyncClient, awa: people.Person, connection: asyncpg.Connection
) -> None:
    script = '"><script>alert(1)</script>'
    for field in ("display_name", "headline", "biography", "skills_offered"):
        assert (await save(client, awa, field, value=script)).status_code == 303
    for path in ("", "/edit/display_name", "/edit/biography", "?as=members"):
        page = await client.get(f"/members/{awa.member_id}{path}")
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text


async def test_confirming_makes_a_profile_fresh_and_leaves_open_forms_good(
    client: httpx.AsyncClient, awa: people.Person
) -> None:
    assert (await read(client, awa))["confirmed_at"] is None
    answer = await client.post(f"/members/{awa.member_id}/confirm")
    assert answer.status_code == 303
    seen = await read(client, awa)
    assert seen["confirmed_at"] is not None
    assert seen["version"] == 1
    assert "Votre fiche est confirmée" in (await client.get(answer.headers["location"])).text


@BRIEFLY
@given(field=st.sampled_from(["display_name", "headline", "biography", "phone", "links"]),
       typed=st.text(max_size=60))  # fmt: skip
async def test_any_text_is_kept_or_refused_and_never_a_fault(
    client: httpx.AsyncClient, awa: people.Person, field: str, typed: str
) -> None:
    answer = await save(client, awa, field, value=typed)
    assert answer.status_code in {303, 400}
    assert (await client.get(f"/members/{awa.member_id}")).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b'{"version": "x"}', b'{"version": 1, "headlin": ""}',
        b'{"version": 1, "headline": "\\ud800"}', b'{"version": 1, "headline": "\\u0000"}',
        b'{"version": 1, "audiences": {"secret": "me"}}',
        b'{"version": 1, "audiences": {"email": "all"}}', b'{"version": 1, "place": "\\u0000"}',
        b'{"version": 1, "languages": [{"language": "fr"}]}', b'{"version": 1, "stage": "old"}',
        b'{"version": 1, "availability": {"state": "soon", "until": "2020-01-01"}}', b"\xff\xfe",
    ],
)  # fmt: skip
async def test_a_malformed_change_is_refused(
    client: httpx.AsyncClient, awa: people.Person, body: bytes
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.patch(f"/api/v1/members/{awa.member_id}", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
    assert (await read(client, awa))["version"] == 1


async def test_a_network_is_known_by_its_address() -> None:
    for url, kind, label in (
        ("https://be.linkedin.com/in/awa", "linkedin", "be.linkedin.com/in/awa"),
        ("https://linkedin.com.evil.example/in/awa", "site", "linkedin.com.evil.example/in/awa"),
        ("https://www.youtube.com/@awa", "site", "youtube.com/@awa"),
        ("https://mamot.example/@awa", "mastodon", "@awa@mamot.example"),
        ("http://atelier.example:8080/", "site", "atelier.example:8080"),
    ):
        link = links.read("links", url)
        assert (link.kind, links.label(link), link.url) == (kind, label, url)


async def test_an_edit_reaches_the_index_and_hides_from_it_at_once(
    client: httpx.AsyncClient, awa: people.Person, connection: asyncpg.Connection
) -> None:
    words = "SELECT string_agg(vector::text, ' ') FROM search_text WHERE id = $1"
    await save(client, awa, "headline", value="Xylopyrographie")
    told = "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'directory.indexing.follow_member'"
    assert await connection.fetchval(told) == 1
    assert "xylopyrographi" in await connection.fetchval(words, awa.member_id)
    await save(client, awa, "headline", value="Xylopyrographie", audience="me")
    assert "xylopyrographi" not in await connection.fetchval(words, awa.member_id)
    await save(client, awa, "display_name", value="Awa", audience="me")
    assert await connection.fetchval(words, awa.member_id) is None
    await indexing.follow_member(profiles.MemberChanged(awa.member_id))
    assert await connection.fetchval("SELECT count(*) FROM search_outbox") == 0


async def test_an_availability_that_ended_is_told_to_the_index(
    client: httpx.AsyncClient, awa: people.Person, connection: asyncpg.Connection
) -> None:
    await profile_rows.write(connection, awa, Field.AVAILABILITY, 0)
    await profiles.end_availabilities()
    waiting = "SELECT array_agg(id) FROM search_outbox"
    assert await connection.fetchval(waiting) is None
    await connection.execute("UPDATE member SET available_until = current_date - 2")
    await profiles.end_availabilities()
    assert await connection.fetchval(waiting) == [awa.member_id]
