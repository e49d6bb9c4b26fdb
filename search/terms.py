"""A query taken apart into the words that a document must have."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from search import endings, normaliser, stopwords, storage
from search.documents import Sought

MOST_TERMS = 12
CORRECTABLE = 4  # letters

# The fields of storage.FIELDS: a word found in the title counts 16, in the summary 8, in the
# vocabulary 4, in the rest 2; one less when it is only the beginning of the word that stands there.
TIERS = {"a": 16, "b": 8, "c": 4, "d": 2, "e": 2}
STOPWORD_TIER = 15
# One or two letters begin nearly every word: they are looked for only where it tells something.
_FIELDS_OF_SHORT_PREFIX = {1: "a", 2: "ab"}


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One word of a query. Any of keys satisfies it, or a word that begins with prefix."""

    typed: str
    form: str
    keys: tuple[str, ...]
    prefix: str | None = None

    @property
    def edits(self) -> int:
        """How many typos are forgiven."""
        if len(self.form) < CORRECTABLE or not self.form.isalpha():
            return 0
        return 1 if len(self.form) < 2 * CORRECTABLE else 2


def parse(text: str) -> list[Term]:
    """The words of a query, without those that say nothing and no more than MOST_TERMS.

    The last one may be unfinished. Two neighbours may also stand as one word in a document.
    """
    found = []
    for token in normaliser.tokens(text):
        found.append(token)
        if len(found) == 4 * MOST_TERMS:
            break
    telling = [t for t in found if t.words[0].form not in stopwords.STOPWORDS] or found[-1:]
    terms: dict[tuple[str, ...], Term] = {}
    for number, token in enumerate(telling):
        keys = [word.key for word in token.words]
        for left, right in ((number - 1, number), (number, number + 1)):
            if left >= 0 and right < len(telling):
                joined = normaliser.joint(telling[left], telling[right])
                keys += [joined.key] if joined else []
        prefix = token.words[0].form if _may_go_on(token, number == len(telling) - 1) else None
        if prefix:
            keys += endings.unfinished(prefix)
        unique = tuple(dict.fromkeys(keys))
        word = token.words[0]
        terms.setdefault(
            (word.key, prefix or ""),
            Term(typed=word.spelling, form=word.form, keys=unique, prefix=prefix),
        )
    return list(terms.values())[:MOST_TERMS]


def _may_go_on(token: normaliser.Token, is_last: bool) -> bool:
    return is_last and len(token.words) == 1 and token.words[0].form.isalnum()


def sought(wanted: Iterable[Term]) -> tuple[Sought, ...]:
    return tuple(Sought(term.keys, term.prefix) for term in wanted)


class Way(NamedTuple):
    """A word satisfied in one field: by any of keys, or by a word that begins with prefix."""

    tier: int
    field: str
    keys: tuple[str, ...]
    prefix: str | None = None


def ways(term: Term, *, is_exact: bool) -> list[Way]:
    """Best first. An exact query does not look into the fields that widen it."""
    found = []
    if term.form in stopwords.STOPWORDS:
        found.append(Way(STOPWORD_TIER, storage.STOPWORD, term.keys[:1]))
    for field, tier in TIERS.items():
        if is_exact and field in storage.WIDENING:
            continue
        found.append(Way(tier, field, term.keys))
        if term.prefix and field in _FIELDS_OF_SHORT_PREFIX.get(len(term.prefix), storage.FIELDS):
            found.append(Way(tier - 1, field, (), term.prefix))
    return found
