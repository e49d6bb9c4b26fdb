"""The engine on Meilisearch: what matches and what is best is said with filters, see levels."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

from meilisearch_python_sdk.models.search import SearchParams

from search import corrections, levels, settings, terms
from search.documents import Connection, Correction, Hits, Index, Query, listed
from search.server import Answer, Server

NAME = "meilisearch"
MOST_PARTS = 24


class _Slice(NamedTuple):
    condition: str
    offset: int
    limit: int


class MeilisearchEngine:
    """connect opens a connection to Postgres, whose vocabulary corrects what is typed."""

    def __init__(
        self,
        server: Server,
        connect: Callable[[], AbstractAsyncContextManager[Connection]],
    ) -> None:
        self._server = server
        self._connect = connect

    async def search(self, index: Index, query: Query) -> Hits:
        """:raises UnknownFacet: for a filter or a facet that the index does not have.

        :raises server.Unavailable:
        """
        query.refuse_unknown(index)
        wanted = terms.parse(query.text)
        if query.text.strip() and not wanted:
            return Hits(ids=[], total=0, facets=listed(index, query, {}), engine=NAME)
        corrected: list[Correction] = []
        if wanted and not query.exact:
            async with self._connect() as connection:
                wanted, corrected = await corrections.correct(connection, index, query, wanted)
        found = await _Search(self._server, index, query, wanted).run()
        return Hits(
            ids=found.ids,
            total=found.total,
            facets=listed(index, query, found.counts),
            corrections=corrected,
            sought=terms.sought(wanted),
            engine=NAME,
        )


class _Found(NamedTuple):
    ids: list[int]
    total: int
    counts: dict[str, dict[str, int]]


class _Search:
    """One query on its way: first totals and counts, then the hits of the parts they lie in."""

    def __init__(
        self, server: Server, index: Index, query: Query, wanted: Sequence[terms.Term]
    ) -> None:
        self._server = server
        self._uid = server.uid(index, query.audience)
        self._query = query
        self._matching = levels.matching(wanted, is_exact=query.exact)
        self._near = levels.near(query.near) if query.near else ""
        self._choices = {
            facet: levels.choice(facet, values) for facet, values in query.chosen.items()
        }
        is_ranked = query.sort == "relevance"
        self._ages = levels.ages(query.day, index.fresh_days) if is_ranked else [""]
        self._levels = levels.of(wanted, is_exact=query.exact) if is_ranked else [self._matching]

    async def run(self) -> _Found:
        parts = levels.crossed(self._levels, self._ages)
        is_one_step = len(parts) <= MOST_PARTS
        parts = parts if is_one_step else self._levels
        counted = self._counted()
        answers = await self._server.search([*counted, *map(self._count, parts)])
        total, counts = _total(answers[0]), _counts(answers[: len(counted)])
        await self._complete(counts)
        slices = _slices(parts, [_total(answer) for answer in answers[len(counted) :]], self._query)
        if slices and not is_one_step:
            slices = await self._parted(slices)
        return _Found(await self._ids(slices), min(total, settings.MOST_HITS), counts)

    def _counted(self) -> list[SearchParams]:
        """A chosen facet is counted without its own choice."""
        free = [facet for facet in self._query.facets if facet not in self._choices]
        chosen = [facet for facet in self._query.facets if facet in self._choices]
        return [
            self._count(self._matching, free),
            *(self._count(self._matching, [facet], without=facet) for facet in chosen),
        ]

    async def _complete(self, counts: dict[str, dict[str, int]]) -> None:
        """Count what is chosen one by one where the server cut the list of values short."""
        missing = [
            (facet, value)
            for facet, known in counts.items()
            if len(known) >= settings.MOST_FACET_VALUES
            for value in self._query.chosen.get(facet, ())
            if value not in known
        ]
        if missing:
            asked = [
                self._count(
                    levels.both(self._matching, levels.choice(facet, [value])), without=facet
                )
                for facet, value in missing
            ]
            for (facet, value), answer in zip(
                missing, await self._server.search(asked), strict=True
            ):
                counts[facet][value] = _total(answer)

    async def _parted(self, slices: Sequence[_Slice]) -> list[_Slice]:
        """Slices of levels as slices of the ages in them."""
        parts = levels.crossed((each.condition for each in slices), self._ages)
        answers = await self._server.search([self._count(part) for part in parts])
        totals = [_total(answer) for answer in answers]
        return _cut(parts, totals, slices[0].offset, sum(each.limit for each in slices))

    async def _ids(self, slices: Sequence[_Slice]) -> list[int]:
        if not slices:
            return []
        order = _order(self._query)
        answers = await self._server.search(
            [
                SearchParams(
                    index_uid=self._uid, q="", filter=self._filter(each.condition), sort=order,
                    offset=each.offset, limit=each.limit, attributes_to_retrieve=["id"],
                )
                for each in slices
            ]
        )  # fmt: skip
        return [int(hit["id"]) for answer in answers for hit in answer.hits]

    def _count(
        self, condition: str, facets: Sequence[str] = (), *, without: str = ""
    ) -> SearchParams:
        """Only pages of a fixed size are counted exactly."""
        return SearchParams(
            index_uid=self._uid, q="", filter=self._filter(condition, without=without), page=1,
            hits_per_page=0, facets=[settings.facet(facet) for facet in facets] or None,
        )  # fmt: skip

    def _filter(self, condition: str, *, without: str = "") -> str | None:
        choices = (text for facet, text in self._choices.items() if facet != without)
        return levels.both(condition, self._near, *choices) or None


def _total(answer: Answer) -> int:
    return answer.total_hits or 0


def _counts(answers: Sequence[Answer]) -> dict[str, dict[str, int]]:
    prefix = len(settings.facet(""))
    return {
        facet[prefix:]: {settings.decoded(value): count for value, count in values.items()}
        for answer in answers
        for facet, values in (answer.facet_distribution or {}).items()
    }


def _slices(parts: Sequence[str], totals: Sequence[int], query: Query) -> list[_Slice]:
    skip = min((query.page - 1) * query.limit, settings.MOST_HITS)
    return _cut(parts, totals, skip, min(query.limit, settings.MOST_HITS - skip))


def _cut(parts: Sequence[str], totals: Sequence[int], skip: int, limit: int) -> list[_Slice]:
    """What of each part lies on a page that begins after skip."""
    slices = []
    for part, total in zip(parts, totals, strict=True):
        taken = min(limit, max(0, total - skip))
        if taken:
            slices.append(_Slice(part, skip, taken))
        limit -= taken
        skip = max(0, skip - total)
    return slices


def _order(query: Query) -> list[str]:
    """One of several shuffles, forwards or backwards: another order on each of 14 days."""
    number = query.day.toordinal()
    direction = "asc" if number // settings.SHUFFLES % 2 else "desc"
    shuffled = f"{settings.shuffle(number % settings.SHUFFLES)}:{direction}"
    if query.sort == "name":
        return ["name:asc", "id:asc"]
    if query.sort == "distance" and query.near:
        return [f"_geoPoint({query.near.latitude}, {query.near.longitude}):asc", shuffled]
    if query.sort == "fresh":
        return ["fresh:desc", shuffled]
    return [shuffled]
