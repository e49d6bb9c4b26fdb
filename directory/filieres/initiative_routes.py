"""The register of initiatives: read by members, written by who carries them."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.filieres import initiatives, registry, sections
from directory.filieres.initiatives import InitiativeDraft, InitiativeView, State
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereView
from directory.filieres.sections import Section, Spot
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber, SearchText
from directory.languages import marked
from directory.members import vocabulary
from directory.members.views import Word

A_PAGE, ON_A_FILIERE, MOST_FILIERES, FOUND = 20, 5, 200, 12
StateFilter = Annotated[
    str, QueryParameter(name="state", max_length=20, description="`open` or `finished`.")
]
Slug = Annotated[str, QueryParameter(max_length=200, description="The slug of a filière.")]
Code = Annotated[str, QueryParameter(max_length=40, description="The code of a trade sought.")]
Mine = Annotated[bool, QueryParameter(description="true: only one's own.")]
Done = Annotated[str, QueryParameter(max_length=20)]
NOTICES = {
    "opened": marked("L’initiative est publiée. Les membres peuvent la lire."),
    "saved": marked("Les changements sont enregistrés."),
    "removed": marked("L’initiative est retirée."),
}


class InitiativeForm(msgspec.Struct):
    """As it is posted. `look`: the button that searches trades was pressed, nothing is saved."""

    title: str = ""
    description: str = ""
    seeking: str = ""
    filiere: str = ""
    url: str = ""
    state: str = State.OPEN.value
    version: str = ""
    choice: list[str] | str = []
    q: str = ""
    look: str = ""

    @property
    def codes(self) -> list[str]:
        """A form with one box ticked sends a text, with several a list."""
        return [self.choice] if isinstance(self.choice, str) else self.choice

    def draft(self) -> InitiativeDraft:
        """:raises errors.Malformed: for a choice that the form does not offer."""
        if self.state not in {state.value for state in State}:
            raise errors.Malformed.field("state", marked("Cette valeur n’existe pas."))
        is_number = self.version.isascii() and self.version.isdecimal()
        return InitiativeDraft(
            title=self.title, description=self.description, seeking=self.seeking,
            trades=self.codes, filiere=self.filiere, url=self.url, state=State(self.state),
            version=int(self.version[:9]) if is_number else None,
        )  # fmt: skip


Form = URLEncodedBody[InitiativeForm]


def _state(name: str) -> State | None:
    """:raises errors.Malformed: for no state. Litestar keeps the name `state` for itself."""
    if not name:
        return None
    if name not in {state.value for state in State}:
        raise errors.Malformed.field("state", marked("Cette valeur n’existe pas."))
    return State(name)


def _filled(view: InitiativeView) -> InitiativeForm:
    return InitiativeForm(
        title=view.title, description=view.description, seeking=view.seeking, url=view.url,
        filiere=view.filiere.slug if view.filiere else "", state=view.state.value,
        version=str(view.version), choice=[word.code for word in view.trades],
    )  # fmt: skip


@sections.add(Spot.ACTIVITY)
async def initiatives_section(request: ActorRequest, filiere: FiliereView) -> Section | None:
    """The open initiatives beside a filière, for members."""
    if not request.user.may(Permission.READ_MEMBERS):
        return None
    found = await initiatives.list_initiatives(
        request.user, pages.language(request), state=State.OPEN, filiere=filiere.slug,
        page=1, limit=ON_A_FILIERE,
    )  # fmt: skip
    if not found.items:
        return None
    return Section("filieres/initiatives_section.html", {"found": found})


@get("/initiatives", include_in_schema=False)
async def list_page(
    request: ActorRequest,
    q: SearchText = "",
    in_state: StateFilter = "",
    filiere: Slug = "",
    trade: Code = "",
    mine: Mine = False,
    page: PageNumber = 1,
    done: Done = "",
) -> Response[str]:
    actor, language = request.user, pages.language(request)
    found = await initiatives.list_initiatives(
        actor, language, q=q, state=_state(in_state), filiere=filiere, trade=trade, mine=mine,
        page=page, limit=A_PAGE,
    )  # fmt: skip
    names = await vocabulary.names("trade", [trade], language) if trade else {}
    return pages.page(
        request, "filieres/initiatives.html",
        found=found, last=max(1, -(-found.total // A_PAGE)), notice=NOTICES.get(done, ""),
        wish={
            "q": q, "state": in_state, "filiere": filiere,
            "trade": trade, "mine": "true" if mine else "",
        },
        states=list(State), trade_name=names.get(trade, ""), filieres=await _filieres(request),
        may_open=actor.member_id is not None and actor.may(Permission.PROPOSE_FILIERE),
    )  # fmt: skip


async def _filieres(request: ActorRequest) -> list[registry.FiliereCard]:
    every = await registry.list_filieres(
        request.user, pages.language(request), page=1, limit=MOST_FILIERES
    )
    return sorted(every.items, key=lambda card: card.name.casefold())


@get("/initiatives/{initiative_id:int}", include_in_schema=False)
async def initiative_page(
    request: ActorRequest, initiative_id: FromPath[int], done: Done = ""
) -> Response[str]:
    actor = request.user
    view = await initiatives.get(actor, initiative_id, pages.language(request))
    return pages.page(
        request, "filieres/initiative.html",
        view=view, may_edit=initiatives.may_edit(actor, view), notice=NOTICES.get(done, ""),
        may_propose=actor.member_id is not None and actor.may(Permission.PROPOSE_FILIERE),
    )  # fmt: skip


@get("/initiatives/new", include_in_schema=False)
async def new_page(request: ActorRequest, filiere: Slug = "") -> Response[str]:
    request.user.require(Permission.PROPOSE_FILIERE)
    request.user.require_member()
    return await _form(request, None, InitiativeForm(filiere=filiere))


@post("/initiatives", include_in_schema=False, status_code=303)
async def open_page(request: ActorRequest, data: Form) -> Response[str] | Redirect:
    request.user.require(Permission.PROPOSE_FILIERE)
    request.user.require_member()
    if data.look:
        return await _form(request, None, data)
    try:
        number = await initiatives.create(request.user, data.draft(), pages.language(request))
    except (errors.Malformed, errors.Conflict) as problem:  # shown with what was typed
        return await _form(request, None, data, problem)
    return Redirect(f"/initiatives/{number}?done=opened", status_code=303)


@get("/initiatives/{initiative_id:int}/edit", include_in_schema=False)
async def edit_page(request: ActorRequest, initiative_id: FromPath[int]) -> Response[str]:
    await initiatives.require_editing(request.user, initiative_id)
    view = await initiatives.get(request.user, initiative_id, pages.language(request))
    return await _form(request, view, _filled(view))


@post("/initiatives/{initiative_id:int}", include_in_schema=False, status_code=303)
async def save_page(
    request: ActorRequest, initiative_id: FromPath[int], data: Form
) -> Response[str] | Redirect:
    language = pages.language(request)
    await initiatives.require_editing(request.user, initiative_id)
    view = await initiatives.get(request.user, initiative_id, language)
    if data.look:
        return await _form(request, view, data)
    try:
        await initiatives.change(request.user, initiative_id, data.draft(), language)
    except errors.Malformed as problem:  # as above
        return await _form(request, view, data, problem)
    except errors.Conflict as problem:  # what was typed may be saved over what is there
        newer = await initiatives.get(request.user, initiative_id, language)
        typed = msgspec.structs.replace(data, version=str(newer.version))
        return await _form(request, newer, typed, problem)
    return Redirect(f"/initiatives/{initiative_id}?done=saved", status_code=303)


@post("/initiatives/{initiative_id:int}/remove", include_in_schema=False, status_code=303)
async def remove_page(request: ActorRequest, initiative_id: FromPath[int]) -> Redirect:
    await initiatives.remove(request.user, initiative_id)
    return Redirect("/initiatives?done=removed", status_code=303)


async def _form(
    request: ActorRequest,
    view: InitiativeView | None,
    typed: InitiativeForm,
    problem: errors.Problem | None = None,
) -> Response[str]:
    language = pages.language(request)
    text = typed.q.strip()
    names = await vocabulary.names("trade", typed.codes, language)
    chosen = [Word(code, names[code]) for code in typed.codes if code in names]
    matches = None
    if text:
        found = await vocabulary.find_trades(text, language, page=1, limit=FOUND)
        matches = [one for one in found.items if one.code not in names]
    return pages.page(
        request, "filieres/initiative_form.html", status=problem.status if problem else 200,
        view=view, typed=typed, chosen=chosen, matches=matches, states=list(State),
        filieres=[
            card for card in await _filieres(request)
            if card.stage is not Stage.CLOSED or card.slug == typed.filiere
        ],
        problem=problem if problem and not problem.fields else None,
        wrong={error.field: error for error in problem.fields} if problem else {},
    )  # fmt: skip


@get(
    "/initiatives", operation_id="listInitiatives",
    summary="Collective projects of members, the newest first",
    tags=["initiatives"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_initiatives(
    request: ActorRequest,
    q: SearchText = "",
    in_state: StateFilter = "",
    filiere: Slug = "",
    trade: Code = "",
    mine: Mine = False,
    page: PageNumber = 1,
    limit: PageLimit = 20,
) -> Listing[InitiativeView]:
    return await initiatives.list_initiatives(
        request.user, pages.language(request), q=q, state=_state(in_state), filiere=filiere,
        trade=trade, mine=mine, page=page, limit=limit,
    )  # fmt: skip


@post(
    "/initiatives", operation_id="openInitiative", summary="Tell members of an initiative",
    tags=["initiatives"], responses=problems.responses(401, 403, 409, 429), status_code=201,
)  # fmt: skip
async def open_initiative(request: ActorRequest, data: JSONBody[InitiativeDraft]) -> InitiativeView:
    """A token needs filieres:write and members:read."""
    language = pages.language(request)
    request.user.require(Permission.READ_MEMBERS)
    number = await initiatives.create(request.user, data, language)
    return await initiatives.get(request.user, number, language)


@get(
    "/initiatives/{initiative_id:int}", operation_id="getInitiative", summary="One initiative",
    tags=["initiatives"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def get_initiative(request: ActorRequest, initiative_id: FromPath[int]) -> InitiativeView:
    return await initiatives.get(request.user, initiative_id, pages.language(request))


@put(
    "/initiatives/{initiative_id:int}", operation_id="changeInitiative",
    summary="Write one's initiative anew",
    tags=["initiatives"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def change_initiative(
    request: ActorRequest, initiative_id: FromPath[int], data: JSONBody[InitiativeDraft]
) -> InitiativeView:
    """One's own; coordinators may write any."""
    return await initiatives.change(request.user, initiative_id, data, pages.language(request))


@delete(
    "/initiatives/{initiative_id:int}", operation_id="removeInitiative",
    summary="Remove one's initiative",
    tags=["initiatives"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def remove_initiative(request: ActorRequest, initiative_id: FromPath[int]) -> None:
    await initiatives.remove(request.user, initiative_id)


API = [list_initiatives, open_initiative, get_initiative, change_initiative, remove_initiative]
PAGES = [
    list_page, initiative_page, new_page, open_page, edit_page, save_page, remove_page,
]  # fmt: skip
