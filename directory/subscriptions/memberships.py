"""Who is in which filière. Being in one subscribes to nothing."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import asyncpg
import msgspec

from directory import db, errors, jobs, limits
from directory.accounts import audit
from directory.accounts.actor import VISITOR, Actor, Permission, filiere_scope
from directory.filieres import lifecycle, method, registry
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef, Openness
from directory.languages import marked
from directory.limits import Limit
from directory.members import documents
from directory.subscriptions import consent, doors, ledger, passes, quota
from directory.subscriptions.consent import Choice
from directory.subscriptions.ledger import Screen, Trace

TIME_TO_CORRECT = timedelta(days=1)
AT_ONCE = 500  # memberships that one run ends
JOINING = Limit("membership.join", 60, timedelta(hours=1))  # each leaves a row behind
JOINABLE = (Stage.LAUNCHED, Stage.ACTIVE, Stage.DORMANT)


class Membership(msgspec.Struct, frozen=True):
    """A member in a filière, since an instant."""

    filiere: FiliereRef
    joined_at: datetime

    @property
    def joined_on(self) -> date:
        return self.joined_at.astimezone(ledger.ZONE).date()


class MembershipChanged(msgspec.Struct, frozen=True):
    """A member joined or left a filière."""

    member_id: int
    filiere_id: int


class QuotaReached(errors.Conflict):
    """The member is in as many filières as one may be in.

    The message names what could be left, and `options` has the slugs.
    """

    kind = "quota-reached"

    def __init__(self, message: str, joined: Sequence[Membership]) -> None:
        self.options = tuple(
            {"filiere": one.filiere.slug, "name": one.filiere.name} for one in joined
        )
        names = ", ".join(one.filiere.name for one in joined)
        super().__init__(message, count=len(joined), names=names)


class NotOpen(errors.Conflict):
    """One cannot walk into this filière. The message says why."""

    kind = "filiere-not-open"


async def list_of(member_id: int, language: str) -> list[Membership]:
    """A member's filières, by name."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT filiere_id, joined_at FROM membership WHERE member_id = $1 AND left_at IS NULL",
            member_id,
        )
        named = await registry.refs([row["filiere_id"] for row in rows], language)
    found = [Membership(named[row["filiere_id"]], row["joined_at"]) for row in rows]
    return sorted(found, key=lambda membership: membership.filiere.name.casefold())


def refusal(stage: Stage, openness: Openness, *, has_pass: bool = False) -> NotOpen | None:
    """Why somebody cannot walk into a filière; None when they can. See passes for `has_pass`."""
    if stage is Stage.CLOSED:
        return NotOpen(marked("Cette filière est fermée. Sa page reste, on n’y entre plus."))
    if stage not in JOINABLE:
        return NotOpen(marked("Cette filière n’est pas lancée. On y entrera dès son lancement."))
    if has_pass or openness is Openness.OPEN:
        return None
    if openness is Openness.APPROVAL:
        return NotOpen(
            marked("On entre ici avec l’accord de l’équipe d’animation. Demandez-le-lui d’ici.")
        )
    return NotOpen(marked("On entre ici sur invitation de l’équipe d’animation."))


def quota_reached(joined: Sequence[Membership]) -> QuotaReached:
    if len(joined) == 1:
        return QuotaReached(
            marked("Vous êtes déjà dans une filière. Quittez-la pour entrer ici : %(names)s."),
            joined,
        )
    return QuotaReached(
        marked(
            "Vous êtes déjà dans %(count)s filières. Quittez-en une pour entrer ici : %(names)s."
        ),
        joined,
    )


async def join(
    actor: Actor,
    slug: str,
    language: str,
    trace: Trace,
    *,
    choices: Sequence[Choice] = (),
    leaving: str = "",
    method_version: int | None = None,
) -> Membership:
    """Enter a filière, with what to receive of it; `leaving` another in the same step.

    Who is already in stays in. `method_version` is that of the method sheet that is accepted.

    :raises QuotaReached: in `filieres_per_member` others. :raises NotOpen: when it is not open.
    :raises method.MethodChanged: for an old sheet. :raises errors.Malformed: for none, if there is.
    :raises errors.TooMany: past JOINING.
    """
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    async with db.transaction() as opened:
        # Two requests at once wait for each other here: the second one counts what the first did.
        await ledger.lock(opened, member_id)
        filiere_id = await _filiere_to_join(opened, member_id, slug)
        if leaving:
            await _swap_out(opened, actor, leaving, trace)
        joined = await list_of(member_id, language)
        if filiere_id not in {membership.filiere.id for membership in joined}:
            if len(joined) >= await quota.most():
                raise quota_reached(joined)
            await method.accept(opened, member_id, filiere_id, method_version)
            await limits.take(JOINING, member_id)
            await enter(opened, actor, member_id, filiere_id)
        await consent.choose(actor, choices, trace)
        joined = await list_of(member_id, language)
        return next(one for one in joined if one.filiere.id == filiere_id)


