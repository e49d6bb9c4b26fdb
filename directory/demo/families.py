"""Families of trades as such a cooperative has them: what their people say, offer and seek."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from random import Random

import msgspec

from directory.members.reference import forms

GENDERED = re.compile(r"\[([^|\]]+)\|([^\]]+)\]")


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """trades: a weight, the OGR number and the appellation of ROME. seconds: keys of families.

    sectors are its own, clients those it often works for (NACE divisions). `pour` and `voor` fill
    the slots of the same name; text ending in `_nl` and `_en` is in Dutch and English. Text that
    starts with "@14156,510906 " is for these trades alone.
    """

    weight: float
    filieres: list[str]
    sectors: list[str]
    clients: list[str]
    seconds: list[str]
    trades: list[tuple[float, str, str]]
    skills: list[str]
    skills_nl: list[str]
    wanted: list[str]
    wanted_nl: list[str]
    headlines: list[str]
    headlines_nl: list[str]
    headlines_en: list[str]
    bios: list[str]
    bios_nl: list[str]
    bios_en: list[str]
    pour: list[str]
    voor: list[str]
    for_: tuple[str, ...] = msgspec.field(name="for", default=("small organisations",))

    def draw_trade(self, chance: Random) -> str:
        weights, codes, _ = zip(*self.trades, strict=True)
        drawn: str = chance.choices(codes, weights)[0]
        return drawn


@cache
def by_key() -> Mapping[str, Family]:
    found: dict[str, Family] = {}
    folder = resources.files("directory.demo").joinpath("families")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            found |= msgspec.convert(tomllib.loads(file.read_text("utf-8")), dict[str, Family])
    return found


@cache
def family_of() -> Mapping[str, str]:
    """The first family that holds a trade, by OGR number."""
    found: dict[str, str] = {}
    for key, family in by_key().items():
        for _, code, _ in family.trades:
            found.setdefault(code, key)
    return found


@cache
def texts(key: str, kind: str, language: str, trade: str) -> Sequence[str]:
    """What somebody of a family says whose trade is this one. kind: 'headlines', 'bios', 'skills'
    or 'wanted'; the last two are not there in English, and are given in French."""
    suffix = {"fr": "", "nl": "_nl", "en": "_en"}[language]
    family = by_key()[key]
    known: Sequence[str] = getattr(family, kind + suffix, getattr(family, kind))
    return [text for codes, text in map(_marked, known) if not codes or trade in codes]


def _marked(text: str) -> tuple[list[str], str]:
    if not text.startswith("@"):
        return [], text
    codes, _, words = text[1:].partition(" ")
    return codes.split(","), words


def say(template: str, gender: str, slots: Mapping[str, str]) -> str:
    """Fill the {slots} and choose of "[formé|formée]". gender: 'm', 'f', or 'x' for both."""

    def choose(match: re.Match[str]) -> str:
        masculine, feminine = match.groups()
        if gender == "x":
            return forms.parse(f"{masculine} / {feminine}").inclusive
        return feminine if gender == "f" else masculine

    return GENDERED.sub(choose, template).format_map(slots)
