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
    dossier_routes,
    following_routes,
    founding_routes,
    health_routes,
    initiative_routes,
    lifecycle,
    link_routes,
    mandate_api,
    mandate_routes,
    method_routes,
    registry,
    sections,
    support_routes,
)
from directory.filieres.lifecycle import MoveRefused, Stage, StageMove
from directory.filieres.registry import FiliereCard, FiliereView, Kind, Shown
from directory.http import pages, preconditions, problems
from directory.http.listing import Listing, PageLimit, PageNumber, SearchText
from directory.languages import marked

CARDS_A_PAGE = 50
KindFilter = Annotated[Kind | None, QueryParameter(description="Only filières of this kind.")]
StageFilter = Annotated[
    list[Stage] | None, QueryParameter(max_length=7, description="Only filières at these stages.")
]
ShownFilter = Annotated[Shown, QueryParameter(description="Which part of the list.")]
Done = Annotated[str, QueryParameter(max_length=20)]
# What a page says has just been done, by the word in its address.
NOTICES = {
    "joined": marked("Vous êtes dans la filière."),
    "left": marked("Vous avez quitté la filière. Ses mails s’arrêtent."),
    "saved": marked("Vos choix sont enregistrés."),
    "moved": marked("L’étape est changée."),
    "proposed": marked("La filière est proposée. Faites-la connaître : donnez cette adresse."),
    "withdrawn": marked("Votre proposition est retirée. Sa page reste."),
    "edited": marked("Les changements sont enregistrés."),
    "supported": marked("Votre avis est enregistré."),
    "unsupported": marked("Votre avis est retiré."),
    "asked": marked("Votre demande est partie. La réponse arrive par mail, et ici."),
    "unasked": marked("Votre demande est retirée."),
    "declined": marked("L’invitation est déclinée."),
    "dismissed": marked("Cette filière ne vous est plus proposée."),
    "restored": marked("Cette filière vous est à nouveau proposée."),
}


class StageForm(msgspec.Struct):
    """The stage to go to, and why."""

    to_stage: Stage
    reason: str = ""


class MoveForm(StageForm):
    """confirmed: the page that says what cannot be undone was read."""

    confirmed: str = ""


@get("/filieres", include_in_schema=False)
async def list_page(
    request: ActorRequest,
    page: PageNumber = 1,
    kind: KindFilter = None,
    q: SearchText = "",
    show: ShownFilter = Shown.OPEN,
    done: Done = "",
) -> Response[str]:
    is_plain = page == 1 and kind is None and not q and show is Shown.OPEN
    language = pages.language(request)
    found = await registry.list_filieres(
        request.user, language, kind=kind, q=q, stages=show.stages, page=page, limit=CARDS_A_PAGE
    )
    return pages.page(
        request, "filieres/list.html",
        found=found, kinds=list(Kind), kind=kind, q=q, show=show,
        counts=await registry.count_shown(kind=kind, q=q),
        may_propose=request.user.is_visitor or request.user.may(Permission.PROPOSE_FILIERE),
        runs=request.user.may(Permission.RUN_FILIERES),
        last=max(1, -(-found.total // CARDS_A_PAGE)), notice=NOTICES.get(done, ""),
        parts=await sections.of_list(request) if is_plain else [],
    )  # fmt: skip


@get("/filieres/{slug:str}", include_in_schema=False)
async def filiere_page(
    request: ActorRequest, slug: FromPath[str], done: Done = ""
) -> Response[str]:
    return await _page(request, slug, notice=NOTICES.get(done, ""))


@post("/filieres/{slug:str}/stage", include_in_schema=False, status_code=303)
async def move(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[MoveForm]
) -> Response[str] | Redirect:
    """What cannot be undone is done by the second press only."""
    actor = request.user
    try:
        from_stage = await lifecycle.consider(actor, slug, data.to_stage, data.reason)
        if not data.confirmed and not lifecycle.is_reversible(from_stage, data.to_stage):
            return pages.page(
                request, "filieres/confirm_move.html", typed=data,
                filiere=await registry.view(actor, slug, pages.language(request)),
                is_closing=data.to_stage is Stage.CLOSED,
            )  # fmt: skip
        await lifecycle.advance(actor, slug, data.to_stage, data.reason)
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _page(request, slug, status=400, typed=data, problem=problem)
    except MoveRefused as problem:  # somebody else was quicker: shown above what there is now
        return await _page(request, slug, status=409, typed=data, refused=problem)
    return Redirect(f"/filieres/{slug}?done=moved", status_code=303)


async def _page(
    request: ActorRequest,
    slug: str,
    *,
    status: int = 200,
    notice: str = "",
    typed: StageForm | None = None,
    problem: errors.Malformed | None = None,
    refused: MoveRefused | None = None,
) -> Response[str]:
    filiere = await registry.view(request.user, slug, pages.language(request))
    may_move = request.user.may(Permission.RUN_FILIERES)
    return pages.page(
        request, "filieres/filiere.html", status=status,
        filiere=filiere, sections=await sections.of(request, filiere), notice=notice,
        tools=sections.tools_of(request, filiere),
        ahead=lifecycle.ahead(filiere.stage),
        moves=lifecycle.MOVES[filiere.stage] if may_move else (),
        typed=typed, problem=problem, refused=refused,
    )  # fmt: skip


@get(
    "/filieres", operation_id="listFilieres",
    summary="The filières by kind and name, the open ones first",
    tags=["filieres"], responses=problems.responses(),
)  # fmt: skip
async def list_filieres(
    request: ActorRequest,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    kind: KindFilter = None,
    q: SearchText = "",
    stage: StageFilter = None,
) -> Listing[FiliereCard]:
    return await registry.list_filieres(
        request.user, pages.language(request),
        kind=kind, q=q, stages=stage or (), page=page, limit=limit,
    )  # fmt: skip


@get(
    "/filieres/{slug:str}", operation_id="getFiliere",
    summary="One filière, with its timeline and who runs it",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def get_filiere(request: ActorRequest, slug: FromPath[str]) -> Response[FiliereView]:
    """With an ETag for If-Match: it is the version of what can be edited."""
    view = await registry.view(request.user, slug, pages.language(request))
    return Response(view, headers={"ETag": preconditions.tag(view.version)})


@get(
    "/filieres/{slug:str}/timeline", operation_id="listTimeline",
    summary="The stages of a filière with their reasons, the oldest first",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def list_timeline(
    request: ActorRequest, slug: FromPath[str], page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[StageMove]:
    """Append-only: an entry is never changed, and never taken away."""
    language = pages.language(request)
    ref = await registry.get(slug, language)
    return await lifecycle.timeline(request.user, ref.id, language, page=page, limit=limit)


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
    list_timeline,
    move_filiere,
    *appointment_routes.API,
    *dossier_routes.API,
    *founding_routes.API,
    *health_routes.API,
    *mandate_api.API,
    *support_routes.API,
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
    *dossier_routes.PAGES,
    *founding_routes.PAGES,
    *health_routes.PAGES,
    *mandate_routes.PAGES,
    *support_routes.PAGES,
    *following_routes.PAGES,
    *method_routes.PAGES,
    *communication_routes.PAGES,
    *initiative_routes.PAGES,
    *link_routes.PAGES,
]
