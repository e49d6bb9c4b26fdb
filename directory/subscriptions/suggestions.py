"""Filières that are close to a member's profile. They join nobody, and can be dismissed."""

import enum

import asyncpg
import msgspec

from directory import db
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.filieres import registry
from directory.filieres.registry import FiliereRef
from directory.languages import SOURCE, marked

MOST = 5


class Because(enum.Enum):
    """What of the profile a filière is close to; the nearest first."""

    TRADE = "trade"
    KINDRED = "kindred"
    SECTOR = "sector"

    @property
    def label(self) -> str:
        return _REASONS[self]


_REASONS = {
    Because.TRADE: marked("Proposée parce que votre métier est « %(word)s »"),
    Because.KINDRED: marked("Proposée parce que votre métier, « %(word)s », est proche des siens"),
    Because.SECTOR: marked("Proposée parce que vous travaillez dans le secteur « %(word)s »"),
}


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """`word` is the trade or sector of one's own profile that it is close to.

    `is_near`: the filière is of one's own territory alone.
    """

    filiere: FiliereRef
    purpose: str
    because: Because
    word: str
    is_near: bool


class Suggestions(msgspec.Struct, frozen=True):
    """The nearest first. `leaves`: entering one means leaving another, the places are taken."""

    suggested: list[Suggestion]
    dismissed: list[FiliereRef]
    leaves: bool


# $1 member, $2 language. A filière of another territory is not near; without one, all are.
# One that takes nobody, or only whom it invites, is not suggested.
_FITTING = """
    WITH RECURSIVE trades AS (
        SELECT t.id, t.group_code, mt.position, coalesce(CASE $2::text WHEN 'nl' THEN t.label_nl
            WHEN 'en' THEN t.label_en END, t.label_fr) AS word
        FROM member_trade mt JOIN trade own ON own.id = mt.trade_id
        JOIN trade t ON t.id = coalesce(own.merged_into, own.id) WHERE mt.member_id = $1
    ), sectors AS (
        SELECT s.id, s.parent_code, CASE $2::text WHEN 'nl' THEN s.label_nl
            WHEN 'en' THEN s.label_en ELSE s.label_fr END AS word
        FROM member_sector ms JOIN sector s ON s.id = ms.sector_id WHERE ms.member_id = $1
        UNION ALL
        SELECT s.id, s.parent_code, sectors.word
        FROM sectors JOIN sector s ON s.code = sectors.parent_code
    ), fitting AS (
        SELECT ft.filiere_id, 0 AS step, 'trade' AS because, t.position, t.word
        FROM filiere_trade ft JOIN trades t ON t.id = ft.trade_id
        UNION ALL
        SELECT fs.filiere_id, 1, 'sector', 0, s.word
        FROM filiere_sector fs JOIN sectors s ON s.id = fs.sector_id
        UNION ALL
        SELECT ft.filiere_id, 2, 'kindred', t.position, t.word
        FROM filiere_trade ft JOIN trade k ON k.id = ft.trade_id
        JOIN trades t ON t.group_code = k.group_code
    ), best AS (
        SELECT DISTINCT ON (filiere_id) * FROM fitting ORDER BY filiere_id, step, position, word
    )
    SELECT f.id, b.because, b.word, f.territory_id IS NOT NULL AS is_near,
        d.member_id IS NOT NULL AS is_dismissed,
        coalesce(CASE $2::text WHEN 'nl' THEN f.purpose_nl WHEN 'en' THEN f.purpose_en END,
            f.purpose_fr) AS purpose
    FROM best b JOIN filiere f ON f.id = b.filiere_id JOIN member me ON me.id = $1
    LEFT JOIN suggestion_dismissed d ON d.filiere_id = f.id AND d.member_id = $1
    WHERE f.stage IN ('launched', 'active', 'dormant') AND f.openness <> 'invitation'
      AND (f.territory_id IS NULL OR f.territory_id = me.territory_id)
      AND NOT EXISTS (SELECT FROM membership m
        WHERE m.filiere_id = f.id AND m.member_id = $1 AND m.left_at IS NULL)
      AND NOT EXISTS (SELECT FROM membership_request r
        WHERE r.filiere_id = f.id AND r.member_id = $1 AND r.state = 'open')
      AND NOT EXISTS (SELECT FROM filiere_invitation i
        WHERE i.filiere_id = f.id AND i.member_id = $1 AND i.state = 'open')
    ORDER BY b.step, b.position, f.territory_id IS NULL, unaccent(lower(f.name_fr)), f.id
"""
_IS_FULL = """
    SELECT (SELECT count(*) FROM membership WHERE member_id = $1 AND left_at IS NULL)
        >= (SELECT most FROM membership_quota)
"""


async def of(actor: Actor, language: str) -> Suggestions:
    """What is close to the actor's own profile, and what of it they dismissed."""
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    async with db.connection() as reader:
        rows = await reader.fetch(_FITTING, member_id, language)
        is_full: bool = await reader.fetchval(_IS_FULL, member_id)
        named = await registry.refs([row["id"] for row in rows], language)
    kept = [row for row in rows if not row["is_dismissed"]][:MOST]
    return Suggestions(
        suggested=[_suggestion(row, named[row["id"]]) for row in kept],
        dismissed=[named[row["id"]] for row in rows if row["is_dismissed"]],
        leaves=is_full,
    )


def _suggestion(row: asyncpg.Record, filiere: FiliereRef) -> Suggestion:
    return Suggestion(
        filiere=filiere, purpose=row["purpose"], because=Because(row["because"]),
        word=row["word"], is_near=row["is_near"],
    )  # fmt: skip


async def dismiss(actor: Actor, slug: str) -> None:
    """Suggest this filière no more. Again changes nothing."""
    await _set(
        actor, slug, "suggestion.dismissed",
        "INSERT INTO suggestion_dismissed (member_id, filiere_id) VALUES ($1, $2) "
        "ON CONFLICT DO NOTHING RETURNING true",
    )  # fmt: skip


async def bring_back(actor: Actor, slug: str) -> None:
    await _set(
        actor, slug, "suggestion.restored",
        "DELETE FROM suggestion_dismissed WHERE member_id = $1 AND filiere_id = $2 RETURNING true",
    )  # fmt: skip


async def _set(actor: Actor, slug: str, action: str, statement: str) -> None:
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    filiere = await registry.get(slug, SOURCE)
    async with db.transaction() as opened:
        if await opened.fetchval(statement, member_id, filiere.id):
            subject = filiere_scope(filiere.id)
            await audit.record(actor, action, member_id=member_id, subject=subject)
