"""What goes into an index, what is asked of it, and what comes back: plain data."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from typing import Annotated, Any, Literal, Protocol

import msgspec

Audience = Literal["public", "members"]
AUDIENCES: tuple[Audience, ...] = ("public", "members")
Sort = Literal["relevance", "fresh", "distance", "name"]
LARGEST_PAGE = 50
FARTHEST_KM = 1_000
EARTH_KM = 6371.0088  # the mean radius
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """facets are the names that documents and queries may use.

    facet_values is the most values a facet's counts list, chosen ones come on top of it.
    fresh_days are the ages, in days before the query's day, at which a document falls one
    step lower among hits of equal relevance.
    """

    name: str
    facets: tuple[str, ...] = ()
    facet_values: int = 100
    fresh_days: tuple[int, ...] = (90, 365)


class Near(msgspec.Struct, frozen=True, kw_only=True):
    """Around a point. What has no place is near nothing."""

    latitude: Latitude
    longitude: Longitude
    within_km: Annotated[float, msgspec.Meta(gt=0, le=FARTHEST_KM)]

    def distance_km(self, latitude: float, longitude: float) -> float:
        """On a sphere of the Earth's mean radius, by the haversine formula."""
        here, there = math.radians(self.latitude), math.radians(latitude)
        north = math.sin((there - here) / 2) ** 2
        east = math.sin(math.radians(longitude - self.longitude) / 2) ** 2
        chord = north + math.cos(here) * math.cos(there) * east
        return 2 * EARTH_KM * math.asin(min(1.0, math.sqrt(chord)))


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What one audience may see of one thing. Texts rank in the order of the fields here.

    vocabulary holds what the thing is also called: synonyms, other languages. related holds the
    words of what resembles it: to search them is to widen, and an exact query does not.
    """

    id: int
    audience: Audience
    title: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    facets: dict[str, list[str]] = {}
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    fresh_on: date | None = None
    sort_name: str = ""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """filters: any of the values of a facet, all of the facets. facets: those to count.

    day seeds the shuffle and says what is fresh. exact: the words as typed, no correction of
    typos and no widening. spelled are forms of words that are right although no document has them.
    """

    audience: Audience
    day: date
    text: str = ""
    filters: dict[str, list[str]] = {}
    facets: tuple[str, ...] = ()
    near: Near | None = None
    sort: Sort = "relevance"
    page: int = 1
    limit: int = 20
    exact: bool = False
    spelled: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.audience not in AUDIENCES:
            raise ValueError(f"no such audience: {self.audience!r}")
        if self.page < 1 or not 1 <= self.limit <= LARGEST_PAGE:
            raise ValueError(f"page starts at 1 and limit is 1 to {LARGEST_PAGE}")
        if self.sort == "distance" and self.near is None:
            raise ValueError("a distance is from somewhere: near is missing")

    @property
    def chosen(self) -> dict[str, list[str]]:
        return {facet: values for facet, values in self.filters.items() if values}

    def refuse_unknown(self, index: Index) -> None:
        """:raises UnknownFacet: for a filter or a facet that the index does not have."""
        if unknown := (self.filters.keys() | set(self.facets)) - set(index.facets):
            raise UnknownFacet(", ".join(sorted(unknown)))


class FacetCount(msgspec.Struct, frozen=True):
    value: str
    count: int


class Correction(msgspec.Struct, frozen=True):
    """What was typed, and the words searched instead, most used first."""

    typed: str
    used: list[str]


def listed(
    index: Index, query: Query, totals: Mapping[str, Mapping[str, int]]
) -> dict[str, list[FacetCount]]:
    """The most frequent values of each facet, and those chosen, even where nothing has them."""
    result = {}
    for facet in query.facets:
        values = totals.get(facet, {})
        ranked = sorted(values.items(), key=lambda item: (-item[1], item[0]))
        chosen = {value: values.get(value, 0) for value in query.filters.get(facet, ())}
        shown = dict(ranked[: index.facet_values]) | chosen
        result[facet] = [FacetCount(value, count) for value, count in shown.items()]
    return result


class Sought(msgspec.Struct, frozen=True):
    """A word of the query, after correction: any of keys, or what begins with prefix."""

    keys: tuple[str, ...]
    prefix: str | None = None

    def is_key(self, key: str) -> bool:
        return key in self.keys or (self.prefix is not None and key.startswith(self.prefix))


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """facets: for each facet asked for, the counts under all the *other* facets' filters.

    sought is what `highlight.matches` finds in the texts of a hit.
    """

    ids: list[int]
    total: int
    facets: dict[str, list[FacetCount]] = {}
    corrections: list[Correction] = []
    sought: tuple[Sought, ...] = ()
    engine: str
    degraded: bool = False


class UnknownFacet(ValueError):
    """A filter or a facet to count that the index does not have."""


class Engine(Protocol):
    async def search(self, index: Index, query: Query) -> Hits: ...


class Connection(Protocol):
    """What is used of an asyncpg connection."""

    async def fetch(self, query: str, /, *args: Any) -> list[Any]: ...
    async def fetchrow(self, query: str, /, *args: Any) -> Any: ...
    async def fetchval(self, query: str, /, *args: Any) -> Any: ...
    async def execute(self, query: str, /, *args: Any) -> str: ...
    def transaction(self) -> AbstractAsyncContextManager[Any]: ...


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where documents come from.

    keys lists all that may be in the index. documents gives the current documents of some
    keys, of every audience; what it does not give leaves the index.
    """

    keys: Callable[[Any], Awaitable[Sequence[int]]]
    documents: Callable[[Any, Sequence[int]], Awaitable[Sequence[Document]]]
