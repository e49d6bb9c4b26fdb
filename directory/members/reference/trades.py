"""Trades: ROME's appellations, with what ESCO and the Belgian Competent call them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from directory.members.reference import files, forms, namesakes, occupations
from directory.members.reference.occupations import Entry, Label, Occupation

FILES = (
    "rome_appellations",
    "esco_occupations_fr_nl_en",
    "esco_rome_links",
    "competent_be_fr_nl",
    "esco_competent_links",
    "trade_names",
)


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


class Nomenclatures(NamedTuple):
    """joined: the numbers of Competent by the UUID of ESCO; links: URIs by OGR and relation;
    ours: rows by the masculine name of ROME.
    """

    esco: Mapping[str, Entry]
    competent: Mapping[str, Entry]
    joined: Mapping[str, list[str]]
    links: Mapping[tuple[str, str], list[str]]
    namesakes: namesakes.Namesakes
    ours: Mapping[str, Mapping[str, str]]


def read() -> tuple[dict[str, str], list[Trade]]:
    """The labels of the groups by code, and the trades."""
    appellations = list(files.read("rome_appellations"))
    groups = {row["code_rome"]: forms.parse(row["libelle_rome"]).inclusive for row in appellations}
    known = _nomenclatures()
    return groups, [_trade(row, known) for row in appellations]


def _nomenclatures() -> Nomenclatures:
    """Links to occupations that this edition of ESCO does not hold are left out."""
    esco = occupations.read_esco(files.read("esco_occupations_fr_nl_en"))
    competent = occupations.read_competent(files.read("competent_be_fr_nl"))
    links = defaultdict[tuple[str, str], list[str]](list)
    for link in files.read("esco_rome_links"):
        if link["esco_uri"] in esco:
            links[link["code_ogr"], link["relation"]].append(link["esco_uri"])
    joined = occupations.join(files.read("esco_competent_links"))
    ours = {row["label_masculine"]: row for row in files.read("trade_names")}
    return Nomenclatures(esco, competent, joined, links, namesakes.index(esco, competent), ours)


def _trade(row: Mapping[str, str], known: Nomenclatures) -> Trade:
    name = forms.parse(" ".join(row["appellation_long"].split()))
    ranked = _ranked(row["code_ogr"], name.masculine, known)
    own = [Label("fr", text, "rome", is_exact=True) for text in (name.masculine, name.feminine)]
    labels = [label for occupation in ranked for label in occupation.labels]
    ours = known.ours.get(name.masculine, {})
    return Trade(
        row["code_ogr"],
        row["code_rome"],
        name.inclusive,
        name.masculine,
        name.feminine,
        _shown(ours.get("label_nl") or _main(ranked, "nl")),
        _shown(ours.get("label_en") or _main(ranked, "en")),
        row["peu_usite"] != "O",
        tuple(label for label in occupations.distinct([*own, *labels]) if label.source != "rome"),
    )


def _ranked(code: str, name: str, known: Nomenclatures) -> list[Occupation]:
    """Official exact links, then namesakes, then close links, then what the trade is a kind of.

    An official close link is the loosest of what is shown: ROME's psychothérapeute is close to a
    psychologist and has the very name of a psychotherapist.
    """
    exact, close, broad, narrow = (
        known.links.get((code, f"skos:{relation}Match"), [])
        for relation in ("exact", "close", "broad", "narrow")
    )
    belgian = known.namesakes.belgian(name)
    agreed = [
        uri for uri in (*close, *broad, *narrow) if not set(_joined(uri, known)).isdisjoint(belgian)
    ]
    same = agreed or ([] if exact else known.namesakes.same(name))
    kinds = [*broad, *narrow]
    if not (exact or close or kinds or same):
        kinds = known.namesakes.close(name)
    return [
        *(entry.exact for entry in _of(exact, known)),
        *(known.competent[number].exact for number in belgian),
        *(entry.exact for entry in _of(same, known)),
        *(entry.close for entry in _of(close, known)),
        *(entry.kind for entry in _of(kinds, known)),
    ]


def _of(uris: Iterable[str], known: Nomenclatures) -> Iterator[Entry]:
    """With what is the same in Competent."""
    for uri in uris:
        yield known.esco[uri]
        yield from (known.competent[number] for number in _joined(uri, known))


def _joined(uri: str, known: Nomenclatures) -> list[str]:
    numbers = known.joined.get(uri.rpartition("/")[2], [])
    return [number for number in numbers if number in known.competent]


def _main(ranked: Iterable[Occupation], language: str) -> str | None:
    return next(filter(None, (one.main.get(language) for one in ranked)), None)


def _shown(label: str | None) -> str | None:
    return label and label[0].upper() + label[1:]
