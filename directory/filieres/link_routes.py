"""Links between filières, and whom they share."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.authentication import ActorRequest
from directory.filieres import figures, links, registry, sections
from directory.filieres.links import FiliereLink, LinkDraft, Overlap, Relation
from directory.filieres.registry import FiliereView
from directory.filieres.sections import Section, Spot, Tool
from directory.http import pages, problems
from directory.languages import marked

MOST_FILIERES = 200
Done = Annotated[str, QueryParameter(max_length=20)]
NOTICES = {"linked": marked("Le lien est noté."), "removed": marked("Le lien est retiré.")}


class LinkForm(msgspec.Struct):
    other: str = ""
    relation: str = ""

    def draft(self) -> LinkDraft:
        """:raises errors.Malformed: for what the form does not offer."""
        if self.relation not in {relation.value for relation in Relation}:
            raise errors.Malformed.field("relation", marked("Cette valeur n’existe pas."))
        if not self.other:
            raise errors.Malformed.field("other", marked("Choisissez une autre filière."))
        return LinkDraft(Relation(self.relation))


class OtherForm(msgspec.Struct):
    other: str = ""


@sections.add(Spot.ACTIVITY)
async def links_section(request: ActorRequest, filiere: FiliereView) -> Section | None:
    found = await links.of(filiere.id, pages.language(request))
    return Section("filieres/links_section.html", {"links": found}) if found else None


@sections.tools
def link_tools(request: ActorRequest, filiere: FiliereView) -> list[Tool]:
    if not links.may_link(request.user, filiere.id):
        return []
    return [Tool(marked("Filières liées"), "/links")]


@get("/filieres/{slug:str}/links", include_in_schema=False)
async def links_page(request: ActorRequest, slug: FromPath[str], done: Done = "") -> Response[str]:
    return await _page(request, slug, LinkForm(), notice=NOTICES.get(done, ""))


@post("/filieres/{slug:str}/links", include_in_schema=False, status_code=303)
async def link_page(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[LinkForm]
) -> Response[str] | Redirect:
    try:
        relation, language = data.draft().relation, pages.language(request)
        await links.put(request.user, slug, data.other, relation, language)
    except (errors.Malformed, links.LinkRefused) as problem:  # shown beside the choice
        return await _page(request, slug, data, problem=problem)
    return Redirect(f"/filieres/{slug}/links?done=linked", status_code=303)


@post("/filieres/{slug:str}/links/remove", include_in_schema=False, status_code=303)
async def unlink_page(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[OtherForm]
) -> Redirect:
    await links.remove(request.user, slug, data.other, pages.language(request))
    return Redirect(f"/filieres/{slug}/links?done=removed", status_code=303)


async def _page(
    request: ActorRequest,
    slug: str,
    typed: LinkForm,
    *,
    notice: str = "",
    problem: errors.Problem | None = None,
) -> Response[str]:
    actor, language = request.user, pages.language(request)
    filiere = await links.require_linking(actor, slug, language)
    every = await registry.list_filieres(actor, language, page=1, limit=MOST_FILIERES)
    return pages.page(
        request, "filieres/links.html", status=problem.status if problem else 200,
        filiere=filiere, links=await links.of(filiere.id, language), typed=typed,
        notice=notice, problem=problem, relations=list(Relation),
        choices=[
            one for one in every.items if one.id != filiere.id and links.may_link(actor, one.id)
        ],
        mine={one.id for one in every.items if links.may_link(actor, one.id)},
    )  # fmt: skip


@get("/filieres/overlap", include_in_schema=False)
async def overlap_page(request: ActorRequest) -> Response[str]:
    found = await links.list_overlaps(request.user, pages.language(request))
    return pages.page(request, "filieres/overlap.html", found=found, fewest=figures.SMALLEST)


@get(
    "/filieres/{slug:str}/links", operation_id="listFiliereLinks",
    summary="The filières that a filière is linked to, both ways",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def list_links(request: ActorRequest, slug: FromPath[str]) -> list[FiliereLink]:
    return await links.list_links(slug, pages.language(request))


@put(
    "/filieres/{slug:str}/links/{other:str}", operation_id="linkFilieres",
    summary="Say what a filière is to another one",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def link_filieres(
    request: ActorRequest, slug: FromPath[str], other: FromPath[str], data: JSONBody[LinkDraft]
) -> list[FiliereLink]:
    """For who tends both. Two filières have one link at most: this one takes its place."""
    return await links.put(request.user, slug, other, data.relation, pages.language(request))


@delete(
    "/filieres/{slug:str}/links/{other:str}", operation_id="unlinkFilieres",
    summary="Remove the link of two filières",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def unlink_filieres(request: ActorRequest, slug: FromPath[str], other: FromPath[str]) -> None:
    await links.remove(request.user, slug, other, pages.language(request))


@get(
    "/filieres/overlap", operation_id="listFiliereOverlaps",
    summary="How many members two filières share",
    tags=["filieres"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_overlaps(request: ActorRequest) -> list[Overlap]:
    """For coordinators. Pairs with fewer than 5 people in both, or in one alone, are left out."""
    return await links.list_overlaps(request.user, pages.language(request))


API = [list_links, link_filieres, unlink_filieres, list_overlaps]
PAGES = [links_page, link_page, unlink_page, overlap_page]
