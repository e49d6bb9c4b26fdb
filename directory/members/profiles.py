"""Profiles: read one, read a page of them, change one's own."""

import functools
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec
from msgspec import UNSET

from directory import db, errors, jobs, languages
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission
from directory.languages import marked
from directory.members import audiences, documents, drafts, views, vocabulary
from directory.members.audiences import Audience, Field, Level
from directory.members.drafts import MemberDraft
from directory.members.views import (
    Availability,
    FiliereView,
    LanguageLevel,
    LanguageView,
    LinkView,
    MemberCard,
    MemberView,
    PlaceView,
    Stage,
    TerritoryView,
    Word,
)

LARGEST_ID = 2**63 - 1
STREAMED = 200  # rows fetched at once
NOBODY = marked("Cette personne n’est pas dans l’annuaire.")
STALE = marked(
    "Votre fiche a changé depuis que vous l’avez ouverte. Rien n’a été écrasé. "
    "Rouvrez-la, puis refaites ce changement."
)


class StaleProfile(errors.Conflict):
    """The profile has changed since the version that the caller read."""

    def __init__(self) -> None:
        super().__init__(STALE)


class MemberChanged(msgspec.Struct, frozen=True):
    member_id: int


async def tell(member_ids: Iterable[int]) -> None:
    """To the index and to who listens. Call it in the transaction of any change to a profile."""
    ids = list(member_ids)
    await documents.refresh(db.current(), ids)
    for member_id in ids:
        await jobs.emit(MemberChanged(member_id))


# A list each. {label} and {name} end in the reader's language.
_LISTS = {
    Field.TRADES: "SELECT ROW(t.code, coalesce(t.{label}, t.label_fr)) FROM member_trade mt"
    " JOIN trade t ON t.id = mt.trade_id WHERE mt.member_id = m.id ORDER BY mt.position",
    Field.SECTORS: "SELECT ROW(s.code, s.{label}) FROM member_sector ms"
    " JOIN sector s ON s.id = ms.sector_id WHERE ms.member_id = m.id ORDER BY s.code",
    Field.SKILLS_OFFERED: "SELECT label FROM member_skill"
    " WHERE member_id = m.id AND kind = 'offered' ORDER BY position",
    Field.SKILLS_WANTED: "SELECT label FROM member_skill"
    " WHERE member_id = m.id AND kind = 'wanted' ORDER BY position",
    Field.LANGUAGES: "SELECT ROW(language, level::text) FROM member_language"
    " WHERE member_id = m.id ORDER BY level DESC, language",
    Field.LINKS: "SELECT ROW(kind::text, url) FROM member_link"
    " WHERE member_id = m.id ORDER BY position",
    Field.PORTFOLIO: "SELECT ROW(id, title, year, text, url, picture, width, height)"
    " FROM portfolio_entry WHERE member_id = m.id ORDER BY position",
    Field.MEMBERSHIPS: "SELECT ROW(f.slug, coalesce(f.{name}, f.name_fr), f.kind::text)"
    " FROM membership ms JOIN filiere f ON f.id = ms.filiere_id"
    " WHERE ms.member_id = m.id AND ms.left_at IS NULL ORDER BY ms.joined_at, f.slug",
}


def _select_lists(language: str, conditions: Mapping[Field, str]) -> str:
    """SQL of the columns that take a query each, where their condition holds."""
    names = {"label": f"label_{language}", "name": f"name_{language}"}
    return ", ".join(
        f"CASE WHEN {condition} THEN ARRAY({_LISTS[field].format_map(names)}) END AS {field}"
        for field, condition in conditions.items()
    )


def _select_place(language: str) -> str:
    name = "label_nl" if language == "nl" else "label_fr"
    return f"ROW(p.code, p.{name}, p.region_code, r.label_{language})"


_JOIN_PLACE = "LEFT JOIN place p ON p.id = m.place_id LEFT JOIN region r ON r.code = p.region_code"


