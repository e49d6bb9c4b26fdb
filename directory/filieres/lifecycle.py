"""The stages of a filière, and its public timeline."""

import enum
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from directory import db, errors, jobs
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.languages import Label, marked

REASON_LENGTH = 500
ZONE = ZoneInfo("Europe/Brussels")


class Stage(enum.Enum):
    PROPOSED = "proposed"
    GATHERING = "gathering"
    FORMING = "forming"
    LAUNCHED = "launched"
    ACTIVE = "active"
    DORMANT = "dormant"
    CLOSED = "closed"

    @property
    def label(self) -> str:
        """Its French name, for the catalogues."""
        return _LABELS[self]


_LABELS = {
    Stage.PROPOSED: marked("Proposée"),
    Stage.GATHERING: marked("Soutenue"),
    Stage.FORMING: marked("En construction"),
    Stage.LAUNCHED: marked("Lancée"),
    Stage.ACTIVE: marked("Active"),
    Stage.DORMANT: marked("En sommeil"),
    Stage.CLOSED: marked("Fermée"),
}

# Every move there is. A closed filière keeps its page, and stays closed.
MOVES: dict[Stage, tuple[Stage, ...]] = {
    Stage.PROPOSED: (Stage.GATHERING, Stage.CLOSED),
    Stage.GATHERING: (Stage.FORMING, Stage.CLOSED),
    Stage.FORMING: (Stage.LAUNCHED, Stage.CLOSED),
    Stage.LAUNCHED: (Stage.ACTIVE, Stage.DORMANT, Stage.CLOSED),
    Stage.ACTIVE: (Stage.DORMANT, Stage.CLOSED),
    Stage.DORMANT: (Stage.ACTIVE, Stage.CLOSED),
    Stage.CLOSED: (),
}
# The way that most take, from left to right on the page.
MAIN_WAY = (Stage.PROPOSED, Stage.GATHERING, Stage.FORMING, Stage.LAUNCHED, Stage.ACTIVE)


class StageChanged(msgspec.Struct, frozen=True):
    """A filière moved from one stage to another."""

    filiere_id: int
    from_stage: Stage
    to_stage: Stage


class StageMove(msgspec.Struct, frozen=True):
    """One entry of the timeline. `from_stage` is None for the first."""

    from_stage: Stage | None
    to_stage: Stage
    reason: str
    decided_at: datetime

    @property
    def decided_on(self) -> date:
        return self.decided_at.astimezone(ZONE).date()


class MoveRefused(errors.Conflict):
    """From its stage, a filière cannot go to that one."""

    kind = "stage-move-refused"


async def advance(actor: Actor, slug: str, to_stage: Stage, reason: str) -> None:
    """Move a filière on: coordinators only, with a reason that everybody reads.

    :raises MoveRefused: when MOVES does not have it. :raises errors.Malformed: without a reason.
    """
    actor.require(Permission.RUN_FILIERES)
    await _move(actor, slug, to_stage, reason)


async def rest(actor: Actor, slug: str, reason: str) -> None:
    """Put a filière to sleep, by the animator who leaves it last.

    The one move that is not the coordinators' alone. Call it from `departures`, which checked
    that the actor was the last one.
    """
    actor.require_person()
    await _move(actor, slug, Stage.DORMANT, reason)


async def _move(actor: Actor, slug: str, to_stage: Stage, reason: str) -> None:
    words = _reason(reason)
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            "SELECT id, stage::text AS stage FROM filiere WHERE slug = $1 FOR UPDATE",
            slug.replace("\0", ""),
        )
        if row is None:
            raise errors.NotFound(marked("Cette filière n’existe pas."))
        from_stage = Stage(row["stage"])
        if to_stage not in MOVES[from_stage]:
            raise MoveRefused(
                marked("La filière est à l’étape « %(from_stage)s » : celle-là ne la suit pas."),
                from_stage=Label(from_stage.label),
            )
        await opened.execute(
            "UPDATE filiere SET stage = $2::filiere_stage, updated_at = now() WHERE id = $1",
            row["id"], to_stage.value,
        )  # fmt: skip
        await opened.execute(
            "INSERT INTO stage_change (filiere_id, from_stage, to_stage, reason, decided_by) "
            "VALUES ($1, $2::filiere_stage, $3::filiere_stage, $4, $5)",
            row["id"], from_stage.value, to_stage.value, words, actor.account_id,
        )  # fmt: skip
        await audit.record(actor, "filiere.moved", subject=filiere_scope(row["id"]))
        await jobs.emit(StageChanged(row["id"], from_stage, to_stage))


def _reason(given: str) -> str:
    words = given.replace("\0", "").strip()
    if not words:
        raise errors.Malformed.field("reason", marked("Écrivez la raison : tout le monde la lira."))
    if len(words) > REASON_LENGTH:
        raise errors.Malformed.field(
            "reason", marked("Écrivez %(bound)s signes au plus."), bound=REASON_LENGTH
        )
    return words


async def list_moves(filiere_id: int) -> list[StageMove]:
    """The timeline, oldest first."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT from_stage::text, to_stage::text, reason, decided_at FROM stage_change "
            "WHERE filiere_id = $1 ORDER BY decided_at, id",
            filiere_id,
        )
    return [msgspec.convert(dict(row), StageMove) for row in rows]


def ahead(stage: Stage) -> tuple[Stage, ...]:
    """What usually comes after this stage, for the end of the timeline."""
    return MAIN_WAY[MAIN_WAY.index(stage) + 1 :] if stage in MAIN_WAY else ()
