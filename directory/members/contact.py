"""The relay: members write to one another, and nobody is shown an address but by its owner.

Who writes shows theirs, as Reply-To. Visitors cannot: an address that nobody confirmed would let
anybody write in anybody's name.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from pathlib import Path
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, jobs, limits, mail, settings, signing
from directory.accounts import audit
from directory.accounts.actor import VISITOR, Actor, Permission
from directory.languages import SOURCE, marked
from directory.limits import Limit
from directory.members import drafts, posting, profiles
from directory.members.audiences import Level
from directory.members.posting import Outcome
from directory.members.views import MemberView

LONGEST = 3_000
JOINERS = "\u200c\u200d"
LOG_DAYS = 180
UNDO_WITHIN = timedelta(hours=1)
REFUSE, REPORT = "contact-refuse", "contact-report"
MAILS = Path(__file__).parent / "mails"
PER_SENDER = Limit("contact.sender", 10, timedelta(days=1))
PER_PAIR = Limit("contact.pair", 3, timedelta(days=1))
PER_RECIPIENT = Limit("contact.recipient", 20, timedelta(days=1))
PER_NETWORK = Limit("contact.network", 40, timedelta(days=1))


class ContactClosed(errors.NotFound):
    """No message goes to this member: who refuses it, from one person or from all, whose address
    takes none, who left, who is hidden and who never was give this one answer."""

    kind = "contact-closed"
    title = marked("Ce message ne peut pas partir")

    def __init__(self) -> None:
        super().__init__(marked("Cette personne ne reçoit pas de message par l’annuaire."))


class KeyUsed(errors.Conflict):
    """The key stands for another message already. Nothing was sent."""

    kind = "key-used"

    def __init__(self) -> None:
        super().__init__(
            marked(
                "Un autre message est déjà parti de cette page. Celui-ci n’est pas parti : "
                "relisez-le, puis envoyez-le."
            )
        )


class MessageDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    body: Annotated[str, msgspec.Meta(description="Plain text, 1 to 3,000 characters.")]


class MessageReceipt(msgspec.Struct, frozen=True):
    """The message waits to be sent. What becomes of it is not told: it says too much."""

    id: int
    asked_at: datetime


class MessageQueued(msgspec.Struct, frozen=True):
    message_id: int


class MessageReported(msgspec.Struct, frozen=True):
    message_id: int


class Refused(msgspec.Struct, frozen=True):
    """A person whose messages a member refuses; name is None for who is no member any more."""

    account_id: int
    name: str | None
    refused_at: datetime


class Choices(msgspec.Struct, frozen=True):
    """What a member chose about being written to and reminded."""

    takes_messages: bool
    takes_reminders: bool
    refused: list[Refused]


class Link(msgspec.Struct, frozen=True):
    """What the holder of a message's link sees of it."""

    sender: str
    asked_at: datetime
    is_refused: bool
    can_undo: bool
    is_reported: bool


# $1 member, $2 account of the sender. One row when the message may go.
_OPEN = """
    SELECT a.email::text AS email, a.language
    FROM member m JOIN account a ON a.id = m.account_id
    WHERE m.id = $1 AND m.left_on IS NULL AND m.takes_messages AND a.id <> $2
      AND a.disabled_at IS NULL AND a.email_confirmed_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email)
      AND NOT EXISTS (SELECT FROM contact_refusal r WHERE r.member_id = m.id AND r.sender_id = $2)
"""


async def is_open(actor: Actor, member_id: int) -> bool:
    """Whether the actor may write to this member, as far as the two of them are concerned."""
    if not actor.may(Permission.WRITE_TO_MEMBER) or actor.member_id == member_id:
        return False
    async with db.connection() as reader:
        return await reader.fetchrow(_OPEN, member_id, actor.account_id) is not None


async def is_open_to_others(actor: Actor, member_id: int, nearness: Level) -> bool:
    """The same for one's own page, as somebody so near sees it."""
    await profiles.require_own(actor, member_id)
    async with db.connection() as reader:
        is_open = await reader.fetchrow(_OPEN, member_id, 0) is not None
    return is_open and Level.MEMBER <= nearness < Level.SELF


async def require_open(actor: Actor, member_id: int, language: str = SOURCE) -> MemberView:
    """The member, if the actor may write to them. :raises ContactClosed: whatever the reason."""
    actor.require(Permission.WRITE_TO_MEMBER)
    try:
        view = await profiles.get(actor, member_id, language)
    except errors.NotFound:
        raise ContactClosed from None
    if not await is_open(actor, member_id):
        raise ContactClosed
    return view


def new_key() -> str:
    """For a form: nobody guesses it, and each form has its own."""
    return secrets.token_urlsafe(16)


