"""The history of the filières: each move, on the figures of its day, and why they were wanted."""

from collections.abc import Mapping
from datetime import date, timedelta

import asyncpg
import msgspec

from directory.accounts.actor import Role
from directory.demo import filieres, profiles
from directory.demo.rows import Writer
from directory.filieres import criteria, evidence, figures
from directory.filieres.criteria import Counted
from directory.filieres.evidence import Snapshot
from directory.settings import Settings

# In whose part a move was made; the first supporter makes the service move it on.
VOICES = {"proposed": "proposer", "gathering": "service"}
EARLY = (None, "proposed")
WRITTEN_BEFORE = timedelta(days=20)
COORDINATOR = "SELECT account_id FROM access_grant WHERE role = 'coordinator' ORDER BY id LIMIT 1"


async def write(
    writer: Writer,
    filiere_ids: Mapping[str, int],
    proposers: Mapping[str, int | None],
    today: date,
) -> None:
    """Once everybody is there: a decision counts them. proposers are accounts."""
    coordinator = await writer.connection.fetchval(COORDINATOR)
    moves: list[tuple[object, ...]] = []
    reasons: list[tuple[object, ...]] = []
    for filiere in filieres.known():
        filiere_id, before = filiere_ids[filiere.slug], None
        for days, stage, reason in filiere.history:
            day = today - timedelta(days=days)
            is_wanted = bool(filiere.why)
            kept = await _snapshot(writer.connection, filiere_id, day, is_wanted) if before else ""
            moved_at = profiles.noon(day)
            voice = VOICES.get(stage, "coordination") if before in EARLY else "coordination"
            author = proposers.get(filiere.slug) if voice == "proposer" else None
            by = coordinator if voice == "coordination" else author
            moves.append((filiere_id, before, stage, reason, by, voice, moved_at, kept or None))
            if stage == "forming" and filiere.why:
                written_at = profiles.noon(day - WRITTEN_BEFORE)
                reasons.append((filiere_id, filiere.why, coordinator, "coordinator", written_at))
            before = stage
    await writer.copy(
        "stage_change",
        (
            "filiere_id", "from_stage", "to_stage", "reason", "decided_by", "decided_as",
            "decided_at", "dossier",
        ),
        moves,
    )  # fmt: skip
    await writer.copy(
        "dossier_reason",
        ("filiere_id", "body", "author_id", "author_role", "written_at"),
        reasons,
    )


async def _snapshot(reader: asyncpg.Connection, filiere_id: int, day: date, is_wanted: bool) -> str:
    chosen = Settings()
    words = await evidence.words_of(reader, filiere_id)
    found = await figures.count(reader, words, day, chosen.dossier_office_members)
    kept = Snapshot(criteria.judged(chosen, Counted(found, day)), None, is_wanted, Role.COORDINATOR)
    return msgspec.json.encode(kept).decode()
