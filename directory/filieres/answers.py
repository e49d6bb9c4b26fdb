"""Offers of mandates are accepted, refused or taken back; what nobody answers lapses.

Each act locks the filière first, so that of two at once the second finds what the first did.
"""

from datetime import date

import asyncpg

from directory import db, errors, jobs
from directory.accounts.actor import Actor, Permission, Scope, filiere_scope
from directory.filieres import lifecycle, mandates, offers
from directory.filieres.lifecycle import Stage
from directory.filieres.mandates import Holder, MandateRole
from directory.filieres.offers import AlreadyRuns, Kind, NotInFiliere, OfferAnswered, State
from directory.languages import marked


async def accept(actor: Actor, offer_id: int) -> int:
    """Give the role and the mandate, and end the giver's when it is a hand-over. The filière's id.

    By who is asked; a candidacy by who runs the filière, or the staff.

    :raises errors.NotFound: for what the actor is no part of. :raises offers.OfferSettled:
    """
    actor.require_person()
    async with db.transaction() as opened:
        row = await _claim(opened, actor, offer_id)
        _require_answerer(actor, row)
        await _check_taker(opened, row)
        today: date = await opened.fetchval("SELECT current_date")
        starts_on = max(row["starts_on"], today)
        taker = Holder(
            row["account_id"], row["to_member_id"], MandateRole(row["role"]), row["filiere_id"]
        )
        await mandates.begin(taker, starts_on, row["ends_on"])
        if row["kind"] == Kind.HAND_OVER.value:
            await _relieve(opened, actor, row, starts_on, today)
        await _settle(opened, actor, row, State.ACCEPTED, "")
        filiere_id: int = row["filiere_id"]
        return filiere_id


async def refuse(actor: Actor, offer_id: int, reason: str = "") -> int:
    """Say no, with a reason or none. The filière's id.

    :raises errors.NotFound: for what the actor is no part of. :raises offers.OfferSettled:
    """
    actor.require_person()
    words = offers.text("reason", reason)
    async with db.transaction() as opened:
        row = await _claim(opened, actor, offer_id)
        _require_answerer(actor, row)
        await _settle(opened, actor, row, State.REFUSED, words)
        filiere_id: int = row["filiere_id"]
        return filiere_id


async def withdraw(actor: Actor, offer_id: int) -> int:
    """Take an offer back, by who runs the filière; a candidacy, by who made it.

    :raises errors.NotFound: for what the actor is no part of. :raises offers.OfferSettled:
    """
    async with db.transaction() as opened:
        row = await _claim(opened, actor, offer_id, is_withdrawal=True)
        is_own = row["to_member_id"] == actor.member_id
        if row["kind"] == Kind.CANDIDACY.value:
            if not is_own:
                raise errors.Forbidden(marked("Seule la personne qui s’est proposée se retire."))
        else:
            actor.require(Permission.TEND_FILIERE, filiere_scope(row["filiere_id"]))
        await _settle(opened, actor, row, State.WITHDRAWN, "")
        filiere_id: int = row["filiere_id"]
        return filiere_id


async def _claim(
    opened: asyncpg.Connection, actor: Actor, offer_id: int, *, is_withdrawal: bool = False
) -> asyncpg.Record:
    """The open offer, with its filière locked."""
    actor.require_account(Scope.FILIERES_WRITE)
    row = await offers.row_of(opened, offer_id)
    if row is None or not _is_part(actor, row):
        raise errors.NotFound(marked("Cette proposition n’existe pas."))
    stage = await mandates.lock(row["filiere_id"])
    row = await offers.row_of(opened, offer_id)
    if row is None:  # its person was erased meanwhile
        raise errors.NotFound(marked("Cette proposition n’existe pas."))
    if row["state"] != State.OPEN.value:
        raise offers.settled(State(row["state"]))
    if stage is Stage.CLOSED and not is_withdrawal:
        raise offers.closed()
    return row


def _is_part(actor: Actor, row: asyncpg.Record) -> bool:
    is_own = actor.member_id is not None and row["to_member_id"] == actor.member_id
    return is_own or actor.may(Permission.TEND_FILIERE, filiere_scope(row["filiere_id"]))


def _require_answerer(actor: Actor, row: asyncpg.Record) -> None:
    is_own = row["to_member_id"] == actor.member_id
    if row["kind"] == Kind.CANDIDACY.value:
        if is_own:
            raise errors.Forbidden(marked("Une autre personne répond à votre proposition."))
        actor.require(Permission.TEND_FILIERE, filiere_scope(row["filiere_id"]))
    elif not is_own:
        raise errors.Forbidden(marked("Seule la personne sollicitée répond."))


