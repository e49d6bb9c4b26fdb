"""Accounts that nobody uses any more, and members who left: told twice, then erased, by night."""

from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from directory import db, jobs, settings
from directory.accounts import audit
from directory.accounts.actor import VISITOR
from directory.privacy import erasures
from directory.privacy.erasing import ErasureDue
from directory.privacy.erasures import Reason, State
from directory.settings import Settings

NOTICE = timedelta(days=30)
REMINDER = timedelta(days=7)
NEVER = timedelta(days=365 * 1000)
SHOWN = 1000
STEPS = ("announce", "remind", "erase")


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom the rules are for. `since`: of the last sign-in, or of leaving."""

    account_id: int | None
    member_id: int | None
    reason: Reason
    since: datetime


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What the next night does, or a later one: announce, remind, erase."""

    what: str
    account_id: int | None
    member_id: int | None
    reason: Reason
    on: datetime

    @property
    def who(self) -> str:
        """Numbers, as a log may keep them."""
        numbers = {"account": self.account_id, "member": self.member_id}
        return " ".join(f"{kind}:{number}" for kind, number in numbers.items() if number)


class RetentionAnnounced(msgspec.Struct, frozen=True):
    """Somebody will be erased in 30 days, if they do not sign in."""

    erasure_id: int


class RetentionReminded(msgspec.Struct, frozen=True):
    """In 7 days."""

    erasure_id: int


# $1 and $2 are the delays. Never somebody with an erasure under way, nor the last administrator.
_CANDIDATES = f"""
    WITH somebody AS (
        SELECT a.id AS account_id, m.id AS member_id,
            CASE WHEN m.left_on IS NOT NULL THEN 'left' ELSE 'dormant' END AS reason,
            greatest(a.signed_in_at, m.left_on::timestamptz) AS since
        FROM account a LEFT JOIN member m ON m.account_id = a.id
        UNION ALL
        SELECT NULL, m.id, 'left', m.left_on::timestamptz
        FROM member m WHERE m.account_id IS NULL AND m.left_on IS NOT NULL
    )
    SELECT * FROM somebody s
    WHERE s.since < now() - CASE s.reason WHEN 'left' THEN $2::interval ELSE $1::interval END
      AND NOT EXISTS (SELECT FROM erasure e WHERE e.state IN {erasures.OPEN}
        AND (e.account_id = s.account_id OR e.member_id = s.member_id))
      AND NOT (EXISTS (SELECT FROM access_grant g WHERE g.account_id = s.account_id
            AND g.role = 'administrator' AND (g.ends_on IS NULL OR g.ends_on >= current_date))
        AND NOT EXISTS (SELECT FROM access_grant o WHERE o.account_id <> s.account_id
            AND o.role = 'administrator' AND (o.ends_on IS NULL OR o.ends_on >= current_date)))
    ORDER BY s.since, s.account_id, s.member_id LIMIT $3
"""  # noqa: S608 - no value in it


async def candidates(limit: int) -> list[Candidate]:
    """Whom nobody has told yet, the longest away first."""
    chosen = settings.current()
    async with db.connection() as reader:
        rows = await reader.fetch(_CANDIDATES, _dormant(chosen), _left(chosen), limit)
    return [msgspec.convert(dict(row), Candidate) for row in rows]


def _dormant(chosen: Settings) -> timedelta:
    return timedelta(days=365.25 * chosen.dormant_years) if chosen.dormant_years else NEVER


def _left(chosen: Settings) -> timedelta:
    return timedelta(days=chosen.left_days) if chosen.left_days else NEVER


