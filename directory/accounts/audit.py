"""Who changed what, when: append-only in the database itself, and without the values."""

from collections.abc import Collection

from directory import db
from directory.accounts.actor import Actor


async def record(
    actor: Actor,
    action: str,
    *,
    member_id: int | None = None,
    subject: str = "",
    fields: Collection[str] = (),
) -> None:
    """Note one change, in the caller's transaction: it stands only if the change does.

    `action` reads noun.past ("photo.changed", "token.revoked"); `member_id` is the member whom it
    concerns and who may read it; `subject` names the thing ("filiere:12"); `fields` are names of
    what changed, never values: an entry outlives the person. A visitor or a job acts as nobody.
    """
    async with db.transaction() as opened:
        await opened.execute(
            "INSERT INTO audit_entry (account_id, token_id, action, member_id, subject, fields)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            actor.account_id, actor.token_id, action, member_id, subject, sorted(fields),
        )  # fmt: skip
