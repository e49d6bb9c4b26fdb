"""Words of a file to codes of the vocabulary: trades, sectors, places, offices."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import asyncpg

from directory import errors
from directory.languages import marked
from directory.members.imports.columns import Column
from search import normaliser

_TRADES = """
    SELECT code, ARRAY[label_fr, label_masculine, label_feminine, label_nl, label_en] AS names,
        ARRAY(SELECT label FROM trade_label l WHERE l.trade_id = t.id AND l.is_exact) AS others
    FROM trade t ORDER BY is_common DESC, id
"""
_SECTORS = """
    SELECT code, ARRAY[label_fr, label_nl, label_en] AS names, ARRAY[]::text[] AS others
    FROM sector ORDER BY level, code
"""
_TERRITORIES = "SELECT slug AS code, ARRAY[name] AS names, ARRAY[]::text[] AS others FROM territory"
_PLACES = """
    SELECT code, postal_code, municipality, label_fr, label_nl,
        coalesce(population, 0) AS population FROM place ORDER BY code
"""
UNKNOWN = {
    Column.TRADES: marked(
        "Le métier « %(word)s » n’est pas dans la liste. Prenez un nom de la liste, ou son code."
    ),
    Column.SECTORS: marked(
        "Le secteur « %(word)s » n’est pas dans la liste. Prenez un code NACE-BEL, comme 58."
    ),
    Column.TERRITORY: marked("Le bureau « %(word)s » n’existe pas."),
}
AMBIGUOUS = marked("« %(word)s » a plusieurs sens. Donnez un de ces codes : %(codes)s.")
NO_PLACE = marked("Le lieu « %(word)s » n’existe pas. Donnez le code postal et la ville.")
AMBIGUOUS_PLACE = marked("Il y a plusieurs lieux « %(word)s ». Donnez le code postal et la ville.")
MOST_CODES = 4


class Place(NamedTuple):
    code: str
    municipality: str
    size: tuple[int, int]


class Names:
    """Codes by name: as a thing is called itself, to the letter and then whatever the gender and
    number; then as it is called too."""

    def __init__(self, rows: Iterable[asyncpg.Record]) -> None:
        self._codes: set[str] = set()
        self._ways: list[dict[str, list[str]]] = [defaultdict(list) for _ in range(4)]
        for row in rows:
            self._codes.add(row["code"])
            for kept, names in ((self._ways[:2], row["names"]), (self._ways[2:], row["others"])):
                for way, spell in zip(kept, (normaliser.fold, _key), strict=True):
                    for name in {spell(name) for name in names if name}:
                        way[name].append(row["code"])

    def code(self, column: Column, typed: str) -> str:
        """:raises errors.Malformed: for no such word, or one with several meanings."""
        if typed in self._codes:
            return typed
        for way, spell in zip(self._ways, (normaliser.fold, _key) * 2, strict=True):
            if found := way.get(spell(typed)):
                break
        else:
            raise errors.Malformed.field(column, UNKNOWN[column], word=typed[:80])
        if len(found) > 1 and column is not Column.SECTORS:
            codes = ", ".join(found[:MOST_CODES])
            raise errors.Malformed.field(column, AMBIGUOUS, word=typed[:80], codes=codes)
        return found[0]  # a sector and its only part are called the same: the wider one


class Words(NamedTuple):
    names: Mapping[Column, Names]
    places: frozenset[str]
    towns: Mapping[tuple[str, str], list[Place]]
    """By postal code and name, either of them empty for those of any."""

    def place(self, code: str, postal: str, town: str) -> str:
        """The code of a place.

        :raises errors.Malformed: for no such place, or several of the name.
        """
        if code:
            if code not in self.places:
                raise errors.Malformed.field(Column.PLACE, NO_PLACE, word=code[:80])
            return code
        word = f"{postal} {town}".strip()[:80]
        postal = postal.strip().upper().removeprefix("B-").removeprefix("F-").replace(" ", "")
        found = self.towns.get((postal, _key(town)), [])
        if not found:
            raise errors.Malformed.field(Column.TOWN, NO_PLACE, word=word)
        if len({place.municipality for place in found}) > 1:
            raise errors.Malformed.field(Column.TOWN, AMBIGUOUS_PLACE, word=word)
        return max(found, key=lambda place: place.size).code


async def read(connection: asyncpg.Connection) -> Words:
    towns: dict[tuple[str, str], dict[str, Place]] = defaultdict(dict)
    codes = set()
    for row in await connection.fetch(_PLACES):
        codes.add(row["code"])
        postal = row["postal_code"]
        zeros = len(postal) - len(postal.rstrip("0"))
        place = Place(row["code"], row["municipality"], (row["population"], zeros))
        for name in ("", _key(row["label_fr"]), _key(row["label_nl"])):
            for number in ("", postal):
                towns[number, name][place.code] = place
    del towns["", ""]
    return Words(
        {
            Column.TRADES: Names(await connection.fetch(_TRADES)),
            Column.SECTORS: Names(await connection.fetch(_SECTORS)),
            Column.TERRITORY: Names(await connection.fetch(_TERRITORIES)),
        },
        frozenset(codes),
        {key: list(places.values()) for key, places in towns.items()},
    )


def _key(name: str) -> str:
    """Words without gender, number, accents; 'Développeur·se web' and 'développeuses web' agree."""
    return " ".join(token.words[0].key for token in normaliser.tokens(name))
