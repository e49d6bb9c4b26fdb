"""The copy itself: a ZIP with JSON for programs, one page for people, and the files.

Written to a temporary file piece by piece, so that a person of whom much is held takes no more
memory than another, and a worker that is killed leaves nothing behind.
"""

import tempfile
import zipfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import IO, Any

import msgspec

from directory import db, files
from directory.holdings import Person, Section
from directory.privacy import inventory, sheet

ROWS_AT_ONCE = 200
Tell = Callable[[int, int], Awaitable[None]]
"""Told how many parts are written, of how many."""


async def silent(done: int, total: int) -> None:
    """For who does not ask how far it is."""


async def write(person: Person, language: str, file: IO[bytes], tell: Tell = silent) -> None:
    """Write the copy of all that is held about a person now."""
    keys = [key for folder in inventory.folders(person) for key in await files.list_keys(folder)]
    total = sum(len(sections) for sections in inventory.DOMAINS.values()) + len(keys)
    done = 0
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.TemporaryFile() as page,
    ):
        page.write(sheet.head(language).encode())
        for domain, sections in inventory.DOMAINS.items():
            with archive.open(_entry(f"data/{domain}.json"), "w") as out:
                for number, section in enumerate(sections):
                    out.write(b"{" if number == 0 else b",")
                    await _write_section(person, section, language, out, page)
                    done += 1
                    await tell(done, total)
                out.write(b"\n}\n")
        page.write(sheet.foot(language, keys).encode())
        _copy(page, archive)
        for key in keys:
            await _write_file(key, archive)
            done += 1
            await tell(done, total)


async def _write_section(
    person: Person, section: Section, language: str, out: IO[bytes], page: IO[bytes]
) -> None:
    """The rows into the JSON and, in words, onto the page."""
    out.write(f'\n"{section.name}": ['.encode())
    is_first = True
    async with db.transaction() as opened:
        statement = await opened.prepare(section.sql)
        json = {one.name for one in statement.get_attributes() if one.type.name == "jsonb"}
        async for record in statement.cursor(
            person.account_id, person.member_id, prefetch=ROWS_AT_ONCE
        ):
            row = _row(record, json)
            out.write(b"\n" if is_first else b",\n")
            out.write(msgspec.json.encode(row))
            page.write(sheet.row(language, section, row, is_first=is_first).encode())
            is_first = False
    out.write(b"]")
    if not is_first:
        page.write(sheet.end(language).encode())


def _row(record: Any, json: set[str]) -> dict[str, Any]:
    return {
        name: msgspec.json.decode(value) if name in json and value is not None else value
        for name, value in record.items()
    }


def _copy(page: IO[bytes], archive: zipfile.ZipFile) -> None:
    page.seek(0)
    with archive.open(_entry("index.html"), "w") as out:
        while piece := page.read(65536):
            out.write(piece)


async def _write_file(key: str, archive: zipfile.ZipFile) -> None:
    """Pictures are compressed already."""
    entry = _entry(f"files/{key}")
    entry.compress_type = zipfile.ZIP_STORED
    with archive.open(entry, "w", force_zip64=True) as out:
        async for piece in files.chunks(key):
            out.write(piece)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, datetime.now(UTC).timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry
