"""The moves of a filière as decisions: by whom, when, why, and on which figures."""

from datetime import date, datetime

import msgspec

from directory import db
from directory.accounts.actor import Actor
from directory.filieres import authors, lifecycle
from directory.filieres.authors import Author
from directory.filieres.criteria import Criterion
from directory.filieres.evidence import Snapshot
from directory.filieres.lifecycle import Stage, Voice
from directory.filieres.opinions import Opinions
from directory.languages import marked


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A move that somebody decided, with what it published. `criteria` is null where it published
    nothing: the coordination did not decide it, or it is older than dossiers.
    """

    from_stage: Stage | None
    to_stage: Stage
    reason: str
    decided_at: datetime
    decided_as: Voice
    author: Author
    criteria: list[Criterion] | None = None
    opinions: Opinions | None = None
    is_strategic: bool | None = None

    @property
    def decided_on(self) -> date:
        return self.decided_at.astimezone(lifecycle.ZONE).date()

    @property
    def is_opening(self) -> bool:
        return (self.from_stage, self.to_stage) == (Stage.GATHERING, Stage.FORMING)

    @property
    def is_refusal(self) -> bool:
        is_before = self.from_stage in {Stage.PROPOSED, Stage.GATHERING}
        is_ours = self.decided_as is Voice.COORDINATION
        return self.to_stage is Stage.CLOSED and is_before and is_ours

    @property
    def label(self) -> str:
        """What was decided, a marked text."""
        if self.is_opening:
            return marked("Ouverte")
        if self.decided_as is Voice.PROPOSER:
            return marked("Retirée")
        return marked("Refusée") if self.is_refusal else self.to_stage.label

    @property
    def side(self) -> str:
        """For whom they decided: a marked text."""
        return _SIDES.get(self.decided_as, self.author.side)

    @property
    def missed(self) -> list[Criterion]:
        """The criteria that were not met then."""
        return [one for one in self.criteria or () if one.is_met is False]


_SIDES = {
    Voice.ANIMATION: marked("l’équipe d’animation"),
    Voice.PROPOSER: marked("la personne qui la proposait"),
}


async def list_of(actor: Actor, filiere_id: int, language: str) -> list[Decision]:
    """Oldest first. To propose a filière is no decision, nor is a move that came by itself."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT from_stage::text, to_stage::text, reason, decided_at, decided_by,"
            " decided_as::text, dossier FROM stage_change WHERE filiere_id = $1"
            " AND from_stage IS NOT NULL AND decided_as <> 'service' ORDER BY decided_at, id",
            filiere_id,
        )
    named = await authors.of(actor, [row["decided_by"] for row in rows])
    found = []
    for row in rows:
        text = row["dossier"]
        kept = msgspec.json.decode(text, type=Snapshot) if text else None
        known = named.get(row["decided_by"], Author())
        found.append(
            Decision(
                from_stage=Stage(row["from_stage"]),
                to_stage=Stage(row["to_stage"]),
                reason=lifecycle.spoken(row["reason"], language),
                decided_at=row["decided_at"],
                decided_as=Voice(row["decided_as"]),
                author=msgspec.structs.replace(known, role=kept.role) if kept else known,
                criteria=kept.criteria if kept else None,
                opinions=kept.opinions if kept else None,
                is_strategic=kept.is_strategic if kept else None,
            )
        )
    return found