async def write(
    actor: Actor, member_id: int, draft: MessageDraft, network: str = "", key: str = ""
) -> MessageReceipt:
    """Take a message for a member; a job sends it.

    :param key: what the sender calls this message. Sent again under its key it is the same one:
        its receipt comes back, and no second mail goes out.
    :raises ContactClosed: for who takes none. :raises errors.TooMany: past a limit.
    :raises errors.Malformed: for its text. :raises KeyUsed: for another message under the key.
    """
    actor.require(Permission.WRITE_TO_MEMBER)
    body = _text(draft.body)
    _reply_to(actor.email)
    named, said = _prints(key, member_id, body) if key else (None, None)
    async with db.transaction() as opened:
        if named and (known := await _known(opened, actor, named, said)):
            return known
        await require_open(actor, member_id)
        row = await opened.fetchrow(
            "INSERT INTO contact_message (sender_id, recipient_id, body, key, said)"
            " VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (sender_id, key) WHERE key IS NOT NULL DO NOTHING"
            " RETURNING id, asked_at",
            actor.account_id, member_id, body, named, said,
        )  # fmt: skip
        if row is None:  # the same form came a second time while the first was being kept
            known = await _known(opened, actor, named, said)
            assert known is not None  # noqa: S101 - for mypy: the index says that it is there
            return known
        await _count(actor, member_id, network)
        # Without the recipient: who wrote to whom is not kept as long as the audit log.
        await audit.record(actor, "message.written", subject=f"message:{row['id']}")
        await jobs.emit(MessageQueued(row["id"]))
    return MessageReceipt(row["id"], row["asked_at"])


def _prints(key: str, member_id: int, body: str) -> tuple[bytes, bytes]:
    said = hmac.new(settings.current().secret, f"{member_id}\0{body}".encode(), hashlib.sha256)
    return hashlib.sha256(key.encode(errors="replace")).digest(), said.digest()


async def _known(
    opened: asyncpg.Connection, actor: Actor, key: bytes | None, said: bytes | None
) -> MessageReceipt | None:
    """The message that the actor sent under this key.

    :raises KeyUsed: when it said another thing.
    """
    row = await opened.fetchrow(
        "SELECT id, asked_at, said FROM contact_message WHERE sender_id = $1 AND key = $2",
        actor.account_id, key,
    )  # fmt: skip
    if row is None:
        return None
    if row["said"] != said:
        raise KeyUsed
    return MessageReceipt(row["id"], row["asked_at"])


async def _count(actor: Actor, member_id: int, network: str) -> None:
    await limits.take(PER_SENDER, actor.account_id or 0)
    await limits.take(PER_PAIR, actor.account_id or 0, member_id)
    await limits.take(PER_RECIPIENT, member_id)
    if network:
        await limits.take(PER_NETWORK, network)


def _text(typed: str) -> str:
    cleaned = typed.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not cleaned:
        raise errors.Malformed.field("body", marked("Écrivez votre message."))
    return drafts.checked("body", cleaned, LONGEST)


def _reply_to(email: str) -> str:
    """The sender's address, if it stands in a header as one address.

    :raises errors.Malformed: for any other.
    """
    try:
        is_one = str(Address(addr_spec=email)) == email
    except (ValueError, IndexError, MessageError):
        is_one = False
    if not is_one:
        raise errors.Malformed.field(
            "email",
            marked("Votre adresse ne peut pas recevoir de réponse. Changez-la, puis réécrivez."),
        )
    return mail.header_text("email", email)


# Claimed before anything is said to the relay. What another run left in `sending` is in doubt:
# it may have arrived, and goes no second time.
_CLAIM = """
    UPDATE contact_message SET
        state = CASE WHEN state = 'queued' THEN 'sending' ELSE 'in_doubt' END::contact_state,
        done_at = CASE WHEN state = 'queued' THEN NULL ELSE now() END
    WHERE id = $1 AND state IN ('queued', 'sending')
    RETURNING sender_id, recipient_id, body, state::text AS state
"""
_SENDER = """
    SELECT a.email::text AS email, m.id AS member_id, m.display_name
    FROM account a LEFT JOIN member m ON m.account_id = a.id
    WHERE a.id = $1 AND a.disabled_at IS NULL AND a.email_confirmed_at IS NOT NULL
"""


