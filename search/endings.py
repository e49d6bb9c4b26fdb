"""Gender and number taken off a word, for French first, without hurting Dutch and English.

It works on forms (lower case, no accents) and knows endings, not words: what it makes is to be
compared, not read. The rules run until none changes anything, so a key is its own key.
"""

import functools
import re

SHORTEST = 4  # a word of three letters has no ending to lose

_WHOLE = {
    "autrice": "auteur",
    "barmaid": "barman",
    "belle": "beau",
    "bel": "beau",
    "bureaux": "bureau",
    "cheveux": "cheveu",
    "commise": "commis",
    "copine": "copain",
    "coraux": "corail",
    "doctoresse": "docteur",
    "emaux": "email",
    "enjeux": "enjeu",
    "feux": "feu",
    "gars": "gars",
    "heros": "heros",
    "jeux": "jeu",
    "jumel": "jumeau",
    "lieux": "lieu",
    "milieux": "milieu",
    "nouvel": "nouveau",
    "vieil": "vieux",
    "vitraux": "vitrail",
    "travaux": "travail",
    "voeux": "voeu",
    "yeux": "oeil",
}

_ENGLISH_AGENTS = ("book", "dispatch", "design", "lead", "manag", "report", "rewrit", "train")

# Each: how many letters at least must stand before the ending, the ending, what replaces it.
_RULES = (
    (0, "maitresse", "maitre"),
    (0, "hotesse", "hote"),
    (1, "poetesse", "poete"),
    (2, "woman", "man"),
    (2, "women", "man"),
    (4, "men", "man"),
    (2, "aarster", "aar"),
    (2, "eurice", "eur"),
    (2, "eureuse", "eur"),
    (1, "trice", "teur"),
    (3, "drice", "deur"),
    (2, "euse", "eur"),
    (3, "eux", "eur"),
    # English words that took a French feminine
    *((0, word + "eur", word + "er") for word in _ENGLISH_AGENTS),
    (2, "ive", "if"),
    (2, "ique", "ic"),
    (2, "eaux", "eau"),
    (2, "aux", "al"),
    (2, "oux", "ou"),
    (3, "aise", "ai"),
    (3, "oise", "oi"),
    (2, "se", "se"),
    (2, "ss", "ss"),
    (3, "s", ""),
    (4, "e", ""),
    (3, "ff", "f"),
    (3, "nn", "n"),
    (3, "ll", "l"),
    (3, "tt", "t"),
)
_CONSONANT_Y = re.compile(r"(.{3,}[bcdfghjklmnpqrstvwxz])y")
_DUTCH_PLURAL = re.compile(r"(.{3,}[bcdfghjklmnpqrstvwxz])en")


@functools.lru_cache(maxsize=50_000)
def key(form: str) -> str:
    while (shorter := _step(form)) != form:
        form = shorter
    return form


def _step(form: str) -> str:
    if form in _WHOLE:
        return _WHOLE[form]
    if len(form) < SHORTEST or not form.isalpha():
        return form
    for before, ending, replacement in _RULES:
        if form.endswith(ending) and len(form) - len(ending) >= before:
            return form[: -len(ending)] + replacement
    if match := _DUTCH_PLURAL.fullmatch(form):
        return match[1]
    if match := _CONSONANT_Y.fullmatch(form):
        return match[1] + "i"
    return form


# What somebody may still be about to type after the letters of an unfinished word.
_TAILS = ("e", "ce", "ice", "ue", "se", "ne", "r", "ur", "er", "x", "ux", "y", "an", "sse")


@functools.lru_cache(maxsize=5_000)
def unfinished(form: str) -> tuple[str, ...]:
    """Keys of words that begin with these letters while their keys do not."""
    if len(form) < SHORTEST:
        return ()
    keys = (key(form + tail) for tail in ("", *_TAILS))
    return tuple(dict.fromkeys(k for k in keys if not k.startswith(form)))
