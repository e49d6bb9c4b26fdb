"""Where in a text the words of a query stand."""

import functools
from collections.abc import Sequence
from typing import NamedTuple

from search import normaliser
from search.documents import Sought

SHORT_TEXT = 200


class Match(NamedTuple):
    """text[start:end], in code points, and which words of the query it is.

    Inclusive writing is one word.
    """

    start: int
    end: int
    words: frozenset[int]


def matches(text: str, sought: Sequence[Sought]) -> list[Match]:
    """In the order of the text."""
    keys = {key for each in sought for key in each.keys}
    prefixes = tuple(each.prefix for each in sought if each.prefix)
    found = []
    for token in _tokens(text) if sought else ():
        for word in token.words:
            if word.key in keys or (prefixes and word.form.startswith(prefixes)):
                found.append(Match(token.start, token.end, _which(token, sought)))
                break
    return found


def _which(token: normaliser.Token, sought: Sequence[Sought]) -> frozenset[int]:
    return frozenset(
        number
        for number, each in enumerate(sought)
        if any(
            word.key in each.keys or (each.prefix and word.form.startswith(each.prefix))
            for word in token.words
        )
    )


def _tokens(text: str) -> Sequence[normaliser.Token]:
    return _tokens_of_short(text) if len(text) <= SHORT_TEXT else tuple(normaliser.tokens(text))


@functools.lru_cache(maxsize=5_000)
def _tokens_of_short(text: str) -> tuple[normaliser.Token, ...]:
    """The names of trades and towns come back on page after page."""
    return tuple(normaliser.tokens(text))
