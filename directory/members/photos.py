"""The photo of a member."""

from collections.abc import Collection
from datetime import timedelta

import msgspec

from directory import db, errors, files, limits
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission
from directory.limits import Limit
from directory.members import pictures, profiles
from directory.members.audiences import Audience, Field
from directory.members.pictures import PHOTO_SIDES, Focus
from directory.members.views import MemberView

FOLDER = "photo"
SENT = Limit("picture", most=60, window=timedelta(hours=1))
"""Of pictures by one member: each takes a processor for a second."""


class PhotoDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as it was sent. audience and version are those of a form; a program has neither."""

    content: bytes
    focus: Focus = "centre"
    audience: Audience | None = None
    version: int | None = None


async def replace(actor: Actor, draft: PhotoDraft, versions: Collection[int] | None = None) -> None:
    """Show another photo, or a first one.

    :raises errors.Malformed: for what is no picture. :raises profiles.StaleProfile: for an old
        version in the draft. :raises errors.Outdated: for another one than one of `versions`.
    """
    actor.require(Permission.EDIT_PROFILE)
    member_id = actor.require_member()
    pictures.weigh(Field.PHOTO, len(draft.content))
    await limits.take(SENT, member_id)
    written = await pictures.square(Field.PHOTO, draft.content, draft.focus)
    name = pictures.new_name()
    async with pictures.put(_keys(member_id, name), written), db.transaction() as opened:
        version = await profiles.require_version(opened, member_id, versions)
        if draft.version not in {None, version}:
            raise profiles.StaleProfile
        old = await opened.fetchval("SELECT name FROM member_photo WHERE member_id = $1", member_id)
        await opened.execute(
            "INSERT INTO member_photo (member_id, name) VALUES ($1, $2)"
            " ON CONFLICT (member_id) DO UPDATE SET name = excluded.name, changed_at = now()",
            member_id, name,
        )  # fmt: skip
        chosen = {Field.PHOTO: draft.audience} if draft.audience else {}
        await profiles.touch(opened, member_id, chosen)
        await _note(actor, member_id, "photo.changed", old)


async def remove(actor: Actor, versions: Collection[int] | None = None) -> None:
    """Initials stand there again. Nothing happens where no photo is.

    :raises errors.Outdated: for another version than one of these.
    """
    actor.require(Permission.EDIT_PROFILE)
    member_id = actor.require_member()
    async with db.transaction() as opened:
        await profiles.require_version(opened, member_id, versions)
        old = await opened.fetchval(
            "DELETE FROM member_photo WHERE member_id = $1 RETURNING name", member_id
        )
        if old is not None:
            await profiles.touch(opened, member_id)
            await _note(actor, member_id, "photo.removed", old)


async def _note(actor: Actor, member_id: int, action: str, old: str | None) -> None:
    await audit.record(actor, action, member_id=member_id, fields=[Field.PHOTO])
    if old is not None:
        await pictures.drop(_keys(member_id, old))


async def read(actor: Actor, member_id: int, name: str, side: int) -> bytes:
    """A size of the photo that is there now.

    :raises errors.NotFound: for another one, and where the actor may not see it.
    """
    await profiles.require_seen(actor, member_id, Field.PHOTO)
    async with db.connection() as reader:
        shown = await reader.fetchval(
            "SELECT name FROM member_photo WHERE member_id = $1", member_id
        )
    if shown != name or side not in PHOTO_SIDES:
        raise errors.NotFound
    return await files.read(pictures.keys(FOLDER, member_id, name, (side,))[0])


async def portrait(view: MemberView) -> bytes | None:
    """The photo that a view shows, as JPEG, which every address book reads."""
    if view.photo is None:
        return None
    try:
        content = await files.read(f"{FOLDER}/{view.id}/{view.photo.large.rpartition('/')[2]}")
    except errors.NotFound:  # replaced this moment
        return None
    return await pictures.jpeg(content)


def _keys(member_id: int, name: str) -> list[str]:
    return pictures.keys(FOLDER, member_id, name, PHOTO_SIDES)
