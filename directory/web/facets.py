"""The facets of the search: names and counts of their values, and finding one by typing."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from directory import errors
from directory.filieres import registry
from directory.languages import marked, translate
from directory.members import labels, vocabulary
from directory.web.wishes import Wish
from search import normaliser
from search.documents import Hits

Facet = Literal["availability", "trade", "filiere", "sector", "language", "region"]
AVAILABILITIES = {
    "available": marked("Disponible"),
    "soon": marked("Bientôt disponible"),
    "busy": marked("Complet"),
}
DIVISION_LENGTH = 2
MOST_VALUES = 100
MOST_CANDIDATES = 2_000


class FacetValue(msgspec.Struct, frozen=True):
    """`count` is how many members would be found with this value and the other facets' choices."""

    value: str
    label: str
    count: int
    is_chosen: bool


async def names(facet: str, values: list[str], language: str) -> dict[str, str]:
    """A value that does not exist is left out."""
    if facet == "filiere":
        return await registry.names(values, language)
    if facet == "language":
        return labels.of_languages(values, language)
    if facet == "availability":
        known = AVAILABILITIES
        return {value: translate(language, known[value]) for value in values if value in known}
    return await vocabulary.names(facet, values, language)


async def chosen_names(wish: Wish, language: str) -> dict[str, dict[str, str]]:
    """The names of what is chosen, by facet.

    :raises errors.Malformed: naming a facet of which a value does not exist.
    """
    known = {f: await names(f, values, language) for f, values in wish.chosen.items()}
    for facet, values in wish.chosen.items():
        if unknown := [value for value in values if value not in known[facet]]:
            raise errors.Malformed.field(
                facet,
                marked("« %(value)s » n’existe pas pour « %(facet)s »."),
                value=unknown[0][:80], facet=facet,
            )  # fmt: skip
    return known


async def counts(facet: str, hits: Hits, wish: Wish, language: str) -> list[FacetValue]:
    """Sectors are counted by division (two figures), and at the level that is chosen."""
    picked = wish.chosen.get(facet, [])
    counted = {
        count.value: count.count
        for count in hits.facets.get(facet, [])
        if facet != "sector" or len(count.value) == DIVISION_LENGTH or count.value in picked
    }
    shown = dict(list(counted.items())[:MOST_VALUES]) | {v: counted.get(v, 0) for v in picked}
    return _named(shown, await names(facet, list(shown), language), picked)


def _named(
    counted: Mapping[str, int], known: Mapping[str, str], picked: list[str]
) -> list[FacetValue]:
    return [
        FacetValue(value, known[value], count, value in picked)
        for value, count in counted.items()
        if value in known
    ]


async def candidates(facet: Facet, like: str, language: str) -> list[str] | None:
    """Values whose names match what is typed, where there are many; None where all can be read."""
    if not like.strip():
        return None
    if facet == "trade":
        trades = await vocabulary.find_trades(like, language, 1, MOST_CANDIDATES)
        return [entry.code for entry in trades.items]
    if facet == "sector":
        sectors = await vocabulary.find_sectors(like, language, 1, MOST_CANDIDATES)
        return [entry.code for entry in sectors.items]
    return None


def matching(values: list[FacetValue], like: str) -> list[FacetValue]:
    """Those whose label has, for each word that is typed, one that begins so."""
    typed = [word.form for word in normaliser.words(like)]
    return [
        value
        for value in values
        if all(
            any(word.form.startswith(form) for word in normaliser.words(value.label))
            for form in typed
        )
    ]
