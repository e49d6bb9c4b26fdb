"""The vCard of a member, as a file beside the page and in the API."""

from litestar import Response, get
from litestar.params import FromPath

from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems
from directory.members import cards, photos, profiles


@get("/members/{member_id:int}/card.vcf", include_in_schema=False)
async def download_card(request: ActorRequest, member_id: FromPath[int]) -> Response[str]:
    return await _answer(request, member_id)


@get(
    "/members/{member_id:int}/card", operation_id="getMemberCard", tags=["members"],
    summary="What you may see of a member, as a vCard",
    media_type="text/vcard", responses=problems.responses(404),
)  # fmt: skip
async def get_card(request: ActorRequest, member_id: FromPath[int]) -> Response[str]:
    """vCard 4.0 (RFC 6350) in UTF-8, with the photo in it where you may see it. 404 as for the
    member."""
    return await _answer(request, member_id)


async def _answer(request: ActorRequest, member_id: int) -> Response[str]:
    language = pages.language(request)
    view = await profiles.get(request.user, member_id, language)
    return Response(
        cards.card(view, language, await photos.portrait(view)),
        media_type=cards.MEDIA_TYPE,
        headers={
            "Content-Disposition": f'attachment; filename="member-{member_id}.vcf"',
            "Vary": "Cookie, Authorization, Accept-Language",
        },
    )


PAGES = [download_card]
API = [get_card]
