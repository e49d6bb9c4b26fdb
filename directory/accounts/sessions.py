"""Sessions: a cookie for a person, a bearer token for a program, and the actor behind either."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from directory import db, errors, jobs, settings
from directory.accounts import audit, devices, secrets
from directory.accounts.actor import VISITOR, Actor, Grant, Role, Scope
from directory.languages import marked

COOKIE: Literal["session"] = "session"
SEEN_EVERY = timedelta(minutes=5)
USER_AGENT_LENGTH = 200
MOST = 50
"""Open sessions of one account. The one that was used longest ago makes room."""


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """One browser that is signed in. browser and system are '' when they are not recognised.

    last_seen_at is five minutes late at most. expires_at is when it ends if nobody uses it.
    """

    id: UUID
    browser: str
    system: str
    first_seen_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    is_current: bool


_PERSON = """
    SELECT a.id, a.email::text AS email, a.language, m.id AS member_id, m.display_name AS name,
        (SELECT coalesce(array_agg(g.role || ' ' || g.scope), ARRAY[]::text[])
         FROM access_grant g
         WHERE g.account_id = a.id AND g.starts_on <= current_date
           AND (m.id IS NOT NULL OR g.role NOT IN ('animator', 'ambassador'))
           AND (g.ends_on IS NULL OR g.ends_on >= current_date)) AS grants
"""
_BY_SESSION = f"""
    {_PERSON}, s.seen_at, s.id AS session_id
    FROM session s JOIN account a ON a.id = s.account_id
    LEFT JOIN member m ON m.account_id = a.id AND m.left_on IS NULL
    WHERE s.token_hash = $1 AND s.expires_at > now() AND s.seen_at > now() - $2::interval
      AND a.disabled_at IS NULL
"""
_BY_TOKEN = f"""
    {_PERSON}, t.scopes, t.id AS token_id, t.used_at
    FROM api_token t JOIN account a ON a.id = t.account_id
    LEFT JOIN member m ON m.account_id = a.id AND m.left_on IS NULL
    WHERE t.token_hash = $1 AND t.expires_at > now() AND t.revoked_at IS NULL
      AND a.disabled_at IS NULL
"""


def lifetime() -> timedelta:
    return timedelta(days=settings.current().session_days)


def idle() -> timedelta:
    return timedelta(days=settings.current().session_idle_days)


async def open_session(
    account_id: int, user_agent: str, old: str = "", issuer: str | None = None
) -> str:
    """A new session's secret, for the cookie. The browser's session before this one is closed.

    :param issuer: the OpenID Connect provider who let the person in.
    """
    secret = secrets.make()
    async with db.transaction() as opened:
        await close(old)
        (row,) = await opened.fetch(
            """
            INSERT INTO session (token_hash, account_id, user_agent, expires_at, issuer)
            VALUES ($1, $2, $3, now() + $4::interval, $5)
            RETURNING id, account_id, (SELECT id FROM member m WHERE m.account_id = $2) AS member_id
            """,
            secrets.digest(secret), account_id, user_agent[:USER_AGENT_LENGTH].replace("\0", ""),
            lifetime(), issuer,
        )  # fmt: skip
        await _record("session.opened", row)
        await _end(
            "s.id IN (SELECT id FROM session WHERE account_id = $1"
            " ORDER BY id = $2 DESC, seen_at DESC, id OFFSET $3)",
            account_id, row["id"], MOST,
        )  # fmt: skip
    return secret


async def issuer_of(secret: str) -> str | None:
    """The provider who let this session in; None for a link by mail, and for no session."""
    async with db.connection() as reader:
        issuer: str | None = await reader.fetchval(
            "SELECT issuer FROM session WHERE token_hash = $1", secrets.digest(secret)
        )
    return issuer


async def close(secret: str) -> None:
    await _end("s.token_hash = $1", secrets.digest(secret))


async def _end(condition: str, *given: object) -> int:
    """How many sessions there were of this condition on s, in SQL."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            f"DELETE FROM session s WHERE {condition} RETURNING s.id, s.account_id,"  # noqa: S608 - conditions of this file
            " (SELECT m.id FROM member m WHERE m.account_id = s.account_id) AS member_id",
            *given,
        )
        for row in rows:
            await _record("session.ended", row)
    return len(rows)


async def _record(action: str, row: asyncpg.Record) -> None:
    """Whoever holds the cookie or the link acts as its account."""
    actor = Actor(account_id=row["account_id"], member_id=row["member_id"])
    await audit.record(actor, action, member_id=row["member_id"], subject=f"session:{row['id']}")


async def list_own(actor: Actor) -> list[SessionView]:
    """This one first, then the last seen. No secrets, no networks."""
    account_id = actor.require_person()
    async with db.connection() as reader:
        rows = await reader.fetch(
            """
            SELECT id, user_agent, created_at, seen_at, least(expires_at, seen_at + $3) AS ends_at
            FROM session
            WHERE account_id = $1 AND expires_at > now() AND seen_at > now() - $3::interval
            ORDER BY id = $2 DESC NULLS LAST, seen_at DESC, id
            """,
            account_id, actor.session_id, idle(),
        )  # fmt: skip
    return [
        SessionView(
            id=row["id"],
            browser=devices.browser(row["user_agent"]),
            system=devices.system(row["user_agent"]),
            first_seen_at=row["created_at"],
            last_seen_at=row["seen_at"],
            expires_at=row["ends_at"],
            is_current=row["id"] == actor.session_id,
        )
        for row in rows
    ]


async def end(actor: Actor, session_id: UUID) -> None:
    """:raises errors.NotFound: when it has ended, is somebody else's or never was."""
    account_id = actor.require_person()
    if not await _end("s.id = $1 AND s.account_id = $2", session_id, account_id):
        raise errors.NotFound(marked("Cette connexion est déjà fermée."))


async def end_others(actor: Actor) -> int:
    """How many there were beside the one that asks."""
    account_id = actor.require_person()
    return await _end(
        "s.account_id = $1 AND s.id IS DISTINCT FROM $2", account_id, actor.session_id
    )


@jobs.every("37 3 * * *")
async def forget_expired() -> None:
    async with db.transaction() as opened:
        await opened.execute(
            "DELETE FROM session WHERE expires_at < now() OR seen_at < now() - $1::interval", idle()
        )


async def actor_of_session(secret: str) -> Actor:
    """The person behind a cookie; a visitor when it has expired or never was."""
    async with db.connection() as reader:
        row = await reader.fetchrow(_BY_SESSION, secrets.digest(secret), idle())
        if row is None:
            return VISITOR
        if row["seen_at"] < datetime.now(UTC) - SEEN_EVERY:
            await reader.execute(
                "UPDATE session SET seen_at = now() WHERE token_hash = $1", secrets.digest(secret)
            )
    return msgspec.structs.replace(_actor(row), session_id=row["session_id"])


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
