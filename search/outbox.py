"""What has changed and is not indexed yet: keys, never contents.

Whoever changes something marks its key in the same transaction. Draining reads what is there now,
so it does not matter how often or in which order keys were marked.
"""

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from search import storage
from search.documents import Connection, Index, Source

BATCH = 200
PATIENCE_SECONDS = 0.5
PAUSE_SECONDS = 0.02
_LOCK = "hashtextextended('search ' || $1, 0)"


class Lag(msgspec.Struct, frozen=True):
    """age is that of the oldest key, in seconds; 0 when none waits."""

    count: int
    age: float


async def mark(connection: Connection, index: Index, ids: Iterable[int]) -> None:
    await connection.execute(
        "INSERT INTO search_outbox (index_name, id) SELECT $1, * FROM unnest($2::bigint[])",
        index.name,
        list(ids),
    )


async def drain(
    connection: Connection,
    index: Index,
    source: Source,
    *,
    batch: int = BATCH,
    has_mirror: bool = False,
) -> int:
    """Index one batch of what waits. Returns how many keys were done with; 0 when none is left.

    Keys and documents change in one transaction: what fails stays marked. With has_mirror the keys
    go on to the outbox of the mirror.
    """
    async with connection.transaction():
        await lock(connection, index)
        taken = await connection.fetch(
            "DELETE FROM search_outbox WHERE seq IN (SELECT seq FROM search_outbox"
            " WHERE index_name = $1 ORDER BY seq LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING id",
            index.name,
            batch,
        )
        ids = sorted({row["id"] for row in taken})
        if ids:
            documents = await source.documents(connection, ids)
            await storage.replace(connection, index, ids, documents)
        if has_mirror:
            await mark_for_mirror(connection, index, ids)
    return len(taken)


async def index_now(
    connection: Connection,
    index: Index,
    source: Source,
    ids: Sequence[int],
    *,
    seconds: float = PATIENCE_SECONDS,
) -> bool:
    """Index what changed within the transaction that changes it, beside marking it.

    False, and nothing done, where another process writes to the index all that time.
    """
    for wait in range(int(seconds / PAUSE_SECONDS) + 1):
        if wait:
            await asyncio.sleep(PAUSE_SECONDS)
        if await connection.fetchval(f"SELECT pg_try_advisory_xact_lock({_LOCK})", index.name):
            await storage.replace(connection, index, ids, await source.documents(connection, ids))
            return True
    return False


async def is_behind(connection: Connection, index: Index) -> bool:
    """Whether a change is not in every index yet."""
    is_there: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM search_outbox WHERE index_name = $1)"
        " OR EXISTS (SELECT FROM search_mirror_outbox WHERE index_name = $1)",
        index.name,
    )
    return is_there


async def mark_for_mirror(connection: Connection, index: Index, ids: Iterable[int]) -> None:
    await connection.execute(
        "INSERT INTO search_mirror_outbox (index_name, id) SELECT $1, * FROM unnest($2::bigint[])",
        index.name,
        list(ids),
    )


async def lag(connection: Connection) -> Lag:
    return await _lag(connection, "search_outbox")


async def mirror_lag(connection: Connection) -> Lag:
    return await _lag(connection, "search_mirror_outbox")


async def _lag(connection: Connection, table: str) -> Lag:
    row = await connection.fetchrow(
        "SELECT count(*), extract(epoch FROM clock_timestamp() - min(marked_at))::float8"  # noqa: S608 -- one of two names
        f" FROM {table}"
    )
    return Lag(row[0], row[1] or 0.0)


async def lock(connection: Connection, index: Index) -> None:
    """One writer at a time for each index: the counts of its vocabulary depend on it."""
    await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})", index.name)
