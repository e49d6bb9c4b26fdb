"""A member proposes the trade that the vocabulary lacks."""

import asyncio
from html import unescape
from typing import Any

import asyncpg
import httpx
import pytest

from directory.accounts import tokens
from directory.accounts.actor import Scope
from tests import people

PATH = "/api/v1/vocabulary/proposals"
PAGE = "/trades/propose"
NOTE = "Je construis et répare des vielles à roue."


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> people.Person:
    """A member who is signed in."""
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    return awa


async def coordinator(client: httpx.AsyncClient, connection: asyncpg.Connection) -> people.Person:
    """Signed in from now on."""
    helene = await people.member(connection, "Hélène Carlier")
    await people.grants(connection, helene, "coordinator")
    await people.sign_in(client, helene)
    return helene


async def propose(client: httpx.AsyncClient, label: str, **draft: object) -> httpx.Response:
    return await client.post(PATH, json={"label": label, **draft})


async def labels(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(PATH + query)
    assert answer.status_code == 200, answer.text
    return [item["label"] for item in answer.json()["items"]]


async def test_a_proposal_reaches_the_coordinators_as_it_was_typed(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: people.Person
) -> None:
    answer = await propose(client, "  Vielleuse &  luthière ", note=f" {NOTE}\r\n")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["label"] == "Vielleuse & luthière"
    assert (made["note"], made["language"]) == (NOTE, "fr")
    assert made["member"] == {"id": awa.member_id, "display_name": "Awa Lemaire"}
    await propose(client, "Draailierbouwer", language="nl")
    assert (await client.get(PATH)).status_code == 403
    await coordinator(client, connection)
    found = (await client.get(PATH)).json()
    assert (found["items"][0], found["total"]) == (made, 2)
    assert found["items"][1]["language"] == "nl"
    assert await labels(client, "?page=2&limit=1") == ["Draailierbouwer"]


async def test_the_language_is_the_readers_unless_it_is_said(
    client: httpx.AsyncClient, awa: people.Person
) -> None:
    dutch = {"Accept-Language": "nl"}
    client.cookies.set("language", "nl")
    answer = await client.post(PATH, json={"label": "Draailierbouwer"}, headers=dutch)
    assert answer.json()["language"] == "nl"
    assert (await propose(client, "Luthière", language="fr")).json()["language"] == "fr"


async def test_the_same_trade_again_is_the_proposal_that_is_there(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: people.Person
) -> None:
    first = (await propose(client, "Vielleuse", note=NOTE)).json()
    for label in ("vielleuse", " VIELLEUSE.", "Vielleur", "vielleur·se", "Vielleuses"):
        again = await propose(client, label, note="Autre chose.")
        assert (again.status_code, again.json()) == (201, first)
    await people.sign_in(client, await people.member(connection))
    other = (await propose(client, "Vielleuse")).json()
    assert other["id"] != first["id"]


async def test_a_member_has_five_open_proposals_and_is_told_the_way_out(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: people.Person
) -> None:
    for letter in "abcde":
        assert (await propose(client, f"Métier {letter}x")).status_code == 201
    refused = await propose(client, "Métier fx")
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:filieres:problem:proposals-full"
    assert refused.json()["detail"] == (
        "Vous avez déjà 5 propositions. Retirez-en une pour proposer un autre métier\u00a0: "
        "Métier ax, Métier bx, Métier cx, Métier dx, Métier ex."
    )
    page = unescape((await client.get(PAGE)).text)
    assert "Vous avez déjà 5 propositions" in page
    assert "Proposer ce métier" not in page
    posted = await client.post(PAGE, data={"label": "Métier fx"})
    assert posted.status_code == 409
    known = await propose(client, "métier AX")
    assert known.status_code == 201
    gone = await client.delete(f"{PATH}/{known.json()['id']}")
    assert gone.status_code == 204
    assert (await propose(client, "Métier fx")).status_code == 201


async def test_clicks_at_the_same_moment_make_one_proposal_and_never_a_sixth(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: people.Person
) -> None:
    same = await asyncio.gather(*(propose(client, "Vielleuse") for _ in range(8)))
    assert len({answer.json()["id"] for answer in same}) == 1
    more = await asyncio.gather(*(propose(client, f"Métier {n}x") for n in "abcdefgh"))
    assert sorted(answer.status_code for answer in more) == [201] * 4 + [409] * 4
    assert await connection.fetchval("SELECT count(*) FROM trade_proposal") == 5


async def test_only_the_owner_withdraws(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: people.Person
) -> None:
    mine = (await propose(client, "Vielleuse")).json()["id"]
    for person in (await people.member(connection), await coordinator(client, connection)):
        await people.sign_in(client, person)
        assert (await client.delete(f"{PATH}/{mine}")).status_code == 404
        page = await client.post(f"/trades/proposals/{mine}/withdraw")
        assert page.status_code == 404
    await people.sign_in(client, awa)
    for number in (0, mine + 1, 2**63, 2**70):
        assert (await client.delete(f"{PATH}/{number}")).status_code == 404
    assert (await client.delete(f"{PATH}/{mine}")).status_code == 204
    assert (await client.delete(f"{PATH}/{mine}")).status_code == 404
    assert await connection.fetchval("SELECT count(*) FROM trade_proposal") == 0


async def test_visitors_sign_in_first_and_who_is_no_member_proposes_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    async def statuses() -> set[int]:
        answers = (
            await propose(client, "Vielleuse"),
            await client.get(PATH),
            await client.delete(f"{PATH}/1"),
            await client.get(PAGE),
            await client.post(PAGE, data={"label": ""}),
            await client.post("/trades/proposals/1/withdraw"),
        )
        return {answer.status_code for answer in answers}

    assert await statuses() == {401}
    assert "/login?next=/trades/propose" in (await client.get(PAGE)).text
    staff = await people.member(connection)
    await connection.execute("UPDATE member SET left_on = current_date")
    await people.sign_in(client, staff)
    assert await statuses() == {403}


async def test_a_token_proposes_within_its_scopes(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    helene = await people.member(connection)
    await people.grants(connection, helene, "administrator")
    for scope, proposes, lists in (
        (Scope.PROFILE_WRITE, 201, 403),
        (Scope.VOCABULARY_WRITE, 403, 200),
        (Scope.MEMBERS_READ, 403, 403),
    ):
        token = await tokens.create(helene.email, [scope])
        headers = {"Authorization": f"Bearer {token}"}
        answer = await client.post(PATH, json={"label": "Vielleuse"}, headers=headers)
        assert answer.status_code == proposes, scope
        assert (await client.get(PATH, headers=headers)).status_code == lists, scope


async def test_who_hides_their_name_or_left_is_not_named(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: people.Person
) -> None:
    await propose(client, "Vielleuse")
    await coordinator(client, connection)
    page = (await client.get("/vocabulary")).text
    assert f'href="/members/{awa.member_id}"' in page
    for change in (
        """audiences = '{"display_name": "me"}'""",
        "audiences = '{}', left_on = current_date",
    ):
        await connection.execute(f"UPDATE member SET {change} WHERE id = $1", awa.member_id)
        (item,) = (await client.get(PATH)).json()["items"]
        assert (item["label"], item["member"]) == ("Vielleuse", None)
        page = (await client.get("/vocabulary")).text
        assert "Un membre que vous ne voyez pas" in page
        assert "Awa Lemaire" not in page


async def test_proposals_go_with_their_member(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: people.Person
) -> None:
    await propose(client, "Vielleuse")
    await connection.execute("DELETE FROM member WHERE id = $1", awa.member_id)
    assert await connection.fetchval("SELECT count(*) FROM trade_proposal") == 0


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "label"),
    ({"label": ""}, "label"),
    ({"label": " \n "}, "label"),
    ({"label": "…"}, "label"),
    ({"label": "123"}, "label"),
    ({"label": "🙂"}, "label"),
    ({"label": "x" * 121}, "label"),
    ({"label": "a\0b"}, "label"),
    ({"label": "a\x9bb"}, "label"),
    ({"label": 7}, "label"),
    ({"label": "Vielleuse", "note": "x" * 501}, "note"),
    ({"label": "Vielleuse", "note": "a\0b"}, "note"),
    ({"label": "Vielleuse", "language": "de"}, "language"),
    ({"label": "Vielleuse", "labels": "x"}, "labels"),
]


