"""Proposing a filière, and editing what one says of itself."""

from typing import Annotated, Any

from litestar import Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect
from msgspec import UNSET

from directory import errors
from directory.accounts.actor import Permission, filiere_scope
from directory.accounts.authentication import ActorRequest
from directory.filieres import (
    definitions,
    figures,
    founding_forms,
    initiatives,
    likenesses,
    proposals,
    registry,
    sections,
)
from directory.filieres.definitions import Definition, DefinitionDraft, StaleFiliere
from directory.filieres.figures import Preview
from directory.filieres.founding_forms import DefinitionForm, ProposalForm
from directory.filieres.lifecycle import Stage
from directory.filieres.likenesses import Likeness
from directory.filieres.proposals import LooksAlike, ProposalDraft, ProposalView, TooManyOpen
from directory.filieres.registry import FiliereView, Kind, Openness
from directory.filieres.sections import Tool
from directory.http import pages, preconditions, problems
from directory.http.listing import SearchText
from directory.languages import marked

MOST_CODES = definitions.MOST_WORDS
Trades = Annotated[list[str] | None, QueryParameter(max_length=MOST_CODES, description="Codes.")]
Initiative = Annotated[
    int | None, QueryParameter(ge=1, le=2**53, description="What to begin from.")
]
Sectors = Annotated[list[str] | None, QueryParameter(max_length=MOST_CODES, description="Codes.")]
Name = Annotated[str, QueryParameter(max_length=200, description="In any of the languages.")]


