"""The home page, about, and the two health checks."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from directory import settings
from directory.accounts.authentication import ActorRequest
from directory.http import pages


@get("/about", include_in_schema=False)
async def about(request: ActorRequest) -> Response[str]:
    return pages.page(request, "web/about.html", quota=settings.current().filieres_per_member)


API: list[HTTPRouteHandler] = []
PAGES = [about]
