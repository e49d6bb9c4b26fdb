"""A worker that is killed with kill -9 while it sends to Meilisearch: nothing is lost."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from directory import cluster, indexing
from directory.members import documents
from directory.settings import Settings
from search.documents import AUDIENCES
from search.server import Server
from tests import meili

MEMBERS = 1_500
PATIENCE = 60


@pytest.fixture
async def chosen(tmp_path: Path) -> AsyncIterator[Settings]:
    address = meili.address()
    yield Settings(
        demo=True, var_dir=tmp_path, secret_key="x" * 40, base_url="http://testserver.local",
        meili_url=address.url, meili_key=address.key, meili_prefix=address.prefix,
    )  # fmt: skip
    async with Server(address, seconds=10) as opened:
        await meili.clear(opened, [documents.INDEX])


async def worker(chosen: Settings, url: str) -> asyncio.subprocess.Process:
    environment = os.environ | {
        "DATABASE_URL": url, "DEMO": "true", "SECRET_KEY": chosen.secret_key,
        "VAR_DIR": str(chosen.var_dir), "MEILI_URL": chosen.meili_url,
        "MEILI_KEY": chosen.meili_key, "MEILI_PREFIX": chosen.meili_prefix,
    }  # fmt: skip
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "directory", "worker", env=environment,
        preexec_fn=cluster.DiesWithParent(),
    )  # fmt: skip


async def until(connection: asyncpg.Connection, condition: str) -> None:
    for _ in range(PATIENCE * 50):
        if await connection.fetchval(f"SELECT {condition}"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never: {condition}")


@pytest.mark.usefixtures("app")
async def test_what_a_killed_worker_was_sending_reaches_the_server_by_the_next(
    connection: asyncpg.Connection, chosen: Settings, database: str
) -> None:
    await connection.execute(
        "INSERT INTO member (display_name, audiences) SELECT 'Membre ' || n,"
        " CASE WHEN n % 2 = 0 THEN '{\"display_name\": \"public\"}'::jsonb ELSE '{}' END"
        " FROM generate_series(1, $1::int) n",
        MEMBERS,
    )
    await indexing.rebuild()  # the indexes are there, with everybody in them
    await connection.execute(
        "UPDATE member SET display_name = display_name || ' change', audiences ="
        ' CASE WHEN id % 4 = 0 THEN \'{"display_name": "me"}\'::jsonb ELSE audiences END'
    )
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM member")]
    await documents.refresh(connection, ids)

    killed = await worker(chosen, database)
    await until(connection, "EXISTS (SELECT FROM search_mirror_outbox WHERE tasks IS NOT NULL)")
    killed.kill()
    await killed.wait()
    assert await connection.fetchval("SELECT count(*) FROM search_mirror_outbox") > 0

    next_ = await worker(chosen, database)
    await until(
        connection,
        "NOT EXISTS (SELECT FROM search_outbox) AND NOT EXISTS (SELECT FROM search_mirror_outbox)",
    )
    next_.terminate()
    assert await asyncio.wait_for(next_.wait(), PATIENCE) == 0
    address = indexing.meilisearch(chosen)
    assert address
    async with Server(address, seconds=10) as opened:
        counts = [len(await opened.digests(opened.uid(documents.INDEX, a))) for a in AUDIENCES]
    hidden = sum(id_ % 4 == 0 for id_ in ids)
    public = await connection.fetchval(
        "SELECT count(*) FROM member WHERE audiences ->> 'display_name' = 'public'"
    )
    assert counts == [public, MEMBERS - hidden]
    assert await indexing.verify() == 0
    assert (await indexing.status()).waiting_mirror == 0
