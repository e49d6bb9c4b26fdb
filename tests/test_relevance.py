"""Whom the judged queries of tests/relevance find, on every engine that is there."""

import contextlib
import csv
import tomllib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest
from litestar import Litestar

from directory.members import documents
from directory.web import search
from directory.web.wishes import Wish
from search import mirror, postgres, rebuilding
from search.documents import LARGEST_PAGE, Engine, Query
from search.meilisearch import MeilisearchEngine
from search.mirror import Mirror
from tests import meili, people

FOLDER = Path(__file__).parent / "relevance"
OF_ALL, OF_A_CLASS = 0.98, 0.95
# Among equals the day decides: what is right by luck on one day is not on all of these.
DAYS = [date(2026, 11, 22) + timedelta(days=number) for number in range(5)]


class Role(msgspec.Struct, frozen=True):
    """A line of cast.csv; skills and languages are parted by semicolons."""

    id: str
    name: str
    trade: str
    trade_label: str
    place: str
    headline: str
    skills: str
    languages: str


class Judged(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A query of the TOML files; expected_miss says why it is not answered as it should be."""

    text: str
    top: list[str] = []
    within: int = 0
    never: list[str] = []
    expected_miss: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """found: who was found on each of DAYS."""

    judged: Judged
    found: list[list[str]]

    @property
    def is_right(self) -> bool:
        return all(self._is_right(found) for found in self.found)

    def _is_right(self, found: list[str]) -> bool:
        top, never = set(self.judged.top), set(self.judged.never)
        if "*" in never:
            never |= set(found) - top
        first = found[: max(self.judged.within, len(top))]
        return top <= set(first) and never.isdisjoint(found)


Outcomes = dict[str, list[Outcome]]


def cast() -> list[Role]:
    with (FOLDER / "cast.csv").open(encoding="utf-8", newline="") as file:
        return [msgspec.convert(row, Role) for row in csv.DictReader(file)]


def judged(name: str) -> dict[str, list[Judged]]:
    text = (FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, list[Judged]])


async def enter(connection: asyncpg.Connection, role: Role) -> int:
    """The role as a member, in the tables."""
    person = await people.member(connection, role.name)
    trade_id = await connection.fetchval(
        "SELECT id FROM trade WHERE code = $1 AND label_fr = $2", role.trade, role.trade_label
    )
    await connection.execute(
        "UPDATE member SET headline = $2, confirmed_at = now(),"
        " place_id = (SELECT id FROM place WHERE code = $3) WHERE id = $1",
        person.member_id,
        role.headline,
        role.place,
    )
    await connection.execute(
        "INSERT INTO member_trade (member_id, trade_id, position) VALUES ($1, $2, 0)",
        person.member_id,
        trade_id,
    )
    await connection.execute(
        "INSERT INTO member_skill (member_id, kind, position, label)"
        " SELECT $1, 'offered', number - 1, label"
        " FROM unnest($2::text[]) WITH ORDINALITY AS skill (label, number)",
        person.member_id,
        role.skills.split(";"),
    )
    await connection.execute(
        "INSERT INTO member_language (member_id, language, level)"
        " SELECT $1, unnest($2::text[]), 'native'",
        person.member_id,
        role.languages.split(";"),
    )
    return person.member_id


@pytest.fixture
async def ids(app: Litestar, connection: asyncpg.Connection) -> dict[int, str]:
    """Who the members of the index are."""
    roles = {await enter(connection, role): role.id for role in cast()}
    await rebuilding.rebuild(connection, documents.INDEX, documents.SOURCE)
    return roles


@pytest.fixture(params=["postgres", "meilisearch"])
async def engine(
    request: pytest.FixtureRequest, connection: asyncpg.Connection, ids: dict[int, str]
) -> AsyncIterator[Engine]:
    def connect() -> contextlib.AbstractAsyncContextManager[asyncpg.Connection]:
        return contextlib.nullcontext(connection)

    if request.param == "postgres":
        yield postgres.PostgresEngine(connect)
        return
    async with meili.server() as opened:
        index, source = documents.INDEX, documents.SOURCE
        await mirror.rebuild(connection, Mirror(server=opened, index=index, source=source))
        yield MeilisearchEngine(opened, connect)
        await meili.clear(opened, [index])


async def outcomes(engine: Engine, ids: dict[int, str], name: str) -> Outcomes:
    result: Outcomes = defaultdict(list)
    for class_, queries in judged(name).items():
        for each in queries:
            asked = await search.asked("members", Wish(text=each.text, limit=LARGEST_PAGE))
            found = []
            for day in DAYS:
                query = msgspec.structs.replace(asked, day=day, facets=())
                hits = await engine.search(documents.INDEX, query)
                found.append([ids[hit] for hit in hits.ids])
            result[class_].append(Outcome(each, found))
    return result


def share(all_: Iterable[Outcome]) -> float:
    right = [outcome.is_right for outcome in all_]
    return sum(right) / len(right)


def table(name: str, result: Outcomes) -> str:
    every = [outcome for group in result.values() for outcome in group]
    lines = [f"{name:<16} right  of  share"]
    for class_, group in [*result.items(), ("all", every)]:
        right = sum(outcome.is_right for outcome in group)
        lines.append(f"{class_:<16} {right:>5} {len(group):>3} {share(group):>6.1%}")
    lines += [
        f"  missed: {each.judged.text!r} found {', '.join(each.found[0][:6]) or 'nobody'}"
        f"{' (known: ' + each.judged.expected_miss + ')' if each.judged.expected_miss else ''}"
        for each in every
        if not each.is_right
    ]
    return "\n".join(lines)


async def test_what_members_type_finds_whom_they_mean(
    engine: Engine,
    ids: dict[int, str],
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    together: Outcomes = defaultdict(list)
    for name in ("tuned", "held_out"):
        result = await outcomes(engine, ids, name)
        with capsys.disabled():
            print(f"\n{request.node.name}\n{table(name, result)}")  # noqa: T201 -- the figures are to be read
        for class_, group in result.items():
            together[class_] += group
    every = [outcome for group in together.values() for outcome in group]
    missed = [each.judged for each in every if not each.is_right]
    assert [each.text for each in missed if not each.expected_miss] == []
    assert share(every) >= OF_ALL
    assert {c: share(group) for c, group in together.items() if share(group) < OF_A_CLASS} == {}


@pytest.mark.parametrize(
    "typed", ["developeuse web", "webontwikkelaar", "web developer", "intégratrice web"]
)
async def test_a_web_developer_is_found_by_all_her_names(
    engine: Engine, ids: dict[int, str], typed: str
) -> None:
    query = Query(audience="members", day=DAYS[0], text=typed)
    hits = await engine.search(documents.INDEX, query)
    assert [ids[hit] for hit in hits.ids][:1] == ["lea"]
    corrected = [(each.typed, each.used) for each in hits.corrections]
    assert corrected == ([("developeuse", ["développeuse"])] if "developeuse" in typed else [])
