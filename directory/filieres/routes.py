"""The list of filières, a filière's page, its stages."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.filieres import (
    appointment_routes,
    communication_routes,
    initiative_routes,
    lifecycle,
    link_routes,
    method_routes,
    registry,
    sections,
)
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereCard, FiliereView, Kind
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber, SearchText
from directory.languages import marked

CARDS_A_PAGE = 50
KindFilter = Annotated[Kind | None, QueryParameter(description="Only filières of this kind.")]
Done = Annotated[str, QueryParameter(max_length=20)]
# What a page says has just been done, by the word in its address.
NOTICES = {
    "joined": marked("Vous êtes dans la filière."),
    "left": marked("Vous avez quitté la filière. Ses mails s’arrêtent."),
    "saved": marked("Vos choix sont enregistrés."),
    "moved": marked("L’étape est changée."),
}


class StageForm(msgspec.Struct):
    """The stage to go to, and why."""

    to_stage: Stage
    reason: str = ""


@get("/filieres", include_in_schema=False)
async def list_page(
    request: ActorRequest, page: PageNumber = 1, kind: KindFilter = None, q: SearchText = ""
) -> Response[str]:
    found = await registry.list_filieres(
        request.user, pages.language(request), kind=kind, q=q, page=page, limit=CARDS_A_PAGE
    )
    return pages.page(
        request, "filieres/list.html",
        found=found, kinds=list(Kind), kind=kind, q=q,
        last=max(1, -(-found.total // CARDS_A_PAGE)),
    )  # fmt: skip


@get("/filieres/{slug:str}", include_in_schema=False)
async def filiere_page(
    request: ActorRequest, slug: FromPath[str], done: Done = ""
) -> Response[str]:
    return await _page(request, slug, notice=NOTICES.get(done, ""))


@post("/filieres/{slug:str}/stage", include_in_schema=False, status_code=303)
async def move(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[StageForm]
) -> Response[str] | Redirect:
    try:
        await lifecycle.advance(request.user, slug, data.to_stage, data.reason)
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _page(request, slug, status=400, typed=data, problem=problem)
    return Redirect(f"/filieres/{slug}?done=moved", status_code=303)


async def _page(
    request: ActorRequest,
    slug: str,
    *,
    status: int = 200,
    notice: str = "",
    typed: StageForm | None = None,
    problem: errors.Malformed | None = None,
) -> Response[str]:
    filiere = await registry.view(request.user, slug, pages.language(request))
    may_move = request.user.may(Permission.RUN_FILIERES)
    return pages.page(
        request, "filieres/filiere.html", status=status,
        filiere=filiere, sections=await sections.of(request, filiere), notice=notice,
        tools=sections.tools_of(request, filiere),
        ahead=lifecycle.ahead(filiere.stage),
        moves=lifecycle.MOVES[filiere.stage] if may_move else (),
        typed=typed, problem=problem,
    )  # fmt: skip


@get(
    "/filieres", operation_id="listFilieres", summary="The filières, by kind and name",
    tags=["filieres"], responses=problems.responses(),
)  # fmt: skip
async def list_filieres(
    request: ActorRequest,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    kind: KindFilter = None,
    q: SearchText = "",
) -> Listing[FiliereCard]:
    return await registry.list_filieres(
        request.user, pages.language(request), kind=kind, q=q, page=page, limit=limit
    )


@get(
    "/filieres/{slug:str}", operation_id="getFiliere",
    summary="One filière, with its timeline and who runs it",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def get_filiere(request: ActorRequest, slug: FromPath[str]) -> FiliereView:
    return await registry.view(request.user, slug, pages.language(request))


@post(
    "/filieres/{slug:str}/timeline", operation_id="moveFiliere", status_code=201,
    summary="Move a filière to another stage, with a reason that everybody reads",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def move_filiere(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[StageForm]
) -> FiliereView:
    await lifecycle.advance(request.user, slug, data.to_stage, data.reason)
    return await registry.view(request.user, slug, pages.language(request))


API = [
    list_filieres,
    get_filiere,
    move_filiere,
    *appointment_routes.API,
    *method_routes.API,
    *communication_routes.API,
    *initiative_routes.API,
    *link_routes.API,
]
PAGES = [
    list_page,
    filiere_page,
    move,
    *appointment_routes.PAGES,
    *method_routes.PAGES,
    *communication_routes.PAGES,
    *initiative_routes.PAGES,
    *link_routes.PAGES,
]
