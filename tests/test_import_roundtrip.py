"""The demonstration goes out as a file and comes back: nothing of it changes."""

from datetime import date

import asyncpg
import httpx
import pytest

from directory.demo import loading
from tests import importing, people
from tests.people import Person

MEMBERS = 400
TODAY = date(2026, 11, 22)


@pytest.mark.parametrize("options", [{}, {"overwrite": True, "complete": True}])
async def test_a_community_of_hundreds_comes_back_as_it_went_out(
    client: httpx.AsyncClient, connection: asyncpg.Connection, options: dict[str, bool]
) -> None:
    await loading.load(
        connection, members=MEMBERS, seed=3, today=TODAY, progress=lambda done, total: None
    )
    account = "SELECT id FROM account WHERE email = 'helene@etabli.example'"
    helene = Person(await connection.fetchval(account), 0, "helene@etabli.example")
    await people.sign_in(client, helene)
    answer = await client.get("/api/v1/members/export")
    assert answer.status_code == 200
    there = await connection.fetchval("SELECT count(*) FROM member WHERE left_on IS NULL")
    found = await importing.planned(client, answer.content, **options)
    odd = [
        row
        for action in ("add", "change", "leave", "reject")
        for row in await importing.rows(client, found["id"], action=action)
    ]
    assert odd == []
    counts = found["counts"]
    assert counts.pop("unchanged") == there > MEMBERS * 0.9
    assert not any(counts.values()), counts
    assert found["findings"]["unknown"] == []
