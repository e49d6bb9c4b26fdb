"""What ESCO and the Belgian Competent call an occupation, and what links both."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from directory.members.reference import forms

LANGUAGES = ("fr", "nl", "en")
# Competent's mark, and how it misspells it.
GENDERS = re.compile(r"\(?\b[hm]/f[/:]x\)")


class Label(NamedTuple):
    language: str
    text: str
    source: str
    is_exact: bool


class Occupation(NamedTuple):
    """What one classification calls a trade. main holds a label to show, by language."""

    main: Mapping[str, str]
    labels: tuple[Label, ...]


class Entry(NamedTuple):
    """An occupation of one classification, for the trade that it is and for others.

    close is what it says of a trade that is only like it; kind, of a trade that is a kind of it:
    its name alone, not to be shown. Its other labels may name other kinds, as "newspaper
    photographer" is one of "photographer". named are its French names, in both genders; also are
    the other French labels.
    """

    exact: Occupation
    close: Occupation
    kind: Occupation
    named: tuple[str, ...]
    also: tuple[str, ...]


def read_esco(rows: Iterable[Mapping[str, str]]) -> dict[str, Entry]:
    """By URI."""
    return {row["uri"]: _entry("esco", row, LANGUAGES) for row in rows}


def read_competent(rows: Iterable[Mapping[str, str]]) -> dict[str, Entry]:
    """By the number of Competent."""
    return {row["competent_id"]: _entry("competent", row, ("fr", "nl")) for row in rows}


def join(links: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """The numbers of Competent by the UUID of an ESCO occupation.

    Exact links only: a close one that follows a close one leads too far, from a photographic
    laboratory to a hospital's.
    """
    joined = defaultdict[str, list[str]](list)
    for link in links:
        if link["relation"] == "skos:exactMatch":
            joined[link["esco_uuid"]].append(link["competent_id"])
    return joined


def distinct(labels: Iterable[Label]) -> Iterator[Label]:
    """The first of those that differ only by case, accents, or "&" for "and"."""
    seen = set[tuple[str, str]]()
    for label in labels:
        key = label.language, _folded(label.text)
        if key not in seen:
            seen.add(key)
            yield label


@cache
def _folded(text: str) -> str:
    return forms.fold(text).replace(" & ", " and ").replace("’", "'")


def _entry(source: str, row: Mapping[str, str], languages: tuple[str, ...]) -> Entry:
    main = {language: _plain(row[f"label_{language}"]) for language in languages}
    names = {language: _genders(name, language) for language, name in main.items()}
    labels = (
        Label(language, text, source, is_exact=True)
        for language in languages
        for text in (*names[language], *_others(row.get(f"alt_{language}", ""), language))
    )
    kept = tuple(distinct(labels))
    loosened = tuple(label._replace(is_exact=False) for label in kept)
    return Entry(
        exact=Occupation(main, kept),
        close=Occupation(main, loosened),
        kind=Occupation({}, tuple(one for one in loosened if one.text in names[one.language])),
        named=names["fr"],
        also=tuple(
            one.text for one in kept if one.language == "fr" and one.text not in names["fr"]
        ),
    )


def _others(piped: str, language: str) -> Iterator[str]:
    for alternative in piped.split("|"):
        yield from _genders(_plain(alternative), language)


def _genders(text: str, language: str) -> tuple[str, ...]:
    """Both forms of "actor/actress"; any other slash is left alone."""
    left, slash, right = text.partition("/")
    if not slash or "/" in right or not left or not right:
        return (text,) if text else ()
    if language == "fr" and forms.are_coupled(left, right):
        name = forms.parse(f"{left.strip()} / {right.strip()}")
        return name.masculine, name.feminine
    return (text,) if " " in text else (left, right)


def _plain(text: str) -> str:
    return " ".join((GENDERS.sub("", text) if "/f" in text else text).split())
