"""What the filières of the demonstration do: events, and one mailing that was sent."""

import tomllib
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import msgspec
from babel.dates import format_date

ZONE = ZoneInfo("Europe/Brussels")
SATURDAY = 5
# Nobody comes around New Year.
HOLIDAYS = frozenset({(12, 24), (12, 25), (12, 26), (12, 31), (1, 1), (1, 2)})
ON_WORKING_DAYS = frozenset({"meeting", "training"})
MAILING_FILIERE = "metiers-du-web"
MAILING_TOPIC = "trainings"
MAILING_AUTHOR = "clemence@etabli.example"
MAILING_DAYS_AGO = 6


class Planned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An event as events.toml has it. at: days from today, and the local hour."""

    filieres: list[str]
    kind: str
    audience: str
    title: str
    description: str
    at: tuple[int, str]
    hours: int
    place: str | None = None
    location: str = ""
    online: str = ""
    language: str = "fr"
    accessibility: str = ""
    capacity: int | None = None
    price_cents: int = 0
    cancelled: bool = False


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Instants are UTC."""

    planned: Planned
    uid: str
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    cancelled_at: datetime | None


class Mailing(msgspec.Struct, frozen=True):
    subject: str
    body: str
    sent_at: datetime


@cache
def planned() -> tuple[Planned, ...]:
    text = resources.files("directory.demo").joinpath("events.toml").read_text("utf-8")
    return tuple(msgspec.convert(tomllib.loads(text)["event"], list[Planned]))


def events(seed: int, today: date) -> Iterator[Event]:
    for number, event in enumerate(planned()):
        days, hour = event.at
        day = today + timedelta(days=days)
        if event.kind in ON_WORKING_DAYS and day.weekday() >= SATURDAY:
            day += timedelta(days=7 - day.weekday())
        if (day.month, day.day) in HOLIDAYS:
            day += timedelta(days=14)
        starts_at = datetime.combine(day, time.fromisoformat(hour), ZONE).astimezone(UTC)
        listed_at = min(starts_at - timedelta(days=45), _morning(today - timedelta(days=3)))
        yield Event(
            planned=event,
            uid=str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://etabli.example/{seed}/{number}")),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=event.hours),
            created_at=listed_at,
            cancelled_at=_morning(today - timedelta(days=1)) if event.cancelled else None,
        )


def mailing(today: date) -> Mailing:
    """A training that is nearly full, and a second session of it."""
    second = today + timedelta(days=40)
    second += timedelta(days=(3 - second.weekday()) % 7)
    day = format_date(second, "EEEE d MMMM", locale="fr")
    body = f"""Bonjour,

La prochaine session de *Chiffrer un site sans se perdre* est presque complète. Nous en ouvrons
une **deuxième, le {day} à Namur**, de 18 h 30 à 21 h 30.

## Ce que vous en tirerez

- décomposer une demande floue en lots ;
- poser un prix juste, et le tenir ;
- savoir dire non.

Venez avec un devis réel. Nous le relirons ensemble, sans nom de client.

> « J’ai doublé mon prix et gardé le client. »
> une participante de juin

À bientôt,

Clémence Wauters, animatrice de Métiers du web
"""
    subject = (
        f"Chiffrer un site : une deuxième session le {format_date(second, 'd MMMM', locale='fr')}"
    )
    return Mailing(subject, body, _morning(today - timedelta(days=MAILING_DAYS_AGO)))


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(9, 12), ZONE).astimezone(UTC)
