"""Joining and leaving a filière, and what one receives of it: signed in, or by the API."""

from typing import Annotated

import msgspec
from litestar import Response, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.filieres import method, registry, sections
from directory.filieres.registry import FiliereView
from directory.filieres.sections import Section, Spot
from directory.http import clients, pages, problems
from directory.languages import marked
from directory.subscriptions import (
    asked_routes,
    confirmations,
    consent,
    forms,
    history_routes,
    invitation_routes,
    invitations,
    ledger,
    links,
    mail_routes,
    memberships,
    pauses,
    preferences,
    quota,
    request_routes,
    requests,
    roster_routes,
    stage_mails,  # noqa: F401 - emitting needs to know who listens
    suggestion_routes,
)
from directory.subscriptions.consent import Choice
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.memberships import Membership
from directory.subscriptions.pauses import PauseDraft
from directory.subscriptions.preferences import Consents
from directory.subscriptions.requests import State

ROWS_SHOWN = 20
TEMPLATE = "subscriptions/join.html"
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
    language = pages.language(request)
    return Trace(screen, clients.network(request), request.user.account_id, language)


@sections.add(Spot.JOIN)
async def join_section(request: ActorRequest, filiere: FiliereView) -> Section | None:
    """The form to join or to ask, what one asked or receives, or why one cannot join."""
    actor, language = request.user, pages.language(request)
    may_ask = requests.is_askable(filiere.stage, filiere.openness)
    call = marked("Demander à entrer") if may_ask else marked("Rejoindre la filière")
    if actor.member_id is None or not actor.may(Permission.JOIN_FILIERE):
        if not actor.is_visitor:
            return None
        refused = memberships.refusal(filiere.stage, filiere.openness)
        seen = {"state": "visitor", "refused": refused, "may_ask": may_ask}
        return Section(TEMPLATE, seen, call if may_ask or not refused else "")
    chosen = await preferences.of(actor.member_id, language)
    if mine := [one for one in chosen.filieres if one.filiere.id == filiere.id]:
        return Section(
            TEMPLATE, {"state": "member", "choices": mine[0]}, marked("Choisir vos mails")
        )
    context = await _door(actor.member_id, filiere, language)
    if not context["refused"]:
        return Section(TEMPLATE, context, marked("Rejoindre la filière"))
    if context["is_waiting"]:
        return Section(TEMPLATE, context, marked("Voir votre demande"))
    return Section(TEMPLATE, context, call if may_ask else "")


async def _door(member_id: int, filiere: FiliereView, language: str) -> dict[str, object]:
    """What somebody who is not in the filière sees of the way in."""
    asked = await requests.find_last(member_id, filiere.id, language)
    invited = await invitations.find_own(member_id, filiere.id, language)
    is_waiting = asked is not None and asked.state is State.OPEN
    is_approved = asked is not None and is_waiting and asked.is_approved
    joined = await memberships.list_of(member_id, language)
    limit = await quota.most()
    blank = await preferences.blank(language)
    if asked and is_approved:  # what they ticked while asking is ticked still
        rhythms = {one.topic: one.rhythm for one in asked.choices}
        blank = [msgspec.structs.replace(one, rhythm=rhythms.get(one.topic)) for one in blank]
    return {
        "state": "new", "asked": asked, "is_waiting": is_waiting, "invited": invited,
        "joined": joined, "limit": limit,
        "refused": memberships.refusal(
            filiere.stage, filiere.openness, has_pass=is_approved or invited is not None
        ),
        "may_ask": requests.is_askable(filiere.stage, filiere.openness),
        "choices": preferences.FiliereChoices(filiere, blank),
        "full": memberships.quota_reached(joined) if len(joined) >= limit else None,
        "method": await method.current(filiere.id),
        "message_length": requests.MESSAGE_LENGTH,
    }  # fmt: skip