@pytest.mark.parametrize(("draft", "field"), WRONG)
async def test_a_wrong_value_is_named(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: people.Person,
    draft: dict[str, Any], field: str,
) -> None:  # fmt: skip
    answer = await client.post(PATH, json=draft)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field
    assert await connection.fetchval("SELECT count(*) FROM trade_proposal") == 0


@pytest.mark.parametrize(
    ("form", "field", "kept"),
    [
        ({"label": "", "note": NOTE}, "label", NOTE),
        ({"label": "x" * 121, "note": NOTE}, "label", NOTE),
        ({"note": NOTE}, "label", NOTE),
        ({"label": "Vielleuse", "note": "y" * 501}, "note", 'value="Vielleuse"'),
    ],
)
async def test_the_page_tells_beside_the_field_and_keeps_what_was_typed(
    client: httpx.AsyncClient, awa: people.Person, form: dict[str, str], field: str, kept: str
) -> None:
    answer = await client.post(PAGE, data=form)
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    assert f'aria-describedby="{field}-error' in answer.text
    assert kept in answer.text
    assert form.get(field, "") in answer.text


async def test_a_member_proposes_on_the_page_sees_it_and_takes_it_back(
    client: httpx.AsyncClient, awa: people.Person
) -> None:
    form = (await client.get(PAGE, params={"label": "Vielleuse à roue"})).text
    assert 'value="Vielleuse à roue"' in form
    posted = await client.post(PAGE, data={"label": "Vielleuse à roue", "note": NOTE})
    assert posted.status_code == 303
    page = (await client.get(posted.headers["location"])).text
    assert "Votre proposition est notée." in page
    assert NOTE in page
    action = page.partition('action="/trades/proposals/')[2].partition('"')[0]
    gone = await client.post(f"/trades/proposals/{action}")
    assert gone.status_code == 303
    after = (await client.get(gone.headers["location"])).text
    assert "Votre proposition est retirée." in after
    assert NOTE not in after


