"""The method sheet of a filière, in versions: written by who tends it, accepted by who joins."""

import enum
from datetime import date, datetime, timedelta
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, limits
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.errors import FieldError
from directory.filieres import authors, differences, lifecycle, method_texts, registry
from directory.filieres.authors import Author
from directory.filieres.differences import Piece
from directory.filieres.lifecycle import Stage
from directory.filieres.method_texts import MethodTexts, Part, Translations
from directory.filieres.registry import FiliereRef
from directory.languages import marked
from directory.limits import Limit
from directory.members import drafts

LONGEST_CHANGE = 200
LARGEST_VERSION = 1_000_000
A_DAY = Limit("method-sheet", 20, timedelta(days=1))  # of a filière: no version ever goes away
FIRST = "Première version"  # kept as it is, as what an author writes


class MethodDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sheet as it is to be. Parts that are not given in nl and en are shown in French."""

    version: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=LARGEST_VERSION, description="The version that you read; 0: there is none."
        ),
    ]
    fr: MethodTexts
    nl: MethodTexts = MethodTexts()
    en: MethodTexts = MethodTexts()
    change: Annotated[
        str, msgspec.Meta(description="What changes, in a line; needed from the second on.")
    ] = ""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version. `author` is null when the account is gone."""

    version: int
    at: datetime
    change: str
    author: Author | None = None

    @property
    def day(self) -> date:
        return self.at.astimezone(lifecycle.ZONE).date()


class MethodView(Version, frozen=True, kw_only=True):
    """A version with its texts: in the reader's language, and as they were written."""

    current_version: int
    texts: MethodTexts
    translations: Translations

    @property
    def is_current(self) -> bool:
        return self.version == self.current_version


class PartChange(msgspec.Struct, frozen=True):
    """What changed in one part of one language."""

    language: str
    part: Part
    pieces: list[Piece]


class MethodChanges(msgspec.Struct, frozen=True):
    """Parts that did not change are left out."""

    before: Version
    after: Version
    parts: list[PartChange]


class MethodChanged(errors.Conflict):
    """There is a newer version of the sheet. The message gives its number."""

    kind = "method-changed"


def none_yet() -> errors.NotFound:
    return errors.NotFound(marked("Cette filière n’a pas encore de fiche de méthode."))


_COLUMNS = "SELECT version, texts, change, author_id, at FROM method_sheet"


