"""What is shown of a member. What the reader may not see looks as if it was never written."""

import enum
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from directory.members.audiences import Audience, Field

ZONE = ZoneInfo("Europe/Brussels")


def today() -> date:
    """The day at the cooperative: an availability ends with it."""
    return datetime.now(ZONE).date()


class Availability(enum.StrEnum):
    AVAILABLE = "available"
    SOON = "soon"
    BUSY = "busy"


class Stage(enum.StrEnum):
    STARTING = "starting"
    DEVELOPING = "developing"
    ESTABLISHED = "established"


class LanguageLevel(enum.StrEnum):
    A1 = "a1"
    A2 = "a2"
    B1 = "b1"
    B2 = "b2"
    C1 = "c1"
    C2 = "c2"
    NATIVE = "native"


class Word(msgspec.Struct, frozen=True):
    """A trade, a sector: its code, and its name in the reader's language."""

    code: str
    label: str


class PlaceView(msgspec.Struct, frozen=True):
    code: str
    label: str
    region_code: str
    region: str


class TerritoryView(msgspec.Struct, frozen=True):
    slug: str
    name: str


class FiliereView(msgspec.Struct, frozen=True):
    """An active membership. kind is 'trade' or 'sector'."""

    slug: str
    name: str
    kind: str


class LanguageView(msgspec.Struct, frozen=True):
    """language is ISO 639: 'fr'."""

    language: str
    level: LanguageLevel


class LinkView(msgspec.Struct, frozen=True):
    kind: str
    url: str


def initials(name: str) -> str:
    """What stands where no photo is: 'AL'."""
    words = [word for word in name.split() if word[0].isalpha()] or name.split()
    return "".join(word[0] for word in dict.fromkeys((words[0], words[-1]))).upper()


class PhotoView(msgspec.Struct, frozen=True):
    """Addresses, from the root of this service, of a square in two sizes: 512 and 96 pixels.

    They change with the photo. The text that stands for it is the member's name.
    """

    large: str
    small: str


def photo(member_id: int, name: str | None) -> PhotoView | None:
    """name is the random word of its files."""
    if name is None:
        return None
    address = f"/members/{member_id}/photo/{name}"
    return PhotoView(f"{address}-512.webp", f"{address}-96.webp")


class PictureView(msgspec.Struct, frozen=True):
    """large is width by height pixels, 1600 at most; small is 480 at most, in the same shape."""

    large: str
    small: str
    width: int
    height: int


class PortfolioView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a member shows of their work."""

    id: int
    title: str
    year: int | None = None
    text: str = ""
    url: str = ""
    picture: PictureView | None = None


def entry(member_id: int, row: Sequence[Any]) -> PortfolioView:
    """From the columns of portfolio_entry, the last three of which are of its picture."""
    entry_id, title, year, text, url, name, width, height = row
    address = f"/members/{member_id}/portfolio/{name}"
    picture = PictureView(f"{address}-1600.webp", f"{address}-480.webp", width, height)
    return PortfolioView(
        id=entry_id, title=title, year=year, text=text, url=url,
        picture=picture if name else None,
    )  # fmt: skip


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """A profile. trades: the main one first. availability falls back to null after its last day.

    given_name and family_name (as the cooperative's register has them), audiences, version and
    updated_at are for the owner only; version is needed to change it.
    """

    id: int
    display_name: str
    photo: PhotoView | None = None
    headline: str = ""
    biography: str = ""
    trades: list[Word] = []
    sectors: list[Word] = []
    skills_offered: list[str] = []
    skills_wanted: list[str] = []
    availability: Availability | None = None
    available_until: date | None = None
    languages: list[LanguageView] = []
    stage: Stage | None = None
    place: PlaceView | None = None
    territory: TerritoryView | None = None
    email: str | None = None
    phone: str = ""
    links: list[LinkView] = []
    filieres: list[FiliereView] = []
    portfolio: list[PortfolioView] = []
    confirmed_at: datetime | None = None
    given_name: str | None = None
    family_name: str | None = None
    audiences: dict[Field, Audience] | None = None
    version: int | None = None
    updated_at: datetime | None = None


class MemberCard(msgspec.Struct, frozen=True, kw_only=True):
    """A member in a list. trades: the main one first."""

    id: int
    display_name: str
    photo: PhotoView | None = None
    headline: str = ""
    trades: list[Word] = []
    skills_offered: list[str] = []
    availability: Availability | None = None
    available_until: date | None = None
    place: PlaceView | None = None
    filieres: list[FiliereView] = []
    confirmed_at: datetime | None = None
