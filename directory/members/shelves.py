"""Words to type ahead in: names by the beginning of any of their words, kept in memory."""

import re
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

from search import normaliser

Entry = TypeVar("Entry")
END = "\U0010ffff"
MOST_WORDS = 8  # of what is typed; each one-letter word costs milliseconds
Also = Iterable[tuple[str, Sequence[str]]]
WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*[+#]*")


class Named(NamedTuple, Generic[Entry]):
    """An entry and the names that are shown of it. standing sorts those that match as well."""

    code: str
    entry: Entry
    names: tuple[str, ...]
    standing: tuple[Any, ...]


class Shelf(Generic[Entry]):
    """Entries under their names, without case and accents.

    Names come in all their forms: what is typed may be in inclusive writing, a name may not.
    """

    def __init__(self, named: Iterable[Named[Entry]], also: Also = (), like: Also = ()) -> None:
        """also: other names, each with the codes of the entries that it means; like: of those
        that it only resembles, which come last.
        """
        ordered = sorted(named, key=lambda one: one.standing)
        numbers = {one.code: number for number, one in enumerate(ordered)}
        starts: dict[str, array[int]] = defaultdict(_numbers)
        own: dict[str, array[int]] = defaultdict(_numbers)
        for number, one in enumerate(ordered):
            folded = {normaliser.fold(name) for name in one.names}
            for name in folded:
                starts[name].append(number)
            for word in {word for name in folded for word in _words(name)}:
                own[word].append(number)
        self.entries = [one.entry for one in ordered]
        self.by_code = {one.code: one.entry for one in ordered}
        self._starts, self._own = Begun(starts), Begun(own)
        self._others, self._like = (Begun(_numbered(names, numbers)) for names in (also, like))

    def find(self, text: str) -> list[Entry]:
        """The entries that have a word for each word of the text, the nearest first.

        What is typed may be unfinished. No text gives all of them.
        """
        words = islice(normaliser.tokens(text), MOST_WORDS)
        tokens = [{word.form for word in token.words} for token in words]
        if not tokens:
            return [] if text.strip() else self.entries
        start = normaliser.fold(text)
        near = (
            self._starts.having({start}, whole=True),
            self._starts.having({start}),
            set.intersection(*(self._own.having(token, whole=True) for token in tokens)),
            set.intersection(*(self._own.having(token) for token in tokens)),
            self._having(tokens, self._own, self._others),
            self._having(tokens, self._own, self._others, self._like),
        )
        found = dict.fromkeys(number for group in near for number in sorted(group))
        return [self.entries[number] for number in found]

    def named(self, text: str) -> list[Entry]:
        """The entries of this name, then those that have all its words; none unfinished.

        The "l" of "Braine-l’Alleud" names nothing.
        """
        tokens = [{word.form for word in token.words} for token in normaliser.tokens(text)]
        near = [self._starts.having({normaliser.fold(text)}, whole=True)]
        if any(len(form) > 2 for token in tokens for form in token):
            near.append(
                set.intersection(*(self._own.having(token, whole=True) for token in tokens))
            )
        found = dict.fromkeys(number for group in near for number in sorted(group))
        return [self.entries[number] for number in found]

    def has_word(self, form: str, *, whole: bool) -> bool:
        """Whether this is a word of any name, or at least the beginning of one."""
        return bool(self._own.having({form}, whole=whole))

    def _having(self, tokens: Sequence[set[str]], *places: "Begun") -> set[int]:
        return set.intersection(
            *(set[int]().union(*(place.having(token) for place in places)) for token in tokens)
        )


class Begun:
    """In which entries a word is, or one that begins so."""

    def __init__(self, numbers: Mapping[str, "array[int]"]) -> None:
        self._words = sorted(numbers)
        self._numbers = [numbers[word] for word in self._words]

    def having(self, beginnings: Iterable[str], *, whole: bool = False) -> set[int]:
        found: set[int] = set()
        for text in beginnings:
            first = bisect_left(self._words, text)
            last = bisect_left(self._words, text + ("\0" if whole else END), lo=first)
            found.update(*self._numbers[first:last])
        return found


def _numbered(names: Also, numbers: Mapping[str, int]) -> dict[str, "array[int]"]:
    """The numbers of the entries by the words of their other names."""
    numbered: dict[str, array[int]] = defaultdict(_numbers)
    for name, codes in names:
        for word in _words(normaliser.fold(name)):
            numbered[word].extend(numbers[code] for code in codes)
    return numbered


def _numbers() -> "array[int]":
    return array("I")


def _words(folded: str) -> set[str]:
    """web-designer is also webdesigner."""
    found = set()
    for piece in WORD.findall(folded):
        found.update(piece.split("-"))
        found.add(piece.replace("-", ""))
    return found
