"""Who runs a filière, and until when."""

import enum
from datetime import date

import asyncpg
import msgspec

from directory import db
from directory.accounts.actor import Actor, filiere_scope
from directory.filieres import signatures
from directory.filieres.lifecycle import Stage
from directory.members import audiences


class MandateRole(enum.Enum):
    ANIMATOR = "animator"
    AMBASSADOR = "ambassador"


class Holder(msgspec.Struct, frozen=True):
    """Somebody in a role of a filière."""

    account_id: int
    member_id: int
    role: MandateRole
    filiere_id: int


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
            SELECT d.role::text AS role, d.starts_on, d.ends_on,
                {signatures.columns("p", "$2::bigint")}
            FROM mandate d JOIN member p ON p.id = d.member_id
            WHERE d.filiere_id = $1 AND p.left_on IS NULL
              AND current_date BETWEEN d.starts_on AND d.ends_on
            ORDER BY d.role, d.starts_on, d.id
            """,  # noqa: S608 - no value in it
            filiere_id, audiences.own_id(actor),
        )  # fmt: skip
    return [_mandate(actor, row) for row in rows]


def _mandate(actor: Actor, row: asyncpg.Record) -> Mandate:
    by = signatures.read(actor, row)
    role = MandateRole(row["role"])
    return Mandate(role, row["starts_on"], row["ends_on"], member_id=by.member_id, name=by.name)


async def lock(filiere_id: int) -> Stage:
    """Let one act at a time change who runs a filière, in an open transaction. Its stage."""
    stage = await db.current().fetchval(
        "SELECT stage::text FROM filiere WHERE id = $1 FOR NO KEY UPDATE", filiere_id
    )
    return Stage(stage)


async def is_run(filiere_id: int) -> bool:
    """Whether anybody who is still there animates it today."""
    async with db.connection() as reader:
        found: bool = await reader.fetchval(
            "SELECT EXISTS (SELECT FROM running_animator WHERE filiere_id = $1)", filiere_id
        )
    return found


async def begin(holder: Holder, starts_on: date, ends_on: date) -> int:
    """Give the role and its mandate, in the open transaction. The mandate's id."""
    opened = db.current()
    await opened.execute(
        """
        INSERT INTO access_grant AS g (account_id, role, scope, starts_on, ends_on)
        VALUES ($1, $2::access_role, $3, $4, $5) ON CONFLICT (account_id, role, scope) DO UPDATE
        SET ends_on = CASE WHEN g.ends_on IS NULL THEN NULL
                ELSE greatest(g.ends_on, excluded.ends_on) END,
            starts_on = CASE WHEN g.ends_on < current_date THEN excluded.starts_on
                ELSE least(g.starts_on, excluded.starts_on) END
        """,
        holder.account_id, holder.role.value, filiere_scope(holder.filiere_id), starts_on, ends_on,
    )  # fmt: skip
    mandate_id: int = await opened.fetchval(
        "INSERT INTO mandate (filiere_id, member_id, role, starts_on, ends_on) "
        "VALUES ($1, $2, $3::mandate_role, $4, $5) RETURNING id",
        holder.filiere_id, holder.member_id, holder.role.value, starts_on, ends_on,
    )  # fmt: skip
    return mandate_id


async def finish(holder: Holder, before: date | None = None) -> None:
    """End the role and its mandates the day before that one; without a day, at once.

    What was to begin later never was. In the open transaction.
    """
    opened = db.current()
    which = (holder.member_id, holder.role.value, holder.filiere_id, before)
    of_theirs = (
        "member_id = $1 AND role::text = $2 AND filiere_id = $3 "
        "AND ends_on >= coalesce($4::date, current_date)"
    )
    await opened.execute(
        f"DELETE FROM mandate WHERE {of_theirs} AND starts_on >= coalesce($4::date, current_date)",  # noqa: S608 - own words
        *which,
    )
    await opened.execute(
        f"UPDATE mandate SET ends_on = coalesce($4::date, current_date) - 1 WHERE {of_theirs}",  # noqa: S608 - own words
        *which,
    )
    grant = (holder.account_id, holder.role.value, filiere_scope(holder.filiere_id), before)
    of_grant = "account_id = $1 AND role::text = $2 AND scope = $3"
    await opened.execute(
        f"DELETE FROM access_grant WHERE {of_grant} AND ($4::date IS NULL OR starts_on >= $4)",  # noqa: S608 - own words
        *grant,
    )
    await opened.execute(
        f"UPDATE access_grant SET ends_on = $4::date - 1 WHERE {of_grant}"  # noqa: S608 - own words
        " AND (ends_on IS NULL OR ends_on >= $4::date)",
        *grant,
    )


async def prolong(holder: Holder, until: date) -> None:
    """Let the role last as long as its mandate, in the open transaction."""
    await db.current().execute(
        "UPDATE access_grant SET ends_on = $4 WHERE account_id = $1 AND role::text = $2 "
        "AND scope = $3 AND ends_on < $4",
        holder.account_id, holder.role.value, filiere_scope(holder.filiere_id), until,
    )  # fmt: skip


def row_id(number: int) -> int:
    """The number, or 0 for one that no row can have."""
    return number if 0 < number < 2**63 else 0


async def holder_of(mandate_id: int) -> tuple[Holder, date, date] | None:
    """Of a mandate that runs or is to come: who, its first and its last day."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT m.account_id, d.member_id, d.role::text AS role, d.filiere_id, d.starts_on, "
            "d.ends_on FROM mandate d JOIN member m ON m.id = d.member_id "
            "WHERE d.id = $1 AND d.ends_on >= current_date",
            row_id(mandate_id),
        )
    if row is None:
        return None
    holder = Holder(
        row["account_id"] or 0, row["member_id"], MandateRole(row["role"]), row["filiere_id"]
    )
    return holder, row["starts_on"], row["ends_on"]


async def runs(member_id: int, role: MandateRole, filiere_id: int) -> bool:
    """Whether somebody has, or is to have, this role there by a mandate."""
    async with db.connection() as reader:
        found: bool = await reader.fetchval(
            "SELECT EXISTS (SELECT FROM mandate WHERE member_id = $1 AND role::text = $2 "
            "AND filiere_id = $3 AND ends_on >= current_date)",
            member_id, role.value, filiere_id,
        )  # fmt: skip
    return found
