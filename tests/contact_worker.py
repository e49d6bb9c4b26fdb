"""A worker process for the tests of messages.

Usage: python -m tests.contact_worker DATABASE_URL SMTP_URL
"""

import asyncio
import sys
from datetime import timedelta

from directory import db, indexing, jobs, piccolo_conf, settings  # noqa: F401 - hears of changes
from directory.members import contact  # noqa: F401 - hears of messages
from directory.settings import Settings


async def main(url: str, smtp_url: str) -> None:
    settings.use(Settings(secret_key="x" * 40, smtp_url=smtp_url, demo=True))
    piccolo_conf.point_at(url)
    async with db.pool():
        await jobs.run_worker(
            url, heartbeat_timeout=timedelta(seconds=2), dequeue_timeout=timedelta(seconds=1)
        )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
