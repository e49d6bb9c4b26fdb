"""The method sheet: read, compared, written and accepted, by people and by programs."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.actor import Permission, filiere_scope
from directory.accounts.authentication import ActorRequest
from directory.filieres import method, method_template, registry, sections
from directory.filieres.method import (
    Acceptance,
    MethodChanges,
    MethodDraft,
    MethodView,
    Version,
    Way,
)
from directory.filieres.method_texts import MethodTexts, Part
from directory.filieres.registry import FiliereView
from directory.filieres.sections import Section, Spot, Tool
from directory.http import pages, problems
from directory.languages import LANGUAGES, marked

Number = Annotated[
    int | None,
    QueryParameter(
        name="version", ge=1, le=method.LARGEST_VERSION, description="Without it, the current one."
    ),
]
Before = Annotated[
    int | None,
    QueryParameter(
        name="from", ge=1, le=method.LARGEST_VERSION,
        description="Without it, the one before the other.",
    ),
]  # fmt: skip
After = Annotated[
    int | None,
    QueryParameter(
        name="to", ge=1, le=method.LARGEST_VERSION, description="Without it, the current one."
    ),
]
Done = Annotated[str, QueryParameter(max_length=20)]
NOTICES = {
    "written": marked("La nouvelle version est publiée. Les membres la verront à leur visite."),
    "same": marked("Les textes sont les mêmes : aucune version n’est publiée."),
    "accepted": marked("Merci, c’est noté."),
}


class AcceptanceDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version that is accepted: the current one."""

    version: Annotated[int, msgspec.Meta(ge=1, le=method.LARGEST_VERSION)]


class AcceptForm(msgspec.Struct):
    version: Annotated[int, msgspec.Meta(ge=1, le=method.LARGEST_VERSION)]


@sections.add(Spot.METHOD)
async def method_section(request: ActorRequest, filiere: FiliereView) -> Section | None:
    """What the sheet wants, and what changed in it since the reader accepted it."""
    actor, language = request.user, pages.language(request)
    sheet = await method.find(actor, filiere.id, language)
    if sheet is None:
        return None
    pending = [
        one for one in await method.list_pending(actor, language) if one.filiere.id == filiere.id
    ]
    context = {"sheet": sheet, "pending": pending[0] if pending else None}
    return Section("filieres/method_section.html", context)


@sections.tools
def method_tools(request: ActorRequest, filiere: FiliereView) -> list[Tool]:
    if not request.user.may(Permission.TEND_FILIERE, filiere_scope(filiere.id)):
        return []
    return [Tool(marked("Fiche de méthode"), "/method")]


