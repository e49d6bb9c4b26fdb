"""The search for members: one function behind the page and the API."""

import contextlib
from datetime import timedelta

import msgspec

from directory import errors, limits
from directory.accounts.actor import Actor
from directory.limits import Limit
from directory.members import (
    audiences,
    documents,
    misses,
    profiles,
    views,
    vocabulary,
)
from directory.members.audiences import Level
from directory.members.views import Word
from directory.web import facets, hits, suggestions
from directory.web.facets import Facet, FacetValue
from directory.web.hits import MemberHit
from directory.web.suggestions import Suggestions
from directory.web.wishes import Wish
from search.documents import LARGEST_PAGE, Audience, Correction, Engine, Query, Sort

MOST_FOUND = 20


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """Around what was searched. code and label are of the place that was meant, if it is one."""

    code: str | None
    label: str
    latitude: float
    longitude: float
    within_km: float


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One page of members. `total` is exact.

    `corrections` says what was searched instead of what was typed, `widened` for which trades
    members are on this page although nobody typed their names; `exact=true` undoes both.
    `suggestions` is there when nobody was found.
    """

    items: list[MemberHit]
    total: int
    page: int
    limit: int
    sort: Sort
    near: Surroundings | None
    facets: dict[str, list[FacetValue]]
    corrections: list[Correction]
    widened: list[Word]
    suggestions: Suggestions | None
    engine: str
    degraded: bool


async def find(actor: Actor, engine: Engine, wish: Wish, language: str) -> Found:
    """:raises errors.Malformed: naming a filter whose value does not exist."""
    known = await facets.chosen_names(wish, language)
    query = await asked(_audience(actor), wish)
    answer = await engine.search(documents.INDEX, query)
    cards = await profiles.cards(actor, answer.ids, language)
    items, widened = await hits.read(cards, answer.sought, query.near)
    has_nobody = answer.total == 0
    return Found(
        items=items,
        total=answer.total,
        page=wish.page,
        limit=wish.limit,
        sort=wish.sort,
        near=await _surroundings(wish, language),
        facets={facet: await facets.counts(facet, answer, wish, language) for facet in wish.facets},
        corrections=answer.corrections,
        widened=[] if wish.is_exact else widened,
        suggestions=await suggestions.suggest(engine, query, known, language)
        if has_nobody
        else None,
        engine=answer.engine,
        degraded=answer.degraded,
    )


async def find_ids(actor: Actor, engine: Engine, wish: Wish, language: str) -> list[int] | None:
    """All whom a search finds, whatever its page; None where nothing narrows it.

    :raises errors.Malformed: naming a filter whose value does not exist.
    """
    if not (wish.text or wish.chosen or wish.place):
        return None
    await facets.chosen_names(wish, language)
    found: dict[int, None] = {}
    page = msgspec.structs.replace(wish, facets=(), page=1, limit=LARGEST_PAGE)
    while True:
        answer = await engine.search(documents.INDEX, await asked(_audience(actor), page))
        found |= dict.fromkeys(answer.ids)  # who moves to the next page meanwhile is there once
        if page.page * page.limit >= answer.total or not answer.ids:
            return list(found)
        page = msgspec.structs.replace(page, page=page.page + 1)


async def count(actor: Actor, engine: Engine, wish: Wish) -> int:
    query = await asked(_audience(actor), wish)
    return (await engine.search(documents.INDEX, query)).total


async def nearest_km(actor: Actor, engine: Engine, wish: Wish, language: str) -> float | None:
    """How far the first of a search by distance is."""
    query = await asked(_audience(actor), wish)
    answer = await engine.search(documents.INDEX, query)
    cards = await profiles.cards(actor, answer.ids[:1], language)
    found, _ = await hits.read(cards, (), query.near)
    return next((hit.distance_km for hit in found), None)


def may_be_kept(wish: Wish) -> bool:
    """Whether nothing narrows the search, and its words are not about a person."""
    is_narrowed = wish.chosen or wish.place or wish.is_exact or wish.page > 1
    return not is_narrowed and bool(wish.text) and misses.readable(wish.text) is not None


# Who searches more in vain is a program, or wants to fill the list.
KEPT_OF_A_NETWORK = Limit("search_miss", 60, timedelta(hours=1))


async def remember(
    actor: Actor, engine: Engine, wish: Wish, found: Found, language: str, network: str
) -> None:
    """Keep, without its author, a search that found nobody although nothing narrows it.

    What members find and a visitor does not is none: it may be somebody's name. What a network
    searches beyond its limit is not kept, without a word.
    """
    if found.total or not may_be_kept(wish):
        return
    if _audience(actor) == "public":
        query = await asked("members", msgspec.structs.replace(wish, facets=()))
        if (await engine.search(documents.INDEX, query)).total:
            return
    with contextlib.suppress(errors.TooMany):
        await limits.take(KEPT_OF_A_NETWORK, network)
        await misses.note(wish.text, language)


async def find_values(
    actor: Actor, engine: Engine, wish: Wish, facet: Facet, like: str, language: str
) -> list[FacetValue]:
    """The values of a facet whose names match what is typed, and that would find somebody.

    :raises errors.Malformed: naming a filter whose value does not exist.
    """
    await facets.chosen_names(wish, language)
    picked = wish.chosen.get(facet, [])
    values = await facets.candidates(facet, like, language)
    filters = {**wish.filters, facet: picked if values is None else values}
    if values == []:
        return []
    counting = msgspec.structs.replace(wish, filters=filters, facets=(facet,), page=1, limit=1)
    query = await asked(_audience(actor), counting)
    answer = await engine.search(documents.INDEX, query)
    found = await facets.counts(facet, answer, counting, language)
    named = [msgspec.structs.replace(v, is_chosen=v.value in picked) for v in found if v.count]
    if values is None:
        named = facets.matching(named, like)
    else:
        named = [value for value in named if value.value in values]
    return sorted(named, key=lambda value: -value.count)[:MOST_FOUND]


def _audience(actor: Actor) -> Audience:
    return "members" if audiences.standing(actor) is Level.MEMBER else "public"


async def asked(audience: Audience, wish: Wish) -> Query:
    """The query of a wish, today."""
    return Query(
        audience=audience,
        day=views.today(),
        text=wish.text,
        filters=wish.chosen,
        facets=wish.facets,
        near=wish.place.around if wish.place else None,
        sort=wish.sort,
        page=wish.page,
        limit=wish.limit,
        exact=wish.is_exact,
        spelled=await vocabulary.spelled(wish.text),
    )


async def _surroundings(wish: Wish, language: str) -> Surroundings | None:
    if wish.place is None:
        return None
    code, around = wish.place.code, wish.place.around
    names = await vocabulary.names("place", [code], language) if code else {}
    return Surroundings(
        code=code,
        label=names.get(code or "", wish.place.asked),
        latitude=around.latitude,
        longitude=around.longitude,
        within_km=around.within_km,
    )
