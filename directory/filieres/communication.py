"""What was said of a filière, inside and outside, and what is still to say: a list to tick."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import asyncpg
import msgspec
from msgspec import UNSET, UnsetType

from directory import db, errors
from directory.accounts import audit
from directory.accounts.actor import Actor, filiere_scope
from directory.filieres import authors, method, moments
from directory.filieres.authors import Author
from directory.filieres.moments import Moment, StepAudience
from directory.filieres.registry import FiliereRef
from directory.languages import marked, translate
from directory.members import drafts, profiles, views

LONGEST_LABEL, LONGEST_NOTE = 200, 500
MOST_ADDED = 40
LONGEST_NUMBER = 19
EARLIEST = date(2000, 1, 1)
UNKNOWN = marked("Cette étape n’existe pas, ou plus.")


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """A step. `item` names it: a key that every filière has, or the number of an added one.

    `by`: who last changed it, where they show the reader their name.
    """

    item: str
    moment: Moment
    audience: StepAudience
    label: str
    is_added: bool
    done_on: date | None = None
    note: str = ""
    by: Author | None = None


class MomentView(msgspec.Struct, frozen=True):
    """`is_now`: it suits the stage of the filière."""

    moment: Moment
    is_now: bool
    steps: list[StepView]

    @property
    def done(self) -> int:
        return sum(step.done_on is not None for step in self.steps)


class CommunicationPlan(msgspec.Struct, frozen=True):
    """The moments, those of now first."""

    moments: list[MomentView]


class StepChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to note of a step. `done_on` null: it is not done. What is not given stays."""

    item: Annotated[str, msgspec.Meta(max_length=40)]
    done_on: date | UnsetType | None = UNSET
    note: str | UnsetType = UNSET


class StepDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of one's own."""

    moment: Moment
    label: Annotated[str, msgspec.Meta(description="1 to 200 characters.")]
    audience: StepAudience = StepAudience.INTERNAL


async def get(actor: Actor, slug: str, language: str) -> CommunicationPlan:
    filiere = await method.require_tending(actor, slug, language)
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT id, moment::text AS moment, item, label, audience::text AS audience, done_on, "
            "note, changed_by FROM communication_step WHERE filiere_id = $1 ORDER BY id",
            filiere.id,
        )
    named = await authors.of(actor, [row["changed_by"] for row in rows])
    touched = {row["item"]: row for row in rows if row["item"]}
    steps = [_fixed(item, touched.get(item.key), named, language) for item in moments.ITEMS]
    steps += [_added(row, named) for row in rows if not row["item"]]
    now = moments.NOW[filiere.stage]
    ordered = [*now, *(moment for moment in Moment if moment not in now)]
    return CommunicationPlan(
        [
            MomentView(moment, moment in now, [one for one in steps if one.moment is moment])
            for moment in ordered
        ]
    )


def _fixed(
    item: moments.Item,
    row: asyncpg.Record | None,
    named: Mapping[int, Author],
    language: str,
) -> StepView:
    return StepView(
        item=item.key, moment=item.moment, audience=item.audience, is_added=False,
        label=translate(language, item.label), done_on=row["done_on"] if row else None,
        note=row["note"] if row else "", by=named.get(row["changed_by"]) if row else None,
    )  # fmt: skip


def _added(row: asyncpg.Record, named: Mapping[int, Author]) -> StepView:
    return StepView(
        item=str(row["id"]), moment=Moment(row["moment"]), label=row["label"], is_added=True,
        audience=StepAudience(row["audience"]), done_on=row["done_on"], note=row["note"],
        by=named.get(row["changed_by"]),
    )  # fmt: skip


async def note(actor: Actor, slug: str, changes: list[StepChange], language: str) -> None:
    """Tick steps, untick them, write beside them: all of them or none.

    :raises errors.NotFound: for a step that is not there. :raises errors.Malformed: for a day to
        come, or a text that is too long.
    """
    filiere = await method.require_tending(actor, slug, language)
    async with db.transaction() as opened:
        for change in changes:
            await _note(opened, actor, filiere, change)
        if changes:
            await _record(actor, filiere)


