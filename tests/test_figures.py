"""What is counted for a filière, and what no figure may tell."""

from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory import settings
from directory.filieres import figures, turnover
from directory.filieres.figures import SMALLEST, Bound, Figure
from directory.filieres.turnover import Band
from directory.members import views
from tests import crowd, people
from tests.crowd import TRADES

PATH = "/api/v1/filieres/figures"
UNDER = {"value": 5, "bound": "under"}


def about(value: float) -> dict[str, object]:
    return {"value": value, "bound": "about"}


async def asked(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    answer = await client.get(PATH, params=query or {"trade": TRADES[0]})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
async def member(client: httpx.AsyncClient, connection: asyncpg.Connection) -> people.Person:
    person = await people.member(connection)
    await people.sign_in(client, person)
    return person


async def test_a_member_counts_a_trade_before_proposing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, member: people.Person
) -> None:
    await crowd.territories(connection, "liege", "namur")
    await crowd.of(
        connection, 21, trade=TRADES[0], place="be-4000-liege", territory="liege",
        joined_on=date(2020, 1, 1),
    )  # fmt: skip
    await crowd.of(connection, 6, trade=TRADES[0], territory="namur", joined_on=views.today())
    found = await asked(client)
    assert found["members"] == about(25)
    assert found["trend"] == about(25)
    assert found["offices"] == 2
    assert found["potential"] == about(25)
    assert found["places"] == {
        "groups": [{"code": "be-4000-liege", "members": about(20)}],
        "others": about(5),
    }


async def test_a_small_group_is_never_a_number(
    client: httpx.AsyncClient, connection: asyncpg.Connection, member: people.Person
) -> None:
    nobody = await asked(client)
    await crowd.of(connection, 4, trade=TRADES[0], place="be-4000-liege")
    assert await asked(client) == nobody
    assert nobody["members"] == UNDER
    assert nobody["places"] == {"groups": [], "others": None}
    assert (nobody["share"], nobody["trend"], nobody["potential"]) == (None, None, None)


@pytest.mark.parametrize("field", ["display_name", "trades"])
@pytest.mark.parametrize("audience", ["me", "filieres", "nonsense"])
async def test_who_hides_their_name_or_trades_changes_nothing(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    member: people.Person,
    field: str,
    audience: str,
) -> None:
    await crowd.of(connection, 12, trade=TRADES[0])
    before = await asked(client)
    await crowd.of(
        connection, 40, trade=TRADES[0], place="be-4000-liege", audiences={field: audience}
    )
    assert await asked(client) == before


@pytest.mark.parametrize("field", ["place", "territory"])
async def test_who_hides_their_place_is_counted_elsewhere(
    client: httpx.AsyncClient, connection: asyncpg.Connection, member: people.Person, field: str
) -> None:
    await crowd.territories(connection, "liege")
    await crowd.of(
        connection, 20, trade=TRADES[0], place="be-4000-liege", territory="liege",
        audiences={field: "me"},
    )  # fmt: skip
    found = await asked(client)
    assert found["members"] == about(20)
    hidden, shown = ("places", "territories") if field == "place" else ("territories", "places")
    assert found[hidden] == {"groups": [], "others": about(20)}
    assert [group["members"] for group in found[shown]["groups"]] == [about(20)]


async def test_who_is_in_a_living_filiere_or_hides_theirs_is_no_potential(
    client: httpx.AsyncClient, connection: asyncpg.Connection, member: people.Person
) -> None:
    web = await people.filiere(connection, "web")
    asleep = await people.filiere(connection, "asleep", "Endormie")
    await connection.execute("UPDATE filiere SET stage = 'dormant' WHERE id = $1", asleep)
    ids = await crowd.of(connection, 30, trade=TRADES[0])
    await connection.executemany(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
        [(web, one) for one in ids[:10]] + [(asleep, one) for one in ids[20:]],
    )
    await crowd.of(connection, 10, trade=TRADES[0], audiences={"memberships": "me"})
    assert (await asked(client))["potential"] == about(20)


