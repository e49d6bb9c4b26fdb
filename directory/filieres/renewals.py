"""The end of a mandate: told in time to its holder and the staff, who renew it or let it end."""

import enum
from datetime import date, timedelta
from pathlib import Path

import msgspec

from directory import db, errors, jobs, limits, mail, settings
from directory.accounts import staff
from directory.accounts.actor import Actor, Permission
from directory.filieres import mandates, offers, registry
from directory.filieres.lifecycle import Stage
from directory.filieres.mandates import Holder, MandateRole
from directory.http.pages import Format
from directory.languages import marked
from directory.limits import Limit
from directory.members import posting, views
from directory.members.posting import Outcome, RelayAway

MAILS = Path(__file__).parent / "mails"
DAYS_BEFORE = (60, 30, 7)
STAFF_DAYS = 30
RENEWAL = timedelta(days=365)
LONGEST = timedelta(days=5 * 366)
ASKING = Limit("mandate-renewal", 3, timedelta(days=1))  # each is a mail to all of the staff


class Wish(enum.Enum):
    """What a holder wants when the mandate ends."""

    RENEW = "renew"
    END = "end"


class MandateEnding(msgspec.Struct, frozen=True):
    """A mandate ends in so many days or less. `account_id` is who is told: see staff."""

    mandate_id: int
    ends_on: date
    days: int
    account_id: int


class RenewalAsked(msgspec.Struct, frozen=True):
    """A holder would like to go on. `staff_id` is one of those who are told; see staff."""

    mandate_id: int
    staff_id: int


class MandateRenewed(msgspec.Struct, frozen=True):
    """A mandate goes on until a later day."""

    mandate_id: int
    account_id: int


async def wish(actor: Actor, mandate_id: int, wished: Wish) -> None:
    """Say what one wants of one's own mandate. Who wants to go on asks the staff, once.

    :raises errors.NotFound: for another's mandate, and one that is over.
    :raises errors.TooMany: past ASKING.
    """
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            "UPDATE mandate d SET wish = $3::mandate_wish, wished_at = now() FROM mandate before "
            "WHERE d.id = $1 AND d.member_id = $2 AND d.ends_on >= current_date "
            "AND before.id = d.id RETURNING before.wish::text AS wish, d.role::text AS role, "
            "d.filiere_id",
            mandates.row_id(mandate_id), member_id, wished.value,
        )  # fmt: skip
        if row is None:
            raise errors.NotFound(marked("Ce mandat n’est pas à vous, ou il est fini."))
        if row["wish"] == wished.value:
            return
        role = MandateRole(row["role"])
        await offers.note(actor, "mandate.wished", member_id, role, row["filiere_id"])
        if wished is Wish.RENEW:
            await limits.take(ASKING, mandate_id)
            for staff_id in await staff.account_ids(but=actor.account_id):
                await jobs.emit(RenewalAsked(mandate_id, staff_id))


async def renew(actor: Actor, mandate_id: int, until: date) -> int:
    """Let a mandate go on until a day, by the staff. Again with the same day changes nothing.

    :raises errors.Malformed: for a day that is not later. :raises errors.NotFound:
    """
    actor.require(Permission.RUN_FILIERES)
    async with db.transaction() as opened:
        found = await mandates.holder_of(mandate_id)
        if found is None:
            raise errors.NotFound(marked("Ce mandat est fini. Donnez un nouveau rôle."))
        if await mandates.lock(found[0].filiere_id) is Stage.CLOSED:
            raise offers.closed()
        found = await mandates.holder_of(mandate_id)
        if found is None:  # it was ended while the lock was awaited
            raise errors.NotFound(marked("Ce mandat est fini. Donnez un nouveau rôle."))
        holder, _, ends_on = found
        if until == ends_on:
            return holder.filiere_id
        _refuse_for_oneself(actor, holder)
        if not ends_on < until <= views.today() + LONGEST:
            raise errors.Malformed.field(
                "until", marked("Indiquez un jour à venir, par exemple %(example)s."),
                example=(ends_on + RENEWAL).isoformat(),
            )  # fmt: skip
        await opened.execute(
            "UPDATE mandate SET ends_on = $2, wish = NULL, wished_at = NULL WHERE id = $1",
            mandate_id, until,
        )  # fmt: skip
        await mandates.prolong(holder, until)
        await offers.note(
            actor, "mandate.renewed", holder.member_id, holder.role, holder.filiere_id
        )
        if holder.account_id:
            await jobs.emit(MandateRenewed(mandate_id, holder.account_id))
        return holder.filiere_id


def _refuse_for_oneself(actor: Actor, holder: Holder) -> None:
    if actor.account_id == holder.account_id:
        raise errors.Forbidden(marked("Une autre personne renouvelle votre mandat."))


