"""The figures of an import of members: its plan and its commit, beside baselines of the same run.

The baselines are the csv module reading the file and doing nothing, and a bare COPY of its rows.
Each is measured in a process of its own, whose peak of memory is its own.
"""

import argparse
import asyncio
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import asyncpg
import msgspec

from benchmarks import reports
from benchmarks.reports import Report, Table
from directory import db, operations
from directory import settings as process_settings
from directory.accounts.actor import OPERATOR
from directory.demo import people
from directory.members.imports import escaping, record, sheets, work
from directory.members.imports.plan import Options
from directory.members.imports.record import CommitAsked
from directory.settings import Settings

SIZES = [5_000, 50_000]
HEADER = (
    "member number", "email", "given name", "family name", "headline", "biography", "trades",
    "sectors", "skills offered", "languages", "place code", "phone", "links", "stage",
    "joined on", "turnover band",
)  # fmt: skip
COLUMNS = ("", "seconds", "rows/s", "peak MiB", "what the plan has")
CHANGED, GONE = 10, 50  # every tenth row is changed in the second file, every fiftieth is missing


class Measured(msgspec.Struct, frozen=True):
    seconds: float
    mebibytes: float
    words: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES, help="sizes, in turn")
    parser.add_argument("--markdown", action="store_true", help="tables to paste")
    parser.add_argument("--folder", help="where the database goes (/dev/shm, where there is one)")
    parser.add_argument("--part", choices=sorted(PARTS), help="one measurement alone, as JSON")
    parser.add_argument("words", nargs="*", help="of the part")
    given = parser.parse_args()
    if given.part:
        sys.stdout.write(
            json.dumps(msgspec.to_builtins(asyncio.run(PARTS[given.part](given.words))))
        )
        return
    folder = given.folder or reports.memory_folder()
    load_before = os.getloadavg()[0]
    report = Report(is_markdown=given.markdown)
    for rows in given.rows:
        report.add(Table(f"{rows:,} rows", COLUMNS, _measure(rows, folder)))
    place = folder or tempfile.gettempdir()
    report.write(reports.machine(["Postgres 18.6"], place, load_before))


def _measure(rows: int, parent: str | None) -> list[list[str]]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as name:
        folder = Path(name)
        folder.chmod(0o755)
        chosen = Settings(var_dir=folder, demo=True)
        first, second = folder / "first.csv", folder / "second.csv"
        reports.say(f"{rows:,} rows: writing the files")
        size = _write(first, second, rows)
        with operations.postgres(chosen) as url:
            process_settings.use(chosen)
            asyncio.run(_migrate(url))
            done = [(f"csv module alone, {size / 2**20:.0f} MiB", _run("read", first))]
            done.append(("bare COPY of the rows", _run("copy", first, url)))
            for words, path in (("all new", first), ("some changed, some gone", second)):
                reports.say(words)
                done.append((f"plan, {words}", _run("plan", path, url, folder)))
                done.append((f"commit, {words}", _run("commit", path, url, folder)))
            done.append(("plan, nothing to do", _run("plan", second, url, folder)))
    return [
        [
            words,
            f"{one.seconds:.1f}",
            f"{rows / one.seconds:,.0f}",
            f"{one.mebibytes:.0f}",
            one.words,
        ]
        for words, one in done
    ]


def _write(first: Path, second: Path, rows: int) -> int:
    """The register, and the register some time later. Returns the size of the first in bytes."""
    today = datetime.now(UTC).date()
    with first.open("wb") as one, second.open("wb") as two:
        for file in (one, two):
            file.write(sheets.line(HEADER))
        for number, person in enumerate(people.generate(rows, 1, today)):
            cells = _cells(number, person)
            one.write(sheets.line(cells))
            if number % CHANGED == 0:
                cells[4] = f"{cells[4][:150]} (depuis hier)"
                cells[-1] = "over_100k"
            if number % GONE:
                two.write(sheets.line(cells))
        return one.tell()


def _cells(number: int, person: people.Person) -> list[str]:
    return [
        f"{number:06}", f"m{number}.{person.email}", person.given_name, person.family_name,
        person.headline, person.biography, escaping.joined(list(person.trades)),
        escaping.joined(list(person.sectors)), escaping.joined(list(person.offered)),
        escaping.joined([f"{language}:{level}" for language, level in person.languages]),
        person.place, person.phone, escaping.joined([url for _, url in person.links]),
        person.stage, person.joined_on.isoformat(), "10k_25k",
    ]  # fmt: skip


async def _migrate(url: str) -> None:
    async with operations.connected(url):
        await operations.migrate()


def _run(part: str, *words: object) -> Measured:
    """In a process of its own."""
    command = [sys.executable, "-m", "benchmarks.imports", f"--part={part}", *map(str, words)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=Measured)


def _measured(start: float, words: str = "") -> Measured:
    seconds = time.perf_counter() - start
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return Measured(seconds, int(peak) / 1024, words)


async def _read(words: Sequence[str]) -> Measured:
    start = time.perf_counter()
    with Path(words[0]).open(newline="", encoding="utf-8") as file:
        for _ in csv.reader(file, delimiter=sheets.SEPARATOR):
            pass
    return _measured(start)


async def _copy(words: Sequence[str]) -> Measured:
    path, url = words
    connection = await asyncpg.connect(url)
    columns = ", ".join(f"c{number} text" for number in range(len(HEADER)))
    await connection.execute(f"CREATE TEMP TABLE bare ({columns})")
    start = time.perf_counter()
    with Path(path).open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file, delimiter=sheets.SEPARATOR)
        while chunk := list(islice(rows, work.CHUNK)):
            await connection.copy_records_to_table("bare", records=map(tuple, chunk))
    found = _measured(start)
    await connection.close()
    return found


async def _plan(words: Sequence[str]) -> Measured:
    path, url, folder = words
    process_settings.use(Settings(var_dir=Path(folder), demo=True))
    options = Options(is_complete=True)
    async with operations.connected(url):
        async with db.transaction() as opened:
            import_id = await record.create(opened, OPERATOR, Path(path).name, "", options)
        start = time.perf_counter()
        with Path(path).open("rb") as file:
            async with db.connection() as connection:
                told = lambda *said: record.tell(import_id, *said)  # noqa: E731 - as a worker does
                made = await work.make(connection, import_id, file, options, told)
        counts = ", ".join(f"{name} {count:,}" for name, count in made.counts.items() if count)
        return _measured(start, counts)


async def _commit(words: Sequence[str]) -> Measured:
    """The last plan: asked for, and applied."""
    _, url, folder = words
    process_settings.use(Settings(var_dir=Path(folder), demo=True))
    async with operations.connected(url):
        async with db.connection() as reader:
            import_id = await reader.fetchval("SELECT max(id) FROM member_import")
        found = await record.get(OPERATOR, import_id)
        start = time.perf_counter()
        await record.ask_commit(OPERATOR, import_id, found.hash, invites=True)
        asked = time.perf_counter() - start
        await work.apply(CommitAsked(import_id))
        assert (await record.get(OPERATOR, import_id)).state is record.State.DONE
        return _measured(start, f"of which {asked:.1f} s to compare once more when asked")


PARTS = {"read": _read, "copy": _copy, "plan": _plan, "commit": _commit}

if __name__ == "__main__":
    main()
