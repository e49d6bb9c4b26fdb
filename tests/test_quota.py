"""At most so many filières a member: by the pages, the API, and the database alone."""

import asyncio
from collections import Counter
from typing import Literal

import asyncpg
import httpx
import pytest

from directory import settings
from directory.settings import Settings
from directory.subscriptions import memberships, quota
from directory.subscriptions.ledger import Screen, Trace
from tests import people
from tests.joining import actor, fill_places
from tests.people import Person

TRACE = Trace(Screen.API)
Isolation = Literal["read_committed", "repeatable_read", "serializable"]
MANY = 200
AT_ONCE = 50
ACTIVE = "SELECT count(*) FROM membership WHERE member_id = $1 AND left_at IS NULL"


async def filieres(connection: asyncpg.Connection, count: int) -> list[int]:
    rows = await connection.fetch(
        "INSERT INTO filiere (slug, kind, stage, name_fr, purpose_fr) "
        "SELECT 'many-' || n, 'trade', 'active', 'Filière ' || n, 'Parler.' "
        "FROM generate_series(1, $1) AS n RETURNING id",
        count,
    )
    return [row["id"] for row in rows]


@pytest.mark.parametrize("places", [1, 3])
async def test_two_hundred_joins_at_once_take_the_places_that_are_left_and_no_more(
    client: httpx.AsyncClient, connection: asyncpg.Connection, places: int
) -> None:
    awa = await people.member(connection)
    await fill_places(connection, awa, 3 - places)
    await filieres(connection, MANY)
    await people.sign_in(client, awa)
    few = asyncio.Semaphore(AT_ONCE)

    async def join(number: int) -> httpx.Response:
        async with few:
            return await client.put(f"/api/v1/filieres/many-{number}/membership")

    answers = await asyncio.gather(*(join(number) for number in range(1, MANY + 1)))
    assert Counter(answer.status_code for answer in answers) == {200: places, 409: MANY - places}
    for answer in answers:
        if answer.status_code == 409:
            problem = answer.json()
            assert problem["type"] == "urn:filieres:problem:quota-reached"
            assert len(problem["options"]) == 3
    assert await connection.fetchval(ACTIVE, awa.member_id) == 3


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("isolation", ["read_committed", "repeatable_read", "serializable"])
async def test_the_database_alone_refuses_a_fourth_however_many_insert_at_once(
    connection: asyncpg.Connection, database: str, isolation: Isolation
) -> None:
    awa = await people.member(connection)
    ids = await filieres(connection, 40)
    pool = await asyncpg.create_pool(database, min_size=20, max_size=20)
    assert pool is not None
    gate = asyncio.Event()

    async def insert(filiere_id: int) -> str:
        async with pool.acquire() as raw:
            transaction = raw.transaction(isolation=isolation)
            await transaction.start()
            await raw.execute("SELECT 1 FROM member")  # the snapshot is older than any insert
            await gate.wait()
            try:
                await raw.execute(
                    "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
                    filiere_id, awa.member_id,
                )  # fmt: skip
                await transaction.commit()
            except asyncpg.PostgresError as error:
                await transaction.rollback()
                return type(error).__name__
            return "in"

    first = [asyncio.create_task(insert(filiere_id)) for filiere_id in ids[:20]]
    await asyncio.sleep(0.3)
    gate.set()
    found = Counter(await asyncio.gather(*first, *(insert(one) for one in ids[20:])))
    await pool.close()
    assert await connection.fetchval(ACTIVE, awa.member_id) == 3, found
    assert found["in"] == 3
    assert found.keys() <= {
        "in", "CheckViolationError", "UniqueViolationError", "SerializationError",
    }, found  # fmt: skip


