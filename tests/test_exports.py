"""Members go out as their audiences want, and come back without a change."""

import csv
import io
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
import vobject

from directory import indexing
from directory.http import pages
from directory.members.audiences import Audience, Field
from tests import importing, people, profile_rows
from tests.people import Person

ODD = (
    "=1+1", "-", "'-", "'=x", "+32", "@awa", "a|b", "a\\|b", 'x;y,"z"', "'t Hooft", "\\",
    "é\u2028è", "a\\",
)  # fmt: skip


@pytest.fixture
async def helene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    return await importing.coordinator(client, connection)


async def crowd(connection: asyncpg.Connection) -> list[Person]:
    """Members with everything filled, odd values, and every audience."""
    made = []
    for number, text in enumerate(ODD):
        odd = " ".join(text.split())  # as every line of a profile is kept
        person = await people.member(connection, f"Membre {odd} {number}")
        await profile_rows.fill(connection, person, number % 2)
        await profile_rows.choose(
            connection, person,
            {field: list(Audience)[(number + place) % 3] for place, field in enumerate(Field)}
            | {Field.DISPLAY_NAME: Audience.MEMBERS},
        )  # fmt: skip
        await connection.execute(
            "UPDATE member SET display_name = $5, headline = $2, biography = $3, number = $4"
            " WHERE id = $1",
            person.member_id, odd, f"{text}\n\n{text}", f"{odd}{number}", f"{odd} Awa {number}",
        )  # fmt: skip
        await connection.execute(
            "UPDATE member_skill SET label = $2 WHERE member_id = $1 AND kind = 'offered'",
            person.member_id, odd,
        )  # fmt: skip
        if number % 2:
            await declares(connection, person)
        made.append(person)
    return made


async def declares(connection: asyncpg.Connection, person: Person) -> None:
    await connection.execute(
        "INSERT INTO member_declaration (member_id, turnover_band) VALUES ($1, '25k_50k')",
        person.member_id,
    )


async def exported(client: httpx.AsyncClient, form: str = "csv") -> bytes:
    answer = await client.get("/api/v1/members/export", params={"format": form})
    assert answer.status_code == 200, answer.text
    return answer.content


@pytest.mark.parametrize("options", [{}, {"overwrite": True}, {"complete": True}])
@pytest.mark.parametrize("language", ["fr", "nl", "en"])
async def test_importing_our_own_export_changes_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person,
    options: dict[str, bool], language: str,
) -> None:  # fmt: skip
    members = await crowd(connection)
    client.cookies.set(pages.LANGUAGE_COOKIE, language)
    found = await importing.planned(client, await exported(client), **options)
    counts = found["counts"]
    rows = [row for row in await importing.rows(client, found["id"]) if row["action"] != "same"]
    assert counts["unchanged"] == len(members) + 1, rows
    assert counts["added"] + counts["changed"] + counts["left"] + counts["rejected"] == 0, rows
    assert found["findings"]["unknown"] == []


async def test_an_export_has_what_the_caller_sees_and_no_formula(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    awa = await people.member(connection, "Awa Lemaire")
    await profile_rows.fill(connection, awa)
    await profile_rows.choose(
        connection, awa, {Field.HEADLINE: Audience.ME, Field.PHONE: Audience.MEMBERS}
    )
    hidden = await people.member(connection, "Zoé Cachée")
    await profile_rows.choose(connection, hidden, {Field.DISPLAY_NAME: Audience.ME})
    gone = await people.member(connection, "Paul Parti")
    await connection.execute(
        "UPDATE member SET left_on = current_date WHERE id = $1", gone.member_id
    )
    text = (await exported(client)).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [row["nom affiché"] for row in rows] == ["Hélène Petit", "Awa Lemaire"]
    assert rows[1]["accroche"] == ""
    assert rows[1]["téléphone"] == "'+32 81 22 22 22"
    assert rows[1]["adresse mail"] == ""
    lines = [msgspec.json.decode(line) for line in (await exported(client, "jsonl")).splitlines()]
    assert lines[1] == (await client.get(f"/api/v1/members/{awa.member_id}")).json()
    cards = list(vobject.readComponents((await exported(client, "vcf")).decode()))
    assert [card.fn.value for card in cards] == ["Hélène Petit", "Awa Lemaire"]
    assert not hasattr(cards[1], "email")


async def test_an_export_is_narrowed_as_a_search_is(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    for number in range(60):
        person = await people.member(connection, f"Awa Lemaire {number}")
        await profile_rows.fill(connection, person, number % 2)
        await profile_rows.choose(
            connection, person, {Field.PLACE: Audience.ME} if number == 2 else {}
        )
    await connection.execute("UPDATE member SET display_name = 'Awa ' || id")
    await indexing.rebuild()
    trade = await connection.fetchval(
        "SELECT code FROM trade WHERE label_feminine = 'Illustratrice'"
    )
    path = "/api/v1/members/export"

    async def ids(**chosen: Any) -> list[int]:
        answer = await client.get(path, params={"format": "jsonl", **chosen})
        assert answer.status_code == 200, answer.text
        return [msgspec.json.decode(line)["id"] for line in answer.content.splitlines()]

    everybody = await ids()
    for chosen in (
        {"trade": trade},
        {"q": "affiches peintes"},
        {"near": "Namur", "within_km": "5"},
        {"near": "Liège", "availability": ["soon", "available"], "language": "wo"},
        {"sector": "90", "exact": "true", "q": "awa"},
    ):
        found: list[int] = []
        total = -1
        while len(found) != total:
            page = await client.get(
                "/api/v1/members",
                params={"limit": 50, "page": len(found) // 50 + 1, "facets": "none", **chosen},
            )
            total = page.json()["total"]
            found += [item["id"] for item in page.json()["items"]]
        assert await ids(**chosen) == sorted(found)
        assert 0 < len(found) < len(everybody)
    assert await ids(q="personnenesappelleainsi") == []
    text = (await client.get(path, params={"trade": trade})).content.decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(text), delimiter=";"))) == 30


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("regionn", "BE-BRU"), ("page", "2"), ("limit", "5"), ("sort", "name"), ("facets", "none"),
        ("trade", "no-such"), ("within_km", "5"), ("near", "nulle part"), ("exact", "perhaps"),
        ("format", "pdf"),
    ],
)  # fmt: skip
async def test_an_export_ignores_no_parameter(
    client: httpx.AsyncClient, helene: Person, name: str, value: str
) -> None:
    answer = await client.get("/api/v1/members/export", params={name: value})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == name


async def test_numbers_of_the_register_are_for_who_may_import_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection, "Awa Lemaire")
    await connection.execute("UPDATE member SET number = '000777'")
    await people.sign_in(client, awa)
    assert b"000777" not in await exported(client)
    await people.grants(connection, awa, "coordinator")
    assert b"000777" in await exported(client)


async def test_a_declared_turnover_is_exported_to_who_may_import_it_and_shown_nowhere(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection, "Awa Lemaire")
    await declares(connection, awa)
    await people.sign_in(client, awa)
    assert b"25k_50k" not in await exported(client)
    for path in (f"/members/{awa.member_id}", f"/api/v1/members/{awa.member_id}", "/?q=awa"):
        assert "25k_50k" not in (await client.get(path)).text
    await people.grants(connection, awa, "coordinator")
    assert b"25k_50k" in await exported(client)
    assert b"25k_50k" not in await exported(client, "jsonl")
    assert b"25k_50k" not in await exported(client, "vcf")
    assert "25k_50k" not in (await client.get(f"/api/v1/members/{awa.member_id}")).text


async def test_visitors_export_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/members/export")
    assert answer.status_code == 401
