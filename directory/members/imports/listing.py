"""A plan to be read: its rows by what would be done, in the reader's language, and as a file."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import msgspec

from directory import db, languages
from directory.accounts.actor import Actor, Permission
from directory.http.listing import Listing
from directory.languages import Label, marked
from directory.members.imports import columns, record
from directory.members.imports.record import Action
from directory.members.imports.sheets import line

A_BATCH = 500


class Fault(msgspec.Struct, frozen=True):
    """column is our name of it, '' for the row as a whole. message is in the reader's language."""

    column: str
    message: str


class Change(msgspec.Struct, frozen=True):
    """old null: the member wrote it and you do not see it. verdict is 'change', or 'kept' for what
    stays because the member wrote their own. A list has an item a line."""

    field: str
    old: str | None
    new: str
    verdict: str


class Like(msgspec.Struct, frozen=True):
    """Somebody of almost the same name in the same town: a member, or another line of the file."""

    name: str
    member_id: int | None = None
    line: int | None = None


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """line is that of the file, null for who leaves because a complete file has them not."""

    line: int | None
    action: Action
    name: str
    member_id: int | None
    changes: list[Change]
    faults: list[Fault]
    likes: list[Like]


async def list_rows(
    actor: Actor, import_id: int, language: str, page: int, limit: int,
    *, action: Action | None = None, is_alike: bool = False,
) -> Listing[PlanRow]:  # fmt: skip
    """In the order of the file.

    :raises errors.NotFound: for no such import.
    """
    await record.get(actor, import_id)
    where = (
        "import_id = $1 AND ($2::import_action IS NULL OR action = $2)"
        " AND (NOT $3 OR likes <> '[]')"
    )
    chosen = (import_id, action, is_alike)
    async with db.connection() as reader:
        total = await reader.fetchval(
            f"SELECT count(*) FROM import_plan WHERE {where}",  # noqa: S608 - above
            *chosen,
        )
        rows = await reader.fetch(
            f"SELECT * FROM import_plan WHERE {where} ORDER BY id LIMIT $4 OFFSET $5",  # noqa: S608 - above
            *chosen, limit, (page - 1) * limit,
        )  # fmt: skip
    items = [_view(row, language) for row in rows]
    return Listing(items=items, total=total, page=page, limit=limit)


def _view(row: asyncpg.Record, language: str) -> PlanRow:
    return PlanRow(
        line=row["line"],
        action=Action(row["action"]),
        name=row["name"],
        member_id=row["member_id"],
        changes=msgspec.json.decode(row["changes"], type=list[Change]),
        faults=[_fault(fault, language) for fault in msgspec.json.decode(row["faults"])],
        likes=msgspec.json.decode(row["likes"], type=list[Like]),
    )


def _fault(fault: dict[str, Any], language: str) -> Fault:
    message = languages.translate(language, fault["message"], **fault["params"])
    return Fault(fault["column"], message)


HEADER = (
    marked("ligne"), marked("quoi"), marked("personne"), marked("colonne"), marked("avant"),
    marked("après"), marked("raison"),
)  # fmt: skip
ACTIONS = {
    Action.ADD: Label(marked("ajout")),
    Action.CHANGE: Label(marked("changement")),
    Action.LEAVE: Label(marked("départ")),
    Action.SAME: Label(marked("inchangé")),
    Action.REJECT: Label(marked("rejet")),
}
MASKED = marked("non visible")
KEPT = marked("gardé : la personne a écrit le sien")
NOT_IN_FILE = marked("absente du fichier complet")


async def as_csv(actor: Actor, import_id: int, language: str) -> AsyncIterator[bytes]:
    """The whole plan: one line for each value that changes, each reason, each resemblance."""
    actor.require(Permission.IMPORT_MEMBERS)
    yield b"\xef\xbb\xbf" + line([languages.translate(language, name) for name in HEADER])
    async with db.connection() as reader, reader.transaction():
        piece: list[bytes] = []
        async for row in reader.cursor(
            "SELECT * FROM import_plan WHERE import_id = $1"
            " AND (action <> 'same' OR changes <> '[]') ORDER BY id",
            import_id, prefetch=A_BATCH,
        ):  # fmt: skip
            piece += [line(cells) for cells in _cells(_view(row, language), language)]
            if len(piece) >= A_BATCH:
                yield b"".join(piece)
                piece = []
        yield b"".join(piece)


def _cells(row: PlanRow, language: str) -> list[list[str]]:
    def say(message: str) -> str:
        return languages.translate(language, message)

    first = [str(row.line or ""), say(ACTIONS[row.action]), row.name]
    found = [
        [
            *first, columns.title(change.field, language),
            say(MASKED) if change.old is None else change.old.replace("\n", " | "),
            change.new.replace("\n", " | "), say(KEPT) if change.verdict == "kept" else "",
        ]
        for change in row.changes
    ]  # fmt: skip
    found += [
        [*first, columns.title(fault.column, language), "", "", fault.message]
        for fault in row.faults
    ]
    found += [
        [*first, "", "", "", languages.translate(language, alike(like), **_told(like))]
        for like in row.likes
    ]
    if row.line is None:
        found.append([*first, "", "", "", say(NOT_IN_FILE)])
    return found


def alike(like: Like) -> str:
    """A marked text with places for name, and line or member."""
    if like.line is not None:
        return marked("ressemble à %(name)s, ligne %(line)s")
    return marked("ressemble à %(name)s, fiche %(member)s")


def _told(like: Like) -> dict[str, object]:
    return {"name": like.name, "line": like.line, "member": like.member_id}
