"""How events are called on pages and in calendars."""

from decimal import Decimal

from babel import dates, numbers

from directory.events.drafts import EventAudience, EventKind
from directory.languages import marked

KINDS = {
    EventKind.MEETING: marked("Rencontre"),
    EventKind.TRAINING: marked("Formation"),
    EventKind.VISIT: marked("Visite"),
    EventKind.UMBRELLA_STAND: marked("Stand commun"),
    EventKind.ASSEMBLY: marked("Assemblée"),
}
AUDIENCES = {
    EventAudience.PUBLIC: marked("Tout le monde"),
    EventAudience.MEMBERS: marked("Les membres"),
    EventAudience.FILIERES: marked("Les filières choisies"),
}
ZONES = (
    "Europe/Brussels",
    "Europe/Paris",
    "Europe/Luxembourg",
    "Europe/Amsterdam",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Lisbon",
)
LANGUAGES = ("fr", "nl", "en", "de")


def city(zone: str, language: str) -> str:
    """'Bruxelles' for 'Europe/Brussels'."""
    return dates.get_timezone_location(zone, locale=language, return_city=True)


def price(cents: int, language: str) -> str:
    """'12,50 €' in French."""
    return numbers.format_currency(Decimal(cents) / 100, "EUR", locale=language)
