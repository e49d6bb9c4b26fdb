"""Sending: the audience is frozen into one row for each person, and a worker is told."""

import asyncpg
import msgspec

from directory import db, errors, jobs
from directory.accounts import audit
from directory.accounts.actor import Actor
from directory.languages import marked
from directory.mailings import record
from directory.mailings.record import State


class MailingDue(msgspec.Struct, frozen=True):
    """Some mails of a mailing can be sent now."""

    mailing_id: int


class TrialAsked(msgspec.Struct, frozen=True):
    """The author of a mailing wants to see it in their own mailbox."""

    mailing_id: int


async def send(actor: Actor, mailing_id: int) -> None:
    """Send it to everybody who is in its audience now. Once: asking again changes nothing.

    :raises errors.Conflict: when nobody would get it, or after it was cancelled.
    """
    async with db.transaction() as opened:
        state = await record.lock_own(opened, actor, mailing_id)
        if state in {State.SENDING, State.SENT}:
            return
        if state is State.CANCELLED:
            raise errors.Conflict(marked("Ce mail a été annulé. Écrivez-en un autre."))
        tag = await opened.execute(
            "INSERT INTO delivery (mailing_id, member_id, consent_id) "
            "SELECT mailing_id, member_id, consent_id FROM mailing_audience "
            "WHERE mailing_id = $1 AND reason IS NULL",
            mailing_id,
        )
        size = int(tag.rpartition(" ")[2])
        if size == 0 and not await _has_readers(opened, mailing_id):
            raise errors.Conflict(marked("Personne ne recevrait ce mail. Il reste un brouillon."))
        await opened.execute(
            "UPDATE mailing SET state = 'sending', audience_size = $2, started_at = now(), "
            "worked_at = now() WHERE id = $1",
            mailing_id, size,
        )  # fmt: skip
        await audit.record(actor, "mailing.sent", subject=f"mailing:{mailing_id}")
        await jobs.emit(MailingDue(mailing_id))


async def _has_readers(opened: asyncpg.Connection, mailing_id: int) -> bool:
    """Whether anybody reads it in a digest."""
    found: bool = await opened.fetchval(
        "SELECT EXISTS (SELECT FROM mailing_audience WHERE mailing_id = $1 AND reason = 'digest')",
        mailing_id,
    )
    return found


async def cancel(actor: Actor, mailing_id: int) -> None:
    """Take it back while no mail of it was touched.

    :raises errors.Conflict: once a worker has begun.
    """
    async with db.transaction() as opened:
        state = await record.lock_own(opened, actor, mailing_id)
        if state is State.CANCELLED:
            return
        await opened.execute(
            "UPDATE delivery SET state = 'skipped', reason = 'cancelled' "
            "WHERE mailing_id = $1 AND state = 'queued' AND attempts = 0",
            mailing_id,
        )
        has_begun = await opened.fetchval(
            "SELECT EXISTS (SELECT FROM delivery WHERE mailing_id = $1 AND reason <> 'cancelled')",
            mailing_id,
        )
        if state is not State.SENDING or has_begun:
            raise errors.Conflict(marked("L’envoi a commencé : il ne peut plus être annulé."))
        await opened.execute(
            "UPDATE mailing SET state = 'cancelled', finished_at = now() WHERE id = $1", mailing_id
        )
        await audit.record(actor, "mailing.cancelled", subject=f"mailing:{mailing_id}")


async def ask_trial(actor: Actor, mailing_id: int) -> None:
    """Send it to its author alone."""
    async with db.transaction() as opened:
        await record.lock_own(opened, actor, mailing_id)
        await jobs.emit(TrialAsked(mailing_id))
