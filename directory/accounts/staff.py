"""Who looks after the whole cooperative, to be told what needs somebody."""

from collections.abc import Sequence

import msgspec

from directory import db, settings
from directory.accounts.actor import Role
from directory.languages import SOURCE

ALL = (Role.ADMINISTRATOR, Role.COORDINATOR)


class Reader(msgspec.Struct, frozen=True):
    """Where to write to somebody of the staff, in which language."""

    email: str
    language: str


_RUNNING = """
    FROM account a JOIN access_grant g ON g.account_id = a.id AND g.scope = ''
    WHERE g.role::text = ANY($1) AND a.disabled_at IS NULL
      AND g.starts_on <= current_date AND (g.ends_on IS NULL OR g.ends_on >= current_date)
      AND a.id IS DISTINCT FROM $2
"""


async def account_ids(but: int | None = None, roles: Sequence[Role] = ALL) -> list[int]:
    """The accounts of coordinators and administrators; 0 stands for the cooperative's own
    address where there is nobody else."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"SELECT DISTINCT a.id {_RUNNING} ORDER BY a.id",
            [role.value for role in roles], but,
        )  # fmt: skip
    return [row["id"] for row in rows] or [0]


async def reader(account_id: int) -> Reader | None:
    """None: they are gone since, or their address fails. 0 is the cooperative's own address."""
    if account_id == 0:
        return Reader(settings.current().mail_from, SOURCE)
    async with db.connection() as connection:
        row = await connection.fetchrow(
            "SELECT email::text AS email, language FROM account "
            "WHERE id = $1 AND disabled_at IS NULL "
            "AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = account.email)",
            account_id,
        )
    return Reader(row["email"], row["language"]) if row else None


async def is_last_administrator(account_id: int | None) -> bool:
    """Whether nobody else administers, and this account does."""
    async with db.connection() as reader:
        others = await reader.fetchval(
            f"SELECT count(DISTINCT a.id) {_RUNNING}", [Role.ADMINISTRATOR.value], account_id
        )
        everybody = await reader.fetchval(
            f"SELECT count(DISTINCT a.id) {_RUNNING}", [Role.ADMINISTRATOR.value], None
        )
    return bool(everybody and not others)
