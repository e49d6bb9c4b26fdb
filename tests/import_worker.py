"""A worker process for the tests. Usage: python -m tests.import_worker DATABASE_URL VAR_DIR"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from directory import db, jobs, piccolo_conf, settings
from directory.members.imports import work  # noqa: F401 - hears of imports
from directory.settings import Settings


async def main(url: str, folder: str) -> None:
    settings.use(Settings(secret_key="x" * 40, var_dir=Path(folder)))
    piccolo_conf.point_at(url)
    async with db.pool():
        await jobs.run_worker(
            url, heartbeat_timeout=timedelta(seconds=2), dequeue_timeout=timedelta(seconds=1)
        )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
