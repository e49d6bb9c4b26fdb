"""Signing in by a link in a mail."""

from datetime import timedelta
from pathlib import Path

import msgspec

from directory import db, errors, jobs, mail, settings
from directory.accounts import secrets, sessions
from directory.languages import marked

LIFETIME = timedelta(minutes=15)
LINKS_AT_ONCE = 5
LONGEST_PATH = 500
MAILS = Path(__file__).parent / "mails"


class LoginAsked(msgspec.Struct, frozen=True):
    """Somebody typed an address and wants to sign in with it."""

    email: str
    next_path: str
    language: str


async def ask(email: str, next_path: str, language: str) -> None:
    """Send a link to this address, if it is somebody's. The caller learns nothing of that.

    The account is looked up by a worker, so that the answer takes the same time either way.
    """
    if not looks_like_address(email):
        raise errors.Malformed.field(
            "email",
            marked("« %(email)s » n’est pas une adresse. Écrivez-la comme prenom@coop.example."),
            email=email,
        )
    async with db.transaction():
        await jobs.emit(LoginAsked(email=email, next_path=local_path(next_path), language=language))


@jobs.on(LoginAsked)
async def send_link(asked: LoginAsked) -> None:
    secret = secrets.make()
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            """
            INSERT INTO login_link (token_hash, account_id, next_path, expires_at)
            SELECT $2, a.id, $3, now() + $4::interval FROM account a
            WHERE a.email = $1 AND a.disabled_at IS NULL AND
                (SELECT count(*) FROM login_link l WHERE l.account_id = a.id
                 AND l.used_at IS NULL AND l.created_at > now() - $4::interval) < $5
            RETURNING (SELECT email::text FROM account WHERE id = account_id) AS email
            """,
            asked.email, secrets.digest(secret), asked.next_path, LIFETIME, LINKS_AT_ONCE,
        )  # fmt: skip
    if row is not None:
        message = mail.render(
            MAILS / "login", settings.current(), to=row["email"], language=asked.language,
            link=f"{settings.current().public_url}/login/{secret}",
            minutes=int(LIFETIME.total_seconds() // 60),
        )  # fmt: skip
        await mail.send(message, settings.current())


async def is_open(secret: str) -> bool:
    """Whether this link still signs in. Reading it changes nothing: scanners open every link."""
    async with db.connection() as reader:
        found: bool = await reader.fetchval(
            "SELECT EXISTS (SELECT FROM login_link "
            "WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now())",
            secrets.digest(secret),
        )
        return found


async def enter(secret: str, user_agent: str) -> tuple[str, str]:
    """Use the link: a new session's secret, and the path to go to.

    :raises errors.Gone: when the link was used, has expired or never was.
    """
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            "UPDATE login_link SET used_at = now() "
            "WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now() "
            "RETURNING account_id, next_path",
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
        return await sessions.open_session(row["account_id"], user_agent), row["next_path"]


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
