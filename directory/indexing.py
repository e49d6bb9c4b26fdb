"""The searchable indexes: which there are, and how each is kept in step with the tables."""

from collections.abc import Callable

import msgspec

from directory import db, jobs
from directory.members import documents
from directory.members.profiles import MemberChanged
from directory.subscriptions.memberships import MembershipChanged
from search import outbox, rebuilding
from search.documents import Index, Source

INDEXES: tuple[tuple[Index, Source], ...] = ((documents.INDEX, documents.SOURCE),)


class IndexStatus(msgspec.Struct, frozen=True):
    """`waiting` keys are marked and not indexed yet; the oldest since `lag_seconds`."""

    documents: int
    waiting: int
    lag_seconds: float


@jobs.on(MemberChanged)
async def follow_member(_: MemberChanged) -> None:
    await drain()


@jobs.on(MembershipChanged)
async def follow_membership(_: MembershipChanged) -> None:
    await drain()


@jobs.every("* * * * * */5")
async def drain() -> None:
    """Index what waits. Also by the clock, for a change whose job was lost or came too early."""
    for index, source in INDEXES:
        async with db.connection() as reader:
            while await outbox.drain(reader, index, source):
                pass


async def rebuild(progress: Callable[[int, int], None] = lambda done, total: None) -> int:
    """Index everything again. Returns how many documents there are."""
    total = 0
    for index, source in INDEXES:
        async with db.connection() as reader:
            total += await rebuilding.rebuild(reader, index, source, progress)
    return total


async def status() -> IndexStatus:
    async with db.connection() as reader:
        lag = await outbox.lag(reader)
        count = await reader.fetchval("SELECT count(DISTINCT id) FROM search_document")
    return IndexStatus(documents=count, waiting=lag.count, lag_seconds=lag.age)
