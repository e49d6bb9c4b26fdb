"""The searchable indexes: which there are, and how each is kept in step with the tables."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from directory import db, jobs, settings
from directory.members import documents
from directory.members.profiles import MemberChanged
from directory.settings import Settings
from directory.subscriptions.memberships import MembershipChanged
from search import mirror, normaliser, outbox, rebuilding
from search.documents import AUDIENCES, Index, Source
from search.mirror import Mirror
from search.server import WRITE_SECONDS, Address, Server, Unavailable

log = logging.getLogger(__name__)

INDEXES: tuple[tuple[Index, Source], ...] = ((documents.INDEX, documents.SOURCE),)


class IndexStatus(msgspec.Struct, frozen=True):
    """`waiting` keys are marked and not indexed yet; the oldest since `lag_seconds`."""

    documents: int
    waiting: int
    lag_seconds: float
    waiting_mirror: int


RULES = f"{normaliser.VERSION}.{documents.EDITION}"
_RULES = "SELECT hash FROM reference_version WHERE part = 'search'"


@jobs.on(MemberChanged)
async def follow_member(_: MemberChanged) -> None:
    await drain()


@jobs.on(MembershipChanged)
async def follow_membership(_: MembershipChanged) -> None:
    await drain()


@jobs.every("* * * * * */5")
async def drain() -> None:
    """Index what waits. Also by the clock, for a change whose job was lost or came too early.

    What Meilisearch does not take now waits for the next time. A worker of another version than
    the one that migrated last leaves everything to those of that one.
    """
    has_mirror = meilisearch(settings.current()) is not None
    for index, source in INDEXES:
        async with db.connection() as reader:
            if await reader.fetchval(_RULES) not in {None, RULES}:
                log.warning("the index follows the rules of another version: restart this one")
                return
            while await outbox.drain(reader, index, source, has_mirror=has_mirror):
                pass
    async with _mirrors() as mirrors:
        for each in mirrors:
            async with db.connection() as reader:
                try:
                    await mirror.drain(reader, each)
                except Unavailable as error:
                    log.warning("%s", error)


async def rebuild(progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Index everything again. Returns how many documents there are.

    :raises Unavailable: when Meilisearch is; Postgres is indexed by then.
    """
    total = 0
    for index, source in INDEXES:
        async with db.connection() as reader:
            total += await rebuilding.rebuild(reader, index, source, progress)
    async with _mirrors() as mirrors:
        for each in mirrors:
            async with db.connection() as reader:
                await mirror.rebuild(reader, each, progress)
    return total


async def follow_rules(opened: asyncpg.Connection, *, has_new_words: bool) -> int:
    """Mark everything that was indexed by other rules than those of this version, or with other
    words of the vocabulary. Returns how many documents that are."""
    if await opened.fetchval(_RULES) == RULES and not has_new_words:
        return 0
    await opened.execute(
        "INSERT INTO reference_version (part, hash) VALUES ('search', $1)"
        " ON CONFLICT (part) DO UPDATE SET hash = excluded.hash, loaded_at = now()",
        RULES,
    )
    count = 0
    for index, source in INDEXES:
        keys = await source.keys(opened)
        await outbox.mark(opened, index, keys)
        count += len(keys)
    return count


async def verify() -> int:
    """Compare Meilisearch with Postgres and repair it. Returns how many documents differed.

    :raises Unavailable:
    """
    different = 0
    async with _mirrors() as mirrors:
        for each in mirrors:
            async with db.connection() as reader:
                different += await mirror.verify(reader, each)
    return different


@jobs.every("41 3 * * *")
async def verify_nightly() -> None:
    try:
        different = await verify()
    except Unavailable as error:
        log.warning("%s", error)
    else:
        if different:
            log.warning("%d documents differed in Meilisearch and were sent again", different)


def meilisearch(chosen: Settings) -> Address | None:
    """Where it is, if the installation has one."""
    if not chosen.meili_url:
        return None
    return Address(url=chosen.meili_url, key=chosen.meili_key, prefix=chosen.meili_prefix)


@asynccontextmanager
async def _mirrors() -> AsyncIterator[list[Mirror]]:
    address = meilisearch(settings.current())
    if address is None:
        yield []
        return
    async with Server(address, seconds=WRITE_SECONDS) as server:
        yield [Mirror(server=server, index=index, source=source) for index, source in INDEXES]


async def status() -> IndexStatus:
    async with db.connection() as reader:
        lag = await outbox.lag(reader)
        mirrored = await outbox.mirror_lag(reader)
        count = await reader.fetchval("SELECT count(DISTINCT id) FROM search_document")
    return IndexStatus(
        documents=count, waiting=lag.count, lag_seconds=lag.age, waiting_mirror=mirrored.count
    )


async def missing(server: Server) -> list[str]:
    """The indexes that a server should have and has not.

    :raises Unavailable:
    """
    uids = [server.uid(index, audience) for index, _ in INDEXES for audience in AUDIENCES]
    return [uid for uid in uids if not await server.exists(uid)]
