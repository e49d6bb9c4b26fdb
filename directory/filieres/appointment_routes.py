"""Roles: the page and the API of those who give them."""

import enum
from datetime import date

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.actor import Permission, Role
from directory.accounts.authentication import ActorRequest
from directory.filieres import appointments, registry
from directory.filieres.appointments import IN_A_FILIERE, GrantView, RoleDraft
from directory.filieres.lifecycle import Stage
from directory.http import pages, problems
from directory.languages import marked

MOST_FILIERES = 200


class Done(enum.Enum):
    GIVEN = "given"
    ENDED = "ended"
    VACATED = "vacated"


NOTICES = {
    Done.GIVEN: marked("Le rôle est donné."),
    Done.ENDED: marked("Le rôle est retiré. La personne ne l’a plus dès maintenant."),
    Done.VACATED: marked(
        "Le rôle est retiré. Plus personne n’anime cette filière : la coordination est prévenue. "
        "Nommez une autre personne, ou mettez la filière en sommeil."
    ),
}


class RoleForm(msgspec.Struct):
    """What was typed, as it was typed."""

    who: str = ""
    role: str = ""
    filiere: str = ""
    ends_on: str = ""

    def draft(self) -> RoleDraft:
        """:raises errors.Malformed: when the choices are none that the form offers."""
        if self.role not in {role.value for role in Role}:
            raise errors.Malformed.field("role", marked("Choisissez un rôle."))
        try:
            ends_on = date.fromisoformat(self.ends_on) if self.ends_on else None
        except ValueError as error:
            raise errors.Malformed.field(
                "ends_on", marked("Ce jour ne se lit pas. Indiquez par exemple %(example)s."),
                example="2027-01-31",
            ) from error  # fmt: skip
        return RoleDraft(who=self.who, role=Role(self.role), filiere=self.filiere, ends_on=ends_on)


@get("/roles", include_in_schema=False)
async def roles_page(request: ActorRequest, done: FromQuery[Done | None] = None) -> Response[str]:
    return await _page(request, RoleForm(), notice=NOTICES[done] if done else "")


@post("/roles", include_in_schema=False, status_code=303)
async def give_page(
    request: ActorRequest, data: URLEncodedBody[RoleForm]
) -> Response[str] | Redirect:
    request.user.require(Permission.NAME_ANIMATORS)
    try:
        await appointments.give(request.user, data.draft(), pages.language(request))
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _page(request, data, problem=problem)
    return Redirect("/roles?done=given", status_code=303)


@post("/roles/{grant_id:int}/end", include_in_schema=False, status_code=303)
async def end_page(request: ActorRequest, grant_id: FromPath[int]) -> Redirect:
    is_vacated = await appointments.end(request.user, grant_id)
    return Redirect(f"/roles?done={'vacated' if is_vacated else 'ended'}", status_code=303)


async def _page(
    request: ActorRequest,
    typed: RoleForm,
    *,
    problem: errors.Malformed | None = None,
    notice: str = "",
) -> Response[str]:
    actor, language = request.user, pages.language(request)
    grants = await appointments.list_grants(actor, language)
    every = await registry.list_filieres(actor, language, page=1, limit=MOST_FILIERES)
    offered = list(Role) if actor.may(Permission.MANAGE_ROLES) else list(IN_A_FILIERE)
    return pages.page(
        request, "filieres/roles.html", status=400 if problem else 200,
        grants=grants, typed=typed, notice=notice, names=appointments.NAMES, offered=offered,
        filieres=[one for one in every.items if one.stage is not Stage.CLOSED],
        wrong={error.field: error for error in problem.fields} if problem else {},
    )  # fmt: skip


@get(
    "/roles", operation_id="listRoles", summary="Who has which role, today and to come",
    tags=["accounts"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_roles(request: ActorRequest) -> list[GrantView]:
    """For a person at a screen. Coordinators read who runs the filières, administrators all."""
    return await appointments.list_grants(request.user, pages.language(request))


@post(
    "/roles", operation_id="giveRole", summary="Give a role",
    tags=["accounts"], responses=problems.responses(401, 403, 409),
)  # fmt: skip
async def give_role(request: ActorRequest, data: JSONBody[RoleDraft]) -> GrantView:
    """Coordinators name animators and ambassadors; administrators also the staff.

    For a person at a screen. Given again, the role has the new last day.
    """
    return await appointments.give(request.user, data, pages.language(request))


@delete(
    "/roles/{grant_id:int}", operation_id="endRole", summary="End a role at once",
    tags=["accounts"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def end_role(request: ActorRequest, grant_id: FromPath[int]) -> None:
    await appointments.end(request.user, grant_id)


API = [list_roles, give_role, end_role]
PAGES = [roles_page, give_page, end_page]
