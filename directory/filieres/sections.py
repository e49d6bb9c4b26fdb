"""What higher domains show on a filière's page: each adds its section from its own routes."""

import enum
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from directory.accounts.authentication import ActorRequest
from directory.filieres.registry import FiliereView


class Spot(enum.Enum):
    """Where on the page, in this order. DATES and what follows come after the trades.

    What is added at ANIMATION stands in the section of who runs the filière, and is none itself.
    """

    DOSSIER = "dossier"
    SUPPORT = "support"
    DATES = "dates"
    ANIMATION = "animation"
    METHOD = "method"
    PEOPLE = "people"
    ACTIVITY = "activity"
    JOIN = "join"


class Section(msgspec.Struct, frozen=True):
    """A template, which reads its context as `part`. `call` labels a link to it at the top.

    The template is a `<section class="section" id="<spot>">`.
    """

    template: str
    context: Mapping[str, object]
    call: str = ""


Build = Callable[[ActorRequest, FiliereView], Awaitable[Section | None]]

_builds: list[tuple[Spot, Build]] = []


class Tool(msgspec.Struct, frozen=True):
    """A link for those who run the filière. `path` is added to the address of its page."""

    label: str
    path: str


Offer = Callable[[ActorRequest, FiliereView], list[Tool]]

_offers: list[Offer] = []


def tools(offer: Offer) -> Offer:
    """Offer what the function returns, on top of every filière's page."""
    _offers.append(offer)
    return offer


def tools_of(request: ActorRequest, filiere: FiliereView) -> list[Tool]:
    return [tool for offer in _offers for tool in offer(request, filiere)]


Glance = Callable[[ActorRequest], Awaitable[Section | None]]

_glances: list[Glance] = []


def on_list(build: Glance) -> Glance:
    """Show what the function returns on top of the list of filières."""
    _glances.append(build)
    return build


async def of_list(request: ActorRequest) -> list[Section]:
    return [section for build in _glances if (section := await build(request)) is not None]


def add(spot: Spot) -> Callable[[Build], Build]:
    """Show what the function returns at this spot of every filière's page."""

    def keep(build: Build) -> Build:
        _builds.append((spot, build))
        return build

    return keep


async def of(request: ActorRequest, filiere: FiliereView) -> dict[str, list[Section]]:
    """The sections of a page, by spot."""
    shown: dict[str, list[Section]] = {spot.value: [] for spot in Spot}
    for spot, build in _builds:
        if (section := await build(request, filiere)) is not None:
            shown[spot.value].append(section)
    return shown
