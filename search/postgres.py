"""The engine on Postgres itself: good for some 20,000 documents, and always there."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple

import msgspec

from search import spelling, statements, stopwords, storage, terms
from search.documents import (
    Audience,
    Connection,
    Correction,
    FacetCount,
    Hits,
    Index,
    Query,
    UnknownFacet,
)

NAME = "postgres"
MOST_CACHED = 128
FARTHEST = 2**40  # rows

# A word found in the title counts 16, in the summary 8, in the vocabulary 4, in the body 2; one
# less when it is only the beginning of the word that stands there.
_TIERS = {"a": 16, "b": 8, "c": 4, "d": 2}
_STOPWORD_TIER = 15
# One or two letters begin nearly every word: they are looked for only where it tells something.
_FIELDS_OF_SHORT_PREFIX = {1: "a", 2: "ab"}


class _Found(NamedTuple):
    ids: list[int]
    total: int
    version: int
    counts: list[tuple[int, str, str, int]]


_Counted = tuple[int, dict[str, list[FacetCount]]]


class PostgresEngine:
    """connect opens a connection to read with, as `pool.acquire` does."""

    def __init__(self, connect: Callable[[], AbstractAsyncContextManager[Connection]]) -> None:
        self._connect = connect
        self._browsed: dict[tuple[Any, ...], _Counted] = {}

    async def search(self, index: Index, query: Query) -> Hits:
        """:raises UnknownFacet: for a filter or a facet that the index does not have."""
        if unknown := (query.filters.keys() | set(query.facets)) - set(index.facets):
            raise UnknownFacet(", ".join(sorted(unknown)))
        wanted = terms.parse(query.text)
        if query.text.strip() and not wanted:
            return Hits(ids=[], total=0, facets=_no_counts(query), engine=NAME)
        async with self._connect() as connection:
            corrections: list[Correction] = []
            if wanted and not query.exact:
                wanted, corrections = await _corrected(connection, index, query.audience, wanted)
            ids, total, facets = await self._find(connection, index, query, wanted)
        return Hits(
            ids=ids,
            total=total,
            facets=facets,
            corrections=corrections,
            keys=list(dict.fromkeys(key for term in wanted for key in term.keys)),
            prefixes=[term.prefix for term in wanted if term.prefix],
            engine=NAME,
        )

    async def _find(
        self, connection: Connection, index: Index, query: Query, wanted: Sequence[terms.Term]
    ) -> tuple[list[int], int, dict[str, list[FacetCount]]]:
        """Counts without words are kept until the index changes: they cost the most."""
        filters = tuple((facet, tuple(values)) for facet, values in sorted(_chosen(query).items()))
        browsed = (index, query.audience, query.facets, filters)
        known = self._browsed.get(browsed) if not wanted else None
        found = await _run(connection, index, query, wanted, has_counts=known is None)
        if known is not None and known[0] != found.version:
            found, known = await _run(connection, index, query, wanted, has_counts=True), None
        if known is None:
            known = found.version, _counts(index, query, found.counts)
            if not wanted:
                self._browsed[browsed] = known
                while len(self._browsed) > MOST_CACHED:
                    del self._browsed[next(iter(self._browsed))]
        return found.ids, found.total, known[1]


async def _corrected(
    connection: Connection, index: Index, audience: Audience, wanted: Sequence[terms.Term]
) -> tuple[list[terms.Term], list[Correction]]:
    """Words that this audience's documents do not have, replaced by the nearest that they do."""
    known = {
        row["key"]
        for row in await connection.fetch(
            statements.KNOWN_KEYS[audience],
            index.name,
            [key for term in wanted for key in term.keys],
            next((term.prefix for term in wanted if term.prefix), None),
        )
    }
    result, corrections = [], []
    for term in wanted:
        if not known.isdisjoint(term.keys) or (term.prefix and "" in known) or not term.edits:
            result.append(term)
        elif candidates := await _similar(connection, index, audience, term):
            keys = tuple(dict.fromkeys(candidate.key for candidate in candidates))
            result.append(msgspec.structs.replace(term, keys=keys, prefix=None))
            used = [c.spelling for c in _one_for_each_key(candidates)]
            corrections.append(Correction(term.typed, used[: spelling.MOST_SHOWN]))
        else:
            result.append(term)
    return result, corrections


