"""The search for members: one function behind the page and the API."""

from collections.abc import Mapping

import msgspec

from directory import errors
from directory.accounts.actor import Actor
from directory.filieres import registry
from directory.http.listing import LONGEST_TEXT
from directory.languages import marked, translate
from directory.members import audiences, documents, labels, profiles, views
from directory.members.audiences import Level
from directory.members.views import MemberCard
from search.documents import Correction, Engine, Hits, Query

FACETS = ("availability", "trade", "filiere", "sector", "language", "region")
AVAILABILITIES = {
    "available": marked("Disponible"),
    "soon": marked("Bientôt disponible"),
    "busy": marked("Complet"),
}
DIVISION_LENGTH = 2


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader asks for, as they asked it."""

    text: str = ""
    filters: Mapping[str, list[str]] = {}
    page: int = 1
    limit: int = 20
    is_exact: bool = False


class FacetValue(msgspec.Struct, frozen=True):
    """`count` is how many members would be found with this value and the other facets' choices."""

    value: str
    label: str
    count: int
    is_chosen: bool


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One page of members. `total` is exact; `corrections` says what was searched instead."""

    items: list[MemberCard]
    total: int
    page: int
    limit: int
    facets: dict[str, list[FacetValue]]
    corrections: list[Correction]
    engine: str
    degraded: bool


async def find(actor: Actor, engine: Engine, wish: Wish, language: str) -> tuple[Found, Hits]:
    """:raises errors.Malformed: naming a filter whose value does not exist."""
    chosen = {facet: values for facet, values in wish.filters.items() if values}
    chosen_labels = {
        facet: await _labels(facet, values, language) for facet, values in chosen.items()
    }
    _refuse_unknown(chosen, chosen_labels)
    is_member = audiences.standing(actor) is Level.MEMBER
    hits = await engine.search(
        documents.INDEX,
        Query(
            audience="members" if is_member else "public",
            day=views.today(), text=wish.text[:LONGEST_TEXT], filters=chosen, facets=FACETS,
            page=wish.page, limit=wish.limit, exact=wish.is_exact,
        ),
    )  # fmt: skip
    found = Found(
        items=await profiles.cards(actor, hits.ids, language),
        total=hits.total,
        page=wish.page,
        limit=wish.limit,
        facets={facet: await _counts(facet, hits, chosen, language) for facet in FACETS},
        corrections=hits.corrections,
        engine=hits.engine,
        degraded=hits.degraded,
    )
    return found, hits


async def _labels(facet: str, values: list[str], language: str) -> dict[str, str]:
    if facet == "filiere":
        return await registry.names(values, language)
    if facet == "language":
        return labels.of_languages(values, language)
    if facet == "availability":
        known = AVAILABILITIES
        return {value: translate(language, known[value]) for value in values if value in known}
    return await labels.of(facet, values, language)


def _refuse_unknown(
    chosen: Mapping[str, list[str]], known: Mapping[str, Mapping[str, str]]
) -> None:
    for facet, values in chosen.items():
        if unknown := [value for value in values if value not in known[facet]]:
            raise errors.Malformed.field(
                facet,
                marked("« %(value)s » n’existe pas pour « %(facet)s »."),
                value=unknown[0][:80], facet=facet,
            )  # fmt: skip


async def _counts(
    facet: str, hits: Hits, chosen: Mapping[str, list[str]], language: str
) -> list[FacetValue]:
    """Sectors are counted by division (two figures), and at the level that is chosen."""
    picked = chosen.get(facet, [])
    counts = {
        count.value: count.count
        for count in hits.facets.get(facet, [])
        if facet != "sector" or len(count.value) == DIVISION_LENGTH or count.value in picked
    }
    counts |= {value: 0 for value in picked if value not in counts}
    names = await _labels(facet, list(counts), language)
    return [
        FacetValue(value, names[value], count, value in picked)
        for value, count in counts.items()
        if value in names
    ]
