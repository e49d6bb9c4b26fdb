"""A member's own ledger of consents: read page by page, and taken along."""

from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter
from litestar.response import Stream

from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.http import downloads, pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber
from directory.subscriptions import history, ledger
from directory.subscriptions.history import Format
from directory.subscriptions.ledger import LedgerRow

ROWS_A_PAGE = 50
FormatName = Annotated[Format, QueryParameter(name="format", description="csv or json.")]


@get("/preferences/history", include_in_schema=False)
async def history_page(request: ActorRequest, page: PageNumber = 1) -> Response[str]:
    request.user.require(Permission.JOIN_FILIERE)
    found = await ledger.list_history(
        request.user.require_member(), pages.language(request), page=page, limit=ROWS_A_PAGE
    )
    return pages.page(
        request, "subscriptions/history.html",
        history=found, last=max(1, -(-found.total // ROWS_A_PAGE)), acts=history.ACTS,
    )  # fmt: skip


@get("/preferences/history/export", include_in_schema=False)
async def export_page(request: ActorRequest, format_: FormatName = Format.CSV) -> Stream:
    return await _file(request, format_)


@get(
    "/me/consents/history", operation_id="listMyConsentHistory",
    summary="Every act of one's consents, the newest first",
    tags=["consents"], responses=problems.responses(401, 403),
)  # fmt: skip
async def my_history(
    request: ActorRequest, page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[LedgerRow]:
    request.user.require(Permission.JOIN_FILIERE)
    return await ledger.list_history(
        request.user.require_member(), pages.language(request), page=page, limit=limit
    )


@get(
    "/me/consents/history/export", operation_id="exportMyConsentHistory",
    summary="Every act of one's consents as a file, the oldest first",
    tags=["consents"],
    operation_class=downloads.gives(history.MEDIA_TYPES.values()),
    responses=problems.responses(401, 403),
)  # fmt: skip
async def export_history(request: ActorRequest, format_: FormatName = Format.CSV) -> Stream:
    """With the exact words agreed to, their version and hash, as CSV or JSON."""
    return await _file(request, format_)


async def _file(request: ActorRequest, form: Format) -> Stream:
    return Stream(
        await history.export(request.user, form, pages.language(request)),
        media_type=history.MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="consents.{form}"'},
    )


API = [my_history, export_history]
PAGES = [history_page, export_page]
