"""The SQL of the Postgres engine. It depends on the form of a query, never on its words."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

from search.documents import AUDIENCES, EARTH_KM, Audience


class Shape(NamedTuple):
    """What a statement looks like, apart from the values in it.

    words and filters are how many there are. Without counts there is no total either.
    """

    audience: Audience
    words: int
    filters: int
    has_counts: bool
    has_facets: bool
    sort: str
    fresh_days: tuple[int, ...]
    is_near: bool


KNOWN_KEYS = {
    audience: f"""
    SELECT DISTINCT key FROM search_term
    WHERE audience = '{audience}' AND index_name = $1 AND key = ANY($2::text[])
    UNION ALL SELECT '' WHERE EXISTS (
        SELECT FROM search_term
        WHERE audience = '{audience}' AND index_name = $1 AND key ^@ $3::text)
    """  # noqa: S608 -- one of two names
    for audience in AUDIENCES
}


@functools.lru_cache(maxsize=256)
def search(shape: Shape) -> str:
    """$1 index, $2 day, $3 seed, $4 limit, $5 offset, two for each filter, three for the words,
    and for a place its latitude, longitude and radius.

    failed has a bit for each filter that a row does not pass. A facet's counts include what only
    its own filter leaves out.
    """
    filters = range(6, 6 + 2 * shape.filters, 2)
    passes = [_PASSES.format(facet=number, values=number + 1) for number in filters]
    first = 6 + 2 * shape.filters
    after = first + 3 * bool(shape.words)
    return _SEARCH.format(
        audience=shape.audience,
        materialized="MATERIALIZED" if shape.has_counts else "",
        source=_matching(shape, first) if shape.words else _ALL.format(audience=shape.audience),
        columns=_columns(shape, after),
        within=_WITHIN.format(*range(after, after + 3)) if shape.is_near else "",
        failed=_failed(passes),
        order=_order(shape),
        total="(SELECT count(*) FROM base WHERE failed = 0)"
        if shape.has_counts
        else "NULL::bigint",
        counts=_COUNTS.format(failed="failed" if passes else "0::integer")
        if shape.has_counts and shape.has_facets
        else "'[]'",
    )


_SEARCH = """
WITH given AS (SELECT $2::date AS day, $3::bigint AS seed),
base AS {materialized} (
    SELECT * FROM (
        SELECT {columns}, {failed} AS failed FROM {source} d) AS found {within})
SELECT
    array(SELECT id FROM base WHERE failed = 0 ORDER BY {order} LIMIT $4 OFFSET $5) AS ids,
    {total} AS total,
    (SELECT version FROM search_version
     WHERE index_name = $1 AND audience = '{audience}') AS version,
    {counts} AS counts
"""
# As Near.distance_km.
_DISTANCE = f"""{2 * EARTH_KM} * asin(least(1, sqrt(
            power(sind((d.latitude - ${{0}}::float8) / 2), 2) + cosd(${{0}}) * cosd(d.latitude)
            * power(sind((d.longitude - ${{1}}::float8) / 2), 2))))"""
_WITHIN = "WHERE distance <= ${2}::float8"
_PASSES = """d.facets && (
        SELECT coalesce(array_agg(number), array[]::integer[]) FROM search_facet
        WHERE index_name = $1 AND facet = ${facet}::text AND value = ANY(${values}::text[]))"""
# Each way that a word may be satisfied is a scan of the index, and a row that several find counts
# with the best of them for each word.
_MATCHING = """(
        WITH way AS MATERIALIZED (
            SELECT word, tier, query::tsquery AS query
            FROM unnest(${0}::integer[], ${1}::integer[], ${2}::text[]) AS w (word, tier, query))
        SELECT t.id, {score} AS score, {columns}
        FROM way w JOIN search_text t ON t.vector @@ w.query
        WHERE t.audience = '{audience}' AND t.index_name = $1
        GROUP BY t.id HAVING ({score}) IS NOT NULL)"""
_ALL = """(SELECT *, 0 AS score FROM search_document
        WHERE audience = '{audience}' AND index_name = $1)"""
_COUNTS = """
    (SELECT coalesce(json_agg(json_build_array(c.failed, f.facet, f.value, c.count)), '[]')::text
     FROM (SELECT {failed} AS failed, number, count(*) AS count
           FROM (SELECT failed, unnest(facets) AS number FROM base
                 WHERE failed & (failed - 1) = 0) AS one
           GROUP BY {failed}, number) AS c
     JOIN search_facet f USING (number))
"""


def _matching(shape: Shape, first: int) -> str:
    best = [f"max(w.tier) FILTER (WHERE w.word = {word:d})" for word in range(shape.words)]
    needed = ["fresh_on"] if shape.sort in {"relevance", "fresh"} else []
    needed += ["sort_name"] if shape.sort == "name" else []
    needed += ["facets"] if shape.filters or shape.has_facets else []
    needed += ["latitude", "longitude"] if shape.is_near else []
    return _MATCHING.format(
        *range(first, first + 3),
        audience=shape.audience,
        score=" + ".join(best) if len(best) > 1 else "max(w.tier)",
        columns=", ".join(f"any_value(t.{name}) AS {name}" for name in needed) or "NULL AS nothing",
    )


def _columns(shape: Shape, after: int) -> str:
    """Those that are used: each costs where everybody is read."""
    sorted_by = {
        "relevance": ["d.score", "d.fresh_on"],
        "fresh": ["d.fresh_on"],
        "name": ["d.sort_name"],
    }
    distance = [f"{_DISTANCE.format(after, after + 1)} AS distance"] if shape.is_near else []
    facets = ["d.facets"] if shape.has_counts and shape.has_facets else []
    return ", ".join(["d.id", *sorted_by.get(shape.sort, []), *facets, *distance])


def _failed(passes: Sequence[str]) -> str:
    bits = [f"(NOT ({condition}))::integer << {bit}" for bit, condition in enumerate(passes)]
    return " | ".join(f"({bit})" for bit in bits) or "0"


def _order(shape: Shape) -> str:
    shuffle = "hashint8extended(id, $3::bigint), id"
    if shape.sort == "name":
        return "sort_name, id"
    if shape.sort == "distance":
        return f"distance, {shuffle}"
    if shape.sort == "fresh":
        return f"fresh_on DESC NULLS LAST, {shuffle}"
    steps = [f"(fresh_on >= $2::date - {days:d}) IS NOT TRUE" for days in shape.fresh_days]
    age = " + ".join(f"({step})::integer" for step in steps) or "0"
    return f"score DESC, {age}, {shuffle}"
