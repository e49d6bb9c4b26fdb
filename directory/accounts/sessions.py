"""Sessions: a cookie for a person, a bearer token for a program, and the actor behind either."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import asyncpg

from directory import db, errors, jobs
from directory.accounts import secrets
from directory.accounts.actor import VISITOR, Actor, Grant, Role, Scope
from directory.accounts.tables import Session
from directory.languages import marked

COOKIE = "session"
LIFETIME = timedelta(days=30)
SEEN_EVERY = timedelta(minutes=5)
USER_AGENT_LENGTH = 200

_PERSON = """
    SELECT a.id, a.email::text AS email, a.language, m.id AS member_id, m.display_name AS name,
        (SELECT coalesce(array_agg(g.role || ' ' || g.scope), ARRAY[]::text[])
         FROM access_grant g
         WHERE g.account_id = a.id AND g.starts_on <= current_date
           AND (m.id IS NOT NULL OR g.role NOT IN ('animator', 'ambassador'))
           AND (g.ends_on IS NULL OR g.ends_on >= current_date)) AS grants
"""
_BY_SESSION = f"""
    {_PERSON}, s.seen_at
    FROM session s JOIN account a ON a.id = s.account_id
    LEFT JOIN member m ON m.account_id = a.id AND m.left_on IS NULL
    WHERE s.token_hash = $1 AND s.expires_at > now() AND a.disabled_at IS NULL
"""
_BY_TOKEN = f"""
    {_PERSON}, t.scopes, t.id AS token_id, t.used_at
    FROM api_token t JOIN account a ON a.id = t.account_id
    LEFT JOIN member m ON m.account_id = a.id AND m.left_on IS NULL
    WHERE t.token_hash = $1 AND t.expires_at > now() AND t.revoked_at IS NULL
      AND a.disabled_at IS NULL
"""


async def open_session(account_id: int, user_agent: str) -> str:
    """A new session's secret, for the cookie."""
    secret = secrets.make()
    moment = datetime.now(UTC)
    await Session.insert(
        Session(
            token_hash=secrets.digest(secret),
            account_id=account_id,
            user_agent=user_agent[:USER_AGENT_LENGTH].replace("\0", ""),
            created_at=moment,
            seen_at=moment,
            expires_at=moment + LIFETIME,
        )
    )
    return secret


async def close(secret: str) -> None:
    await Session.delete().where(Session.token_hash == secrets.digest(secret))


@jobs.every("37 3 * * *")
async def forget_expired() -> None:
    async with db.transaction() as opened:
        await opened.execute("DELETE FROM session WHERE expires_at < now()")


async def actor_of_session(secret: str) -> Actor:
    """The person behind a cookie; a visitor when it has expired or never was."""
    async with db.connection() as reader:
        row = await reader.fetchrow(_BY_SESSION, secrets.digest(secret))
        if row is None:
            return VISITOR
        if row["seen_at"] < datetime.now(UTC) - SEEN_EVERY:
            await reader.execute(
                "UPDATE session SET seen_at = now() WHERE token_hash = $1", secrets.digest(secret)
            )
    return _actor(row)


async def actor_of_token(secret: str) -> Actor:
    """:raises errors.SignInNeeded: when the token is unknown, expired or revoked."""
    async with db.connection() as reader:
        row = await reader.fetchrow(_BY_TOKEN, secrets.digest(secret))
        if row is None:
            raise errors.SignInNeeded(marked("Ce jeton est inconnu, expiré ou révoqué."))
        if row["used_at"] is None or row["used_at"] < datetime.now(UTC) - SEEN_EVERY:
            await reader.execute(
                "UPDATE api_token SET used_at = now() WHERE id = $1", row["token_id"]
            )
    return _actor(row, row["token_id"], row["scopes"])


def _actor(
    row: asyncpg.Record, token_id: int | None = None, scopes: Iterable[str] | None = None
) -> Actor:
    known = {scope.value for scope in Scope}
    return Actor(
        account_id=row["id"],
        member_id=row["member_id"],
        email=row["email"],
        name=row["name"] or row["email"],
        language=row["language"],
        grants=frozenset(
            Grant(Role(role), scope)
            for role, _, scope in (grant.partition(" ") for grant in row["grants"])
        ),
        token_id=token_id,
        token_scopes=None
        if scopes is None
        else frozenset(Scope(scope) for scope in scopes if scope in known),
    )
