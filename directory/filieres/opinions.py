"""How many members are for a filière, and how many have reservations."""

import asyncpg
import msgspec

from directory.filieres import figures
from directory.filieres.figures import Figure


class Opinions(msgspec.Struct, frozen=True):
    favourable: Figure
    reserved: Figure


async def count(reader: asyncpg.Connection, filiere_id: int) -> Opinions | None:
    """None: opinions are not asked here."""
    if not await reader.fetchval("SELECT to_regclass('filiere_support') IS NOT NULL"):
        return None
    row = await reader.fetchrow(
        "SELECT count(*) FILTER (WHERE s.stance::text = 'favourable') AS favourable, "
        "count(*) FILTER (WHERE s.stance::text <> 'favourable') AS reserved "
        "FROM filiere_support s JOIN member m ON m.id = s.member_id AND m.left_on IS NULL "
        "WHERE s.filiere_id = $1",
        filiere_id,
    )
    if row is None:
        return None
    return Opinions(figures.floored(row["favourable"]), figures.floored(row["reserved"]))
