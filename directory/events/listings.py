"""Events: who may see them, and what their animators do with them."""

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from directory import db, errors, jobs
from directory.accounts import audit
from directory.accounts.actor import ALLOWED_BY_ROLE, Actor, Permission, filiere_scope
from directory.events import captions, drafts
from directory.events.drafts import CheckedDraft, EventAudience, EventDraft, EventKind
from directory.filieres import registry
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef
from directory.http.listing import Listing
from directory.languages import marked
from directory.members import vocabulary

LARGEST_ID = 2**63 - 1


class EventListed(msgspec.Struct, frozen=True):
    event_id: int


class EventChanged(msgspec.Struct, frozen=True):
    event_id: int


class EventCancelled(msgspec.Struct, frozen=True):
    event_id: int


class EventIsCancelled(errors.Conflict):
    kind = "event-is-cancelled"
    title = "Cette date est annulée"


class EventIsPast(errors.Conflict):
    kind = "event-is-past"
    title = "Cette date est passée"


class EventHasChanged(errors.Conflict):
    kind = "event-has-changed"
    title = "Cette date a changé entre-temps"


class EventPlace(msgspec.Struct, frozen=True):
    """A town. `name` is in the reader's language."""

    code: str
    postal_code: str
    name: str

    @property
    def label(self) -> str:
        return f"{self.postal_code} {self.name}"


class EventCard(msgspec.Struct, frozen=True, kw_only=True):
    """An event in a list. Instants are in UTC; `timezone` is where it happens."""

    id: int
    kind: EventKind
    audience: EventAudience
    title: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    location: str
    place: EventPlace | None
    is_online: bool
    capacity: int | None
    price_cents: int
    filieres: list[FiliereRef]
    cancelled_at: datetime | None

    @property
    def starts_local(self) -> datetime:
        return self.starts_at.astimezone(ZoneInfo(self.timezone))

    @property
    def ends_local(self) -> datetime:
        return self.ends_at.astimezone(ZoneInfo(self.timezone))

    @property
    def kind_name(self) -> str:
        return captions.KINDS[self.kind]

    @property
    def is_past(self) -> bool:
        return self.ends_at <= datetime.now(UTC)


class EventView(EventCard, frozen=True, kw_only=True):
    """An event. `sequence` rises with each change, as in iCalendar; `uid` never changes."""

    uid: str
    description: str
    online_url: str
    language: str
    accessibility: str
    sequence: int
    created_at: datetime
    updated_at: datetime

    @property
    def paragraphs(self) -> list[list[str]]:
        """The description: paragraphs of lines."""
        return [part.strip("\n").split("\n") for part in self.description.split("\n\n") if part]


Shape = TypeVar("Shape", bound=EventCard)


class EventFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events: of now and later, or those that touch the days `since` to `until`."""

    filiere_id: int | None = None
    kind: EventKind | None = None
    since: date | None = None
    until: date | None = None


class Sight(msgspec.Struct, frozen=True):
    """What an actor sees: the first parameters of every query below.

    Events of these audiences, those of filières that the actor runs, and those of filières that
    this member is in.
    """

    audiences: list[str]
    run: list[int]
    member_id: int | None

    @property
    def parameters(self) -> tuple[list[str], list[int], int | None]:
        return self.audiences, self.run, self.member_id


def visible_to(actor: Actor) -> Sight:
    """The one definition of what an actor may see. A token sees within its scopes."""
    reads = actor.may(Permission.READ_MEMBERS)
    held = {
        grant.scope
        for grant in actor.grants
        if grant.role in ALLOWED_BY_ROLE[Permission.LIST_EVENTS]
    }
    run = {scope for scope in held if reads or actor.may(Permission.LIST_EVENTS, scope)}
    if "" in run:
        audiences = list(EventAudience)
    elif reads:
        audiences = [EventAudience.PUBLIC, EventAudience.MEMBERS]
    else:
        audiences = [EventAudience.PUBLIC]
    return Sight(
        [audience.value for audience in audiences],
        [int(scope.removeprefix("filiere:")) for scope in sorted(run) if scope],
        actor.member_id if reads else None,
    )


_VISIBLE = """(e.audience::text = ANY($1::text[]) OR EXISTS (
    SELECT FROM event_filiere x WHERE x.event_id = e.id AND (x.filiere_id = ANY($2::bigint[])
        OR EXISTS (SELECT FROM membership m WHERE m.filiere_id = x.filiere_id
            AND m.member_id = $3::bigint AND m.left_at IS NULL))))"""
# $4 filière, $5 kind, $6 and $7 days in Brussels. Without days: what is not over yet.
_WANTED = f"""{_VISIBLE}
    AND ($4::bigint IS NULL OR EXISTS (
        SELECT FROM event_filiere y WHERE y.event_id = e.id AND y.filiere_id = $4))
    AND ($5::text IS NULL OR e.kind::text = $5)
    AND e.ends_at > CASE WHEN $6::date IS NULL AND $7::date IS NULL THEN now()
        WHEN $6::date IS NULL THEN '-infinity'
        ELSE $6::date::timestamp AT TIME ZONE 'Europe/Brussels' END
    AND ($7::date IS NULL
        OR e.starts_at < ($7::date + 1)::timestamp AT TIME ZONE 'Europe/Brussels')"""
_SELECT = """
    SELECT e.id, e.uid, e.kind::text AS kind, e.audience::text AS audience, e.title, e.description,
        e.starts_at, e.ends_at, e.timezone, e.location, e.online_url,
        e.online_url <> '' AS is_online, e.language, e.accessibility, e.capacity,
        e.price_cents, e.sequence, e.created_at, e.updated_at, e.cancelled_at,
        p.code AS place_code, p.postal_code, p.label_fr, p.label_nl,
        ARRAY(SELECT filiere_id FROM event_filiere z WHERE z.event_id = e.id ORDER BY 1)
            AS filiere_ids
    FROM event e LEFT JOIN place p ON p.id = e.place_id
