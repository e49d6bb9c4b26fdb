"""Double opt-in: no mailing goes to an address before somebody who reads there says so."""

from datetime import timedelta
from pathlib import Path

import msgspec

from directory import db, errors, jobs, limits, mail, settings
from directory.accounts import audit
from directory.accounts.actor import VISITOR, Actor, Permission
from directory.languages import SOURCE
from directory.limits import Limit
from directory.members import posting
from directory.members.posting import Outcome
from directory.subscriptions import links

MAILS = Path(__file__).parent / "mails"
MAILS_A_DAY = Limit("address-mail", 3, timedelta(days=1))


class AddressUnconfirmed(msgspec.Struct, frozen=True):
    """A member wants mails at an address that nobody has confirmed."""

    member_id: int


class Address(msgspec.Struct, frozen=True):
    """An address to confirm, for whoever holds the link that was sent to it."""

    email: str
    is_confirmed: bool


async def ask(member_id: int) -> None:
    """Write to the member's address, if it needs confirming, once the transaction is committed."""
    if await is_needed(member_id):
        await jobs.emit(AddressUnconfirmed(member_id))


async def ask_again(actor: Actor) -> None:
    """:raises errors.TooMany: after as many mails as a day allows."""
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    async with db.transaction():
        if await is_needed(member_id):
            await limits.take(MAILS_A_DAY, "asked", member_id)
            await jobs.emit(AddressUnconfirmed(member_id))


async def is_needed(member_id: int) -> bool:
    async with db.connection() as reader:
        needed: bool = await reader.fetchval(
            "SELECT EXISTS (SELECT FROM member m JOIN account a ON a.id = m.account_id "
            "WHERE m.id = $1 AND a.email_confirmed_at IS NULL AND a.disabled_at IS NULL)",
            member_id,
        )
    return needed


@jobs.on(AddressUnconfirmed)
async def write(unconfirmed: AddressUnconfirmed) -> None:
    """One mail for several choices in a row, and never more than a few a day."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT a.id, a.email::text AS email, a.language FROM member m "
            "JOIN account a ON a.id = m.account_id WHERE m.id = $1 AND m.left_on IS NULL "
            "AND a.email_confirmed_at IS NULL AND a.disabled_at IS NULL "
            "AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email)",
            unconfirmed.member_id,
        )
    if row is None or not await limits.has_room(MAILS_A_DAY, unconfirmed.member_id):
        return
    current = settings.current()
    message = mail.render(
        MAILS / "address", current, to=row["email"], language=row["language"] or SOURCE,
        link=current.public_url + links.address_path(current.secret, row["id"], row["email"]),
        days=links.ADDRESS_LIFETIME.days,
    )  # fmt: skip
    if await posting.post(message) is Outcome.LATER:
        raise posting.RelayAway


async def find(token: str) -> Address:
    """What a link of such a mail is for. Reading it confirms nothing.

    :raises errors.NotFound: for another token, or an address that is not the account's any more.
    :raises errors.Gone: when it has expired.
    """
    invited = links.read_address(settings.current().secret, token)
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT email::text AS email, email_confirmed_at IS NOT NULL AS is_confirmed "
            "FROM account WHERE id = $1 AND disabled_at IS NULL",
            invited.id,
        )
    if row is None or links.address_digest(row["email"]) != invited.address:
        raise errors.NotFound
    return Address(row["email"], row["is_confirmed"])


async def confirm(token: str) -> None:
    """The holder of the link reads at that address. Doing it twice changes nothing."""
    address = await find(token)
    invited = links.read_address(settings.current().secret, token)
    async with db.transaction() as opened:
        confirmed = await opened.fetchval(
            "UPDATE account SET email_confirmed_at = now() WHERE id = $1 AND email = $2 "
            "AND email_confirmed_at IS NULL "
            "RETURNING (SELECT m.id FROM member m WHERE m.account_id = account.id)",
            invited.id, address.email,
        )  # fmt: skip
        if confirmed:
            await audit.record(VISITOR, "address.confirmed", member_id=confirmed)
