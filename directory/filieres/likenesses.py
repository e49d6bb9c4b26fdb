"""Filières that are nearly what somebody has in mind: the same words, or nearly the same name."""

from collections.abc import Sequence

import msgspec

from directory import db
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef

MOST = 10
NEAR_NAME = 0.45
"""Of pg_trgm, without the words that every name has: 'Métiers du bois', 'Filière bois' are near."""


class Likeness(FiliereRef, frozen=True, kw_only=True):
    """`shared` are the trades or sectors that both have, by name."""

    purpose: str
    shared: list[str]
    has_near_name: bool

    @property
    def can_be_supported(self) -> bool:
        return self.stage in {Stage.PROPOSED, Stage.GATHERING}


def _bare(name: str) -> str:
    """SQL: a name without accents, capitals, and the words that say nothing of it."""
    words = "filieres?|metiers?|secteurs?|du|des?|les?|la|l|d|et|van|voor|het|the|of|and|en"
    return rf"regexp_replace(unaccent(lower({name})), '\m({words})\M', '', 'g')"


# $1 is the reader's language, $2 names, $3 codes of trades, $4 codes of sectors.
_FIND = rf"""
    WITH wanted AS (
        SELECT ARRAY(SELECT coalesce(merged_into, id) FROM trade WHERE code = ANY($3)) AS trades,
            ARRAY(SELECT id FROM sector WHERE code = ANY($4)) AS sectors
    ), near AS (
        SELECT f.id, f.slug, f.kind::text AS kind, f.stage::text AS stage,
            coalesce(CASE $1::text WHEN 'nl' THEN f.name_nl WHEN 'en' THEN f.name_en END,
                f.name_fr) AS name,
            coalesce(CASE $1::text WHEN 'nl' THEN f.purpose_nl WHEN 'en' THEN f.purpose_en END,
                f.purpose_fr) AS purpose,
            ARRAY(
                SELECT coalesce(CASE $1::text WHEN 'nl' THEN t.label_nl WHEN 'en' THEN t.label_en
                    END, t.label_fr)
                FROM filiere_trade ft JOIN trade t ON t.id = ft.trade_id
                WHERE ft.filiere_id = f.id AND ft.trade_id = ANY(wanted.trades)
                UNION ALL
                SELECT CASE $1::text WHEN 'nl' THEN s.label_nl WHEN 'en' THEN s.label_en
                    ELSE s.label_fr END
                FROM filiere_sector fs JOIN sector s ON s.id = fs.sector_id
                WHERE fs.filiere_id = f.id AND fs.sector_id = ANY(wanted.sectors)
                ORDER BY 1
            ) AS shared,
            coalesce((SELECT max(similarity({_bare("mine")}, {_bare("given")}))
                FROM unnest(ARRAY[f.name_fr, f.name_nl, f.name_en]) AS mine,
                    unnest($2::text[]) AS given), 0) AS nearness
        FROM filiere f CROSS JOIN wanted WHERE f.stage <> 'closed'
    )
    SELECT id, slug, kind, stage, name, purpose, shared, nearness >= $5 AS has_near_name
    FROM near WHERE nearness >= $5 OR cardinality(shared) > 0
    ORDER BY nearness >= $5 DESC, cardinality(shared) DESC, nearness DESC, id LIMIT $6
"""  # noqa: S608 - no value in it


async def find(
    language: str,
    *,
    names: Sequence[str] = (),
    trades: Sequence[str] = (),
    sectors: Sequence[str] = (),
) -> list[Likeness]:
    """The nearest first; closed ones are no answer."""
    given = [[text.replace("\0", "") for text in texts] for texts in (names, trades, sectors)]
    async with db.connection() as reader:
        rows = await reader.fetch(_FIND, language, *given, NEAR_NAME, MOST)
    return [msgspec.convert(dict(row), Likeness) for row in rows]
