"""Joining and leaving a filière, and what one receives of it: signed in, or by the API."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import settings
from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.filieres import method, sections
from directory.filieres.registry import FiliereView
from directory.filieres.sections import Section, Spot
from directory.http import clients, pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber
from directory.languages import marked
from directory.subscriptions import (
    consent,
    forms,
    ledger,
    links,
    mail_routes,
    memberships,
    preferences,
)
from directory.subscriptions.consent import Choice
from directory.subscriptions.ledger import LedgerRow, Screen, Trace
from directory.subscriptions.memberships import Membership
from directory.subscriptions.preferences import Consents

ROWS_SHOWN = 20
Form = URLEncodedBody[dict[str, str]]
Leaving = Annotated[
    str, QueryParameter(max_length=200, description="The slug of a filière to leave in exchange.")
]

MethodVersion = Annotated[
    int | None,
    QueryParameter(
        ge=1, le=method.LARGEST_VERSION, description="The version of the method sheet you accept."
    ),
]


class ConsentChanges(msgspec.Struct, forbid_unknown_fields=True):
    """The choices to make. Those that are not named stay as they are."""

    choices: Annotated[list[Choice], msgspec.Meta(max_length=100)]


def _trace(request: ActorRequest, screen: Screen) -> Trace:
    return Trace(screen, clients.network(request), request.user.account_id)


@sections.add(Spot.JOIN)
async def join_section(request: ActorRequest, filiere: FiliereView) -> Section | None:
    """The form to join, or what one receives, or why one cannot join."""
    actor, language = request.user, pages.language(request)
    template = "subscriptions/join.html"
    refused = memberships.refusal(filiere.stage, filiere.openness)
    call = marked("Rejoindre la filière")
    if actor.member_id is None or not actor.may(Permission.JOIN_FILIERE):
        if not actor.is_visitor:
            return None
        seen = {"state": "visitor", "refused": refused}
        return Section(template, seen, "" if refused else call)
    chosen = await preferences.of(actor.member_id, language)
    if mine := [one for one in chosen.filieres if one.filiere.id == filiere.id]:
        return Section(
            template, {"state": "member", "choices": mine[0]}, marked("Choisir vos mails")
        )
    joined = await memberships.list_of(actor.member_id, language)
    limit = settings.current().filieres_per_member
    is_full = len(joined) >= limit
    context: dict[str, object] = {
        "state": "new", "refused": refused, "joined": joined, "limit": limit,
        "choices": preferences.FiliereChoices(filiere, await preferences.blank(language)),
        "full": memberships.quota_reached(joined) if is_full else None,
        "method": await method.current(filiere.id),
    }  # fmt: skip
    return Section(template, context, "" if refused else call)


@post("/filieres/{slug:str}/join", include_in_schema=False, status_code=303)
async def join_page(request: ActorRequest, slug: FromPath[str], data: Form) -> Redirect:
    choices = await forms.read(data, "leaving", "method_version")
    await memberships.join(
        request.user, slug, pages.language(request), _trace(request, Screen.FILIERE),
        choices=choices, leaving=data.get("leaving", ""),
        method_version=forms.version(data.get("method_version", "")),
    )  # fmt: skip
    return Redirect(f"/filieres/{slug}?done=joined", status_code=303)


@post("/filieres/{slug:str}/leave", include_in_schema=False, status_code=303)
async def leave_page(request: ActorRequest, slug: FromPath[str]) -> Redirect:
    await memberships.leave(request.user, slug, _trace(request, Screen.FILIERE))
    return Redirect(f"/filieres/{slug}?done=left", status_code=303)


@post("/filieres/{slug:str}/consents", include_in_schema=False, status_code=303)
async def choose_page(request: ActorRequest, slug: FromPath[str], data: Form) -> Redirect:
    await consent.choose(request.user, await forms.read(data), _trace(request, Screen.FILIERE))
    return Redirect(f"/filieres/{slug}?done=saved", status_code=303)


@get("/preferences", include_in_schema=False)
async def preferences_page(
    request: ActorRequest, done: mail_routes.Done = "", undo: mail_routes.Undo = ""
) -> Response[str]:
    member_id = _own_id(request)
    language = pages.language(request)
    return pages.page(
        request, "subscriptions/preferences.html",
        consents=await preferences.of(member_id, language), base="/preferences",
        email=request.user.email, by_link=False, done=done, undo=undo,
        history=await ledger.list_history(member_id, language, limit=ROWS_SHOWN),
    )  # fmt: skip


@post("/preferences", include_in_schema=False, status_code=303)
async def save_preferences(request: ActorRequest, data: Form) -> Redirect:
    choices = await forms.read(data)
    await consent.choose(request.user, choices, _trace(request, Screen.PREFERENCES))
    return Redirect("/preferences?done=saved", status_code=303)


@post("/preferences/stop-all", include_in_schema=False, status_code=303)
async def stop_all(request: ActorRequest) -> Redirect:
    everything = links.Holder(_own_id(request))
    stopped = await consent.stop(everything, _trace(request, Screen.PREFERENCES))
    return mail_routes.stopped("/preferences", stopped)


@post("/preferences/undo", include_in_schema=False, status_code=303)
async def undo_stop(request: ActorRequest, data: URLEncodedBody[mail_routes.UndoForm]) -> Redirect:
    member_id = _own_id(request)
    stopped = mail_routes.read_undo(data.undo, member_id)
    await consent.restore(stopped, _trace(request, Screen.PREFERENCES))
    return Redirect("/preferences?done=back", status_code=303)


@put(
    "/filieres/{slug:str}/membership", operation_id="joinFiliere", summary="Join a filière",
    description="Joining subscribes to no mail. Joining again changes nothing. Where the filière "
    "has a method sheet, joining accepts its current version, which is named.",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def join_filiere(
    request: ActorRequest,
    slug: FromPath[str],
    leaving: Leaving = "",
    method_version: MethodVersion = None,
) -> Membership:
    return await memberships.join(
        request.user, slug, pages.language(request), _trace(request, Screen.API),
        leaving=leaving, method_version=method_version,
    )  # fmt: skip


@delete(
    "/filieres/{slug:str}/membership", operation_id="leaveFiliere",
    summary="Leave a filière, and with it its mails",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def leave_filiere(request: ActorRequest, slug: FromPath[str]) -> None:
    await memberships.leave(request.user, slug, _trace(request, Screen.API))


@get(
    "/me/consents", operation_id="getMyConsents",
    summary="What one receives, by filière and topic, with the wording to agree to",
    tags=["consents"], responses=problems.responses(401, 403),
)  # fmt: skip
async def my_consents(request: ActorRequest) -> Consents:
    return await preferences.of(_own_id(request), pages.language(request))


@put(
    "/me/consents", operation_id="setMyConsents", summary="Choose what to receive",
    description="A choice without rhythm receives nothing. Choices not named stay as they are.",
    tags=["consents"], responses=problems.responses(401, 403, 409),
)  # fmt: skip
async def set_my_consents(request: ActorRequest, data: JSONBody[ConsentChanges]) -> Consents:
    await consent.choose(request.user, data.choices, _trace(request, Screen.API))
    return await preferences.of(_own_id(request), pages.language(request))


@get(
    "/me/consents/history", operation_id="listMyConsentHistory",
    summary="Every act of one's consents, the newest first",
    tags=["consents"], responses=problems.responses(401, 403),
)  # fmt: skip
async def my_history(
    request: ActorRequest, page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[LedgerRow]:
    return await ledger.list_history(
        _own_id(request), pages.language(request), page=page, limit=limit
    )


def _own_id(request: ActorRequest) -> int:
    request.user.require(Permission.JOIN_FILIERE)
    return request.user.require_member()


API = [join_filiere, leave_filiere, my_consents, set_my_consents, my_history]
PAGES = [
    join_page,
    leave_page,
    choose_page,
    preferences_page,
    save_preferences,
    stop_all,
    undo_stop,
    *mail_routes.PAGES,
]
