"""Members go out by the API: everybody whom the caller may see, or those of a search."""

from litestar import get
from litestar.di import NamedDependency, Provide
from litestar.params import FromQuery
from litestar.response import Stream

from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.http import downloads, pages, problems
from directory.http.listing import SearchText
from directory.members import exports, views
from directory.members.exports import Format
from directory.web import search, wishes
from directory.web.wishes import (
    Around,
    Availabilities,
    Exact,
    Filieres,
    Languages,
    Regions,
    Sectors,
    Trades,
    Wish,
    WithinKm,
)


async def chosen(
    q: SearchText = "",
    trade: Trades = None,
    sector: Sectors = None,
    filiere: Filieres = None,
    region: Regions = None,
    language: Languages = None,
    availability: Availabilities = None,
    near: Around = "",
    within_km: WithinKm = None,
    exact: Exact = False,
) -> Wish:
    """What narrows a search. A file has no pages, and its order is that of the numbers."""
    return await wishes.wished(
        await wishes.whereabouts(near, within_km),
        q=q, trade=trade, sector=sector, filiere=filiere, region=region, language=language,
        availability=availability, exact=exact,
    )  # fmt: skip


@get(
    "/members/export", operation_id="exportMembers", tags=["members"],
    summary="Everybody you may see, or those of a search, as CSV, JSON lines or vCards",
    operation_class=downloads.gives(exports.MEDIA_TYPES.values()),
    responses=problems.responses(401, 403, 429),
    dependencies={"wish": Provide(chosen)},
)  # fmt: skip
async def export_members(
    request: ActorRequest,
    wish: NamedDependency[Wish],
    format: FromQuery[Format] = Format.CSV,  # noqa: A002 - an error names it as it is sent
) -> Stream:
    """What you do not see of somebody is empty. An import of the CSV changes nothing.

    With the parameters of the search that narrow it. By number, whatever is searched.
    """
    language = pages.language(request)
    request.user.require(Permission.READ_MEMBERS)
    ids = await search.find_ids(request.user, request.app.state.engine, wish, language)
    await exports.prepare(request.user)
    day = views.today().isoformat()
    return Stream(
        exports.write(request.user, format, language, ids),
        media_type=exports.MEDIA_TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="members-{day}.{format}"'},
    )


API = [export_members]
