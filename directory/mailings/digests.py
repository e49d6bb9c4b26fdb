"""Digests: one mail a person and rhythm, of what their filières sent since the last one.

Who gets what is frozen once, at seven o'clock in Brussels: each day, and each Monday. From then on
a row of digest_delivery goes through the states of `delivery`, for the same reason.
"""

import asyncio
import logging
import os
import secrets
import socket
import time
from datetime import date, datetime, timedelta
from datetime import time as clock

import asyncpg
import msgspec

from directory import db, jobs, settings
from directory.mailings import digest_delivery, digest_letters, relay
from directory.mailings.digest_delivery import Claim
from directory.mailings.relay import Line
from directory.mailings.sending import CONNECTIONS, SLICE_MESSAGES, SLICE_SECONDS
from directory.subscriptions.ledger import ZONE
from directory.subscriptions.topics import Rhythm

log = logging.getLogger(__name__)

HOUR = clock(7)
# How far back a digest looks, for those who had none the last time: a pause, a day without worker.
REACH = {Rhythm.DAILY: timedelta(days=3), Rhythm.WEEKLY: timedelta(days=10)}


class DigestDue(msgspec.Struct, frozen=True):
    """Some digests of this rhythm and day can be sent now."""

    rhythm: Rhythm
    day: date


def last_day(rhythm: Rhythm, at: datetime) -> date:
    """The day of the last digest before an instant: that day at seven, or that Monday at seven."""
    local = at.astimezone(ZONE)
    day = local.date() - timedelta(days=local.time() < HOUR)
    return day - timedelta(days=day.weekday()) if rhythm is Rhythm.WEEKLY else day


def cutoff(day: date) -> datetime:
    return datetime.combine(day, HOUR, ZONE)


@jobs.every("*/5 * * * *")
async def wake() -> None:
    """Freeze the digests that are due, and tell the workers of those that nobody works on."""
    moment = datetime.now(ZONE)
    for rhythm in REACH:
        await freeze(rhythm, last_day(rhythm, moment))
    async with db.transaction() as opened:
        rows = await opened.fetch(
            """
            UPDATE digest_run r SET worked_at = now()
            WHERE r.worked_at < now() - interval '4 minutes' AND EXISTS (
                SELECT FROM digest_delivery d WHERE d.rhythm = r.rhythm AND d.day = r.day
                AND (d.state IN ('queued', 'deferred') AND d.next_at <= now()
                    OR d.state IN ('claimed', 'sending') AND d.lease_until < now()))
            RETURNING r.rhythm::text AS rhythm, r.day
            """
        )
        for row in rows:
            await jobs.emit(DigestDue(Rhythm(row["rhythm"]), row["day"]))


async def freeze(rhythm: Rhythm, day: date) -> int:
    """Write down once who gets what in the digests of a day: how many there are.

    What somebody had at once, or in another digest, is not in it. Nobody gets an empty one.
    """
    until = cutoff(day)
    async with db.transaction() as opened:
        is_new = await opened.fetchval(
            "INSERT INTO digest_run (rhythm, day) VALUES ($1::rhythm, $2) "
            "ON CONFLICT DO NOTHING RETURNING true",
            rhythm.value, day,
        )  # fmt: skip
        if not is_new:
            return 0
        await opened.execute(
            """
            CREATE TEMP TABLE IF NOT EXISTS digest_found (
                member_id bigint, mailing_id bigint, event_id bigint,
                filiere_ids bigint[], consent_id bigint) ON COMMIT DROP;
            """
        )
        await opened.execute(_FIND, rhythm.value, until - REACH[rhythm], until)
        count = await _write(opened, rhythm, day)
        if count:
            await jobs.emit(DigestDue(rhythm, day))
    return count


_FIND = """
    INSERT INTO digest_found
    SELECT v.member_id, v.mailing_id, v.event_id, v.filiere_ids, v.consent_id
    FROM digest_audience v
    WHERE v.rhythm = $1::rhythm AND v.at >= $2 AND v.at < $3
      AND NOT EXISTS (SELECT FROM digest_entry e WHERE e.member_id = v.member_id
        AND (e.mailing_id = v.mailing_id OR e.event_id = v.event_id))
      AND NOT EXISTS (SELECT FROM delivery d WHERE d.mailing_id = v.mailing_id
        AND d.member_id = v.member_id AND d.state <> 'skipped')
"""


async def _write(opened: asyncpg.Connection, rhythm: Rhythm, day: date) -> int:
    tag = await opened.execute(
        "INSERT INTO digest_delivery (member_id, rhythm, day) "
        "SELECT DISTINCT member_id, $1::rhythm, $2::date FROM digest_found",
        rhythm.value, day,
    )  # fmt: skip
    await opened.execute(
        "INSERT INTO digest_entry (member_id, rhythm, day, mailing_id, event_id, filiere_ids, "
        "consent_id) SELECT member_id, $1::rhythm, $2::date, mailing_id, event_id, filiere_ids, "
        "consent_id FROM digest_found",
        rhythm.value, day,
    )  # fmt: skip
    await opened.execute("TRUNCATE digest_found")
    return int(tag.rpartition(" ")[2])


@jobs.on(DigestDue)
async def work(due: DigestDue) -> None:
    """Send for a while, then let another job go on."""
    await digest_delivery.sweep(due.rhythm, due.day)
    if await _slice(due):
        async with db.transaction():
            await jobs.emit(due)


async def _slice(due: DigestDue) -> bool:
    """Send some; whether there may be more to send at once."""
    chosen = settings.current()
    worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    deadline, looked_at = time.monotonic() + SLICE_SECONDS, 0
    async with relay.lines(chosen, CONNECTIONS) as lines:
        while looked_at < SLICE_MESSAGES and time.monotonic() < deadline:
            if not await lines[0].open():
                log.warning("digests of %s: the relay is away: %s", due.day, lines[0].refusal)
                return False
            claimed, count = await digest_delivery.claim(due.rhythm, due.day, worker, len(lines))
            if count == 0:
                return False
            looked_at += count
            await _round(due, worker, claimed, lines)
    return True


async def _round(due: DigestDue, worker: str, claimed: list[Claim], lines: list[Line]) -> None:
    """One message on each line at once: never more than these can be in doubt."""
    messages = {claim.member_id: await digest_letters.write(claim, due.day) for claim in claimed}
    attempts = await digest_delivery.mark_sending(due.rhythm, due.day, worker, list(messages))
    leaving = [claim for claim in claimed if claim.member_id in attempts]
    outcomes = await asyncio.gather(
        *(
            line.attempt(claim.email, messages[claim.member_id])
            for line, claim in zip(lines, leaving, strict=False)
        )
    )
    noted = {
        claim.member_id: (attempts[claim.member_id], outcome)
        for claim, outcome in zip(leaving, outcomes, strict=True)
    }
    await digest_delivery.note(due.rhythm, due.day, worker, noted)
