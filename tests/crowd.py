"""Many members of one trade or sector at once."""

from collections.abc import Mapping
from datetime import date

import asyncpg
import msgspec

TRADES = ("38444", "10200")
"""Two trades of the nomenclature."""


async def of(
    connection: asyncpg.Connection,
    count: int,
    *,
    trade: str = "",
    sector: str = "",
    place: str = "",
    territory: str = "",
    band: str = "",
    joined_on: date = date(2020, 1, 1),
    audiences: Mapping[str, str] | None = None,
) -> list[int]:
    """The ids of as many new members, alike."""
    rows = await connection.fetch(
        """
        INSERT INTO member (display_name, joined_on, place_id, territory_id, audiences)
        SELECT 'Membre ' || g, $2, (SELECT id FROM place WHERE code = $3),
            (SELECT id FROM territory WHERE slug = $4), $5::jsonb
        FROM generate_series(1, $1) AS g RETURNING id
        """,
        count, joined_on, place, territory, msgspec.json.encode(audiences or {}).decode(),
    )  # fmt: skip
    ids = [row["id"] for row in rows]
    for statement, word in (
        ("member_trade (member_id, position, trade_id) SELECT m, 0, w.id", ("trade", trade)),
        ("member_sector (member_id, sector_id) SELECT m, w.id", ("sector", sector)),
    ):
        table, code = word
        if code:
            await connection.execute(
                f"INSERT INTO {statement} FROM unnest($1::bigint[]) AS m, {table} w"
                " WHERE w.code = $2",
                ids, code,
            )  # fmt: skip
    if band:
        await connection.execute(
            "INSERT INTO member_declaration (member_id, turnover_band)"
            " SELECT m, $2::turnover_band FROM unnest($1::bigint[]) AS m",
            ids, band,
        )  # fmt: skip
    return ids


async def filiere(
    connection: asyncpg.Connection, slug: str, *, stage: str = "gathering", trade: str = TRADES[0]
) -> int:
    """A filière of one trade."""
    filiere_id: int = await connection.fetchval(
        "INSERT INTO filiere (slug, kind, stage, name_fr, purpose_fr) "
        "VALUES ($1, 'trade', $2::filiere_stage, 'Métiers du web', 'Comparer.') RETURNING id",
        slug, stage,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO filiere_trade SELECT $1, id FROM trade WHERE code = $2", filiere_id, trade
    )
    return filiere_id


async def territories(connection: asyncpg.Connection, *slugs: str) -> None:
    await connection.executemany(
        "INSERT INTO territory (slug, name) VALUES ($1, initcap($1))", [(slug,) for slug in slugs]
    )
