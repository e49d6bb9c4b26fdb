"""The figures of the member search, over HTTP, beside their baselines of the same run.

On Postgres always; on Meilisearch too where MEILI_URL (and MEILI_KEY) name one: it gets indexes of
its own, which are dropped at the end.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
import msgspec

from benchmarks import changes, community, direct, processes, questions, reports, timings
from benchmarks.changes import Seen
from benchmarks.clients import Client
from benchmarks.community import Author, Built
from benchmarks.reports import Report, Table
from benchmarks.timings import Timing
from directory import indexing, operations
from directory import settings as process_settings
from directory.settings import Settings
from search import meilisearch, postgres
from search.server import WRITE_SECONDS, Server

CHANGES = 20
SIZES = [2_000, 20_000, 100_000]
COLUMNS = (
    "members, engine", "documents", "filled in s", "indexed in s", "documents/s",
    "change found, median ms", "at most, ms", "API process, MiB",
)  # fmt: skip


class Installation(NamedTuple):
    """A filled one, and who asks."""

    chosen: Settings
    members: int
    token: str
    authors: list[Author]


class Outcome(NamedTuple):
    """Of one engine at one size. None in timings: a class that the API does not know."""

    timings: dict[str, Timing | None]
    bare: Timing
    reads: Timing
    seen: Seen
    resident: float | None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--members", type=int, nargs="+", default=SIZES, help="sizes, in turn")
    parser.add_argument("--queries", type=int, default=200, help="of each class (200)")
    parser.add_argument("--markdown", action="store_true", help="tables to paste")
    parser.add_argument("--folder", help="where the databases go (/dev/shm, where there is one)")
    given = parser.parse_args()
    folder = given.folder or reports.memory_folder()
    load_before = os.getloadavg()[0]
    report = Report(is_markdown=given.markdown)
    rows: list[list[str]] = []
    versions: list[str] = []
    for members in given.members:
        with _database(folder) as chosen:
            rows += _measure(chosen, members, given.queries, report)
            versions = asyncio.run(_versions(chosen))
    report.add(Table("Filling, indexing, a change, memory", COLUMNS, rows))
    report.write(reports.machine(versions, folder or tempfile.gettempdir(), load_before))


@contextmanager
def _database(parent: str | None) -> Iterator[Settings]:
    """An empty one. Its settings become those of this process, and name no Meilisearch."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        Path(folder).chmod(0o755)
        chosen = Settings(var_dir=Path(folder), demo=True, port=processes.free_port())
        with operations.postgres(chosen) as url:
            chosen = msgspec.structs.replace(chosen, database_url=url)
            process_settings.use(chosen)
            yield chosen


def _measure(chosen: Settings, members: int, queries: int, report: Report) -> list[list[str]]:
    """Rows of the last table, a row for each engine."""
    url = chosen.database_url
    reports.say(f"{members:,} members: filling")
    filled = asyncio.run(community.fill(url, members))
    reports.say("indexing in Postgres")
    built = asyncio.run(community.index_postgres(url))
    token = asyncio.run(community.reader_token(url))
    authors = asyncio.run(community.authors(url, CHANGES + 1))
    installation = Installation(chosen, members, token, authors)
    outcome = _on(installation, postgres.NAME, queries)
    report.add(_table(outcome, f"{members:,} members, {postgres.NAME}"))
    rows = [_row(f"{members:,}, {postgres.NAME}", built, outcome, f"{filled:.1f}")]
    mirrored = _with_meilisearch(chosen)
    address = indexing.meilisearch(mirrored)
    if address:
        try:
            reports.say("indexing in Meilisearch")
            built = asyncio.run(community.index_meilisearch(url, address))
            outcome = _on(installation._replace(chosen=mirrored), meilisearch.NAME, queries)
        finally:
            asyncio.run(community.drop_indexes(address))
        report.add(_table(outcome, f"{members:,} members, {meilisearch.NAME}"))
        rows += [_row(f"{members:,}, {meilisearch.NAME}", built, outcome, "")]
    return rows


