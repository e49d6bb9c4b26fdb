"""Masculine, feminine and inclusive forms of the name of a trade."""

import re
import unicodedata
from functools import cache, lru_cache
from itertools import zip_longest
from typing import NamedTuple

# Couples that share no stem.
PAIRS = {
    ("homme", "femme"),
    ("garçon", "fille"),
    ("monsieur", "dame"),
    ("steward", "hôtesse"),
    ("valet", "femme"),
    ("man", "woman"),
    ("barman", "barmaid"),
}

# Written with "/" but not as the other 13,000 are: the tail is shared from the middle.
ODD = {
    "Chef d'équipe assistant / Cheffe assistante avion": (
        "Chef d'équipe assistant avion",
        "Cheffe d'équipe assistante avion",
    ),
    "Chef d'équipe dépanneur / Cheffe dépanneuse de chaudières domestiques": (
        "Chef d'équipe dépanneur de chaudières domestiques",
        "Cheffe d'équipe dépanneuse de chaudières domestiques",
    ),
    "Chef d'équipe dépanneur / Cheffe dépanneuse d'installations sanitaires": (
        "Chef d'équipe dépanneur d'installations sanitaires",
        "Cheffe d'équipe dépanneuse d'installations sanitaires",
    ),
    "Responsable plate-forme expédition / Livraison": (
        "Responsable plate-forme expédition / Livraison",
        "Responsable plate-forme expédition / Livraison",
    ),
}

# (masculine ending, feminine ending, what follows the middle dot)
ENDINGS = (
    ("eur", "euse", "se"),
    ("eur", "rice", "rice"),
    ("er", "ère", "ère"),
    ("et", "ète", "ète"),
    ("f", "ve", "ve"),
    ("x", "se", "se"),
    ("c", "que", "que"),
    ("", "ne", "ne"),
    ("", "le", "le"),
    ("", "fe", "fe"),
    ("", "te", "te"),
    ("", "sse", "sse"),
    ("", "e", "e"),
)
# Feminine endings that exist but have no readable short form: both words are shown.
LONG_ENDINGS = (("r", "use"), ("er", "rice"), ("man", "woman"), ("o", "a"))

MARKS = re.compile("[\u0300-\u036f]+")
BRACKETED = re.compile(r"(?<=\w)\((e|ne|se|le)\)")


class Forms(NamedTuple):
    masculine: str
    feminine: str
    inclusive: str


@lru_cache(maxsize=4096)
def parse(appellation: str) -> Forms:
    """Forms of "Abatteur / Abatteuse de carrière": what follows the second word is shared.

    >>> parse("Développeur / Développeuse web").inclusive
    'Développeur·se web'
    """
    if appellation in ODD:
        return Forms(*ODD[appellation], appellation)
    left, separator, right = appellation.partition(" / ")
    if not separator:
        return _bracketed(appellation, appellation, appellation)
    first, second = left.split(), right.split()
    start = _shared_start(first, second)
    if start is None and _shared_start(second[: len(first)], first) == 0:
        first, second = second[: len(first)], first + second[len(first) :]
        start = 0
    if start is None:
        return Forms(left, right, appellation)
    if first[start][0].islower():
        second[0] = second[0][0].lower() + second[0][1:]
    couples = list(zip(first[start:], second, strict=False))
    before, tail = first[:start], second[len(couples) :]
    short = [_inclusive(masculine, feminine) for masculine, feminine in couples]
    readable = [word for word in short if word is not None]
    return _bracketed(
        " ".join(first + tail),
        " ".join(before + second),
        " ".join(before + readable + tail) if len(readable) == len(short) else appellation,
    )


def are_coupled(left: str, right: str) -> bool:
    """Whether two names say the same with two genders, word by word."""
    return _shared_start(left.split(), right.split()) is not None


def fold(text: str) -> str:
    """Without case, accents and doubled spaces: equal folds are the same words."""
    plain = text.casefold()
    if not plain.isascii():
        plain = MARKS.sub("", unicodedata.normalize("NFKD", plain.replace("œ", "oe")))
    return " ".join(plain.split())


def _shared_start(first: list[str], second: list[str]) -> int | None:
    """How many words the right side leaves out: 1 in "Secrétaire facturier / Facturière"."""
    for start in range(len(first)):
        rest = first[start:]
        if len(second) >= len(rest) and all(map(_are_kin, rest, second)):
            return start
    return None


def _are_kin(masculine: str, feminine: str) -> bool:
    if masculine.casefold() == feminine.casefold() or _inclusive(masculine, feminine) is not None:
        return True
    parts = zip_longest(masculine.split("-"), feminine.split("-"), fillvalue="")
    return all(
        one.casefold() == other.casefold()
        or _inclusive_part(one, other) is not None
        or (one.casefold(), other.casefold()) in PAIRS
        or any(
            _stem(one, m) is not None and _stem(one, m) == _stem(other, f) for m, f in LONG_ENDINGS
        )
        for one, other in parts
    )


def _inclusive(masculine: str, feminine: str) -> str | None:
    ones, others = masculine.split("-"), feminine.split("-")
    if len(ones) != len(others):
        return None
    parts = [_inclusive_part(one, other) for one, other in zip(ones, others, strict=True)]
    whole = [part for part in parts if part is not None]
    return "-".join(whole) if len(whole) == len(parts) else None


@cache
def _inclusive_part(masculine: str, feminine: str) -> str | None:
    if masculine.casefold() == feminine.casefold():
        return masculine
    mark = "," if masculine.endswith(",") and feminine.endswith(",") else ""
    one, other = masculine.removesuffix(mark), feminine.removesuffix(mark)
    for m, f, short in ENDINGS:
        stem = _stem(one, m)
        if stem is not None and stem == _stem(other, f):
            return f"{one}·{short}{mark}"
    return None


def _stem(word: str, ending: str) -> str | None:
    folded = word.casefold()
    if not folded.endswith(ending) or len(folded) < len(ending) + 2:
        return None
    return fold(folded.removesuffix(ending))


def _bracketed(masculine: str, feminine: str, inclusive: str) -> Forms:
    """The few "Diplômé(e)" that are left in a shared tail."""
    return Forms(
        BRACKETED.sub("", masculine),
        BRACKETED.sub(r"\1", feminine),
        BRACKETED.sub(r"·\1", inclusive),
    )
