"""Writing to a filière, over the API."""

from typing import Annotated

from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber
from directory.mailings import (
    audience,
    digests,  # noqa: F401 - emitting needs to know who listens
    dispatch,
    drafts,
    proof_routes,
    record,
    sending,  # noqa: F401 - emitting needs to know who listens
)
from directory.mailings.audience import Audience
from directory.mailings.drafts import MailingDraft
from directory.mailings.page_routes import PAGES as WRITING_PAGES
from directory.mailings.record import MailingCard, MailingView, State

StateFilter = Annotated[
    State | None, QueryParameter(name="state", description="Only mailings in this state.")
]


@get(
    "/mailings", operation_id="listMailings",
    summary="The mailings of an animator and of their filières, newest first",
    tags=["mailings"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_mailings(
    request: ActorRequest, wanted: StateFilter = None, page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[MailingCard]:
    return await record.list_mailings(
        request.user, pages.language(request), state=wanted, page=page, limit=limit
    )


@post(
    "/mailings", operation_id="createMailing", summary="Keep a draft",
    tags=["mailings"], responses=problems.responses(401, 403),
)  # fmt: skip
async def create_mailing(request: ActorRequest, data: JSONBody[MailingDraft]) -> MailingView:
    """For filières that the account runs, each of them. Nothing is sent."""
    mailing_id = await drafts.create(request.user, data)
    return await record.get_mailing(request.user, mailing_id, pages.language(request))


@get(
    "/mailings/{mailing_id:int}", operation_id="getMailing",
    summary="A mailing, with what became of its mails in numbers",
    tags=["mailings"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def get_mailing(request: ActorRequest, mailing_id: FromPath[int]) -> MailingView:
    return await record.get_mailing(request.user, mailing_id, pages.language(request))


@put(
    "/mailings/{mailing_id:int}", operation_id="editMailing", summary="Change a draft",
    tags=["mailings"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def edit_mailing(
    request: ActorRequest, mailing_id: FromPath[int], data: JSONBody[MailingDraft]
) -> MailingView:
    await drafts.edit(request.user, mailing_id, data)
    return await record.get_mailing(request.user, mailing_id, pages.language(request))


@delete(
    "/mailings/{mailing_id:int}", operation_id="deleteMailing", summary="Throw a draft away",
    tags=["mailings"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def delete_mailing(request: ActorRequest, mailing_id: FromPath[int]) -> None:
    await drafts.discard(request.user, mailing_id)


@get(
    "/mailings/{mailing_id:int}/audience", operation_id="getMailingAudience",
    summary="How many would get a draft now, and why others would not",
    tags=["mailings"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def get_audience(request: ActorRequest, mailing_id: FromPath[int]) -> Audience:
    return await audience.count_audience(request.user, mailing_id)


@post(
    "/mailings/{mailing_id:int}/send", operation_id="sendMailing",
    summary="Send a draft to its audience, once", status_code=200,
    tags=["mailings"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def send_mailing(request: ActorRequest, mailing_id: FromPath[int]) -> MailingView:
    """Asking again changes nothing: it answers how far the sending is."""
    await dispatch.send(request.user, mailing_id)
    return await record.get_mailing(request.user, mailing_id, pages.language(request))


@post(
    "/mailings/{mailing_id:int}/cancel", operation_id="cancelMailing",
    summary="Take a mailing back while nothing of it has left", status_code=200,
    tags=["mailings"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def cancel_mailing(request: ActorRequest, mailing_id: FromPath[int]) -> MailingView:
    await dispatch.cancel(request.user, mailing_id)
    return await record.get_mailing(request.user, mailing_id, pages.language(request))


API = [
    list_mailings, create_mailing, get_mailing, edit_mailing, delete_mailing, get_audience,
    send_mailing, cancel_mailing, *proof_routes.API,
]  # fmt: skip
PAGES = [*WRITING_PAGES, *proof_routes.PAGES]
