"""The agenda: pages, calendars and API."""

import enum
from collections.abc import Iterable
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Annotated

from litestar import Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts.actor import ALLOWED_BY_ROLE, VISITOR, Permission, filiere_scope
from directory.accounts.authentication import ActorRequest
from directory.events import calendar, captions, drafts, forms, listings
from directory.events.drafts import HOME_ZONE, EventDraft, EventKind
from directory.events.forms import EventForm
from directory.events.listings import EventCard, EventFilter, EventView
from directory.filieres import registry, sections
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef, FiliereView
from directory.filieres.sections import Section, Spot
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber
from directory.languages import marked

PAGE_LENGTH = 20
ON_FILIERE = 3
MOST_CHOICES = 200

Slug = Annotated[str, QueryParameter(max_length=100, description="A filière's slug.")]
Since = Annotated[
    str,
    QueryParameter(
        name="from", max_length=10,
        description="A day in Brussels: `2027-01-31`. Without `from` and `to`: what is not over.",
    ),
]  # fmt: skip
Until = Annotated[
    str, QueryParameter(name="to", max_length=10, description="A day in Brussels, included.")
]
Kind = Annotated[EventKind | None, QueryParameter(description="Only events of this kind.")]


class Done(enum.Enum):
    LISTED = "listed"
    CHANGED = "changed"
    CANCELLED = "cancelled"


DONE = {
    Done.LISTED: marked("La date est dans l’agenda."),
    Done.CHANGED: marked(
        "La date est modifiée. Les agendas abonnés le voient à leur prochain passage."
    ),
    Done.CANCELLED: marked("La date est annulée. Elle reste visible, barrée du mot « annulé »."),
}


@get("/events", include_in_schema=False)
async def agenda_page(
    request: ActorRequest, filiere: Slug = "", kind: Kind = None, page: PageNumber = 1
) -> Response[str]:
    actor, language = request.user, pages.language(request)
    chosen = await listings.wanted_filiere("filiere", filiere, language) if filiere else None
    filiere_id = chosen.id if chosen else None
    wanted = EventFilter(filiere_id=filiere_id, kind=kind)
    return pages.page(
        request, "events/agenda.html",
        listing=await listings.list_events(actor, language, wanted, page=page, limit=PAGE_LENGTH),
        by_filiere=await listings.count_by_filiere(actor, language, kind),
        by_kind=await listings.count_by_kind(actor, filiere_id),
        filiere=chosen, kind=kind, captions=captions,
        may_list=bool(await _choices(request, [chosen] if chosen else [])),
    )  # fmt: skip


@get("/events/{event_id:int}", include_in_schema=False)
async def event_page(
    request: ActorRequest, event_id: FromPath[int], done: FromQuery[Done | None] = None
) -> Response[str]:
    actor, language = request.user, pages.language(request)
    event = await listings.get(actor, event_id, language)
    following = [
        card
        for filiere in event.filieres[:1]
        for card in await listings.upcoming(actor, filiere.id, ON_FILIERE, language, after=event)
    ]
    return pages.page(
        request, "events/event.html", event=event, events=following,
        may_change=listings.may_change(actor, event), captions=captions,
        done=DONE[done] if done else "",
    )  # fmt: skip


@get("/events/new", include_in_schema=False)
async def new_page(request: ActorRequest, filiere: Slug = "") -> Response[str]:
    actor, language = request.user, pages.language(request)
    chosen = [await listings.wanted_filiere("filiere", filiere, language)] if filiere else []
    for one in chosen:
        actor.require(Permission.LIST_EVENTS, filiere_scope(one.id))
    choices = await _choices(request, chosen)
    if not choices:
        actor.require(Permission.LIST_EVENTS)
    slugs = [one.slug for one in chosen or choices[:1]]
    return _form_page(request, EventForm(filieres=slugs, language=language), choices)


@post("/events/new", include_in_schema=False, status_code=303)
async def list_event(
    request: ActorRequest, data: URLEncodedBody[EventForm]
) -> Redirect | Response[str]:
    language = pages.language(request)
    try:
        event = await listings.create(request.user, await forms.draft(data, language), language)
    except errors.Malformed as problem:  # shown beside the fields, with what was typed
        return _form_page(
            request, data, await _choices(request, await _named(data, language)), problem
        )
    return Redirect(f"/events/{event.id}?done=listed", status_code=303)


