"""Which account a person of the provider is."""

from datetime import datetime

import asyncpg
import msgspec

from directory import db, errors, settings
from directory.accounts import audit, login
from directory.accounts.actor import Actor
from directory.accounts.id_tokens import Person
from directory.accounts.provider import SignInFailed
from directory.languages import marked


class AccountUnknown(SignInFailed):
    """The provider knows the person, and nobody here is known to be them."""

    kind = "account-unknown"

    def __init__(self) -> None:
        super().__init__(
            marked(
                "Aucun compte d’ici ne correspond à celui de %(provider)s. Demandez un lien à "
                "l’adresse que la coopérative connaît."
            ),
            provider=settings.current().provider_name,
        )


class IdentityView(msgspec.Struct, frozen=True):
    """An account that is joined to the provider of the settings."""

    joined_at: datetime
    used_at: datetime


async def account_of(person: Person) -> int:
    """The account, joined to this person at the first time by a verified address.

    From then on subject and issuer alone count: an address may come to belong to somebody else.

    :raises AccountUnknown: for everything that is none, whatever the reason.
    """
    async with db.transaction() as opened:
        account_id: int | None = await opened.fetchval(
            "UPDATE identity i SET used_at = now() FROM account a"
            " WHERE i.issuer = $1 AND i.subject = $2 AND a.id = i.account_id"
            " RETURNING CASE WHEN a.disabled_at IS NULL THEN a.id END",
            person.issuer, person.subject,
        )  # fmt: skip
        account_id = account_id or await _join(opened, person)
    if account_id is None:
        raise AccountUnknown
    return account_id


async def _join(opened: asyncpg.Connection, person: Person) -> int | None:
    if not login.looks_like_address(person.email):
        return None
    row = await opened.fetchrow(
        "INSERT INTO identity (issuer, subject, account_id)"
        " SELECT $1, $2, id FROM account WHERE email = $3 AND disabled_at IS NULL"
        " ON CONFLICT DO NOTHING"
        " RETURNING account_id, (SELECT id FROM member m WHERE m.account_id = identity.account_id)"
        " AS member_id",
        person.issuer, person.subject, person.email,
    )  # fmt: skip
    if row is None:
        return None
    await opened.execute(
        "UPDATE account SET email_confirmed_at = coalesce(email_confirmed_at, now()) WHERE id = $1",
        row["account_id"],
    )
    actor = Actor(account_id=row["account_id"], member_id=row["member_id"])
    await audit.record(actor, "identity.joined", member_id=row["member_id"], subject="oidc")
    account_id: int = row["account_id"]
    return account_id


async def find_own(actor: Actor) -> IdentityView | None:
    account_id = actor.require_person()
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT created_at, used_at FROM identity WHERE account_id = $1 AND issuer = $2",
            account_id, settings.current().oidc_issuer,
        )  # fmt: skip
    return IdentityView(*row) if row else None


async def part(actor: Actor) -> None:
    """The account is no longer joined to the provider. :raises errors.NotFound: when it is not."""
    account_id = actor.require_person()
    async with db.transaction() as opened:
        gone = await opened.fetchval(
            "DELETE FROM identity WHERE account_id = $1 AND issuer = $2 RETURNING true",
            account_id, settings.current().oidc_issuer,
        )  # fmt: skip
        if not gone:
            raise errors.NotFound
        await audit.record(actor, "identity.parted", member_id=actor.member_id, subject="oidc")
