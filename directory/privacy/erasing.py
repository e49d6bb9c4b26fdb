"""Erasure, as a worker does it: rows, files, queue. Each step can be done again.

The rows go in one transaction, with the jobs that name the person; then the files. A worker that
is killed in between leaves the erasure `erasing`: its job is run again from the start.
"""

from datetime import timedelta

import asyncpg
import msgspec

from directory import db, files, jobs, settings
from directory.accounts import audit
from directory.accounts import holdings as accounts
from directory.accounts.actor import VISITOR
from directory.events import holdings as events
from directory.filieres import holdings as filieres
from directory.holdings import Person
from directory.mailings import holdings as mailings
from directory.members import holdings as members
from directory.privacy import erasures, exports, inventory
from directory.subscriptions import holdings as subscriptions

AGAIN_AFTER = timedelta(minutes=1)
LOST_AFTER = timedelta(hours=1)


class ErasureDue(msgspec.Struct, frozen=True):
    """The time to think is over."""

    erasure_id: int


@jobs.every("*/10 * * * *")
async def wake() -> None:
    """Begin what is due, and what no worker has been at for an hour."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            "UPDATE erasure SET state = 'erasing', worked_at = now() "
            "WHERE state = 'confirmed' AND due_at <= now() "
            "OR state = 'erasing' AND worked_at < now() - $1::interval RETURNING id",
            LOST_AFTER,
        )
        for row in rows:
            await jobs.emit(ErasureDue(row["id"]))


@jobs.on(ErasureDue)
async def erase(due: ErasureDue) -> None:
    """Erase a person for good. When a job of theirs is running, a minute later."""
    person = await _remove_rows(due.erasure_id)
    if person is None:
        return
    for folder in [*inventory.folders(person), *_copies(person)]:
        await files.delete_all(folder)
    async with db.transaction() as opened:
        await opened.execute(
            "UPDATE erasure SET state = 'done', done_at = now() "
            "WHERE id = $1 AND state = 'erasing'",
            due.erasure_id,
        )


def _copies(person: Person) -> list[str]:
    return [] if person.account_id is None else [exports.folder(person.account_id)]


async def _remove_rows(erasure_id: int) -> Person | None:
    """Whose files are to go. None when there is nothing to do, or not yet."""
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            "UPDATE erasure SET worked_at = now() WHERE id = $1 AND state = 'erasing' "
            "RETURNING account_id, member_id",
            erasure_id,
        )
        if row is None:
            return None
        person = Person(row["account_id"], row["member_id"])
        email = await opened.fetchval(
            "SELECT email::text FROM account WHERE id = $1", person.account_id
        )
        if not await jobs.drop_naming(email, person.account_id, person.member_id):
            await jobs.emit(ErasureDue(erasure_id), after=AGAIN_AFTER)
            return None
        if email is not None or await _is_there(opened, person):
            await audit.record(VISITOR, "member.erased", member_id=person.member_id)
        await _erase_domains(opened, person)
        return person


async def _is_there(opened: asyncpg.Connection, person: Person) -> bool:
    found: bool = await opened.fetchval(
        "SELECT EXISTS (SELECT FROM member WHERE id = $1)", person.member_id
    )
    return found


async def _erase_domains(opened: asyncpg.Connection, person: Person) -> None:
    """From the top of the house down: what names others goes before what it names."""
    for domain in (mailings, events, subscriptions, filieres, members, accounts):
        await domain.erase(opened, person)
    if person.member_id is not None:
        await subscriptions.forget(opened, person)


async def erase_now(person: Person) -> bool:
    """Without a time to think, by whoever runs the installation.

    False: a job of theirs is running, and a worker does it in a minute.
    """
    async with db.transaction() as opened:
        erasure_id = await open_for(opened, person, erasures.Reason.OPERATOR)
        await opened.execute(
            "UPDATE erasure SET state = 'erasing', due_at = now(), worked_at = now() WHERE id = $1",
            erasure_id,
        )
        await jobs.emit(ErasureDue(erasure_id), after=timedelta(minutes=5))
    await erase(ErasureDue(erasure_id))
    async with db.connection() as reader:
        done: bool = await reader.fetchval(
            "SELECT state = 'done' FROM erasure WHERE id = $1", erasure_id
        )
    return done


async def count_late() -> int:
    """Erasures that no worker has done two hours after their day."""
    async with db.connection() as reader:
        count: int = await reader.fetchval(
            "SELECT count(*) FROM erasure WHERE state IN ('confirmed', 'erasing') "
            "AND greatest(due_at, worked_at) < now() - $1::interval",
            2 * LOST_AFTER,
        )
    return count


async def open_for(opened: asyncpg.Connection, person: Person, reason: erasures.Reason) -> int:
    """The erasure of a person that is under way, or a new one that is announced."""
    found = await opened.fetchval(
        f"SELECT id FROM erasure WHERE state IN {erasures.OPEN} "  # noqa: S608 - no value in it
        "AND (account_id = $1 OR member_id = $2) FOR UPDATE",
        person.account_id, person.member_id,
    )  # fmt: skip
    if found is None:
        found = await opened.fetchval(
            "INSERT INTO erasure (account_id, member_id, reason, state, due_at) VALUES "
            "($1, $2, $3::erasure_reason, 'announced', now()) RETURNING id",
            person.account_id, person.member_id, reason.value,
        )  # fmt: skip
    erasure_id: int = found
    return erasure_id


async def schedule(person: Person) -> erasures.ErasureView:
    """As if the person had confirmed it: hidden at once, erased after the time to think."""
    async with db.transaction() as opened:
        erasure_id = await open_for(opened, person, erasures.Reason.OPERATOR)
        after = timedelta(days=settings.current().erasure_days)
        return await erasures.schedule(opened, erasure_id, after, VISITOR)
