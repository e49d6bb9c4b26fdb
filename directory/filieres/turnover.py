"""What members of some trades declared to earn: rounded, and never of a few or of lookalikes.

Nobody sees what one person declared, so these figures may tell less than the others: they are
counted at most once a quarter, and shown of groups in which the bands are mixed.
"""

import enum
from collections.abc import Sequence
from datetime import date, timedelta

import asyncpg
import msgspec

from directory.filieres import figures
from directory.filieres.figures import SMALLEST, STEP, Bound, Figure, Words
from directory.languages import marked

FEWEST = 10
"""Declarations, below which nothing is said."""

QUARTER = timedelta(days=90)


class Band(enum.Enum):
    """In euros a year."""

    UNDER_10K = "under_10k"
    FROM_10K = "10k_25k"
    FROM_25K = "25k_50k"
    FROM_50K = "50k_100k"
    OVER_100K = "over_100k"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def rank(self) -> int:
        return list(Band).index(self)


_LABELS = {
    Band.UNDER_10K: marked("moins de 10\u00a0000\u00a0€"),
    Band.FROM_10K: marked("10\u00a0000 à 25\u00a0000\u00a0€"),
    Band.FROM_25K: marked("25\u00a0000 à 50\u00a0000\u00a0€"),
    Band.FROM_50K: marked("50\u00a0000 à 100\u00a0000\u00a0€"),
    Band.OVER_100K: marked("plus de 100\u00a0000\u00a0€"),
}


class BandCount(msgspec.Struct, frozen=True):
    band: Band
    members: Figure


class Turnover(msgspec.Struct, frozen=True):
    """`median` is the band of the middle one; the others are rounded."""

    median: Band
    declared: Figure
    bands: list[BandCount]


async def count(reader: asyncpg.Connection, words: Words, day: date) -> Turnover | None:
    """None: too few declared something, or nearly all the same."""
    rows = await reader.fetch(
        f"""
        SELECT d.turnover_band::text AS band, count(*) AS members
        FROM member_declaration d JOIN (SELECT m.id {figures.sql_picked(words)}
            AND {figures.sql_there("$2::date")}) AS m ON m.id = d.member_id
        GROUP BY 1
        """,  # noqa: S608 - own words
        words.ids, day,
    )  # fmt: skip
    found = {Band(row["band"]): row["members"] for row in rows}
    return _shown([(band, found.get(band, 0)) for band in Band])


def _shown(counts: Sequence[tuple[Band, int]]) -> Turnover | None:
    declared = sum(n for _, n in counts)
    if declared < FEWEST or declared - max(n for _, n in counts) < SMALLEST:
        return None
    bands = [BandCount(band, _about(n)) for band, n in counts]
    return Turnover(_median(counts, declared), _about(declared), bands)


def _median(counts: Sequence[tuple[Band, int]], declared: int) -> Band:
    """Of an even number, the lower one."""
    below = 0
    for band, n in counts:
        below += n
        if 2 * below >= declared:
            return band
    return Band.OVER_100K


def _about(people: int) -> Figure:
    if people < SMALLEST:
        return Figure(SMALLEST, Bound.UNDER)
    return Figure(STEP * round(people / STEP), Bound.ABOUT)
