"""The home page, about, and the two health checks."""

from litestar import Response, get

from directory.http import pages


@get("/about", include_in_schema=False)
async def about(request: pages.AnyRequest) -> Response[str]:
    return pages.page(request, "web/about.html")


API: list[object] = []
PAGES = [about]
