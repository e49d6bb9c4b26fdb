"""What lets a member into a filière that is not open to all: an invitation, or a given accord."""

from datetime import timedelta

import asyncpg

from directory.members import audiences
from directory.members.audiences import Field, Level

_LEVEL = f"({audiences.sql_level('by.id', 'i.member_id', f'{Level.MEMBER:d}')})"
# SQL: the name of `by`, who invites, as the member of the invitation i may see it.
INVITER = f"""
    CASE WHEN {audiences.sql_visible(Field.DISPLAY_NAME, "by.audiences", _LEVEL)}
        THEN by.display_name END
"""
VALID = timedelta(days=30)  # an invitation, from the day it was made

_HELD = """
    SELECT EXISTS (SELECT FROM membership_request WHERE member_id = $1 AND filiere_id = $2
            AND state = 'open' AND approved_at IS NOT NULL)
        OR EXISTS (SELECT FROM filiere_invitation WHERE member_id = $1 AND filiere_id = $2
            AND state = 'open' AND invited_at > now() - $3::interval)
"""


async def is_held(reader: asyncpg.Connection, member_id: int, filiere_id: int) -> bool:
    """Whether this member may walk in without asking any more."""
    held: bool = await reader.fetchval(_HELD, member_id, filiere_id, VALID)
    return held


async def spend(opened: asyncpg.Connection, member_id: int, filiere_id: int) -> None:
    """Somebody is in: what they were asked, and what they asked, is answered."""
    for table in ("membership_request", "filiere_invitation"):
        await opened.execute(
            f"UPDATE {table} SET state = 'accepted', answered_at = now() "  # noqa: S608 - own names
            "WHERE member_id = $1 AND filiere_id = $2 AND state = 'open'",
            member_id,
            filiere_id,
        )
