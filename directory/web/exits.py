"""Ways out of a search that finds nobody, beside what the search itself suggests."""

import msgspec

from directory.accounts.actor import Actor
from directory.web import search
from directory.web.wishes import Wish
from search.documents import FARTHEST_KM, Engine

WIDER_KM = (5, 10, 25, 50, 75, 100, 150, 200, 300, 500, FARTHEST_KM)


class Exits(msgspec.Struct, frozen=True):
    """unfiltered is how many are found without any filter. The others are in km.

    nearest_km is how far the nearest member is, within_km a round distance that reaches them.
    """

    unfiltered: int
    nearest_km: float | None
    within_km: float | None


async def look(actor: Actor, engine: Engine, wish: Wish, language: str) -> Exits:
    one = msgspec.structs.replace(wish, page=1, limit=1, facets=())
    unfiltered = 0
    if wish.chosen or wish.place:
        sort = "relevance" if wish.sort == "distance" else wish.sort
        bare = msgspec.structs.replace(one, filters={}, place=None, sort=sort)
        unfiltered = await search.count(actor, engine, bare)
    nearest = within = None
    if wish.place:
        around = msgspec.structs.replace(wish.place.around, within_km=FARTHEST_KM)
        place = msgspec.structs.replace(wish.place, around=around)
        far = msgspec.structs.replace(one, place=place, sort="distance")
        nearest = await search.nearest_km(actor, engine, far, language)
    if nearest is not None:
        within = next((wider for wider in WIDER_KM if wider > nearest), FARTHEST_KM)
    return Exits(unfiltered, nearest, within)
