"""Events as iCalendar: a file for one, a feed for a filière."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import msgspec
from icalendar.prop import vText

from directory import languages, settings
from directory.accounts.actor import Actor
from directory.events import captions, listings, zones
from directory.events.listings import EventView
from directory.filieres import registry

MEDIA_TYPE = "text/calendar"  # Litestar adds the charset
PAST = timedelta(days=90)
REFRESH = timedelta(hours=6)


class Feed(msgspec.Struct, frozen=True):
    """A calendar as it is sent. `etag` changes when a byte does."""

    content: bytes
    changed_at: datetime | None

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'


async def of_filiere(actor: Actor, slug: str, language: str) -> Feed:
    """The filière's events that the actor may see: those to come, and 90 days of the past.

    :raises errors.NotFound: when no filière has this address.
    """
    filiere = await registry.get(slug, language)
    since = datetime.now(UTC) - PAST
    events = await listings.list_whole(actor, filiere.id, since, language)
    return _feed(events, language, name=f"{filiere.name}, {settings.current().name}")


async def of_event(actor: Actor, event_id: int, language: str) -> Feed:
    """:raises errors.NotFound: when there is none, or when the actor may not see it."""
    return _feed([await listings.get(actor, event_id, language)], language)


def _feed(events: Sequence[EventView], language: str, name: str = "") -> Feed:
    calendar = icalendar.Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", f"-//Filieres//Directory//{language.upper()}")
    calendar.add("CALSCALE", "GREGORIAN")
    if name:
        # Not Calendar.new(name=...): it does not escape.
        calendar.add("NAME", vText(name))
        calendar.add("X-WR-CALNAME", vText(name))
        calendar.add("REFRESH-INTERVAL", REFRESH, parameters={"VALUE": "DURATION"})
        calendar.add("X-PUBLISHED-TTL", REFRESH)
    for zone in sorted({event.timezone for event in events} - {"UTC"}):
        there = [event for event in events if event.timezone == zone]
        first, last = min(e.starts_at for e in there), max(e.ends_at for e in there)
        calendar.add_component(zones.component(ZoneInfo(zone), first, last))
    for event in events:
        calendar.add_component(_component(event, language))
    changed_at = max((event.updated_at for event in events), default=None)
    return Feed(calendar.to_ical(), changed_at)


def _component(event: EventView, language: str) -> icalendar.Event:
    """DTSTAMP is the time of the last change: a calendar without METHOD (RFC 5545, 3.8.7.2)."""
    link = f"{settings.current().public_url}/events/{event.id}"
    place = ", ".join(filter(None, [event.location, event.place.label if event.place else ""]))
    kind = languages.translate(language, captions.KINDS[event.kind])
    text = "\n\n".join(filter(None, [event.description, event.online_url, link]))
    component = icalendar.Event()
    component.add("UID", event.uid)
    component.add("SEQUENCE", event.sequence)
    component.add("DTSTAMP", event.updated_at)
    component.add("CREATED", event.created_at)
    component.add("LAST-MODIFIED", event.updated_at)
    component.add("DTSTART", _written(event.starts_local))
    component.add("DTEND", _written(event.ends_local))
    component.add("SUMMARY", event.title)
    component.add("DESCRIPTION", text)
    component.add("LOCATION", place or event.online_url)
    component.add("CATEGORIES", [kind, *(filiere.name for filiere in event.filieres)])
    component.add("STATUS", "CANCELLED" if event.cancelled_at else "CONFIRMED")
    component.add("URL", link)
    return component


def _written(local: datetime) -> datetime:
    """In UTC in the hour that the clock repeats: a local time means the first one there."""
    return local.astimezone(UTC) if local.fold else local
