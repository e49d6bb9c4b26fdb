"""A worker killed with kill -9 in the middle of a mailing, again and again."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from directory.mailings import sending
from tests import mailing_scene, people, smtp_sink
from tests.mailing_scene import Scene, subscribes
from tests.smtp_sink import Sink

PATIENCE = 30
MORE_SUBSCRIBERS = 60
KILL_AFTER = (12, 30)


@pytest.fixture
async def scene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Scene:
    scene = await mailing_scene.build(client, connection)
    for _ in range(MORE_SUBSCRIBERS):
        await subscribes(connection, await people.member(connection), scene.web)
    return scene


@asynccontextmanager
async def worker(database: str, sink: Sink, last: signal.Signals) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.mailing_worker", database, sink.url
    )
    try:
        yield
    finally:
        process.send_signal(last)
        await asyncio.wait_for(process.wait(), PATIENCE)


async def until_sent(scene: Scene, mailing_id: int) -> None:
    for _ in range(PATIENCE * 10):
        if (await scene.view(mailing_id))["state"] == "sent":
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"not sent within {PATIENCE} s")


async def test_nobody_gets_it_twice_and_nobody_is_forgotten_when_workers_are_killed(
    scene: Scene, database: str
) -> None:
    async with smtp_sink.listening() as sink:
        sink.pause = 0.03
        await scene.send(mailing_id := await scene.draft())
        for count in KILL_AFTER:
            async with worker(database, sink, signal.SIGKILL):
                await sink.wait_for(count)
            await scene.time_passes(mailing_id)
        async with worker(database, sink, signal.SIGTERM):
            await until_sent(scene, mailing_id)

        rows = await scene.connection.fetch(
            "SELECT a.email::text AS email, d.state::text AS state FROM delivery d "
            "JOIN member m ON m.id = d.member_id JOIN account a ON a.id = m.account_id "
            "WHERE d.mailing_id = $1",
            mailing_id,
        )
    states = {row["email"]: row["state"] for row in rows}
    in_doubt = {email for email, state in states.items() if state == "in_doubt"}
    assert len(states) == 3 + MORE_SUBSCRIBERS
    assert set(states.values()) <= {"sent", "in_doubt"}
    assert set(sink.recipients.values()) == {1}
    assert states.keys() - in_doubt <= set(sink.recipients) <= states.keys()
    assert 0 < len(in_doubt) <= sending.CONNECTIONS * len(KILL_AFTER)
    assert len({str(mail.message["Message-ID"]) for mail in sink.mails}) == len(sink.mails)
