"""The pages and the API of the filières' health."""

from typing import Annotated

from litestar import Response, get
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from directory.accounts.actor import Permission, filiere_scope
from directory.accounts.authentication import ActorRequest
from directory.filieres import health, lifecycle, sections, tending
from directory.filieres.health import Health
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereView, Shown
from directory.filieres.sections import Tool
from directory.filieres.verdicts import Level
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber
from directory.languages import marked
from directory.members import views

TabFilter = Annotated[
    Shown | None,
    QueryParameter(name="tab", description="Open (forming, launched, active), proposed, …"),
]
TabShown = Annotated[Shown, QueryParameter(name="tab")]
MOST_DECISIONS = 20


@sections.tools
def tools(request: ActorRequest, filiere: FiliereView) -> list[Tool]:
    if not request.user.may(Permission.TEND_FILIERE, filiere_scope(filiere.id)):
        return []
    return [Tool(marked("Mandats"), "/mandates"), Tool(marked("Santé"), "/health")]


@get("/filieres/health", include_in_schema=False)
async def health_page(request: ActorRequest, chosen: TabShown = Shown.OPEN) -> Response[str]:
    found = await health.overview(request.user, chosen, pages.language(request))
    to_decide = found.at(Level.DECIDE)[:MOST_DECISIONS]
    writable = {
        one.figures.filiere.id for one in to_decide
        if request.user.may(Permission.WRITE_TO_FILIERE, filiere_scope(one.figures.filiere.id))
    }  # fmt: skip
    return pages.page(
        request, "filieres/health.html",
        found=found, tab=chosen, tabs=list(Shown), levels=Level, today=views.today(),
        to_decide=to_decide, writable=writable, moves=lifecycle.MOVES, dormant=Stage.DORMANT,
    )  # fmt: skip


@get("/filieres/health.csv", include_in_schema=False)
async def health_csv(request: ActorRequest, chosen: TabShown = Shown.OPEN) -> Stream:
    request.user.require(Permission.RUN_FILIERES)
    name = f"health-{chosen.value}-{views.today().isoformat()}.csv"
    return Stream(
        health.write_csv(request.user, chosen, pages.language(request)),
        media_type="text/csv; charset=utf-8; header=present",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@get("/filieres/{slug:str}/health", include_in_schema=False)
async def card_page(request: ActorRequest, slug: FromPath[str]) -> Response[str]:
    actor, language = request.user, pages.language(request)
    found = await health.card(actor, slug, language)
    filiere = found.figures.filiere
    may_run = actor.may(Permission.RUN_FILIERES)
    return pages.page(
        request, "filieres/card.html",
        health=found, filiere=filiere, levels=Level, today=views.today(),
        mandates=(await tending.of(actor, slug, language)).mandates, may_run=may_run,
        may_write=actor.may(Permission.WRITE_TO_FILIERE, filiere_scope(filiere.id)),
        may_rest=may_run and Stage.DORMANT in lifecycle.MOVES[filiere.stage],
    )  # fmt: skip


@get(
    "/filieres/health", operation_id="listHealth",
    summary="The health of the filières, the worst first",
    tags=["filieres"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_health(
    request: ActorRequest, chosen: TabFilter = None, page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[Health]:
    """For the staff. A month ends on the day of the month that today is; the last one is today's.

    Active is who in that month joined, supported the proposal or gave an opinion, volunteered for a
    mandate, started an initiative, listed a date or wrote to the filière. Opened mails are not
    counted: nobody knows of them.
    """
    return await health.list_health(
        request.user, chosen, pages.language(request), page=page, limit=limit
    )


@get(
    "/filieres/{slug:str}/health", operation_id="getHealth",
    summary="The health of one filière, for who runs it",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def get_health(request: ActorRequest, slug: FromPath[str]) -> Health:
    return await health.card(request.user, slug, pages.language(request))


API = [list_health, get_health]
PAGES = [health_page, health_csv, card_page]
