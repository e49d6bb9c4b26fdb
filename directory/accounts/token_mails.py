"""What the owner of a token is told: that it was made, and that it ends soon."""

from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec

from directory import db, jobs, mail, settings
from directory.accounts.tokens import TokenMade
from directory.http import pages

MAILS = Path(__file__).parent / "mails"
WARNED_BEFORE = timedelta(days=7)


class TokenExpiring(msgspec.Struct, frozen=True):
    """A token has a week left."""

    token_id: int


@jobs.on(TokenMade)
async def tell_made(made: TokenMade) -> None:
    """A security notice: who made it unawares finds it out."""
    await _send("token_made", made.token_id)


@jobs.on(TokenExpiring)
async def tell_expiring(expiring: TokenExpiring) -> None:
    await _send("token_expiring", expiring.token_id)


@jobs.every("19 6 * * *")
async def warn() -> None:
    """Once for each token, a week before its end. One made for a week or less says its end."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            "UPDATE api_token SET warned_at = now() WHERE warned_at IS NULL AND revoked_at IS NULL "
            "AND expires_at > now() AND expires_at <= now() + $1::interval "
            "AND created_at < expires_at - $1::interval RETURNING id",
            WARNED_BEFORE,
        )
        for row in rows:
            await jobs.emit(TokenExpiring(row["id"]))


async def _send(folder: str, token_id: int) -> None:
    row = await _row(token_id)
    if row is None:  # revoked since, or the account is gone
        return
    chosen = settings.current()
    shown = pages.Format(row["language"])
    message = mail.render(
        MAILS / folder, chosen, to=row["email"], language=row["language"],
        name=row["name"], ending=row["ending"], scopes=row["scopes"],
        made_at=shown.instant(row["created_at"]), last_day=shown.day(row["expires_at"].date()),
        link=f"{chosen.public_url}/account/tokens",
    )  # fmt: skip
    await mail.send(message, chosen)


async def _row(token_id: int) -> asyncpg.Record | None:
    async with db.connection() as reader:
        return await reader.fetchrow(
            "SELECT a.email::text AS email, a.language, t.name, t.ending, t.scopes, t.created_at, "
            "t.expires_at FROM api_token t JOIN account a ON a.id = t.account_id "
            "WHERE t.id = $1 AND t.revoked_at IS NULL AND a.disabled_at IS NULL",
            token_id,
        )
