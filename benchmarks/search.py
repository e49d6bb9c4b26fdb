"""Search for members over HTTP, beside a bare route and a bare read, in one run.

Usage: python -m benchmarks.search [--members 2000] [--requests 100]
"""

import argparse
import asyncio
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

from directory import cluster, operations
from directory import settings as process_settings
from directory.settings import Settings

WORDS = (
    "graphiste", "comédienne", "traducteur", "développeuse web", "photographe", "formatrice",
    "monteur vidéo", "illustrateur", "menuisier", "webontwikkelaar", "journaliste", "musicienne",
)  # fmt: skip
CLASSES: dict[str, list[dict[str, str]]] = {
    "browse, all facets": [{}, {"page": "2"}, {"page": "5"}, {"limit": "50"}],
    "one word": [{"q": word.split()[0]} for word in WORDS],
    "two words": [{"q": f"{word} Liège"} for word in WORDS],
    "typo": [{"q": word[:3] + word[4:]} for word in WORDS],
    "short prefix": [{"q": word[:3]} for word in WORDS],
    "filters": [
        {"language": language, "region": region}
        for language in ("fr", "nl", "en")
        for region in ("BE-WLG", "BE-BRU")
    ],
    "text and filters": [
        {"q": word, "language": "fr", "availability": "available"} for word in WORDS
    ],
}
out = Console(highlight=False)
Times = list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=100, help="for each class")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=_memory()) as folder:
        Path(folder).chmod(0o755)
        chosen = Settings(var_dir=Path(folder), demo=True, port=_free_port())
        process_settings.use(chosen)
        with operations.postgres(chosen) as url:
            seconds = asyncio.run(_fill(url, given.members))
            out.print(f"{given.members} demo members: filled and indexed in {seconds:.1f} s")
            _measure(chosen, url, given.requests)


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


async def _fill(url: str, members: int) -> float:
    async with operations.connected(url):
        await operations.migrate()
        start = time.perf_counter()
        await operations.fill(members, 1, lambda *_: None)
        return time.perf_counter() - start


def _measure(chosen: Settings, url: str, requests: int) -> None:
    environment = os.environ | {
        "DATABASE_URL": url, "DEMO": "true", "PORT": str(chosen.port),
        "VAR_DIR": str(chosen.var_dir),
    }  # fmt: skip
    bare_port = _free_port()
    uvicorn = [
        "-m",
        "uvicorn",
        "benchmarks.bare:app",
        "--port",
        str(bare_port),
        "--log-level=error",
    ]
    table = Table("", "n", "p50 ms", "p95 ms", "p50 / bare route")
    with (
        _serving(["-m", "directory", "serve"], environment, chosen.port),
        _serving(uvicorn, environment, bare_port),
    ):
        bare = _times(bare_port, ["/bare"], requests * 2)
        _add(table, "bare Litestar route", bare, bare)
        _add(table, "bare asyncpg read of 20 members", asyncio.run(_reads(url, requests * 2)), bare)
        everything: Times = []
        for name, queries in CLASSES.items():
            paths = [f"/api/v1/members?{urllib.parse.urlencode(query)}" for query in queries]
            times = _times(chosen.port, paths, requests)
            everything += times
            _add(table, f"search: {name}", times, bare)
        _add(table, "search: all", everything, bare)
        pages = ["/?" + urllib.parse.urlencode({"q": word}) for word in WORDS]
        _add(table, "the page, one or two words", _times(chosen.port, pages, requests), bare)
    out.print(table)
    out.print(f"{os.cpu_count()} cores, one client, {datetime.now(UTC):%Y-%m-%d}")


def _add(table: Table, name: str, times: Times, bare: Times) -> None:
    cuts = statistics.quantiles(times, n=20)
    middle = statistics.median(times)
    ratio = middle / statistics.median(bare)
    table.add_row(
        name, str(len(times)), f"{middle * 1e3:.1f}", f"{cuts[18] * 1e3:.1f}", f"{ratio:.1f}"
    )


def _times(port: int, paths: list[str], count: int) -> Times:
    """Seconds of each request, on one connection that is kept, after one round to warm up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(path: str) -> None:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise SystemExit(f"{path}: {answer.status}")

    for path in paths:
        ask(path)
    times = [_timed(partial(ask, paths[number % len(paths)])) for number in range(count)]
    connection.close()
    return times


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


async def _reads(url: str, count: int) -> Times:
    connection = await asyncpg.connect(url)
    times = []
    for number in range(count):
        start = time.perf_counter()
        await connection.fetch(
            "SELECT id, display_name, headline FROM member WHERE id > $1 ORDER BY id LIMIT 20",
            number,
        )
        times.append(time.perf_counter() - start)
    await connection.close()
    return times


@contextmanager
def _serving(words: list[str], environment: dict[str, str], port: int) -> Iterator[None]:
    server = subprocess.Popen(
        [sys.executable, *words], env=environment, preexec_fn=cluster.DiesWithParent()
    )
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
