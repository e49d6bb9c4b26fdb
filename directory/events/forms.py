"""The form in which an animator writes an event: what is typed, as it is typed."""

import re
from decimal import Decimal

import msgspec

from directory import errors
from directory.errors import FieldError
from directory.events.drafts import HOME_ZONE, EventAudience, EventDraft, EventKind
from directory.events.listings import EventView
from directory.languages import marked
from directory.members import vocabulary

PLACE_LENGTH = 100
_EUROS = re.compile(r"\d{1,6}([.,]\d{1,2})?", re.ASCII)


class EventForm(msgspec.Struct, kw_only=True):
    """Days and times are those of the browser's own fields: 2027-01-31 and 18:30."""

    title: str = ""
    kind: str = "meeting"
    filieres: list[str] | str = []
    starts_on: str = ""
    starts_time: str = ""
    ends_on: str = ""
    ends_time: str = ""
    timezone: str = HOME_ZONE
    audience: str = "members"
    description: str = ""
    location: str = ""
    place: str = ""
    online_url: str = ""
    language: str = "fr"
    accessibility: str = ""
    capacity: str = ""
    price: str = ""
    sequence: str = ""

    @property
    def slugs(self) -> list[str]:
        """A form with one box ticked sends a text, with several a list."""
        return [self.filieres] if isinstance(self.filieres, str) else self.filieres


def shown(event: EventView) -> EventForm:
    """The form of an event that is there."""
    starts, ends = event.starts_local, event.ends_local
    return EventForm(
        title=event.title,
        kind=event.kind.value,
        filieres=[filiere.slug for filiere in event.filieres],
        starts_on=f"{starts:%Y-%m-%d}",
        starts_time=f"{starts:%H:%M}",
        ends_on=f"{ends:%Y-%m-%d}",
        ends_time=f"{ends:%H:%M}",
        timezone=event.timezone,
        audience=event.audience.value,
        description=event.description,
        location=event.location,
        place=event.place.label if event.place else "",
        online_url=event.online_url,
        language=event.language,
        accessibility=event.accessibility,
        capacity=str(event.capacity or ""),
        price=_euros(event.price_cents),
        sequence=str(event.sequence),
    )


async def draft(form: EventForm, language: str) -> EventDraft:
    """:raises errors.Malformed: for a choice, a figure or a town that cannot be read at all."""
    faults: list[FieldError] = []
    figures = {
        "capacity": _figure(form.capacity, "capacity", faults),
        "sequence": _figure(form.sequence, "sequence", faults),
    }
    cents = _cents(form.price, faults)
    place = await _place(form.place, language, faults)
    choices = {
        "kind": (form.kind, {kind.value for kind in EventKind}),
        "audience": (form.audience, {audience.value for audience in EventAudience}),
    }
    for field, (typed, known) in choices.items():
        if typed not in known:
            faults.append(FieldError(field, marked("Cette valeur n’existe pas.")))
    if faults:
        raise errors.Malformed(faults[0].message, tuple(faults), **faults[0].params)
    return EventDraft(
        title=form.title,
        kind=EventKind(form.kind),
        filieres=form.slugs,
        starts_at=f"{form.starts_on.strip()} {form.starts_time.strip()}",
        ends_at=f"{form.ends_on.strip() or form.starts_on.strip()} {form.ends_time.strip()}",
        timezone=form.timezone,
        audience=EventAudience(form.audience),
        description=form.description,
        location=form.location,
        place=place,
        online_url=form.online_url,
        language=form.language,
        accessibility=form.accessibility,
        capacity=figures["capacity"],
        price_cents=cents,
        sequence=figures["sequence"],
    )


async def _place(typed: str, language: str, faults: list[FieldError]) -> str | None:
    """The code of the one town that is typed: '4020 Liège', or less where it is enough."""
    typed = " ".join(typed.split())[:PLACE_LENGTH]
    if not typed:
        return None
    found = await vocabulary.find_places(typed, language, page=1, limit=50)
    labels = {f"{place.postal_code} {place.label}": place.code for place in found.items}
    same = [code for label, code in labels.items() if label.lower() == typed.lower()]
    if same or found.total == 1:
        return (same or list(labels.values()))[0]
    faults.append(
        FieldError(
            "place",
            marked(
                "Plusieurs communes répondent à « %(typed)s ». Précisez, par exemple %(example)s."
            )
            if labels
            else marked(
                "Aucune commune ne répond à « %(typed)s ». Indiquez par exemple %(example)s."
            ),
            {"typed": typed, "example": next(iter(labels), "4020 Liège")},
        )
    )
    return None


def _figure(typed: str, field: str, faults: list[FieldError]) -> int | None:
    typed = typed.strip()
    if typed and not re.fullmatch(r"\d{1,9}", typed, re.ASCII):
        faults.append(FieldError(field, marked("Indiquez un nombre entier, par exemple 24.")))
        return None
    return int(typed) if typed else None


def _cents(typed: str, faults: list[FieldError]) -> int:
    typed = typed.strip()
    if typed and not _EUROS.fullmatch(typed):
        faults.append(FieldError("price", marked("Indiquez un prix en euros, par exemple 12,50.")))
        return 0
    return int(Decimal(typed.replace(",", ".")) * 100) if typed else 0


def _euros(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02}" if cents else ""
