"""Asking to join a filière that is on approval: what the person who asks does and sees.

The mails that they tick while asking are kept with the request, and given when it is accepted.
"""

import enum
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, limits
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.filieres import method, registry
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef, Openness
from directory.languages import marked
from directory.limits import Limit
from directory.members import drafts
from directory.subscriptions import consent, doors, ledger, memberships, notices
from directory.subscriptions.consent import Choice
from directory.subscriptions.ledger import Trace
from directory.subscriptions.topics import Rhythm, Topic

MESSAGE_LENGTH = 500
PER_MEMBER = Limit("joining.request", 10, timedelta(days=1))


class State(enum.Enum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class RequestedChoice(msgspec.Struct, frozen=True):
    """A mail to receive once in the filière. See the choices of `/me/consents`."""

    topic: Topic
    rhythm: Rhythm
    wording_id: consent.RowId


class RequestDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    message: Annotated[
        str, msgspec.Meta(description="To those who answer: 500 characters at most.")
    ] = ""
    choices: Annotated[list[RequestedChoice], msgspec.Meta(max_length=20)] = []
    method_version: (
        Annotated[
            int,
            msgspec.Meta(
                ge=1, le=method.LARGEST_VERSION,
                description="The current version of the method sheet, accepted by asking.",
            ),
        ]
        | None
    ) = None  # fmt: skip


class OwnRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One's own. `is_approved` while it is open: come in as soon as you have a place left.

    `reason` is what was answered; lapsed: the filière closed before.
    """

    id: int
    filiere: FiliereRef
    message: str
    choices: list[RequestedChoice]
    state: State
    is_approved: bool
    asked_at: datetime
    answered_at: datetime | None
    reason: str

    @property
    def asked_on(self) -> date:
        return self.asked_at.astimezone(ledger.ZONE).date()

    @property
    def answered_on(self) -> date | None:
        return self.answered_at.astimezone(ledger.ZONE).date() if self.answered_at else None


class NothingToAsk(errors.Conflict):
    """One cannot ask to join, or need not. The message says which."""

    kind = "nothing-to-ask"


_COLUMNS = """
    id, filiere_id, message, choices, state::text AS state, approved_at IS NOT NULL AS is_approved,
    asked_at, answered_at, reason
"""


async def ask(
    actor: Actor, slug: str, language: str, draft: RequestDraft, trace: Trace
) -> OwnRequest:
    """Ask to join. Asked again, it is the request that waits already, as it was.

    :raises NothingToAsk: where one walks in, or nobody may ask. :raises errors.Malformed: naming
        the field. :raises errors.TooMany: past PER_MEMBER. :raises method.MethodChanged: for an
        old sheet.
    """
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    message = text("message", draft.message)
    await consent.check(
        [Choice(slug, one.topic, one.rhythm, one.wording_id) for one in draft.choices]
    )
    async with db.transaction() as opened:
        await ledger.lock(opened, member_id)
        filiere_id = await _filiere_to_ask(opened, member_id, slug)
        row = await _find_open(opened, member_id, filiere_id)
        if row is None:
            await method.accept(opened, member_id, filiere_id, draft.method_version)
            await limits.take(PER_MEMBER, member_id)
            row = await opened.fetchrow(
                "INSERT INTO membership_request (filiere_id, member_id, message, choices, network)"  # noqa: S608 - own names
                f" VALUES ($1, $2, $3, $4::jsonb, $5) RETURNING {_COLUMNS}",
                filiere_id, member_id, message, msgspec.json.encode(draft.choices).decode(),
                trace.network,
            )  # fmt: skip
            assert row is not None  # noqa: S101 - for mypy: an insert returns its row
            subject = filiere_scope(filiere_id)
            await audit.record(actor, "joining.asked", member_id=member_id, subject=subject)
            await notices.ask_for_answer(opened, row["id"], filiere_id)
        return (await _views([row], language))[0]


def text(field: str, typed: str) -> str:
    """What was typed, fit to be kept. :raises errors.Malformed: naming the field."""
    cleaned = typed.replace("\r\n", "\n").replace("\r", "\n").strip()
    return drafts.checked(field, cleaned, MESSAGE_LENGTH)


async def _filiere_to_ask(opened: asyncpg.Connection, member_id: int, slug: str) -> int:
    door = await doors.find(opened, member_id, slug)
    if door.is_in:
        raise NothingToAsk(marked("Vous êtes déjà dans cette filière."))
    refused = memberships.refusal(door.stage, door.openness, has_pass=door.has_pass)
    if refused is None:
        raise NothingToAsk(marked("Rien à demander : vous pouvez entrer."))
    if not is_askable(door.stage, door.openness):
        raise refused
    return door.filiere_id


def is_askable(stage: Stage, openness: Openness) -> bool:
    return openness is Openness.APPROVAL and stage in memberships.JOINABLE


async def withdraw(actor: Actor, slug: str) -> None:
    """Take one's open request back. Who has none changes nothing."""
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    filiere = await registry.get(slug, "fr")
    async with db.transaction() as opened:
        await ledger.lock(opened, member_id)
        if await opened.fetchval(
            "UPDATE membership_request SET state = 'withdrawn', answered_at = now() "
            "WHERE member_id = $1 AND filiere_id = $2 AND state = 'open' RETURNING true",
            member_id, filiere.id,
        ):  # fmt: skip
            subject = filiere_scope(filiere.id)
            await audit.record(actor, "joining.withdrawn", member_id=member_id, subject=subject)


async def get(actor: Actor, slug: str, language: str) -> OwnRequest:
    """One's own last request to this filière. :raises errors.NotFound: when there is none."""
    actor.require(Permission.JOIN_FILIERE)
    filiere = await registry.get(slug, language)
    found = await find_last(actor.require_member(), filiere.id, language)
    if found is None:
        raise errors.NotFound(marked("Vous n’avez rien demandé à cette filière."))
    return found


async def find_last(member_id: int, filiere_id: int, language: str) -> OwnRequest | None:
    async with db.connection() as reader:
        row = await reader.fetchrow(
            f"SELECT {_COLUMNS} FROM membership_request"  # noqa: S608 - own names
            " WHERE member_id = $1 AND filiere_id = $2 ORDER BY id DESC LIMIT 1",
            member_id, filiere_id,
        )  # fmt: skip
        return (await _views([row], language))[0] if row else None


async def list_open(actor: Actor, language: str) -> list[OwnRequest]:
    """One's own that wait, the oldest first."""
    actor.require(Permission.JOIN_FILIERE)
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"SELECT {_COLUMNS} FROM membership_request"  # noqa: S608 - own names
            " WHERE member_id = $1 AND state = 'open' ORDER BY id",
            actor.require_member(),
        )
        return await _views(rows, language)


async def _find_open(
    reader: asyncpg.Connection, member_id: int, filiere_id: int
) -> asyncpg.Record | None:
    return await reader.fetchrow(
        f"SELECT {_COLUMNS} FROM membership_request"  # noqa: S608 - own names
        " WHERE member_id = $1 AND filiere_id = $2 AND state = 'open'",
        member_id, filiere_id,
    )  # fmt: skip


async def _views(rows: Sequence[asyncpg.Record], language: str) -> list[OwnRequest]:
    named = await registry.refs({row["filiere_id"] for row in rows}, language)
    return [
        msgspec.convert(
            {
                **row,
                "choices": msgspec.json.decode(row["choices"]),
                "filiere": named[row["filiere_id"]],
            },
            OwnRequest,
        )
        for row in rows
    ]
