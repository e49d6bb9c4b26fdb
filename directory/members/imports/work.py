"""What a worker does of an import: read the file, plan it, apply the plan."""

import functools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import islice
from typing import IO

import asyncpg
import msgspec

from directory import db, files, jobs
from directory.accounts.actor import Actor
from directory.languages import marked
from directory.members.imports import cells, columns, commit, plan, reading, record, words
from directory.members.imports.plan import Options, Tell
from directory.members.imports.reading import Refused
from directory.members.imports.record import CommitAsked, Findings, ImportAsked

CHUNK = 1_000
LOCK = 170_017
MOST_ATTEMPTS = 5
STUCK = timedelta(minutes=3)
KEPT_DAYS = {"planned": 7, "done": 30}
ROW = (
    "import_id", "line", "ref", "number", "email", "name", "place", "given", "faults",
)  # fmt: skip
ENCODINGS = {
    "utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252", "utf-16": "UTF-16",
    "utf-16-le": "UTF-16", "utf-16-be": "UTF-16",
}  # fmt: skip


@jobs.on(ImportAsked)
async def read_and_plan(asked: ImportAsked) -> None:
    """Begun anew when a worker died in it: what it had read is deleted first."""
    import_id = asked.import_id
    async with _alone(import_id) as connection:
        if connection is None:
            return
        row = await connection.fetchrow(
            "UPDATE member_import SET state = 'reading', attempts = attempts + 1,"
            " touched_at = now() WHERE id = $1 AND state IN ('received', 'reading')"
            " RETURNING file_key, options",
            import_id,
        )
        if row is None:
            return
        try:
            with tempfile.TemporaryFile() as file:
                async for piece in files.chunks(row["file_key"]):
                    file.write(piece)
                options = msgspec.json.decode(row["options"], type=Options)
                told = functools.partial(record.tell, import_id)
                await make(connection, import_id, file, options, told)
        except Refused as refused:
            await _refuse(connection, import_id, refused)
    await files.delete(row["file_key"])


async def make(
    connection: asyncpg.Connection,
    import_id: int,
    file: IO[bytes],
    options: Options,
    told: Tell,
) -> plan.Plan:
    """The plan of a file.

    :raises Refused: for a file that no rows can be read from.
    """
    async with connection.transaction():
        await record.forget_rows(connection, [import_id])
    findings = await stage(connection, import_id, file, told)
    async with connection.transaction():
        content = bytes.fromhex(findings.digest)
        made = await plan.compare(connection, import_id, findings.columns, options, content, told)
        await connection.execute(
            "UPDATE member_import SET findings = $2, file_key = '' WHERE id = $1",
            import_id, msgspec.json.encode(findings).decode(),
        )  # fmt: skip
        await record.keep_plan(connection, import_id, made, is_moved=False)
    return made


async def stage(
    connection: asyncpg.Connection, import_id: int, file: IO[bytes], told: Tell
) -> Findings:
    """Copy the rows of a file into import_row, a thousand at a time."""
    digest = reading.digest(file)
    with reading.opened(file) as sheet:
        layout = columns.layout(sheet.header)
        reader = cells.Reader(layout, await words.read(connection))
        count = 0
        while chunk := list(islice(sheet.rows, CHUNK)):
            records = [reader.read(row).record(import_id) for row in chunk]
            await connection.copy_records_to_table("import_row", columns=ROW, records=records)
            count += len(records)
            await told(marked("Lire le fichier"), count, 0)
    await connection.execute("ANALYZE import_row")
    return Findings(
        encoding=ENCODINGS[sheet.encoding.name], is_guessed=sheet.encoding.is_guessed,
        separator=sheet.separator, rows=count, columns=layout.known,
        unknown=list(layout.unknown), ignored=list(layout.ignored), digest=digest.hex(),
    )  # fmt: skip


async def _refuse(connection: asyncpg.Connection, import_id: int, refused: Refused) -> None:
    refusal = record.Refusal(refused.message, refused.params)
    async with connection.transaction():
        await record.forget_rows(connection, [import_id])
        await connection.execute(
            "UPDATE member_import SET state = 'refused', refusal = $2, file_key = '',"
            " finished_at = now() WHERE id = $1",
            import_id, msgspec.json.encode(refusal).decode(),
        )  # fmt: skip


@jobs.on(CommitAsked)
async def apply(asked: CommitAsked) -> None:
    """All of the plan in one transaction: a worker that dies in it leaves nothing, and the next
    one begins anew. What has changed since it was asked for makes a new plan, to be looked at."""
    import_id = asked.import_id
    async with _alone(import_id) as connection:
        if connection is None:
            return
        row = await connection.fetchrow(
            "UPDATE member_import SET attempts = attempts + 1, touched_at = now()"
            " WHERE id = $1 AND state = 'committing' RETURNING account_id, token_id",
            import_id,
        )
        if row is not None:
            actor = Actor(account_id=row["account_id"], token_id=row["token_id"])
            await commit.apply(actor, import_id, functools.partial(record.tell, import_id))


@asynccontextmanager
async def _alone(import_id: int) -> AsyncIterator[asyncpg.Connection | None]:
    """A connection while no other worker has this import; None while one has."""
    async with db.connection() as connection:
        if not await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", LOCK, import_id):
            yield None
            return
        try:
            yield connection
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1, $2)", LOCK, import_id)


@jobs.every("* * * * *")
async def resume() -> None:
    """Ask again for what no worker has looked at for a while; give up what fails each time."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            "SELECT id, state::text, attempts FROM member_import"
            " WHERE touched_at < now() - $1::interval"
            " AND state IN ('received', 'reading', 'committing') FOR UPDATE SKIP LOCKED",
            STUCK,
        )
        for row in rows:
            if row["attempts"] >= MOST_ATTEMPTS:
                await opened.execute(
                    "UPDATE member_import SET state = 'failed', finished_at = now() WHERE id = $1",
                    row["id"],
                )
                continue
            asked = CommitAsked if row["state"] == "committing" else ImportAsked
            await jobs.emit(asked(row["id"]))
            await opened.execute(
                "UPDATE member_import SET touched_at = now() WHERE id = $1", row["id"]
            )


@jobs.every("47 2 * * *")
async def forget_old() -> None:
    """The rows of files: of plans that nobody confirmed, and later of what was imported."""
    async with db.transaction() as opened:
        keys = await opened.fetch(
            "UPDATE member_import SET state = 'discarded', finished_at = now()"
            " WHERE state IN ('planned', 'failed')"
            " AND created_at < now() - make_interval(days => $1) RETURNING file_key",
            KEPT_DAYS["planned"],
        )
        rows = await opened.fetch(
            "SELECT id FROM member_import WHERE state IN ('discarded', 'refused')"
            " OR (state = 'done' AND finished_at < now() - make_interval(days => $1))",
            KEPT_DAYS["done"],
        )
        await record.forget_rows(opened, [row["id"] for row in rows])
    for row in keys:
        if row["file_key"]:
            await files.delete(row["file_key"])
