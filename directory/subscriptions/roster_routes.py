"""The members of a filière: page and API."""

from litestar import Response, get
from litestar.params import FromPath

from directory.accounts.actor import Permission, filiere_scope
from directory.accounts.authentication import ActorRequest
from directory.filieres import registry, sections
from directory.filieres.registry import FiliereView
from directory.filieres.sections import Section, Spot
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber, SearchText
from directory.members import views
from directory.members.views import MemberCard
from directory.subscriptions import roster

CARDS_A_PAGE = 20


@sections.add(Spot.PEOPLE)
async def people_section(request: ActorRequest, filiere: FiliereView) -> Section | None:
    """The way to the list, for those who may read it."""
    if not request.user.may(Permission.READ_MEMBERS) or not filiere.member_count:
        return None
    return Section("subscriptions/people.html", {})


@get("/filieres/{slug:str}/members", include_in_schema=False)
async def members_page(
    request: ActorRequest, slug: FromPath[str], q: SearchText = "", page: PageNumber = 1
) -> Response[str]:
    actor, language = request.user, pages.language(request)
    found = await roster.list_members(actor, slug, language, q=q, page=page, limit=CARDS_A_PAGE)
    filiere = await registry.view(actor, slug, language)
    runs = actor.may(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    return pages.page(
        request, "subscriptions/members.html", filiere=filiere, found=found, q=q.strip(),
        last=max(1, -(-found.total // CARDS_A_PAGE)), initials=views.initials, lit=_plain,
        unseen=filiere.member_count - found.total if runs and not q.strip() else 0,
    )  # fmt: skip


def _plain(card: MemberCard, field: str, position: int, text: str) -> str:
    """The search lights its words up in a card; here nothing was searched for."""
    return text


@get(
    "/filieres/{slug:str}/members", operation_id="listFiliereMembers",
    summary="The members of a filière, as each shows it to you, by name",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def list_members(
    request: ActorRequest,
    slug: FromPath[str],
    q: SearchText = "",
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> Listing[MemberCard]:
    """Each word of `q` is in the name. Who hides their name or filières is in no page or total."""
    return await roster.list_members(
        request.user, slug, pages.language(request), q=q, page=page, limit=limit
    )


API = [list_members]
PAGES = [members_page]
