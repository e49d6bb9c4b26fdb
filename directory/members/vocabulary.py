"""The shared words: trades, sectors, places. Found by typing, and by their codes.

A process keeps them in memory, and reads them again some seconds after other reference data was
loaded.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Literal, NamedTuple, TypeVar

import asyncpg
import msgspec

from directory import db, errors
from directory.http.listing import Listing
from directory.languages import LANGUAGES, marked
from directory.members import documents
from directory.members.shelves import Named, Shelf
from search import normaliser

MOST_SPELLED = 20
MOST_NAMED = 10
MOST_FAMILIES = 8
SHORTEST_SPELLED = 4
CHECKED_SECONDS = 10.0
Kind = Literal["trade", "sector", "place", "territory"]
UNKNOWN: dict[Kind, str] = {
    "trade": marked("Le métier « %(code)s » n’existe pas."),
    "sector": marked("Le secteur « %(code)s » n’existe pas."),
    "place": marked("Le lieu « %(code)s » n’existe pas."),
    "territory": marked("Le bureau « %(code)s » n’existe pas."),
}

NOWHERE = marked("La position du lieu « %(code)s » n’est pas connue : indiquez un lieu voisin.")


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


class Point(NamedTuple):
    """WGS 84, in degrees."""

    latitude: float
    longitude: float


class Shelves(NamedTuple):
    """families: the codes of trades by ROME code. regions: their names by code and language.
    points: where places are, by code; None where nobody gave coordinates. merged: the codes that
    stand for those of merged trades."""

    trades: Shelf[ByLanguage[TradeEntry]]
    sectors: Shelf[ByLanguage[SectorEntry]]
    places: Shelf[ByLanguage[PlaceEntry]]
    families: dict[str, list[str]]
    regions: dict[str, dict[str, str]]
    points: dict[str, Point | None]
    merged: dict[str, str]


async def keep() -> None:
    """Read everything before the first request: each of those that wait for it would read it."""
    await _shelves()


async def find_trades(text: str, language: str, page: int, limit: int) -> Listing[TradeEntry]:
    return _listing((await _shelves()).trades.find(text), language, page, limit)


async def find_sectors(text: str, language: str, page: int, limit: int) -> Listing[SectorEntry]:
    return _listing((await _shelves()).sectors.find(text), language, page, limit)


async def find_places(text: str, language: str, page: int, limit: int) -> Listing[PlaceEntry]:
    return _listing((await _shelves()).places.find(text), language, page, limit)


async def names(kind: str, codes: Iterable[str], language: str) -> dict[str, str]:
    """By code. kind is 'trade', 'sector', 'region' or 'place'. One that is none is left out."""
    kept = await _shelves()
    if kind == "region":
        return {code: kept.regions[code][language] for code in codes if code in kept.regions}
    if kind == "place":
        places = kept.places.by_code
        found = {code: places[code][language] for code in codes if code in places}
        return {code: f"{entry.postal_code} {entry.label}" for code, entry in found.items()}
    by_code = (kept.trades if kind == "trade" else kept.sectors).by_code
    known = {code: kept.merged.get(code, code) if kind == "trade" else code for code in codes}
    return {code: by_code[one][language].label for code, one in known.items() if one in by_code}


async def standing(codes: Iterable[str]) -> list[str]:
    """Codes of trades, those of merged ones replaced by what stands for them."""
    merged = (await _shelves()).merged
    return list(dict.fromkeys(merged.get(code, code) for code in codes))


def look_again() -> None:
    """The words have changed: do not wait to see it."""
    _memory.look_again()


async def points() -> Mapping[str, Point | None]:
    """Where places are, by code. None where nobody gave coordinates."""
    return (await _shelves()).points


async def locate(text: str) -> tuple[str, Point]:
    """The place of a code, or else the largest of that name or postal code, and where it is.

    :raises errors.Malformed: naming `near`, for no place, or one whose coordinates nobody gave.
    """
    kept = await _shelves()
    is_code = text in kept.points
    codes = [text] if is_code else [entry["fr"].code for entry in kept.places.named(text)]
    for code in codes:
        if point := kept.points[code]:
            return code, point
    raise errors.Malformed.field("near", NOWHERE if codes else UNKNOWN["place"], code=text[:80])


async def spelled(text: str) -> frozenset[str]:
    """The forms of those words of a text that stand in the name of a trade.

    The last one may be the beginning of such a word.
    """
    trades = (await _shelves()).trades
    tokens = list(islice(normaliser.tokens(text), MOST_SPELLED))
    return frozenset(
        word.form
        for token in tokens
        for word in token.words
        if len(word.form) >= SHORTEST_SPELLED
        and trades.has_word(word.form, whole=token is not tokens[-1])
    )


async def related_trades(text: str, most: int) -> list[str]:
    """Codes of the trades that a text names, and of all those of the same families.

    Where the whole text names none, each of its words is tried.
    """
    kept = await _shelves()
    words = [token.words[0].spelling for token in islice(normaliser.tokens(text), MOST_SPELLED)]
    for tried in ([text], [word for word in words if len(word) >= SHORTEST_SPELLED]):
        named = [entry["fr"] for part in tried for entry in kept.trades.find(part)[:MOST_NAMED]]
        if named:
            families = list(dict.fromkeys(entry.group_code for entry in named))[:MOST_FAMILIES]
            kin = (code for family in families for code in kept.families[family])
            return list(dict.fromkeys([*(entry.code for entry in named), *kin]))[:most]
    return []


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
            found = "coalesce(merged_into, id)" if kind == "trade" else "id"
            rows = await reader.fetch(
                f"SELECT {name}, {found} AS id FROM {kind} WHERE {name} = ANY($1)",  # noqa: S608 - own names
                codes,
            )
            known = {row[name]: row["id"] for row in rows}
    for code in codes:
        if code not in known:
            raise errors.Malformed.field(field, UNKNOWN[kind], code=code.replace("\0", "")[:40])
    return [known[code] for code in codes]


class _Memory:
    """What this process keeps, of which edition, and when it last looked for another."""

    def __init__(self) -> None:
        self._shelves: Shelves | None = None
        self._edition = ""
        self._looked_at = 0.0
        self._is_looking = False

    def look_again(self) -> None:
        self._looked_at = -CHECKED_SECONDS

    async def shelves(self) -> Shelves:
        """Reading takes seconds: who comes meanwhile gets those that were there before."""
        is_fresh = self._is_looking or time.monotonic() < self._looked_at + CHECKED_SECONDS
        if self._shelves and is_fresh:
            return self._shelves
        self._is_looking = True
        try:
            return await self._look()
        finally:
            self._is_looking = False

    async def _look(self) -> Shelves:
        async with db.connection() as reader:
            hashes = await reader.fetch("SELECT hash FROM reference_version ORDER BY part")
            edition = " ".join(row["hash"] for row in hashes)
            if self._shelves is None or self._edition != edition:
                queries = (_TRADES, _ALSO, _SECTORS, _PLACES, _MERGED)
                rows = [await reader.fetch(query) for query in queries]
                self._shelves = await asyncio.to_thread(_read, *rows)
                self._edition = edition
                documents.forget_words()
        self._looked_at = time.monotonic()
        return self._shelves


_memory = _Memory()


async def _shelves() -> Shelves:
    return await _memory.shelves()


_TRADES = """
    SELECT t.code, t.label_fr, t.label_masculine, t.label_feminine, t.label_nl, t.label_en,
        t.is_common, t.group_code, g.label AS group_label
    FROM trade t JOIN trade_group g ON g.code = t.group_code
    WHERE t.merged_into IS NULL