@post("/filieres/{slug:str}/join", include_in_schema=False, status_code=303)
async def join_page(
    request: ActorRequest, slug: FromPath[str], data: Form
) -> Response[str] | Redirect:
    choices = await forms.read(data, "leaving", "method_version")
    language = pages.language(request)
    try:
        await memberships.join(
            request.user, slug, language, _trace(request, Screen.FILIERE),
            choices=choices, leaving=data.get("leaving", ""),
            method_version=forms.version(data.get("method_version", "")),
        )  # fmt: skip
    except memberships.QuotaReached as full:  # the way out is on the page, with what was chosen
        return pages.page(
            request, "subscriptions/full.html", status=full.status, full=full,
            filiere=await registry.get(slug, language),
            kept={name: text for name, text in data.items() if name != "leaving"},
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
        email=request.user.email, by_link=False, done=done, undo=undo, today=pauses.today(),
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


@post("/preferences/stop-filiere", include_in_schema=False, status_code=303)
async def stop_filiere(
    request: ActorRequest, data: URLEncodedBody[mail_routes.FiliereForm]
) -> Redirect:
    everything, trace = links.Holder(_own_id(request)), _trace(request, Screen.PREFERENCES)
    stopped = await consent.stop_filiere(everything, data.filiere, trace)
    return mail_routes.stopped("/preferences", stopped)


@post("/preferences/pause", include_in_schema=False, status_code=303)
async def pause(request: ActorRequest, data: URLEncodedBody[mail_routes.PauseForm]) -> Redirect:
    _own_id(request)
    await pauses.pause(request.user, pauses.read(data.until))
    return Redirect("/preferences?done=paused", status_code=303)


@post("/preferences/resume", include_in_schema=False, status_code=303)
async def resume(request: ActorRequest) -> Redirect:
    await pauses.resume(request.user)
    return Redirect("/preferences?done=resumed", status_code=303)


@post("/preferences/address", include_in_schema=False, status_code=303)
async def ask_address(request: ActorRequest) -> Redirect:
    await confirmations.ask_again(request.user)
    return Redirect("/preferences?done=address", status_code=303)


@post("/preferences/undo", include_in_schema=False, status_code=303)
async def undo_stop(request: ActorRequest, data: URLEncodedBody[mail_routes.UndoForm]) -> Redirect:
    member_id = _own_id(request)
    stopped = mail_routes.read_undo(data.undo, member_id)
    await consent.restore(stopped, _trace(request, Screen.PREFERENCES))
    return Redirect("/preferences?done=back", status_code=303)


@put(
    "/filieres/{slug:str}/membership", operation_id="joinFiliere", summary="Join a filière",
    description="Joining subscribes to no mail. Joining again changes nothing. Refused for want of "
    "a place, the problem has in `options` the slugs of what could be left. Where the filière has "
    "a method sheet, joining accepts its current version, which is named.",
    tags=["filieres"], responses=problems.responses(401, 403, 404, 409, 429),
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
    tags=["consents"], responses=problems.responses(401, 403, 409, 429),
)  # fmt: skip
async def set_my_consents(request: ActorRequest, data: JSONBody[ConsentChanges]) -> Consents:
    await consent.choose(request.user, data.choices, _trace(request, Screen.API))
    return await preferences.of(_own_id(request), pages.language(request))


@put(
    "/me/consents/pause", operation_id="pauseMyMails",
    summary="Receive nothing from any filière before a day",
    description="The choices stay as they are. At most a year.",
    tags=["consents"], responses=problems.responses(401, 403),
)  # fmt: skip
async def pause_my_mails(request: ActorRequest, data: JSONBody[PauseDraft]) -> Consents:
    await pauses.pause(request.user, data.until)
    return await preferences.of(_own_id(request), pages.language(request))


@delete(
    "/me/consents/pause", operation_id="resumeMyMails", summary="End the pause of one's mails",
    tags=["consents"], responses=problems.responses(401, 403),
)  # fmt: skip
async def resume_my_mails(request: ActorRequest) -> None:
    await pauses.resume(request.user)


@post(
    "/me/consents/address", operation_id="confirmMyAddress", status_code=202,
    summary="Have the mail sent again that confirms one's address",
    description="No mailing goes to an address before. Changes nothing once it is confirmed.",
    tags=["consents"], responses=problems.responses(401, 403, 429),
)  # fmt: skip
async def confirm_my_address(request: ActorRequest) -> None:
    await confirmations.ask_again(request.user)


def _own_id(request: ActorRequest) -> int:
    request.user.require(Permission.JOIN_FILIERE)
    return request.user.require_member()


API = [
    join_filiere, leave_filiere, my_consents, set_my_consents, pause_my_mails, resume_my_mails,
    confirm_my_address, *history_routes.API, *request_routes.API, *invitation_routes.API,
    *roster_routes.API, *suggestion_routes.API,
]  # fmt: skip
PAGES = [
    join_page, leave_page, choose_page, preferences_page, save_preferences, stop_all, stop_filiere,
    pause, resume, ask_address, undo_stop, *history_routes.PAGES, *mail_routes.PAGES,
    *asked_routes.PAGES, *request_routes.PAGES, *invitation_routes.PAGES, *roster_routes.PAGES,
    *suggestion_routes.PAGES,
]  # fmt: skip