async def enter(opened: asyncpg.Connection, actor: Actor, member_id: int, filiere_id: int) -> None:
    """Put a member who is locked, and has a place left, into a filière."""
    await opened.execute(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)", filiere_id, member_id
    )
    subject = filiere_scope(filiere_id)
    await audit.record(actor, "membership.joined", member_id=member_id, subject=subject)
    await passes.spend(opened, member_id, filiere_id)
    await _tell(member_id, filiere_id)


async def _filiere_to_join(opened: asyncpg.Connection, member_id: int, slug: str) -> int:
    door = await doors.find(opened, member_id, slug)
    refused = refusal(door.stage, door.openness, has_pass=door.has_pass)
    if refused and not door.is_in:
        raise refused
    return door.filiere_id


async def _swap_out(opened: asyncpg.Connection, actor: Actor, leaving: str, trace: Trace) -> None:
    member_id = actor.require_member()
    filiere_id = await opened.fetchval(
        "SELECT id FROM filiere WHERE slug = $1", leaving.replace("\0", "")
    )
    if filiere_id is None or not await _end(opened, actor, member_id, filiere_id, trace):
        raise errors.Malformed.field(
            "leaving", marked("Vous n’êtes pas dans la filière à quitter.")
        )


async def leave(actor: Actor, slug: str, trace: Trace) -> None:
    """Leave a filière; its mails end with it. Who is not in it stays out."""
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    async with db.transaction() as opened:
        await ledger.lock(opened, member_id)
        filiere = await registry.get(slug, "fr")
        await _end(opened, actor, member_id, filiere.id, trace)


async def _end(
    opened: asyncpg.Connection, actor: Actor, member_id: int, filiere_id: int, trace: Trace
) -> bool:
    # A transaction that waited for the lock began before the membership it ends.
    ended = await opened.fetchval(
        "UPDATE membership SET left_at = greatest(joined_at, clock_timestamp()) "
        "WHERE member_id = $1 AND filiere_id = $2 AND left_at IS NULL RETURNING true",
        member_id, filiere_id,
    )  # fmt: skip
    if ended:
        subject = filiere_scope(filiere_id)
        await audit.record(actor, "membership.left", member_id=member_id, subject=subject)
        await consent.end(member_id, filiere_id, trace)
        await _tell(member_id, filiere_id)
    return bool(ended)


async def _tell(member_id: int, filiere_id: int) -> None:
    await documents.refresh(db.current(), [member_id])
    await jobs.emit(MembershipChanged(member_id=member_id, filiere_id=filiere_id))


@jobs.on(lifecycle.StageChanged)
async def end_with_filiere(changed: lifecycle.StageChanged) -> None:
    """A closed filière has no members: the place is free again, and its mails end."""
    if changed.to_stage is not Stage.CLOSED:
        return
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT member_id FROM membership WHERE filiere_id = $1 AND left_at IS NULL",
            changed.filiere_id,
        )
    for row in rows:
        async with db.transaction() as opened:
            await ledger.lock(opened, row["member_id"])
            trace = Trace(Screen.CLOSING)
            await _end(opened, VISITOR, row["member_id"], changed.filiere_id, trace)


# Whoever is hidden until they are erased may still change their mind.
_DEPARTED = """
    SELECT k.member_id, k.filiere_id FROM membership k JOIN member m ON m.id = k.member_id
    WHERE k.left_at IS NULL AND m.left_on IS NOT NULL AND m.updated_at < now() - $1::interval
      AND NOT EXISTS (SELECT FROM erasure e
        WHERE e.member_id = m.id AND e.state IN ('confirmed', 'erasing'))
"""


@jobs.every("11 * * * *")
async def end_departed() -> None:
    """Who left the cooperative leaves its filières, and with them their mails.

    Nothing was sent to them since. A wrong file that is put right the same day ends nothing.
    """
    async with db.connection() as reader:
        found = await reader.fetch(f"{_DEPARTED} ORDER BY 1, 2 LIMIT $2", TIME_TO_CORRECT, AT_ONCE)
    for row in found:
        async with db.transaction() as opened:
            await ledger.lock(opened, row["member_id"])
            still = await opened.fetchval(
                f"{_DEPARTED} AND k.member_id = $2 AND k.filiere_id = $3",
                TIME_TO_CORRECT, row["member_id"], row["filiere_id"],
            )  # fmt: skip
            if still:
                trace = Trace(Screen.DEPARTURE)
                await _end(opened, VISITOR, row["member_id"], row["filiere_id"], trace)
