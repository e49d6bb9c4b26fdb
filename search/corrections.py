"""Words that nobody's documents have, replaced by the nearest that they do.

Every engine asks the vocabulary in Postgres: so they correct alike, and say what they corrected.
"""

from collections.abc import Sequence

import msgspec

from search import spelling, statements, terms
from search.documents import Audience, Connection, Correction, Index, Query


async def correct(
    connection: Connection, index: Index, query: Query, wanted: Sequence[terms.Term]
) -> tuple[list[terms.Term], list[Correction]]:
    """The words to search, and what was changed, by what this audience's documents have."""
    known = {
        row["key"]
        for row in await connection.fetch(
            statements.KNOWN_KEYS[query.audience],
            index.name,
            [key for term in wanted for key in term.keys],
            next((term.prefix for term in wanted if term.prefix), None),
        )
    }
    result, corrections = [], []
    for term in wanted:
        is_known = not known.isdisjoint(term.keys) or (term.prefix and "" in known)
        if is_known or term.form in query.spelled or not term.edits:
            result.append(term)
        elif candidates := await _similar(connection, index, query.audience, term):
            keys = tuple(dict.fromkeys(candidate.key for candidate in candidates))
            result.append(msgspec.structs.replace(term, keys=keys, prefix=None))
            used = [c.spelling for c in _one_for_each_key(candidates)]
            corrections.append(Correction(term.typed, used[: spelling.MOST_SHOWN]))
        else:
            result.append(term)
    return result, corrections


def _one_for_each_key(candidates: Sequence[spelling.Candidate]) -> list[spelling.Candidate]:
    first: dict[str, spelling.Candidate] = {}
    for candidate in candidates:
        first.setdefault(candidate.key, candidate)
    return list(first.values())


async def _similar(
    connection: Connection, index: Index, audience: Audience, term: terms.Term
) -> list[spelling.Candidate]:
    for function, is_start in (("search_similar", False), ("search_similar_start", True)):
        if is_start and not term.prefix:
            break
        rows = await connection.fetch(
            f"SELECT spelling, form, key, documents FROM {function}($1, $2, $3, $4)",  # noqa: S608 -- one of two names
            index.name,
            audience,
            term.form,
            term.edits,
        )
        candidates = [spelling.Candidate(*row) for row in rows]
        if near := spelling.nearest(term.form, candidates, term.edits, is_start=is_start):
            return near
    return []
