"""A pause of all mails of filières until a day. The choices stay as they are."""

from datetime import date, datetime, timedelta

import msgspec

from directory import db, errors
from directory.accounts import audit
from directory.accounts.actor import VISITOR, Actor, Permission
from directory.languages import marked
from directory.subscriptions import ledger
from directory.subscriptions.consent import UNDO_WITHIN
from directory.subscriptions.links import Holder, PauseMade

LONGEST = timedelta(days=366)


def today() -> date:
    """In Brussels, where the mails are sent."""
    return datetime.now(ledger.ZONE).date()


async def until(member_id: int) -> date | None:
    """The day on which mails come again; None when they come now."""
    async with db.connection() as reader:
        ends: date | None = await reader.fetchval(
            "SELECT until FROM mail_pause WHERE member_id = $1 AND until > $2", member_id, today()
        )
    return ends


async def pause(actor: Actor, ends: date) -> None:
    """No mail of any filière before this day.

    :raises errors.Malformed: naming `until`, for a day that is past or more than a year away.
    """
    actor.require(Permission.JOIN_FILIERE)
    await _set(actor, actor.require_member(), ends)


async def resume(actor: Actor) -> None:
    """Mails come again from now on. Without a pause it changes nothing."""
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    async with db.transaction():
        await lift(actor, member_id)


async def lift(actor: Actor, member_id: int) -> None:
    """End the pause of a member, in the caller's transaction."""
    ended = await db.current().fetchval(
        "DELETE FROM mail_pause WHERE member_id = $1 RETURNING until > $2", member_id, today()
    )
    if ended:
        await audit.record(actor, "mails.resumed", member_id=member_id)


async def pause_by_link(holder: Holder, ends: date) -> PauseMade:
    """As `pause`; a link does not make a pause that is there shorter.

    :raises errors.Forbidden: for a day before the end of the pause.
    """
    return await _set(VISITOR, holder.member_id, ends, only_longer=True)


async def _set(actor: Actor, member_id: int, ends: date, *, only_longer: bool = False) -> PauseMade:
    check(ends)
    async with db.transaction() as opened:
        if not await ledger.lock(opened, member_id):
            raise errors.NotFound
        before = await until(member_id)
        if only_longer and before is not None and ends < before:
            raise errors.Forbidden(
                marked("Ce lien ne raccourcit pas une pause. Connectez-vous pour la finir.")
            )
        paused_at = await opened.fetchval(
            "INSERT INTO mail_pause (member_id, until, paused_at) VALUES ($1, $2, now()) "
            "ON CONFLICT (member_id) DO UPDATE SET until = excluded.until, "
            "paused_at = excluded.paused_at RETURNING paused_at",
            member_id, ends,
        )  # fmt: skip
        if ends != before:
            await audit.record(actor, "mails.paused", member_id=member_id)
    return PauseMade(member_id, paused_at, before)


def check(ends: date) -> None:
    """:raises errors.Malformed: naming `until`."""
    first, last = today() + timedelta(days=1), today() + LONGEST
    if not first <= ends <= last:
        raise errors.Malformed.field(
            "until",
            marked("Indiquez un jour entre le %(first)s et le %(last)s."),
            first=f"{first:%d/%m/%Y}",
            last=f"{last:%d/%m/%Y}",
        )


def read(text: str) -> date:
    """The day of a form. :raises errors.Malformed: naming `until`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise errors.Malformed.field(
            "until", marked("Indiquez un jour, par exemple %(day)s."),
            day=f"{today() + timedelta(days=30):%Y-%m-%d}",
        ) from None  # fmt: skip


async def undo(made: PauseMade) -> None:
    """Take back the pause that a link has just made. Doing it twice changes nothing.

    :raises errors.Gone: after UNDO_WITHIN, or when another pause was made since.
    """
    async with db.transaction() as opened:
        await ledger.lock(opened, made.member_id)
        row = await opened.fetchrow(
            "SELECT paused_at = $2 AS is_same, paused_at > now() - $3::interval AS is_fresh "
            "FROM mail_pause WHERE member_id = $1",
            made.member_id, made.at, UNDO_WITHIN,
        )  # fmt: skip
        if row is None:
            return
        if not (row["is_same"] and row["is_fresh"]):
            raise errors.Gone(
                marked("C’est trop tard pour revenir en arrière. Connectez-vous pour choisir.")
            )
        if made.before is None:
            await lift(VISITOR, made.member_id)
            return
        await opened.execute(
            "UPDATE mail_pause SET until = $2 WHERE member_id = $1", made.member_id, made.before
        )
        await audit.record(VISITOR, "mails.paused", member_id=made.member_id)


class PauseDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`until` is the day on which mails come again, in Brussels."""

    until: date