def _one_for_each_key(candidates: Sequence[spelling.Candidate]) -> list[spelling.Candidate]:
    first: dict[str, spelling.Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.key, candidate)
    return list(first.values())


async def _similar(
    connection: Connection, index: Index, audience: Audience, term: terms.Term
) -> list[spelling.Candidate]:
    for function, is_start in (("search_similar", False), ("search_similar_start", True)):
        if is_start and not term.prefix:
            break
        rows = await connection.fetch(
            f"SELECT spelling, form, key, documents FROM {function}($1, $2, $3, $4)",  # noqa: S608 -- one of two names
            index.name,
            audience,
            term.form,
            term.edits,
        )
        candidates = [spelling.Candidate(*row) for row in rows]
        if near := spelling.nearest(term.form, candidates, term.edits, is_start=is_start):
            return near
    return []


def _scans(wanted: Sequence[terms.Term]) -> list[tuple[int, int, str]]:
    """Which word is looked for in which field, as (word, tier, tsquery)."""
    scans = []
    for number, term in enumerate(wanted):
        if term.form in stopwords.STOPWORDS:
            scans.append((number, _STOPWORD_TIER, f"'{storage.STOPWORD}{term.keys[0]}'"))
        for field, tier in _TIERS.items():
            words = " | ".join(f"'{field}{key}'" for key in term.keys)
            scans.append((number, tier, words))
            if term.prefix and field in _FIELDS_OF_SHORT_PREFIX.get(
                len(term.prefix), storage.FIELDS
            ):
                scans.append((number, tier - 1, f"'{field}{term.prefix}':*"))
    return scans


async def _run(
    connection: Connection,
    index: Index,
    query: Query,
    wanted: Sequence[terms.Term],
    *,
    has_counts: bool,
) -> _Found:
    filters = sorted(_chosen(query).items())
    shape = statements.Shape(
        query.audience,
        bool(wanted),
        len(filters),
        has_counts and bool(query.facets),
        query.sort,
        index.fresh_days,
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
        arguments += [list(column) for column in zip(*_scans(wanted), strict=True)]
        arguments.append(len(wanted))
    row = await connection.fetchrow(statements.search(shape), *arguments)
    counts = msgspec.json.decode(row["counts"], type=list[tuple[int, str, str, int]])
    return _Found(row["ids"] or [], row["total"], row["version"] or 0, counts)


def _chosen(query: Query) -> dict[str, list[str]]:
    return {facet: values for facet, values in query.filters.items() if values}


def _no_counts(query: Query) -> dict[str, list[FacetCount]]:
    return {
        facet: [FacetCount(value, 0) for value in query.filters.get(facet, ())]
        for facet in query.facets
    }


def _counts(
    index: Index, query: Query, counts: Sequence[tuple[int, str, str, int]]
) -> dict[str, list[FacetCount]]:
    """The most frequent values of each facet, and those chosen, even where nothing has them."""
    filtered = ["", *sorted(_chosen(query))]
    totals: dict[str, dict[str, int]] = {facet: {} for facet in query.facets}
    for failed, facet, value, count in counts:
        if facet in totals and (failed == 0 or filtered[failed.bit_length()] == facet):
            totals[facet][value] = totals[facet].get(value, 0) + count
    result = {}
    for facet, values in totals.items():
        ranked = sorted(values.items(), key=lambda item: (-item[1], item[0]))
        chosen = {value: values.get(value, 0) for value in query.filters.get(facet, ())}
        listed = dict(ranked[: index.facet_values]) | chosen
        result[facet] = [FacetCount(value, count) for value, count in listed.items()]
    return result
