"""The members of the demonstration, one after the other: the same for the same seed and day.

Each is drawn from its own generator, so that the first 100 of 100,000 are the first 100 of 2,000.
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from importlib import resources
from random import Random

import msgspec

from directory.demo import contacts, families, names, towns
from directory.demo.families import Family
from directory.demo.names import Name
from directory.demo.towns import Town

SECOND_TRADE, THIRD_TRADE = 0.45, 0.12
LEFT = 0.015
IN_ENGLISH = 0.05
UNCONFIRMED_ADDRESS = 0.03
STAGES = {"starting": 900, "developing": 2400, "established": 5200}
"""The most days since the joining."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A member with everything of their profile. trades are OGR numbers, sectors NACE codes, the
    place a code. families and filieres say what the person is likely to join."""

    position: int
    email: str
    given_name: str
    family_name: str
    gender: str
    language: str
    headline: str
    biography: str
    place: str
    office: str
    availability: str | None
    available_until: date | None
    stage: str
    phone: str
    audiences: Mapping[str, str]
    joined_on: date
    left_on: date | None
    confirmed_at: datetime | None
    has_confirmed_address: bool
    trades: tuple[str, ...]
    sectors: tuple[str, ...]
    offered: tuple[str, ...]
    wanted: tuple[str, ...]
    languages: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    families: tuple[str, ...]
    filieres: tuple[str, ...] | None = None
    animates: tuple[str, ...] = ()

    @property
    def display_name(self) -> str:
        return f"{self.given_name} {self.family_name}"


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody of the fixed cast, as cast.toml has them."""

    email: str
    given: str
    family: str
    gender: str
    place: str
    office: str
    trades: list[str]
    sectors: list[str]
    headline: str
    biography: str
    offered: list[str]
    wanted: list[str]
    languages: list[tuple[str, str]]
    links: list[tuple[str, str]]
    stage: str
    availability: str
    filieres: list[str]
    audiences: dict[str, str]
    animates: list[str] = []
    language: str = "fr"


@cache
def cast() -> tuple[Role, ...]:
    return tuple(msgspec.convert(_toml("cast.toml")["member"], list[Role]))


@cache
def prose() -> Mapping[str, Mapping[str, list[str]]]:
    return msgspec.convert(_toml("prose.toml"), dict[str, dict[str, list[str]]])


def _toml(name: str) -> dict[str, object]:
    return tomllib.loads(resources.files("directory.demo").joinpath(name).read_text("utf-8"))


def generate(count: int, seed: int, today: date) -> Iterator[Person]:
    """The cast, then as many others as it takes to be `count`."""
    seen = Counter[str]()
    for position, role in enumerate(cast()[:count]):
        seen[role.email] += 1
        yield _play(position, role, today)
    for position in range(len(cast()), count):
        yield invent(position, _chance(seed, position), today, seen)


def _chance(seed: int, position: int) -> Random:
    return Random(f"{seed}:{position}")  # noqa: S311 - the same people for the same seed


def _play(position: int, role: Role, today: date) -> Person:
    chance = _chance(0, position)
    keys = (families.family_of().get(trade, "web") for trade in role.trades)
    return Person(
        position=position, email=role.email, given_name=role.given, family_name=role.family,
        gender=role.gender, language=role.language, headline=role.headline,
        biography=role.biography, place=role.place, office=role.office,
        availability=role.availability, available_until=today + timedelta(days=60 + position * 11),
        stage=role.stage, phone=contacts.phone(chance, role.place), audiences=role.audiences,
        joined_on=today - timedelta(days=900 + 111 * position), left_on=None,
        confirmed_at=_noon(today - timedelta(days=9 + position * 17)), has_confirmed_address=True,
        trades=tuple(role.trades), sectors=tuple(role.sectors), offered=tuple(role.offered),
        wanted=tuple(role.wanted), languages=tuple(role.languages), links=tuple(role.links),
        families=tuple(dict.fromkeys(keys)), filieres=tuple(role.filieres),
        animates=tuple(role.animates),
    )  # fmt: skip


def invent(position: int, chance: Random, today: date, seen: Counter[str]) -> Person:
    town = towns.draw(chance)
    name = names.draw(chance, town.region)
    language = _language(chance, town, name)
    keys, trades = _trades(chance)
    family = families.by_key()[keys[0]]
    stage, joined_on = _career(chance, today)
    says = partial(families.texts, keys[0], language=language, trade=trades[0])
    headline, biography = _texts(
        chance, family, says, name.gender, language, _slots(town, joined_on)
    )
    left_on = _between(chance, joined_on, today) if chance.random() < LEFT else None
    availability, available_until = _availability(chance, today)
    return Person(
        position=position, email=contacts.email(chance, name, seen), given_name=name.given,
        family_name=name.family, gender=name.gender, language=language, headline=headline,
        biography=biography, place=town.place, office=town.office, availability=availability,
        available_until=available_until, stage=stage,
        phone=contacts.phone(chance, town.place) if chance.random() < 0.7 else "",
        audiences=contacts.audiences(chance), joined_on=joined_on, left_on=left_on,
        confirmed_at=_confirmed(chance, joined_on, today),
        has_confirmed_address=chance.random() >= UNCONFIRMED_ADDRESS, trades=trades,
        sectors=_sectors(chance, family), offered=_sample(chance, says("skills"), 2, 6),
        wanted=_sample(chance, says("wanted"), 0, 3),
        languages=_languages(chance, town, name, language),
        links=contacts.links(chance, name), families=keys,
    )  # fmt: skip