# Mandates that run and end soon, with the nearest of the days $1 that they have come to. One that
# began after that day is told at the next; who said that it may end is told no more.
_ENDING = """
    SELECT d.id, d.ends_on, d.role::text AS role, a.id AS account_id, t.days,
        d.wish IS NOT DISTINCT FROM 'end' AS is_settled
    FROM mandate d JOIN member m ON m.id = d.member_id AND m.left_on IS NULL
    JOIN filiere f ON f.id = d.filiere_id AND f.stage <> 'closed'
    LEFT JOIN account a ON a.id = m.account_id AND a.disabled_at IS NULL
    CROSS JOIN LATERAL (SELECT min(near) AS days FROM unnest($1::int[]) AS near
        WHERE d.ends_on - current_date <= near AND d.ends_on - near >= d.starts_on) AS t
    WHERE t.days IS NOT NULL AND current_date BETWEEN d.starts_on AND d.ends_on
      AND NOT EXISTS (SELECT FROM mandate n WHERE n.member_id = d.member_id AND n.role = d.role
        AND n.filiere_id = d.filiere_id AND n.ends_on > d.ends_on)
    ORDER BY d.ends_on, d.id
"""
# Nobody twice, and nobody who was already told of a nearer day.
_TOLD = """
    SELECT EXISTS (SELECT FROM mandate_reminder WHERE mandate_id = $1 AND ends_on = $2
        AND days <= $3 AND account_id = $4)
"""


@jobs.every("17 6-18 * * *")
async def remind() -> None:
    """Tell who holds a mandate that it ends, at DAYS_BEFORE; and the staff, at STAFF_DAYS."""
    async with db.transaction() as opened:
        rows = await opened.fetch(_ENDING, list(DAYS_BEFORE))
        everybody = await staff.account_ids()
        for row in rows:
            told = (
                []
                if row["is_settled"] or row["account_id"] is None
                else [(row["days"], row["account_id"])]
            )
            if row["days"] <= STAFF_DAYS and row["role"] == MandateRole.ANIMATOR.value:
                told += [(STAFF_DAYS, one) for one in everybody if one != row["account_id"]]
            for days, account_id in told:
                if not await opened.fetchval(_TOLD, row["id"], row["ends_on"], days, account_id):
                    await jobs.emit(MandateEnding(row["id"], row["ends_on"], days, account_id))


# $1 to $4 as in MandateEnding, of a mandate that still ends on that day.
_CLAIM = """
    WITH claimed AS (
        INSERT INTO mandate_reminder (mandate_id, ends_on, days, account_id)
        SELECT d.id, d.ends_on, $3, $4 FROM mandate d WHERE d.id = $1 AND d.ends_on = $2
        ON CONFLICT DO NOTHING RETURNING mandate_id)
    SELECT d.filiere_id, d.role::text AS role, d.wish::text AS wish, m.account_id
    FROM claimed c JOIN mandate d ON d.id = c.mandate_id JOIN member m ON m.id = d.member_id
"""


@jobs.on(MandateEnding)
async def tell(ending: MandateEnding) -> None:
    """Once: it is noted before the mail goes out, and taken back if it surely did not."""
    reader = await staff.reader(ending.account_id)
    if reader is None:
        return
    key = (ending.mandate_id, ending.ends_on, ending.days, ending.account_id)
    async with db.transaction() as opened:
        row = await opened.fetchrow(_CLAIM, *key)
    if row is None:
        return
    filiere = (await registry.refs([row["filiere_id"]], reader.language))[row["filiere_id"]]
    current = settings.current()
    is_holder = row["account_id"] == ending.account_id
    path = "/mandates" if is_holder else f"/filieres/{filiere.slug}/mandates"
    message = mail.render(
        MAILS / ("mandate_ending" if is_holder else "mandate_ending_staff"), current,
        to=reader.email, language=reader.language, filiere=filiere.name,
        day=Format(reader.language).day(ending.ends_on), role=row["role"], wish=row["wish"] or "",
        link=f"{current.public_url}{path}",
    )  # fmt: skip
    if await posting.post(message) is Outcome.LATER:
        async with db.transaction() as opened:
            await opened.execute(
                "DELETE FROM mandate_reminder WHERE mandate_id = $1 AND ends_on = $2 "
                "AND days = $3 AND account_id = $4",
                *key,
            )
        raise RelayAway


@jobs.on(RenewalAsked)
async def ask_staff(asked: RenewalAsked) -> None:
    await _write("renewal_asked", asked.mandate_id, asked.staff_id, of_staff=True)


@jobs.on(MandateRenewed)
async def tell_renewed(renewed: MandateRenewed) -> None:
    await _write("mandate_renewed", renewed.mandate_id, renewed.account_id, of_staff=False)


async def _write(name: str, mandate_id: int, account_id: int, *, of_staff: bool) -> None:
    reader = await staff.reader(account_id)
    found = await mandates.holder_of(mandate_id)
    if reader is None or found is None:
        return
    holder, _, ends_on = found
    filiere = (await registry.refs([holder.filiere_id], reader.language))[holder.filiere_id]
    current = settings.current()
    path = f"/filieres/{filiere.slug}/mandates" if of_staff else "/mandates"
    message = mail.render(
        MAILS / name, current, to=reader.email, language=reader.language, filiere=filiere.name,
        day=Format(reader.language).day(ends_on), link=f"{current.public_url}{path}",
    )  # fmt: skip
    await mail.send(message, current)
