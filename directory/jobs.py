"""Work that happens after the request: PgQueuer, enqueued in the caller's own transaction.

A job may run more than once (a worker may die between doing it and noting that it did), so every
handler is idempotent. Keep jobs short: a long one works for a while and emits itself again.
"""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

import asyncpg
import msgspec
import pgqueuer
from pgqueuer.models import Job, Schedule

from directory import db

GRACE_SECONDS = 20
HEARTBEAT_TIMEOUT = timedelta(seconds=30)
DEQUEUE_TIMEOUT = timedelta(seconds=5)  # PgQueuer looks at its LISTEN connection once per timeout
MAX_ATTEMPTS = 5
LOG_DAYS = 7

Event = TypeVar("Event", bound=msgspec.Struct)
Tick = Callable[[], Awaitable[None]]

_handlers: dict[str, Callable[[bytes], Awaitable[None]]] = {}
_heard_by: dict[type[msgspec.Struct], list[str]] = {}
_ticks: dict[str, tuple[str, Tick]] = {}


def on(
    event: type[Event],
) -> Callable[[Callable[[Event], Awaitable[None]]], Callable[[Event], Awaitable[None]]]:
    """Call the function in a worker for each such event. Several for one event fail alone."""

    def hear(handle: Callable[[Event], Awaitable[None]]) -> Callable[[Event], Awaitable[None]]:
        async def run(payload: bytes) -> None:
            await handle(msgspec.json.decode(payload, type=event))

        name = f"{handle.__module__}.{handle.__name__}"
        _handlers[name] = run
        _heard_by.setdefault(event, []).append(name)
        return handle

    return hear


def every(cron: str) -> Callable[[Tick], Tick]:
    """Call the function in one of the workers at these minutes (UTC; a sixth field is seconds)."""

    def keep(tick: Tick) -> Tick:
        _ticks[f"{tick.__module__}.{tick.__name__}"] = (cron, tick)
        return tick

    return keep


async def emit(event: msgspec.Struct, *, after: timedelta | None = None) -> None:
    """Tell those who listen, once the open transaction is committed.

    :raises RuntimeError: when no transaction is open.
    """
    names = _heard_by.get(type(event), [])
    opened = db.current()
    if names:
        body = msgspec.json.encode(event)
        count = len(names)
        await pgqueuer.Queries.from_asyncpg_connection(opened).enqueue(
            names, [body] * count, [0] * count, [after] * count
        )


async def run_worker(
    database_url: str,
    *,
    heartbeat_timeout: timedelta = HEARTBEAT_TIMEOUT,
    dequeue_timeout: timedelta = DEQUEUE_TIMEOUT,
    stop: asyncio.Event | None = None,
) -> None:
    """Work until SIGTERM or SIGINT; then finish what runs, for at most GRACE_SECONDS.

    With `stop`, in a process that has other things to do: until it is set, whatever is signalled.

    A job is never cancelled (PgQueuer would lose it): past the grace the process ends as if
    killed, and another worker takes the job over once its heartbeat is `heartbeat_timeout` old.
    """
    stop = stop or _stop_on_signals()

    @asynccontextmanager
    async def queue() -> AsyncIterator[pgqueuer.PgQueuer]:
        async with asyncpg.create_pool(database_url, min_size=2, max_size=6) as pool:
            manager = pgqueuer.PgQueuer.from_asyncpg_pool(pool)
            _register(manager)
            yield manager

    await _beat()
    await pgqueuer.run(
        queue,
        shutdown=stop,
        dequeue_timeout=dequeue_timeout,
        heartbeat_timeout=heartbeat_timeout,
        restart_on_failure=True,
        restart_delay=timedelta(seconds=1),
        shutdown_on_listener_failure=True,
    )


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def leave() -> None:
        stop.set()
        loop.call_later(GRACE_SECONDS, os._exit, 1)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    return stop


def _register(manager: pgqueuer.PgQueuer) -> None:
    for name, run in _handlers.items():
        manager.entrypoint(
            name,
            on_failure="hold",
            accepts_context=False,
            executor_factory=lambda parameters: pgqueuer.DatabaseRetryEntrypointExecutor(
                parameters=parameters, max_attempts=MAX_ATTEMPTS
            ),
        )(_entry(run))
    for name, (cron, tick) in _ticks.items():
        manager.schedule(name, cron, clean_old=True, accepts_context=False)(_scheduled(tick))


def _entry(run: Callable[[bytes], Awaitable[None]]) -> Callable[[Job], Awaitable[None]]:
    async def entry(job: Job) -> None:
        await run(job.payload or b"")

    return entry


def _scheduled(tick: Tick) -> Callable[[Schedule], Awaitable[None]]:
    async def scheduled(_: Schedule) -> None:
        await tick()

    return scheduled


# Jobs that name an address ($1), an account ($2) or a member ($3).
_NAMING = """
    (strpos(lower(convert_from(payload, 'UTF8')), lower($1::text)) > 0
     OR convert_from(payload, 'UTF8')
        ~ ('"(account|staff)_ids?":[[]?([0-9]+,)*' || $2::bigint || '[],}]')
     OR convert_from(payload, 'UTF8')
        ~ ('"(member|author)_ids?":[[]?([0-9]+,)*' || $3::bigint || '[],}]'))
"""


async def drop_naming(email: str | None, account_id: int | None, member_id: int | None) -> bool:
    """Drop the jobs that wait, or failed, and name somebody. True when none of theirs is running.

    A job that runs is never taken away: come again when it has ended. In an open transaction.
    """
    opened = db.current()
    who = (email, account_id, member_id)
    await opened.execute(
        f"DELETE FROM pgqueuer WHERE status <> 'picked' AND {_NAMING}",  # noqa: S608 - no value in it
        *who,
    )
    await opened.execute(
        "UPDATE pgqueuer_log SET traceback = NULL "
        "WHERE strpos(lower(traceback::text), lower($1)) > 0",
        email,
    )
    running: bool = await opened.fetchval(
        f"SELECT EXISTS (SELECT FROM pgqueuer WHERE {_NAMING})",  # noqa: S608 - no value in it
        *who,
    )
    return not running


@every("* * * * * */10")
async def _beat() -> None:
    name = f"{socket.gethostname()}:{os.getpid()}"
    async with db.transaction() as opened:
        await opened.execute(
            "INSERT INTO worker_heartbeat (name) VALUES ($1) "
            "ON CONFLICT (name) DO UPDATE SET seen_at = now()",
            name,
        )
        await opened.execute(
            "DELETE FROM worker_heartbeat WHERE seen_at < now() - interval '1 day'"
        )


@every("17 3 * * *")
async def _purge_log() -> None:
    """PgQueuer never empties its log, and tracebacks may hold personal data."""
    async with db.transaction() as opened:
        await opened.execute(
            "DELETE FROM pgqueuer_log WHERE created < now() - make_interval(days => $1)", LOG_DAYS
        )


async def heartbeat_age(host: str = "") -> float | None:
    """Seconds since a worker (of this host) was last alive; None when there never was one."""
    async with db.connection() as reader:
        age: float | None = await reader.fetchval(
            "SELECT extract(epoch FROM now() - max(seen_at))::float8 FROM worker_heartbeat "
            "WHERE starts_with(name, $1)",
            host and f"{host}:",
        )
        return age