async def _check_taker(opened: asyncpg.Connection, row: asyncpg.Record) -> None:
    role = MandateRole(row["role"])
    if row["kind"] != Kind.CANDIDACY.value and not await _is_still_offered(opened, row):
        raise offers.settled(State.WITHDRAWN)
    if row["account_id"] is None:
        raise NotInFiliere(
            marked("La personne n’est plus dans la filière. Il faut y être pour l’animer.")
        )
    if await mandates.runs(row["to_member_id"], role, row["filiere_id"]):
        raise AlreadyRuns(
            marked("Cette personne a déjà ce rôle ici. La coordination renouvelle les mandats.")
        )
    if row["ends_on"] < await opened.fetchval("SELECT current_date"):
        raise offers.settled(State.EXPIRED)


async def _is_still_offered(opened: asyncpg.Connection, row: asyncpg.Record) -> bool:
    """Whether who offered it may still: their role may have been ended since.

    What somebody offered who is erased since stands.
    """
    if row["offered_by"] is None:
        return True
    offered: bool = await opened.fetchval(
        """
        SELECT EXISTS (SELECT FROM access_grant g JOIN account a ON a.id = g.account_id
            LEFT JOIN member m ON m.account_id = a.id AND m.left_on IS NULL
            WHERE a.id = $1 AND a.disabled_at IS NULL AND g.starts_on <= current_date
              AND (g.ends_on IS NULL OR g.ends_on >= current_date)
              AND (g.scope = '' AND g.role IN ('coordinator', 'administrator')
                OR g.scope = $2 AND g.role = 'animator' AND m.id IS NOT NULL))
        """,
        row["offered_by"], filiere_scope(row["filiere_id"]),
    )  # fmt: skip
    return offered


async def _relieve(
    opened: asyncpg.Connection, actor: Actor, row: asyncpg.Record, starts_on: date, today: date
) -> None:
    """End the giver's mandate as the taker's begins, and what else they offered to pass it on."""
    giver = await opened.fetchrow(
        "SELECT id, account_id FROM member WHERE id = $1", row["from_member_id"]
    )
    if giver is None:  # erased since: there is nothing to end
        return
    role, filiere_id = MandateRole(row["role"]), row["filiere_id"]
    before = starts_on if starts_on > today else None
    await mandates.finish(Holder(giver["account_id"] or 0, giver["id"], role, filiere_id), before)
    await offers.note(actor, "mandate.handed_over", giver["id"], role, filiere_id)
    await opened.execute(
        "UPDATE mandate_offer SET state = 'withdrawn', answered_at = now() "
        "WHERE filiere_id = $1 AND from_member_id = $2 AND role::text = $3 AND state = 'open' "
        "AND id <> $4",
        filiere_id, giver["id"], role.value, row["id"],
    )  # fmt: skip


async def _settle(
    opened: asyncpg.Connection, actor: Actor, row: asyncpg.Record, state: State, reason: str
) -> None:
    await opened.execute(
        "UPDATE mandate_offer SET state = $2::mandate_offer_state, answered_at = now(), "
        "reason = $3 WHERE id = $1",
        row["id"], state.value, reason,
    )  # fmt: skip
    role = MandateRole(row["role"])
    await offers.note(actor, f"mandate.{state.value}", row["to_member_id"], role, row["filiere_id"])
    if state in {State.ACCEPTED, State.REFUSED}:
        await tell(opened, row, but=actor.account_id)


async def tell(opened: asyncpg.Connection, row: asyncpg.Record, *, but: int | None) -> None:
    """Say how it ended to who waits for it: who made the offer, and whose mandate it ends."""
    waiting = await opened.fetch(
        "SELECT a.id FROM account a WHERE a.disabled_at IS NULL AND a.id IS DISTINCT FROM $3 "
        "AND (a.id = $1 OR a.id = (SELECT account_id FROM member WHERE id = $2)) ORDER BY a.id",
        row["offered_by"], row["from_member_id"], but,
    )  # fmt: skip
    for one in waiting:
        await jobs.emit(OfferAnswered(row["id"], one["id"]))


@jobs.every("13 * * * *")
async def lapse() -> None:
    """What nobody answered is over, and who waits is told."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            "UPDATE mandate_offer SET state = 'expired', answered_at = now() "
            "WHERE state = 'open' AND expires_at <= now() "
            "RETURNING id, offered_by, from_member_id"
        )
        for row in rows:
            await tell(opened, row, but=None)


@jobs.on(lifecycle.StageChanged)
async def end_with_filiere(changed: lifecycle.StageChanged) -> None:
    """Nobody takes a mandate of a closed filière."""
    if changed.to_stage is Stage.CLOSED:
        async with db.transaction() as opened:
            await opened.execute(
                "UPDATE mandate_offer SET state = 'withdrawn', answered_at = now() "
                "WHERE filiere_id = $1 AND state = 'open'",
                changed.filiere_id,
            )
