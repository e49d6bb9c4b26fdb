"""A member reads the whole of what they said, page by page, and takes it along."""

import csv
import io

import asyncpg
import httpx

from directory.subscriptions import consent, memberships, wordings
from directory.subscriptions.consent import Choice
from directory.subscriptions.topics import Rhythm, Topic
from tests import people
from tests.people import Person
from tests.test_subscriptions import TRACE, actor, member_with_two_choices


async def busy(connection: asyncpg.Connection) -> Person:
    """Awa, who has changed her mind 60 times."""
    await wordings.load(connection)
    awa, _ = await member_with_two_choices(connection)
    latest = await wordings.list_latest("fr")
    for number in range(58):
        rhythm = (Rhythm.DAILY, Rhythm.WEEKLY)[number % 2]
        choice = Choice("web", Topic.NEWS, rhythm, latest[Topic.NEWS].id)
        await consent.choose(actor(awa), [choice], TRACE)
    return awa


async def test_the_ledger_is_read_in_words_page_by_page(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await busy(connection)
    await people.sign_in(client, awa)
    assert "Le registre complet" in (await client.get("/preferences")).text
    first = (await client.get("/preferences/history")).text
    assert "60 lignes" in first
    assert "Page 1 sur 2" in first
    assert first.count("<time datetime=") == 50
    assert "Texte accepté\u00a0: «\u202fPar mail, ce qui se passe dans la filière.\u202f»" in first
    second = (await client.get("/preferences/history?page=2")).text
    assert second.count("<time datetime=") == 10
    assert "Oui, «\u202fRencontres\u202f», Métiers du web, tout de suite" in second
    for wrong in ("0", "x", "-1"):
        assert (await client.get(f"/preferences/history?page={wrong}")).status_code == 400


async def test_it_is_taken_along_as_a_table_and_as_data(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await busy(connection)
    await memberships.leave(actor(awa), "web", TRACE)
    await people.sign_in(client, awa)
    for path in ("/preferences/history/export", "/api/v1/me/consents/history/export"):
        table = await client.get(path)
        assert table.headers["content-type"].startswith("text/csv")
        assert "consents.csv" in table.headers["content-disposition"]
        rows = list(csv.reader(io.StringIO(table.text.removeprefix("\ufeff")), delimiter=";"))
        assert len(rows) == 1 + 62
        titled = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
        assert titled[0]["Acte"] == "oui"
        assert titled[0]["Texte accepté"] == "Par mail, ce qui se passe dans la filière."
        assert len(titled[0]["SHA-256"]) == 64
        assert titled[-1]["Acte"] == "non"
        data = (await client.get(f"{path}?format=json")).json()
        assert [row["id"] for row in data] == [int(row["Numéro"]) for row in titled]
        assert data[0]["wording"]["hash"] == titled[0]["SHA-256"]
        assert (await client.get(f"{path}?format=xml")).status_code == 400


async def test_who_said_nothing_gets_an_empty_list(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    assert (
        "Vous n’avez encore choisi aucun mail." in (await client.get("/preferences/history")).text
    )
    path = "/api/v1/me/consents/history/export?format=json"
    assert (await client.get(path)).json() == []


async def test_nobody_elses_is_in_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await busy(connection)
    other = await people.member(connection)
    await people.sign_in(client, other)
    assert (await client.get("/preferences/history/export?format=json")).json() == []
    client.cookies.clear()
    assert (await client.get("/preferences/history/export")).status_code == 401
    assert awa.member_id != other.member_id
