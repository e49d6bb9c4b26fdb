"""Who runs a filière, and until when."""

import enum
from datetime import date

import msgspec

from directory import db
from directory.accounts.actor import Actor, Permission


class MandateRole(enum.Enum):
    ANIMATOR = "animator"
    AMBASSADOR = "ambassador"


class Mandate(msgspec.Struct, frozen=True):
    """A mandate that runs today. `ends_on` is its last day.

    `member_id` and `name` are None where the member does not show their name to this reader.
    """

    role: MandateRole
    starts_on: date
    ends_on: date
    member_id: int | None = None
    name: str | None = None


async def list_current(actor: Actor, filiere_id: int) -> list[Mandate]:
    """The running mandates of members who are still there, oldest first."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            """
            SELECT d.role::text AS role, d.starts_on, d.ends_on, p.id AS member_id,
                p.display_name AS name,
                CASE coalesce(p.audiences ->> 'display_name', 'members')
                    WHEN 'public' THEN true
                    WHEN 'members' THEN $3::boolean
                    WHEN 'filieres' THEN EXISTS (
                        SELECT FROM membership theirs JOIN membership mine
                            ON mine.filiere_id = theirs.filiere_id AND mine.left_at IS NULL
                        WHERE theirs.member_id = p.id AND theirs.left_at IS NULL
                          AND mine.member_id = $2)
                    ELSE false
                END OR p.id IS NOT DISTINCT FROM $2 AS is_named
            FROM mandate d JOIN member p ON p.id = d.member_id
            WHERE d.filiere_id = $1 AND p.left_on IS NULL
              AND current_date BETWEEN d.starts_on AND d.ends_on
            ORDER BY d.role, d.starts_on, d.id
            """,
            filiere_id, actor.member_id, actor.may(Permission.READ_MEMBERS),
        )  # fmt: skip
    return [
        Mandate(
            MandateRole(row["role"]),
            row["starts_on"],
            row["ends_on"],
            *((row["member_id"], row["name"]) if row["is_named"] else ()),
        )
        for row in rows
    ]
