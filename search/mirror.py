"""Meilisearch kept in step with the documents of Postgres.

A key is forgotten only once the tasks that carried its documents have succeeded. Tasks run in the
order in which they were sent, so to send a key again is harmless: the newest state comes last.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from search import outbox, settings
from search.documents import AUDIENCES, Audience, Connection, Document, Index, Source
from search.server import Server, Unavailable

BATCH = 500
MOST_KEYS = 5_000  # sent before it is asked which tasks are done
WAIT_SECONDS = 20.0
REBUILD_SECONDS = 600.0
PAUSE_SECONDS = 0.05
NEW = "_new"
_ENDED_BADLY = frozenset({"failed", "canceled"})

log = logging.getLogger(__name__)


class Mirror(msgspec.Struct, frozen=True, kw_only=True):
    """One index on one server, and where its documents come from."""

    server: Server
    index: Index
    source: Source

    def uid(self, audience: Audience, suffix: str = "") -> str:
        return self.server.uid(self.index, audience) + suffix


async def drain(connection: Connection, mirror: Mirror, *, seconds: float = WAIT_SECONDS) -> int:
    """Send what waits and wait for it. Returns how many keys were forgotten.

    An index that the server does not have (any more) is built first. Does nothing while another
    process drains or builds.

    :raises Unavailable: with everything that was not confirmed still waiting.
    """
    async with _alone(connection, mirror.index, is_patient=False) as is_alone:
        if not is_alone:
            return 0
        if not await _is_built(mirror):
            await _rebuild(connection, mirror)
        return await _drain(connection, mirror, seconds)


async def rebuild(
    connection: Connection,
    mirror: Mirror,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Fill new indexes and swap them in: searches find the old ones until then.

    :raises Unavailable: with the old indexes as they were.
    """
    async with _alone(connection, mirror.index, is_patient=True):
        return await _rebuild(connection, mirror, progress)


async def verify(connection: Connection, mirror: Mirror) -> int:
    """Compare ids and digests with those of Postgres, and send again what differs.

    Returns how many documents differed.
    """
    await drain(connection, mirror)
    async with _alone(connection, mirror.index, is_patient=True):
        different = {a: await _differences(connection, mirror, a) for a in AUDIENCES}
        set_up = [
            await mirror.server.set_up(mirror.uid(a), settings.of(mirror.index)) for a in AUDIENCES
        ]
        await _finished(mirror.server, set_up, REBUILD_SECONDS)
        keys = sorted(set().union(*different.values()))
        await outbox.mark_for_mirror(connection, mirror.index, keys)
        await _drain(connection, mirror, REBUILD_SECONDS)
    return sum(len(ids) for ids in different.values())


async def _differences(connection: Connection, mirror: Mirror, audience: Audience) -> set[int]:
    rows = await connection.fetch(
        "SELECT id, digest FROM search_source WHERE index_name = $1 AND audience = $2",
        mirror.index.name,
        audience,
    )
    wanted = {(row["id"], settings.digest(row["digest"])) for row in rows}
    there = await mirror.server.digests(mirror.uid(audience))
    return {id_ for id_, _ in wanted.symmetric_difference(there.items())}


async def _is_built(mirror: Mirror) -> bool:
    return all([await mirror.server.exists(mirror.uid(audience)) for audience in AUDIENCES])


