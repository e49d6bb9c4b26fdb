"""Asking to join a filière, and answering: pages and API."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.actor import Permission, filiere_scope
from directory.accounts.authentication import ActorRequest
from directory.filieres import sections
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereView, Openness
from directory.filieres.sections import Tool
from directory.http import clients, pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber
from directory.languages import marked
from directory.subscriptions import answers, forms, requests
from directory.subscriptions.answers import Answer, AnswerDraft, RequestView
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.requests import OwnRequest, RequestDraft, RequestedChoice, State

ROWS_A_PAGE = 50
Form = URLEncodedBody[dict[str, str]]
Done = Annotated[str, QueryParameter(max_length=20)]
# `state` is a name that Litestar keeps for itself.
StateFilter = Annotated[
    State | None, QueryParameter(name="state", description="Only those in this state.")
]
NOTICES = {
    "accepted": marked("La personne est dans la filière. Un mail le lui dit."),
    "approved": marked("Accord donné. La personne confirme encore son entrée, un mail le lui dit."),
    "refused": marked("La personne reçoit votre réponse par mail, avec la raison."),
}


class AnswerForm(msgspec.Struct):
    """What was typed, as it was typed."""

    answer: Answer
    reason: str = ""


@sections.tools
def requests_tool(request: ActorRequest, filiere: FiliereView) -> list[Tool]:
    may = request.user.may(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    if not may or filiere.openness is not Openness.APPROVAL or filiere.stage is Stage.CLOSED:
        return []
    return [Tool(marked("Demandes d’entrée"), "/requests")]


def _trace(request: ActorRequest, screen: Screen) -> Trace:
    language = pages.language(request)
    return Trace(screen, clients.network(request), request.user.account_id, language)


@post("/filieres/{slug:str}/request", include_in_schema=False, status_code=303)
async def ask_page(request: ActorRequest, slug: FromPath[str], data: Form) -> Redirect:
    choices = await forms.read(data, "message", "method_version")
    if any(choice.filiere != slug for choice in choices):
        raise errors.Malformed(marked("Ces choix sont d’une autre filière."))
    draft = RequestDraft(
        data.get("message", ""),
        [
            RequestedChoice(choice.topic, choice.rhythm, choice.wording_id or 0)
            for choice in choices
            if choice.rhythm is not None
        ],
        forms.version(data.get("method_version", "")),
    )
    trace = _trace(request, Screen.REQUEST)
    await requests.ask(request.user, slug, pages.language(request), draft, trace)
    return Redirect(f"/filieres/{slug}?done=asked#join", status_code=303)


@post("/filieres/{slug:str}/request/withdraw", include_in_schema=False, status_code=303)
async def withdraw_page(request: ActorRequest, slug: FromPath[str]) -> Redirect:
    await requests.withdraw(request.user, slug)
    return Redirect(f"/filieres/{slug}?done=unasked#join", status_code=303)


@get("/filieres/{slug:str}/requests", include_in_schema=False)
async def requests_page(
    request: ActorRequest, slug: FromPath[str], page: PageNumber = 1, done: Done = ""
) -> Response[str]:
    return await _page(request, slug, page, notice=NOTICES.get(done, ""))


@post(
    "/filieres/{slug:str}/requests/{request_id:int}/answer", include_in_schema=False,
    status_code=303,
)  # fmt: skip
async def answer_page(
    request: ActorRequest,
    slug: FromPath[str],
    request_id: FromPath[int],
    data: URLEncodedBody[AnswerForm],
) -> Response[str] | Redirect:
    draft = AnswerDraft(data.answer, data.reason)
    try:
        answered = await answers.answer(request.user, slug, request_id, draft)
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _page(request, slug, 1, problem=problem, at=request_id, typed=data.reason)
    done = "approved" if answered.state is State.OPEN else answered.state.value
    return Redirect(f"/filieres/{slug}/requests?done={done}", status_code=303)


async def _page(
    request: ActorRequest,
    slug: str,
    page: int,
    *,
    notice: str = "",
    problem: errors.Malformed | None = None,
    at: int = 0,
    typed: str = "",
) -> Response[str]:
    filiere = await answers.require_tended(request.user, slug, pages.language(request))
    return pages.page(
        request, "subscriptions/requests.html", status=400 if problem else 200, filiere=filiere,
        found=await answers.list_requests(request.user, slug, page=page, limit=ROWS_A_PAGE),
        notice=notice, problem=problem, at=at, typed=typed,
    )  # fmt: skip


@put(
    "/filieres/{slug:str}/request", operation_id="askToJoinFiliere",
    summary="Ask to join a filière that is on approval",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409, 429),
)  # fmt: skip
async def ask_to_join(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[RequestDraft]
) -> OwnRequest:
    """Asked again, it is the request that waits already, as it was.

    The choices are kept, and received from the day of the acceptance.
    """
    trace = _trace(request, Screen.REQUEST)
    return await requests.ask(request.user, slug, pages.language(request), data, trace)


@get(
    "/filieres/{slug:str}/request", operation_id="getMyRequest",
    summary="Your last request to join a filière, with its answer",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def get_own(request: ActorRequest, slug: FromPath[str]) -> OwnRequest:
    return await requests.get(request.user, slug, pages.language(request))


@delete(
    "/filieres/{slug:str}/request", operation_id="withdrawMyRequest",
    summary="Take your request back",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def withdraw_own(request: ActorRequest, slug: FromPath[str]) -> None:
    await requests.withdraw(request.user, slug)


@get(
    "/me/requests", operation_id="listMyRequests",
    summary="Your requests to join that wait for an answer",
    tags=["filieres"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_own(request: ActorRequest) -> list[OwnRequest]:
    return await requests.list_open(request.user, pages.language(request))


@get(
    "/filieres/{slug:str}/requests", operation_id="listRequests",
    summary="Who asks to join a filière, for those who run it",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def list_requests(
    request: ActorRequest,
    slug: FromPath[str],
    in_state: StateFilter = None,
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> Listing[RequestView]:
    """Those that wait come first, the oldest at the top."""
    return await answers.list_requests(request.user, slug, state=in_state, page=page, limit=limit)


@post(
    "/filieres/{slug:str}/requests/{request_id:int}/answer", operation_id="answerRequest",
    summary="Accept a request to join, or refuse it with a reason", status_code=200,
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def answer_request(
    request: ActorRequest,
    slug: FromPath[str],
    request_id: FromPath[int],
    data: JSONBody[AnswerDraft],
) -> RequestView:
    """Accepted without a place left, it stays open and approved: the person is told to free one."""
    return await answers.answer(request.user, slug, request_id, data)


API = [ask_to_join, get_own, withdraw_own, list_own, list_requests, answer_request]
PAGES = [ask_page, withdraw_page, requests_page, answer_page]