async def find(
    actor: Actor, filiere_id: int, language: str, version: int | None = None
) -> MethodView | None:
    """A version, or the current one; None where there is none."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_COLUMNS} WHERE filiere_id = $1 AND version IN ($2, (SELECT max(version) "  # noqa: S608 - no value in it
            "FROM method_sheet WHERE filiere_id = $1)) ORDER BY version",
            filiere_id, version,
        )  # fmt: skip
    wanted = [row for row in rows if version in {None, row["version"]}]
    if not wanted:
        return None
    row, texts = wanted[-1], _texts(wanted[-1])
    named = await authors.of(actor, [row["author_id"]])
    return MethodView(
        version=row["version"], at=row["at"], change=row["change"],
        author=named.get(row["author_id"]), current_version=rows[-1]["version"],
        texts=method_texts.shown(texts, language), translations=texts,
    )  # fmt: skip


async def get(actor: Actor, slug: str, language: str, version: int | None = None) -> MethodView:
    """:raises errors.NotFound: for no filière, no sheet, no such version."""
    filiere = await registry.get(slug, language)
    if (found := await find(actor, filiere.id, language, version)) is None:
        raise none_yet() if version is None else _no_version(version)
    return found


def _no_version(version: int) -> errors.NotFound:
    return errors.NotFound(
        marked("La fiche de méthode n’a pas de version %(version)s."), version=version
    )


async def list_versions(actor: Actor, slug: str, language: str) -> list[Version]:
    """The newest first; none where there is no sheet."""
    filiere = await registry.get(slug, language)
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT version, change, author_id, at FROM method_sheet WHERE filiere_id = $1 "
            "ORDER BY version DESC",
            filiere.id,
        )
    named = await authors.of(actor, [row["author_id"] for row in rows])
    return [
        Version(
            version=row["version"], at=row["at"], change=row["change"],
            author=named.get(row["author_id"]),
        )
        for row in rows
    ]  # fmt: skip


def _texts(row: asyncpg.Record) -> Translations:
    return msgspec.json.decode(row["texts"], type=Translations)


async def changes(
    actor: Actor, slug: str, language: str, before: int | None = None, after: int | None = None
) -> MethodChanges:
    """From one version to another: by default, from the one before the current to the current.

    :raises errors.NotFound: for a version that is not there, and for a first without one before.
    """
    newer = await get(actor, slug, language, after)
    wanted = before if before is not None else newer.version - 1
    if not wanted:
        raise errors.NotFound(marked("La première version n’en suit aucune."))
    older = await get(actor, slug, language, wanted)
    old, new = older.translations, newer.translations
    parts = [
        PartChange(code, part, differences.compare(old[code].part(part), new[code].part(part)))
        for code, part in method_texts.changed(old, new)
    ]
    parts = [part for part in parts if part.pieces]
    parts.sort(key=lambda change: change.language != language)  # the reader's own first
    return MethodChanges(_plain(older), _plain(newer), parts)


def _plain(view: MethodView) -> Version:
    return Version(version=view.version, at=view.at, change=view.change, author=view.author)


async def require_tending(actor: Actor, slug: str, language: str) -> FiliereRef:
    """:raises errors.NotFound: for no filière. :raises errors.Forbidden: for who tends another."""
    filiere = await registry.get(slug, language)
    actor.require(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    return filiere


async def write(actor: Actor, slug: str, draft: MethodDraft, language: str) -> MethodView:
    """A further version. Texts that are those of the current one make none.

    :raises MethodChanged: when another version than the one that was read is current.
    :raises errors.Malformed: naming each part. :raises errors.Conflict: for a closed filière.
    :raises errors.TooMany: past A_DAY.
    """
    filiere = await require_tending(actor, slug, language)
    if filiere.stage is Stage.CLOSED:
        raise errors.Conflict(marked("Cette filière est fermée : sa fiche reste comme elle est."))
    texts = method_texts.read({"fr": draft.fr, "nl": draft.nl, "en": draft.en})
    async with db.transaction() as opened:
        await opened.execute("SELECT FROM filiere WHERE id = $1 FOR NO KEY UPDATE", filiere.id)
        held = await _latest(opened, filiere.id)
        if draft.version != (held["version"] if held else 0):
            raise _changed(held["version"] if held else 0)
        before = _texts(held) if held else {}
        if different := method_texts.changed(before, texts):
            await limits.take(A_DAY, filiere.id)
            await opened.execute(
                "INSERT INTO method_sheet (filiere_id, version, texts, change, author_id) "
                "VALUES ($1, $2, $3, $4, $5)",
                filiere.id, draft.version + 1, msgspec.json.encode(texts).decode(),
                _change(draft), actor.account_id,
            )  # fmt: skip
            await audit.record(
                actor, "method.written", subject=filiere_scope(filiere.id),
                fields={part.value for _, part in different},
            )  # fmt: skip
        return await get(actor, slug, language)


def _change(draft: MethodDraft) -> str:
    said = drafts.checked("change", drafts.one_line(draft.change), LONGEST_CHANGE)
    if not said and draft.version:
        raise errors.Malformed.field(
            "change", marked("Dites en une ligne ce qui change : les membres le liront.")
        )
    return said or FIRST


async def _latest(opened: asyncpg.Connection, filiere_id: int) -> asyncpg.Record | None:
    return await opened.fetchrow(
        f"{_COLUMNS} WHERE filiere_id = $1 ORDER BY version DESC LIMIT 1", filiere_id
    )


def _changed(version: int) -> MethodChanged:
    message = marked(
        "La fiche de méthode est maintenant à la version %(version)s. "
        "Lisez-la avant de continuer."
    )  # fmt: skip
    field = FieldError("method_version", message, {"version": version})
    return MethodChanged(message, (field,), version=version)


class Way(enum.Enum):
    """How somebody accepted."""

    JOINING = "joining"
    PAGE = "page"
    API = "api"

    @property
    def label(self) -> str:
        return _WAYS[self]


_WAYS = {
    Way.JOINING: marked("à l’entrée dans la filière"),
    Way.PAGE: marked("sur la page"),
    Way.API: marked("par l’API"),
}


class Sheet(msgspec.Struct, frozen=True):
    """The current version, without its texts."""

    version: int
    at: datetime

    @property
    def day(self) -> date:
        return self.at.astimezone(lifecycle.ZONE).date()


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A current version that a member of the filière has not accepted. `accepted`: the last one."""

    filiere: FiliereRef
    sheet: Sheet
    accepted: int | None


class Acceptance(msgspec.Struct, frozen=True):
    """How many of the members of today accepted the current version."""

    version: int
    accepted: int
    members: int