@jobs.on(MessageQueued)
async def deliver(queued: MessageQueued) -> None:
    """Send one message, at most once. Its text is forgotten with the last word on it."""
    async with db.transaction() as opened:
        row = await opened.fetchrow(_CLAIM, queued.message_id)
        if row is None:
            return
        sender = await opened.fetchrow(_SENDER, row["sender_id"])
        recipient = await opened.fetchrow(_OPEN, row["recipient_id"], row["sender_id"])
    if row["state"] == "in_doubt":
        await _end(queued.message_id, "in_doubt")
        return
    if sender is None or recipient is None:
        await _end(queued.message_id, "dropped")
        return
    outcome = await posting.post(_letter(queued.message_id, row["body"], sender, recipient))
    if outcome is Outcome.LATER:
        async with db.transaction() as opened:
            await opened.execute(
                "UPDATE contact_message SET state = 'queued' WHERE id = $1", queued.message_id
            )
        raise posting.RelayAway
    await _end(queued.message_id, outcome.value)


async def _end(message_id: int, state: str) -> None:
    async with db.transaction() as opened:
        await opened.execute(
            "UPDATE contact_message SET state = $2::contact_state, body = '', done_at = now()"
            " WHERE id = $1",
            message_id,
            state,
        )


def _letter(
    message_id: int, body: str, sender: asyncpg.Record, recipient: asyncpg.Record
) -> mail.Message:
    current = settings.current()
    name = _plain(sender["display_name"] or sender["email"])
    message = mail.render(
        MAILS / "message", current, to=recipient["email"], language=recipient["language"] or SOURCE,
        name=name, body=body, email=sender["email"],
        profile=_page(sender["member_id"]),
        refuse=current.public_url + _path(REFUSE, message_id),
        report=current.public_url + _path(REPORT, message_id),
    )  # fmt: skip
    headers = {"Message-ID": _message_id(message_id, current.mail_from)}
    return msgspec.structs.replace(message, reply_to=_reply_to(sender["email"]), headers=headers)


def _page(member_id: int | None) -> str:
    return f"{settings.current().public_url}/members/{member_id}" if member_id else ""


def _plain(name: str) -> str:
    """A name on one line, without characters that nobody sees but those that join letters."""
    seen = (c if c.isprintable() or c in JOINERS else " " for c in name)
    return " ".join("".join(seen).split())


def _message_id(message_id: int, mail_from: str) -> str:
    token = signing.sign(settings.current().secret, "contact-id", message_id)
    return f"<message.{token}@{mail_from.rpartition('@')[2]}>"


def _path(purpose: str, message_id: int) -> str:
    folder = {REFUSE: "refuse", REPORT: "report"}[purpose]
    return f"/messages/{folder}/{signing.sign(settings.current().secret, purpose, message_id)}"


def _read(purpose: str, token: str) -> int:
    """:raises errors.NotFound: for a token that was not signed for this."""
    (message_id,) = signing.verify(settings.current().secret, purpose, token)
    return int(message_id)