async def _note(
    opened: asyncpg.Connection, actor: Actor, filiere: FiliereRef, change: StepChange
) -> None:
    text = None if change.note is UNSET else _text("note", change.note, LONGEST_NOTE)
    done_on = None if change.done_on is UNSET else _day(change.done_on)
    keeps_day, keeps_note = change.done_on is UNSET, change.note is UNSET
    if item := moments.BY_KEY.get(change.item):
        await opened.execute(
            """
            INSERT INTO communication_step AS s
                (filiere_id, moment, item, audience, done_on, note, changed_by)
            VALUES ($1, $2::communication_moment, $3, $4::communication_audience, $5,
                coalesce($6, ''), $7)
            ON CONFLICT (filiere_id, item) DO UPDATE SET changed_by = $7, changed_at = now(),
                done_on = CASE WHEN $8 THEN s.done_on ELSE $5 END,
                note = CASE WHEN $9 THEN s.note ELSE coalesce($6, '') END
            """,
            filiere.id, item.moment.value, item.key, item.audience.value, done_on, text,
            actor.account_id, keeps_day, keeps_note,
        )  # fmt: skip
        return
    changed = await opened.fetchval(
        "UPDATE communication_step SET changed_by = $3, changed_at = now(), "
        "done_on = CASE WHEN $5 THEN done_on ELSE $4 END, "
        "note = CASE WHEN $7 THEN note ELSE coalesce($6, '') END "
        "WHERE id = $1 AND filiere_id = $2 AND item IS NULL RETURNING true",
        _number(change.item), filiere.id, actor.account_id, done_on, keeps_day, text, keeps_note,
    )  # fmt: skip
    if not changed:
        raise errors.NotFound(UNKNOWN)


def _day(day: date | None) -> date | None:
    if day is not None and not EARLIEST <= day <= views.today():
        raise errors.Malformed.field(
            "done_on",
            marked("Indiquez un jour passé ou celui d’aujourd’hui, par exemple %(example)s."),
            example=views.today().isoformat(),
        )
    return day


def _text(field: str, typed: str, most: int) -> str:
    return drafts.checked(field, drafts.one_line(typed), most)


def _number(item: str) -> int:
    """0, which no step has, for what is no number."""
    is_number = item.isascii() and item.isdecimal() and len(item) < LONGEST_NUMBER
    return int(item) if is_number else 0


async def add(actor: Actor, slug: str, draft: StepDraft, language: str) -> StepView:
    """:raises errors.Malformed: without words. :raises errors.Conflict: beyond MOST_ADDED."""
    filiere = await method.require_tending(actor, slug, language)
    label = _text("label", draft.label, LONGEST_LABEL)
    if not label:
        raise errors.Malformed.field("label", marked("Écrivez ce qui est à faire."))
    async with db.transaction() as opened:
        await opened.execute("SELECT FROM filiere WHERE id = $1 FOR NO KEY UPDATE", filiere.id)
        count = await opened.fetchval(
            "SELECT count(*) FROM communication_step WHERE filiere_id = $1 AND item IS NULL",
            filiere.id,
        )
        if count >= MOST_ADDED:
            raise errors.Conflict(
                marked("Gardez %(most)s étapes à vous au plus. Retirez-en une d’abord."),
                most=MOST_ADDED,
            )
        (row,) = await opened.fetch(
            "INSERT INTO communication_step (filiere_id, moment, label, audience, changed_by) "
            "VALUES ($1, $2::communication_moment, $3, $4::communication_audience, $5) RETURNING "
            "id, moment::text AS moment, label, audience::text AS audience, done_on, note, "
            "changed_by",
            filiere.id, draft.moment.value, label, draft.audience.value, actor.account_id,
        )  # fmt: skip
        await _record(actor, filiere)
    return _added(row, await authors.of(actor, [actor.account_id]))


async def remove(actor: Actor, slug: str, step_id: int, language: str) -> None:
    """An added step; those that every filière has stay. :raises errors.NotFound: for others."""
    filiere = await method.require_tending(actor, slug, language)
    async with db.transaction() as opened:
        removed = await opened.fetchval(
            "DELETE FROM communication_step WHERE id = $1 AND filiere_id = $2 AND item IS NULL "
            "RETURNING true",
            min(step_id, profiles.LARGEST_ID), filiere.id,
        )  # fmt: skip
        if not removed:
            raise errors.NotFound(UNKNOWN)
        await _record(actor, filiere)


async def _record(actor: Actor, filiere: FiliereRef) -> None:
    await audit.record(actor, "communication.changed", subject=filiere_scope(filiere.id))
