"""Copies of all that is held about a person: asked for, made by a worker, gone after a week."""

import enum
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from directory import db, errors, files, jobs, limits, mail, settings
from directory.accounts import audit
from directory.accounts import holdings as accounts
from directory.accounts.actor import Actor, Permission
from directory.languages import marked
from directory.limits import Limit
from directory.privacy import archive

MAILS = Path(__file__).parent / "mails"
LIFETIME = timedelta(days=7)
LOST_AFTER = timedelta(days=1)
ASKED = Limit("personal-export", most=3, window=timedelta(days=1))
LARGEST_ID = 2**63 - 1
GONE = marked("Cette copie n’est plus là. Demandez-en une autre.")


class State(enum.Enum):
    ASKED = "asked"
    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


class ExportView(msgspec.Struct, frozen=True, kw_only=True):
    """A copy, asked for or ready. `done` of `total` parts are written; `size` is in bytes."""

    id: int
    state: State
    done: int
    total: int
    size: int | None
    asked_at: datetime
    ready_at: datetime | None
    expires_at: datetime | None

    @property
    def is_running(self) -> bool:
        return self.state in {State.ASKED, State.MAKING}


class ExportAsked(msgspec.Struct, frozen=True):
    """Somebody wants a copy of what is held about them."""

    export_id: int
    account_id: int


class ExportReady(msgspec.Struct, frozen=True):
    """A copy can be fetched; its owner is told."""

    export_id: int
    account_id: int


_VIEW = """
    SELECT id, state::text AS state, done, total, size, asked_at, ready_at, expires_at
    FROM personal_export
    WHERE account_id = $1 AND state <> 'expired' AND (expires_at IS NULL OR expires_at > now())
"""


async def ask(actor: Actor, language: str) -> ExportView:
    """A copy of the actor's own data. While one is being made, that one.

    :raises errors.TooMany: after three in a day.
    """
    account_id = _owner(actor)
    async with db.transaction() as opened:
        # Two clicks at once wait for each other here, and get the same copy.
        await opened.execute("SELECT FROM account WHERE id = $1 FOR UPDATE", account_id)
        running = f"{_VIEW} AND state IN ('asked', 'making')"
        row = await opened.fetchrow(running, account_id)
        if row is None:
            await limits.take(ASKED, account_id)
            export_id = await opened.fetchval(
                "INSERT INTO personal_export (account_id, language) VALUES ($1, $2) RETURNING id",
                account_id, language,
            )  # fmt: skip
            await audit.record(actor, "export.asked", member_id=actor.member_id)
            await jobs.emit(ExportAsked(export_id, account_id))
            row = await opened.fetchrow(running, account_id)
    return msgspec.convert(dict(row or {}), ExportView)


async def list_own(actor: Actor) -> list[ExportView]:
    """Newest first."""
    account_id = _owner(actor)
    async with db.connection() as reader:
        rows = await reader.fetch(f"{_VIEW} ORDER BY id DESC", account_id)
    return [msgspec.convert(dict(row), ExportView) for row in rows]


async def get(actor: Actor, export_id: int) -> ExportView:
    """:raises errors.NotFound: for one that is not the actor's, or not there any more."""
    account_id = _owner(actor)
    row = None
    if 0 < export_id <= LARGEST_ID:
        async with db.connection() as reader:
            row = await reader.fetchrow(f"{_VIEW} AND id = $2", account_id, export_id)
    if row is None:
        raise errors.NotFound(GONE)
    return msgspec.convert(dict(row), ExportView)


async def download(actor: Actor, export_id: int) -> tuple[ExportView, AsyncIterator[bytes]]:
    """The ZIP, piece by piece.

    :raises errors.Conflict: while it is being made. :raises errors.NotFound: when it is gone.
    """
    export = await get(actor, export_id)
    if export.state is not State.READY:
        raise errors.Conflict(marked("Cette copie n’est pas prête."))
    return export, files.chunks(_key(_owner(actor), export_id))


def _owner(actor: Actor) -> int:
    actor.require(Permission.EXPORT_OWN)
    if actor.account_id is None:
        raise errors.SignInNeeded
    return actor.account_id


def folder(account_id: int) -> str:
    """Where the copies of an account are."""
    return f"export/{account_id}"


def _key(account_id: int, export_id: int) -> str:
    return f"{folder(account_id)}/{export_id}.zip"


@jobs.on(ExportAsked)
async def make(asked: ExportAsked) -> None:
    """Write the copy and say that it is there. A second run writes the same file again."""
    key = _key(asked.account_id, asked.export_id)
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            "UPDATE personal_export SET state = 'making', done = 0 "
            "WHERE id = $1 AND state IN ('asked', 'making') RETURNING language",
            asked.export_id,
        )
    if row is not None:

        async def tell(done: int, total: int) -> None:
            async with db.transaction() as opened:
                await opened.execute(
                    "UPDATE personal_export SET done = $2, total = $3 WHERE id = $1",
                    asked.export_id, done, total,
                )  # fmt: skip

        person = await accounts.person(asked.account_id)
        with tempfile.TemporaryFile() as file:
            await archive.write(person, row["language"], file, tell)
            size = file.tell()
            file.seek(0)
            await files.put_file(key, file)
        await _finish(asked, size)
    if not await _is_wanted(asked):
        await files.delete(key)


async def _finish(asked: ExportAsked, size: int) -> None:
    async with db.transaction() as opened:
        ready = await opened.fetchval(
            "UPDATE personal_export SET state = 'ready', size = $2, ready_at = now(), "
            "expires_at = now() + $3::interval WHERE id = $1 AND state = 'making' RETURNING true",
            asked.export_id, size, LIFETIME,
        )  # fmt: skip
        if ready:
            await jobs.emit(ExportReady(asked.export_id, asked.account_id))


async def _is_wanted(asked: ExportAsked) -> bool:
    """Not of an account that was erased meanwhile."""
    async with db.connection() as reader:
        found: bool = await reader.fetchval(
            "SELECT EXISTS (SELECT FROM personal_export WHERE id = $1 AND state = 'ready')",
            asked.export_id,
        )
    return found


@jobs.on(ExportReady)
async def write(ready: ExportReady) -> None:
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT a.email::text AS email, e.language, e.expires_at FROM personal_export e "
            "JOIN account a ON a.id = e.account_id WHERE e.id = $1 AND e.state = 'ready'",
            ready.export_id,
        )
    if row is None:
        return
    chosen = settings.current()
    message = mail.render(
        MAILS / "export", chosen, to=row["email"], language=row["language"],
        link=f"{chosen.public_url}/account/data", until=row["expires_at"],
        days=LIFETIME.days,
    )  # fmt: skip
    await mail.send(message, chosen)


@jobs.every("33 * * * *")
async def forget_expired() -> None:
    """First the row says that the copy is gone, then the file goes, then the row."""
    async with db.transaction() as opened:
        await opened.execute(
            "UPDATE personal_export SET state = 'expired' WHERE expires_at <= now()"
        )
        await opened.execute(
            "UPDATE personal_export SET state = 'failed', expires_at = now() + $1::interval "
            "WHERE state IN ('asked', 'making') AND asked_at < now() - $2::interval",
            LIFETIME, LOST_AFTER,
        )  # fmt: skip
        rows = await opened.fetch(
            "SELECT id, account_id FROM personal_export WHERE state = 'expired'"
        )
    for row in rows:
        await files.delete(_key(row["account_id"], row["id"]))
        async with db.transaction() as opened:
            await opened.execute("DELETE FROM personal_export WHERE id = $1", row["id"])
