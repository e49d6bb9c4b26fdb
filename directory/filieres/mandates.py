"""Who runs a filière, and until when."""

import enum
from datetime import date

import asyncpg
import msgspec

from directory import db
from directory.accounts.actor import Actor
from directory.members import audiences
from directory.members.audiences import Field


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
            f"""
            SELECT d.role::text AS role, d.starts_on, d.ends_on, p.id AS member_id,
                p.display_name AS name, p.audiences,
                {audiences.sql_shares_filiere("p.id", "$2::bigint")} AS shares_filiere
            FROM mandate d JOIN member p ON p.id = d.member_id
            WHERE d.filiere_id = $1 AND p.left_on IS NULL
              AND current_date BETWEEN d.starts_on AND d.ends_on
            ORDER BY d.role, d.starts_on, d.id
            """,  # noqa: S608 - no value in it
            filiere_id, audiences.own_id(actor),
        )  # fmt: skip
    return [_mandate(actor, row) for row in rows]


def _mandate(actor: Actor, row: asyncpg.Record) -> Mandate:
    nearness = audiences.level(actor, row["member_id"], shares_filiere=row["shares_filiere"])
    seen = audiences.visible_to(nearness, msgspec.json.decode(row["audiences"]))
    is_named = Field.DISPLAY_NAME in seen
    return Mandate(
        MandateRole(row["role"]),
        row["starts_on"],
        row["ends_on"],
        member_id=row["member_id"] if is_named else None,
        name=row["name"] if is_named else None,
    )
