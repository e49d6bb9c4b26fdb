"""Pages of the shared words: propose a trade; what the vocabulary lacks, for coordinators."""

import enum
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.authentication import ActorRequest
from directory.http import pages
from directory.http.listing import LONGEST_TEXT
from directory.languages import marked
from directory.members import misses, proposals
from directory.members.proposals import ProposalDraft

MISSES_A_PAGE = 50
PROPOSALS_A_PAGE = 20
LAST_PAGE = 100_000

Label = Annotated[str, QueryParameter(max_length=LONGEST_TEXT)]
MissesPage = Annotated[int, QueryParameter(name="misses", ge=1, le=LAST_PAGE)]
ProposalsPage = Annotated[int, QueryParameter(name="proposals", ge=1, le=LAST_PAGE)]


class Done(enum.Enum):
    NOTED = "noted"
    WITHDRAWN = "withdrawn"
    FORGOTTEN = "forgotten"


NOTICES = {
    Done.NOTED: marked("Votre proposition est notée. L’équipe de la coopérative la lira."),
    Done.WITHDRAWN: marked("Votre proposition est retirée."),
    Done.FORGOTTEN: marked("Cette recherche est oubliée."),
}


class ProposalForm(msgspec.Struct):
    """What was typed, as it was typed."""

    label: str = ""
    note: str = ""


class ForgetForm(msgspec.Struct):
    """page: that of the searches, to come back to."""

    text: str
    page: Annotated[int, msgspec.Meta(ge=1, le=LAST_PAGE)] = 1


@get("/trades/propose", include_in_schema=False)
async def propose_page(
    request: ActorRequest, label: Label = "", done: FromQuery[Done | None] = None
) -> Response[str]:
    return await _form_page(request, ProposalForm(label), done=done)


@post("/trades/propose", include_in_schema=False, status_code=303)
async def propose(
    request: ActorRequest, data: URLEncodedBody[ProposalForm]
) -> Response[str] | Redirect:
    draft = ProposalDraft(label=data.label, note=data.note)
    try:
        await proposals.propose(request.user, draft, pages.language(request))
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _form_page(request, data, problem)
    return Redirect("/trades/propose?done=noted", status_code=303)


@post("/trades/proposals/{proposal_id:int}/withdraw", include_in_schema=False, status_code=303)
async def withdraw(request: ActorRequest, proposal_id: FromPath[int]) -> Redirect:
    await proposals.withdraw(request.user, proposal_id)
    return Redirect("/trades/propose?done=withdrawn", status_code=303)


async def _form_page(
    request: ActorRequest,
    typed: ProposalForm,
    problem: errors.Malformed | None = None,
    done: Done | None = None,
) -> Response[str]:
    own = await proposals.list_own(request.user)
    is_full = len(own) >= proposals.MOST_OPEN
    return pages.page(
        request, "members/propose.html", fragment="found", status=400 if problem else 200,
        typed=typed, own=own, notice=NOTICES[done] if done else "",
        nearest=await proposals.nearest(typed.label, pages.language(request)),
        wrong={error.field: error for error in problem.fields} if problem else {},
        full=proposals.ProposalsFull(one.label for one in own) if is_full else None,
        label_length=proposals.LABEL_LENGTH, note_length=proposals.NOTE_LENGTH,
    )  # fmt: skip


@get("/vocabulary", include_in_schema=False)
async def vocabulary_page(
    request: ActorRequest,
    misses_page: MissesPage = 1,
    proposals_page: ProposalsPage = 1,
    done: FromQuery[Done | None] = None,
) -> Response[str]:
    return pages.page(
        request, "members/vocabulary.html",
        misses=await misses.list_misses(request.user, misses_page, MISSES_A_PAGE),
        proposals=await proposals.list_proposals(request.user, proposals_page, PROPOSALS_A_PAGE),
        notice=NOTICES[done] if done else "",
        misses_a_page=MISSES_A_PAGE, proposals_a_page=PROPOSALS_A_PAGE,
    )  # fmt: skip


@post("/vocabulary/misses/forget", include_in_schema=False, status_code=303)
async def forget_miss(request: ActorRequest, data: URLEncodedBody[ForgetForm]) -> Redirect:
    await misses.forget(request.user, data.text)
    return Redirect(f"/vocabulary?done=forgotten&misses={data.page}", status_code=303)


PAGES = [propose_page, propose, withdraw, vocabulary_page, forget_miss]
