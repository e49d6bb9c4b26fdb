"""Who wrote something, as the reader may see them."""

from collections.abc import Iterable

import msgspec

from directory import db
from directory.accounts.actor import Actor
from directory.members import audiences
from directory.members.audiences import Field


class Author(msgspec.Struct, frozen=True):
    """A member who shows their name to the reader."""

    member_id: int
    name: str


async def of_accounts(actor: Actor, ids: Iterable[int | None]) -> dict[int, Author]:
    """By account. Those without a profile, and those whose name is hidden, are left out."""
    return await _read(actor, "account_id", ids)


async def of_members(actor: Actor, ids: Iterable[int | None]) -> dict[int, Author]:
    return await _read(actor, "id", ids)


async def _read(actor: Actor, column: str, ids: Iterable[int | None]) -> dict[int, Author]:
    wanted = list({one for one in ids if one is not None})
    if not wanted:
        return {}
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"""
            SELECT p.{column} AS key, p.id, p.display_name, p.audiences,
                {audiences.sql_shares_filiere("p.id", "$2::bigint")} AS shares_filiere
            FROM member p WHERE p.{column} = ANY($1::bigint[]) AND p.left_on IS NULL
            """,  # noqa: S608 - own names
            wanted, audiences.own_id(actor),
        )  # fmt: skip
    found = {}
    for row in rows:
        nearness = audiences.level(actor, row["id"], shares_filiere=row["shares_filiere"])
        seen = audiences.visible_to(nearness, msgspec.json.decode(row["audiences"]))
        if Field.DISPLAY_NAME in seen:
            found[row["key"]] = Author(row["id"], row["display_name"])
    return found
