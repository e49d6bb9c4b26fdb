"""Trades: ROME's appellations, with what ESCO and the Belgian Competent call them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from directory.members.reference import files, forms

FILES = (
    "rome_appellations",
    "esco_occupations_fr_nl_en",
    "esco_rome_links",
    "competent_be_fr_nl",
    "esco_competent_links",
)
LANGUAGES = ("fr", "nl", "en")
EXACT = {"skos:exactMatch": True, "skos:closeMatch": False}


class Label(NamedTuple):
    language: str
    text: str
    source: str
    is_exact: bool


class Occupation(NamedTuple):
    """What one classification calls a trade. main holds a label to show, by language."""

    is_exact: bool
    main: Mapping[str, str]
    labels: tuple[Label, ...]


class Trade(NamedTuple):
    code: str
    group_code: str
    label_fr: str
    label_masculine: str
    label_feminine: str
    label_nl: str | None
    label_en: str | None
    is_common: bool
    labels: tuple[Label, ...]


def read() -> tuple[dict[str, str], list[Trade]]:
    """The labels of the groups by code, and the trades."""
    appellations = list(files.read("rome_appellations"))
    competent = link_competent(files.read("esco_competent_links"), files.read("competent_be_fr_nl"))
    occupations = link_esco(
        files.read("esco_rome_links"), files.read("esco_occupations_fr_nl_en"), competent
    )
    groups = {row["code_rome"]: forms.parse(row["libelle_rome"]).inclusive for row in appellations}
    return groups, [parse(row, occupations.get(row["code_ogr"], ())) for row in appellations]


def parse(row: Mapping[str, str], occupations: Iterable[Occupation]) -> Trade:
    name = forms.parse(" ".join(row["appellation_long"].split()))
    ranked = sorted(occupations, key=lambda occupation: not occupation.is_exact)
    own = [Label("fr", text, "rome", is_exact=True) for text in (name.masculine, name.feminine)]
    labels = [label for occupation in ranked for label in occupation.labels]
    return Trade(
        row["code_ogr"],
        row["code_rome"],
        name.inclusive,
        name.masculine,
        name.feminine,
        _main(ranked, "nl"),
        _main(ranked, "en"),
        row["peu_usite"] != "O",
        tuple(label for label in distinct([*own, *labels]) if label.source != "rome"),
    )


def link_esco(
    links: Iterable[Mapping[str, str]],
    occupations: Iterable[Mapping[str, str]],
    competent: Mapping[str, list[Occupation]],
) -> dict[str, list[Occupation]]:
    """By OGR number. Links to occupations that this edition of ESCO does not hold are left out."""
    by_uri = {row["uri"]: _esco(row) for row in occupations}
    linked = defaultdict[str, list[Occupation]](list)
    for link in links:
        is_exact, occupation = EXACT.get(link["relation"]), by_uri.get(link["esco_uri"])
        if is_exact is None or occupation is None:
            continue
        belgian = competent.get(link["esco_uri"].rpartition("/")[2], [])
        linked[link["code_ogr"]] += [
            same if is_exact else _loosened(same) for same in (occupation, *belgian)
        ]
    return linked


def link_competent(
    links: Iterable[Mapping[str, str]], occupations: Iterable[Mapping[str, str]]
) -> dict[str, list[Occupation]]:
    """By the UUID of an ESCO occupation. Exact links only: a close one that follows a close one
    leads too far, from a photographic laboratory to a hospital's."""
    by_id = {row["competent_id"]: row for row in occupations}
    linked = defaultdict[str, list[Occupation]](list)
    for link in links:
        if link["relation"] == "skos:exactMatch" and link["competent_id"] in by_id:
            row = by_id[link["competent_id"]]
            main = {language: _plain(row[f"label_{language}"]) for language in ("fr", "nl")}
            labels = tuple(
                Label(language, text, "competent", is_exact=True)
                for language, text in main.items()
                if text
            )
            linked[link["esco_uuid"]].append(Occupation(is_exact=True, main=main, labels=labels))
    return linked


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


def _loosened(occupation: Occupation) -> Occupation:
    labels = tuple(label._replace(is_exact=False) for label in occupation.labels)
    return occupation._replace(is_exact=False, labels=labels)


def _main(ranked: Iterable[Occupation], language: str) -> str | None:
    for occupation in ranked:
        if label := occupation.main.get(language):
            return label[0].upper() + label[1:]
    return None


def _esco(row: Mapping[str, str]) -> Occupation:
    main = {language: _plain(row[f"label_{language}"]) for language in LANGUAGES}
    labels = (
        Label(language, text, "esco", is_exact=True)
        for language in LANGUAGES
        for alternative in (main[language], *row[f"alt_{language}"].split("|"))
        for text in _genders(_plain(alternative), language)
    )
    return Occupation(is_exact=True, main=main, labels=tuple(distinct(labels)))


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
    return " ".join(text.replace("(h/f/x)", "").split())
