"""A worker process for the tests: its one job says that it began, waits, says that it ended.

Usage: python -m tests.slow_worker DATABASE_URL NAME
"""

import asyncio
import sys
from datetime import timedelta

import msgspec

from directory import db, jobs, piccolo_conf


class SlowWorkAsked(msgspec.Struct, frozen=True):
    key: int
    seconds: float


@jobs.on(SlowWorkAsked)
async def work(asked: SlowWorkAsked) -> None:
    await note(asked.key, "began")
    await asyncio.sleep(asked.seconds)
    await note(asked.key, "ended")


async def note(key: int, words: str) -> None:
    async with db.transaction() as opened:
        await opened.execute(
            "INSERT INTO slow_work (key, words, worker) VALUES ($1, $2, $3)", key, words, NAME
        )


async def main(url: str) -> None:
    piccolo_conf.point_at(url)
    async with db.pool():
        await jobs.run_worker(
            url, heartbeat_timeout=timedelta(seconds=3), dequeue_timeout=timedelta(seconds=1)
        )


NAME = sys.argv[2] if len(sys.argv) > 2 and __name__ == "__main__" else ""
if __name__ == "__main__":
    # The test emits tests.slow_worker.SlowWorkAsked; here the module is called __main__.
    jobs._handlers["tests.slow_worker.work"] = jobs._handlers["__main__.work"]
    asyncio.run(main(sys.argv[1]))
