"""What may help whom nobody answers: what is in the way, and the trades nearby."""

from collections.abc import Iterable, Mapping

import msgspec

from directory.members import documents, vocabulary
from directory.web import facets
from directory.web.facets import FacetValue
from search.documents import Engine, Query

MOST_TRADES = 5
MOST_RELATED = 200


class Obstacle(msgspec.Struct, frozen=True):
    """A filter without which `total` members are found. filter is a facet with all the values
    chosen in it, or near, which has none."""

    filter: str
    values: list[str]
    labels: list[str]
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
        Obstacle(name, values, [known[name][value] for value in values], total)
        for name, values, asked in _without_one(bare)
        if (total := (await engine.search(documents.INDEX, asked)).total)
    ]
    return Suggestions(obstacles, await _trades(engine, bare, language) if query.text else [])


def _without_one(query: Query) -> Iterable[tuple[str, list[str], Query]]:
    """A value alone is never in the way of the others of its facet: any of them is enough."""
    for facet, values in query.chosen.items():
        others = {name: kept for name, kept in query.filters.items() if name != facet}
        yield facet, values, msgspec.structs.replace(query, filters=others)
    if query.near:
        sort = "relevance" if query.sort == "distance" else query.sort
        yield "near", [], msgspec.structs.replace(query, near=None, sort=sort)


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
