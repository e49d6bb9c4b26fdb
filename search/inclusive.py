"""Writing that names both genders at once: comédien·ne, auteur(e)s, traducteur/trice."""

import re

# feminine ending as written -> (what the masculine must end with, letters of it replaced)
_FITS: dict[str, tuple[tuple[str, int, str], ...]] = {
    "rice": (("eur", 3, "rice"),),
    "trice": (("teur", 4, "trice"), ("eur", 3, "trice")),
    "drice": (("deur", 4, "drice"),),
    "ice": (("eur", 3, "rice"),),
    "euse": (("eur", 3, "euse"), ("eux", 3, "euse")),
    "teuse": (("teur", 4, "teuse"),),
    "deuse": (("deur", 4, "deuse"),),
    "seuse": (("seur", 4, "seuse"),),
    "se": (("eur", 1, "se"), ("eux", 1, "se"), ("x", 1, "se"), ("s", 0, "e"), ("s", 0, "se")),
    "sse": (("e", 0, "sse"), ("x", 1, "sse")),
    "esse": (("e", 1, "esse"), ("", 0, "esse")),
    "ere": (("er", 2, "ère"),),
    "iere": (("ier", 3, "ière"), ("er", 2, "ière")),
    "ve": (("f", 1, "ve"),),
    "ive": (("if", 2, "ive"),),
    "ne": (("n", 0, "ne"),),
    "enne": (("en", 2, "enne"),),
    "ienne": (("ien", 3, "ienne"), ("en", 2, "enne")),
    "onne": (("on", 2, "onne"),),
    "le": (("l", 0, "le"), ("eau", 3, "elle")),
    "elle": (("el", 2, "elle"), ("eau", 3, "elle")),
    "te": (("t", 0, "te"), ("s", 1, "te")),
    "ette": (("et", 2, "ette"),),
    "que": (("c", 1, "que"),),
    "che": (("c", 1, "che"), ("s", 1, "che")),
    "eur": (("rice", 4, "eur"), ("euse", 4, "eur"), ("eure", 1, "")),
    "teur": (("trice", 5, "teur"),),
    "ier": (("iere", 4, "ier"),),
}
_SURE = frozenset("·•‧⋅∙・(（")
SHORTEST_STEM = 3

TAIL = re.compile(
    r"""(?:(?P<open>[ ]?[(（][ ]?)|(?P<mark>[·•‧⋅∙・.\-‐‑–_]|[ ]?/[ ]?))
        (?P<suffix>[^\W\d_]{1,6})(?!\w)
        (?(open)(?:[ ]?[)）]|\Z))
        (?:(?P<again>[·•‧⋅∙・.\-‐‑–/(（])?(?P<plural>s)(?!\w)[)）]?)?""",
    re.VERBOSE | re.IGNORECASE,
)


def other_form(spelling: str, form: str, suffix: str) -> str | None:
    """The other full form, or None when this is no such writing.

    spelling keeps its accents, form is the same without; suffix is without, in the singular.
    """
    if suffix == "e":
        return spelling + "e"
    for ending, cut, replacement in _FITS.get(suffix, ()):
        if form.endswith(ending):
            return spelling[: len(spelling) - cut] + replacement
    if suffix.endswith("e") and form.endswith(suffix[:-1]):
        return spelling + "e"
    return None


def is_sure(separator: str) -> bool:
    """Whether nothing but such writing uses this separator inside a word."""
    return separator.strip() in _SURE


def is_begun(suffix: str) -> bool:
    """Whether these letters may be the start of an ending that is still being typed."""
    return any(known.startswith(suffix) for known in _FITS)
