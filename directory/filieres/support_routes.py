"""What members say of a proposal: on its page, on a page of its own, by the API."""

from typing import Any

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.filieres import proposals, registry, sections, supports
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef, FiliereView
from directory.filieres.sections import Section, Spot
from directory.filieres.supports import OPEN_STAGES, Opinion, Stance, Support, SupportDraft, Tally
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber
from directory.languages import marked

FIRST_OPINIONS = 5
OPINIONS_A_PAGE = 20


class SupportForm(msgspec.Struct):
    """What was typed, as it was typed."""

    stance: str = Stance.FAVOURABLE.value
    opinion: str = ""
    wants_mails: str = ""

    def draft(self) -> SupportDraft:
        """:raises errors.Malformed: for a stance that the form does not offer."""
        if self.stance not in {stance.value for stance in Stance}:
            raise errors.Malformed.field("stance", marked("Cette valeur n’existe pas."))
        return SupportDraft(
            stance=Stance(self.stance), opinion=self.opinion, wants_mails=bool(self.wants_mails)
        )


class Supports(msgspec.Struct, frozen=True, kw_only=True):
    """What members say of a proposal, in figures; and what the actor said, if they did."""

    tally: Tally
    is_open: bool
    own: Support | None


@sections.add(Spot.SUPPORT)
async def support_section(request: ActorRequest, filiere: FiliereView) -> Section | None:
    """Nothing for a filière that nobody proposed here and that waits for nobody."""
    proposal = await proposals.find(request.user, filiere.id)
    if proposal is None and filiere.stage not in OPEN_STAGES:
        return None
    context = await _context(request, filiere, page=1, limit=FIRST_OPINIONS)
    call = marked("Changer votre avis") if context["own"] else marked("Donner votre avis")
    is_own = await proposals.is_own(request.user, filiere.id)
    return Section(
        "filieres/support.html",
        {
            **context, "proposal": proposal,
            "may_edit": is_own and filiere.stage is Stage.PROPOSED,
            "wrong": {},
        },
        call if context["may_say"] else "",
    )  # fmt: skip


async def _context(
    request: ActorRequest, filiere: FiliereRef, *, page: int, limit: int
) -> dict[str, Any]:
    actor = request.user
    own = await supports.find_own(actor, filiere.id)
    form = SupportForm()
    if own:
        form = SupportForm(own.stance.value, own.opinion, "1" if own.wants_mails else "")
    may_say = actor.member_id is not None and actor.may(Permission.PROPOSE_FILIERE)
    is_open = filiere.stage in OPEN_STAGES
    return {
        "tally": await supports.tally(filiere.id),
        "opinions": await supports.list_opinions(actor, filiere.id, page=page, limit=limit),
        "is_open": is_open, "may_say": is_open and may_say,
        "own": own, "form": form, "stances": list(Stance), "longest": supports.OPINION_LENGTH,
    }  # fmt: skip


@get("/filieres/{slug:str}/support", include_in_schema=False)
async def support_page(
    request: ActorRequest, slug: FromPath[str], page: PageNumber = 1
) -> Response[str]:
    """Every opinion, page by page, and the form."""
    return await _page(request, slug, page=page)


@post("/filieres/{slug:str}/support", include_in_schema=False, status_code=303)
async def support(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[SupportForm]
) -> Response[str] | Redirect:
    try:
        await supports.give(request.user, slug, data.draft())
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _page(request, slug, form=data, problem=problem)
    return Redirect(f"/filieres/{slug}?done=supported#support", status_code=303)


@post("/filieres/{slug:str}/support/withdraw", include_in_schema=False, status_code=303)
async def withdraw_page(request: ActorRequest, slug: FromPath[str]) -> Redirect:
    await supports.withdraw(request.user, slug)
    return Redirect(f"/filieres/{slug}?done=unsupported#support", status_code=303)


async def _page(
    request: ActorRequest,
    slug: str,
    *,
    page: int = 1,
    form: SupportForm | None = None,
    problem: errors.Malformed | None = None,
) -> Response[str]:
    filiere = await registry.get(slug, pages.language(request))
    context = await _context(request, filiere, page=page, limit=OPINIONS_A_PAGE)
    context |= {"form": form or context["form"]}
    context["wrong"] = {error.field: error for error in problem.fields} if problem else {}
    return pages.page(
        request, "filieres/opinions.html", status=400 if problem else 200,
        filiere=filiere, at=context,
        last=max(1, -(-context["opinions"].total // OPINIONS_A_PAGE)),
    )  # fmt: skip


@get(
    "/filieres/{slug:str}/support", operation_id="getSupport",
    summary="How many members support a proposal, and what one said oneself",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def get_support(request: ActorRequest, slug: FromPath[str]) -> Supports:
    ref = await registry.get(slug, pages.language(request))
    return Supports(
        tally=await supports.tally(ref.id),
        is_open=ref.stage in OPEN_STAGES,
        own=await supports.find_own(request.user, ref.id),
    )


@put(
    "/filieres/{slug:str}/support", operation_id="supportFiliere",
    summary="Support a proposal, or say which reserve one has",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409, 429),
)  # fmt: skip
async def put_support(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[SupportDraft]
) -> Support:
    """Said again, it is what is said now. Its words are read by everybody, the name beside them
    by those to whom one shows it.
    """
    return await supports.give(request.user, slug, data)


@delete(
    "/filieres/{slug:str}/support", operation_id="withdrawSupport",
    summary="Take back what one said of a proposal",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def delete_support(request: ActorRequest, slug: FromPath[str]) -> None:
    await supports.withdraw(request.user, slug)


@get(
    "/filieres/{slug:str}/opinions", operation_id="listOpinions",
    summary="What members wrote of a proposal, the newest first",
    tags=["filieres"], responses=problems.responses(404),
)  # fmt: skip
async def list_opinions(
    request: ActorRequest, slug: FromPath[str], page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[Opinion]:
    ref = await registry.get(slug, pages.language(request))
    return await supports.list_opinions(request.user, ref.id, page=page, limit=limit)


API = [get_support, put_support, delete_support, list_opinions]
PAGES = [support_page, support, withdraw_page]
