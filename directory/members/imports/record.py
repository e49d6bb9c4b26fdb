"""An import from its file to its result: who asked for it, where it is, what its plan has."""

import asyncio
import contextvars
import enum
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, Any

import asyncpg
import msgspec

from directory import db, errors, files, jobs
from directory.accounts import audit, secrets
from directory.accounts.actor import Actor, Permission
from directory.http.listing import Listing
from directory.languages import marked
from directory.members.imports import plan
from directory.members.imports.columns import Column
from directory.members.imports.plan import Options
from directory.members.imports.reading import LARGEST_BYTES, Refused

FOLDER = "import"
LARGEST_ID = 2**63 - 1
LONGEST_NAME = 200


class State(enum.StrEnum):
    RECEIVED = "received"
    READING = "reading"
    PLANNED = "planned"
    REFUSED = "refused"
    COMMITTING = "committing"
    DONE = "done"
    FAILED = "failed"
    DISCARDED = "discarded"


BUSY = frozenset({State.RECEIVED, State.READING, State.COMMITTING})


class Action(enum.StrEnum):
    ADD = "add"
    CHANGE = "change"
    LEAVE = "leave"
    SAME = "same"
    REJECT = "reject"


class ImportAsked(msgspec.Struct, frozen=True):
    """A file is there to be read and planned."""

    import_id: int


class CommitAsked(msgspec.Struct, frozen=True):
    """A plan is there to be applied."""

    import_id: int


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of the file. encoding is the name that people know; columns are our names."""

    encoding: str = ""
    is_guessed: bool = False
    separator: str = ""
    rows: int = 0
    columns: list[Column] = []
    unknown: list[str] = []
    ignored: list[str] = []
    digest: str = ""
    """The SHA-256 of the file, in hexadecimal."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """kept: rows with values that are not written, because the member wrote their own. alike: new
    rows that resemble somebody. added, changed, left, unchanged and rejected add up to the rows of
    the file, but that a complete file makes others leave too."""

    added: int = 0
    changed: int = 0
    left: int = 0
    unchanged: int = 0
    rejected: int = 0
    kept: int = 0
    alike: int = 0


class Progress(msgspec.Struct, frozen=True):
    """step is said in the reader's language. done and total count rows, or steps."""

    step: str
    done: int
    total: int


class Refusal(msgspec.Struct, frozen=True):
    message: str
    params: dict[str, Any] = {}


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """hash: of the plan, in hexadecimal, once there is one. is_moved: the plan was made anew, as
    members had changed since the one that was to be committed."""

    id: int
    state: State
    file_name: str
    author: str
    options: Options
    progress: Progress
    findings: Findings
    counts: Counts
    refusal: Refusal | None
    hash: str
    is_moved: bool
    invites: bool
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_busy(self) -> bool:
        return self.state in BUSY


_SELECT = """
    SELECT i.*, coalesce(m.display_name, a.email::text, '') AS author
    FROM member_import i LEFT JOIN account a ON a.id = i.account_id
    LEFT JOIN member m ON m.account_id = a.id AND m.left_on IS NULL
"""


async def receive(actor: Actor, file: IO[bytes], file_name: str, options: Options) -> int:
    """Keep a file and ask for its plan. Returns the number of the import.

    :raises errors.Forbidden: or SignInNeeded. :raises Refused: for an empty or too large file.
    """
    actor.require(Permission.IMPORT_MEMBERS)
    size = file.seek(0, 2)
    file.seek(0)
    if size == 0:
        raise Refused(marked("Choisissez un fichier. Celui-ci est vide."))
    if size > LARGEST_BYTES:
        raise Refused(
            marked("Le fichier dépasse %(most)s Mio. Coupez-le en deux."),
            most=LARGEST_BYTES // 2**20,
        )
    key = f"{FOLDER}/{secrets.make()}"
    await files.put_file(key, file)
    async with db.transaction() as opened:
        import_id = await create(opened, actor, file_name, key, options)
        await jobs.emit(ImportAsked(import_id))
    return import_id


async def create(
    opened: asyncpg.Connection, actor: Actor, file_name: str, key: str, options: Options
) -> int:
    import_id: int = await opened.fetchval(
        "INSERT INTO member_import (account_id, token_id, file_name, file_key, options)"
        " VALUES ($1, $2, $3, $4, $5) RETURNING id",
        actor.account_id, actor.token_id, plain_name(file_name), key,
        msgspec.json.encode(options).decode(),
    )  # fmt: skip
    await audit.record(actor, "import.received", subject=f"import:{import_id}")
    return import_id


def plain_name(file_name: str) -> str:
    """The last part of a path, without what cannot be shown."""
    name = PurePosixPath(file_name.replace("\\", "/")).name
    return "".join(c for c in name if c.isprintable())[:LONGEST_NAME]


async def get(actor: Actor, import_id: int) -> Import:
    """:raises errors.NotFound:"""
    actor.require(Permission.IMPORT_MEMBERS)
    row = None
    if 0 < import_id <= LARGEST_ID:
        async with db.connection() as reader:
            row = await reader.fetchrow(f"{_SELECT} WHERE i.id = $1", import_id)
    if row is None:
        raise errors.NotFound(marked("Cet import n’existe pas."))
    return _view(row)


async def list_imports(actor: Actor, page: int, limit: int) -> Listing[Import]:
    """The newest first."""
    actor.require(Permission.IMPORT_MEMBERS)
    async with db.connection() as reader:
        total = await reader.fetchval("SELECT count(*) FROM member_import")
        rows = await reader.fetch(
            f"{_SELECT} ORDER BY i.id DESC LIMIT $1 OFFSET $2", limit, (page - 1) * limit
        )
    return Listing(items=[_view(row) for row in rows], total=total, page=page, limit=limit)