@functools.cache
def _whole(language: str) -> str:
    """SQL of everything; a condition is added. $2 is `own_id`."""
    return f"""
        SELECT m.id, m.display_name, m.given_name, m.family_name, m.headline, m.biography,
            m.availability, m.available_until, m.stage, m.phone, m.audiences, m.confirmed_at,
            m.version, m.updated_at, a.email::text AS email,
            (SELECT name FROM member_photo WHERE member_id = m.id) AS photo,
            {_select_lists(language, dict.fromkeys(_LISTS, "true"))},
            CASE WHEN p.id IS NOT NULL THEN {_select_place(language)} END AS place,
            CASE WHEN t.id IS NOT NULL THEN ROW(t.slug, t.name) END AS territory,
            {audiences.sql_shares_filiere("m.id", "$2::bigint")} AS shares_filiere
        FROM member m LEFT JOIN account a ON a.id = m.account_id
        {_JOIN_PLACE} LEFT JOIN territory t ON t.id = m.territory_id
        WHERE m.left_on IS NULL
    """  # noqa: S608 - the language is one of ours


async def get(actor: Actor, member_id: int, language: str = languages.SOURCE) -> MemberView:
    """One profile, as the actor may see it.

    :raises errors.NotFound: for who never was, who left, and who is hidden from the actor.
    """
    row = await _row(actor, member_id, language)
    nearness = audiences.level(actor, member_id, shares_filiere=row["shares_filiere"])
    view = _view(row, nearness)
    if view is None:
        raise errors.NotFound(NOBODY)
    return view


async def preview(
    actor: Actor, member_id: int, nearness: Level, language: str = languages.SOURCE
) -> MemberView | None:
    """One's own profile as others see it. None: they do not see that one is there."""
    await require_own(actor, member_id)
    return _view(await _row(actor, member_id, language), nearness)


async def _row(actor: Actor, member_id: int, language: str) -> asyncpg.Record:
    if not 0 < member_id <= LARGEST_ID:
        raise errors.NotFound(NOBODY)
    async with db.connection() as reader:
        row = await reader.fetchrow(
            f"{_whole(language)} AND m.id = $1", member_id, audiences.own_id(actor)
        )
    if row is None:
        raise errors.NotFound(NOBODY)
    return row


async def stream(
    actor: Actor,
    language: str = languages.SOURCE,
    *,
    after: int = 0,
    ids: Collection[int] | None = None,
) -> AsyncIterator[MemberView]:
    """Everybody (or those of ids) whom the actor may see, as `get` gives them, by number: a batch
    in memory."""
    async with db.connection() as reader, _one_moment(reader):
        own = audiences.own_id(actor)
        query = (
            f"{_whole(language)} AND m.id > $1 AND ($3::bigint[] IS NULL OR m.id = ANY($3))"
            " ORDER BY m.id"
        )
        chosen = None if ids is None else list(ids)
        async for row in reader.cursor(query, after, own, chosen, prefetch=STREAMED):
            nearness = audiences.level(actor, row["id"], shares_filiere=row["shares_filiere"])
            if (view := _view(row, nearness)) is not None:
                yield view


def _one_moment(reader: asyncpg.Connection) -> asyncpg.transaction.Transaction:
    """All is read as it is now. An open transaction keeps the isolation that it began with."""
    return reader.transaction(isolation=None if reader.is_in_transaction() else "repeatable_read")