async def plan(limit: int = SHOWN) -> list[Step]:
    """What comes, by day; nothing is changed. Of those to be announced, what one night takes."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT account_id, member_id, reason::text AS reason, due_at, reminded_at "
            "FROM erasure e WHERE state = 'announced' AND NOT EXISTS (SELECT FROM account a "
            "WHERE a.id = e.account_id AND a.signed_in_at > e.asked_at) "
            "ORDER BY due_at, id LIMIT $1",
            limit,
        )
    steps = [
        Step(
            what="erase" if row["reminded_at"] else "remind",
            account_id=row["account_id"],
            member_id=row["member_id"],
            reason=Reason(row["reason"]),
            on=row["due_at"] if row["reminded_at"] else row["due_at"] - REMINDER,
        )
        for row in rows
    ]
    tonight = datetime.now(UTC)
    steps += [
        Step(
            what="announce", account_id=one.account_id, member_id=one.member_id,
            reason=one.reason, on=tonight,
        )
        for one in await candidates(limit)
    ]  # fmt: skip
    return sorted(steps, key=lambda step: step.on)


class Night(msgspec.Struct, frozen=True):
    """What one run did."""

    stopped: int
    announced: int
    reminded: int
    begun: int
    purged: int


@jobs.every("7 4 * * *")
async def work_nightly() -> None:
    await work()


async def work() -> Night:
    """One night's part. Who signed in since is left alone; nobody is erased without both mails."""
    most = settings.current().retention_per_night
    async with db.transaction() as opened:
        await opened.execute("SELECT pg_advisory_xact_lock(hashtext('retention'))")
        stopped = await erasures.stop_where_seen(opened)
        begun = await _begin(opened, most)
        reminded = await _remind(opened, most)
        announced = await _announce(opened, most)
        purged = await _purge(opened)
    return Night(stopped, announced, reminded, begun, purged)


async def _announce(opened: asyncpg.Connection, most: int) -> int:
    """Who has no account cannot be told: the same time passes."""
    found = await candidates(most)
    for one in found:
        erasure_id = await opened.fetchval(
            "INSERT INTO erasure (account_id, member_id, reason, state, due_at) "
            "VALUES ($1, $2, $3::erasure_reason, 'announced', now() + $4::interval) RETURNING id",
            one.account_id, one.member_id, one.reason.value, NOTICE,
        )  # fmt: skip
        await audit.record(VISITOR, "erasure.announced", member_id=one.member_id)
        await jobs.emit(RetentionAnnounced(erasure_id))
    return len(found)


async def _remind(opened: asyncpg.Connection, most: int) -> int:
    """A reminder that comes late moves the day: seven days are seven days."""
    rows = await opened.fetch(
        "UPDATE erasure SET reminded_at = now(), due_at = greatest(due_at, now() + $1::interval) "
        "WHERE id IN (SELECT id FROM erasure WHERE state = 'announced' AND reason IN "
        "('dormant', 'left') AND reminded_at IS NULL AND due_at <= now() + $1::interval "
        "ORDER BY due_at, id LIMIT $2) RETURNING id",
        REMINDER, most,
    )  # fmt: skip
    for row in rows:
        await jobs.emit(RetentionReminded(row["id"]))
    return len(rows)


async def _begin(opened: asyncpg.Connection, most: int) -> int:
    rows = await opened.fetch(
        "UPDATE erasure SET state = 'erasing', worked_at = now() "
        "WHERE id IN (SELECT id FROM erasure WHERE state = 'announced' "
        "AND reminded_at IS NOT NULL AND due_at <= now() ORDER BY due_at, id LIMIT $1) "
        "RETURNING id",
        most,
    )
    for row in rows:
        await jobs.emit(ErasureDue(row["id"]))
    return len(rows)


async def _purge(opened: asyncpg.Connection) -> int:
    """What is kept as proof goes in its time, and what came to nothing after a month."""
    await opened.execute(
        "DELETE FROM erasure WHERE state = 'undone' AND done_at < now() - interval '30 days' "
        "OR state = 'asked' AND asked_at < now() - interval '30 days'"
    )
    purged: int = await opened.fetchval("SELECT purge_proofs($1)", settings.current().proof_years)
    return purged


@jobs.on(RetentionAnnounced)
async def write_announced(announced: RetentionAnnounced) -> None:
    await erasures.send(announced.erasure_id, "announced", State.ANNOUNCED)


@jobs.on(RetentionReminded)
async def write_reminded(reminded: RetentionReminded) -> None:
    await erasures.send(reminded.erasure_id, "reminder", State.ANNOUNCED)
