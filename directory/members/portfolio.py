"""What a member shows of their work: up to twelve entries, in their own order."""

from collections.abc import Collection
from typing import Any

import asyncpg
import msgspec
from msgspec import UNSET, UnsetType

from directory import db, errors, files, limits
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission
from directory.languages import marked
from directory.members import drafts, links, photos, pictures, profiles
from directory.members.audiences import Field
from directory.members.pictures import PICTURE_SIDES, Written

FOLDER = "portfolio"
MOST = 12
LONGEST_TITLE, LONGEST_TEXT = 120, 1_000
YEARS = range(1900, 2101)
CHANGED = "portfolio.changed"
NO_ENTRY = marked("Cette réalisation n’existe pas, ou plus.")


class EntryDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """url: of a page about it. year: 1900 to 2100."""

    title: str
    year: int | None = None
    text: str = ""
    url: str = ""


class OrderDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All the entries, as they are to follow each other."""

    entries: list[int]


def columns(draft: EntryDraft) -> dict[str, Any]:
    """:raises errors.Malformed: naming the field."""
    title = drafts.checked("title", drafts.one_line(draft.title), LONGEST_TITLE)
    if not title:
        raise errors.Malformed.field("title", marked("Donnez un titre."))
    if draft.year is not None and draft.year not in YEARS:
        raise errors.Malformed.field(
            "year", marked("Donnez une année de %(first)s à %(last)s, ou rien."),
            first=YEARS[0], last=YEARS[-1],
        )  # fmt: skip
    text = drafts.checked("text", drafts.paragraphs(draft.text), LONGEST_TEXT)
    url = links.read("url", draft.url.strip()).url if draft.url.strip() else ""
    return {"title": title, "year": draft.year, "text": text, "url": url}


async def add(actor: Actor, draft: EntryDraft, picture: bytes | None = None) -> int:
    """A further entry, the last one. Returns its id.

    :raises errors.Malformed: naming the field. :raises errors.Conflict: beyond MOST.
    """
    member_id = _owner(actor)
    values = columns(draft)
    async with _Picture(member_id, picture) as sent, db.transaction() as opened:
        await profiles.require_version(opened, member_id)
        count = await opened.fetchval(
            "SELECT count(*) FROM portfolio_entry WHERE member_id = $1", member_id
        )
        if count >= MOST:
            raise errors.Conflict(
                marked("Gardez %(most)s réalisations au plus. Retirez-en une d’abord."), most=MOST
            )
        entry_id: int = await opened.fetchval(
            "INSERT INTO portfolio_entry"
            " (member_id, position, title, year, text, url, picture, width, height)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id",
            member_id, count, *values.values(), *sent.columns,
        )  # fmt: skip
        await _note(opened, actor, member_id)
    return entry_id


async def change(
    actor: Actor,
    entry_id: int,
    draft: EntryDraft,
    picture: bytes | UnsetType | None = UNSET,
    versions: Collection[int] | None = None,
) -> None:
    """Write an entry anew. picture: another one, None for none, UNSET for the one that is there.

    :raises errors.Outdated: when the profile has another version than one of `versions`.
    """
    member_id = _owner(actor)
    values = columns(draft)
    sending = None if picture is UNSET else picture
    async with _Picture(member_id, sending) as sent, db.transaction() as opened:
        await profiles.require_version(opened, member_id, versions)
        old = await _name(opened, member_id, entry_id)
        await opened.execute(
            "UPDATE portfolio_entry SET title = $2, year = $3, text = $4, url = $5 WHERE id = $1",
            entry_id, *values.values(),
        )  # fmt: skip
        if picture is not UNSET:
            await opened.execute(
                "UPDATE portfolio_entry SET picture = $2, width = $3, height = $4 WHERE id = $1",
                entry_id, *sent.columns,
            )  # fmt: skip
            await _drop(member_id, old)
        await _note(opened, actor, member_id)


async def remove(actor: Actor, entry_id: int) -> None:
    """:raises errors.NotFound: for none of one's own."""
    member_id = _owner(actor)
    async with db.transaction() as opened:
        await profiles.require_version(opened, member_id)
        old = await _name(opened, member_id, entry_id)
        position = await opened.fetchval(
            "DELETE FROM portfolio_entry WHERE id = $1 RETURNING position", entry_id
        )
        await opened.execute(
            "UPDATE portfolio_entry SET position = position - 1"
            " WHERE member_id = $1 AND position > $2",
            member_id, position,
        )  # fmt: skip
        await _drop(member_id, old)
        await _note(opened, actor, member_id)


