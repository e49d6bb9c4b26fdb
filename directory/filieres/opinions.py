"""How many members are for a filière, and how many have reservations."""

import asyncpg
import msgspec

from directory.filieres import figures
from directory.filieres.figures import Figure


class Opinions(msgspec.Struct, frozen=True):
    favourable: Figure
    reserved: Figure


async def count(reader: asyncpg.Connection, filiere_id: int) -> Opinions:
    favourable, reserved = await reader.fetchrow(
        "SELECT count(*) FILTER (WHERE s.stance = 'favourable'), "
        "count(*) FILTER (WHERE s.stance <> 'favourable') "
        "FROM filiere_support s JOIN member m ON m.id = s.member_id AND m.left_on IS NULL "
        "WHERE s.filiere_id = $1",
        filiere_id,
    ) or (0, 0)
    return Opinions(figures.floored(favourable), figures.floored(reserved))