"""
_MERGED = """
    SELECT o.code, t.code AS standing FROM trade o JOIN trade t ON t.id = o.merged_into
"""
_ALSO = """
    SELECT lower(l.label) AS label, l.is_exact, array_agg(DISTINCT t.code) AS codes
    FROM trade_label l JOIN trade o ON o.id = l.trade_id
    JOIN trade t ON t.id = coalesce(o.merged_into, o.id) GROUP BY lower(l.label), l.is_exact
"""
_SECTORS = "SELECT code, level, parent_code, label_fr, label_nl, label_en FROM sector"
_PLACES = """
    SELECT p.code, p.postal_code, p.municipality, p.label_fr, p.label_nl, p.population,
        p.latitude, p.longitude, p.region_code,
        r.label_fr AS region_fr, r.label_nl AS region_nl, r.label_en AS region_en
    FROM place p JOIN region r ON r.code = p.region_code
"""
Rows = Sequence[asyncpg.Record]


def _read(trades: Rows, also: Rows, sectors: Rows, places: Rows, merged: Rows) -> Shelves:
    return Shelves(
        Shelf(map(_trade, trades), _also(also, is_exact=True), _also(also, is_exact=False)),
        Shelf(map(_sector, sectors)),
        Shelf(map(_place, places)),
        _families(trades),
        {
            row["region_code"]: {language: row[f"region_{language}"] for language in LANGUAGES}
            for row in places
        },
        {
            row["code"]: None
            if row["latitude"] is None
            else Point(row["latitude"], row["longitude"])
            for row in places
        },
        {row["code"]: row["standing"] for row in merged},
    )


def _also(rows: Rows, *, is_exact: bool) -> list[tuple[str, list[str]]]:
    return [(row["label"], row["codes"]) for row in rows if row["is_exact"] is is_exact]


def _families(trades: Rows) -> dict[str, list[str]]:
    families = defaultdict[str, list[str]](list)
    for row in trades:
        families[row["group_code"]].append(row["code"])
    return dict(families)


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
