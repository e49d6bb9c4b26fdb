"""The home page, which is the search; about; the health checks."""

from collections.abc import Callable
from typing import Annotated, cast
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from markupsafe import Markup, escape

from directory import errors, settings
from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems
from directory.web import health, search, wishes
from directory.web.facets import Facet, FacetValue
from directory.web.hits import MemberHit
from directory.web.search import Found
from directory.web.wishes import WISH, Wish


@get(
    "/members", operation_id="searchMembers", summary="Search members, with counts by facet",
    tags=["members"], responses=problems.responses(401), dependencies=WISH,
)  # fmt: skip
async def search_members(request: ActorRequest, wish: NamedDependency[Wish]) -> Found:
    """A visitor searches what members made public; a member, what members may see.

    Values of one facet widen, facets narrow. The counts of a facet ignore its own choice.
    A search that finds nobody is kept, without its author, for the vocabulary to learn: send the
    header `X-Unfinished: true` while a person is still typing.
    """
    return await _find(request, wish)


async def _find(request: ActorRequest, wish: Wish) -> Found:
    engine, language = request.app.state.engine, pages.language(request)
    found = await search.find(request.user, engine, wish, language)
    if "x-unfinished" not in request.headers:
        await search.remember(request.user, engine, wish, found, language)
    return found


Like = Annotated[str, QueryParameter(max_length=120, description="What is typed of its name.")]


@get(
    "/members/facets/{facet:str}", operation_id="searchFacet", tags=["members"],
    summary="Values of a facet by what is typed of their names, with counts",
    responses=problems.responses(401, 404), dependencies=WISH,
)  # fmt: skip
async def search_facet(
    request: ActorRequest, facet: FromPath[str], wish: NamedDependency[Wish], like: Like = ""
) -> list[FacetValue]:
    """At most 20, the most frequent first, under the choices of the other facets.

    With the parameters of the search itself; those of its pages say nothing here.
    """
    return await _values(request, facet, wish, like)


async def _values(request: ActorRequest, facet: str, wish: Wish, like: str) -> list[FacetValue]:
    if facet not in wishes.FACETS:
        raise errors.NotFound
    return await search.find_values(
        request.user, request.app.state.engine, wish, cast(Facet, facet), like,
        pages.language(request),
    )  # fmt: skip


@get("/facets/{facet:str}", include_in_schema=False, dependencies=WISH)
async def facet_values(
    request: ActorRequest, facet: FromPath[str], wish: NamedDependency[Wish], like: Like = ""
) -> Response[str]:
    """A part of the search page: the boxes of a facet that match what is typed above them."""
    values = await _values(request, facet, wish, like)
    return pages.page(request, "web/values.html", facet=facet, values=values, like=like)


@get("/", include_in_schema=False, dependencies=WISH)
async def home(request: ActorRequest, wish: NamedDependency[Wish]) -> Response[str]:
    found = await _find(request, wish)
    return pages.page(
        request, "web/search.html", fragment="found", found=found, wish=wish,
        address=_addresses(wish), lit=_lit,
    )  # fmt: skip


def _addresses(wish: Wish) -> Callable[..., str]:
    """Addresses of the same search with something changed, for links."""

    def address(
        *, without: tuple[str, str] | None = None, page: int = 1, exact: bool | None = None,
        text: str | None = None, bare: bool = False, sort: str | None = None,
        within_km: int | None = None,
    ) -> str:  # fmt: skip
        """Without one value of a facet, or without ("near", ""); bare is without any filter."""
        words = wish.text if text is None else text
        pairs = [("q", words)] if words else []
        if not bare:
            pairs += [
                (facet, value)
                for facet, values in wish.filters.items()
                for value in values
                if (facet, value) != without
            ]
        has_place = wish.place is not None and not bare and without != ("near", "")
        if has_place and wish.place:
            pairs.append(("near", wish.place.asked))
            pairs.append(("within_km", f"{within_km or wish.place.around.within_km:g}"))
        order = wish.sort if sort is None else sort
        if order != "relevance" and (has_place or order != "distance"):
            pairs.append(("sort", order))
        if wish.is_exact if exact is None else exact:
            pairs.append(("exact", "true"))
        if wish.limit != wishes.PAGE_LIMIT:
            pairs.append(("limit", str(wish.limit)))
        if page > 1:
            pairs.append(("page", str(page)))
        return f"/?{urlencode(pairs)}" if pairs else "/"

    return address


def _lit(hit: MemberHit, field: str, position: int, text: str) -> Markup:
    """A text of a hit with the words marked that the search was for."""
    parts: list[Markup] = []
    at = 0
    for each in hit.highlights:
        for start, end in each.ranges if (each.field, each.position) == (field, position) else ():
            parts += [escape(text[at:start]), Markup("<mark>%s</mark>") % text[start:end]]
            at = end
    return Markup("").join([*parts, escape(text[at:])])


@get("/about", include_in_schema=False)
async def about(request: ActorRequest) -> Response[str]:
    return pages.page(request, "web/about.html", quota=settings.current().filieres_per_member)


API = [search_members, search_facet]
PAGES = [home, facet_values, about, health.live, health.ready]