@get("/events/{event_id:int}/edit", include_in_schema=False)
async def edit_page(request: ActorRequest, event_id: FromPath[int]) -> Response[str]:
    event = await listings.changeable(request.user, event_id, pages.language(request))
    choices = await _choices(request, event.filieres)
    return _form_page(request, forms.shown(event), choices, event=event)


@post("/events/{event_id:int}/edit", include_in_schema=False, status_code=303)
async def edit_event(
    request: ActorRequest, event_id: FromPath[int], data: URLEncodedBody[EventForm]
) -> Redirect | Response[str]:
    language = pages.language(request)
    event = await listings.changeable(request.user, event_id, language)
    try:
        await listings.edit(request.user, event_id, await forms.draft(data, language), language)
    except errors.Malformed as problem:  # shown beside the fields, with what was typed
        return _form_page(request, data, await _choices(request, event.filieres), problem, event)
    return Redirect(f"/events/{event_id}?done=changed", status_code=303)


@get("/events/{event_id:int}/cancel", include_in_schema=False)
async def cancel_page(request: ActorRequest, event_id: FromPath[int]) -> Response[str]:
    event = await listings.changeable(request.user, event_id, pages.language(request))
    return pages.page(request, "events/cancel.html", event=event)


@post("/events/{event_id:int}/cancel", include_in_schema=False, status_code=303)
async def cancel_event(request: ActorRequest, event_id: FromPath[int]) -> Redirect:
    await listings.cancel(request.user, event_id, pages.language(request))
    return Redirect(f"/events/{event_id}?done=cancelled", status_code=303)


@get("/filieres/{slug:str}/calendar.ics", include_in_schema=False)
async def filiere_calendar(request: ActorRequest, slug: FromPath[str]) -> Response[bytes]:
    """Calendar programs fetch it without a session: it holds what a visitor may see."""
    feed = await calendar.of_filiere(VISITOR, slug, pages.language(request))
    return _calendar(request, feed, f"{slug}.ics")


@get("/events/{event_id:int}/event.ics", include_in_schema=False)
async def event_calendar(request: ActorRequest, event_id: FromPath[int]) -> Response[bytes]:
    feed = await calendar.of_event(request.user, event_id, pages.language(request))
    return _calendar(request, feed, f"event-{event_id}.ics")


@sections.add(Spot.DATES)
async def _dates(request: ActorRequest, filiere: FiliereView) -> Section | None:
    """Nothing for a filière without a date that is not yet launched, or closed."""
    events = await listings.upcoming(request.user, filiere.id, ON_FILIERE, pages.language(request))
    if not events and (filiere.is_proposal or filiere.stage is Stage.CLOSED):
        return None
    may_list = request.user.may(Permission.LIST_EVENTS, filiere_scope(filiere.id))
    context = {"events": events, "slug": filiere.slug, "may_list": may_list}
    return Section("events/of_filiere.html", context)


def _calendar(request: ActorRequest, feed: calendar.Feed, name: str) -> Response[bytes]:
    headers = {
        "ETag": feed.etag,
        "Cache-Control": "private, no-cache",
        "Vary": "Cookie, Authorization, Accept-Language",
    }
    if feed.changed_at:
        headers["Last-Modified"] = format_datetime(feed.changed_at, usegmt=True)
    known = {
        tag.strip().removeprefix("W/")
        for tag in request.headers.get("if-none-match", "").split(",")
    }
    if known & {feed.etag, "*"}:
        return Response(b"", status_code=304, media_type=calendar.MEDIA_TYPE, headers=headers)
    headers["Content-Disposition"] = f'inline; filename="{name}"'
    return Response(feed.content, media_type=calendar.MEDIA_TYPE, headers=headers)


def _form_page(
    request: ActorRequest, form: EventForm, choices: Iterable[FiliereRef],
    problem: errors.Malformed | None = None, event: EventView | None = None,
) -> Response[str]:  # fmt: skip
    wrong = {fault.field: fault for fault in reversed(problem.fields)} if problem else {}
    zone = form.timezone if form.timezone in drafts.zones() else HOME_ZONE
    return pages.page(
        request, "events/form.html", status=400 if problem else 200, form=form,
        choices=choices, wrong=wrong, event=event, captions=captions,
        zones=[zone, *(other for other in captions.ZONES if other != zone)],
    )  # fmt: skip