def _view(row: asyncpg.Record, nearness: Level) -> MemberView | None:
    chosen: dict[str, object] = msgspec.json.decode(row["audiences"])
    visible = audiences.visible_to(nearness, chosen)
    if Field.DISPLAY_NAME not in visible:
        return None
    shown = {field: row[field] for field in visible}
    is_owner = nearness is Level.SELF
    return MemberView(
        id=row["id"],
        display_name=row["display_name"],
        photo=views.photo(row["id"], shown.get(Field.PHOTO)),
        headline=shown.get(Field.HEADLINE, ""),
        biography=shown.get(Field.BIOGRAPHY, ""),
        trades=_words(shown.get(Field.TRADES)),
        sectors=_words(shown.get(Field.SECTORS)),
        skills_offered=shown.get(Field.SKILLS_OFFERED, []),
        skills_wanted=shown.get(Field.SKILLS_WANTED, []),
        languages=[
            LanguageView(language, LanguageLevel(level))
            for language, level in shown.get(Field.LANGUAGES, ())
        ],
        stage=Stage(shown[Field.STAGE]) if shown.get(Field.STAGE) else None,
        place=_place(shown.get(Field.PLACE)),
        territory=TerritoryView(*shown[Field.TERRITORY]) if shown.get(Field.TERRITORY) else None,
        email=shown.get(Field.EMAIL),
        phone=shown.get(Field.PHONE, ""),
        links=[LinkView(*link) for link in shown.get(Field.LINKS, ())],
        filieres=_filieres(shown.get(Field.MEMBERSHIPS)),
        portfolio=[views.entry(row["id"], each) for each in shown.get(Field.PORTFOLIO, ())],
        confirmed_at=row["confirmed_at"],
        given_name=row["given_name"] if is_owner else None,
        family_name=row["family_name"] if is_owner else None,
        audiences={field: audiences.chosen(chosen, field) for field in Field} if is_owner else None,
        version=row["version"] if is_owner else None,
        updated_at=row["updated_at"] if is_owner else None,
        **_availability(row if Field.AVAILABILITY in visible else None),
    )


@functools.cache
def _page(language: str) -> str:
    def seen(field: Field) -> str:
        return audiences.sql_visible(field, "m.audiences", "m.nearness")

    lists = (Field.TRADES, Field.SKILLS_OFFERED, Field.MEMBERSHIPS)
    return f"""
        WITH m AS MATERIALIZED (
            SELECT member.*, hit.rank,
                {audiences.sql_level("member.id", "$2::bigint", "$3::integer")} AS nearness
            FROM unnest($1::bigint[]) WITH ORDINALITY AS hit (id, rank)
            JOIN member USING (id)
            WHERE member.left_on IS NULL
        )
        SELECT m.id, m.display_name, m.confirmed_at,
            CASE WHEN {seen(Field.PHOTO)}
                THEN (SELECT name FROM member_photo WHERE member_id = m.id) END AS photo,
            CASE WHEN {seen(Field.HEADLINE)} THEN m.headline ELSE '' END AS headline,
            CASE WHEN {seen(Field.AVAILABILITY)} THEN m.availability END AS availability,
            m.available_until,
            CASE WHEN p.id IS NOT NULL AND {seen(Field.PLACE)}
                THEN {_select_place(language)} END AS place,
            {_select_lists(language, {field: seen(field) for field in lists})}
        FROM m {_JOIN_PLACE}
        WHERE {seen(Field.DISPLAY_NAME)}
        ORDER BY m.rank
    """  # noqa: S608 - the language is one of ours


