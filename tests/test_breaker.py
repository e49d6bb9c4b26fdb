"""Who is asked while an engine fails, told by a clock that only the test moves."""

import contextlib
from datetime import date
from typing import Any

import pytest

from search.breaker import Breaker
from search.documents import Hits, Index, Query
from search.engines import Preferred
from search.server import Unavailable


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Answering:
    """An engine of the test: it answers with its name, or not at all."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_away = False
        self.asked = 0

    async def search(self, _: Index, __: Query) -> Hits:
        self.asked += 1
        if self.is_away:
            raise Unavailable(self.name)
        return Hits(ids=[1], total=1, engine=self.name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock)


def fail(breaker: Breaker, times: int = 3) -> None:
    for _ in range(times):
        assert breaker.allows()
        breaker.failed()


def test_three_failures_within_ten_seconds_open_it(breaker: Breaker) -> None:
    fail(breaker, 2)
    assert not breaker.is_open
    fail(breaker, 1)
    assert breaker.is_open
    assert not breaker.allows()


def test_three_failures_over_a_longer_time_do_not(breaker: Breaker, clock: Clock) -> None:
    for _ in range(6):
        fail(breaker, 1)
        clock.now += 5.1
    assert not breaker.is_open


def test_a_success_forgets_the_failures_before_it(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    assert not breaker.is_open


def test_one_probe_in_five_seconds_may_close_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now += 4.9
    assert not breaker.allows()
    clock.now += 0.2
    assert breaker.allows()
    assert not breaker.allows()
    breaker.failed()
    clock.now += 4.9
    assert not breaker.allows()
    clock.now += 0.2
    assert breaker.allows()
    breaker.succeeded()
    assert not breaker.is_open
    assert breaker.allows()


def test_a_probe_that_never_ends_is_followed_by_another(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    clock.now += 5
    assert breaker.allows()
    clock.now += 5
    assert breaker.allows()


class Calm:
    """A connection to an outbox in which nothing waits."""

    async def fetchval(self, *_: Any) -> bool:
        return False


def nothing_waits() -> contextlib.AbstractAsyncContextManager[Any]:
    return contextlib.nullcontext(Calm())


async def test_the_fallback_answers_and_says_so_until_a_probe_succeeds(
    breaker: Breaker, clock: Clock
) -> None:
    first, second = Answering("first"), Answering("second")
    preferred = Preferred(first, second, breaker, nothing_waits)
    query = Query(audience="public", day=date(2026, 11, 22))

    async def ask() -> tuple[str, bool]:
        hits = await preferred.search(Index(name="people"), query)
        return hits.engine, hits.degraded

    assert await ask() == ("first", False)
    first.is_away = True
    assert [await ask() for _ in range(5)] == [("second", True)] * 5
    assert first.asked == 4
    first.is_away = False
    assert await ask() == ("second", True)
    clock.now += 5
    assert await ask() == ("first", False)
    assert await ask() == ("first", False)
