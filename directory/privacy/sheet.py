"""The page of a copy: all of it in words, in the person's language, in one file without script."""

from collections.abc import Sequence
from typing import Any

from directory.holdings import Section
from directory.http import pages
from directory.privacy import keeping, labels

TEMPLATE = "privacy/sheet.html"


def head(language: str) -> str:
    return pages.block(TEMPLATE, "head", language)


def row(language: str, section: Section, values: dict[str, Any], *, is_first: bool) -> str:
    """A row in words, behind the title of its section where it is the first."""
    said = [
        (labels.COLUMNS[name], labels.value(name, value, language))
        for name, value in values.items()
        if value is not None and value not in ("", [])
    ]
    return pages.block(TEMPLATE, "row", language, title=section.title, said=said, is_first=is_first)


def end(language: str) -> str:
    """Behind the last row of a section."""
    return pages.block(TEMPLATE, "end", language)


def foot(language: str, keys: Sequence[str]) -> str:
    """The files, and what stays after an erasure."""
    return pages.block(TEMPLATE, "foot", language, keys=keys, kept=keeping.table())