"""
_COUNT = f"SELECT count(*) FROM event e WHERE {_WANTED}"  # noqa: S608 - of our own constants
_COUNT_BY_FILIERE = f"""
    SELECT f.filiere_id, count(*) AS count
    FROM event e JOIN event_filiere f ON f.event_id = e.id
    WHERE {_WANTED} GROUP BY f.filiere_id ORDER BY count DESC, f.filiere_id
"""  # noqa: S608 - of our own constants
_COUNT_BY_KIND = f"""
    SELECT e.kind::text AS kind, count(*) AS count
    FROM event e WHERE {_WANTED} GROUP BY e.kind ORDER BY count DESC, e.kind
"""  # noqa: S608 - of our own constants


async def list_events(
    actor: Actor, language: str, wanted: EventFilter, *, page: int = 1, limit: int = 20
) -> Listing[EventCard]:
    """The soonest first. Cancelled ones are among them, and say so."""
    asked = (*visible_to(actor).parameters, *_parameters(wanted))
    async with db.connection() as reader:
        total: int = await reader.fetchval(_COUNT, *asked)
        rows = await reader.fetch(
            f"{_SELECT} WHERE {_WANTED} ORDER BY e.starts_at, e.id LIMIT $8 OFFSET $9",
            *asked, limit, (page - 1) * limit,
        )  # fmt: skip
    cards = await _shape(rows, language, EventCard)
    return Listing(items=cards, total=total, page=page, limit=limit)


async def upcoming(
    actor: Actor, filiere_id: int, limit: int, language: str, after: EventCard | None = None
) -> list[EventCard]:
    """The next dates of a filière that the actor may see, without the cancelled ones."""
    asked = (*visible_to(actor).parameters, *_parameters(EventFilter(filiere_id=filiere_id)))
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_SELECT} WHERE {_WANTED} AND e.cancelled_at IS NULL "
            "AND ($9::timestamptz IS NULL OR (e.starts_at, e.id) > ($9, $10::bigint)) "
            "ORDER BY e.starts_at, e.id LIMIT $8",
            *asked, limit, after and after.starts_at, after and after.id,
        )  # fmt: skip
    return await _shape(rows, language, EventCard)


async def list_whole(
    actor: Actor, filiere_id: int, since: datetime, language: str
) -> list[EventView]:
    """Every event of a filière that ends after `since`, cancelled ones too: for its calendar."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_SELECT} JOIN event_filiere f ON f.event_id = e.id AND f.filiere_id = $4 "
            f"WHERE {_VISIBLE} AND e.ends_at > $5 ORDER BY e.starts_at, e.id",
            *visible_to(actor).parameters, filiere_id, since,
        )  # fmt: skip
    return await _shape(rows, language, EventView)


