"""The interactive page of the API, which takes nothing from other sites."""

from typing import Any

from litestar import Request
from litestar.openapi.plugins import RapidocRenderPlugin


class Rapidoc(RapidocRenderPlugin):
    """RapiDoc fetches its fonts from elsewhere unless it is told not to."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        page = super().render(request, openapi_schema)
        return page.replace(b"<rapi-doc ", b'<rapi-doc load-fonts="false" render-style="view" ')
