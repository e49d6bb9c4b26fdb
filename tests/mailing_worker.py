"""A worker process for the tests. Usage: python -m tests.mailing_worker DATABASE_URL SMTP_URL"""

import asyncio
import sys
from datetime import timedelta

from directory import db, jobs, piccolo_conf, settings
from directory.mailings import sending  # noqa: F401 - hears of mailings
from directory.settings import Settings


async def main(url: str, smtp_url: str) -> None:
    settings.use(Settings(secret_key="x" * 40, smtp_url=smtp_url))
    piccolo_conf.point_at(url)
    async with db.pool():
        await jobs.run_worker(
            url, heartbeat_timeout=timedelta(seconds=2), dequeue_timeout=timedelta(seconds=1)
        )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
