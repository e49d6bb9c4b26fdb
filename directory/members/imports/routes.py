"""The API of imports: send a file, read its plan, commit it."""

import tempfile
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.datastructures import UploadFile
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from directory import languages
from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber
from directory.languages import marked
from directory.members.imports import listing, record
from directory.members.imports.listing import PlanRow
from directory.members.imports.plan import Options
from directory.members.imports.reading import LARGEST_BYTES, Refused
from directory.members.imports.record import Action, Import

ROOM = 64 * 1024  # for the other parts of a form
FileName = Annotated[str, QueryParameter(max_length=record.LONGEST_NAME, description="To show.")]


class CommitDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """hash: of the plan that was read. invite: write to the new members who have an address."""

    hash: str
    invite: bool = False


class FileOperation(Operation):
    """The body is the file itself, or a form with it as `file`."""

    def __post_init__(self) -> None:
        binary = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        form = Schema(type=OpenAPIType.OBJECT, properties={"file": binary}, required=["file"])
        self.request_body = RequestBody(
            required=True,
            content={
                "text/csv": OpenAPIMediaType(schema=binary),
                "multipart/form-data": OpenAPIMediaType(schema=form),
            },
        )


@post(
    "/members/imports", operation_id="importMembers", status_code=202, tags=["imports"],
    summary="Send a file of members, to be planned", operation_class=FileOperation,
    request_max_body_size=LARGEST_BYTES + ROOM, responses=problems.responses(401, 403, 413),
)  # fmt: skip
async def import_members(
    request: ActorRequest,
    complete: FromQuery[bool] = False,
    overwrite: FromQuery[bool] = False,
    omit_lookalikes: FromQuery[bool] = False,
    name: FileName = "",
) -> Import:
    """A CSV, as the body or as `file` of a form. Nothing is changed: read the plan, then commit it.

    complete: members who are not in the file leave. overwrite: also what members wrote themselves.
    omit_lookalikes: who resembles somebody there is not added.
    """
    request.user.require(Permission.IMPORT_MEMBERS)
    options = Options(is_complete=complete, overwrites=overwrite, omits_lookalikes=omit_lookalikes)
    import_id = await receive(request, options, name)
    return _told(request, await record.get(request.user, import_id))


async def receive(request: ActorRequest, options: Options, name: str = "") -> int:
    """Keep the file that a request brings, through a file on this disk and not through memory."""
    if request.content_type[0] == "multipart/form-data":
        upload = (await request.form()).get("file")
        if not isinstance(upload, UploadFile):
            raise Refused(marked("Choisissez un fichier."))
        return await record.receive(request.user, upload.file, name or upload.filename, options)
    with tempfile.TemporaryFile() as file:
        async for piece in request.stream():
            file.write(piece)
        return await record.receive(request.user, file, name, options)


@get(
    "/members/imports", operation_id="listImports", tags=["imports"],
    summary="Imports, the newest first", responses=problems.responses(401, 403),
)  # fmt: skip
async def list_imports(
    request: ActorRequest, page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[Import]:
    found = await record.list_imports(request.user, page, limit)
    items = [_told(request, one) for one in found.items]
    return Listing(items=items, total=found.total, page=found.page, limit=found.limit)


@get(
    "/members/imports/{import_id:int}", operation_id="getImport", tags=["imports"],
    summary="How far an import is, and the counts and hash of its plan",
    responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def get_import(request: ActorRequest, import_id: FromPath[int]) -> Import:
    return _told(request, await record.get(request.user, import_id))


@get(
    "/members/imports/{import_id:int}/rows", operation_id="listImportRows", tags=["imports"],
    summary="The plan, row by row", responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def list_rows(
    request: ActorRequest,
    import_id: FromPath[int],
    action: FromQuery[Action | None] = None,
    alike: FromQuery[bool] = False,
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> Listing[PlanRow]:
    """alike: only rows of new people who resemble somebody."""
    return await listing.list_rows(
        request.user, import_id, pages.language(request), page, limit,
        action=action, is_alike=alike,
    )  # fmt: skip


@post(
    "/members/imports/{import_id:int}/commit", operation_id="commitImport", status_code=202,
    tags=["imports"], summary="Apply the plan of this hash, and no other",
    responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def commit_import(
    request: ActorRequest, import_id: FromPath[int], data: JSONBody[CommitDraft]
) -> Import:
    """409 when it is another plan's hash, or the members have changed since: the plan is then made
    anew. A worker applies it; it is done when `state` says so."""
    await record.ask_commit(request.user, import_id, data.hash, invites=data.invite)
    return _told(request, await record.get(request.user, import_id))


@post(
    "/members/imports/{import_id:int}/discard", operation_id="discardImport", status_code=200,
    tags=["imports"], summary="Drop a plan and what was read for it",
    responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def discard_import(request: ActorRequest, import_id: FromPath[int]) -> Import:
    await record.discard(request.user, import_id)
    return _told(request, await record.get(request.user, import_id))


def _told(request: ActorRequest, found: Import) -> Import:
    """Its messages in the reader's language."""
    language = pages.language(request)
    progress = msgspec.structs.replace(
        found.progress, step=languages.translate(language, found.progress.step)
    )
    refusal = found.refusal and record.Refusal(
        languages.translate(language, found.refusal.message, **found.refusal.params)
    )
    return msgspec.structs.replace(found, progress=progress, refusal=refusal)


API: list[Any] = [
    import_members, list_imports, get_import, list_rows, commit_import, discard_import,
]  # fmt: skip