async def _drain(connection: Connection, mirror: Mirror, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    done = 0
    while True:
        sent = await _send(connection, mirror)
        settled, waiting = await _settle(connection, mirror)
        done += settled
        if not sent and not settled and not waiting:
            return done
        if waiting:
            if time.monotonic() > deadline:
                raise Unavailable(f"{mirror.index.name}: {waiting} tasks are not done yet")
            await asyncio.sleep(PAUSE_SECONDS)


async def _send(connection: Connection, mirror: Mirror) -> int:
    rows = await connection.fetch(
        "SELECT seq, id FROM search_mirror_outbox WHERE index_name = $1 AND tasks IS NULL"
        " ORDER BY seq LIMIT $2",
        mirror.index.name,
        MOST_KEYS,
    )
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        ids = sorted({row["id"] for row in part})
        documents = await mirror.source.documents(connection, ids)
        tasks = await _write(mirror, "", ids, documents)
        await connection.execute(
            "UPDATE search_mirror_outbox SET tasks = $2 WHERE seq = ANY($1::bigint[])",
            [row["seq"] for row in part],
            tasks,
        )
    return len(rows)


async def _write(
    mirror: Mirror, suffix: str, ids: Sequence[int], documents: Iterable[Document]
) -> list[int]:
    """These documents are all that the indexes of that suffix shall hold of these ids."""
    tasks = []
    given = [document for document in documents if document.id in set(ids)]
    for audience in AUDIENCES:
        uid = mirror.uid(audience, suffix)
        put = [settings.payload(mirror.index, d) for d in given if d.audience == audience]
        if gone := sorted(set(ids) - {each["id"] for each in put}):
            tasks.append(await mirror.server.remove(uid, gone))
        if put:
            tasks.append(await mirror.server.put(uid, put))
    return tasks


async def _settle(connection: Connection, mirror: Mirror) -> tuple[int, int]:
    """Forget the keys whose tasks have succeeded, and send those again whose tasks have not.

    Returns how many keys were forgotten, and how many tasks are still to be done.
    """
    rows = await connection.fetch(
        "SELECT tasks, array_agg(seq) AS seqs FROM search_mirror_outbox"
        " WHERE index_name = $1 AND tasks IS NOT NULL GROUP BY tasks ORDER BY min(seq) LIMIT 100",
        mirror.index.name,
    )
    tasks = sorted({task for row in rows for task in row["tasks"]})
    statuses = await mirror.server.statuses(tasks) if tasks else {}
    done = waiting = 0
    failed: set[int] = set()
    for row in rows:
        ended = [statuses.get(task, "failed") for task in row["tasks"]]
        if all(status == "succeeded" for status in ended):
            await connection.execute(
                "DELETE FROM search_mirror_outbox WHERE seq = ANY($1::bigint[])", row["seqs"]
            )
            done += len(row["seqs"])
        elif _ENDED_BADLY.isdisjoint(ended):
            waiting += sum(status != "succeeded" for status in ended)
        else:
            failed.update(row["seqs"])
    if failed:
        await _unsent(connection, mirror.index, sorted(failed))
        raise Unavailable(f"{mirror.index.name}: tasks failed, {len(failed)} keys wait again")
    return done, waiting


async def _unsent(connection: Connection, index: Index, seqs: Sequence[int] | None = None) -> None:
    await connection.execute(
        "UPDATE search_mirror_outbox SET tasks = NULL"
        " WHERE index_name = $1 AND ($2::bigint[] IS NULL OR seq = ANY($2))",
        index.name,
        seqs,
    )


async def _rebuild(
    connection: Connection,
    mirror: Mirror,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Changes meanwhile wait in the outbox: they are replayed before and after the swap.

    None is forgotten before the indexes that have it are the ones that are searched.
    """
    await _drop(mirror, NEW)
    await _unsent(connection, mirror.index)
    tasks = []
    for audience in AUDIENCES:
        uid = mirror.uid(audience, NEW)
        tasks += await mirror.server.create(uid, settings.of(mirror.index))
    keys = list(await mirror.source.keys(connection))
    tasks += await _fill(connection, mirror, keys, progress)
    await _finished(mirror.server, tasks, REBUILD_SECONDS)
    changed = await connection.fetch(
        "SELECT DISTINCT id FROM search_mirror_outbox WHERE index_name = $1", mirror.index.name
    )
    tasks = await _fill(connection, mirror, [row["id"] for row in changed])
    await _finished(mirror.server, tasks, REBUILD_SECONDS)
    await _swap(mirror)
    await _drain(connection, mirror, REBUILD_SECONDS)
    await _drop(mirror, NEW)
    progress(len(keys), len(keys))
    return len(keys)


async def _fill(
    connection: Connection,
    mirror: Mirror,
    keys: Sequence[int],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[int]:
    """Send without waiting: the server has its own queue. Returns the tasks."""
    tasks = []
    for start in range(0, len(keys), BATCH):
        progress(start, len(keys))
        part = keys[start : start + BATCH]
        tasks += await _write(mirror, NEW, part, await mirror.source.documents(connection, part))
    return tasks


async def _swap(mirror: Mirror) -> None:
    """All audiences at once; where there was no index before, the new one takes its name."""
    pairs = [(mirror.uid(audience), mirror.uid(audience, NEW)) for audience in AUDIENCES]
    for old, new in pairs:
        if not await mirror.server.exists(old):
            renamed = await mirror.server.swap([(new, old)], rename=True)
            await _finished(mirror.server, [renamed], REBUILD_SECONDS)
    both = [pair for pair in pairs if await mirror.server.exists(pair[1])]
    if both:
        swapped = await mirror.server.swap(both, rename=False)
        await _finished(mirror.server, [swapped], REBUILD_SECONDS)


async def _drop(mirror: Mirror, suffix: str) -> None:
    uids = [mirror.uid(audience, suffix) for audience in AUDIENCES]
    tasks = [await mirror.server.drop(uid) for uid in uids if await mirror.server.exists(uid)]
    await _finished(mirror.server, tasks, REBUILD_SECONDS)


async def _finished(server: Server, tasks: Sequence[int], seconds: float) -> None:
    """:raises Unavailable: when one fails, or takes longer."""
    deadline = time.monotonic() + seconds
    left = sorted(tasks)
    while left:
        statuses = await server.statuses(left[:100])
        if bad := [t for t in left[:100] if statuses.get(t, "failed") in _ENDED_BADLY]:
            raise Unavailable(f"Meilisearch: tasks {bad} did not succeed")
        left = [t for t in left if statuses.get(t) != "succeeded"]
        if left:
            if time.monotonic() > deadline:
                raise Unavailable(f"Meilisearch: {len(left)} tasks are not done yet")
            await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def _alone(connection: Any, index: Index, *, is_patient: bool) -> AsyncIterator[bool]:
    """One process at a time for each index, until it lets go or its connection ends."""
    name = f"mirror {index.name}"
    if is_patient:
        await connection.execute("SELECT pg_advisory_lock(hashtextextended($1, 0))", name)
        has_it = True
    else:
        has_it = await connection.fetchval(
            "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", name
        )
    try:
        yield has_it
    finally:
        if has_it:
            await connection.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", name)
