"""Members and the shared words, for programs."""

from typing import Annotated

from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems
from directory.http.listing import LONGEST_TEXT, Listing, PageLimit, PageNumber, SearchText
from directory.members import (
    card_routes,
    care_routes,
    contact_routes,
    freshness_pages,
    misses,
    profile_pages,
    profiles,
    proposals,
    public_pages,
    vocabulary,
    vocabulary_pages,
)
from directory.members.drafts import MemberDraft
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
async def get_member(request: ActorRequest, member_id: FromPath[int]) -> MemberView:
    """404 for who never was, who left, and who is hidden from you: one answer for the three."""
    return await profiles.get(request.user, member_id, pages.language(request))


@patch(
    "/members/{member_id:int}", operation_id="editMember", summary="Change parts of your profile",
    tags=["members"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def edit_member(
    request: ActorRequest, member_id: FromPath[int], data: JSONBody[MemberDraft]
) -> MemberView:
    """What is not named stays. 409 when the profile has changed since the version you read."""
    await profiles.require_own(request.user, member_id)
    await profiles.edit(request.user, data)
    return await profiles.get(request.user, member_id, pages.language(request))


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


API = [
    get_member, edit_member, list_trades, list_sectors, list_places, list_misses, forget_miss,
    propose_trade, list_proposals, withdraw_proposal, *card_routes.API,
    *contact_routes.API, *care_routes.API,
]  # fmt: skip
PAGES = [
    *profile_pages.PAGES, *vocabulary_pages.PAGES, *card_routes.PAGES, *contact_routes.PAGES,
    *freshness_pages.PAGES, *public_pages.PAGES, *care_routes.PAGES,
]  # fmt: skip