@get("/filieres/{slug:str}/method", include_in_schema=False)
async def method_page(
    request: ActorRequest, slug: FromPath[str], version: Number = None, done: Done = ""
) -> Response[str]:
    actor, language = request.user, pages.language(request)
    filiere = await registry.get(slug, language)
    sheet = await method.find(actor, filiere.id, language, version)
    if sheet is None and version is not None:
        raise errors.NotFound(marked("Cette version n’existe pas."))
    pending = [
        one for one in await method.list_pending(actor, language) if one.filiere.id == filiere.id
    ]
    tends = actor.may(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    return pages.page(
        request, "filieres/method.html",
        filiere=filiere, sheet=sheet, tends=tends, parts=list(Part),
        pending=pending[0] if pending else None, notice=NOTICES.get(done, ""),
        versions=await method.list_versions(actor, slug, language),
        accepted=await method.count_accepted(actor, slug, language) if tends and sheet else None,
    )  # fmt: skip


@get("/filieres/{slug:str}/method/changes", include_in_schema=False)
async def changes_page(
    request: ActorRequest, slug: FromPath[str], before: Before = None, after: After = None
) -> Response[str]:
    actor, language = request.user, pages.language(request)
    return pages.page(
        request, "filieres/method_changes.html",
        filiere=await registry.get(slug, language),
        changes=await method.changes(actor, slug, language, before, after),
        versions=await method.list_versions(actor, slug, language),
    )  # fmt: skip


@get("/filieres/{slug:str}/method/edit", include_in_schema=False)
async def edit_page(request: ActorRequest, slug: FromPath[str]) -> Response[str]:
    """With the current texts, or those of the template."""
    actor, language = request.user, pages.language(request)
    filiere = await method.require_tending(actor, slug, language)
    if sheet := await method.find(actor, filiere.id, language):
        return await _form(request, slug, _typed(sheet.translations, sheet.version))
    whole = await registry.view(actor, slug, language)
    return await _form(request, slug, _typed(method_template.texts(whole.kind, whole.openness), 0))


@post("/filieres/{slug:str}/method/edit", include_in_schema=False, status_code=303)
async def write_page(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Response[str] | Redirect:
    """What another person published meanwhile is told, and what was typed stays."""
    language = pages.language(request)
    await method.require_tending(request.user, slug, language)
    try:
        draft = _draft(data)
        sheet = await method.write(request.user, slug, draft, language)
    except (errors.Malformed, errors.TooMany) as problem:  # with what was typed
        return await _form(request, slug, data, problem)
    except method.MethodChanged:
        sheet = await method.get(request.user, slug, language)
        typed = data | {"version": str(sheet.version)}
        return await _form(request, slug, typed, overtaken_from=data.get("version", ""))
    done = "written" if sheet.version > draft.version else "same"
    return Redirect(f"/filieres/{slug}/method?done={done}", status_code=303)


@post("/filieres/{slug:str}/method/accept", include_in_schema=False, status_code=303)
async def accept_page(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[AcceptForm]
) -> Redirect:
    await method.acknowledge(request.user, slug, data.version, Way.PAGE)
    return Redirect(f"/filieres/{slug}/method?done=accepted", status_code=303)


async def _form(
    request: ActorRequest,
    slug: str,
    typed: Mapping[str, str],
    problem: errors.Problem | None = None,
    overtaken_from: str = "",
) -> Response[str]:
    language = pages.language(request)
    status = problem.status if problem else 409 if overtaken_from else 200
    return pages.page(
        request, "filieres/method_edit.html", status=status,
        filiere=await registry.get(slug, language), typed=typed, overtaken_from=overtaken_from,
        parts=list(Part), languages=LANGUAGES,
        wrong={error.field: error for error in problem.fields} if problem else {},
        refused=problem if problem and not problem.fields else None,
    )  # fmt: skip


def _typed(texts: Mapping[str, MethodTexts], version: int) -> dict[str, str]:
    fields = {
        f"{language}.{part}": texts[language].part(part) for language in LANGUAGES for part in Part
    }
    return {"version": str(version), "change": "", **fields}


def _draft(form: Mapping[str, str]) -> MethodDraft:
    """:raises errors.Malformed: for a version that is no number."""
    version = form.get("version", "")
    is_number = version.isascii() and version.isdecimal() and len(version) < 10
    if not is_number or int(version) > method.LARGEST_VERSION:
        raise errors.Malformed.field("version", marked("Donnez un nombre."))
    texts = {
        language: MethodTexts(
            **{part.value: form.get(f"{language}.{part}", "") for part in Part}
        )
        for language in LANGUAGES
    }  # fmt: skip
    return MethodDraft(version=int(version), change=form.get("change", ""), **texts)


@get(
    "/filieres/{slug:str}/method", operation_id="getMethod",
    summary="The method sheet of a filière, or one of its versions",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def get_method(
    request: ActorRequest, slug: FromPath[str], version: Number = None
) -> MethodView:
    return await method.get(request.user, slug, pages.language(request), version)


@put(
    "/filieres/{slug:str}/method", operation_id="writeMethod",
    summary="Publish a further version of the method sheet",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409, 429),
)  # fmt: skip
async def write_method(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[MethodDraft]
) -> MethodView:
    """For who animates the filière. The same texts make no version; an old `version` is a 409."""
    return await method.write(request.user, slug, data, pages.language(request))


@get(
    "/filieres/{slug:str}/method/versions", operation_id="listMethodVersions",
    summary="The versions of the method sheet, the newest first",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def list_versions(request: ActorRequest, slug: FromPath[str]) -> list[Version]:
    return await method.list_versions(request.user, slug, pages.language(request))


@get(
    "/filieres/{slug:str}/method/changes", operation_id="compareMethodVersions",
    summary="What changed between two versions of the method sheet",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def get_changes(
    request: ActorRequest, slug: FromPath[str], before: Before = None, after: After = None
) -> MethodChanges:
    return await method.changes(request.user, slug, pages.language(request), before, after)


@post(
    "/filieres/{slug:str}/method/acceptance", operation_id="acceptMethod", status_code=204,
    summary="Accept the current version of the method sheet",
    description="For members of the filière. Accepting again changes nothing.",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def accept_method(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[AcceptanceDraft]
) -> None:
    await method.acknowledge(request.user, slug, data.version, Way.API)


@get(
    "/filieres/{slug:str}/method/acceptance", operation_id="countMethodAcceptance",
    summary="How many members accepted the current version of the method sheet",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def get_acceptance(request: ActorRequest, slug: FromPath[str]) -> Acceptance:
    """For who animates the filière."""
    return await method.count_accepted(request.user, slug, pages.language(request))


API = [get_method, write_method, list_versions, get_changes, accept_method, get_acceptance]
PAGES = [method_page, changes_page, edit_page, write_page, accept_page]
