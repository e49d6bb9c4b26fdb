"""The baseline of the framework: one Litestar route that answers 20 cards and reads nothing.

Its answer is as long as that of a search without facets, and is encoded for each request.
"""

import msgspec
from litestar import Litestar, get


class Word(msgspec.Struct, frozen=True):
    code: str
    label: str


class Card(msgspec.Struct, frozen=True):
    """What the card of a member has, filled with the lengths that are met."""

    id: int
    display_name: str = "Prénom Nom-de-Famille"
    headline: str = "Une phrase d’accroche de la longueur qui est courante"
    trades: tuple[Word, ...] = (Word("404427", "Graphiste"), Word("15509", "Illustratrice"))
    skills_offered: tuple[str, ...] = ("Identité visuelle", "Mise en page", "Affiche", "Édition")
    availability: str | None = "available"
    available_until: str | None = "2027-03-31"
    place: tuple[Word, ...] = (Word("be-4000-liege", "Liège"), Word("BE-WLG", "Liège"))
    filieres: tuple[Word, ...] = (Word("image-et-edition", "Image et édition"),)


class Page(msgspec.Struct, frozen=True):
    items: list[Card]
    total: int = 2_000
    page: int = 1
    limit: int = 20


@get("/bare")
async def bare() -> Page:
    return Page([Card(number) for number in range(20)])


app = Litestar([bare], openapi_config=None)
