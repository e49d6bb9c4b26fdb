"""The names of languages, in the reader's language. A code that is none is left out."""

from collections.abc import Collection

from babel import Locale

from directory.languages import LANGUAGES
from search import normaliser


def of_languages(codes: Collection[str], language: str) -> dict[str, str]:
    """'nl' is 'néerlandais' for a French reader. Codes are ISO 639."""
    names = Locale.parse(language if language in LANGUAGES else "fr").languages
    return {code: names[code] for code in codes if code in names}


def all_languages(language: str) -> list[tuple[str, str]]:
    """Codes of two letters with their names, by name."""
    names = Locale.parse(language if language in LANGUAGES else "fr").languages
    found = [(code, name) for code, name in names.items() if len(code) == 2]
    return sorted(found, key=lambda pair: normaliser.fold(pair[1]))
