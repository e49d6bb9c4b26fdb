"""Names as they are heard in the towns of Belgium and the north of France."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from random import Random
from typing import NamedTuple

import msgspec

# How often each origin is met, by region of towns.toml.
MIXES: Mapping[str, Mapping[str, float]] = {
    "brussels": {
        "walloon": 33, "maghrebi": 14, "french": 10, "flemish": 9, "congolese": 7, "italian": 5,
        "west_african": 5, "spanish": 4, "polish": 3, "turkish": 3, "portuguese": 3, "romanian": 2,
        "levantine": 2, "english": 2, "vietnamese": 1, "greek": 1, "german": 1,
    },
    "wallonia": {
        "walloon": 62, "italian": 10, "maghrebi": 6, "french": 6, "congolese": 3, "flemish": 3,
        "west_african": 2, "turkish": 2, "polish": 2, "spanish": 1, "portuguese": 1, "german": 1,
        "levantine": 1,
    },
    "flanders": {
        "flemish": 72, "maghrebi": 6, "turkish": 4, "walloon": 4, "polish": 3, "congolese": 2,
        "west_african": 2, "english": 2, "levantine": 2, "italian": 1, "portuguese": 1,
        "romanian": 1,
    },
    "east": {"german": 80, "walloon": 20},
    "france": {
        "french": 66, "maghrebi": 9, "west_african": 6, "portuguese": 5, "italian": 3, "spanish": 3,
        "polish": 2, "vietnamese": 2, "congolese": 2, "turkish": 2,
    },
}  # fmt: skip
LOCAL = {
    "brussels": "walloon",
    "wallonia": "walloon",
    "flanders": "flemish",
    "east": "german",
    "france": "french",
}
GENDERS = {"f": 51.0, "m": 46.5, "x": 2.5}

# Of those whose family came from elsewhere: how many bear a given name of the region.
LOCAL_GIVEN_NAME = 0.3
DOUBLE_NAME = 0.06


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    languages: list[str]
    given_f: list[str]
    given_m: list[str]
    family: list[str]


class Name(NamedTuple):
    """gender: 'f', 'm' or 'x'. origin: a key of names.toml."""

    given: str
    family: str
    gender: str
    origin: str


@cache
def origins() -> Mapping[str, Origin]:
    text = resources.files("directory.demo").joinpath("names.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Origin])


def draw(chance: Random, region: str) -> Name:
    mix = MIXES[region]
    origin = draw_key(chance, mix)
    gender = draw_key(chance, GENDERS)
    heard = LOCAL[region] if chance.random() < LOCAL_GIVEN_NAME else origin
    kind = gender if gender != "x" else chance.choice("fm")
    given = chance.choice(origins()[heard].given_f if kind == "f" else origins()[heard].given_m)
    family = chance.choice(origins()[origin].family)
    if chance.random() < DOUBLE_NAME:
        other = chance.choice(origins()[draw_key(chance, mix)].family)
        family = family if other == family else f"{family}-{other}"
    return Name(given, family, gender, origin)


def draw_key(chance: Random, weights: Mapping[str, float]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
