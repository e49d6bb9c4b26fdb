"""A worker process for the tests.

Usage: python -m tests.privacy_worker DATABASE_URL SMTP_URL VAR_DIR
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from directory import db, indexing, jobs, piccolo_conf, settings  # noqa: F401 - they hear
from directory.privacy import erasing, exports, retention  # noqa: F401 - of what is due
from directory.settings import Settings


async def main(url: str, smtp_url: str, var_dir: str) -> None:
    settings.use(Settings(secret_key="x" * 40, smtp_url=smtp_url, var_dir=Path(var_dir), demo=True))
    piccolo_conf.point_at(url)
    async with db.pool():
        await jobs.run_worker(
            url, heartbeat_timeout=timedelta(seconds=2), dequeue_timeout=timedelta(seconds=1)
        )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
