"""The list of communication steps, for who animates the filière."""

from datetime import date
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.actor import Permission, filiere_scope
from directory.accounts.authentication import ActorRequest
from directory.filieres import communication, method, sections
from directory.filieres.communication import (
    CommunicationPlan,
    StepChange,
    StepDraft,
    StepView,
)
from directory.filieres.moments import Moment, StepAudience
from directory.filieres.registry import FiliereView
from directory.filieres.sections import Tool
from directory.http import pages, problems
from directory.languages import marked
from directory.members import views

Done = Annotated[str, QueryParameter(max_length=20)]
NOTICES = {
    "noted": marked("C’est noté."),
    "added": marked("L’étape est ajoutée."),
    "removed": marked("L’étape est retirée."),
}


class CommunicationChanges(msgspec.Struct, forbid_unknown_fields=True):
    """The steps to note. Those that are not named stay as they are."""

    steps: Annotated[list[StepChange], msgspec.Meta(max_length=100)]


class StepForm(msgspec.Struct):
    """As it is posted. `is_done` is what the button says; without it, a day means done."""

    item: str = ""
    moment: Moment | None = None
    done_on: str = ""
    note: str | None = None
    is_done: str = ""

    def change(self) -> StepChange:
        """:raises errors.Malformed: for a day that cannot be read."""
        note = msgspec.UNSET if self.note is None else self.note
        if self.is_done:
            done_on = views.today() if self.is_done == "yes" else None
            return StepChange(item=self.item, done_on=done_on, note=note)
        try:
            day = date.fromisoformat(self.done_on) if self.done_on else None
        except ValueError as error:
            raise errors.Malformed.field(
                "done_on", marked("Ce jour ne se lit pas. Indiquez par exemple %(example)s."),
                example=views.today().isoformat(),
            ) from error  # fmt: skip
        return StepChange(item=self.item, done_on=day, note=note)


class AddForm(msgspec.Struct):
    moment: Moment
    label: str = ""
    audience: StepAudience = StepAudience.INTERNAL


@sections.tools
def communication_tools(request: ActorRequest, filiere: FiliereView) -> list[Tool]:
    if not request.user.may(Permission.TEND_FILIERE, filiere_scope(filiere.id)):
        return []
    return [Tool(marked("Communication"), "/communication")]


@get("/filieres/{slug:str}/communication", include_in_schema=False)
async def communication_page(
    request: ActorRequest, slug: FromPath[str], done: Done = "", moment: Done = ""
) -> Response[str]:
    return await _page(request, slug, notice=NOTICES.get(done, ""), shown=moment)


async def _page(
    request: ActorRequest,
    slug: str,
    *,
    notice: str = "",
    shown: str = "",
    typed: StepForm | AddForm | None = None,
    problem: errors.Malformed | None = None,
) -> Response[str]:
    actor, language = request.user, pages.language(request)
    return pages.page(
        request, "filieres/communication.html", status=400 if problem else 200,
        filiere=await method.require_tending(actor, slug, language),
        plan=await communication.get(actor, slug, language),
        audiences=list(StepAudience), today=views.today(), notice=notice,
        item=typed.item if isinstance(typed, StepForm) else "",
        adding=typed.moment if isinstance(typed, AddForm) else None,
        typed=typed, shown=shown, wrong=problem.fields[0] if problem else None,
    )  # fmt: skip


@post("/filieres/{slug:str}/communication", include_in_schema=False, status_code=303)
async def note_page(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[StepForm]
) -> Response[str] | Redirect:
    language = pages.language(request)
    try:
        await communication.note(request.user, slug, [data.change()], language)
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _page(request, slug, typed=data, problem=problem)
    return _noted(slug, "noted", data.moment, data.item)


@post("/filieres/{slug:str}/communication/add", include_in_schema=False, status_code=303)
async def add_page(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[AddForm]
) -> Response[str] | Redirect:
    draft = StepDraft(moment=data.moment, label=data.label, audience=data.audience)
    try:
        step = await communication.add(request.user, slug, draft, pages.language(request))
    except errors.Malformed as problem:  # as above
        return await _page(request, slug, typed=data, problem=problem)
    return _noted(slug, "added", step.moment, step.item)


def _noted(slug: str, done: str, moment: Moment | None, item: str) -> Redirect:
    shown = f"&moment={moment.value}" if moment else ""
    return Redirect(f"/filieres/{slug}/communication?done={done}{shown}#{item}", status_code=303)


@post(
    "/filieres/{slug:str}/communication/{step_id:int}/remove",
    include_in_schema=False, status_code=303,
)  # fmt: skip
async def remove_page(
    request: ActorRequest, slug: FromPath[str], step_id: FromPath[int]
) -> Redirect:
    await communication.remove(request.user, slug, step_id, pages.language(request))
    return Redirect(f"/filieres/{slug}/communication?done=removed", status_code=303)


@get(
    "/filieres/{slug:str}/communication", operation_id="getCommunication",
    summary="What was said of a filière, and what is still to say",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def get_communication(request: ActorRequest, slug: FromPath[str]) -> CommunicationPlan:
    """For who animates the filière. The moments that suit its stage come first."""
    return await communication.get(request.user, slug, pages.language(request))


@put(
    "/filieres/{slug:str}/communication", operation_id="noteCommunication",
    summary="Tick steps of communication, untick them, write beside them",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def note_communication(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[CommunicationChanges]
) -> CommunicationPlan:
    language = pages.language(request)
    await communication.note(request.user, slug, data.steps, language)
    return await communication.get(request.user, slug, language)


@post(
    "/filieres/{slug:str}/communication", operation_id="addCommunicationStep",
    summary="Add a step of communication of one's own", status_code=201,
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def add_step(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[StepDraft]
) -> StepView:
    return await communication.add(request.user, slug, data, pages.language(request))


@delete(
    "/filieres/{slug:str}/communication/{step_id:int}", operation_id="removeCommunicationStep",
    summary="Remove a step that was added",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def remove_step(request: ActorRequest, slug: FromPath[str], step_id: FromPath[int]) -> None:
    await communication.remove(request.user, slug, step_id, pages.language(request))


API = [get_communication, note_communication, add_step, remove_step]
PAGES = [communication_page, note_page, add_page, remove_page]