async def test_a_sector_stands_for_those_below_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection, member: people.Person
) -> None:
    finest = await connection.fetchrow(
        "SELECT s.code, p.code AS above FROM sector s JOIN sector p ON p.code = s.parent_code "
        "WHERE s.level = 5 AND p.level = 4 ORDER BY s.code LIMIT 1"
    )
    assert finest is not None
    await crowd.of(connection, 15, sector=finest["code"])
    await crowd.of(connection, 15, sector=finest["code"], audiences={"sectors": "me"})
    assert (await asked(client, sector=finest["above"]))["members"] == about(15)
    assert (await asked(client))["members"] == UNDER


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "trade"),
        ({"trade": TRADES[0], "sector": "62"}, "trade"),
        ({"trade": "nope"}, "trade"),
        ({"trade": ["38444\0"]}, "trade"),
        ({"sector": "nope"}, "sector"),
        ({"trade": [TRADES[0]] * 51}, "trade"),
        ({"trades": TRADES[0]}, "trades"),
    ],
)
async def test_what_cannot_be_counted_is_named(
    client: httpx.AsyncClient, member: people.Person, query: dict[str, Any], field: str
) -> None:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field


async def test_figures_of_any_trade_are_for_members_and_not_without_end(
    client: httpx.AsyncClient, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await client.get(PATH, params={"trade": TRADES[0]})).status_code == 401
    await people.sign_in(client, await people.member(connection))
    for _ in range(figures.LIMIT.most):
        assert (await client.get(PATH, params={"trade": TRADES[0]})).status_code == 200
    assert (await client.get(PATH, params={"trade": TRADES[0]})).status_code == 429


@given(
    counts=st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 60)),
    unplaced=st.integers(0, 20),
    most=st.integers(1, 12),
)
def test_no_small_group_can_be_worked_out_of_places(
    counts: dict[str, int], unplaced: int, most: int
) -> None:
    whole = sum(counts.values()) + unplaced
    spread = figures._spread(counts, whole, most)
    shown = [group.members for group in spread.groups]
    assert len(shown) <= most
    assert all(one.value >= SMALLEST and one.bound is Bound.EXACT for one in shown)
    rest = whole - sum(int(one.value) for one in shown)
    if whole >= SMALLEST:
        assert rest == 0 or rest >= SMALLEST
        assert spread.others == (Figure(rest) if rest else None)


@given(whole=st.integers(0, 200), data=st.data())
def test_no_small_group_can_be_worked_out_of_a_part(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    told = figures._part(part, whole)
    if told is None:
        assert whole < 2 * SMALLEST
        return
    possible = {
        one for one in range(whole + 1) if figures._part(one, whole) == told
    }  # what a reader cannot tell apart
    assert part in possible
    if part < SMALLEST or whole - part < SMALLEST:
        assert len(possible) == SMALLEST


@given(counts=st.lists(st.integers(0, 40), min_size=5, max_size=5))
def test_turnovers_of_few_or_of_lookalikes_are_not_told(counts: list[int]) -> None:
    told = turnover._shown(list(zip(Band, counts, strict=True)))
    if sum(counts) < turnover.FEWEST or sum(counts) - max(counts) < SMALLEST:
        assert told is None
        return
    assert told is not None
    assert all(one.members.bound in {Bound.ABOUT, Bound.UNDER} for one in told.bands)
    assert all(one.members.value % SMALLEST == 0 for one in told.bands)
    below = sum(n for band, n in zip(Band, counts, strict=True) if band.rank < told.median.rank)
    upto = below + counts[told.median.rank]
    assert 2 * below < sum(counts) <= 2 * upto


async def test_months_are_rebuilt_from_who_came_and_left(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    today = views.today()
    months = figures.year_of_months(today)
    assert (len(months), months[-1]) == (13, today.replace(day=1))
    await crowd.of(connection, 10, trade=TRADES[0], joined_on=months[0])
    later = await crowd.of(connection, 5, trade=TRADES[0], joined_on=months[6])
    await connection.execute("UPDATE member SET left_on = $2 WHERE id = ANY($1)", later, months[10])
    trade = await connection.fetchval("SELECT id FROM trade WHERE code = $1", TRADES[0])
    points = await figures.count_months(connection, figures.Words([trade]), months)
    assert [point.members for point in points] == [10] * 6 + [15] * 4 + [10] * 3
    assert settings.current().dossier_members == 150
