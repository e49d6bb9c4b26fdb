"""The photo of a member: shown, changed and removed, by people and by programs."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.datastructures import UploadFile
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath, MultipartBody, QueryParameter, RawBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.authentication import ActorRequest
from directory.http import images, pages, preconditions, problems
from directory.languages import marked
from directory.members import photos, pictures, profile_pages, profiles
from directory.members.audiences import Audience, Field
from directory.members.forms import FieldForm
from directory.members.photos import PhotoDraft
from directory.members.pictures import Focus
from directory.members.views import MemberView

MOST_BODY = 2 * pictures.HEAVIEST
"""Somewhat more than is taken, so that who sends too much is told how much is."""

TYPES = ("image/jpeg", "image/png", "image/webp")
PhotoFocus = Annotated[
    Focus,
    QueryParameter(description="What the square keeps: its centre; start, the top or the left."),
]


@dataclass
class TakesPicture(Operation):
    """Says in the schema that the body of a request is a picture."""

    def __post_init__(self) -> None:
        binary = OpenAPIMediaType(Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))
        self.request_body = RequestBody(dict.fromkeys(TYPES, binary), required=True)


class PhotoForm(msgspec.Struct, kw_only=True):
    """As it is posted; without a file only the audience is chosen."""

    version: int
    audience: Audience
    seen: str = ""
    focus: Focus = "centre"
    photo: UploadFile | None = None


def require_picture(request: ActorRequest) -> None:
    """Let what is said to be a picture pass; whether it is one, its bytes say.

    :raises errors.Unsupported: for any other media type.
    """
    if request.content_type[0] not in TYPES:
        raise errors.Unsupported(
            marked("Envoyez l’image elle-même, comme %(types)s."), types=", ".join(TYPES)
        )


@get("/members/{member_id:int}/photo/{file:str}", include_in_schema=False)
async def show_photo(
    request: ActorRequest, member_id: FromPath[int], file: FromPath[str]
) -> Response[bytes]:
    name, side = images.parts(file)
    content = await photos.read(request.user, member_id, name, side)
    return images.answer(request, file, content)


@post(
    "/members/{member_id:int}/photo", include_in_schema=False, status_code=303,
    request_max_body_size=MOST_BODY,
)  # fmt: skip
async def save_photo(
    request: ActorRequest, member_id: FromPath[int], data: MultipartBody[PhotoForm]
) -> Response[Any]:
    await profiles.require_own(request.user, member_id)
    content = await data.photo.read() if data.photo else None

    async def save(version: int) -> None:
        if content is None:
            await profiles.set_audience(request.user, version, Field.PHOTO, data.audience)
        else:
            draft = PhotoDraft(
                content=content, focus=data.focus, audience=data.audience, version=version
            )
            await photos.replace(request.user, draft)

    form = FieldForm(version=data.version, audience=data.audience, seen=data.seen, state=data.focus)
    return await profile_pages.save_part(request, member_id, Field.PHOTO, form, save)


@get("/members/{member_id:int}/photo/remove", include_in_schema=False)
async def ask_removal(request: ActorRequest, member_id: FromPath[int]) -> Response[str]:
    await profiles.require_own(request.user, member_id)
    view = await profiles.get(request.user, member_id, pages.language(request))
    return pages.page(request, "members/remove_photo.html", view=view)


@post("/members/{member_id:int}/photo/remove", include_in_schema=False, status_code=303)
async def remove_photo(request: ActorRequest, member_id: FromPath[int]) -> Redirect:
    await profiles.require_own(request.user, member_id)
    await photos.remove(request.user)
    return Redirect(f"/members/{member_id}?saved=photo#photo", status_code=303)


@put(
    "/members/{member_id:int}/photo", operation_id="putPhoto", summary="Show another photo of you",
    tags=["members"], responses=problems.responses(401, 403, 404, 412, 413, 415, 429),
    request_max_body_size=MOST_BODY, operation_class=TakesPicture,
)  # fmt: skip
async def put_photo(
    request: ActorRequest,
    member_id: FromPath[int],
    body: RawBody,
    focus: PhotoFocus = "centre",
    if_match: preconditions.IfMatch = None,
) -> MemberView:
    """The body is the picture itself: JPEG, PNG or WebP, 8 MB and 50 million pixels at most.

    It is turned upright, cut to a square and written anew, in two sizes, without its metadata.
    With If-Match 412 when the profile has changed since; without, the photo is replaced anyway.
    """
    await profiles.require_own(request.user, member_id)
    require_picture(request)
    draft = PhotoDraft(content=body, focus=focus)
    await photos.replace(request.user, draft, preconditions.versions(if_match))
    return await profiles.get(request.user, member_id, pages.language(request))


@delete(
    "/members/{member_id:int}/photo", operation_id="deletePhoto", summary="Remove your photo",
    tags=["members"], responses=problems.responses(401, 403, 404, 412),
)  # fmt: skip
async def delete_photo(
    request: ActorRequest, member_id: FromPath[int], if_match: preconditions.IfMatch = None
) -> None:
    """Where there is none, it is removed already."""
    await profiles.require_own(request.user, member_id)
    await photos.remove(request.user, preconditions.versions(if_match))


API = [put_photo, delete_photo]
PAGES = [show_photo, save_photo, ask_removal, remove_photo]
