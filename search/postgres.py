"""The engine on Postgres itself: good for some 20,000 documents, and always there."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

import msgspec

from search import corrections, statements, storage, terms
from search.documents import (
    Connection,
    Correction,
    FacetCount,
    Hits,
    Index,
    Query,
    listed,
)

NAME = "postgres"
MOST_CACHED = 128
FARTHEST = 2**40  # rows


class _Found(NamedTuple):
    ids: list[int]
    total: int | None
    version: int
    counts: list[tuple[int, str, str, int]]


class _Counted(NamedTuple):
    version: int
    total: int
    facets: dict[str, list[FacetCount]]


class PostgresEngine:
    """connect opens a connection to read with, as `pool.acquire` does."""

    def __init__(self, connect: Callable[[], AbstractAsyncContextManager[Connection]]) -> None:
        self._connect = connect
        self._browsed: dict[tuple[Any, ...], _Counted] = {}

    async def search(self, index: Index, query: Query) -> Hits:
        """:raises UnknownFacet: for a filter or a facet that the index does not have."""
        query.refuse_unknown(index)
        wanted = terms.parse(query.text)
        if query.text.strip() and not wanted:
            return Hits(ids=[], total=0, facets=listed(index, query, {}), engine=NAME)
        async with self._connect() as connection:
            corrected: list[Correction] = []
            if wanted and not query.exact:
                wanted, corrected = await corrections.correct(connection, index, query, wanted)
            ids, total, facets = await self._find(connection, index, query, wanted)
        return Hits(
            ids=ids,
            total=total,
            facets=facets,
            corrections=corrected,
            sought=terms.sought(wanted),
            engine=NAME,
        )

    async def _find(
        self, connection: Connection, index: Index, query: Query, wanted: Sequence[terms.Term]
    ) -> tuple[list[int], int, dict[str, list[FacetCount]]]:
        """Counts without words are kept until the index changes: they cost the most."""
        filters = tuple((facet, tuple(values)) for facet, values in sorted(query.chosen.items()))
        browsed = (index, query.audience, query.facets, query.near, filters)
        known = self._browsed.get(browsed) if not wanted else None
        found = await _run(connection, index, query, wanted, has_counts=known is None)
        if known is not None and known.version != found.version:
            found, known = await _run(connection, index, query, wanted, has_counts=True), None
        if known is None:
            known = _Counted(found.version, found.total or 0, _counts(index, query, found.counts))
            if not wanted:
                self._browsed[browsed] = known
                while len(self._browsed) > MOST_CACHED:
                    del self._browsed[next(iter(self._browsed))]
        return found.ids, known.total, known.facets


def _scans(wanted: Sequence[terms.Term], *, is_exact: bool) -> list[tuple[int, int, str]]:
    """What is looked for, as (word, tier, tsquery): each costs a scan of the index."""
    queries: dict[tuple[int, int], list[str]] = {}
    for number, term in enumerate(wanted):
        for way in terms.ways(term, is_exact=is_exact):
            keys = [f"'{way.field}{key}'" for key in way.keys]
            sought = [f"'{way.field}{way.prefix}':*"] if way.prefix else keys
            queries.setdefault((number, way.tier), []).extend(sought)
    return [(word, tier, " | ".join(sought)) for (word, tier), sought in queries.items()]


async def _run(
    connection: Connection,
    index: Index,
    query: Query,
    wanted: Sequence[terms.Term],
    *,
    has_counts: bool,
) -> _Found:
    filters = sorted(query.chosen.items())
    shape = statements.Shape(
        query.audience,
        len(wanted),
        len(filters),
        has_counts,
        bool(query.facets),
        query.sort,
        index.fresh_days,
        query.near is not None,
    )
    arguments: list[Any] = [
        index.name,
        query.day,
        query.day.toordinal(),
        query.limit,
        min((query.page - 1) * query.limit, FARTHEST),
    ]
    for facet, values in filters:
        arguments += [facet, [storage.storable(value) for value in values]]
    if wanted:
        scans = _scans(wanted, is_exact=query.exact)
        arguments += [list(column) for column in zip(*scans, strict=True)]
    if near := query.near:
        arguments += [near.latitude, near.longitude, near.within_km]
    row = await connection.fetchrow(statements.search(shape), *arguments)
    counts = msgspec.json.decode(row["counts"], type=list[tuple[int, str, str, int]])
    return _Found(row["ids"] or [], row["total"], row["version"] or 0, counts)


def _counts(
    index: Index, query: Query, counts: Sequence[tuple[int, str, str, int]]
) -> dict[str, list[FacetCount]]:
    filtered = ["", *sorted(query.chosen)]
    totals: dict[str, dict[str, int]] = {facet: {} for facet in query.facets}
    for failed, facet, value, count in counts:
        if facet in totals and (failed == 0 or filtered[failed.bit_length()] == facet):
            totals[facet][value] = totals[facet].get(value, 0) + count
    return listed(index, query, totals)
