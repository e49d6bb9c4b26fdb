"""The dossier of a filière: its section on the page, its own page, its API."""

import enum
from typing import Annotated

import msgspec
from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.filieres import curve, dossiers, figures, registry, sections
from directory.filieres.dossiers import Dossier
from directory.filieres.figures import Preview
from directory.filieres.registry import FiliereView
from directory.filieres.sections import Section, Spot, Tool
from directory.http import pages, problems
from directory.languages import marked

TEMPLATE = "filieres/dossier.html"
Codes = Annotated[
    list[str] | None,
    QueryParameter(max_items=figures.MOST_WORDS, description="Codes; the parameter repeats."),
]


class Done(enum.Enum):
    WRITTEN = "written"
    COUNTED = "counted"


NOTICES = {
    Done.WRITTEN: marked("Les raisons sont publiées."),
    Done.COUNTED: marked("Les chiffres sont ceux d’aujourd’hui."),
}


class ReasonsDraft(msgspec.Struct, forbid_unknown_fields=True):
    """Why the cooperative wants the filière, or not: 4,000 characters at most. '' takes it back."""

    text: str


class ReasonsForm(msgspec.Struct):
    text: str = ""


@sections.add(Spot.DOSSIER)
async def dossier_section(request: ActorRequest, filiere: FiliereView) -> Section | None:
    """The criteria and the decision; nothing for a filière of which there is nothing to say."""
    found = await dossiers.of(request.user, filiere, pages.language(request))
    founding = found.founding
    is_visitor = not request.user.may(Permission.READ_MEMBERS)
    published = founding.criteria if is_visitor and founding else None
    return Section(
        "filieres/dossier_section.html",
        {
            "dossier": found, "slug": filiere.slug, "founding": founding,
            "criteria": published or found.criteria, "is_frozen": published is not None,
            "is_visitor": is_visitor, "by_kind": labels(found),
        },
    )  # fmt: skip


@sections.tools
def dossier_tools(request: ActorRequest, _: FiliereView) -> list[Tool]:
    may_write = request.user.may(Permission.RUN_FILIERES)
    return [Tool(marked("Tenir le dossier"), "/dossier#reasons")] if may_write else []


def labels(found: Dossier) -> dict[str, str]:
    """What the criteria are called, where the kind of filière changes it."""
    if found.kind is registry.Kind.SECTOR:
        return {"members": marked("Membres de ces secteurs")}
    return {}


@get("/filieres/{slug:str}/dossier", include_in_schema=False)
async def dossier_page(
    request: ActorRequest, slug: FromPath[str], done: FromQuery[Done | None] = None
) -> Response[str]:
    return await _page(request, slug, notice=NOTICES[done] if done else "")


@post("/filieres/{slug:str}/dossier/reasons", include_in_schema=False, status_code=303)
async def write_page(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[ReasonsForm]
) -> Response[str] | Redirect:
    try:
        await dossiers.write_reasons(request.user, slug, data.text)
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _page(request, slug, status=400, typed=data.text, problem=problem)
    return Redirect(f"/filieres/{slug}/dossier?done=written", status_code=303)


@post("/filieres/{slug:str}/dossier/figures", include_in_schema=False, status_code=303)
async def recount_page(request: ActorRequest, slug: FromPath[str]) -> Redirect:
    await dossiers.recount(request.user, slug)
    return Redirect(f"/filieres/{slug}/dossier?done=counted", status_code=303)


async def _page(
    request: ActorRequest,
    slug: str,
    *,
    status: int = 200,
    notice: str = "",
    typed: str | None = None,
    problem: errors.Malformed | None = None,
) -> Response[str]:
    language = pages.language(request)
    filiere = await registry.get(slug, language)
    found = await dossiers.of(request.user, filiere, language)
    return pages.page(
        request, TEMPLATE, status=status,
        filiere=filiere, dossier=found, by_kind=labels(found), notice=notice,
        is_visitor=not request.user.may(Permission.READ_MEMBERS),
        may_write=request.user.may(Permission.RUN_FILIERES),
        sees_turnover=dossiers.sees_turnover(request.user, filiere.stage),
        curve=curve.of(found.details.points) if found.details else None,
        typed=typed, problem=problem,
    )  # fmt: skip


@get(
    "/filieres/{slug:str}/dossier", operation_id="getDossier",
    summary="Why a filière exists: criteria, reasons, opinions, decisions",
    description="Visitors get the thresholds, the words and what decisions published; members also "
    "the figures of today. Fewer than 5 people are never a number.",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def get_dossier(request: ActorRequest, slug: FromPath[str]) -> Dossier:
    return await dossiers.view(request.user, slug, pages.language(request))


@put(
    "/filieres/{slug:str}/dossier/reasons", operation_id="writeDossierReasons",
    summary="Say in words why the cooperative wants a filière, or not",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def write_reasons(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[ReasonsDraft]
) -> Dossier:
    await dossiers.write_reasons(request.user, slug, data.text)
    return await dossiers.view(request.user, slug, pages.language(request))


@post(
    "/filieres/{slug:str}/dossier/figures", operation_id="recountDossier", status_code=200,
    summary="Count a dossier's figures again: once a day",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def recount(request: ActorRequest, slug: FromPath[str]) -> Dossier:
    await dossiers.recount(request.user, slug)
    return await dossiers.view(request.user, slug, pages.language(request))


@get(
    "/filieres/figures", operation_id="getFigures",
    summary="How many members have some trades or sectors, before a filière is proposed",
    description="For members, 60 times an hour. Trades or sectors, not both. Rounded to 5.",
    tags=["filieres"], responses=problems.responses(401, 403, 429),
)  # fmt: skip
async def get_figures(request: ActorRequest, trade: Codes = None, sector: Codes = None) -> Preview:
    language = pages.language(request)
    return await figures.of(request.user, language, trades=trade or (), sectors=sector or ())


API = [get_figures, get_dossier, write_reasons, recount]
PAGES = [dossier_page, write_page, recount_page]