async def look(purpose: str, token: str) -> Link:
    """:raises errors.NotFound: for another token, and once the message is forgotten."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            """
            SELECT coalesce(s.display_name, a.email::text) AS sender, c.asked_at,
                EXISTS (SELECT FROM contact_refusal r WHERE r.member_id = c.recipient_id
                    AND r.sender_id = c.sender_id) AS is_refused,
                EXISTS (SELECT FROM contact_refusal r WHERE r.member_id = c.recipient_id
                    AND r.sender_id = c.sender_id
                    AND r.refused_at > now() - $2::interval) AS can_undo,
                c.reported_at IS NOT NULL AS is_reported
            FROM contact_message c JOIN account a ON a.id = c.sender_id
            LEFT JOIN member s ON s.account_id = a.id WHERE c.id = $1
            """,
            _read(purpose, token), UNDO_WITHIN,
        )  # fmt: skip
    if row is None:
        raise errors.NotFound(marked("Ce message n’est plus dans notre registre."))
    return msgspec.convert({**row, "sender": _plain(row["sender"])}, Link)


async def refuse_by_link(token: str, *, is_refused: bool) -> None:
    """No further message from its sender; or again, while UNDO_WITHIN lasts.

    An answer quotes the mail, and with it the link: its sender may hold it.

    :raises errors.NotFound: once the message is forgotten. :raises errors.Gone: when it is late.
    """
    message_id = _read(REFUSE, token)
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            "SELECT sender_id, recipient_id FROM contact_message WHERE id = $1", message_id
        )
        if row is None:
            raise errors.NotFound(marked("Ce message n’est plus dans notre registre."))
        if not is_refused and await opened.fetchval(
            "SELECT EXISTS (SELECT FROM contact_refusal WHERE member_id = $1 AND sender_id = $2 "
            "AND refused_at <= now() - $3::interval)",
            row["recipient_id"], row["sender_id"], UNDO_WITHIN,
        ):  # fmt: skip
            raise errors.Gone(
                marked("C’est trop tard pour revenir en arrière. Connectez-vous pour choisir.")
            )
        await _refuse(VISITOR, row["recipient_id"], row["sender_id"], is_refused=is_refused)


async def accept_again(actor: Actor, account_id: int) -> None:
    """Who is not refused is accepted already."""
    actor.require(Permission.EDIT_PROFILE)
    account_id = max(0, min(account_id, profiles.LARGEST_ID))
    async with db.transaction():
        await _refuse(actor, actor.require_member(), account_id, is_refused=False)


async def _refuse(actor: Actor, member_id: int, sender_id: int, *, is_refused: bool) -> None:
    query = (
        "INSERT INTO contact_refusal (member_id, sender_id) VALUES ($1, $2)"
        " ON CONFLICT DO NOTHING RETURNING true"
        if is_refused
        else "DELETE FROM contact_refusal WHERE member_id = $1 AND sender_id = $2 RETURNING true"
    )
    if await db.current().fetchval(query, member_id, sender_id):
        action = "sender.refused" if is_refused else "sender.accepted"
        await audit.record(actor, action, member_id=member_id)


async def report_by_link(token: str) -> None:
    """Tell the coordination of a message, once. Its text is not ours to show."""
    message_id = _read(REPORT, token)
    async with db.transaction() as opened:
        recipient_id = await opened.fetchval(
            "UPDATE contact_message SET reported_at = now() WHERE id = $1 AND reported_at IS NULL"
            " RETURNING recipient_id",
            message_id,
        )
        if recipient_id is not None:
            await audit.record(
                VISITOR, "message.reported", member_id=recipient_id, subject=f"message:{message_id}"
            )
            await jobs.emit(MessageReported(message_id))


@jobs.on(MessageReported)
async def tell_coordinators(reported: MessageReported) -> None:
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT c.asked_at, c.recipient_id, r.display_name AS recipient, s.id AS sender_id,"
            " coalesce(s.display_name, a.email::text) AS sender FROM contact_message c"
            " JOIN member r ON r.id = c.recipient_id JOIN account a ON a.id = c.sender_id"
            " LEFT JOIN member s ON s.account_id = a.id WHERE c.id = $1",
            reported.message_id,
        )
        staff = await reader.fetch(
            "SELECT DISTINCT a.email::text AS email, a.language FROM access_grant g"
            " JOIN account a ON a.id = g.account_id"
            " WHERE g.role IN ('coordinator', 'administrator') AND g.scope = ''"
            " AND g.starts_on <= current_date AND (g.ends_on IS NULL OR g.ends_on >= current_date)"
            " AND a.disabled_at IS NULL ORDER BY email"
        )
    if row is None:
        return
    current = settings.current()
    for person in staff:
        message = mail.render(
            MAILS / "report", current, to=person["email"], language=person["language"] or SOURCE,
            sender=_plain(row["sender"]), recipient=_plain(row["recipient"]),
            number=reported.message_id,
            sender_page=_page(row["sender_id"]),
        )  # fmt: skip
        await posting.post(message)


async def choices(actor: Actor) -> Choices:
    """One's own."""
    actor.require(Permission.EDIT_PROFILE)
    member_id = actor.require_member()
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT takes_messages, takes_reminders FROM member WHERE id = $1", member_id
        )
        refused = await reader.fetch(
            "SELECT r.sender_id, m.display_name, r.refused_at FROM contact_refusal r"
            " LEFT JOIN member m ON m.account_id = r.sender_id WHERE r.member_id = $1"
            " ORDER BY r.refused_at DESC",
            member_id,
        )
    if row is None:
        raise errors.NotFound(profiles.NOBODY)
    return Choices(
        row["takes_messages"], row["takes_reminders"], [Refused(*each) for each in refused]
    )


async def set_own(actor: Actor, *, takes_messages: bool) -> None:
    actor.require(Permission.EDIT_PROFILE)
    member_id = actor.require_member()
    async with db.transaction() as opened:
        if await opened.fetchval(
            "UPDATE member SET takes_messages = $2 WHERE id = $1 AND takes_messages <> $2"
            " RETURNING true",
            member_id,
            takes_messages,
        ):
            await audit.record(
                actor, "profile.changed", member_id=member_id, fields=["takes_messages"]
            )


@jobs.every("37 3 * * *")
async def forget_old() -> None:
    """Who wrote to whom is of no use after half a year; a text that never went, after a week."""
    async with db.transaction() as opened:
        await opened.execute(
            "DELETE FROM contact_message WHERE asked_at < now() - make_interval(days => $1)",
            LOG_DAYS,
        )
        await opened.execute(
            "UPDATE contact_message SET body = '', state = 'failed', done_at = now()"
            " WHERE state = 'queued' AND asked_at < now() - interval '7 days'"
        )
