"""Members and the shared words, for programs."""

from litestar import get, patch
from litestar.params import FromPath, JSONBody

from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber, SearchText
from directory.members import profile_pages, profiles, vocabulary
from directory.members.drafts import MemberDraft
from directory.members.views import MemberView
from directory.members.vocabulary import PlaceEntry, SectorEntry, TradeEntry


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


API = [get_member, edit_member, list_trades, list_sectors, list_places]
PAGES = profile_pages.PAGES