async def cards(
    actor: Actor, ids: Sequence[int], language: str = languages.SOURCE
) -> list[MemberCard]:
    """In the order of the ids, with what the actor may see of each. Who is hidden is left out."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            _page(language), ids, audiences.own_id(actor), audiences.standing(actor)
        )
    return [
        MemberCard(
            id=row["id"],
            display_name=row["display_name"],
            photo=views.photo(row["id"], row["photo"]),
            headline=row["headline"],
            trades=_words(row[Field.TRADES]),
            skills_offered=row[Field.SKILLS_OFFERED] or [],
            place=_place(row["place"]),
            filieres=_filieres(row[Field.MEMBERSHIPS]),
            confirmed_at=row["confirmed_at"],
            **_availability(row),
        )
        for row in rows
    ]


def _words(pairs: Sequence[tuple[str, str]] | None) -> list[Word]:
    return [Word(*pair) for pair in pairs or ()]


def _place(columns: tuple[str, str, str, str] | None) -> PlaceView | None:
    return PlaceView(*columns) if columns else None


def _filieres(rows: Sequence[tuple[str, str, str]] | None) -> list[FiliereView]:
    return [FiliereView(*row) for row in rows or ()]


def _availability(row: asyncpg.Record | None) -> dict[str, Any]:
    """Nothing once its last day is over."""
    if row is None or row["availability"] is None:
        return {}
    until = row["available_until"]
    if until is not None and until < views.today():
        return {}
    return {"availability": Availability(row["availability"]), "available_until": until}


async def require_seen(actor: Actor, member_id: int, field: Field) -> None:
    """Let who sees a field pass: enough to answer with a file of it.

    :raises errors.NotFound: where the actor does not see it, whatever the reason.
    """
    if not 0 < member_id <= LARGEST_ID:
        raise errors.NotFound
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT m.audiences,"  # noqa: S608 - own names
            f" {audiences.sql_shares_filiere('m.id', '$2::bigint')} AS shares_filiere"
            " FROM member m WHERE m.id = $1 AND m.left_on IS NULL",
            member_id, audiences.own_id(actor),
        )  # fmt: skip
    if row is None:
        raise errors.NotFound
    chosen = msgspec.json.decode(row["audiences"])
    nearness = audiences.level(actor, member_id, shares_filiere=row["shares_filiere"])
    if not {Field.DISPLAY_NAME, field} <= audiences.visible_to(nearness, chosen):
        raise errors.NotFound


async def require_own(actor: Actor, member_id: int) -> None:
    """Let only the owner pass.

    :raises errors.SignInNeeded: for a visitor. :raises errors.Forbidden: for a profile that the
        actor sees. :raises errors.NotFound: for one that they do not.
    """
    if actor.is_visitor:
        raise errors.SignInNeeded
    if actor.member_id != member_id:
        await get(actor, member_id)
        raise errors.Forbidden(marked("Cette fiche n’est pas la vôtre."))
    actor.require(Permission.EDIT_PROFILE)


async def edit(actor: Actor, draft: MemberDraft, versions: Collection[int] | None = None) -> None:
    """Change parts of one's own profile: all of them or none.

    :raises errors.Malformed: naming the field. :raises StaleProfile: for an old version in the
        draft. :raises errors.Outdated: for another version than one of `versions`.
    """
    actor.require(Permission.EDIT_PROFILE)
    member_id = actor.require_member()
    columns = drafts.columns(draft, actor.language or languages.SOURCE)
    lists = drafts.lists(draft)
    async with db.transaction() as opened:
        version = await require_version(opened, member_id, versions)
        if draft.version not in {UNSET, version}:
            raise StaleProfile
        (before,) = await opened.fetch("SELECT * FROM member WHERE id = $1", member_id)
        if draft.place is not UNSET:
            columns["place_id"] = await _id("place", Field.PLACE, draft.place)
        if draft.territory is not UNSET:
            columns["territory_id"] = await _id("territory", Field.TERRITORY, draft.territory)
        changed = {_field(name) for name, value in columns.items() if before[name] != value}
        for field, rows in lists.items():
            if await _replace(opened, member_id, field, rows):
                changed.add(field)
        await _update(opened, member_id, columns, draft.audiences or {})
        await _note(actor, changed, before["audiences"], draft.audiences or {})
        await tell([member_id])


async def require_version(
    opened: asyncpg.Connection, member_id: int, versions: Collection[int] | None = None
) -> int:
    """The version that is there, and stays until the transaction ends.

    :raises errors.Outdated: when it is none of those that the caller would change.
    """
    version: int | None = await opened.fetchval(
        "SELECT version FROM member WHERE id = $1 AND left_on IS NULL FOR UPDATE", member_id
    )
    if version is None:
        raise errors.NotFound(NOBODY)
    if versions is not None and version not in versions:
        raise errors.Outdated(STALE)
    return version


async def touch(
    opened: asyncpg.Connection, member_id: int, chosen: Mapping[Field, Audience] | None = None
) -> None:
    """Say of a profile that something has changed that is in no column of its row."""
    await _update(opened, member_id, {}, chosen or {})
    await tell([member_id])


async def set_audience(actor: Actor, version: int, field: Field, audience: Audience) -> None:
    """:raises StaleProfile: for an old version."""
    await edit(actor, MemberDraft(version=version, audiences={field: audience}))


async def confirm(actor: Actor) -> None:
    """All is still right: the profile is fresh again."""
    actor.require(Permission.EDIT_PROFILE)
    member_id = actor.require_member()
    async with db.transaction() as opened:
        await opened.execute("UPDATE member SET confirmed_at = now() WHERE id = $1", member_id)
        await audit.record(actor, "profile.confirmed", member_id=member_id)
        await tell([member_id])


@jobs.every("3 22,23 * * *")
async def end_availabilities() -> None:
    """Tell of those whose last day is over. The day turns at 22 or 23 h UTC."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            "SELECT id FROM member WHERE left_on IS NULL AND available_until < $1::date"
            " AND available_until >= $1::date - 7",
            views.today(),
        )
        await tell(row["id"] for row in rows)


