"""What stands between a member and a filière."""

import asyncpg
import msgspec

from directory.filieres import registry
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import Openness
from directory.subscriptions import passes


class Door(msgspec.Struct, frozen=True):
    """`has_pass`: the member was let in, by an invitation or an accepted request."""

    filiere_id: int
    stage: Stage
    openness: Openness
    is_in: bool
    has_pass: bool


async def find(opened: asyncpg.Connection, member_id: int, slug: str) -> Door:
    """The filière does not change until the transaction ends.

    :raises errors.NotFound: when no filière has this address.
    """
    row = await opened.fetchrow(
        "SELECT f.id, f.stage::text AS stage, f.openness::text AS openness, EXISTS ("
        "SELECT FROM membership m WHERE m.filiere_id = f.id AND m.member_id = $2 "
        "AND m.left_at IS NULL) AS is_in FROM filiere f WHERE f.slug = $1 FOR SHARE OF f",
        slug.replace("\0", ""), member_id,
    )  # fmt: skip
    if row is None:
        raise registry.unknown()
    return Door(
        row["id"], Stage(row["stage"]), Openness(row["openness"]), row["is_in"],
        await passes.is_held(opened, member_id, row["id"]),
    )  # fmt: skip
