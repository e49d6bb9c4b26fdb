"""The three languages. French is the source: a message is its own French text.

The catalogues are read from their .po files at the first use, so there is nothing to compile.
"""

import functools
import io
from collections.abc import Callable, Iterable
from gettext import GNUTranslations, NullTranslations
from importlib import resources

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

LANGUAGES = ("fr", "nl", "en")
SOURCE = "fr"


def marked(message: str) -> str:
    """Mark a text for the catalogues where it stands; it is translated where it is shown."""
    return message


class Label(str):
    """A marked text given as a parameter of another: it is translated with it."""

    __slots__ = ()


@functools.cache
def catalogue(language: str) -> NullTranslations:
    if language == SOURCE:
        return NullTranslations()
    text = resources.files("directory").joinpath("translations", f"{language}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(text), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def translate(language: str, message: str, /, **params: object) -> str:
    said = catalogue(language).gettext(message) if message else ""
    return said % _spoken(language, params) if params else said


def _spoken(language: str, params: dict[str, object]) -> dict[str, object]:
    return {
        name: translate(language, value) if isinstance(value, Label) else value
        for name, value in params.items()
    }


def translate_count(language: str, one: str, many: str, count: int, /, **params: object) -> str:
    """The singular or the plural; French counts nought as singular."""
    if language == SOURCE:
        said = one if abs(count) < 2 else many
    else:
        said = catalogue(language).ngettext(one, many, count)
    return said % {"count": count, **params}


def speaker(language: str, *, html: bool) -> dict[str, Callable[..., str]]:
    """`_` and `_n` for templates. In HTML the parameters are escaped, the message is markup."""

    def say(message: str, /, **params: object) -> str:
        if not html:
            return translate(language, message, **params)
        said = Markup(translate(language, message))  # noqa: S704 - from our own templates
        return said % _spoken(language, params) if params else said

    def say_count(one: str, many: str, count: int, /, **params: object) -> str:
        if not html:
            return translate_count(language, one, many, count, **params)
        safe = {key: escape(value) for key, value in params.items()}
        return Markup(translate_count(language, one, many, count, **safe))  # noqa: S704 - as above

    return {"_": say, "_n": say_count}


def negotiate(*wishes: str | None, accept: Iterable[str] = ()) -> str:
    """The first wish that we speak, then the reader's browser, then French."""
    for wish in (*wishes, *accept):
        if wish and wish[:2].lower() in LANGUAGES:
            return wish[:2].lower()
    return SOURCE
