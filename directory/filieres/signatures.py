"""Under what somebody wrote or decided: their name, for those to whom they show it."""

import asyncpg
import msgspec

from directory.accounts.actor import Actor
from directory.members import audiences
from directory.members.audiences import Field


class Signature(msgspec.Struct, frozen=True):
    """`member_id` and `name` are None where the member does not show their name to the reader."""

    member_id: int | None = None
    name: str | None = None


UNSIGNED = Signature()


def columns(member: str, viewer: str) -> str:
    """SQL: what `read` needs of a row of member, under this alias. `viewer` is own_id's place."""
    return (
        f"{member}.id AS member_id, {member}.display_name AS name, {member}.audiences, "
        f"{audiences.sql_shares_filiere(f'{member}.id', viewer)} AS shares_filiere"
    )


def read(actor: Actor, row: asyncpg.Record) -> Signature:
    """Of a row with `columns`; unsigned also where there is no member."""
    if row["member_id"] is None:
        return UNSIGNED
    nearness = audiences.level(actor, row["member_id"], shares_filiere=row["shares_filiere"])
    seen = audiences.visible_to(nearness, msgspec.json.decode(row["audiences"]))
    if Field.DISPLAY_NAME not in seen:
        return UNSIGNED
    return Signature(row["member_id"], row["name"])
