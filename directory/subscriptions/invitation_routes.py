"""Inviting into a filière, and declining: pages and API. One accepts by joining."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.actor import Permission, filiere_scope
from directory.accounts.authentication import ActorRequest
from directory.filieres import sections
from directory.filieres.registry import FiliereView
from directory.filieres.sections import Tool
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber, SearchText
from directory.languages import marked
from directory.subscriptions import answers, invitations, memberships
from directory.subscriptions.invitations import InvitationDraft, OwnInvitation, SentInvitation

ROWS_A_PAGE = 50
LONGEST_NUMBER = 18
Done = Annotated[str, QueryParameter(max_length=20)]
NOTICES = {
    "invited": marked("L’invitation part par mail, si cette personne peut la recevoir."),
    "withdrawn": marked("L’invitation est retirée."),
}


class InvitationForm(msgspec.Struct):
    """What was typed, as it was typed. `q` is the search to come back to."""

    member_id: str = ""
    email: str = ""
    message: str = ""
    q: str = ""

    def draft(self) -> InvitationDraft:
        """:raises errors.Malformed: for a number that is none."""
        if not self.member_id:
            return InvitationDraft(email=self.email, message=self.message)
        if not self.member_id.isdecimal() or len(self.member_id) > LONGEST_NUMBER:
            raise errors.Malformed.field("member_id", marked("Cette valeur ne convient pas."))
        return InvitationDraft(member_id=int(self.member_id), message=self.message)


@sections.tools
def invitations_tool(request: ActorRequest, filiere: FiliereView) -> list[Tool]:
    may = request.user.may(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    if not may or filiere.stage not in memberships.JOINABLE:
        return []
    return [Tool(marked("Inviter des membres"), "/invitations")]


@get("/filieres/{slug:str}/invitations", include_in_schema=False)
async def invitations_page(
    request: ActorRequest,
    slug: FromPath[str],
    q: SearchText = "",
    page: PageNumber = 1,
    done: Done = "",
) -> Response[str]:
    return await _page(request, slug, InvitationForm(q=q), page, notice=NOTICES.get(done, ""))


@post("/filieres/{slug:str}/invitations", include_in_schema=False, status_code=303)
async def invite_page(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[InvitationForm]
) -> Response[str] | Redirect:
    try:
        await invitations.invite(request.user, slug, data.draft())
    except (errors.Malformed, invitations.LeftAlone, errors.TooMany) as problem:
        return await _page(request, slug, data, 1, problem=problem)  # beside the field
    return Redirect(f"/filieres/{slug}/invitations?done=invited", status_code=303)


@post(
    "/filieres/{slug:str}/invitations/{invitation_id:int}/withdraw", include_in_schema=False,
    status_code=303,
)  # fmt: skip
async def withdraw_page(
    request: ActorRequest, slug: FromPath[str], invitation_id: FromPath[int]
) -> Redirect:
    await invitations.withdraw(request.user, slug, invitation_id)
    return Redirect(f"/filieres/{slug}/invitations?done=withdrawn", status_code=303)


async def _page(
    request: ActorRequest,
    slug: str,
    typed: InvitationForm,
    page: int,
    *,
    notice: str = "",
    problem: errors.Problem | None = None,
) -> Response[str]:
    actor, language = request.user, pages.language(request)
    filiere = await answers.require_tended(actor, slug, language)
    return pages.page(
        request, "subscriptions/invitations.html", status=problem.status if problem else 200,
        filiere=filiere, typed=typed, notice=notice, problem=problem,
        wrong={error.field: error for error in problem.fields} if problem else {},
        people=await invitations.find_invitable(actor, slug, typed.q, language),
        most=invitations.MOST_FOUND, limit=invitations.PER_ANIMATOR.most,
        sent=await invitations.list_sent(actor, slug, page=page, limit=ROWS_A_PAGE),
    )  # fmt: skip


@post("/filieres/{slug:str}/invitation/decline", include_in_schema=False, status_code=303)
async def decline_page(request: ActorRequest, slug: FromPath[str]) -> Redirect:
    await invitations.decline(request.user, slug)
    return Redirect(f"/filieres/{slug}?done=declined", status_code=303)


@get(
    "/filieres/{slug:str}/invitations", operation_id="listInvitations",
    summary="Who was invited into a filière, for those who run it",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def list_sent(
    request: ActorRequest, slug: FromPath[str], page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[SentInvitation]:
    """The newest first. Those by address are not listed: it would tell whose an address is."""
    return await invitations.list_sent(request.user, slug, page=page, limit=limit)


@post(
    "/filieres/{slug:str}/invitations", operation_id="inviteToFiliere", status_code=202,
    summary="Invite one member into a filière",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409, 429),
)  # fmt: skip
async def invite(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[InvitationDraft]
) -> None:
    """At most 20 a day. The same answer whether or not an address is a member's."""
    await invitations.invite(request.user, slug, data)


@delete(
    "/filieres/{slug:str}/invitations/{invitation_id:int}", operation_id="withdrawInvitation",
    summary="Take an invitation back",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def withdraw(
    request: ActorRequest, slug: FromPath[str], invitation_id: FromPath[int]
) -> None:
    await invitations.withdraw(request.user, slug, invitation_id)


@get(
    "/me/invitations", operation_id="listMyInvitations",
    summary="The filières that you are invited into",
    tags=["filieres"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_own(request: ActorRequest) -> list[OwnInvitation]:
    """To accept one, join the filière."""
    return await invitations.list_own(request.user, pages.language(request))


@delete(
    "/filieres/{slug:str}/invitation", operation_id="declineInvitation",
    summary="Decline the invitation into a filière",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def decline(request: ActorRequest, slug: FromPath[str]) -> None:
    await invitations.decline(request.user, slug)


API = [list_sent, invite, withdraw, list_own, decline]
PAGES = [invitations_page, invite_page, withdraw_page, decline_page]