@pytest.mark.parametrize(
    ("label", "near"),
    [
        ("développeuse web", "Développeur·se web"),
        ("DEVELOPPEUR WEB", "Développeur·se web"),
        ("Fée des photographies aériennes", "hotograph"),  # no trade has them all
    ],
)
async def test_trades_that_resemble_it_are_offered_instead(
    client: httpx.AsyncClient, awa: people.Person, label: str, near: str
) -> None:
    page = (await client.get(PAGE, params={"label": label})).text
    assert "Proches, et déjà dans la liste" in page
    assert near in page
    assert f'href="/members/{awa.member_id}/edit/trades#trades"' in page
    part = await client.get(PAGE, params={"label": label}, headers={"HX-Request": "true"})
    assert near in part.text
    assert "<form" not in part.text


@pytest.mark.parametrize(
    "label", ["", " ", "zzzzqqq", "\0", "🙂", "%", "à la", "x" * 500, "a " * 250]
)
async def test_nothing_is_offered_where_nothing_resembles(
    client: httpx.AsyncClient, awa: people.Person, label: str
) -> None:
    page = await client.get(PAGE, params={"label": label})
    assert page.status_code == 200
    assert "déjà dans la liste" not in page.text


@pytest.mark.parametrize("query", ["label=" + "x" * 501, "done=x", "labels=x"])
async def test_the_page_refuses_what_it_does_not_know(
    client: httpx.AsyncClient, awa: people.Person, query: str
) -> None:
    assert (await client.get(f"{PAGE}?{query}")).status_code == 400


async def test_what_is_typed_is_shown_as_text(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: people.Person
) -> None:
    nasty = '"><img src=x onerror=alert(1)>%(most)s{{ 7*7 }}'
    made = await propose(client, f"Tourneur {nasty}", note=f"</textarea>{nasty}")
    assert made.status_code == 201
    typed = await client.get(PAGE, params={"label": nasty})
    wrong = await client.post(PAGE, data={"label": nasty, "note": f"</textarea>{nasty}" * 20})
    for letter in "abcd":
        await propose(client, f"{letter}x {nasty}")
    full = await client.get(PAGE)
    refused = await client.post(PAGE, data={"label": "Autre"})
    await coordinator(client, connection)
    seen = await client.get("/vocabulary")
    for answer in (typed, wrong, full, refused, seen):
        assert "<img" not in answer.text
        assert "%(most)s{{ 7*7 }}" in unescape(answer.text)
        assert answer.text.count("</textarea>") <= 1


async def test_the_picker_of_trades_leads_here(
    client: httpx.AsyncClient, awa: people.Person
) -> None:
    picker = f"/members/{awa.member_id}/edit/trades?version=1&q=vielleuse+%26+cie"
    assert 'href="/trades/propose?label=vielleuse%20%26%20cie"' in (await client.get(picker)).text
    sectors = f"/members/{awa.member_id}/edit/sectors?version=1&q=vielleuse"
    assert "/trades/propose" not in (await client.get(sectors)).text


async def test_another_site_proposes_and_withdraws_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: people.Person
) -> None:
    made = (await propose(client, "Vielleuse")).json()["id"]
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for path in (PAGE, f"/trades/proposals/{made}/withdraw"):
        answer = await client.post(path, data={"label": "Autre"}, headers=elsewhere)
        assert answer.status_code == 403
    assert await connection.fetchval("SELECT count(*) FROM trade_proposal") == 1


async def test_the_page_of_coordinators_says_when_nothing_is_proposed(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await coordinator(client, connection)
    page = (await client.get("/vocabulary")).text
    assert "Aucun métier n’est proposé." in page
    await propose(client, "Vielleuse", note=NOTE)
    page = (await client.get("/vocabulary")).text
    assert "Aucun métier n’est proposé." not in page
    assert "Vielleuse" in page
    assert NOTE in page
