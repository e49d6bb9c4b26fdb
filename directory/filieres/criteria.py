"""What a filière is judged by: each criterion with its value, threshold, source and date."""

import enum
from datetime import date

import msgspec

from directory.filieres.figures import Bound, Figure, Figures
from directory.filieres.turnover import Band, Turnover
from directory.languages import marked
from directory.settings import Settings


class Name(enum.Enum):
    MEMBERS = "members"
    SHARE = "share"
    TREND = "trend"
    OFFICES = "offices"
    TURNOVER = "turnover"
    POTENTIAL = "potential"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def unit(self) -> str:
        return "%" if self in {Name.SHARE, Name.TREND} else ""


_LABELS = {
    Name.MEMBERS: marked("Membres de ces métiers"),
    Name.SHARE: marked("Part de la communauté"),
    Name.TREND: marked("Évolution sur un an"),
    Name.OFFICES: marked("Présence dans les bureaux"),
    Name.TURNOVER: marked("Chiffre d’affaires médian"),
    Name.POTENTIAL: marked("Dans aucune filière"),
}


class Source(enum.Enum):
    DIRECTORY = "directory"
    DECLARATIONS = "declarations"

    @property
    def label(self) -> str:
        return _SOURCES[self]


_SOURCES = {
    Source.DIRECTORY: marked("annuaire"),
    Source.DECLARATIONS: marked("déclarations des membres"),
}


class Criterion(msgspec.Struct, frozen=True, kw_only=True):
    """`value` and `threshold` are numbers, in percent for `share` and `trend`; `turnover` has bands
    instead. `value` null: not known, or not for this reader. `is_met` null: nobody can say, or
    there is no threshold. `offices` counts those with `members_each` members or more.
    """

    name: Name
    value: Figure | None = None
    threshold: float | None = None
    band: Band | None = None
    band_threshold: Band | None = None
    members_each: int | None = None
    is_met: bool | None = None
    source: Source = Source.DIRECTORY
    counted_on: date | None = None

    @property
    def has_threshold(self) -> bool:
        return self.threshold is not None or self.band_threshold is not None


class Counted(msgspec.Struct, frozen=True):
    """The figures of a filière, and when they were counted."""

    figures: Figures
    on: date
    turnover: Turnover | None = None
    turnover_on: date | None = None


def thresholds(chosen: Settings) -> list[Criterion]:
    """The criteria without values, in the order of the page."""
    return [
        Criterion(name=Name.MEMBERS, threshold=chosen.dossier_members),
        Criterion(name=Name.SHARE, threshold=chosen.dossier_share),
        Criterion(name=Name.TREND, threshold=chosen.dossier_trend),
        Criterion(
            name=Name.OFFICES,
            threshold=chosen.dossier_offices, members_each=chosen.dossier_office_members,
        ),
        Criterion(
            name=Name.TURNOVER,
            band_threshold=Band(chosen.dossier_turnover), source=Source.DECLARATIONS,
        ),
        Criterion(name=Name.POTENTIAL),
    ]  # fmt: skip


def judged(chosen: Settings, counted: Counted) -> list[Criterion]:
    """The criteria with what was counted."""
    found = counted.figures
    values = {
        Name.MEMBERS: found.members, Name.SHARE: found.share, Name.TREND: found.trend,
        Name.OFFICES: Figure(found.offices), Name.POTENTIAL: found.potential,
    }  # fmt: skip
    return [
        _of_bands(one, counted)
        if one.name is Name.TURNOVER
        else _of_numbers(one, values[one.name], counted.on)
        for one in thresholds(chosen)
    ]


def _of_numbers(empty: Criterion, value: Figure | None, day: date) -> Criterion:
    is_met = None
    if value is not None and empty.threshold is not None:
        is_met = value.bound is not Bound.UNDER and value.value >= empty.threshold
    return msgspec.structs.replace(empty, value=value, is_met=is_met, counted_on=day)


def _of_bands(empty: Criterion, counted: Counted) -> Criterion:
    if counted.turnover is None or empty.band_threshold is None:
        return msgspec.structs.replace(empty, counted_on=counted.turnover_on)
    median = counted.turnover.median
    return msgspec.structs.replace(
        empty,
        band=median, is_met=median.rank >= empty.band_threshold.rank,
        counted_on=counted.turnover_on,
    )  # fmt: skip
