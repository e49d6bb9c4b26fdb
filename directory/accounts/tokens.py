"""API tokens, for programs: made by a person at a screen or by the operator, shown once."""

import secrets as randomness
import string
import unicodedata
import zlib
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, jobs, limits
from directory.accounts import audit, secrets
from directory.accounts.actor import VISITOR, Actor, Scope
from directory.languages import marked
from directory.limits import Limit

# Searchers of leaked secrets find it by its form: the prefix, 40 characters, a check sum of six.
PREFIX = "fil_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 40
CHECK_LENGTH = 6
ENDING_LENGTH = 4

LONGEST_DAYS = 365
USUAL_DAYS = 90
NAME_LENGTH = 80
MOST_LIVE = 20
KEPT_AFTER_END = timedelta(days=90)
OFTEN = Limit("token.create", 30, timedelta(days=1))
LARGEST_ID = 2**63 - 1

WORDS = {
    Scope.MEMBERS_READ: marked("Lire l’annuaire, les filières et l’agenda comme vous les voyez."),
    Scope.PROFILE_WRITE: marked("Changer votre fiche, vos filières et vos choix de mails."),
    Scope.FILIERES_WRITE: marked("Changer l’étape des filières."),
    Scope.MAILINGS_WRITE: marked("Écrire aux membres des filières que vous animez."),
    Scope.EVENTS_WRITE: marked("Tenir l’agenda de vos filières."),
    Scope.VOCABULARY_WRITE: marked("Tenir la liste des métiers."),
    Scope.MEMBERS_IMPORT: marked("Importer des membres."),
    Scope.OBSERVATORY_READ: marked("Lire les chiffres de l’observatoire."),
    Scope.WEBHOOKS_WRITE: marked("Abonner un programme à ce qui change."),
}


class TokenDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to make. It ends after so many days, at most a year."""

    name: Annotated[str, msgspec.Meta(description="What it is for: 1 to 80 characters.")]
    scopes: list[Scope]
    days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS)] = USUAL_DAYS


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token as its owner reads it. `used_at` is to five minutes.

    `ending` are the last characters of its secret, which is kept nowhere.
    """

    id: int
    name: str
    ending: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.expires_at > datetime.now(UTC)

    @property
    def expires_on(self) -> date:
        return self.expires_at.date()


class NewToken(TokenView, frozen=True, kw_only=True):
    """`secret` is shown this once."""

    secret: str


class OwnedToken(TokenView, frozen=True, kw_only=True):
    """A token with the address of its account, for the operator."""

    email: str


class TokenMade(msgspec.Struct, frozen=True):
    token_id: int


class TokensFull(errors.Conflict):
    """An account has as many live tokens as one may have."""

    kind = "tokens-full"


_COLUMNS = "id, name, ending, scopes, created_at, expires_at, used_at, revoked_at"


async def issue(actor: Actor, draft: TokenDraft) -> NewToken:
    """A new token of one's own. A token cannot make another: it would outlive its own end.

    :raises errors.Malformed: naming the field. :raises TokensFull: with MOST_LIVE live ones.
    """
    account_id = actor.require_person()
    scopes = _scopes(actor, draft.scopes)
    name = _name(draft.name)
    async with db.transaction():
        await limits.take(OFTEN, account_id)
        return await _make(actor, account_id, name, scopes, timedelta(days=draft.days))


async def create(
    email: str,
    scopes: Collection[Scope],
    name: str = "filieres token create",
    days: int = LONGEST_DAYS,
) -> str:
    """A new token's secret for the account of this address: the operator's way, by nobody.

    :raises errors.NotFound: when nobody has this address. :raises TokensFull: as above.
    """
    async with db.transaction() as opened:
        account_id = await opened.fetchval("SELECT id FROM account WHERE email = $1", email)
        if account_id is None:
            raise no_account(email)
        lifetime = timedelta(days=min(days, LONGEST_DAYS))
        return (await _make(VISITOR, account_id, name, scopes, lifetime)).secret


async def list_own(actor: Actor) -> list[TokenView]:
    """One's tokens, the newest first; those that ended too, for KEPT_AFTER_END."""
    account_id = actor.require_person()
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"SELECT {_COLUMNS} FROM api_token WHERE account_id = $1 ORDER BY id DESC",  # noqa: S608 - own names
            account_id,
        )
    return [msgspec.convert(dict(row), TokenView) for row in rows]


async def revoke(actor: Actor, token_id: int) -> None:
    """End one's own token at once. One that has ended stays so.

    :raises errors.NotFound: for what is not there, and what is another's.
    """
    account_id = actor.require_person()
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            "SELECT revoked_at FROM api_token WHERE id = $1 AND account_id = $2 FOR UPDATE",
            token_id if 0 < token_id <= LARGEST_ID else 0, account_id,
        )  # fmt: skip
        if row is None:
            raise errors.NotFound(marked("Ce jeton n’existe pas, ou n’est pas à vous."))
        if row["revoked_at"] is None:
            await _end(opened, actor, token_id)