async def order(actor: Actor, draft: OrderDraft) -> None:
    """Let the entries follow each other as they are named.

    :raises errors.Malformed: unless each one of one's own is named, once.
    """
    member_id = _owner(actor)
    async with db.transaction() as opened:
        await profiles.require_version(opened, member_id)
        there = await _ids(opened, member_id)
        if sorted(there) != sorted(draft.entries):
            raise errors.Malformed.field(
                "entries", marked("Nommez chacune de vos réalisations, une seule fois.")
            )
        if there == draft.entries:
            return
        await opened.execute(
            "UPDATE portfolio_entry e SET position = wanted.rank - 1"
            " FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (id, rank)"
            " WHERE e.id = wanted.id",
            draft.entries,
        )
        await _note(opened, actor, member_id)


async def move(actor: Actor, entry_id: int, *, up: bool) -> None:
    """One place up or down. The first stays first, the last last."""
    async with db.transaction() as opened:
        ids = await _ids(opened, _owner(actor))
        if entry_id not in ids:
            raise errors.NotFound(NO_ENTRY)
        at = ids.index(entry_id)
        other = max(at - 1, 0) if up else min(at + 1, len(ids) - 1)
        ids[at], ids[other] = ids[other], ids[at]
        await order(actor, OrderDraft(ids))


async def read(actor: Actor, member_id: int, name: str, side: int) -> bytes:
    """A size of a picture of an entry.

    :raises errors.NotFound: for none, and where the actor may not see it.
    """
    await profiles.require_seen(actor, member_id, Field.PORTFOLIO)
    async with db.connection() as reader:
        is_there = await reader.fetchval(
            "SELECT EXISTS (SELECT FROM portfolio_entry WHERE member_id = $1 AND picture = $2)",
            member_id, name,
        )  # fmt: skip
    if not is_there or side not in PICTURE_SIDES:
        raise errors.NotFound
    return await files.read(pictures.keys(FOLDER, member_id, name, (side,))[0])


class _Picture:
    """The picture of an entry around the transaction that names it; nothing for None."""

    def __init__(self, member_id: int, content: bytes | None) -> None:
        self._member_id = member_id
        self._content = content
        self.columns: tuple[str | None, int | None, int | None] = (None, None, None)
        self._files: Any = None

    async def __aenter__(self) -> "_Picture":
        if self._content is not None:
            pictures.weigh("picture", len(self._content))
            await limits.take(photos.SENT, self._member_id)
            written: Written = await pictures.whole("picture", self._content)
            name = pictures.new_name()
            self.columns = (name, written.width, written.height)
            self._files = pictures.put(_keys(self._member_id, name), written)
            await self._files.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> bool | None:
        return await self._files.__aexit__(*error) if self._files else None


def _owner(actor: Actor) -> int:
    actor.require(Permission.EDIT_PROFILE)
    return actor.require_member()


async def _ids(opened: asyncpg.Connection, member_id: int) -> list[int]:
    rows = await opened.fetch(
        "SELECT id FROM portfolio_entry WHERE member_id = $1 ORDER BY position", member_id
    )
    return [row["id"] for row in rows]


async def _name(opened: asyncpg.Connection, member_id: int, entry_id: int) -> str | None:
    """Of the picture of one's own entry. :raises errors.NotFound: for anybody else's."""
    row = await opened.fetchrow(
        "SELECT picture FROM portfolio_entry WHERE id = $1 AND member_id = $2",
        min(entry_id, profiles.LARGEST_ID), member_id,
    )  # fmt: skip
    if row is None:
        raise errors.NotFound(NO_ENTRY)
    name: str | None = row["picture"]
    return name


async def _drop(member_id: int, name: str | None) -> None:
    if name is not None:
        await pictures.drop(_keys(member_id, name))


async def _note(opened: asyncpg.Connection, actor: Actor, member_id: int) -> None:
    await profiles.touch(opened, member_id)
    await audit.record(actor, CHANGED, member_id=member_id, fields=[Field.PORTFOLIO])


def _keys(member_id: int, name: str) -> list[str]:
    return pictures.keys(FOLDER, member_id, name, PICTURE_SIDES)