def _with_meilisearch(chosen: Settings) -> Settings:
    """With the server that the environment names, and indexes that nobody else has."""
    given = process_settings.from_environment()
    return msgspec.structs.replace(
        chosen, meili_url=given.meili_url, meili_key=given.meili_key,
        meili_prefix=f"bench_{os.getpid()}_",
    )  # fmt: skip


def _on(installation: Installation, engine: str, queries: int) -> Outcome:
    chosen, token = installation.chosen, installation.token
    environment, bare_port = processes.environment(chosen), processes.free_port()
    bare_words = ["-m", "uvicorn", "benchmarks.bare:app", f"--port={bare_port}"]
    with (
        processes.serving(["-m", "directory", "serve"], environment, chosen.port) as api,
        processes.serving([*bare_words, "--log-level=error"], environment, bare_port),
        direct.running(environment) as engine_alone,
    ):
        clients = Client(chosen.port, token), Client(chosen.port)
        bare = timings.ask_bare(Client(bare_port), queries)
        reads = asyncio.run(community.read_times(chosen.database_url, queries))
        found: dict[str, Timing | None] = {}
        for kind in (*questions.MEMBERS, *questions.OTHERS):
            reports.say(f"{installation.members:,} members, {engine}: {kind.name}")
            found[kind.name] = timings.ask(kind, queries, clients, engine_alone, token, engine)
        resident = processes.resident(api.pid)
        bare.seconds += timings.ask_bare(Client(bare_port), queries).seconds
        reports.say(f"{installation.members:,} members, {engine}: changes")
        seen = changes.measure(chosen.port, environment, installation.authors, token, engine)
    return Outcome(found, bare, Timing("bare asyncpg read of 20 members", reads), seen, resident)


def _table(outcome: Outcome, title: str) -> Table:
    timed = [timing for timing in outcome.timings.values() if timing]
    columns = timings.columns(timed)
    shown: list[Timing | str] = [outcome.bare, outcome.reads]
    shown += [outcome.timings[kind.name] or kind.name for kind in questions.MEMBERS]
    for name, has_facets in (("all of these, with facets", True), ("all, facets=none", False)):
        kinds = [kind for kind in questions.MEMBERS if kind.has_facets is has_facets]
        asked = [timing for kind in kinds if (timing := outcome.timings[kind.name])]
        shown.append(timings.together(name, asked) if asked else name)
    shown += [outcome.timings[kind.name] or kind.name for kind in questions.OTHERS]
    shown.append(Timing("browse, the first after a change", outcome.seen.browsed))
    rows = [
        [each, "not there", *[""] * (len(columns) - 2)]
        if isinstance(each, str)
        else timings.row(each, outcome.bare, len(columns))
        for each in shown
    ]
    return Table(title, columns, rows, timings.notes(timed))


def _row(name: str, built: Built, outcome: Outcome, filled: str) -> list[str]:
    seconds = outcome.seen.until_found
    return [
        name, f"{built.documents:,}", filled, f"{built.seconds:.1f}", f"{built.rate:,.0f}",
        reports.milliseconds(statistics.median(seconds)), reports.milliseconds(max(seconds)),
        "" if outcome.resident is None else f"{outcome.resident:.0f}",
    ]  # fmt: skip


async def _versions(chosen: Settings) -> list[str]:
    connection = await asyncpg.connect(chosen.database_url)
    number = await connection.fetchval("SHOW server_version")
    await connection.close()
    versions = [f"Postgres {number.split()[0]}"]
    if address := indexing.meilisearch(_with_meilisearch(chosen)):
        async with Server(address, seconds=WRITE_SECONDS) as server:
            versions.append(f"Meilisearch {await server.version()}")
    return versions


if __name__ == "__main__":
    main()
