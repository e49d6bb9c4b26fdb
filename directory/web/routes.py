"""The home page, which is the search; about; the health checks."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter
from markupsafe import Markup, escape

from directory import settings
from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems
from directory.http.listing import PageLimit, PageNumber, SearchText
from directory.web import health, search
from directory.web.search import Found, Wish
from search import highlight
from search.documents import Hits

PAGE_LIMIT = 20


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
Exact = Annotated[bool, QueryParameter(description="true: the words as typed, no correction.")]


async def wished(
    q: SearchText = "",
    trade: Trades = None,
    sector: Sectors = None,
    filiere: Filieres = None,
    region: Regions = None,
    language: Languages = None,
    availability: Availabilities = None,
    page: PageNumber = 1,
    limit: PageLimit = PAGE_LIMIT,
    exact: Exact = False,
) -> Wish:
    """What the query string asks for, for the page and for the API."""
    given = {
        "trade": trade, "sector": sector, "filiere": filiere, "region": region,
        "language": language, "availability": availability,
    }  # fmt: skip
    filters = {facet: list(dict.fromkeys(values)) for facet, values in given.items() if values}
    return Wish(text=q.strip(), filters=filters, page=page, limit=limit, is_exact=exact)


WISH = {"wish": Provide(wished)}


@get(
    "/members", operation_id="searchMembers", summary="Search members, with counts by facet",
    tags=["members"], responses=problems.responses(401), dependencies=WISH,
)  # fmt: skip
async def search_members(request: ActorRequest, wish: NamedDependency[Wish]) -> Found:
    """A visitor searches what members made public; a member, what members may see.

    Values of one facet widen, facets narrow. The counts of a facet ignore its own choice.
    """
    engine = request.app.state.engine
    found, _ = await search.find(request.user, engine, wish, pages.language(request))
    return found


@get("/", include_in_schema=False, dependencies=WISH)
async def home(request: ActorRequest, wish: NamedDependency[Wish]) -> Response[str]:
    engine = request.app.state.engine
    found, hits = await search.find(request.user, engine, wish, pages.language(request))
    return pages.page(
        request, "web/search.html", fragment="found", found=found, wish=wish,
        address=_addresses(wish), marked=_marker(hits),
    )  # fmt: skip


def _addresses(wish: Wish) -> Callable[..., str]:
    """Addresses of the same search with something changed, for links."""

    def address(
        *, without: tuple[str, str] | None = None, page: int = 1, exact: bool | None = None,
        text: str | None = None, bare: bool = False,
    ) -> str:  # fmt: skip
        words = wish.text if text is None else text
        pairs = [("q", words)] if words else []
        if not bare:
            pairs += [
                (facet, value)
                for facet, values in wish.filters.items()
                for value in values
                if (facet, value) != without
            ]
        if wish.is_exact if exact is None else exact:
            pairs.append(("exact", "true"))
        if wish.limit != PAGE_LIMIT:
            pairs.append(("limit", str(wish.limit)))
        if page > 1:
            pairs.append(("page", str(page)))
        return f"/?{urlencode(pairs)}" if pairs else "/"

    return address


def _marker(hits: Hits) -> Callable[[str], Markup]:
    """Lights up the words of a text that the search was for."""

    def marker(text: str) -> Markup:
        parts: list[Markup] = []
        at = 0
        for start, end in highlight.ranges(text, set(hits.keys), hits.prefixes):
            parts += [escape(text[at:start]), Markup("<mark>%s</mark>") % text[start:end]]
            at = end
        return Markup("").join([*parts, escape(text[at:])])

    return marker


@get("/about", include_in_schema=False)
async def about(request: ActorRequest) -> Response[str]:
    return pages.page(request, "web/about.html", quota=settings.current().filieres_per_member)


API = [search_members]
PAGES = [home, about, health.live, health.ready]
