"""The home page, which is the search; about; the health checks."""

from typing import Annotated, cast

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from markupsafe import Markup, escape

from directory import errors, settings
from directory.accounts.authentication import ActorRequest
from directory.filieres import method
from directory.http import clients, pages, problems
from directory.members import views
from directory.web import addresses, exits, export_routes, health, places, search, wishes
from directory.web.facets import Facet, FacetValue
from directory.web.hits import MemberHit
from directory.web.search import Found
from directory.web.wishes import WISH, WISH_OF_PAGE, Around, Whereabouts, Wish


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


_UNFINISHED, _GONE_BACK_TO = "x-unfinished", "hx-history-restore-request"


async def _find(request: ActorRequest, wish: Wish) -> Found:
    engine, language = request.app.state.engine, pages.language(request)
    found = await search.find(request.user, engine, wish, language)
    if request.headers.keys().isdisjoint({_UNFINISHED, _GONE_BACK_TO}):
        network = clients.network(request)
        await search.remember(request.user, engine, wish, found, language, network)
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
    return await search.find_values(
        request.user, request.app.state.engine, wish, _facet(facet), like, pages.language(request)
    )


def _facet(name: str) -> Facet:
    if name not in wishes.FACETS:
        raise errors.NotFound
    return cast(Facet, name)


@get("/facets/{facet:str}", include_in_schema=False, dependencies=WISH_OF_PAGE)
async def facet_values(
    request: ActorRequest, facet: FromPath[str], wish: NamedDependency[Wish], like: Like = ""
) -> Response[str]:
    """A part of the search page: what is chosen of a facet, and what matches what is typed."""
    like = like.strip()
    matching = await _values(request, facet, wish, like) if like else []
    chosen: list[FacetValue] = []
    if not like or wish.chosen.get(facet):
        alone = msgspec.structs.replace(wish, facets=(_facet(facet),), page=1, limit=1)
        engine, language = request.app.state.engine, pages.language(request)
        found = await search.find(request.user, engine, alone, language)
        chosen = [value for value in found.facets[facet] if value.is_chosen or not like]
    others = [value for value in matching if not value.is_chosen]
    return pages.page(
        request, "web/values.html", facet=facet, values=chosen + others, like=like,
        matches=len(matching),
    )  # fmt: skip


@get("/places", include_in_schema=False)
async def place_options(request: ActorRequest, near: Around = "") -> Response[str]:
    """A part of the search page: the places that are meant by what is typed."""
    suggested = await places.suggest(near, pages.language(request))
    return pages.page(request, "web/places.html", places=suggested, typed=near.strip())


@get("/", include_in_schema=False, dependencies=WISH_OF_PAGE)
async def home(
    request: ActorRequest,
    wish: NamedDependency[Wish],
    whereabouts: NamedDependency[Whereabouts],
) -> Response[str]:
    found = await _find(request, wish)
    engine, language = request.app.state.engine, pages.language(request)
    is_nobody = found.total == 0
    # htmx restores nothing from an answer that is an error.
    is_error = whereabouts.problem and _GONE_BACK_TO not in request.headers
    address = addresses.around(wish, whereabouts)
    answer = pages.page(
        request, "web/search.html", fragment="found", status=400 if is_error else 200,
        found=found, wish=wish, whereabouts=whereabouts,
        exits=await exits.look(request.user, engine, wish, language) if is_nobody else None,
        pending=[] if "hx-request" in request.headers
        else await method.list_pending(request.user, language),
        is_kept=is_nobody and search.may_be_kept(wish) and _UNFINISHED not in request.headers,
        radii=wishes.RADII_KM, usual_limit=wishes.PAGE_LIMIT,
        is_linked=request.headers.get("hx-boosted") == "true",
        untouched=addresses.untouched(request), address=address, lit=_lit, initials=views.initials,
    )  # fmt: skip
    answer.headers["HX-Push-Url"] = address(page=wish.page)
    return answer


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


API = [search_members, search_facet, *export_routes.API]
PAGES = [home, facet_values, place_options, about, health.live, health.ready]
