"""The filières of the demonstration, who is in them and what they chose to receive."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources
from random import Random

import msgspec

from directory.demo import families
from directory.demo.people import Person

QUOTA = 3
JOINABLE = frozenset({"launched", "active", "dormant"})
# How many of those who fit join their first choice, their second and their third.
JOINS = (0.5, 0.28, 0.2)
LEFT_FILIERE = 0.05
WITHDRAWN = 0.1
TOPICS: Mapping[str, float] = {
    "news": 0.72,
    "meetings": 0.68,
    "trainings": 0.5,
    "legal": 0.3,
    "calls": 0.45,
}
# How many prefer a digest: of the day, of the week. Those of the cast want mails at once.
DIGESTS: Mapping[str, float] = {"daily": 0.12, "weekly": 0.3}
MANDATE = timedelta(days=730)


class Filiere(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """key is what families call it. history: days before today, the stage, the reason.
    animators are the mandates that run, vacancies those that ended without a successor. why is
    what the coordinator wrote of it before it was opened."""

    slug: str
    kind: str
    key: str
    stage: str
    animators: int
    vacancies: int = 0
    openness: str = "open"
    families: list[str]
    sectors: list[str] = []
    name_fr: str
    name_nl: str | None = None
    name_en: str | None = None
    purpose_fr: str
    purpose_nl: str | None = None
    purpose_en: str | None = None
    history: list[tuple[int, str, str]]
    why: str = ""

    @property
    def trades(self) -> list[str]:
        """OGR numbers of the trades that define it, for the kind 'trade'."""
        if self.kind != "trade":
            return []
        known = families.by_key()
        codes = (code for key in self.families for _, code, _ in known[key].trades)
        return list(dict.fromkeys(codes))

    def opened_on(self, today: date) -> date:
        """The day of its launch, or of its last move when it is not launched."""
        launches = [days for days, stage, _ in self.history if stage == "launched"]
        return today - timedelta(days=launches[0] if launches else self.history[-1][0])


class Consent(msgspec.Struct, frozen=True):
    """withdrawn_at is None for one that holds today."""

    topic: str
    rhythm: str
    given_at: datetime
    withdrawn_at: datetime | None


class Joining(msgspec.Struct, frozen=True):
    """A membership. Nobody has more than three without left_at."""

    position: int
    slug: str
    joined_at: datetime
    left_at: datetime | None
    consents: tuple[Consent, ...]


class Mandate(msgspec.Struct, frozen=True):
    position: int
    slug: str
    starts_on: date
    ends_on: date


@cache
def known() -> tuple[Filiere, ...]:
    text = resources.files("directory.demo").joinpath("filieres.toml").read_text("utf-8")
    return tuple(msgspec.convert(tomllib.loads(text)["filiere"], list[Filiere]))


def join(person: Person, seed: int, today: date) -> list[Joining]:
    """What a member joined, by themselves: what suits their trades, never more than three."""
    chance = Random(f"{seed}:filieres:{person.position}")  # noqa: S311 - the same for the same seed
    by_slug = {filiere.slug: filiere for filiere in known()}
    if person.filieres is not None:
        chosen = [by_slug[slug] for slug in person.filieres]
    else:
        chosen = list(_choose(person, chance))
    return [_join(person, filiere, chance, today) for filiere in chosen]


def _choose(person: Person, chance: Random) -> Iterator[Filiere]:
    by_key = {filiere.key: filiere for filiere in known()}
    keys = dict.fromkeys(
        key for family in person.families for key in families.by_key()[family].filieres
    )
    if chance.random() < 0.06:
        keys |= dict.fromkeys([chance.choice(("association", "culture", "training"))])
    fitting = [by_key[key] for key in keys if by_key[key].stage in JOINABLE]
    for filiere, share in zip(fitting, JOINS, strict=False):
        if chance.random() < share:
            yield filiere


def _join(
    person: Person, filiere: Filiere, chance: Random, today: date, *, stays: bool = False
) -> Joining:
    first = max(person.joined_on, filiere.opened_on(today))
    last = max(person.left_on or today, first)
    joined_at = _instant(chance, first, last)
    left_at = None
    stays = stays or person.filieres is not None
    if person.left_on is not None or (not stays and chance.random() < LEFT_FILIERE):
        left_at = _instant(chance, joined_at.date(), last, after=joined_at)
    consents = tuple(_consents(person, chance, joined_at, left_at, last))
    return Joining(person.position, filiere.slug, joined_at, left_at, consents)


def _consents(
    person: Person, chance: Random, joined_at: datetime, left_at: datetime | None, last: date
) -> Iterator[Consent]:
    """Only confirmed addresses receive anything, and leaving ends it."""
    if not person.has_confirmed_address:
        return
    is_cast = person.filieres is not None
    drawn = Random(f"rhythm:{person.position}").choices(  # noqa: S311 - the same each time
        ["at_once", *DIGESTS], [1 - sum(DIGESTS.values()), *DIGESTS.values()]
    )[0]
    rhythm = "at_once" if is_cast else drawn
    for topic, share in TOPICS.items():
        if is_cast or chance.random() < share:
            withdrawn_at = left_at
            if left_at is None and not is_cast and chance.random() < WITHDRAWN:
                withdrawn_at = _instant(chance, joined_at.date(), last, after=joined_at)
            yield Consent(topic, rhythm, joined_at + timedelta(seconds=20), withdrawn_at)


def _instant(chance: Random, first: date, last: date, *, after: datetime | None = None) -> datetime:
    """A moment of a working day between two days; later than `after`, where it is given."""
    days = chance.randrange(max((last - first).days, 1))
    clock = time(chance.randrange(7, 20), chance.randrange(60), chance.randrange(60))
    drawn = datetime.combine(first + timedelta(days=days), clock, UTC)
    return drawn if after is None else max(drawn, after + timedelta(hours=1))


def appoint(
    people: Sequence[Person], joinings: Mapping[int, list[Joining]], seed: int, today: date
) -> tuple[list[Mandate], list[Joining]]:
    """The mandates, and the memberships that they ask for beyond what was joined."""
    mandates: list[Mandate] = []
    added: list[Joining] = []
    busy = {person.position for person in people if person.animates}
    for filiere in known():
        chance = Random(f"{seed}:mandates:{filiere.slug}")  # noqa: S311 - as above
        wanted = filiere.animators + filiere.vacancies
        for number, person in enumerate(_candidates(people, joinings, filiere, busy)):
            if number == wanted:
                break
            busy.add(person.position)
            is_over = number >= filiere.animators
            mandates.append(_mandate(person, filiere, chance, today, is_over=is_over))
            if not _is_in(joinings[person.position], filiere):
                added.append(_join(person, filiere, chance, today, stays=True))
    return mandates, added


def _candidates(
    people: Iterable[Person],
    joinings: Mapping[int, list[Joining]],
    filiere: Filiere,
    busy: set[int],
) -> Iterator[Person]:
    """The cast first, then its members, then those of its trades, then whoever has a place left."""
    people = list(people)
    yield from (person for person in people if filiere.slug in person.animates)
    free = [
        person
        for person in people
        if person.position not in busy and person.left_on is None and person.filieres is None
    ]
    yield from (person for person in free if _is_in(joinings[person.position], filiere))
    roomy = [
        person
        for person in free
        if sum(joining.left_at is None for joining in joinings[person.position]) < QUOTA
        and not any(joining.slug == filiere.slug for joining in joinings[person.position])
    ]
    yield from (person for person in roomy if set(person.families) & set(filiere.families))
    yield from (person for person in roomy if not set(person.families) & set(filiere.families))


def _is_in(joinings: Iterable[Joining], filiere: Filiere) -> bool:
    return any(joining.slug == filiere.slug and joining.left_at is None for joining in joinings)


def _mandate(
    person: Person, filiere: Filiere, chance: Random, today: date, *, is_over: bool
) -> Mandate:
    formed = next(days for days, stage, _ in filiere.history if stage == "forming")
    first = max(person.joined_on, today - timedelta(days=formed))
    if is_over:
        is_asleep = filiere.stage == "dormant"
        days = filiere.history[-1][0] if is_asleep else chance.randrange(20, 60)
        ends_on = today - timedelta(days=days)
        return Mandate(person.position, filiere.slug, min(first, ends_on), ends_on)
    starts_on = max(first, today - timedelta(days=chance.randrange(60, 600)))
    return Mandate(person.position, filiere.slug, starts_on, starts_on + MANDATE)