async def lock(opened: asyncpg.Connection, actor: Actor, import_id: int) -> Import:
    """The import, which nobody else changes until the transaction ends.

    :raises errors.NotFound:
    """
    await opened.execute(
        "SELECT FROM member_import WHERE id = $1 FOR UPDATE", min(import_id, LARGEST_ID)
    )
    return await get(actor, import_id)


def _view(row: asyncpg.Record) -> Import:
    return Import(
        id=row["id"],
        state=State(row["state"]),
        file_name=row["file_name"],
        author=row["author"],
        options=msgspec.json.decode(row["options"], type=Options),
        progress=Progress(row["step"], row["done"], row["total"]),
        findings=msgspec.json.decode(row["findings"], type=Findings),
        counts=msgspec.json.decode(row["counts"], type=Counts),
        refusal=msgspec.json.decode(row["refusal"], type=Refusal) if row["refusal"] else None,
        hash=row["plan_hash"].hex() if row["plan_hash"] else "",
        is_moved=row["is_moved"],
        invites=row["invites"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
    )


async def ask_commit(actor: Actor, import_id: int, hash_given: str, *, invites: bool) -> None:
    """Apply the plan of this hash, and no other: a worker does.

    :raises errors.Conflict: when file, options or members are not those of the hash any more. The
        plan is then made anew, to be looked at.
    """
    actor.require(Permission.IMPORT_MEMBERS)
    async with db.transaction() as opened:
        found = await lock(opened, actor, import_id)
        if found.state is not State.PLANNED:
            raise errors.Conflict(NOT_OPEN)
        if found.hash != hash_given.strip().lower():
            raise errors.Conflict(OTHER_HASH)
        made = await plan.compare(
            opened, import_id, found.findings.columns, found.options,
            bytes.fromhex(found.findings.digest), _silent,
        )  # fmt: skip
        is_same = made.hash.hex() == found.hash
        await keep_plan(opened, import_id, made, is_moved=not is_same)
        if is_same:
            await opened.execute(
                "UPDATE member_import SET state = 'committing', invites = $2, step = '', done = 0,"
                " total = 0, attempts = 0 WHERE id = $1",
                import_id, invites,
            )  # fmt: skip
            await jobs.emit(CommitAsked(import_id))
    if not is_same:
        raise errors.Conflict(MOVED)


NOT_OPEN = marked("Ce plan n’est plus à confirmer. Envoyez le fichier à nouveau.")
OTHER_HASH = marked("Ce n’est pas l’empreinte de ce plan. Relisez le plan avant de le confirmer.")
MOVED = marked(
    "Les fiches ont changé depuis que ce plan a été fait. Rien n’a été importé. "
    "Le plan est refait : relisez-le, puis confirmez."
)


async def keep_plan(
    opened: asyncpg.Connection, import_id: int, made: plan.Plan, *, is_moved: bool
) -> None:
    await opened.execute(
        "UPDATE member_import SET state = 'planned', counts = $2, plan_hash = $3, is_moved = $4,"
        " step = '', done = 0, total = 0, attempts = 0, touched_at = now() WHERE id = $1",
        import_id, msgspec.json.encode(made.counts).decode(), made.hash, is_moved,
    )  # fmt: skip


async def discard(actor: Actor, import_id: int) -> None:
    """Drop a plan, and what was read for it. Doing it twice changes nothing.

    :raises errors.Conflict: for one that is being applied, or was.
    """
    actor.require(Permission.IMPORT_MEMBERS)
    async with db.transaction() as opened:
        found = await lock(opened, actor, import_id)
        if found.state in {State.COMMITTING, State.DONE}:
            raise errors.Conflict(marked("Cet import est déjà confirmé."))
        if found.state is State.DISCARDED:
            return
        key = await opened.fetchval("SELECT file_key FROM member_import WHERE id = $1", import_id)
        await forget_rows(opened, [import_id])
        await opened.execute(
            "UPDATE member_import SET state = 'discarded', file_key = '', finished_at = now()"
            " WHERE id = $1",
            import_id,
        )
        await audit.record(actor, "import.discarded", subject=f"import:{import_id}")
    if key:
        await files.delete(key)


async def forget_rows(opened: asyncpg.Connection, import_ids: list[int]) -> None:
    await opened.execute("DELETE FROM import_plan WHERE import_id = ANY($1)", import_ids)
    await opened.execute("DELETE FROM import_row WHERE import_id = ANY($1)", import_ids)


async def tell(import_id: int, step: str, done: int, total: int) -> None:
    """Say how far it is: at once, whatever transaction is open here."""
    await asyncio.create_task(
        _tell(import_id, step, done, total), context=contextvars.Context()
    )  # an empty context: the transaction of this task is not in it


async def _tell(import_id: int, step: str, done: int, total: int) -> None:
    async with db.transaction() as opened:
        await opened.execute(
            "UPDATE member_import SET step = $2, done = $3, total = $4, touched_at = $5"
            " WHERE id = $1",
            import_id, step, done, total, datetime.now(UTC),
        )  # fmt: skip


def inputs(row: asyncpg.Record) -> tuple[Options, Findings, bytes]:
    """What a comparison needs of an import's row, and the hash that it should give."""
    return (
        msgspec.json.decode(row["options"], type=Options),
        msgspec.json.decode(row["findings"], type=Findings),
        row["plan_hash"],
    )


async def _silent(step: str, done: int, total: int) -> None:
    """A person waits for the answer, and nobody looks meanwhile."""
