"""Leaving a mandate: freely, but for the last animator of a filière, whom somebody follows first.

Or the filière goes to sleep in the same act. Staff may end any role (`appointments`): they can
always step in themselves.
"""

import msgspec

from directory import db, errors
from directory.accounts.actor import Actor, Permission
from directory.filieres import lifecycle, mandates, offers, registry, vacancies
from directory.filieres.lifecycle import Stage
from directory.filieres.mandates import Holder, MandateRole
from directory.filieres.registry import FiliereRef
from directory.languages import marked

# Where nobody needs to animate, or nobody can any more.
UNTENDED = (Stage.PROPOSED, Stage.GATHERING, Stage.DORMANT, Stage.CLOSED)


class LastAnimator(errors.Conflict):
    """Nobody would run the filière. The message says the ways out."""

    kind = "last-animator"


class NotTheLast(errors.Conflict):
    """Somebody else animates the filière: it need not sleep."""

    kind = "not-the-last"


class Departure(msgspec.Struct, frozen=True):
    """A mandate that its holder may leave, and what stands in the way."""

    mandate_id: int
    filiere: FiliereRef
    role: MandateRole
    is_last: bool
    may_rest: bool


async def of(actor: Actor, mandate_id: int, language: str) -> Departure:
    """What leaving one's own mandate does today.

    :raises errors.NotFound: for another's, and one that is over.
    """
    holder = await _own(actor, mandate_id)
    filiere = (await registry.refs([holder.filiere_id], language))[holder.filiere_id]
    return Departure(
        mandate_id, filiere, holder.role,
        is_last=await _is_last(holder, filiere.stage),
        may_rest=Stage.DORMANT in lifecycle.MOVES[filiere.stage],
    )  # fmt: skip


async def leave(actor: Actor, mandate_id: int, *, rest_because: str | None = None) -> int:
    """End one's own mandate today; with a reason, put the filière to sleep. The filière's id.

    :raises LastAnimator: when nobody would run it and it does not go to sleep.
    :raises NotTheLast: when it is to sleep and somebody else runs it.
    :raises errors.NotFound: for another's mandate, and one that is over.
    """
    actor.require_person()
    async with db.transaction() as opened:
        holder = await _own(actor, mandate_id)
        # Two last ones who leave at once: the second waits here, and finds itself the last.
        stage = await mandates.lock(holder.filiere_id)
        holder = await _own(actor, mandate_id)
        is_last = await _is_last(holder, stage)
        if is_last and rest_because is None:
            raise last_animator(stage)
        if not is_last and rest_because is not None:
            raise NotTheLast(
                marked("Une autre personne anime la filière : partez sans la mettre en sommeil.")
            )
        await mandates.finish(holder)
        await offers.note(actor, "mandate.left", holder.member_id, holder.role, holder.filiere_id)
        if rest_because is not None:
            slug = await opened.fetchval(
                "SELECT slug FROM filiere WHERE id = $1", holder.filiere_id
            )
            await lifecycle.rest(actor, slug, rest_because)
        if is_last:
            await vacancies.note(holder.filiere_id, but=actor.account_id)
        return holder.filiere_id


def last_animator(stage: Stage) -> LastAnimator:
    if Stage.DORMANT in lifecycle.MOVES[stage]:
        return LastAnimator(
            marked(
                "Vous êtes la dernière personne à animer cette filière. "
                "Passez d’abord le relais, ou mettez la filière en sommeil."
            )
        )
    return LastAnimator(
        marked(
            "Vous êtes la dernière personne à animer cette filière. "
            "Passez d’abord le relais, ou écrivez à la coordination."
        )
    )


async def _own(actor: Actor, mandate_id: int) -> Holder:
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    found = await mandates.holder_of(mandate_id)
    if found is None or found[0].member_id != member_id:
        raise errors.NotFound(marked("Ce mandat n’est pas à vous, ou il est fini."))
    return found[0]


async def _is_last(holder: Holder, stage: Stage) -> bool:
    """Whether nobody else animates it today."""
    if holder.role is not MandateRole.ANIMATOR or stage in UNTENDED:
        return False
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT member_id FROM running_animator WHERE filiere_id = $1", holder.filiere_id
        )
    return [row["member_id"] for row in rows] == [holder.member_id]
