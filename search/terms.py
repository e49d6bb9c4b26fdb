"""A query taken apart into the words that a document must have."""

import msgspec

from search import endings, normaliser, stopwords

MOST_TERMS = 12
CORRECTABLE = 4  # letters


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
