"""Signing in by a link in a mail."""

from datetime import timedelta
from pathlib import Path

import msgspec

from directory import db, errors, jobs, limits, mail, settings
from directory.accounts import secrets, sessions
from directory.languages import marked
from directory.limits import Limit

ASKS_OF_A_NETWORK = Limit("login_asked", 60, timedelta(hours=1))
LIFETIME = timedelta(minutes=15)
LINKS_AT_ONCE = 5
LONGEST_PATH = 500
MAILS = Path(__file__).parent / "mails"


class LoginAsked(msgspec.Struct, frozen=True):
    """Somebody typed an address and wants to sign in with it.

    browser is the hexadecimal SHA-256 of a cookie that theirs keeps.
    """

    email: str
    next_path: str
    language: str
    browser: str = ""


class LinkView(msgspec.Struct, frozen=True):
    """An open link, before it is used."""

    email: str
    is_of_this_browser: bool
    """False: it was asked in another browser, or nobody knows in which."""


async def ask(email: str, next_path: str, language: str, *, browser: str, network: str) -> None:
    """Send a link to this address, if it is somebody's. The caller learns nothing of that.

    The account is looked up by a worker, so that the answer takes the same time either way; and
    the worker keeps the limit of an address, so that nobody learns that it was reached.

    :param browser: the secret of the cookie that knows the browser again.
    :raises errors.TooMany: when this network asked too often, for whatever addresses.
    """
    if not looks_like_address(email):
        raise errors.Malformed.field(
            "email",
            marked("« %(email)s » n’est pas une adresse. Écrivez-la comme prenom@coop.example."),
            email=email,
        )
    async with db.transaction():
        await limits.take(ASKS_OF_A_NETWORK, network)
        asked = LoginAsked(email, local_path(next_path), language, secrets.digest(browser).hex())
        await jobs.emit(asked)


@jobs.on(LoginAsked)
async def send_link(asked: LoginAsked) -> None:
    secret = secrets.make()
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            """
            INSERT INTO login_link (token_hash, account_id, next_path, expires_at, browser_hash)
            SELECT $2, a.id, $3, now() + $4::interval, $6 FROM account a
            WHERE a.email = $1 AND a.disabled_at IS NULL AND
                (SELECT count(*) FROM login_link l WHERE l.account_id = a.id
                 AND l.used_at IS NULL AND l.created_at > now() - $4::interval) < $5
            RETURNING (SELECT email::text FROM account WHERE id = account_id) AS email
            """,
            asked.email, secrets.digest(secret), asked.next_path, LIFETIME, LINKS_AT_ONCE,
            bytes.fromhex(asked.browser),
        )  # fmt: skip
    if row is not None:
        message = mail.render(
            MAILS / "login", settings.current(), to=row["email"], language=asked.language,
            link=f"{settings.current().public_url}/login/{secret}",
            minutes=int(LIFETIME.total_seconds() // 60),
        )  # fmt: skip
        await mail.send(message, settings.current())


async def find(secret: str, browser: str) -> LinkView | None:
    """The link, if it still signs in. Reading it changes nothing: scanners open every link."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT a.email::text AS email, l.browser_hash = $2 AS is_known"
            " FROM login_link l JOIN account a ON a.id = l.account_id"
            " WHERE l.token_hash = $1 AND l.used_at IS NULL AND l.expires_at > now()"
            " AND a.disabled_at IS NULL",
            secrets.digest(secret), secrets.digest(browser),
        )  # fmt: skip
    return LinkView(row["email"], row["is_known"]) if row else None


async def enter(secret: str, user_agent: str, old: str = "") -> tuple[str, str]:
    """Use the link: a new session's secret, and the path to go to. The session `old` is closed.

    :raises errors.Gone: when the link was used, has expired or never was.
    """
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            "UPDATE login_link l SET used_at = now() FROM account a "
            "WHERE l.token_hash = $1 AND l.used_at IS NULL AND l.expires_at > now() "
            "AND a.id = l.account_id AND a.disabled_at IS NULL "
            "RETURNING l.account_id, l.next_path",
            secrets.digest(secret),
        )
        if row is None:
            raise errors.Gone(
                marked(
                    "Ce lien a déjà servi ou a plus de %(minutes)s minutes. Demandez-en un autre."
                ),
                minutes=int(LIFETIME.total_seconds() // 60),
            )
        # Whoever opened the link holds the address.
        await opened.execute(
            "UPDATE account SET email_confirmed_at = coalesce(email_confirmed_at, now()) "
            "WHERE id = $1",
            row["account_id"],
        )
        session = await sessions.open_session(row["account_id"], user_agent, old)
        return session, row["next_path"]


def looks_like_address(email: str) -> bool:
    user, _, domain = email.rpartition("@")
    return bool(user and domain) and len(email) <= 254 and email.isprintable() and " " not in email


def local_path(path: str) -> str:
    """The path, if it leads to a page of ours; otherwise the home page."""
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_local and len(path) <= LONGEST_PATH else "/"


@jobs.every("27 3 * * *")
async def forget_expired() -> None:
    async with db.transaction() as opened:
        await opened.execute("DELETE FROM login_link WHERE expires_at < now() - interval '1 day'")
