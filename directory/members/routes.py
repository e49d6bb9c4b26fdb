"""Members and the shared words, for programs."""

from typing import Annotated

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET

from directory import errors
from directory.accounts.authentication import ActorRequest
from directory.http import pages, preconditions, problems
from directory.http.listing import LONGEST_TEXT, Listing, PageLimit, PageNumber, SearchText
from directory.languages import marked
from directory.members import (
    card_routes,
    care_routes,
    contact_routes,
    freshness_pages,
    misses,
    photo_pages,
    portfolio_pages,
    profile_pages,
    profiles,
    proposals,
    public_pages,
    vocabulary,
    vocabulary_pages,
)
from directory.members.drafts import MemberDraft
from directory.members.imports import pages as import_pages
from directory.members.imports import routes as import_routes
from directory.members.misses import MissView
from directory.members.proposals import ProposalDraft, ProposalView
from directory.members.views import MemberView
from directory.members.vocabulary import PlaceEntry, SectorEntry, TradeEntry

MissedText = Annotated[
    str, QueryParameter(min_length=1, max_length=LONGEST_TEXT, description="The text, as listed.")
]


@get(
    "/members/{member_id:int}", operation_id="getMember", summary="What you may see of a member",
    tags=["members"], responses=problems.responses(404),
)  # fmt: skip
async def get_member(request: ActorRequest, member_id: FromPath[int]) -> Response[MemberView]:
    """404 for who never was, who left, and who is hidden from you: one answer for the three.

    Your own profile comes with an ETag for If-Match. It is the version of what you can edit.
    """
    view = await profiles.get(request.user, member_id, pages.language(request))
    return _versioned(view)


@patch(
    "/members/{member_id:int}", operation_id="editMember", summary="Change parts of your profile",
    tags=["members"], responses=problems.responses(401, 403, 404, 409, 412, 428),
)  # fmt: skip
async def edit_member(
    request: ActorRequest,
    member_id: FromPath[int],
    data: JSONBody[MemberDraft],
    if_match: preconditions.IfMatch = None,
) -> Response[MemberView]:
    """What is not named stays. Say which version you read: by If-Match (412 when the profile has
    changed since) or by `version` (409). 428 without either; `If-Match: *` takes any.

    Texts are kept as they are sent, put in Unicode's NFC and without spaces around them.
    """
    await profiles.require_own(request.user, member_id)
    if data.version is UNSET and if_match is None:
        raise errors.VersionNeeded(marked("Envoyez If-Match, ou « version » dans le corps."))
    await profiles.edit(request.user, data, preconditions.versions(if_match))
    view = await profiles.get(request.user, member_id, pages.language(request))
    return _versioned(view)


@get(
    "/trades", operation_id="listTrades", summary="Trades that match what is typed",
    tags=["vocabulary"], responses=problems.responses(),
)  # fmt: skip
async def list_trades(
    request: pages.AnyRequest, q: SearchText = "", page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[TradeEntry]:
    """By the beginnings of words, in French, Dutch and English; the nearest first."""
    return await vocabulary.find_trades(q, pages.language(request), page, limit)


@get(
    "/sectors", operation_id="listSectors", summary="Sectors that match what is typed",
    tags=["vocabulary"], responses=problems.responses(),
)  # fmt: skip
async def list_sectors(
    request: pages.AnyRequest, q: SearchText = "", page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[SectorEntry]:
    """By the beginnings of words, in three languages, or by code; the nearest first."""
    return await vocabulary.find_sectors(q, pages.language(request), page, limit)


@get(
    "/places", operation_id="listPlaces", summary="Places that match what is typed",
    tags=["vocabulary"], responses=problems.responses(),
)  # fmt: skip
async def list_places(
    request: pages.AnyRequest, q: SearchText = "", page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[PlaceEntry]:
    """By the beginnings of words, in French and Dutch, or by postal code; the nearest first."""
    return await vocabulary.find_places(q, pages.language(request), page, limit)


@get(
    "/vocabulary/misses", operation_id="listMisses", summary="Searches that found nobody",
    tags=["vocabulary"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_misses(
    request: ActorRequest, page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[MissView]:
    """For coordinators; the most frequent first, then the newest.

    Nobody's: without author, address or hour, and without what may reach a person.
    """
    return await misses.list_misses(request.user, page, limit)


@delete(
    "/vocabulary/misses", operation_id="forgetMiss", tags=["vocabulary"],
    summary="Forget a search that the vocabulary has learned",
    responses=problems.responses(401, 403),
)  # fmt: skip
async def forget_miss(request: ActorRequest, text: MissedText) -> None:
    """For coordinators. What is not there is forgotten already."""
    await misses.forget(request.user, text)


@post(
    "/vocabulary/proposals", operation_id="proposeTrade", status_code=201, tags=["vocabulary"],
    summary="Propose a trade that the vocabulary lacks",
    responses=problems.responses(401, 403, 409),
)  # fmt: skip
async def propose_trade(request: ActorRequest, data: JSONBody[ProposalDraft]) -> ProposalView:
    """For members, five at a time. The same label again gives the proposal that is there."""
    return await proposals.propose(request.user, data, pages.language(request))


@get(
    "/vocabulary/proposals", operation_id="listProposals", summary="Trades that members propose",
    tags=["vocabulary"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_proposals(
    request: ActorRequest, page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[ProposalView]:
    """For coordinators; who waits longest comes first."""
    return await proposals.list_proposals(request.user, page, limit)


@delete(
    "/vocabulary/proposals/{proposal_id:int}", operation_id="withdrawProposal",
    summary="Withdraw your own proposal",
    tags=["vocabulary"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def withdraw_proposal(request: ActorRequest, proposal_id: FromPath[int]) -> None:
    await proposals.withdraw(request.user, proposal_id)


def _versioned(view: MemberView) -> Response[MemberView]:
    """Others get no ETag: it would tell them of changes that they may not see."""
    tag = {"ETag": preconditions.tag(view.version)} if view.version is not None else {}
    return Response(view, headers=tag)


API = [
    get_member, edit_member, list_trades, list_sectors, list_places, list_misses, forget_miss,
    propose_trade, list_proposals, withdraw_proposal, *card_routes.API, *contact_routes.API,
    *care_routes.API, *import_routes.API, *photo_pages.API, *portfolio_pages.API,
]  # fmt: skip
PAGES = [
    *profile_pages.PAGES, *photo_pages.PAGES, *portfolio_pages.PAGES, *vocabulary_pages.PAGES,
    *card_routes.PAGES, *contact_routes.PAGES, *freshness_pages.PAGES, *import_pages.PAGES,
    *public_pages.PAGES, *care_routes.PAGES,
]  # fmt: skip
