"""The stages of a filière, and its public timeline."""

import enum
from datetime import date, datetime
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from directory import db, errors, jobs
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.filieres import evidence, signatures
from directory.filieres.signatures import UNSIGNED, Signature
from directory.http.listing import Listing
from directory.languages import Label, marked, translate
from directory.members import audiences, drafts

REASON_LENGTH = 500
ZONE = ZoneInfo("Europe/Brussels")
# Reasons that the service writes by itself: read in the reader's language.
PROPOSED = marked("Un besoin, et de premières intentions.")
FIRST_SUPPORT = marked("Une deuxième personne la soutient.")
WITHDRAWN = marked("La personne qui l’avait proposée la retire.")
OWN_REASONS = frozenset({PROPOSED, FIRST_SUPPORT, WITHDRAWN})


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


class Voice(enum.Enum):
    """In which part somebody moved a filière. SERVICE: nobody, the move came by itself."""

    COORDINATION = "coordination"
    ANIMATION = "animation"
    PROPOSER = "proposer"
    SERVICE = "service"


class StageChanged(msgspec.Struct, frozen=True):
    """A filière moved from one stage to another. `change_id` is the entry of its timeline."""

    filiere_id: int
    from_stage: Stage
    to_stage: Stage
    change_id: int = 0


class StageMove(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the timeline. `from_stage` is None for the first.

    `decided_as` says in which part somebody decided it; `decided_by` is who, unsigned where they
    are no member or do not show the reader their name.
    """

    from_stage: Stage | None
    to_stage: Stage
    reason: str
    decided_at: datetime
    decided_as: Voice
    decided_by: Signature = UNSIGNED

    @property
    def decided_on(self) -> date:
        return self.decided_at.astimezone(ZONE).date()


class MoveRefused(errors.Conflict):
    """From its stage, a filière cannot go to that one."""

    kind = "stage-move-refused"


async def advance(actor: Actor, slug: str, to_stage: Stage, reason: str) -> None:
    """Move a filière on: coordinators only, with a reason that everybody reads.

    The figures of its dossier are published with it as they are now, for ever.

    :raises MoveRefused: when MOVES does not have it. :raises errors.Malformed: without a reason.
    """
    actor.require(Permission.RUN_FILIERES)
    words = checked_reason(reason)
    async with db.transaction() as opened:
        filiere_id, from_stage = await lock(opened, slug)
        await move(opened, actor, filiere_id, from_stage, to_stage, words, Voice.COORDINATION)


async def rest(actor: Actor, slug: str, reason: str) -> None:
    """Put a filière to sleep, by the animator who leaves it last: the one move that is theirs.

    Call it from `departures`, which checked that nobody else runs it.
    """
    actor.require_person()
    words = checked_reason(reason)
    async with db.transaction() as opened:
        filiere_id, from_stage = await lock(opened, slug)
        await move(opened, actor, filiere_id, from_stage, Stage.DORMANT, words, Voice.ANIMATION)


async def consider(actor: Actor, slug: str, to_stage: Stage, reason: str) -> Stage:
    """Look whether `advance` would do it, and change nothing. The stage it would leave."""
    actor.require(Permission.RUN_FILIERES)
    checked_reason(reason)
    async with db.transaction() as opened:
        _, from_stage = await lock(opened, slug)
    _require_move(from_stage, to_stage)
    return from_stage


async def lock(opened: asyncpg.Connection, slug: str) -> tuple[int, Stage]:
    """The number and the stage of a filière, which stay until the transaction ends.

    :raises errors.NotFound: when no filière has this address.
    """
    row = await opened.fetchrow(
        "SELECT id, stage::text AS stage FROM filiere WHERE slug = $1 FOR UPDATE",
        slug.replace("\0", ""),
    )
    if row is None:
        raise errors.NotFound(marked("Cette filière n’existe pas."))
    return row["id"], Stage(row["stage"])


async def move(
    opened: asyncpg.Connection,
    actor: Actor,
    filiere_id: int,
    from_stage: Stage,
    to_stage: Stage,
    words: str,
    voice: Voice,
) -> None:
    """Move a filière that is locked, whoever may: the caller looked. Everybody is told.

    :raises MoveRefused: when MOVES does not have it.
    """
    _require_move(from_stage, to_stage)
    await opened.execute(
        "UPDATE filiere SET stage = $2::filiere_stage, updated_at = now() WHERE id = $1",
        filiere_id, to_stage.value,
    )  # fmt: skip
    change_id = await note(opened, actor, filiere_id, from_stage, to_stage, words, voice)
    await audit.record(actor, "filiere.moved", subject=filiere_scope(filiere_id))
    await jobs.emit(StageChanged(filiere_id, from_stage, to_stage, change_id))


async def note(
    opened: asyncpg.Connection,
    actor: Actor,
    filiere_id: int,
    from_stage: Stage | None,
    to_stage: Stage,
    words: str,
    voice: Voice,
) -> int:
    """Write one entry of the timeline. Its number.

    A decision of the coordination publishes the figures of the dossier; no other move does.
    """
    is_decision = voice is Voice.COORDINATION and from_stage is not None
    change_id: int = await opened.fetchval(
        "INSERT INTO stage_change "
        "(filiere_id, from_stage, to_stage, reason, decided_by, decided_as, dossier, decided_at) "
        "VALUES ($1, $2::filiere_stage, $3::filiere_stage, $4, $5, $6::stage_voice, $7, "
        "clock_timestamp()) RETURNING id",
        filiere_id, from_stage.value if from_stage else None, to_stage.value, words,
        actor.account_id, voice.value,
        await evidence.snapshot(actor, filiere_id) if is_decision else None,
    )  # fmt: skip
    return change_id


def is_reversible(from_stage: Stage, to_stage: Stage) -> bool:
    """Whether any moves lead back from one stage to the other."""
    reached, ahead_of = {to_stage}, list(MOVES[to_stage])
    while ahead_of:
        stage = ahead_of.pop()
        if stage not in reached:
            reached.add(stage)
            ahead_of.extend(MOVES[stage])
    return from_stage in reached


def _require_move(from_stage: Stage, to_stage: Stage) -> None:
    if to_stage not in MOVES[from_stage]:
        raise MoveRefused(
            marked("La filière est à l’étape « %(from_stage)s » : celle-là ne la suit pas."),
            from_stage=Label(from_stage.label),
        )


def checked_reason(given: str) -> str:
    """:raises errors.Malformed: for none, a long one, and one with signs that nobody sees."""
    words = drafts.one_line(given.replace("\0", ""))
    if not words:
        raise errors.Malformed.field("reason", marked("Écrivez la raison : tout le monde la lira."))
    return drafts.checked("reason", words, REASON_LENGTH)


async def list_moves(actor: Actor, filiere_id: int, language: str) -> list[StageMove]:
    """The timeline, oldest first."""
    return await _moves(actor, filiere_id, language)


async def timeline(
    actor: Actor, filiere_id: int, language: str, *, page: int, limit: int
) -> Listing[StageMove]:
    """The timeline page by page, oldest first."""
    async with db.connection() as reader:
        total: int = await reader.fetchval(
            "SELECT count(*) FROM stage_change WHERE filiere_id = $1", filiere_id
        )
    found = await _moves(actor, filiere_id, language, limit, (page - 1) * limit)
    return Listing(items=found, total=total, page=page, limit=limit)


async def _moves(
    actor: Actor, filiere_id: int, language: str, limit: int | None = None, offset: int = 0
) -> list[StageMove]:
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"""
            SELECT c.from_stage::text, c.to_stage::text, c.reason, c.decided_at,
                c.decided_as::text, {signatures.columns("p", "$2::bigint")}
            FROM stage_change c
            LEFT JOIN member p ON p.account_id = c.decided_by AND p.left_on IS NULL
                AND c.decided_as <> 'service'
            WHERE c.filiere_id = $1 ORDER BY c.decided_at, c.id LIMIT $3 OFFSET $4
            """,  # noqa: S608 - no value in it
            filiere_id, audiences.own_id(actor), limit, offset,
        )  # fmt: skip
    return [_stage_move(actor, row, language) for row in rows]


def _stage_move(actor: Actor, row: asyncpg.Record, language: str) -> StageMove:
    return StageMove(
        from_stage=Stage(row["from_stage"]) if row["from_stage"] else None,
        to_stage=Stage(row["to_stage"]),
        reason=spoken(row["reason"], language),
        decided_at=row["decided_at"],
        decided_as=Voice(row["decided_as"]),
        decided_by=signatures.read(actor, row),
    )


def spoken(reason: str, language: str) -> str:
    """What people wrote is as they wrote it."""
    return translate(language, reason) if reason in OWN_REASONS else reason


def ahead(stage: Stage) -> tuple[Stage, ...]:
    """What usually comes after this stage, for the end of the timeline."""
    return MAIN_WAY[MAIN_WAY.index(stage) + 1 :] if stage in MAIN_WAY else ()