async def count_by_filiere(
    actor: Actor, language: str, kind: EventKind | None = None
) -> list[tuple[FiliereRef, int]]:
    """Upcoming events that the actor may see, for each filière that has some; most first."""
    asked = (*visible_to(actor).parameters, *_parameters(EventFilter(kind=kind)))
    async with db.connection() as reader:
        rows = await reader.fetch(_COUNT_BY_FILIERE, *asked)
    refs = await registry.refs([row["filiere_id"] for row in rows], language)
    return [(refs[row["filiere_id"]], row["count"]) for row in rows]


async def count_by_kind(actor: Actor, filiere_id: int | None = None) -> list[tuple[EventKind, int]]:
    """Upcoming events that the actor may see, for each kind that there is; most first."""
    asked = (*visible_to(actor).parameters, *_parameters(EventFilter(filiere_id=filiere_id)))
    async with db.connection() as reader:
        rows = await reader.fetch(_COUNT_BY_KIND, *asked)
    return [(EventKind(row["kind"]), row["count"]) for row in rows]


async def get(actor: Actor, event_id: int, language: str) -> EventView:
    """:raises errors.NotFound: when there is none, or when the actor may not see it."""
    return await _get(actor, event_id, language)


async def titles(actor: Actor, event_ids: Sequence[int]) -> dict[int, str]:
    """By number, of those that the actor may see."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"SELECT e.id, e.title FROM event e WHERE {_VISIBLE} AND e.id = ANY($4::bigint[])",  # noqa: S608 - of our own constants
            *visible_to(actor).parameters, list(event_ids),
        )  # fmt: skip
    return {row["id"]: row["title"] for row in rows}


def may_change(actor: Actor, event: EventCard) -> bool:
    return all(
        actor.may(Permission.LIST_EVENTS, filiere_scope(filiere.id)) for filiere in event.filieres
    )


async def changeable(actor: Actor, event_id: int, language: str) -> EventView:
    """The event, for a page where it is changed.

    :raises errors.NotFound: SignInNeeded, Forbidden; EventIsCancelled, EventIsPast.
    """
    return _require_change(actor, await _get(actor, event_id, language))


async def create(actor: Actor, draft: EventDraft, language: str) -> EventView:
    """List an event. The actor needs the permission in each of its filières.

    :raises errors.Malformed: with every value that is wrong. SignInNeeded, Forbidden.
    """
    async with db.transaction() as opened:
        filieres = await _filieres(actor, draft, language)
        checked = drafts.check(draft, language)
        event_id: int = await opened.fetchval(
            """
            INSERT INTO event (kind, audience, title, description, starts_at, ends_at, timezone,
                location, place_id, online_url, language, accessibility, capacity, price_cents,
                uid, created_by)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            RETURNING id
            """,
            *await _columns(draft, checked), str(uuid.uuid4()), actor.account_id,
        )  # fmt: skip
        await _belong(opened, event_id, filieres)
        await audit.record(actor, "event.listed", subject=f"event:{event_id}")
        await jobs.emit(EventListed(event_id))
        return await _get(actor, event_id, language)


async def edit(actor: Actor, event_id: int, draft: EventDraft, language: str) -> EventView:
    """Change an event, and raise its sequence. It must be the actor's in its filières, old and new.

    :raises errors.Malformed: NotFound, SignInNeeded, Forbidden; EventIsCancelled, EventIsPast,
        EventHasChanged.
    """
    async with db.transaction() as opened:
        before = _require_change(actor, await _get(actor, event_id, language, lock=True))
        if draft.sequence is not None and draft.sequence != before.sequence:
            raise EventHasChanged(
                marked(
                    "Quelqu’un a modifié cette date pendant que vous écriviez. "
                    "Relisez-la, puis recommencez."
                )
            )
        filieres = await _filieres(actor, draft, language, before.filieres)
        checked = drafts.check(draft, language, began_at=before.starts_at)
        await opened.execute(
            """
            UPDATE event SET (kind, audience, title, description, starts_at, ends_at, timezone,
                location, place_id, online_url, language, accessibility, capacity, price_cents,
                sequence, updated_at)
                = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, sequence + 1, now())
            WHERE id = $15
            """,
            *await _columns(draft, checked), event_id,
        )  # fmt: skip
        await opened.execute("DELETE FROM event_filiere WHERE event_id = $1", event_id)
        await _belong(opened, event_id, filieres)
        await audit.record(actor, "event.changed", subject=f"event:{event_id}")
        await jobs.emit(EventChanged(event_id))
        return await _get(actor, event_id, language)


async def cancel(actor: Actor, event_id: int, language: str) -> EventView:
    """Call an event off, and raise its sequence. It stays in lists and calendars, as cancelled.

    :raises errors.NotFound: SignInNeeded, Forbidden; EventIsCancelled, EventIsPast.
    """
    async with db.transaction() as opened:
        _require_change(actor, await _get(actor, event_id, language, lock=True))
        await opened.execute(
            "UPDATE event SET cancelled_at = now(), updated_at = now(), sequence = sequence + 1 "
            "WHERE id = $1",
            event_id,
        )
        await audit.record(actor, "event.cancelled", subject=f"event:{event_id}")
        await jobs.emit(EventCancelled(event_id))
        return await _get(actor, event_id, language)


def _parameters(wanted: EventFilter) -> tuple[int | None, str | None, date | None, date | None]:
    kind = wanted.kind.value if wanted.kind else None
    return wanted.filiere_id, kind, wanted.since, wanted.until


async def _get(actor: Actor, event_id: int, language: str, *, lock: bool = False) -> EventView:
    async with db.connection() as reader:
        row = await reader.fetchrow(
            f"{_SELECT} WHERE {_VISIBLE} AND e.id = $4{' FOR UPDATE OF e' if lock else ''}",
            *visible_to(actor).parameters, max(0, min(event_id, LARGEST_ID)),
        )  # fmt: skip
    if row is None:
        raise errors.NotFound(
            marked("Cette date n’existe pas, ou elle n’est pas ouverte à tout le monde.")
        )
    return (await _shape([row], language, EventView))[0]


def _require_change(actor: Actor, event: EventView) -> EventView:
    for filiere in event.filieres:
        actor.require(Permission.LIST_EVENTS, filiere_scope(filiere.id))
    if not event.filieres:
        actor.require(Permission.LIST_EVENTS)
    if event.cancelled_at:
        raise EventIsCancelled(marked("Cette date est annulée. Listez-en une autre."))
    if event.is_past:
        raise EventIsPast(marked("Cette date est passée. Listez-en une autre."))
    return event


async def _filieres(
    actor: Actor, draft: EventDraft, language: str, before: Sequence[FiliereRef] = ()
) -> list[FiliereRef]:
    if actor.is_visitor:
        raise errors.SignInNeeded
    slugs = list(dict.fromkeys(draft.filieres))[: drafts.MOST_FILIERES]
    found = [await wanted_filiere("filieres", slug, language) for slug in slugs]
    for filiere in found:
        actor.require(Permission.LIST_EVENTS, filiere_scope(filiere.id))
        if filiere.stage is Stage.CLOSED and filiere not in before:
            raise errors.Malformed.field(
                "filieres", marked("La filière %(name)s est fermée."), name=filiere.name
            )
    return found


async def wanted_filiere(field: str, slug: str, language: str) -> FiliereRef:
    """:raises errors.Malformed: naming the parameter, when no filière has this address."""
    filiere = await registry.find(slug, language)
    if filiere is None or filiere.slug != slug:
        raise errors.Malformed.field(
            field, marked("La filière « %(slug)s » n’existe pas."), slug=slug[:100]
        )
    return filiere


async def _columns(draft: EventDraft, checked: CheckedDraft) -> tuple[object, ...]:
    place_ids = await vocabulary.ids("place", [draft.place] if draft.place else [], "place")
    return (
        draft.kind.value, draft.audience.value, checked.title, checked.description,
        checked.starts_at, checked.ends_at, checked.timezone, checked.location,
        place_ids[0] if place_ids else None,
        checked.online_url, checked.language, checked.accessibility, draft.capacity,
        draft.price_cents,
    )  # fmt: skip


async def _belong(opened: asyncpg.Connection, event_id: int, filieres: list[FiliereRef]) -> None:
    await opened.executemany(
        "INSERT INTO event_filiere (event_id, filiere_id) VALUES ($1, $2)",
        [(event_id, filiere.id) for filiere in filieres],
    )


async def _shape(rows: list[asyncpg.Record], language: str, shape: type[Shape]) -> list[Shape]:
    ids = {filiere_id for row in rows for filiere_id in row["filiere_ids"]}
    refs = await registry.refs(ids, language) if ids else {}
    return [msgspec.convert(_values(row, refs, language), shape) for row in rows]


def _values(row: asyncpg.Record, refs: dict[int, FiliereRef], language: str) -> dict[str, object]:
    label = row["label_nl"] if language == "nl" else row["label_fr"]
    return {
        **row,
        "place": EventPlace(row["place_code"], row["postal_code"], label)
        if row["place_code"]
        else None,
        "filieres": [refs[filiere_id] for filiere_id in row["filiere_ids"]],
    }