async def _id(kind: vocabulary.Kind, field: Field, code: str | None) -> int | None:
    return (await vocabulary.ids(kind, [code], field))[0] if code else None


# How each list is kept: its table, what its rows are besides the member, and where they stop.
_TABLES = {
    Field.TRADES: ("member_trade", "trade_id, position", ""),
    Field.SECTORS: ("member_sector", "sector_id", ""),
    Field.SKILLS_OFFERED: ("member_skill", "kind, position, label", " AND kind = 'offered'"),
    Field.SKILLS_WANTED: ("member_skill", "kind, position, label", " AND kind = 'wanted'"),
    Field.LANGUAGES: ("member_language", "language, level", ""),
    Field.LINKS: ("member_link", "position, kind, url", ""),
}


def _field(column: str) -> Field:
    """The field that a column of the member's row belongs to."""
    return Field.AVAILABILITY if column == drafts.UNTIL else Field(column.removesuffix("_id"))


async def _note(
    actor: Actor, changed: Iterable[Field], before: str, chosen: Mapping[Field, Audience]
) -> None:
    """In the audit log, what is not as it was: a form that is saved unchanged says nothing."""
    known: dict[str, object] = msgspec.json.decode(before)
    moved = [one for one, audience in chosen.items() if audiences.chosen(known, one) != audience]
    for action, fields in (("profile.changed", list(changed)), ("audience.changed", moved)):
        if fields:
            await audit.record(actor, action, member_id=actor.member_id, fields=fields)


async def _replace(
    opened: asyncpg.Connection, member_id: int, field: Field, rows: list[tuple[Any, ...]]
) -> bool:
    """Write a list of the member's; whether it is another than before."""
    if field is Field.TRADES:
        found = await vocabulary.ids("trade", [code for (code,) in rows], field)
        rows = [(trade_id, position) for position, trade_id in enumerate(dict.fromkeys(found))]
    elif field is Field.SECTORS:
        found = await vocabulary.ids("sector", [code for (code,) in rows], field)
        rows = [(sector_id,) for sector_id in found]
    table, columns, condition = _TABLES[field]
    values = ", ".join(f"${number + 2}" for number in range(columns.count(",") + 1))
    before = await opened.fetch(
        f"DELETE FROM {table} WHERE member_id = $1{condition} RETURNING {columns}",  # noqa: S608 - own names
        member_id,
    )
    await opened.executemany(
        f"INSERT INTO {table} (member_id, {columns}) VALUES ($1, {values})",  # noqa: S608 - own names
        [(member_id, *row) for row in rows],
    )
    return {tuple(row) for row in before} != set(rows)


async def _update(
    opened: asyncpg.Connection,
    member_id: int,
    columns: Mapping[str, object],
    chosen: Mapping[Field, Audience],
) -> None:
    sets = "".join(f", {name} = ${number}" for number, name in enumerate(columns, start=3))
    await opened.execute(
        "UPDATE member SET version = version + 1, updated_at = now(), confirmed_at = now(),"  # noqa: S608 - own names
        f" audiences = audiences || $2::jsonb{sets} WHERE id = $1",
        member_id,
        msgspec.json.encode(chosen).decode(),
        *columns.values(),
    )
