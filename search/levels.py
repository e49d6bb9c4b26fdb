"""Relevance as filters: what matches a query, parted into levels that hold nothing in common."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from search import settings, terms
from search.documents import Near

MOST_RANKED = 3


def matching(wanted: Iterable[terms.Term], *, is_exact: bool) -> str:
    return _all(
        _any(_condition(way) for way in terms.ways(term, is_exact=is_exact)) for term in wanted
    )


def of(wanted: Sequence[terms.Term], *, is_exact: bool) -> list[str]:
    """Filters, best first: each holds the documents of one score, which is the Postgres engine's.

    With several words a beginning counts as the word, and the MOST_RANKED longest are ranked.
    """
    if not wanted:
        return [""]
    ranked = sorted(wanted, key=lambda term: -len(term.form))[:MOST_RANKED]
    others = [term for term in wanted if term not in ranked]
    bests = [
        _bests(terms.ways(term, is_exact=is_exact), is_fine=len(wanted) == 1) for term in ranked
    ]
    scores: dict[int, list[str]] = defaultdict(list)
    for tiers in itertools.product(*bests):
        conditions = (best[tier] for best, tier in zip(bests, tiers, strict=True))
        scores[sum(tiers)].append(_all(conditions))
    rest = matching(others, is_exact=is_exact)
    return [_all((_any(scores[score]), rest)) for score in sorted(scores, reverse=True)]


def ages(day: date, steps: Sequence[int]) -> list[str]:
    """Filters, freshest first. What has no date is as old as can be."""
    filters = []
    newer = ""
    for days in steps:
        limit = day.toordinal() - days
        filters.append(_all((f"fresh >= {limit}", newer)))
        newer = f"fresh < {limit}"
    return [*filters, _any((newer, "fresh NOT EXISTS"))] if steps else [""]


def crossed(left: Iterable[str], right: Sequence[str]) -> list[str]:
    return [_all(pair) for pair in itertools.product(left, right)]


def choice(facet: str, values: Iterable[str]) -> str:
    encoded = ", ".join(f'"{settings.encoded(value)}"' for value in values)
    return f"{settings.facet(facet)} IN [{encoded}]"


def near(place: Near) -> str:
    metres = place.within_km * 1000
    return f"_geoRadius({place.latitude}, {place.longitude}, {metres})"


def _bests(ways: Iterable[terms.Way], *, is_fine: bool) -> dict[int, str]:
    """For each tier what holds where no better one does."""
    tiers: dict[int, list[str]] = defaultdict(list)
    for way in ways:
        tiers[way.tier if is_fine else way.tier + way.tier % 2].append(_condition(way))
    better: list[str] = []
    result = {}
    for tier in sorted(tiers, reverse=True):
        here = _any(tiers[tier])
        result[tier] = _all((here, f"NOT {_any(better)}")) if better else here
        better += tiers[tier]
    return result


def _condition(way: terms.Way) -> str:
    """Words are letters and figures, + and #: nothing in them ends a quotation."""
    field = settings.FIELDS[way.field]
    if way.prefix:
        return f'{field} STARTS WITH "{way.prefix}"'
    keys = ", ".join(f'"{key}"' for key in way.keys)
    return f"{field} IN [{keys}]"


def _all(conditions: Iterable[str]) -> str:
    return " AND ".join(condition for condition in conditions if condition)


def _any(conditions: Iterable[str]) -> str:
    given = [f"({condition})" for condition in conditions if condition]
    return f"({' OR '.join(given)})" if given else ""


def both(*conditions: str) -> str:
    return _all(conditions)
