"""What is asked: queries of each class, drawn from the trades, skills and towns of the demo."""

import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode

from directory.demo import families, filieres, towns
from search import stopwords

API, PAGE = "/api/v1/members", "/"
NO_FACETS = ("facets", "none")
SEED = 1
SHORTEST = 4  # letters of a word that is typed whole
TRIES = 20  # for each query that differs from those before

Pairs = list[tuple[str, str]]
Draw = Callable[[Random], Pairs]


class Words(NamedTuple):
    """The words of trades and skills, each once. labels are those of two words and more, heads the
    words that trades begin with."""

    heads: tuple[str, ...]
    singles: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    towns: tuple[str, ...]


class Kind(NamedTuple):
    """A class of queries. Two of the same seed ask the same."""

    name: str
    seed: str
    draw: Draw
    path: str = API
    has_facets: bool = True
    is_signed_in: bool = True

    def paths(self, count: int, *, seed: int = SEED) -> list[str]:
        """As many different ones as there are; then some come back."""
        chance = Random(f"{seed}:{self.seed}")
        found: dict[str, None] = {}
        for _ in range(count * TRIES):
            if len(found) == count:
                break
            found.setdefault(self._path(self.draw(chance)))
        paths = list(found)
        return [paths[number % len(paths)] for number in range(count)]

    def _path(self, pairs: Pairs) -> str:
        query = urlencode(pairs if self.has_facets else [*pairs, NO_FACETS])
        return f"{self.path}?{query}" if query else self.path


@cache
def words() -> Words:
    known = families.by_key().values()
    trades = [part for family in known for _, _, label in family.trades for part in _forms(label)]
    skills = [skill for family in known for skill in (*family.skills, *family.skills_nl)]
    labels = [_words(_unmarked(label)) for label in (*trades, *skills)]
    places = {place for rows in towns.atlas().towns.values() for _, place, _ in rows}
    return Words(
        heads=_once(label[0] for label in map(_words, trades) if label),
        singles=_once(word for label in labels for word in label),
        labels=tuple(dict.fromkeys(label for label in labels if len(label) > 1)),
        towns=_once(towns.labels()[place].label_fr.lower() for place in sorted(places)),
    )


def _forms(label: str) -> list[str]:
    return label.split(" / ")


def _unmarked(label: str) -> str:
    return label.partition(" ")[2] if label.startswith("@") else label


def _words(label: str) -> tuple[str, ...]:
    """The words that tell something. What stands behind an apostrophe is a word too."""
    letters = "".join(c if c.isalpha() else " " for c in label.lower())
    return tuple(
        word
        for word in letters.split()
        if len(word) >= SHORTEST and _plain(word) not in stopwords.STOPWORDS
    )


def _plain(word: str) -> str:
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()


def _once(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def _browse(chance: Random) -> Pairs:
    page = chance.randrange(1, 51)
    return [("page", str(page))] if page > 1 else []


def _one_word(chance: Random) -> Pairs:
    known = chance.choice((words().heads, words().singles, words().singles, words().towns))
    return [("q", chance.choice(known))]


def _two_words(chance: Random) -> Pairs:
    """Half of them of one label, half a trade and a town."""
    if chance.random() < 0.5:
        return [("q", " ".join(chance.choice(words().labels)[:2]))]
    return [("q", f"{chance.choice(words().heads)} {chance.choice(words().towns)}")]


def _typo(chance: Random) -> Pairs:
    """A letter is missing, stands twice, or has changed places; never the first."""
    one = chance.choice([word for word in words().singles if len(word) >= 6])
    at = chance.randrange(1, len(one) - 1)
    made = (
        one[:at] + one[at + 1 :],
        one[:at] + one[at] + one[at:],
        one[:at] + one[at + 1] + one[at] + one[at + 2 :],
    )
    return [("q", chance.choice(made))]


def _short_prefix(chance: Random) -> Pairs:
    one = chance.choice((*words().singles, *words().towns))
    return [("q", one[: chance.choice((1, 2, 2, 3, 3, 3))])]


def _filters(chance: Random) -> Pairs:
    """One to three facets; one to three values in some of them."""
    family = families.by_key()[chance.choice(list(families.by_key()))]
    place = chance.choice([row for rows in towns.atlas().towns.values() for row in rows])[1]
    known = {
        "region": [towns.labels()[place].region_code],
        "language": chance.sample(("fr", "nl", "en", "de", "it", "es"), chance.choice((1, 1, 2))),
        "availability": chance.choice((["available"], ["available", "soon"])),
        "trade": [code for _, code, _ in family.trades[: chance.choice((1, 1, 3))]],
        "sector": [family.sectors[0][:2]],
        "filiere": [chance.choice(filieres.known()).slug],
    }
    facets = chance.sample(list(known), chance.choice((1, 2, 2, 3)))
    return [(facet, value) for facet in facets for value in known[facet]]


def _text_and_filters(chance: Random) -> Pairs:
    """Of the filters those that many members meet: two narrow ones and a word find nobody."""
    broad = [[("language", "fr")], [("availability", "available")], [("availability", "soon")]]
    broad += [[("region", code)] for code in ("BE-BRU", "BE-WLG", "BE-WNA", "BE-WHT")]
    return [*_one_word(chance), *chance.choice(broad)]


def _near(chance: Random) -> Pairs:
    place = chance.choice([row for rows in towns.atlas().towns.values() for row in rows])[1]
    within = [("near", place), ("within_km", chance.choice(("5", "10", "25", "50")))]
    return within if chance.random() < 0.5 else [*_one_word(chance), *within]


def _by_name(chance: Random) -> Pairs:
    return [("sort", "name"), *_browse(chance)]


_DRAWN: dict[str, Draw] = {
    "browse": _browse,
    "one word": _one_word,
    "two words": _two_words,
    "typo": _typo,
    "short prefix": _short_prefix,
    "filters": _filters,
    "text and filters": _text_and_filters,
    "near, with or without a word": _near,
    "browse, sorted by name": _by_name,
}
_WITHOUT_FACETS = ("browse", "one word", "two words")
MEMBERS = (
    *(Kind(name, name, draw) for name, draw in _DRAWN.items()),
    *(
        Kind(f"{name}, facets=none", name, _DRAWN[name], has_facets=False)
        for name in _WITHOUT_FACETS
    ),
)
OTHERS = (
    Kind("browse as a visitor", "browse", _browse, is_signed_in=False),
    Kind("the page, one word", "one word", _one_word, path=PAGE),
)
