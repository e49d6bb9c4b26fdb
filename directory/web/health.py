"""Whether this process lives, and whether it can do its work."""

import msgspec
from asyncpg import InterfaceError, PostgresError
from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec

from directory import db, jobs
from search import outbox

HEARTBEAT_SECONDS = 60
LAG_SECONDS = 120


class Live(msgspec.Struct):
    status: str = "live"


class Ready(msgspec.Struct):
    """Each part says "ok", or in words what is wrong. Ready when all are ok."""

    status: str
    postgres: str
    migrations: str
    index: str
    worker: str


@get("/health/live", operation_id="getLive", summary="This process answers", tags=["health"])
async def live() -> Live:
    return Live()


@get(
    "/health/ready",
    operation_id="getReady",
    summary="Everything that the service leans on answers: 200, or 503 with what does not",
    tags=["health"],
    responses={503: ResponseSpec(Ready, description="What does not answer")},
)
async def ready() -> Response[Ready]:
    try:
        found = await _examine()
    except (OSError, PostgresError, InterfaceError, TimeoutError):
        unknown = "unknown"
        found = Ready("", "not reached", unknown, unknown, unknown)
    parts = (found.postgres, found.migrations, found.index, found.worker)
    is_ready = all(part == "ok" for part in parts)
    found.status = "ready" if is_ready else "not ready"
    return Response(found, status_code=200 if is_ready else 503)


async def _examine() -> Ready:
    pending = await db.pending_migrations()
    if pending:
        return Ready("", "ok", f"{len(pending)} to run", "unknown", "unknown")
    async with db.connection() as reader:
        lag = await outbox.lag(reader)
    age = await jobs.heartbeat_age()
    is_late, is_alive = lag.age > LAG_SECONDS, age is not None and age < HEARTBEAT_SECONDS
    return Ready(
        status="",
        postgres="ok",
        migrations="ok",
        index=f"{lag.count} changes wait, the oldest for {lag.age:.0f} s" if is_late else "ok",
        worker="ok" if is_alive else "none is alive",
    )
