"""The demo community that is searched: filled, indexed from zero, and the people who ask."""

import time
from datetime import UTC, datetime
from typing import NamedTuple

import asyncpg

from directory import db, indexing, operations
from directory.accounts import tokens
from directory.accounts.actor import Scope
from directory.demo import loading
from search import mirror
from search.documents import AUDIENCES
from search.mirror import Mirror
from search.server import WRITE_SECONDS, Address, Server

READER = "awa@etabli.example"
SEED = 1


class Built(NamedTuple):
    """seconds it took to index these documents; a member has one for each audience."""

    documents: int
    seconds: float

    @property
    def rate(self) -> float:
        """Documents a second."""
        return self.documents / self.seconds


class Author(NamedTuple):
    member_id: int
    token: str


async def fill(url: str, members: int) -> float:
    """Seconds, of the people alone: tables and reference data are there before."""
    async with operations.connected(url):
        await operations.migrate()
        start = time.perf_counter()
        async with db.transaction() as opened:
            await loading.load(
                opened, members=members, seed=SEED, today=datetime.now(UTC).date(),
                progress=lambda done, total: None,
            )  # fmt: skip
        return time.perf_counter() - start


async def index_postgres(url: str) -> Built:
    """The settings of the process name no Meilisearch."""
    async with operations.connected(url):
        start = time.perf_counter()
        await indexing.rebuild()
        seconds = time.perf_counter() - start
        return Built(await _documents(), seconds)


async def index_meilisearch(url: str, address: Address) -> Built:
    """Until the tasks of the server have succeeded and the new indexes are the ones searched."""
    async with operations.connected(url), Server(address, seconds=WRITE_SECONDS) as server:
        # Postgres would answer everything while one change of the run before waits.
        await indexing.drain()
        start = time.perf_counter()
        for index, source in indexing.INDEXES:
            async with db.connection() as reader:
                await mirror.rebuild(reader, Mirror(server=server, index=index, source=source))
        seconds = time.perf_counter() - start
        return Built(await _documents(), seconds)


async def _documents() -> int:
    async with db.connection() as reader:
        found: int = await reader.fetchval("SELECT count(*) FROM search_document")
        return found


async def drop_indexes(address: Address) -> None:
    """Leave nothing on the server."""
    async with Server(address, seconds=WRITE_SECONDS) as server:
        for index, _ in indexing.INDEXES:
            for audience in AUDIENCES:
                for suffix in ("", mirror.NEW):
                    uid = server.uid(index, audience) + suffix
                    if await server.exists(uid):
                        await server.drop(uid)


async def reader_token(url: str) -> str:
    async with operations.connected(url):
        return await tokens.create(READER, [Scope.MEMBERS_READ], "benchmark")


async def authors(url: str, count: int) -> list[Author]:
    """Members who may change their profiles; the reader is none of them."""
    scopes = [Scope.MEMBERS_READ, Scope.PROFILE_WRITE]
    async with operations.connected(url):
        async with db.connection() as reader:
            rows = await reader.fetch(
                "SELECT m.id, a.email::text AS email FROM member m JOIN account a"
                " ON a.id = m.account_id WHERE m.left_on IS NULL AND a.email <> $1"
                " ORDER BY m.id LIMIT $2",
                READER,
                count,
            )
        return [
            Author(row["id"], await tokens.create(row["email"], scopes, "benchmark"))
            for row in rows
        ]


async def read_times(url: str, count: int) -> list[float]:
    """The baseline of the database: 20 members by a kept connection."""
    connection = await asyncpg.connect(url)
    times = []
    for number in range(count):
        start = time.perf_counter()
        await connection.fetch(
            "SELECT id, display_name, headline FROM member WHERE id > $1 ORDER BY id LIMIT 20",
            number,
        )
        times.append(time.perf_counter() - start)
    await connection.close()
    return times