@pytest.mark.usefixtures("app")
async def test_no_statement_goes_round_the_quota(connection: asyncpg.Connection) -> None:
    awa, bo = await people.member(connection), await people.member(connection, "Bo")
    await fill_places(connection, awa)
    (one, *_) = await filieres(connection, 2)
    await connection.execute(
        "INSERT INTO membership (filiere_id, member_id, left_at) VALUES ($1, $2, now())",
        one, awa.member_id,
    )  # fmt: skip
    for statement in (
        f"INSERT INTO membership (filiere_id, member_id) VALUES ({one}, {awa.member_id})",
        f"INSERT INTO membership (filiere_id, member_id, slot) VALUES ({one}, {awa.member_id}, 9)",
        f"UPDATE membership SET left_at = NULL WHERE filiere_id = {one}",
        (
            f"INSERT INTO membership (filiere_id, member_id) VALUES ({one}, {bo.member_id});"
            f"UPDATE membership SET member_id = {awa.member_id} WHERE member_id = {bo.member_id}"
        ),
    ):
        with pytest.raises(asyncpg.CheckViolationError, match="as many filieres"):
            await connection.execute(statement)
    assert await connection.fetchval(ACTIVE, awa.member_id) == 3
    # A place that is left is taken again.
    await connection.execute(
        "UPDATE membership SET left_at = now() WHERE member_id = $1 AND slot = 2", awa.member_id
    )
    await connection.execute(f"UPDATE membership SET left_at = NULL WHERE filiere_id = {one}")
    rows = await connection.fetch(
        "SELECT slot FROM membership WHERE member_id = $1 AND left_at IS NULL ORDER BY 1",
        awa.member_id,
    )
    assert [row["slot"] for row in rows] == [1, 2, 3]


@pytest.mark.usefixtures("app")
async def test_the_setting_is_what_the_database_holds_and_puts_nobody_out(
    connection: asyncpg.Connection, chosen: Settings
) -> None:
    awa = await people.member(connection)
    await fill_places(connection, awa)
    (one, *_) = await filieres(connection, 2)
    settings.use(Settings(demo=True, secret_key=chosen.secret_key, filieres_per_member=2))
    await quota.keep()
    assert await quota.most() == 2
    with pytest.raises(memberships.QuotaReached):
        await memberships.join(actor(awa), "many-1", "fr", TRACE)
    assert len(await memberships.list_of(awa.member_id, "fr")) == 3
    await memberships.leave(actor(awa), "other-0", TRACE)
    with pytest.raises(memberships.QuotaReached):
        await memberships.join(actor(awa), "many-1", "fr", TRACE)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(
            "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)", one, awa.member_id
        )
    settings.use(Settings(demo=True, secret_key=chosen.secret_key, filieres_per_member=4))
    await quota.keep()
    await memberships.join(actor(awa), "many-1", "fr", TRACE)
    await memberships.join(actor(awa), "many-2", "fr", TRACE)


async def test_the_refusal_offers_the_swap_in_one_step(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    slugs = await fill_places(connection, awa)
    await people.filiere(connection, "web")
    await people.sign_in(client, awa)
    problem = (await client.put("/api/v1/filieres/web/membership")).json()
    assert [one["filiere"] for one in problem["options"]] == slugs
    assert problem["options"][0] == {"filiere": "other-0", "name": "Other-0"}

    page = await client.post("/filieres/web/join", data={"web.news": ""})
    assert page.status_code == 409
    assert 'name="leaving" value="other-1"' in page.text
    assert 'name="web.news" value=""' in page.text
    answer = await client.post("/filieres/web/join", data={"web.news": "", "leaving": "other-1"})
    assert answer.status_code == 303
    assert await now_in(awa) == {"other-0", "other-2", "web"}
    await people.filiere(connection, "image")
    answer = await client.put("/api/v1/filieres/image/membership?leaving=web")
    assert answer.status_code == 200
    assert await now_in(awa) == {"other-0", "other-2", "image"}


async def now_in(person: Person) -> set[str]:
    return {one.filiere.slug for one in await memberships.list_of(person.member_id, "fr")}
