"""Copies of one's own data, by the API; the pages are in page_routes."""

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Stream

from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems
from directory.privacy import exports, page_routes
from directory.privacy.exports import ExportView

ZIP = "application/zip"


@get(
    "/me/exports", operation_id="listExports", tags=["accounts"],
    summary="The copies of one's own data that are there",
    responses=problems.responses(401, 403),
)  # fmt: skip
async def list_exports(request: ActorRequest) -> list[ExportView]:
    """Newest first. A copy is gone 7 days after it was ready."""
    return await exports.list_own(request.user)


@post(
    "/me/exports", operation_id="askExport", tags=["accounts"], status_code=202,
    summary="Ask for a copy of all that is held about oneself",
    responses=problems.responses(401, 403, 429),
)  # fmt: skip
async def ask_export(request: ActorRequest) -> ExportView:
    """A worker makes it; a mail says when it is ready. While one is being made, that one."""
    return await exports.ask(request.user, pages.language(request))


@get(
    "/me/exports/{export_id:int}", operation_id="getExport", tags=["accounts"],
    summary="How far a copy is", responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def get_export(request: ActorRequest, export_id: FromPath[int]) -> ExportView:
    return await exports.get(request.user, export_id)


@get(
    "/me/exports/{export_id:int}/file", operation_id="downloadExport", tags=["accounts"],
    summary="The copy, a ZIP of JSON, one page to read, and the files", media_type=ZIP,
    responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def download_export(request: ActorRequest, export_id: FromPath[int]) -> Stream:
    return await page_routes.streamed(request, export_id)


API = [list_exports, ask_export, get_export, download_export]
PAGES = page_routes.PAGES
