"""The health of filières: one card for who runs it, and all in one table for the staff."""

from collections.abc import AsyncIterator
from datetime import date

import msgspec

from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.filieres import registry, verdicts, vitals
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import Shown
from directory.filieres.verdicts import Level, Remark
from directory.filieres.vitals import Vitals
from directory.http.listing import Listing
from directory.members import views
from directory.members.imports import sheets


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """A filière's verdict (good, watch or decide), why, and the figures behind it."""

    level: str
    remarks: list[Remark]
    figures: Vitals

    @property
    def label(self) -> str:
        return Level[self.level.upper()].label


class Overview(msgspec.Struct, frozen=True):
    """All filières: how many in each tab, and those of one tab, the worst first."""

    counts: dict[Shown, int]
    shown: list[Health]

    def at(self, level: Level) -> list[Health]:
        return [one for one in self.shown if one.level == level.word]


async def card(actor: Actor, slug: str, language: str) -> Health:
    """Of one filière, for who runs it and the staff.

    :raises errors.NotFound: :raises errors.Forbidden:
    """
    filiere = await registry.get(slug, language)
    actor.require(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    (found,) = await vitals.count(language, filiere_id=filiere.id)
    return _judged(found, views.today(), language)


async def overview(actor: Actor, tab: Shown, language: str) -> Overview:
    """For the staff."""
    actor.require(Permission.RUN_FILIERES)
    every = await vitals.count(language)
    today = views.today()
    counts = {one: sum(f.filiere.stage in one.stages for f in every) for one in Shown}
    shown = [_judged(f, today, language) for f in every if f.filiere.stage in tab.stages]
    return Overview(counts, sorted(shown, key=_urgency))


async def list_health(
    actor: Actor, tab: Shown | None, language: str, *, page: int, limit: int
) -> Listing[Health]:
    """The worst first, of one tab or of all."""
    actor.require(Permission.RUN_FILIERES)
    found = await vitals.count(language, stages=tab.stages if tab else tuple(Stage))
    today = views.today()
    every = sorted((_judged(one, today, language) for one in found), key=_urgency)
    start = (page - 1) * limit
    return Listing(items=every[start : start + limit], total=len(every), page=page, limit=limit)


def _judged(found: Vitals, today: date, language: str) -> Health:
    verdict = verdicts.judge(found, today, language)
    return Health(level=verdict.level.word, remarks=verdict.remarks, figures=found)


_RANK = {rule.reason: place for place, rule in enumerate(verdicts.RULES)}


def _urgency(health: Health) -> tuple[int, int, int, str]:
    """The worst level first; within it the first rule that holds, then how many do."""
    first = _RANK[health.remarks[0].reason] if health.remarks else len(_RANK)
    level = Level[health.level.upper()]
    return -level, first, -len(health.remarks), health.figures.filiere.name.casefold()


async def write_csv(actor: Actor, tab: Shown, language: str) -> AsyncIterator[bytes]:
    """The table of a tab, with the twelve months of each filière."""
    found = await overview(actor, tab, language)
    yield b"\xef\xbb\xbf" + sheets.line(COLUMNS)
    for one in found.shown:
        yield sheets.line(_cells(one))


MONTHLY = ("active", "joins", "leaves")
COLUMNS = (
    "filiere", "name", "kind", "stage", "stage_since", "level", "reasons", "members",
    "last_event_on", "next_event_on", "last_mailing_on", "animators", "ambassadors",
    "mandate_ends_on", "vacant_since", "sheet_version", "sheet_accepted",
    *(f"{name}_{vitals.MONTHS - 1 - place}_months_ago" for name in MONTHLY
      for place in range(vitals.MONTHS)),
)  # fmt: skip


def _cells(one: Health) -> list[str]:
    shown, filiere = one.figures, one.figures.filiere
    plain = [
        filiere.slug, filiere.name, filiere.kind.value, filiere.stage.value, shown.stage_since,
        one.level, "; ".join(remark.text for remark in one.remarks), shown.members,
        shown.last_event_on, shown.next_event_on, shown.last_mailing_on, shown.animators,
        shown.ambassadors, shown.mandate_ends_on, shown.vacant_since, shown.sheet_version,
        shown.sheet_accepted,
    ]  # fmt: skip
    monthly = [getattr(month, name) for name in MONTHLY for month in shown.months]
    return ["" if cell is None else str(cell) for cell in [*plain, *monthly]]
