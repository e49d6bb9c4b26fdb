"""What somebody wants to list, and whether it holds together."""

import enum
import functools
import re
import unicodedata
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from babel import Locale, dates

from directory import errors
from directory.errors import FieldError
from directory.languages import marked

HOME_ZONE = "Europe/Brussels"
TITLE_LENGTH = 200
LOCATION_LENGTH = 300
ACCESSIBILITY_LENGTH = 1000
DESCRIPTION_LENGTH = 10_000
URL_LENGTH = 500
MOST_FILIERES = 20
MOST_PLACES = 100_000
MOST_CENTS = 1_000_000
FARTHEST = timedelta(days=5 * 365)

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)
_WRITTEN = re.compile(r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d{2}", re.ASCII)


class EventKind(enum.Enum):
    MEETING = "meeting"
    TRAINING = "training"
    VISIT = "visit"
    UMBRELLA_STAND = "umbrella_stand"
    ASSEMBLY = "assembly"


class EventAudience(enum.Enum):
    PUBLIC = "public"
    MEMBERS = "members"
    FILIERES = "filieres"


_MOMENT = (
    "Local time in `timezone`: `2027-01-31T18:30` (`31/01/2027 18:30` is read too). With an offset "
    "(`2027-01-31T17:30:00Z`) it is that instant. A local time that a change of clock skips is an "
    "error; of one that it repeats, the first is meant."
)


class EventDraft(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An event as its animators write it."""

    title: Annotated[str, msgspec.Meta(description="1 to 200 characters.")]
    kind: EventKind
    filieres: Annotated[list[str], msgspec.Meta(description="Slugs; at least one.")]
    starts_at: Annotated[str, msgspec.Meta(description=_MOMENT, examples=["2027-01-31T18:30"])]
    ends_at: Annotated[str, msgspec.Meta(description=_MOMENT, examples=["2027-01-31T21:30"])]
    timezone: Annotated[str, msgspec.Meta(description="An IANA name.")] = HOME_ZONE
    audience: EventAudience = EventAudience.MEMBERS
    description: Annotated[
        str, msgspec.Meta(description="Plain text, 10,000 characters at most.")
    ] = ""
    location: Annotated[str, msgspec.Meta(description="Name of the place and street.")] = ""
    place: Annotated[str | None, msgspec.Meta(description="Code of the town: `be-4000-liege`.")] = (
        None
    )
    online_url: Annotated[str, msgspec.Meta(description="http or https.")] = ""
    language: Annotated[str, msgspec.Meta(description="ISO 639 code.")] = "fr"
    accessibility: str = ""
    capacity: Annotated[int | None, msgspec.Meta(description="Places; null: no limit.")] = None
    price_cents: Annotated[int, msgspec.Meta(description="In euro cents; 0 is free.")] = 0
    sequence: Annotated[
        int | None,
        msgspec.Meta(description="The one you read. If the event has changed since: 409."),
    ] = None


class CheckedDraft(msgspec.Struct, kw_only=True, frozen=True):
    """A draft whose values hold. The instants are in UTC."""

    title: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    description: str
    location: str
    online_url: str
    language: str
    accessibility: str


def check(draft: EventDraft, language: str, *, began_at: datetime | None = None) -> CheckedDraft:
    """`began_at` is the start of the event so far: it may stay, even when it is past.

    :raises errors.Malformed: with every value that is wrong, in words for this language.
    """
    check = _Check(draft, language)
    zone = check.zone()
    starts_at, ends_at = check.starts_at(zone, began_at), check.moment("ends_at", zone)
    check.order(starts_at, ends_at, zone)
    check.figures()
    checked = CheckedDraft(
        title=check.title(),
        starts_at=starts_at or datetime.now(UTC),
        ends_at=ends_at or datetime.now(UTC),
        timezone=zone.key,
        description=check.text("description", DESCRIPTION_LENGTH),
        location=" ".join(check.text("location", LOCATION_LENGTH).split()),
        online_url=check.online_url(),
        language=check.spoken(),
        accessibility=check.text("accessibility", ACCESSIBILITY_LENGTH),
    )
    check.somewhere()
    if check.faults:
        first = check.faults[0]
        raise errors.Malformed(first.message, tuple(check.faults), **first.params)
    return checked


@functools.cache
def zones() -> frozenset[str]:
    return frozenset(name for name in zoneinfo.available_timezones() if "/" in name) | {"UTC"}


class _Check:
    """Looks at one value after the other and keeps what is wrong."""

    def __init__(self, draft: EventDraft, language: str) -> None:
        self.draft = draft
        self.language = language
        self.now = datetime.now(UTC)
        self.faults: list[FieldError] = []

    def fault(self, field: str, message: str, /, **params: object) -> None:
        self.faults.append(FieldError(field, message, params))

    def text(self, field: str, most: int) -> str:
        written: str = getattr(self.draft, field)
        clean = written.replace("\r\n", "\n").replace("\r", "\n").strip()
        if any(
            unicodedata.category(sign) in {"Cc", "Cs"}
            for sign in clean.replace("\n", "").replace("\t", "")
        ):
            self.fault(
                field,
                marked(
                    "Ce texte contient un signe invisible. "
                    "Retapez-le, par exemple sans copier-coller."
                ),
            )
        elif len(clean) > most:
            self.fault(
                field,
                marked("Ce texte compte %(length)s signes. Gardez-en %(most)s au plus."),
                length=len(clean), most=most,
            )  # fmt: skip
        return clean

    def title(self) -> str:
        title = " ".join(self.text("title", TITLE_LENGTH).split())
        if not title:
            self.fault("title", marked("Il manque un titre, par exemple « Midi des devis »."))
        return title

    def zone(self) -> ZoneInfo:
        name = self.draft.timezone
        if name in zones():
            return ZoneInfo(name)
        self.fault(
            "timezone",
            marked("Ce fuseau horaire n’existe pas. Indiquez par exemple %(example)s."),
            example=HOME_ZONE,
        )
        return ZoneInfo(HOME_ZONE)

    def example(self, zone: ZoneInfo) -> str:
        """An evening to come, written as one would type it."""
        return f"{(self.now + timedelta(days=30)).astimezone(zone):%d/%m/%Y} 18:30"

    def day(self, moment: datetime) -> str:
        return dates.format_date(moment, "d MMMM y", locale=self.language)

    def moment(self, field: str, zone: ZoneInfo) -> datetime | None:
        """The instant in UTC; None when there is none to read."""
        typed = getattr(self.draft, field).strip()
        read = _read(typed)
        if read is None or not 1970 <= read.year <= 2200:
            self.fault(
                field,
                marked(
                    "Cette date ne se lit pas. "
                    "Indiquez le jour et l’heure, par exemple %(example)s."
                ),
                example=self.example(zone),
            )
            return None
        if read.tzinfo is not None:
            return read.astimezone(UTC)
        instant = read.replace(tzinfo=zone).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) != read:
            self.fault(
                field,
                marked("Le %(day)s, %(hour)s n’existe pas (%(city)s) : l’heure change à ce moment. "
"Indiquez par exemple %(example)s."),
                day=self.day(read), hour=f"{read:%H:%M}",
                city=dates.get_timezone_location(zone, locale=self.language, return_city=True),
                example=f"{instant.astimezone(zone):%d/%m/%Y %H:%M}",
            )  # fmt: skip
            return None
        return instant

    def starts_at(self, zone: ZoneInfo, began_at: datetime | None) -> datetime | None:
        starts_at = self.moment("starts_at", zone)
        if starts_at is None or starts_at == began_at:
            return starts_at
        local = starts_at.astimezone(zone)
        if starts_at <= self.now:
            self.fault(
                "starts_at",
                marked("Le %(day)s est passé. Indiquez une date à venir, par exemple %(example)s."),
                day=f"{self.day(local)}, {local:%H:%M}" if _is_today(local) else self.day(local),
                example=self.example(zone),
            )
            return None
        if starts_at > self.now + FARTHEST:
            self.fault(
                "starts_at",
                marked("Le %(day)s est trop lointain. "
"Indiquez une date d’ici à cinq ans, par exemple %(example)s."),
                day=self.day(local), example=self.example(zone),
            )  # fmt: skip
            return None
        return starts_at

    def order(self, starts_at: datetime | None, ends_at: datetime | None, zone: ZoneInfo) -> None:
        if starts_at and ends_at and ends_at <= starts_at:
            later = (starts_at + timedelta(hours=2)).astimezone(zone)
            self.fault(
                "ends_at",
                marked(
                    "La fin vient avant le début, ou au même moment. "
                    "Indiquez par exemple %(example)s."
                ),
                example=f"{later:%d/%m/%Y %H:%M}",
            )

    def figures(self) -> None:
        capacity, cents = self.draft.capacity, self.draft.price_cents
        if capacity is not None and not 1 <= capacity <= MOST_PLACES:
            self.fault(
                "capacity",
                marked(
                    "Indiquez de 1 à %(most)s places, par exemple 24. Sans limite, laissez vide."
                ),
                most=MOST_PLACES,
            )
        if not 0 <= cents <= MOST_CENTS:
            self.fault(
                "price_cents",
                marked("Indiquez un prix de 0 à %(most)s euros, par exemple 12,50."),
                most=MOST_CENTS // 100,
            )
        if not 1 <= len(self.draft.filieres) <= MOST_FILIERES:
            self.fault(
                "filieres", marked("Choisissez de 1 à %(most)s filières."), most=MOST_FILIERES
            )

    def online_url(self) -> str:
        url = self.draft.online_url.strip()
        if url and not _is_web_address(url):
            self.fault(
                "online_url",
                marked(
                    "Ce lien ne s’ouvre pas. Il commence par https://, par exemple %(example)s."
                ),
                example="https://visio.example/salle",
            )
        return url

    def spoken(self) -> str:
        code = self.draft.language
        if not re.fullmatch(r"[a-z]{2,3}", code) or code not in Locale("fr").languages:
            self.fault(
                "language", marked("Cette langue n’est pas connue. Indiquez par exemple fr.")
            )
        return code

    def somewhere(self) -> None:
        draft = self.draft
        if not (draft.location.strip() or draft.place or draft.online_url.strip()):
            self.fault(
                "location",
                marked(
                    "Il manque un lieu ou un lien en ligne, "
                    "par exemple « La Filature, 14 quai des Tanneurs »."
                ),
            )


def _is_today(local: datetime) -> bool:
    return local.date() == datetime.now(local.tzinfo).date()


def _read(typed: str) -> datetime | None:
    """Naive for a local time, aware where an offset is written."""
    parse: Callable[[str], datetime]
    if _ISO.fullmatch(typed):
        parse = datetime.fromisoformat
    elif _WRITTEN.fullmatch(typed):
        parse = _read_written
    else:
        return None
    try:
        return parse(typed)
    except ValueError:  # the 31st of February
        return None


def _read_written(typed: str) -> datetime:
    return datetime.strptime(typed, "%d/%m/%Y %H:%M")  # noqa: DTZ007 - local, its zone is another field


def _is_web_address(url: str) -> bool:
    if len(url) > URL_LENGTH or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        )
    except ValueError:  # "http://["
        return False
