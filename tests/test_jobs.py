"""The queue: with the caller's transaction, and when a worker is killed."""

import asyncio
import signal
import sys

import asyncpg
import pytest

from directory import db, jobs
from tests.slow_worker import SlowWorkAsked

PATIENCE = 30


async def start(url: str, name: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.slow_worker", url, name
    )


async def until(connection: asyncpg.Connection, question: str) -> None:
    for _ in range(PATIENCE * 10):
        if await connection.fetchval(question):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"not within {PATIENCE} s: {question}")


@pytest.fixture
async def notes(connection: asyncpg.Connection) -> asyncpg.Connection:
    await connection.execute(
        "CREATE TABLE slow_work (seq serial, key int, words text, worker text)"
    )
    return connection


async def test_an_event_of_a_rolled_back_transaction_was_never_emitted(
    connection: asyncpg.Connection, database: str
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            await jobs.emit(SlowWorkAsked(key=1, seconds=0))
            raise ZeroDivisionError
    assert await connection.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_an_event_is_refused_outside_a_transaction(database: str) -> None:
    with pytest.raises(RuntimeError):
        await jobs.emit(SlowWorkAsked(key=1, seconds=0))


async def test_a_job_of_a_worker_killed_in_the_middle_is_finished_by_another(
    notes: asyncpg.Connection, database: str
) -> None:
    first = await start(database, "first")
    try:
        async with db.transaction():
            await jobs.emit(SlowWorkAsked(key=7, seconds=2))
        await until(notes, "SELECT EXISTS (SELECT FROM slow_work WHERE words = 'began')")
    finally:
        first.send_signal(signal.SIGKILL)
        await first.wait()
    second = await start(database, "second")
    try:
        await until(notes, "SELECT EXISTS (SELECT FROM slow_work WHERE words = 'ended')")
        await until(notes, "SELECT NOT EXISTS (SELECT FROM pgqueuer)")
    finally:
        second.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(second.wait(), PATIENCE) == 0
    rows = await notes.fetch("SELECT words, worker FROM slow_work ORDER BY seq")
    assert [tuple(row) for row in rows] == [
        ("began", "first"),
        ("began", "second"),
        ("ended", "second"),
    ]


async def test_a_worker_told_to_stop_finishes_the_job_in_hand(
    notes: asyncpg.Connection, database: str
) -> None:
    worker = await start(database, "only")
    async with db.transaction():
        await jobs.emit(SlowWorkAsked(key=8, seconds=1.5))
    await until(notes, "SELECT EXISTS (SELECT FROM slow_work WHERE words = 'began')")
    worker.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(worker.wait(), PATIENCE) == 0
    assert await notes.fetchval("SELECT count(*) FROM slow_work WHERE words = 'ended'") == 1


async def test_a_worker_says_that_it_is_alive(notes: asyncpg.Connection, database: str) -> None:
    assert await jobs.heartbeat_age() is None
    worker = await start(database, "only")
    await until(notes, "SELECT EXISTS (SELECT FROM worker_heartbeat)")
    age = await jobs.heartbeat_age()
    worker.send_signal(signal.SIGTERM)
    await worker.wait()
    assert age is not None
    assert age < PATIENCE
