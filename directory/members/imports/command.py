"""Imports from the command line: the plan of a file, and its commit, without a worker."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from directory import db, errors, languages
from directory.accounts.actor import OPERATOR
from directory.members.imports import columns, listing, record, work
from directory.members.imports.plan import Options
from directory.members.imports.record import Action, CommitAsked, Import

SHOWN = 50  # rows of each kind
LANGUAGE = "en"
Told = Callable[[str, int, int], None]


async def plan(path: Path, options: Options, told: Told) -> list[str]:
    """The plan in lines to print. Nothing stays of it.

    :raises errors.Problem: for a file that is refused.
    """
    async with _planned(path, options, told) as found:
        lines = _summary(found)
        for action in (Action.REJECT, Action.LEAVE, Action.CHANGE, Action.ADD):
            lines += await _rows(found, action)
    return [*lines, f"hash {found.hash}"]


async def commit(
    path: Path, options: Options, hash_given: str, told: Told, *, invites: bool
) -> list[str]:
    """Apply the plan of this hash, and no other.

    :raises errors.Conflict: when file, options or members give another plan by now.
    """
    async with _planned(path, options, told) as found:
        await record.ask_commit(OPERATOR, found.id, hash_given, invites=invites)
        await work.apply(CommitAsked(found.id))
        done = await record.get(OPERATOR, found.id)
        if done.is_moved:
            raise errors.Conflict(record.MOVED)
    return [*_summary(done), f"import {done.id} is {done.state}"]


@asynccontextmanager
async def _planned(path: Path, options: Options, told: Told) -> AsyncIterator[Import]:
    """An import of this file with its plan, which is dropped where it is not committed."""

    async def tell(step: str, done: int, total: int) -> None:
        told(languages.translate(LANGUAGE, step), done, total)

    with path.open("rb") as file:
        async with db.transaction() as opened:
            import_id = await record.create(opened, OPERATOR, path.name, "", options)
        try:
            async with db.connection() as connection:
                await work.make(connection, import_id, file, options, tell)
            yield await record.get(OPERATOR, import_id)
        finally:
            found = await record.get(OPERATOR, import_id)
            if found.state not in {record.State.COMMITTING, record.State.DONE}:
                await record.discard(OPERATOR, import_id)


def _summary(found: Import) -> list[str]:
    read, counts = found.findings, found.counts
    encoding = f"{read.encoding} (recognised)" if read.is_guessed else read.encoding
    separator = "tabs" if read.separator == "\t" else repr(read.separator)
    lines = [f"{read.rows} rows, {encoding}, parted by {separator}"]
    if read.unknown:
        lines.append(f"not imported, unknown columns: {', '.join(read.unknown)}")
    if read.ignored:
        lines.append(f"not imported, for readers only: {', '.join(read.ignored)}")
    lines.append(
        f"added {counts.added}, changed {counts.changed}, left {counts.left}, "
        f"unchanged {counts.unchanged}, rejected {counts.rejected}"
    )
    if counts.kept or counts.alike:
        lines.append(
            f"{counts.kept} rows keep what members wrote, {counts.alike} new ones resemble somebody"
        )
    return lines


async def _rows(found: Import, action: Action) -> list[str]:
    rows = await listing.list_rows(OPERATOR, found.id, LANGUAGE, 1, SHOWN, action=action)
    lines = [_row(row) for row in rows.items]
    if rows.total > SHOWN:
        lines.append(f"… and {rows.total - SHOWN} more to {action}")
    return lines


def _row(row: listing.PlanRow) -> str:
    where = f"line {row.line}" if row.line else f"member {row.member_id}"
    parts = [
        f"{change.field}: {_short(change.old)} → {_short(change.new)}"
        for change in row.changes
        if change.verdict == "change"
    ]
    parts += [
        f"{columns.title(fault.column, LANGUAGE)}: {fault.message}".removeprefix(": ")
        for fault in row.faults
    ]
    parts += [f"resembles {like.name}" for like in row.likes]
    return f"{where:<12} {row.action:<7} {row.name}  {'; '.join(parts)}"


def _short(text: str | None) -> str:
    if text is None:
        return "(not visible)"
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
