"""Where members live, and the offices of the cooperative."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from itertools import accumulate
from random import Random
from typing import NamedTuple

import msgspec

from directory.members.reference import places


class Office(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    slug: str
    name: str
    place: str


class Town(NamedTuple):
    """place is the code of a place; office a slug, '' far from all of them."""

    region: str
    place: str
    office: str


class Atlas(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    office: list[Office]
    towns: dict[str, list[tuple[float, str, str]]]


@cache
def atlas() -> Atlas:
    text = resources.files("directory.demo").joinpath("towns.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Atlas)


@cache
def _weighted() -> tuple[list[Town], list[float]]:
    found = [
        (weight, Town(region, place, office))
        for region, rows in atlas().towns.items()
        for weight, place, office in rows
    ]
    return [town for _, town in found], list(accumulate(weight for weight, _ in found))


def draw(chance: Random) -> Town:
    towns, weights = _weighted()
    return chance.choices(towns, cum_weights=weights)[0]


@cache
def labels() -> Mapping[str, places.Place]:
    """Places by code."""
    return {place.code: place for place in places.read()[1]}
