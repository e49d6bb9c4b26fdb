"""Be the worker of every job, in the test's own process: nothing of a job is replaced."""

import asyncpg

from directory import jobs


async def run_all(connection: asyncpg.Connection) -> list[str]:
    """Do what waits, and what that leaves waiting; the names of the jobs in their order."""
    done: list[str] = []
    while rows := await connection.fetch(
        "DELETE FROM pgqueuer WHERE execute_after <= now() RETURNING id, entrypoint, payload"
    ):
        for row in sorted(rows, key=lambda row: row["id"]):
            await jobs._handlers[row["entrypoint"]](row["payload"] or b"")
            done.append(row["entrypoint"])
    return done
