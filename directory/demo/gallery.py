"""Photos and portfolios for part of the demonstration's members.

A few dozen pictures are drawn, and written once for each member who shows one: drawing one for
everybody would take longer than all the rest of the demonstration.
"""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from importlib import resources
from random import Random

import anyio
import asyncpg
import msgspec
from anyio import to_thread

from directory import files
from directory.demo import drawings, families
from directory.members import photos, pictures, portfolio
from directory.members.pictures import PHOTO_SIDES, PICTURE_SIDES

BUSTS, POSTERS = 48, 16
WITH_PHOTO, WITH_WORKS = 0.4, 0.15
CAST = 10
AT_ONCE = 32
"""Files that are written at the same moment."""


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Titles and sentences of what some families of trades show, by language."""

    families: list[str]
    fr: list[tuple[str, str]]
    nl: list[tuple[str, str]]
    en: list[tuple[str, str]]


class Sitter(msgspec.Struct, frozen=True):
    """A member, with what decides on their pictures. position is that of the demonstration."""

    id: int
    position: int
    language: str
    family: str


class Work(msgspec.Struct, frozen=True):
    member_id: int
    position: int
    title: str
    text: str
    year: int
    poster: int
    name: str


@cache
def shown() -> Mapping[str, Shown]:
    """By family."""
    text = resources.files("directory.demo").joinpath("gallery.toml").read_text("utf-8")
    groups = msgspec.convert(tomllib.loads(text), dict[str, Shown])
    return {family: group for group in groups.values() for family in group.families}


async def hang(connection: asyncpg.Connection, *, seed: int, today: date) -> Mapping[str, int]:
    """Write files and rows, and count the rows by table. Call it in the transaction of the members;
    when it fails no file of it stays."""
    sitters = await _sitters(connection)
    faces = {
        sitter: chance.randrange(BUSTS)
        for sitter in sitters
        if (chance := _chance(seed, "photo", sitter)).random() < WITH_PHOTO
        or sitter.position < CAST
    }
    names = {sitter: pictures.new_name() for sitter in faces}
    works = [work for sitter in sitters for work in _works(sitter, seed, today)]
    await _write_rows(connection, names, works)
    busts, posters = await to_thread.run_sync(_draw)
    keyed = [
        (_keys(photos.FOLDER, sitter.id, names[sitter]), busts[face])
        for sitter, face in faces.items()
    ] + [(_keys(portfolio.FOLDER, one.member_id, one.name), posters[one.poster]) for one in works]
    await _put([pair for paths, sizes in keyed for pair in zip(paths, sizes, strict=True)])
    return {"member_photo": len(names), "portfolio_entry": len(works)}


async def _write_rows(
    connection: asyncpg.Connection, names: Mapping[Sitter, str], works: Sequence[Work]
) -> None:
    await connection.copy_records_to_table(
        "member_photo", columns=("member_id", "name"),
        records=[(sitter.id, name) for sitter, name in names.items()],
    )  # fmt: skip
    await connection.copy_records_to_table(
        "portfolio_entry",
        columns=("member_id", "position", "title", "year", "text", "url", "picture", "width",
                 "height"),
        records=[
            (one.member_id, one.position, one.title, one.year, one.text, "", one.name,
             *drawings.WIDE)
            for one in works
        ],
    )  # fmt: skip


async def _sitters(connection: asyncpg.Connection) -> list[Sitter]:
    known = families.family_of()
    rows = await connection.fetch(
        "SELECT m.id, m.number::integer - 1 AS position, a.language, t.code FROM member m"
        " JOIN account a ON a.id = m.account_id"
        " JOIN member_trade mt ON mt.member_id = m.id AND mt.position = 0"
        " JOIN trade t ON t.id = mt.trade_id WHERE m.left_on IS NULL ORDER BY m.id"
    )
    return [
        Sitter(row["id"], row["position"], row["language"], known.get(row["code"], ""))
        for row in rows
    ]


def _works(sitter: Sitter, seed: int, today: date) -> list[Work]:
    group = shown().get(sitter.family)
    chance = _chance(seed, "works", sitter)
    if group is None or (sitter.position >= CAST and chance.random() >= WITH_WORKS):
        return []
    known: list[tuple[str, str]] = getattr(group, sitter.language)
    told = chance.sample(known, chance.randint(1, len(known)))
    return [
        Work(
            sitter.id, position, title, text, today.year - chance.randrange(6),
            chance.randrange(POSTERS), pictures.new_name(),
        )
        for position, (title, text) in enumerate(told)
    ]  # fmt: skip


def _keys(folder: str, member_id: int, name: str) -> list[str]:
    sides = PHOTO_SIDES if folder == photos.FOLDER else PICTURE_SIDES
    return pictures.keys(folder, member_id, name, sides)


def _chance(seed: int, what: str, sitter: Sitter) -> Random:
    return Random(f"{seed}:{what}:{sitter.position}")  # noqa: S311 - the same for the same seed


def _draw() -> tuple[list[tuple[bytes, ...]], list[tuple[bytes, ...]]]:
    """The busts and the posters, in the sizes that pictures have."""
    return (
        [pictures.sized(drawings.bust(number), is_square=True) for number in range(BUSTS)],
        [pictures.sized(drawings.poster(number), is_square=False) for number in range(POSTERS)],
    )


async def _put(pairs: Sequence[tuple[str, bytes]]) -> None:
    try:
        for start in range(0, len(pairs), AT_ONCE):
            async with anyio.create_task_group() as group:
                for path, content in pairs[start : start + AT_ONCE]:
                    group.start_soon(files.put, path, content)
    except BaseException:
        with anyio.CancelScope(shield=True):
            for path, _ in pairs:
                await files.delete(path)
        raise