@sections.tools
def _edit_tool(request: ActorRequest, filiere: FiliereView) -> list[Tool]:
    may_tend = request.user.may(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    if not may_tend or filiere.stage is Stage.CLOSED:
        return []
    return [Tool(marked("Modifier ses textes"), "/edit")]


@get("/filieres/propose", include_in_schema=False)
async def propose_page(
    request: ActorRequest,
    q: SearchText = "",
    trade: Trades = None,
    initiative: Initiative = None,
) -> Response[str]:
    """Empty, or with what an initiative says."""
    request.user.require(Permission.PROPOSE_FILIERE)
    if initiative is not None:
        given = await initiatives.prefill(request.user, initiative)
        form = ProposalForm(
            name_fr=given.title, need=given.need, intentions=given.intentions, trades=given.trades
        )
        return await _propose_page(request, form)
    return await _propose_page(request, ProposalForm(name_fr=q, trades=trade or []))


@post("/filieres/propose", include_in_schema=False, status_code=303)
async def propose(
    request: ActorRequest, data: URLEncodedBody[ProposalForm]
) -> Response[str] | Redirect:
    """A button of the form only finds words: it proposes nothing."""
    request.user.require(Permission.PROPOSE_FILIERE)
    if data.find:
        return await _propose_page(request, data)
    try:
        draft = founding_forms.proposal(data)
        slug = await proposals.propose(request.user, draft, pages.language(request))
    # Shown in the form, with what was typed.
    except (errors.Malformed, LooksAlike, TooManyOpen, errors.TooMany) as problem:
        return await _propose_page(request, data, problem)
    return Redirect(f"/filieres/{slug}?done=proposed", status_code=303)


async def _propose_page(
    request: ActorRequest, form: ProposalForm, problem: errors.Problem | None = None
) -> Response[str]:
    request.user.require_member()
    wrong = problem.fields if isinstance(problem, errors.Malformed) else ()
    is_general = problem is not None and not isinstance(problem, errors.Malformed | LooksAlike)
    return pages.page(
        request, "filieres/propose.html", status=problem.status if problem else 200,
        form=form, wrong={error.field: error for error in wrong},
        alike=problem.found if isinstance(problem, LooksAlike) else [],
        refused=problem if is_general else None,
        preview=await _preview(request, form),
        **await _choices(request, form),
    )  # fmt: skip


async def _preview(request: ActorRequest, form: ProposalForm) -> Preview | None:
    """What the words chosen so far count, when it is asked: typing does not ask.

    Nothing where they are wrong, or were asked too often.
    """
    trades, sectors = form.codes("trades"), form.codes("sectors")
    is_asked = form.find == "figures" and bool(trades or sectors)
    if not is_asked or not request.user.may(Permission.READ_MEMBERS):
        return None
    try:
        return await figures.of(
            request.user, pages.language(request), trades=trades, sectors=sectors
        )
    except (errors.Malformed, errors.TooMany):  # said where it is saved; the form stays usable
        return None


async def _choices(request: ActorRequest, form: DefinitionForm) -> dict[str, Any]:
    return {
        "pickers": await founding_forms.pickers(form, pages.language(request)),
        "territories": await founding_forms.territories(),
        "kinds": list(Kind),
        "opennesses": list(Openness),
        "longest": {
            "name": definitions.NAME_LENGTH,
            "purpose": definitions.PURPOSE_LENGTH,
            "text": proposals.TEXT_LENGTH,
        },
    }


@post("/filieres/{slug:str}/withdraw", include_in_schema=False, status_code=303)
async def withdraw_page(request: ActorRequest, slug: FromPath[str]) -> Redirect:
    await proposals.withdraw(request.user, slug)
    return Redirect(f"/filieres/{slug}?done=withdrawn", status_code=303)


@get("/filieres/{slug:str}/edit", include_in_schema=False)
async def edit_page(request: ActorRequest, slug: FromPath[str]) -> Response[str]:
    held = await definitions.get(slug)
    return await _edit_page(request, held, founding_forms.shown(held))


@post("/filieres/{slug:str}/edit", include_in_schema=False, status_code=303)
async def edit(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[DefinitionForm]
) -> Response[str] | Redirect:
    held = await definitions.get(slug)
    data.kind = held.kind.value
    if data.find:
        return await _edit_page(request, held, data)
    rights = await definitions.editable(request.user, slug)
    try:
        await definitions.edit(request.user, slug, founding_forms.change(data, held, rights))
    # Shown in the form, with what was typed.
    except errors.Malformed as problem:
        return await _edit_page(request, held, data, problem)
    except StaleFiliere as problem:
        held = await definitions.get(slug)
        data.version = str(held.version)  # saving once more replaces what is there
        return await _edit_page(request, held, data, problem)
    return Redirect(f"/filieres/{slug}?done=edited", status_code=303)


async def _edit_page(
    request: ActorRequest,
    held: Definition,
    form: DefinitionForm,
    problem: errors.Problem | None = None,
) -> Response[str]:
    ref = await registry.get(held.slug, pages.language(request))
    rights = await definitions.editable(request.user, held.slug)
    if held.stage is Stage.CLOSED:
        raise definitions.FiliereClosed
    definitions.require_any(request.user, rights, ref.id)
    wrong = problem.fields if isinstance(problem, errors.Malformed) else ()
    return pages.page(
        request, "filieres/edit.html", status=problem.status if problem else 200,
        filiere=ref, held=held, form=form, rights=rights,
        wrong={error.field: error for error in wrong},
        clash=problem if isinstance(problem, StaleFiliere) else None,
        **await _choices(request, form),
    )  # fmt: skip


@post(
    "/filieres", operation_id="proposeFiliere", summary="Propose a filière",
    tags=["filieres"], responses=problems.responses(401, 403, 409, 429),
)  # fmt: skip
async def propose_filiere(
    request: ActorRequest, data: JSONBody[ProposalDraft]
) -> Response[FiliereView]:
    """It is there at once, at the stage `proposed`; members support it, coordinators decide.

    409 `filiere-looks-alike` names filières with the same words or nearly the same name: support
    one of them, or say in `despite` that you looked at each.
    """
    slug = await proposals.propose(request.user, data, pages.language(request))
    view = await registry.view(request.user, slug, pages.language(request))
    return Response(
        view, status_code=201,
        headers={
            "Location": f"/api/v1/filieres/{slug}", "ETag": preconditions.tag(view.version),
        },
    )  # fmt: skip


@get(
    "/filieres/alike", operation_id="listAlikeFilieres",
    summary="Filières with some of these trades or sectors, or nearly this name",
    tags=["filieres"], responses=problems.responses(),
)  # fmt: skip
async def list_alike(
    request: ActorRequest, name: Name = "", trade: Trades = None, sector: Sectors = None
) -> list[Likeness]:
    """To look at before proposing one: the nearest first, ten at most, no closed ones."""
    return await likenesses.find(
        pages.language(request), names=[name] if name.strip() else [],
        trades=trade or [], sectors=sector or [],
    )  # fmt: skip


@get(
    "/filieres/{slug:str}/proposal", operation_id="getFiliereProposal",
    summary="The need and the first intentions with which a filière was proposed",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def get_proposal(request: ActorRequest, slug: FromPath[str]) -> ProposalView:
    ref = await registry.get(slug, pages.language(request))
    if (found := await proposals.find(request.user, ref.id)) is None:
        raise errors.NotFound(marked("Personne n’a proposé cette filière ici."))
    return found


@delete(
    "/filieres/{slug:str}/proposal", operation_id="withdrawFiliereProposal",
    summary="Take one’s own proposal back while nobody else supports it",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def withdraw_proposal(request: ActorRequest, slug: FromPath[str]) -> None:
    """The filière is closed. Its page stays, with what was proposed."""
    await proposals.withdraw(request.user, slug)


@get(
    "/filieres/{slug:str}/definition", operation_id="getFiliereDefinition",
    summary="What can be edited of a filière, in every language",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def get_definition(slug: FromPath[str]) -> Response[Definition]:
    found = await definitions.get(slug)
    return Response(found, headers={"ETag": preconditions.tag(found.version)})


@patch(
    "/filieres/{slug:str}", operation_id="editFiliere", summary="Change parts of a filière",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409, 412, 428),
)  # fmt: skip
async def edit_filiere(
    request: ActorRequest,
    slug: FromPath[str],
    data: JSONBody[DefinitionDraft],
    if_match: preconditions.IfMatch = None,
) -> Response[Definition]:
    """What is not named stays. Animators change the texts; coordinators also for whom it is, and
    so does the proposer while nobody else supports the proposal.

    Say which version you read: by If-Match (412 when it has changed since) or by `version` (409).
    428 without either; `If-Match: *` takes any.
    """
    if request.user.is_visitor:
        raise errors.SignInNeeded
    if data.version is UNSET and if_match is None:
        raise errors.VersionNeeded(marked("Envoyez If-Match, ou « version » dans le corps."))
    await definitions.edit(request.user, slug, data, preconditions.versions(if_match))
    found = await definitions.get(slug)
    return Response(found, headers={"ETag": preconditions.tag(found.version)})


API = [
    list_alike,
    propose_filiere,
    get_proposal,
    withdraw_proposal,
    get_definition,
    edit_filiere,
]
PAGES = [propose_page, propose, withdraw_page, edit_page, edit]