async def current(filiere_id: int) -> Sheet | None:
    async with db.connection() as reader:
        row = await _latest(reader, filiere_id)
    return Sheet(row["version"], row["at"]) if row else None


async def accept(
    opened: asyncpg.Connection,
    member_id: int,
    filiere_id: int,
    version: int | None,
    way: Way = Way.JOINING,
) -> bool:
    """Note that a member accepts the sheet, in the caller's transaction. Whether it is news.

    Nothing is asked where there is no sheet. The caller holds the row of the filière (FOR SHARE),
    so that no version comes in between.

    :raises errors.Malformed: without a version. :raises MethodChanged: for another one.
    """
    row = await _latest(opened, filiere_id)
    if row is None:
        return False
    if version is None:
        raise errors.Malformed.field(
            "method_version",
            marked("Lisez la fiche de méthode, version %(version)s, et acceptez-la pour entrer."),
            version=row["version"],
        )
    if version != row["version"]:
        raise _changed(row["version"])
    added = await opened.fetchval(
        "INSERT INTO method_acceptance (filiere_id, member_id, version, through) "
        "VALUES ($1, $2, $3, $4::acceptance_way) ON CONFLICT DO NOTHING RETURNING true",
        filiere_id, member_id, version, way.value,
    )  # fmt: skip
    return bool(added)


async def acknowledge(actor: Actor, slug: str, version: int, way: Way) -> None:
    """A member of the filière accepts its current version.

    :raises errors.Conflict: for who is not in the filière. :raises MethodChanged: for an old one.
    """
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    async with db.transaction() as opened:
        filiere = await registry.get(slug, "fr")
        await opened.execute("SELECT FROM filiere WHERE id = $1 FOR SHARE", filiere.id)
        if await _latest(opened, filiere.id) is None:
            raise none_yet()
        if not await _is_in(opened, member_id, filiere.id):
            raise errors.Conflict(marked("Vous n’êtes pas dans cette filière."))
        if await accept(opened, member_id, filiere.id, version, way):
            subject = filiere_scope(filiere.id)
            await audit.record(actor, "method.accepted", member_id=member_id, subject=subject)


async def _is_in(opened: asyncpg.Connection, member_id: int, filiere_id: int) -> bool:
    found: bool = await opened.fetchval(
        "SELECT EXISTS (SELECT FROM membership WHERE member_id = $1 AND filiere_id = $2 "
        "AND left_at IS NULL)",
        member_id, filiere_id,
    )  # fmt: skip
    return found


async def list_pending(actor: Actor, language: str) -> list[Pending]:
    """The actor's own filières whose current version they have not accepted."""
    if actor.member_id is None or not actor.may(Permission.JOIN_FILIERE):
        return []
    async with db.connection() as reader:
        rows = await reader.fetch(
            """
            SELECT m.filiere_id, s.version, s.at, (SELECT max(a.version) FROM method_acceptance a
                WHERE a.member_id = $1 AND a.filiere_id = m.filiere_id) AS accepted
            FROM membership m JOIN LATERAL (SELECT version, at FROM method_sheet
                WHERE filiere_id = m.filiere_id ORDER BY version DESC LIMIT 1) s ON true
            WHERE m.member_id = $1 AND m.left_at IS NULL ORDER BY s.at
            """,
            actor.member_id,
        )
    lacking = [row for row in rows if row["accepted"] != row["version"]]
    named = await registry.refs([row["filiere_id"] for row in lacking], language) if lacking else {}
    return [
        Pending(
            filiere=named[row["filiere_id"]], accepted=row["accepted"],
            sheet=Sheet(row["version"], row["at"]),
        )
        for row in lacking
    ]  # fmt: skip


async def count_accepted(actor: Actor, slug: str, language: str) -> Acceptance:
    """For who tends the filière. :raises errors.NotFound: without a sheet."""
    filiere = await require_tending(actor, slug, language)
    if (sheet := await current(filiere.id)) is None:
        raise none_yet()
    async with db.connection() as reader:
        (row,) = await reader.fetch(
            """
            SELECT count(*) AS members, count(a.member_id) AS accepted
            FROM membership m JOIN member p ON p.id = m.member_id AND p.left_on IS NULL
            LEFT JOIN method_acceptance a ON a.member_id = m.member_id
                AND a.filiere_id = m.filiere_id AND a.version = $2
            WHERE m.filiere_id = $1 AND m.left_at IS NULL
            """,
            filiere.id, sheet.version,
        )  # fmt: skip
    return Acceptance(sheet.version, row["accepted"], row["members"])
