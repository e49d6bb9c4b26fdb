"""What a reader asks of the search, read from the query string: for the page and for the API."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from directory import errors
from directory.errors import FieldError
from directory.http.listing import PageLimit, PageNumber, SearchText
from directory.languages import marked
from directory.members import vocabulary
from search.documents import FARTHEST_KM, Near, Sort

PAGE_LIMIT = 20
DEFAULT_KM = 25
RADII_KM = (5, 10, 25, 50, 100)  # that the page offers
FACETS = ("availability", "trade", "filiere", "sector", "language", "region")
_POINT = re.compile(r"\s*(-?\d{1,3}(?:\.\d{1,15})?)\s*,\s*(-?\d{1,3}(?:\.\d{1,15})?)\s*")


class Place(msgspec.Struct, frozen=True):
    """Where to look: as it was asked, the code of the place if it is one, and the point."""

    asked: str
    code: str | None
    around: Near


class Whereabouts(msgspec.Struct, frozen=True):
    """What is asked as a place; the place that it is, or on a page, why it is none."""

    asked: str = ""
    place: Place | None = None
    problem: FieldError | None = None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader asks for. facets are those to count."""

    text: str = ""
    filters: Mapping[str, list[str]] = {}
    place: Place | None = None
    sort: Sort = "relevance"
    page: int = 1
    limit: int = PAGE_LIMIT
    is_exact: bool = False
    facets: tuple[str, ...] = FACETS

    @property
    def chosen(self) -> dict[str, list[str]]:
        return {facet: values for facet, values in self.filters.items() if values}


def _values(name: str, words: str) -> QueryParameter:
    return QueryParameter(name=name, max_items=50, description=words)


Trades = Annotated[list[str] | None, _values("trade", "Codes of trades; any of them.")]
Sectors = Annotated[list[str] | None, _values("sector", "NACE-BEL codes; any of them.")]
Filieres = Annotated[list[str] | None, _values("filiere", "Slugs of filières; any of them.")]
Regions = Annotated[list[str] | None, _values("region", "ISO 3166-2 codes; any of them.")]
Languages = Annotated[list[str] | None, _values("language", "ISO 639-1 codes; any of them.")]
Availabilities = Annotated[
    list[str] | None, _values("availability", "available, soon or busy; any of them.")
]
Exact = Annotated[
    bool, QueryParameter(description="true: the words as typed; nothing corrected or widened.")
]
Around = Annotated[
    str,
    QueryParameter(
        name="near",
        max_length=120,
        description="Around a place: its code, its name or postal code (the largest place of that "
        "name), or `latitude,longitude` in degrees. Who has no place is near nothing.",
    ),
]
WithinKm = Annotated[
    float | None,
    QueryParameter(
        name="within_km", gt=0, le=FARTHEST_KM,
        description=f"How far from `near`, as the crow flies; {DEFAULT_KM} if not said.",
    ),
]  # fmt: skip
Order = Annotated[
    Sort,
    QueryParameter(
        name="sort",
        description="relevance (then freshness, then a shuffle of the day), fresh, name, or "
        "distance, which needs `near`.",
    ),
]
Counted = Annotated[
    list[Literal["none", "availability", "trade", "filiere", "sector", "language", "region"]]
    | None,
    QueryParameter(
        name="facets", max_items=10, description="The facets to count, or none; all if not said."
    ),
]


async def whereabouts(
    near: Around = "", within_km: WithinKm = None, sort: Order = "relevance"
) -> Whereabouts:
    """:raises errors.Malformed: for what is no place, and for a distance from nowhere."""
    asked = near.strip()
    return Whereabouts(asked, await _place(asked, within_km, sort))


async def whereabouts_typed(
    near: Around = "", within_km: WithinKm = None, sort: Order = "relevance"
) -> Whereabouts:
    """For a page, whose form always sends all its fields.

    A distance from nowhere says nothing; what is no place is told beside its field.
    """
    asked = near.strip()
    if not asked:
        return Whereabouts()
    try:
        return Whereabouts(asked, await _place(asked, within_km, sort))
    except errors.Malformed as problem:
        return Whereabouts(asked, problem=problem.fields[0])


async def wished(
    whereabouts: NamedDependency[Whereabouts],
    q: SearchText = "",
    trade: Trades = None,
    sector: Sectors = None,
    filiere: Filieres = None,
    region: Regions = None,
    language: Languages = None,
    availability: Availabilities = None,
    sort: Order = "relevance",
    page: PageNumber = 1,
    limit: PageLimit = PAGE_LIMIT,
    exact: Exact = False,
    facets: Counted = None,
) -> Wish:
    given = {
        "trade": await vocabulary.standing(trade or ()),
        "sector": sector, "filiere": filiere, "region": region,
        "language": language, "availability": availability,
    }  # fmt: skip
    return Wish(
        text=q.strip(),
        filters={facet: list(dict.fromkeys(values)) for facet, values in given.items() if values},
        place=whereabouts.place,
        sort="relevance" if sort == "distance" and not whereabouts.place else sort,
        page=page,
        limit=limit,
        is_exact=exact,
        facets=FACETS if facets is None else tuple(facet for facet in FACETS if facet in facets),
    )


WISH = {"whereabouts": Provide(whereabouts), "wish": Provide(wished)}
WISH_OF_PAGE = {"whereabouts": Provide(whereabouts_typed), "wish": Provide(wished)}


async def _place(asked: str, within_km: float | None, sort: Sort) -> Place | None:
    if not asked:
        for name, is_given in (("within_km", within_km is not None), ("sort", sort == "distance")):
            if is_given:
                words = marked("Une distance se mesure depuis un lieu : indiquez « near ».")
                raise errors.Malformed.field(name, words)
        return None
    within = within_km or DEFAULT_KM
    if point := _POINT.fullmatch(asked):
        latitude, longitude = float(point[1]), float(point[2])
        if abs(latitude) > 90 or abs(longitude) > 180:
            words = marked("« %(near)s » n’est pas un point : latitude, puis longitude, en degrés.")
            raise errors.Malformed.field("near", words, near=asked)
        around = Near(latitude=latitude, longitude=longitude, within_km=within)
        return Place(asked, None, around)
    code, at = await vocabulary.locate(asked)
    return Place(asked, code, Near(latitude=at.latitude, longitude=at.longitude, within_km=within))
