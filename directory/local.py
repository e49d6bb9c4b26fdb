"""Everything on one machine: `filieres run` starts it, and Ctrl-C stops what it started."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.error import URLError

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from directory import cluster, operations
from directory import settings as process_settings
from directory.demo import loading, mailbox
from directory.settings import Settings

READY_SECONDS = 30
STOP_SECONDS = 25


class RunFailed(Exception):
    """Something did not start, or stopped by itself. The message says what."""


def run(chosen: Settings, *, members: int, seed: int, out: Console) -> int:
    """Serve until SIGINT or SIGTERM.

    :raises RunFailed: when the port is taken, or a part does not start or stops.
    """
    _claim_port(chosen)
    if not chosen.database_url and cluster.is_running(chosen.var_dir / "postgres"):
        raise RunFailed(
            f"another filieres uses the data of {chosen.var_dir}; "
            "stop it, or take another folder: make run VAR_DIR=./other"
        )
    chosen = msgspec.structs.replace(
        chosen, demo=True, name=chosen.name if chosen.name != "Filières" else "L’Établi"
    )
    process_settings.use(chosen)
    with out.status("Starting Postgres"), contextlib.ExitStack() as stack:
        url = stack.enter_context(operations.postgres(chosen))
        kept = stack.pop_all()
    with kept:
        return asyncio.run(_run(chosen, url, members=members, seed=seed, out=out))


def _claim_port(chosen: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.host, chosen.port))
        except OSError as error:
            raise RunFailed(
                f"port {chosen.port} of {chosen.host} is taken ({error.strerror}); "
                "choose another: make run PORT=8001"
            ) from error


async def _run(chosen: Settings, url: str, *, members: int, seed: int, out: Console) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with operations.connected(url):
        accounts = await _prepare(members, seed, out)
    async with mailbox.listening(chosen.var_dir / "mailbox") as smtp_port:
        environment = os.environ | {
            "DATABASE_URL": url,
            "DEMO": "true",
            "NAME": chosen.name,
            "SMTP_URL": f"smtp://127.0.0.1:{smtp_port}",
        }
        async with _parts(environment) as parts:
            await _wait_until_live(chosen, parts, stop)
            if not stop.is_set():
                _welcome(chosen, accounts, out)
            await _watch(parts, stop)
    out.print("Stopped. The data stays in", str(chosen.var_dir), "until the next start.")
    return 0


async def _prepare(members: int, seed: int, out: Console) -> tuple[loading.Account, ...]:
    with Progress(
        TextColumn("{task.description:<34}"), BarColumn(), TimeElapsedColumn(), console=out
    ) as shown:
        task = shown.add_task("Tables, trades, sectors, places", total=1)
        await operations.migrate()
        shown.update(task, completed=1)
        if await operations.is_empty():
            return await operations.fill(members, seed, operations.shown_on(shown))
    return loading.CAST


@asynccontextmanager
async def _parts(
    environment: Mapping[str, str],
) -> AsyncIterator[dict[str, asyncio.subprocess.Process]]:
    """The API and the worker, each a process of its own, out of reach of the terminal's Ctrl-C.

    They die with this process, however it ends.
    """
    parts: dict[str, asyncio.subprocess.Process] = {}
    try:
        for name in ("serve", "worker"):
            parts[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "directory", name, env=environment, process_group=0,
                stdin=asyncio.subprocess.DEVNULL, preexec_fn=cluster.DiesWithParent(),
            )  # fmt: skip
        yield parts
    finally:
        for part in parts.values():
            with contextlib.suppress(ProcessLookupError):
                part.send_signal(signal.SIGTERM)
        for part in parts.values():
            try:
                await asyncio.wait_for(part.wait(), STOP_SECONDS)
            except TimeoutError:
                part.kill()


async def _wait_until_live(
    chosen: Settings, parts: Mapping[str, asyncio.subprocess.Process], stop: asyncio.Event
) -> None:
    for _ in range(READY_SECONDS * 10):
        if stop.is_set():
            return
        _raise_if_ended(parts)
        if await asyncio.to_thread(_is_live, f"http://{chosen.host}:{chosen.port}/health/live"):
            return
        await asyncio.sleep(0.1)
    raise RunFailed(f"the API did not answer within {READY_SECONDS} s")


def _is_live(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == HTTPStatus.OK)
    except (URLError, OSError):
        return False


def _raise_if_ended(parts: Mapping[str, asyncio.subprocess.Process]) -> None:
    for name, part in parts.items():
        if part.returncode is not None:
            raise RunFailed(f"filieres {name} stopped by itself (exit code {part.returncode})")


async def _watch(parts: Mapping[str, asyncio.subprocess.Process], stop: asyncio.Event) -> None:
    stopping = asyncio.create_task(stop.wait())
    endings = [asyncio.create_task(part.wait()) for part in parts.values()]
    await asyncio.wait([stopping, *endings], return_when=asyncio.FIRST_COMPLETED)
    if not stop.is_set():
        _raise_if_ended(parts)
    for task in (stopping, *endings):
        task.cancel()


def _welcome(chosen: Settings, accounts: tuple[loading.Account, ...], out: Console) -> None:
    address = chosen.public_url
    out.print(f"\n[bold]{chosen.name}[/bold] is open: [bold]{address}[/bold]   (Ctrl-C stops it)")
    out.print(f"  mailbox   {address}/demo/mailbox   where every mail of the demo arrives")
    out.print(f"  API       {address}/schema")
    out.print("\nSign in with one of these addresses; the link arrives in the mailbox:")
    for account in accounts:
        out.print(f"  {account.email:<26} {account.words}", markup=False)
    out.print()
