"""What may help whom nobody answers: what is in the way, and the trades nearby."""

from collections.abc import Iterable, Mapping

import msgspec

from directory.members import documents, vocabulary
from directory.web import facets
from directory.web.facets import FacetValue
from search.documents import Engine, Query

MOST_TRADES = 5
MOST_RELATED = 200
MOST_FILTERS = 6


class Obstacle(msgspec.Struct, frozen=True):
    """A filter without which `total` members are found. filter is a facet, or near."""

    filter: str
    value: str
    label: str
    total: int


class Suggestions(msgspec.Struct, frozen=True):
    """trades are those that resemble the words and that somebody has."""

    obstacles: list[Obstacle] = []
    trades: list[FacetValue] = []


async def suggest(
    engine: Engine, query: Query, known: Mapping[str, Mapping[str, str]], language: str
) -> Suggestions:
    """known has the names of what is chosen, by facet."""
    bare = msgspec.structs.replace(query, facets=(), page=1, limit=1)
    obstacles = [
        Obstacle(name, value, label, total)
        for name, value, label, asked in _without_one(bare, known)
        if (total := (await engine.search(documents.INDEX, asked)).total)
    ]
    return Suggestions(obstacles, await _trades(engine, bare, language) if query.text else [])


def _without_one(
    query: Query, known: Mapping[str, Mapping[str, str]]
) -> Iterable[tuple[str, str, str, Query]]:
    chosen = [(facet, value) for facet, values in query.chosen.items() for value in values]
    for facet, value in chosen[:MOST_FILTERS]:
        kept = [other for other in query.filters[facet] if other != value]
        asked = msgspec.structs.replace(query, filters={**query.filters, facet: kept})
        yield facet, value, known[facet][value], asked
    if query.near:
        sort = "relevance" if query.sort == "distance" else query.sort
        yield "near", "", "", msgspec.structs.replace(query, near=None, sort=sort)


async def _trades(engine: Engine, query: Query, language: str) -> list[FacetValue]:
    codes = await vocabulary.related_trades(query.text, MOST_RELATED)
    if not codes:
        return []
    asked = Query(
        audience=query.audience, day=query.day, filters={"trade": codes}, facets=("trade",), limit=1
    )
    hits = await engine.search(documents.INDEX, asked)
    held = {each.value: each.count for each in hits.facets["trade"] if each.value in codes}
    names = await facets.names("trade", [code for code, count in held.items() if count], language)
    ranked = sorted(names, key=lambda code: (-held[code], names[code]))
    return [FacetValue(code, names[code], held[code], False) for code in ranked[:MOST_TRADES]]
