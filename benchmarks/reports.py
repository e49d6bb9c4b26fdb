"""Tables for the terminal, or the same as Markdown, and what they were measured on."""

import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import rich.box
import rich.table
from rich.console import Console

WIDTH = 150  # of the widest table, also in a pipe

out = Console(highlight=False, markup=False)
out.width = max(out.width, WIDTH)
err = Console(stderr=True, highlight=False, markup=False)


class Table(NamedTuple):
    """notes stand below it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


class Report:
    """What is printed on the standard output, as it is known."""

    def __init__(self, *, is_markdown: bool) -> None:
        self._is_markdown = is_markdown

    def add(self, table: Table) -> None:
        if self._is_markdown:
            self._print(f"### {table.title}\n\n{_markdown(table)}\n")
        else:
            out.print(_rich(table))
        for note in table.notes:
            self.write(note)

    def write(self, words: str) -> None:
        if self._is_markdown:
            self._print(f"{words}\n")
        else:
            out.print(words, soft_wrap=True)

    def _print(self, words: str) -> None:
        """Not through the console, which would break the lines."""
        sys.stdout.write(f"{words}\n")
        sys.stdout.flush()


def _markdown(table: Table) -> str:
    ruler = ["---", *["---:"] * (len(table.columns) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (table.columns, ruler, *table.rows))


def _rich(table: Table) -> rich.table.Table:
    shown = rich.table.Table(title=table.title, title_justify="left", box=rich.box.SIMPLE)
    for number, column in enumerate(table.columns):
        shown.add_column(column, justify="right" if number else "left")
    for row in table.rows:
        shown.add_row(*row)
    return shown


def say(words: str) -> None:
    """What goes on, beside the report."""
    err.print(f"{datetime.now(UTC):%H:%M:%S} {words}")


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.1f}" if seconds < 1 else f"{seconds * 1e3:,.0f}"


def machine(versions: Sequence[str], folder: str, load_before: float) -> str:
    load_after = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {_memory():.0f} GiB,"
        f" Python {platform.python_version()}, {', '.join(versions)}; data in {folder};"
        f" load average {load_before:.1f} at the start, {load_after:.1f} at the end."
    )


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def memory_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
