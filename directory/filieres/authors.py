"""Who decided or wrote something for the cooperative, as a reader may see them."""

from collections.abc import Collection, Mapping

import msgspec

from directory import db
from directory.accounts.actor import Actor, Role
from directory.languages import marked
from directory.members import profiles

UNKNOWN = marked("la coopérative")
FOR = {
    Role.ADMINISTRATOR: marked("l’administration"),
    Role.COORDINATOR: marked("la coordination"),
}


class Author(msgspec.Struct, frozen=True):
    """`name` and `member_id` are null for who has no profile, or hides its name from the reader."""

    name: str | None = None
    member_id: int | None = None
    role: Role | None = None

    @property
    def side(self) -> str:
        """For whom they acted: a marked text."""
        return FOR.get(self.role, UNKNOWN) if self.role else UNKNOWN


async def of(actor: Actor, account_ids: Collection[int | None]) -> Mapping[int, Author]:
    """By account, with the role that it has among the staff today."""
    wanted = [account_id for account_id in account_ids if account_id is not None]
    async with db.connection() as reader:
        rows = await reader.fetch(
            """
            SELECT a.id, m.id AS member_id, (SELECT min(g.role)::text FROM access_grant g
                WHERE g.account_id = a.id AND g.scope = '' AND g.starts_on <= current_date
                  AND (g.ends_on IS NULL OR g.ends_on >= current_date)) AS role
            FROM account a LEFT JOIN member m ON m.account_id = a.id AND m.left_on IS NULL
            WHERE a.id = ANY($1)
            """,
            wanted,
        )  # fmt: skip
    cards = await profiles.cards(actor, [row["member_id"] for row in rows if row["member_id"]])
    seen = {card.id: card.display_name for card in cards}
    return {
        row["id"]: Author(
            seen.get(row["member_id"]),
            row["member_id"] if row["member_id"] in seen else None,
            Role(row["role"]) if row["role"] else None,
        )
        for row in rows
    }