async def list_all(email: str = "") -> list[OwnedToken]:
    """Every token, or an account's, for the operator: the newest first."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT t.*, a.email::text AS email FROM api_token t JOIN account a "
            "ON a.id = t.account_id WHERE $1 = '' OR a.email = $1 ORDER BY t.id DESC",
            email,
        )
    return [msgspec.convert(dict(row), OwnedToken) for row in rows]


async def revoke_any(which: str) -> int:
    """End a token by its number, or by its secret where one was found lying about; its number.

    :raises errors.NotFound: when there is none.
    """
    number = int(which) if which.isdecimal() and len(which) < 19 else 0
    async with db.transaction() as opened:
        token_id: int | None = await opened.fetchval(
            "SELECT id FROM api_token WHERE (id = $1 OR token_hash = $2) AND revoked_at IS NULL "
            "FOR UPDATE",
            number, secrets.digest(which),
        )  # fmt: skip
        if token_id is None:
            raise errors.NotFound(marked("Aucun jeton en service n’a ce numéro ni ce texte."))
        await _end(opened, VISITOR, token_id)
    return token_id


def is_well_formed(secret: str) -> bool:
    """Whether the text can be a token of ours: its form and its check sum."""
    body = secret.removeprefix(PREFIX)
    return (
        secret.startswith(PREFIX)
        and len(body) == RANDOM_LENGTH + CHECK_LENGTH
        and _check_sum(body[:RANDOM_LENGTH]) == body[RANDOM_LENGTH:]
    )


def no_account(email: str) -> errors.NotFound:
    return errors.NotFound(marked("Aucun compte n’a l’adresse %(email)s."), email=email)


@jobs.every("43 3 * * *")
async def forget_ended() -> None:
    async with db.transaction() as opened:
        await opened.execute(
            "DELETE FROM api_token WHERE least(expires_at, revoked_at) < now() - $1::interval",
            KEPT_AFTER_END,
        )


async def _make(
    actor: Actor, account_id: int, name: str, scopes: Collection[Scope], lifetime: timedelta
) -> NewToken:
    secret = _secret()
    moment = datetime.now(UTC)
    opened = db.current()
    # One after the other: two clicks make no token too many.
    await opened.execute("SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE", account_id)
    live = await opened.fetchval(
        "SELECT count(*) FROM api_token "
        "WHERE account_id = $1 AND revoked_at IS NULL AND expires_at > now()",
        account_id,
    )
    if live >= MOST_LIVE:
        raise TokensFull(
            marked("Ce compte a déjà %(most)s jetons en service. Révoquez-en un d’abord."),
            most=MOST_LIVE,
        )
    row = await opened.fetchrow(
        "INSERT INTO api_token"  # noqa: S608 - own names
        " (account_id, name, token_hash, ending, scopes, created_at, expires_at)"
        f" VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING {_COLUMNS}",
        account_id, name, secrets.digest(secret), secret[-ENDING_LENGTH:],
        sorted(scope.value for scope in scopes), moment, moment + lifetime,
    )  # fmt: skip
    made = msgspec.convert({**dict(row or {}), "secret": secret}, NewToken)
    await _note(opened, actor, "token.created", made.id)
    await jobs.emit(TokenMade(made.id))
    return made


async def _end(opened: asyncpg.Connection, actor: Actor, token_id: int) -> None:
    await opened.execute("UPDATE api_token SET revoked_at = now() WHERE id = $1", token_id)
    await _note(opened, actor, "token.revoked", token_id)


async def _note(opened: asyncpg.Connection, actor: Actor, action: str, token_id: int) -> None:
    member_id = await opened.fetchval(
        "SELECT m.id FROM api_token t JOIN member m ON m.account_id = t.account_id WHERE t.id = $1",
        token_id,
    )
    await audit.record(actor, action, member_id=member_id, subject=f"token:{token_id}")


def _secret() -> str:
    body = "".join(randomness.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    return PREFIX + body + _check_sum(body)


def _check_sum(body: str) -> str:
    """CRC-32 of the random part, in base 62."""
    number, digits = zlib.crc32(body.encode(errors="replace")), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def _scopes(actor: Actor, asked: Collection[Scope]) -> list[Scope]:
    if not asked:
        raise errors.Malformed.field("scopes", marked("Choisissez au moins un droit."))
    for scope in asked:
        if scope not in actor.usable_scopes:
            raise errors.Malformed.field(
                "scopes",
                marked("Votre compte n’a pas l’usage du droit « %(scope)s »."), scope=scope.value,
            )  # fmt: skip
    return list(dict.fromkeys(asked))


def _name(typed: str) -> str:
    name = " ".join(typed.split())
    if not name:
        raise errors.Malformed.field(
            "name", marked("Dites à quoi il sert, par exemple « site de la coopérative ».")
        )
    if len(name) > NAME_LENGTH:
        raise errors.Malformed.field(
            "name", marked("Écrivez %(bound)s signes au plus."), bound=NAME_LENGTH
        )
    if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in name):
        raise errors.Malformed.field(
            "name",
            marked("Un signe invisible s’est glissé dans ce texte. Écrivez-le à nouveau."),
        )
    return name