def _language(chance: Random, town: Town, name: Name) -> str:
    """The language of the pages and mails, one of the three."""
    if name.origin == "english" or (name.origin in _FROM_AFAR and chance.random() < IN_ENGLISH):
        return "en"
    if town.region == "flanders":
        return "fr" if name.origin == "walloon" else "nl"
    return "nl" if name.origin == "flemish" and town.region == "brussels" else "fr"


_FROM_AFAR = frozenset({"italian", "spanish", "polish", "greek", "romanian", "portuguese"})


def _trades(chance: Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keys of families and OGR numbers; the main one first."""
    known = families.by_key()
    first = names.draw_key(chance, {key: family.weight for key, family in known.items()})
    keys, trades = [first], [known[first].draw_trade(chance)]
    more = chance.random()
    for _ in range((more < SECOND_TRADE) + (more < THIRD_TRADE)):
        key = first if chance.random() < 0.35 else chance.choice(known[first].seconds)
        trade = known[key].draw_trade(chance)
        if trade not in trades:
            keys.append(key)
            trades.append(trade)
    return tuple(dict.fromkeys(keys)), tuple(trades)


def _career(chance: Random, today: date) -> tuple[str, date]:
    stage = names.draw_key(chance, {"starting": 24, "developing": 37, "established": 39})
    longest = STAGES[stage]
    days = int(chance.triangular(15, longest, longest / 3))
    return stage, today - timedelta(days=days)


def _availability(chance: Random, today: date) -> tuple[str | None, date | None]:
    kind = names.draw_key(chance, {"available": 46, "soon": 16, "busy": 20, "": 18})
    if not kind:
        return None, None
    until = today + timedelta(days=chance.randrange(-20, 240))
    return kind, until if chance.random() < 0.55 else None


def _confirmed(chance: Random, joined_on: date, today: date) -> datetime | None:
    """Most profiles are fresh; some are old, a few were never confirmed."""
    drawn = chance.random()
    if drawn < 0.06:
        return None
    days = chance.randrange(270) if drawn < 0.7 else chance.randrange(270, 1000)
    return _noon(max(today - timedelta(days=days), joined_on))


def _texts(
    chance: Random,
    family: Family,
    says: Callable[[str], Sequence[str]],
    gender: str,
    language: str,
    slots: Mapping[str, str],
) -> tuple[str, str]:
    slots = dict(slots) | {
        "pour": chance.choice(family.pour),
        "voor": chance.choice(family.voor),
        "for": chance.choice(family.for_),
    }
    bios = says("bios")
    own = chance.sample(bios, min(len(bios), chance.choice((1, 2, 2, 3))))
    shared = prose()[language]
    told = [*own]
    if chance.random() < 0.7:
        told.insert(chance.choice((0, len(told))), chance.choice(shared["roots"]))
    if chance.random() < 0.6:
        told.append(chance.choice(shared["wishes"]))
    headline = chance.choice(says("headlines"))
    biography = " ".join(told) if chance.random() > 0.08 else ""
    return families.say(headline, gender, slots), families.say(biography, gender, slots)


def _slots(town: Town, joined_on: date) -> dict[str, str]:
    place = towns.labels()[town.place]
    label = place.label_nl if town.region == "flanders" else place.label_fr
    return {"lieu": label, "an": str(joined_on.year - 1), "entree": str(joined_on.year)}


def _sectors(chance: Random, family: Family) -> tuple[str, ...]:
    own = family.sectors[: 2 if chance.random() < 0.3 else 1]
    clients = chance.sample(
        family.clients, min(len(family.clients), chance.choice((0, 0, 1, 1, 2)))
    )
    return tuple(dict.fromkeys([*own, *clients]))


def _sample(chance: Random, known: Sequence[str], fewest: int, most: int) -> tuple[str, ...]:
    return tuple(chance.sample(known, min(len(known), chance.randint(fewest, most))))


def _languages(
    chance: Random, town: Town, name: Name, language: str
) -> tuple[tuple[str, str], ...]:
    """Languages and levels as they are met there, at most five."""
    native = "de" if town.region == "east" else language
    levels = {native: "native"}
    home = names.origins()[name.origin].languages
    if home and chance.random() < 0.75:
        levels.setdefault(chance.choice(home), chance.choice(("native", "native", "c1", "b2")))
    wanted = {
        "brussels": {"fr": 1.0, "en": 0.8, "nl": 0.6},
        "wallonia": {"fr": 1.0, "en": 0.7, "nl": 0.4},
        "flanders": {"nl": 1.0, "en": 0.9, "fr": 0.8}, "east": {"fr": 1.0, "en": 0.6, "nl": 0.3},
        "france": {"fr": 1.0, "en": 0.7, "es": 0.25, "de": 0.1},
    }[town.region]  # fmt: skip
    for spoken, share in wanted.items():
        if chance.random() < share:
            levels.setdefault(spoken, _level(chance, share))
    if chance.random() < 0.08:
        levels.setdefault(chance.choice(("es", "it", "de", "pt")), chance.choice(("a2", "b1")))
    return tuple(levels.items())[:5]


def _level(chance: Random, share: float) -> str:
    if share == 1:
        return chance.choice(("c1", "c2", "c2", "native"))
    return chance.choices(("a2", "b1", "b2", "c1", "c2"), (15, 25, 30, 22, 8))[0]


def _between(chance: Random, first: date, last: date) -> date:
    return first + timedelta(days=chance.randrange(max((last - first).days, 1)))


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
