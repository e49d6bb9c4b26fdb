"""Filières close to a profile: why, never by themselves, and gone when dismissed."""

from typing import Any

import asyncpg
import httpx
import pytest

from tests import joining, people
from tests.people import Person

API = "/api/v1/me/suggestions"


@pytest.fixture
async def awa(connection: asyncpg.Connection, client: httpx.AsyncClient) -> Person:
    """A photographer, by her main trade, who also makes websites, in Liège's office."""
    awa = await people.member(connection)
    territory = await connection.fetchval(
        "INSERT INTO territory (slug, name) VALUES ('liege', 'Liège') RETURNING id"
    )
    await connection.execute(
        "UPDATE member SET territory_id = $2 WHERE id = $1", awa.member_id, territory
    )
    for position, trade in enumerate(await trades(connection)):
        await connection.execute(
            "INSERT INTO member_trade (member_id, trade_id, position) VALUES ($1, $2, $3)",
            awa.member_id, trade, position,
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO member_sector (member_id, sector_id) "
        "SELECT $1, id FROM sector WHERE code LIKE '62%' AND level = 5 ORDER BY code LIMIT 1",
        awa.member_id,
    )
    await people.sign_in(client, awa)
    return awa


async def trades(connection: asyncpg.Connection) -> tuple[int, int]:
    """Two trades of two families."""
    rows = await connection.fetch(
        "SELECT min(id) AS id FROM trade GROUP BY group_code HAVING count(*) > 2 "
        "ORDER BY group_code LIMIT 2"
    )
    return rows[0]["id"], rows[1]["id"]


async def of_trade(connection: asyncpg.Connection, slug: str, trade_id: int) -> int:
    filiere_id = await people.filiere(connection, slug, slug.capitalize())
    await connection.execute("INSERT INTO filiere_trade VALUES ($1, $2)", filiere_id, trade_id)
    return filiere_id


async def suggested(client: httpx.AsyncClient) -> dict[str, Any]:
    found = (await client.get(API)).json()
    return {one["filiere"]["slug"]: one for one in found["suggested"]}


async def test_the_nearest_comes_first_and_says_why(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    main, second = await trades(connection)
    kin = await connection.fetchval(
        "SELECT max(id) FROM trade WHERE group_code = (SELECT group_code FROM trade WHERE id = $1)",
        main,
    )
    await of_trade(connection, "kindred", kin)
    sector = await people.filiere(connection, "sector", "Sector", "sector")
    await connection.execute(
        "INSERT INTO filiere_sector SELECT $1, id FROM sector WHERE code = '62'", sector
    )
    await of_trade(connection, "second", second)
    await of_trade(connection, "main", main)
    far = await connection.fetchval("SELECT max(id) FROM trade")
    await of_trade(connection, "far", far)
    found = await suggested(client)
    assert list(found) == ["main", "second", "sector", "kindred"]
    assert [one["because"] for one in found.values()] == ["trade", "trade", "sector", "kindred"]
    label = await connection.fetchval("SELECT label_fr FROM trade WHERE id = $1", main)
    assert found["main"]["word"] == label
    page = (await client.get("/filieres")).text
    assert f"Proposée parce que votre métier est «\u202f{label}" in page.replace("&#39;", "'")
    assert await connection.fetchval("SELECT count(*) FROM membership") == 0


async def test_what_cannot_be_entered_or_concerns_others_is_not_suggested(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    main, _ = await trades(connection)
    for slug, change in (
        ("closed", "stage = 'closed'"),
        ("proposed", "stage = 'proposed'"),
        ("by-invitation", "openness = 'invitation'"),
        ("on-approval", "openness = 'approval'"),
        ("elsewhere", "territory_id = (SELECT id FROM territory WHERE slug = 'gand')"),
        ("here", "territory_id = (SELECT id FROM territory WHERE slug = 'liege')"),
        ("mine", "stage = 'active'"),
        ("asked", "openness = 'approval'"),
    ):
        await connection.execute(
            "INSERT INTO territory (slug, name) VALUES ('gand', 'Gand') ON CONFLICT DO NOTHING"
        )
        filiere_id = await of_trade(connection, slug, main)
        await connection.execute(f"UPDATE filiere SET {change} WHERE id = $1", filiere_id)
    await client.put("/api/v1/filieres/mine/membership")
    await client.put("/api/v1/filieres/asked/request", json={})
    found = await suggested(client)
    assert list(found) == ["here", "on-approval"]
    assert found["here"]["is_near"]
    assert "et dans votre bureau" in (await client.get("/filieres")).text


async def test_a_dismissed_one_stays_away_until_it_is_brought_back(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    main, _ = await trades(connection)
    await of_trade(connection, "web", main)
    answer = await client.post("/filieres/web/suggestion/dismiss")
    assert answer.headers["location"] == "/filieres?done=dismissed"
    assert (await client.delete(f"{API}/web")).status_code == 204
    found = (await client.get(API)).json()
    assert (found["suggested"], [one["slug"] for one in found["dismissed"]]) == ([], ["web"])
    page = (await client.get("/filieres?done=dismissed")).text
    assert "ne vous est plus proposée" in page
    assert "Proposer à nouveau" in page
    assert (await client.put(f"{API}/web")).status_code == 204
    assert list(await suggested(client)) == ["web"]
    assert (await client.delete(f"{API}/nowhere")).status_code == 404


async def test_with_every_place_taken_it_says_that_one_leaves_another(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    main, _ = await trades(connection)
    await of_trade(connection, "web", main)
    assert (await client.get(API)).json()["leaves"] is False
    await joining.fill_places(connection, awa)
    assert (await client.get(API)).json()["leaves"] is True
    page = (await client.get("/filieres")).text
    assert "vous en quitterez une autre" in page
    assert 'name="leaving" value="other-0"' in (await client.get("/filieres/web")).text


async def test_a_merged_trade_still_suggests(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    main, second = await trades(connection)
    await connection.execute("DELETE FROM member_trade WHERE trade_id = $1", second)
    await connection.execute("UPDATE trade SET merged_into = $2 WHERE id = $1", main, second)
    await of_trade(connection, "web", second)
    assert (await suggested(client))["web"]["because"] == "trade"


async def test_an_empty_profile_gets_no_suggestion(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    assert await suggested(client) == {}
    assert "Proches de vous" not in (await client.get("/filieres")).text
