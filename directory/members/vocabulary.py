"""The shared words: trades, sectors, places. Found by typing, and by their codes.

A process keeps them in memory, and reads them again when other reference data was loaded.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeVar

import asyncpg
import msgspec

from directory import db, errors
from directory.http.listing import Listing
from directory.languages import LANGUAGES, marked
from directory.members.shelves import Named, Shelf

Kind = Literal["trade", "sector", "place", "territory"]
UNKNOWN: dict[Kind, str] = {
    "trade": marked("Le métier « %(code)s » n’existe pas."),
    "sector": marked("Le secteur « %(code)s » n’existe pas."),
    "place": marked("Le lieu « %(code)s » n’existe pas."),
    "territory": marked("Le bureau « %(code)s » n’existe pas."),
}


class TradeEntry(msgspec.Struct, frozen=True):
    """label is inclusive in French: 'Développeur·se web'. group_code is its ROME family."""

    code: str
    label: str
    masculine: str
    feminine: str
    group_code: str
    group_label: str


class SectorEntry(msgspec.Struct, frozen=True):
    """NACE-BEL 2025. level 1 is a section ('K'), 5 the finest ('62.010')."""

    code: str
    label: str
    level: int
    parent_code: str | None


class PlaceEntry(msgspec.Struct, frozen=True):
    """region_code is ISO 3166-2: 'BE-WLG'."""

    code: str
    label: str
    postal_code: str
    municipality: str
    region_code: str
    region: str


Entry = TypeVar("Entry", TradeEntry, SectorEntry, PlaceEntry)
ByLanguage = dict[str, Entry]


class Shelves(NamedTuple):
    trades: Shelf[ByLanguage[TradeEntry]]
    sectors: Shelf[ByLanguage[SectorEntry]]
    places: Shelf[ByLanguage[PlaceEntry]]


async def find_trades(text: str, language: str, page: int, limit: int) -> Listing[TradeEntry]:
    return _listing((await _shelves()).trades.find(text), language, page, limit)


async def find_sectors(text: str, language: str, page: int, limit: int) -> Listing[SectorEntry]:
    return _listing((await _shelves()).sectors.find(text), language, page, limit)


async def find_places(text: str, language: str, page: int, limit: int) -> Listing[PlaceEntry]:
    return _listing((await _shelves()).places.find(text), language, page, limit)


def _listing(
    found: Sequence[ByLanguage[Entry]], language: str, page: int, limit: int
) -> Listing[Entry]:
    part = found[(page - 1) * limit : page * limit]
    return Listing(
        items=[entry[language] for entry in part], total=len(found), page=page, limit=limit
    )


async def ids(kind: Kind, codes: Sequence[str], field: str) -> list[int]:
    """The ids of codes, in their order. The code of a territory is its slug.

    :raises errors.Malformed: for a code that does not exist; it names `field`.
    """
    known: dict[str, int] = {}
    if codes and not any("\0" in code for code in codes):
        async with db.connection() as reader:
            name = "slug" if kind == "territory" else "code"
            rows = await reader.fetch(
                f"SELECT {name}, id FROM {kind} WHERE {name} = ANY($1)",  # noqa: S608 - own names
                codes,
            )
            known = {row[name]: row["id"] for row in rows}
    for code in codes:
        if code not in known:
            raise errors.Malformed.field(field, UNKNOWN[kind], code=code.replace("\0", "")[:40])
    return [known[code] for code in codes]


_edition: str | None = None
_kept: Shelves | None = None


async def _shelves() -> Shelves:
    global _edition, _kept
    async with db.connection() as reader:
        hashes = await reader.fetch("SELECT hash FROM reference_version ORDER BY part")
        edition = " ".join(row["hash"] for row in hashes)
        if _kept is not None and _edition == edition:
            return _kept
        rows = [await reader.fetch(query) for query in (_TRADES, _ALSO, _SECTORS, _PLACES)]
    made = await asyncio.to_thread(_read, *rows)
    _edition, _kept = edition, made
    return made


_TRADES = """
    SELECT t.code, t.label_fr, t.label_masculine, t.label_feminine, t.label_nl, t.label_en,
        t.is_common, t.group_code, g.label AS group_label
    FROM trade t JOIN trade_group g ON g.code = t.group_code
"""
_ALSO = """
    SELECT lower(l.label) AS label, l.is_exact, array_agg(DISTINCT t.code) AS codes
    FROM trade_label l JOIN trade t ON t.id = l.trade_id GROUP BY lower(l.label), l.is_exact
"""
_SECTORS = "SELECT code, level, parent_code, label_fr, label_nl, label_en FROM sector"
_PLACES = """
    SELECT p.code, p.postal_code, p.municipality, p.label_fr, p.label_nl, p.population,
        p.region_code, r.label_fr AS region_fr, r.label_nl AS region_nl, r.label_en AS region_en
    FROM place p JOIN region r ON r.code = p.region_code
"""
Rows = Sequence[asyncpg.Record]


def _read(trades: Rows, also: Rows, sectors: Rows, places: Rows) -> Shelves:
    return Shelves(
        Shelf(map(_trade, trades), _also(also, is_exact=True), _also(also, is_exact=False)),
        Shelf(map(_sector, sectors)),
        Shelf(map(_place, places)),
    )


def _also(rows: Rows, *, is_exact: bool) -> list[tuple[str, list[str]]]:
    return [(row["label"], row["codes"]) for row in rows if row["is_exact"] is is_exact]


def _trade(row: asyncpg.Record) -> Named[ByLanguage[TradeEntry]]:
    entry = {
        language: TradeEntry(
            code=row["code"],
            label=row[f"label_{language}"] or row["label_fr"],
            masculine=row["label_masculine"],
            feminine=row["label_feminine"],
            group_code=row["group_code"],
            group_label=row["group_label"],
        )
        for language in LANGUAGES
    }
    columns = ("label_masculine", "label_feminine", "label_nl", "label_en")
    names = tuple(row[column] for column in columns if row[column])
    return Named(row["code"], entry, names, (not row["is_common"], len(names[0]), names[0]))


def _sector(row: asyncpg.Record) -> Named[ByLanguage[SectorEntry]]:
    entry = {
        language: SectorEntry(
            code=row["code"], label=row[f"label_{language}"],
            level=row["level"], parent_code=row["parent_code"],
        )
        for language in LANGUAGES
    }  # fmt: skip
    names = (row["code"], row["label_fr"], row["label_nl"], row["label_en"])
    return Named(row["code"], entry, names, (row["level"], row["code"]))


def _place(row: asyncpg.Record) -> Named[ByLanguage[PlaceEntry]]:
    entry = {
        language: PlaceEntry(
            code=row["code"],
            label=row["label_nl" if language == "nl" else "label_fr"],
            postal_code=row["postal_code"],
            municipality=row["municipality"],
            region_code=row["region_code"],
            region=row[f"region_{language}"],
        )
        for language in LANGUAGES
    }
    names = (row["label_fr"], row["label_nl"], row["postal_code"], row["municipality"])
    return Named(row["code"], entry, names, (-_size(row), row["postal_code"], row["code"]))


def _size(row: asyncpg.Record) -> int:
    """Inhabitants; for Belgian places, whose number is not known, a guess from the postal code.

    The rounder the code, the larger the town: 4000 is Liège, 4400 Flémalle, 4053 Embourg.
    """
    code = row["postal_code"]
    zeros = len(code) - len(code.rstrip("0"))
    return row["population"] or (2_000, 10_000, 40_000, 200_000)[min(zeros, 3)]
