"""Profiles: read one, read a page of them, change one's own."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from directory import db, errors, jobs, languages
from directory.accounts.actor import Actor
from directory.languages import marked
from directory.members import audiences, views
from directory.members.audiences import Field, Level
from directory.members.documents import INDEX
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
from search import outbox

LARGEST_ID = 2**63 - 1
NOBODY = marked("Cette personne n’est pas dans l’annuaire.")


class MemberChanged(msgspec.Struct, frozen=True):
    member_id: int


async def tell(member_ids: Iterable[int]) -> None:
    """To the index and to who listens. Call it in the transaction of any change to a profile."""
    member_ids = list(member_ids)
    await outbox.mark(db.current(), INDEX, member_ids)
    for member_id in member_ids:
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
def _one(language: str) -> str:
    return f"""
        SELECT m.id, m.display_name, m.headline, m.biography, m.availability, m.available_until,
            m.stage, m.phone, m.audiences, m.confirmed_at, m.version, a.email::text AS email,
            {_select_lists(language, dict.fromkeys(_LISTS, "true"))},
            CASE WHEN p.id IS NOT NULL THEN {_select_place(language)} END AS place,
            CASE WHEN t.id IS NOT NULL THEN ROW(t.slug, t.name) END AS territory,
            {audiences.sql_shares_filiere("m.id", "$2::bigint")} AS shares_filiere
        FROM member m LEFT JOIN account a ON a.id = m.account_id
        {_JOIN_PLACE} LEFT JOIN territory t ON t.id = m.territory_id
        WHERE m.id = $1 AND m.left_on IS NULL
    """  # noqa: S608 - the language is one of ours


async def get(
    actor: Actor, member_id: int, language: str = languages.SOURCE, *, seen_as: Level = Level.SELF
) -> MemberView:
    """One profile. `seen_as` lets its owner look through others' eyes, and nobody look closer.

    :raises errors.NotFound: for who never was, who left, and who is hidden from the actor.
    """
    if not 0 < member_id <= LARGEST_ID:
        raise errors.NotFound(NOBODY)
    async with db.connection() as reader:
        row = await reader.fetchrow(_one(language), member_id, audiences.own_id(actor))
    if row is None:
        raise errors.NotFound(NOBODY)
    nearness = audiences.level(actor, member_id, shares_filiere=row["shares_filiere"])
    view = _view(row, min(nearness, seen_as))
    if view is None:
        raise errors.NotFound(NOBODY)
    return view


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
        confirmed_at=row["confirmed_at"],
        audiences={field: audiences.chosen(chosen, field) for field in Field} if is_owner else None,
        version=row["version"] if is_owner else None,
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
