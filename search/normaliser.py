"""Makes words that people hold for the same word equal. Pure, total, linear in time.

A *form* is a word without case, accents, ligatures. A *key* is a form without gender and
number: formateur, formatrice and formateurs share one. Keys are for comparing, not for reading.
"""

import functools
import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from search import endings, inclusive, stopwords

# Changes whenever the same text would give other words: what was indexed before is then stale.
VERSION = 2
LONGEST = 48

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "ð": "d", "þ": "th"})
_LETTERS |= str.maketrans({"æ": "ae", "œ": "oe", "\u0259": "e"})


def _fold_character(character: str) -> str:
    folded = character
    for _ in range(4):
        before = folded
        folded = unicodedata.normalize("NFKD", folded.casefold()).translate(_LETTERS)
        folded = "".join(c for c in folded if unicodedata.category(c) not in _UNSEEN)
        if folded == before:
            break
    return "".join(_plain(c) for c in folded)


_UNSEEN = frozenset({"Mn", "Me", "Cf"})
_APOSTROPHES = "'\u2018\u2019\u201b\u02bc\u02b9\u2032\u0060\u00b4\uff07"
_HYPHENS = "-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d\ufe63"
_DOTS = "\u00b7\u2022\u2027\u22c5\u2219\u30fb\u0387\uff65"


def _plain(character: str) -> str:
    if character in _APOSTROPHES:
        return "'"
    if character in _HYPHENS:
        return "-"
    if character in _DOTS:
        return "\u00b7"
    return " " if unicodedata.category(character)[0] in "CZ" else character


class _Fold(dict[int, str]):
    """Remembers what is common and works out the rest each time: it cannot grow without end."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if code < 0x3000:  # below are the alphabets, above ideographs and emoji
            self[code] = folded
        return folded


_FOLD = _Fold()


def fold(text: str) -> str:
    """Lower case, no accents, ligatures undone, one kind of apostrophe, hyphen, dot and space."""
    return " ".join(text.translate(_FOLD).split())


def _unseen_class() -> str:
    """Marks that stand on letters, as a character class: `re` has no name for them."""
    codes = [c for c in range(0xFFFF) if unicodedata.category(chr(c)) in _UNSEEN]
    return "".join(rf"\u{code:04x}" for code in codes)


_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_unseen_class()}])*+")
_SIGN = re.compile(r"\+\+(?![\w+])|#(?![\w#])")
_JOINT = re.compile(rf"[{re.escape(_APOSTROPHES + _HYPHENS)}]")


class Word(NamedTuple):
    """spelling is lower case with its accents: what may be shown."""

    spelling: str
    form: str
    key: str


class Token(NamedTuple):
    """A word of a text, at text[start:end]. Inclusive writing has both full forms as words.

    is_joined: only a hyphen or an apostrophe stands between it and the token before.
    """

    start: int
    end: int
    words: tuple[Word, ...]
    is_joined: bool


@functools.lru_cache(maxsize=50_000)
def word(piece: str) -> Word | None:
    """The word that some letters make, whatever else stands between them."""
    spelling = unicodedata.normalize("NFC", piece).lower()
    spelling = "".join(c for c in spelling if c.isalnum() or c in "+#")[:LONGEST]
    form = "".join(c for c in fold(spelling) if c.isalnum() or c in "+#")[:LONGEST]
    return Word(spelling, form, endings.key(form)) if form else None


def tokens(text: str) -> Iterator[Token]:
    position, last_end = 0, -1
    while match := _WORD.search(text, position):
        start, position = match.span()
        piece = text[start : min(position, start + 2 * LONGEST)]
        if sign := _SIGN.match(text, position):
            piece, position = piece + sign[0], sign.end()
            words: tuple[Word | None, ...] = (word(piece),)
        else:
            words, position = _with_other_form(piece, text, position)
        if found := tuple(each for each in words if each):
            joined = start == last_end + 1 and _JOINT.match(text, last_end) is not None
            yield Token(start, position, found, joined)
            last_end = position


def _with_other_form(piece: str, text: str, end: int) -> tuple[tuple[Word | None, ...], int]:
    first = word(piece)
    if first is None or len(first.form) < inclusive.SHORTEST_STEM:
        return (first,), end
    match = inclusive.TAIL.match(text, end)
    if match is None:
        return (first,), end
    separator, suffix = match["open"] or match["mark"], fold(match["suffix"])
    forms = _both_forms(first, suffix, is_plural=match["plural"] is not None)
    if forms:
        return tuple(word(form) for form in forms), match.end()
    if inclusive.is_sure(separator) and (suffix == "s" or inclusive.is_begun(suffix)):
        return (first,), match.end()
    return (first,), end


def _both_forms(first: Word, suffix: str, *, is_plural: bool) -> tuple[str, str] | None:
    """auteurs·rices has its plural in both halves, auteur·rice·s and auteur·rices have it once."""
    stem, form = first.spelling, first.form
    if len(suffix) > 1 and suffix.endswith("s"):
        suffix, is_plural = suffix[:-1], True
        if form.endswith("s") and (other := inclusive.other_form(stem[:-1], form[:-1], suffix)):
            return stem, other + "s"
    other = inclusive.other_form(stem, form, suffix)
    if other is None:
        return None
    if not is_plural:
        return stem, other
    return stem if form.endswith(("s", "x")) else stem + "s", other + "s"


def words(text: str) -> Iterator[Word]:
    """Every word of a text, and what its parts make when they are written without the hyphen."""
    before: Token | None = None
    for token in tokens(text):
        yield from token.words
        if before and token.is_joined and (joined := joint(before, token)):
            yield joined
        before = token


def joint(left: Token, right: Token) -> Word | None:
    """web-designer as webdesigner; None where one of the two says nothing by itself."""
    (first, *others), (second, *more) = left.words, right.words
    if others or more or {first.form, second.form} & stopwords.STOPWORDS:
        return None
    return word(first.spelling + second.spelling)