async def _choices(request: ActorRequest, also: Iterable[FiliereRef]) -> list[FiliereRef]:
    """The filières where the actor may list events: the ones they run, and these if they may."""
    actor, language = request.user, pages.language(request)
    own: Iterable[FiliereRef] = await registry.animated_by(
        actor, language, roles=ALLOWED_BY_ROLE[Permission.LIST_EVENTS]
    )
    if actor.may(Permission.LIST_EVENTS):
        every = await registry.list_filieres(actor, language, page=1, limit=MOST_CHOICES)
        own = (one for one in every.items if one.stage is not Stage.CLOSED)
    found = {one.id: one for one in [*own, *also]}
    return [
        one for one in found.values() if actor.may(Permission.LIST_EVENTS, filiere_scope(one.id))
    ]


async def _named(form: EventForm, language: str) -> list[FiliereRef]:
    """The filières that are ticked, as far as they exist."""
    found = [await registry.find(slug, language) for slug in form.slugs[:PAGE_LENGTH]]
    return [one for one in found if one]


@get(
    "/events", operation_id="listEvents", tags=["events"],
    summary="Events, soonest first", responses=problems.responses(),
)  # fmt: skip
async def list_events(
    request: ActorRequest, *, filiere: Slug = "", kind: Kind = None, since: Since = "",
    until: Until = "", page: PageNumber = 1, limit: PageLimit = PAGE_LENGTH,
) -> Listing[EventCard]:  # fmt: skip
    """What the reader may see: public events; those for members; those of their filières."""
    language = pages.language(request)
    first, last = _day("from", since), _day("to", until)
    if first and last and last < first:
        raise errors.Malformed.field(
            "to", marked("Ce jour vient avant « from ». Indiquez par exemple %(example)s."),
            example=first.isoformat(),
        )  # fmt: skip
    chosen = await listings.wanted_filiere("filiere", filiere, language) if filiere else None
    wanted = EventFilter(
        filiere_id=chosen.id if chosen else None, kind=kind, since=first, until=last
    )
    return await listings.list_events(request.user, language, wanted, page=page, limit=limit)


def _day(name: str, typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError as error:
        raise errors.Malformed.field(
            name, marked("Ce jour ne se lit pas. Indiquez par exemple %(example)s."),
            example=f"{datetime.now(UTC):%Y-%m-%d}",
        ) from error  # fmt: skip


@get(
    "/events/{event_id:int}", operation_id="getEvent", tags=["events"],
    summary="One event", responses=problems.responses(404),
)  # fmt: skip
async def get_event(request: ActorRequest, event_id: FromPath[int]) -> EventView:
    """An event that the reader may not see answers as one that does not exist."""
    return await listings.get(request.user, event_id, pages.language(request))


@post(
    "/events", operation_id="createEvent", tags=["events"],
    summary="List an event", responses=problems.responses(401, 403),
)  # fmt: skip
async def create_event(request: ActorRequest, data: JSONBody[EventDraft]) -> EventView:
    """For the animators of every filière that it names."""
    return await listings.create(request.user, data, pages.language(request))


@put(
    "/events/{event_id:int}", operation_id="updateEvent", tags=["events"],
    summary="Change an event", responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def update_event(
    request: ActorRequest, event_id: FromPath[int], data: JSONBody[EventDraft]
) -> EventView:
    """Raises its sequence. Calendars that hold it show the change."""
    return await listings.edit(request.user, event_id, data, pages.language(request))


@post(
    "/events/{event_id:int}/cancel", operation_id="cancelEvent", tags=["events"], status_code=200,
    summary="Call an event off", responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def call_off(request: ActorRequest, event_id: FromPath[int]) -> EventView:
    """It stays in lists and calendars, as cancelled."""
    return await listings.cancel(request.user, event_id, pages.language(request))


API = [list_events, get_event, create_event, update_event, call_off]
PAGES = [
    agenda_page, event_page, new_page, list_event, edit_page, edit_event, cancel_page,
    cancel_event, filiere_calendar, event_calendar,
]  # fmt: skip
