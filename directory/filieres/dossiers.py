"""Why a filière exists, or not: its figures, the reasons in words, the opinions, the decisions."""

from datetime import date, datetime

import asyncpg
import msgspec

from directory import db, errors, settings
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission, Role, filiere_scope
from directory.filieres import (
    authors,
    criteria,
    decisions,
    evidence,
    figures,
    lifecycle,
    opinions,
    registry,
)
from directory.filieres.authors import Author
from directory.filieres.criteria import Counted, Criterion
from directory.filieres.decisions import Decision
from directory.filieres.figures import Named, Point, Spread
from directory.filieres.lifecycle import Stage
from directory.filieres.opinions import Opinions
from directory.filieres.registry import FiliereRef, Kind
from directory.filieres.turnover import Turnover
from directory.languages import marked
from directory.members import drafts, views

LONGEST = 4_000


class Reason(msgspec.Struct, frozen=True):
    """What the cooperative wrote on why it wants a filière, or not."""

    text: str
    author: Author
    written_at: datetime

    @property
    def written_on(self) -> date:
        return self.written_at.astimezone(lifecycle.ZONE).date()


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted beside the criteria, for members. `names` are of places and offices."""

    points: list[Point]
    places: Spread
    territories: Spread
    names: list[Named]
    turnover: Turnover | None

    @property
    def by_code(self) -> dict[str, str]:
        return {one.code: one.name for one in self.names}


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """`criteria` have thresholds for everybody, and values for members; `details` and `opinions`
    are theirs alone. What a decision published, everybody reads in `decisions`, oldest first.
    `reasons` has the words that hold first, then those before. `counted_on` null: not yet counted.
    """

    kind: Kind
    criteria: list[Criterion]
    counted_on: date | None
    reasons: list[Reason]
    opinions: Opinions | None
    details: Details | None
    decisions: list[Decision]

    @property
    def reason(self) -> Reason | None:
        """The words that hold."""
        return self.reasons[0] if self.reasons and self.reasons[0].text else None

    @property
    def founding(self) -> Decision | None:
        """The decision to open it, or to refuse it."""
        made = [one for one in self.decisions if one.is_opening or one.is_refusal]
        return made[-1] if made else None


class CountedToday(errors.Conflict):
    """Figures are counted at most once a day."""

    kind = "counted-today"


async def view(actor: Actor, slug: str, language: str) -> Dossier:
    """What this reader may see of it. :raises errors.NotFound: when no filière has this address."""
    return await of(actor, await registry.get(slug, language), language)


async def of(actor: Actor, filiere: FiliereRef, language: str) -> Dossier:
    chosen = settings.current()
    sees_figures = actor.may(Permission.READ_MEMBERS)
    async with db.connection() as reader:
        counted = await evidence.find(reader, filiere.id) if sees_figures else None
        if counted and not sees_turnover(actor, filiere.stage):
            counted = msgspec.structs.replace(counted, turnover=None, turnover_on=None)
        told = await opinions.count(reader, filiere.id) if sees_figures else None
        details = await _details(reader, filiere.id, counted, language) if counted else None
    return Dossier(
        kind=filiere.kind,
        criteria=criteria.judged(chosen, counted) if counted else criteria.thresholds(chosen),
        counted_on=counted.on if counted else None,
        reasons=await _reasons(actor, filiere.id),
        opinions=told,
        details=details,
        decisions=await decisions.list_of(actor, filiere.id, language),
    )


def sees_turnover(actor: Actor, stage: Stage) -> bool:
    """Until the staff open a filière its words are whatever anybody proposed: only they see it."""
    is_decided = stage not in {Stage.PROPOSED, Stage.GATHERING}
    return is_decided or actor.may(Permission.RUN_FILIERES)


async def _details(
    reader: asyncpg.Connection, filiere_id: int, counted: Counted, language: str
) -> Details:
    found = counted.figures
    return Details(
        points=await evidence.list_points(reader, filiere_id, counted.on),
        places=found.places,
        territories=found.territories,
        names=await figures.names(reader, found, language),
        turnover=counted.turnover,
    )


async def _reasons(actor: Actor, filiere_id: int) -> list[Reason]:
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT body, author_id, author_role::text AS role, written_at FROM dossier_reason"
            " WHERE filiere_id = $1 ORDER BY id DESC LIMIT 50",
            filiere_id,
        )
    named = await authors.of(actor, [row["author_id"] for row in rows])
    return [
        Reason(
            row["body"],
            msgspec.structs.replace(
                named.get(row["author_id"], Author()),
                role=Role(row["role"]) if row["role"] else None,
            ),
            row["written_at"],
        )
        for row in rows
    ]


async def write_reasons(actor: Actor, slug: str, typed: str) -> None:
    """Say in words why the cooperative wants a filière, or not; '' takes it back. For the staff.

    The same words again change nothing. :raises errors.Malformed: for what is too long.
    """
    actor.require(Permission.RUN_FILIERES)
    text = drafts.checked("text", drafts.paragraphs(typed), LONGEST)
    filiere = await registry.get(slug, "fr")
    async with db.transaction() as opened:
        await opened.execute("SELECT FROM filiere WHERE id = $1 FOR NO KEY UPDATE", filiere.id)
        before = await opened.fetchval(
            "SELECT body FROM dossier_reason WHERE filiere_id = $1 ORDER BY id DESC LIMIT 1",
            filiere.id,
        )
        if text == (before or ""):
            return
        role = evidence.role_of(actor)
        await opened.execute(
            "INSERT INTO dossier_reason (filiere_id, body, author_id, author_role)"
            " VALUES ($1, $2, $3, $4::access_role)",
            filiere.id, text, actor.account_id, role.value if role else None,
        )  # fmt: skip
        await audit.record(actor, "dossier.written", subject=filiere_scope(filiere.id))


async def recount(actor: Actor, slug: str) -> None:
    """Count the figures again: for the staff, once a day.

    :raises CountedToday: when they are of today.
    """
    actor.require(Permission.RUN_FILIERES)
    filiere = await registry.get(slug, "fr")
    async with db.transaction() as opened:
        await opened.execute("SELECT FROM filiere WHERE id = $1 FOR NO KEY UPDATE", filiere.id)
        if not (await evidence.words_of(opened, filiere.id)).ids:
            raise errors.Conflict(marked("Cette filière n’a ni métier ni secteur à compter."))
        counted = await evidence.find(opened, filiere.id)
        if counted and counted.on >= views.today():
            raise CountedToday(
                marked("Les chiffres sont d’aujourd’hui. On les recompte une fois par jour.")
            )
        await evidence.refresh(filiere.id)
        await audit.record(actor, "dossier.counted", subject=filiere_scope(filiere.id))
