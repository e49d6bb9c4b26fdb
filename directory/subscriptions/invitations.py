"""Inviting members into a filière. An invitation joins nobody: it opens the door for 30 days.

Whoever invites learns nothing that they may not see: neither whose an address is, nor who is in
the filière already.
"""

import enum
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, jobs, limits
from directory.accounts import audit
from directory.accounts.actor import VISITOR, Actor, Permission, filiere_scope
from directory.filieres import registry
from directory.filieres.registry import FiliereRef, Openness
from directory.http.listing import Listing
from directory.languages import SOURCE, marked
from directory.limits import Limit
from directory.members import audiences, profiles
from directory.members.audiences import Field
from directory.members.views import MemberCard
from directory.subscriptions import answers, ledger, memberships, notices, passes, requests

PER_ANIMATOR = Limit("joining.invitation", 20, timedelta(days=1))
QUIET = timedelta(days=30)  # who declined is left alone for as long
MOST_FOUND = 12
LONGEST_WHO = 254


class State(enum.Enum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class InvitationDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to invite: the number of a member whom one sees, or an address."""

    member_id: int | None = None
    email: Annotated[str, msgspec.Meta(description="The answer is the same for any address.")] = ""
    message: Annotated[str, msgspec.Meta(description="500 characters at most.")] = ""


class Invited(msgspec.Struct, frozen=True):
    id: int
    display_name: str


class SentInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """As those who run the filière see it. Those by address are never listed."""

    id: int
    member: Invited
    message: str
    state: State
    invited_at: datetime

    @property
    def invited_on(self) -> date:
        return self.invited_at.astimezone(ledger.ZONE).date()


class OwnInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """`by` is who invites; null for who is no member any more, or does not show their name to the
    invited. It is good until `ends_on`."""

    filiere: FiliereRef
    by: str | None
    message: str
    invited_at: datetime

    @property
    def ends_on(self) -> date:
        return (self.invited_at + passes.VALID).astimezone(ledger.ZONE).date()


class LeftAlone(errors.Conflict):
    """The member declined not long ago."""

    kind = "left-alone"

    def __init__(self) -> None:
        super().__init__(
            marked("Cette personne a décliné il y a moins de %(days)s jours. Laissez-la venir."),
            days=QUIET.days,
        )


async def invite(actor: Actor, slug: str, draft: InvitationDraft) -> None:
    """Invite one member. An address that is nobody's, or of who is in, gives the same answer.

    :raises errors.Malformed: naming the field. :raises LeftAlone: for a member by number.
    :raises errors.TooMany: past PER_ANIMATOR. :raises memberships.NotOpen: when it is closed.
    """
    filiere = await answers.require_tended(actor, slug, SOURCE)
    if refused := memberships.refusal(filiere.stage, Openness.OPEN):
        raise refused
    message = requests.text("message", draft.message)
    email = draft.email.strip()
    if (draft.member_id is None) is not bool(email):
        raise errors.Malformed.field("email", marked("Choisissez un membre, ou une adresse."))
    if email and ("@" not in email or len(email) > LONGEST_WHO):
        raise errors.Malformed.field(
            "email", marked("Écrivez une adresse, par exemple %(example)s."),
            example="prenom@exemple.be",
        )  # fmt: skip
    async with db.transaction() as opened:
        await limits.take(PER_ANIMATOR, actor.account_id or 0, filiere.id)
        if draft.member_id is not None:
            member_id = (await profiles.get(actor, draft.member_id)).id
            await _invite(opened, actor, filiere.id, member_id, message, is_by_address=False)
        else:
            # The animator's own log says the same for any address, and not of whom it is.
            await audit.record(actor, "joining.invited", subject=filiere_scope(filiere.id))
            if (found := await _of_address(opened, email)) is not None:
                await _invite(opened, actor, filiere.id, found, message, is_by_address=True)


async def _of_address(opened: asyncpg.Connection, email: str) -> int | None:
    member_id: int | None = await opened.fetchval(
        "SELECT m.id FROM account a JOIN member m ON m.account_id = a.id "
        "WHERE a.email = $1 AND a.disabled_at IS NULL AND m.left_on IS NULL",
        email.replace("\0", ""),
    )
    return member_id


# One by number takes the place of one by address and is listed, as if that one were not there: it
# would tell whose the address is.
_PUT = """
    INSERT INTO filiere_invitation AS i (filiere_id, member_id, invited_by, is_by_address, message)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (member_id, filiere_id) WHERE state = 'open' DO UPDATE
    SET invited_by = excluded.invited_by, is_by_address = false, message = excluded.message,
        invited_at = now()
    WHERE i.is_by_address AND NOT excluded.is_by_address RETURNING i.id, xmax = 0 AS is_new
"""


async def _invite(
    opened: asyncpg.Connection,
    actor: Actor,
    filiere_id: int,
    member_id: int,
    message: str,
    *,
    is_by_address: bool,
) -> None:
    await ledger.lock(opened, member_id)
    # Nor does it know what was declined by address.
    declined = await opened.fetchval(
        "SELECT EXISTS (SELECT FROM filiere_invitation WHERE member_id = $1 AND filiere_id = $2 "
        "AND state = 'declined' AND answered_at > now() - $3::interval "
        "AND ($4::boolean OR NOT is_by_address))",
        member_id, filiere_id, QUIET, is_by_address,
    )  # fmt: skip
    if declined and is_by_address:
        return
    if declined:
        raise LeftAlone
    await opened.execute(
        "UPDATE filiere_invitation SET state = 'lapsed', answered_at = now() WHERE member_id = $1 "
        "AND filiere_id = $2 AND state = 'open' AND invited_at <= now() - $3::interval",
        member_id, filiere_id, passes.VALID,
    )  # fmt: skip
    row = await opened.fetchrow(
        _PUT, filiere_id, member_id, actor.account_id, is_by_address, message
    )
    if row is None:
        return
    by = VISITOR if is_by_address else actor
    subject = filiere_scope(filiere_id)
    await audit.record(by, "joining.invited", member_id=member_id, subject=subject)
    if row["is_new"]:
        await jobs.emit(notices.MemberInvited(row["id"]))


async def find_invitable(actor: Actor, slug: str, q: str, language: str) -> list[MemberCard]:
    """Members whose name, as the actor may see it, has all words of `q`; by name."""
    await answers.require_tended(actor, slug, SOURCE)
    words = q.replace("\0", " ").split()
    if not words:
        return []
    level = audiences.sql_level("p.id", "$2::bigint", "$3::integer")
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"""
            SELECT p.id FROM member p
            WHERE p.left_on IS NULL AND p.id IS DISTINCT FROM $2::bigint
              AND {audiences.sql_visible(Field.DISPLAY_NAME, "p.audiences", f"({level})")}
              AND NOT EXISTS (SELECT FROM unnest($1::text[]) AS word
                WHERE strpos(unaccent(lower(p.display_name)), unaccent(lower(word))) = 0)
            ORDER BY unaccent(lower(p.display_name)), p.id LIMIT $4
            """,  # noqa: S608 - own names
            words, audiences.own_id(actor), audiences.standing(actor), MOST_FOUND,
        )  # fmt: skip
    return await profiles.cards(actor, [row["id"] for row in rows], language)


async def list_sent(
    actor: Actor, slug: str, *, page: int = 1, limit: int = 50
) -> Listing[SentInvitation]:
    """The newest first, of members whom the actor sees, and whom they invited as members."""
    filiere = await answers.require_tended(actor, slug, SOURCE)
    level = audiences.sql_level("p.id", "$2::bigint", "$3::integer")
    shown = f"""
        FROM filiere_invitation i JOIN member p ON p.id = i.member_id
        WHERE i.filiere_id = $1 AND NOT i.is_by_address AND p.left_on IS NULL
          AND {audiences.sql_visible(Field.DISPLAY_NAME, "p.audiences", f"({level})")}
    """
    who = (filiere.id, audiences.own_id(actor), audiences.standing(actor))
    async with db.connection() as reader:
        total = await reader.fetchval(f"SELECT count(*) {shown}", *who)
        rows = await reader.fetch(
            f"SELECT i.id, i.member_id, p.display_name, i.message, i.state::text AS state,"
            f" i.invited_at {shown} ORDER BY i.id DESC LIMIT $4 OFFSET $5",
            *who, limit, (page - 1) * limit,
        )  # fmt: skip
    return Listing([_sent(row) for row in rows], total, page, limit)


def _sent(row: asyncpg.Record) -> SentInvitation:
    member = Invited(row["member_id"], row["display_name"])
    return msgspec.convert({**row, "member": member}, SentInvitation)


async def withdraw(actor: Actor, slug: str, invitation_id: int) -> None:
    """:raises errors.NotFound: for one that is answered, and one that is not listed."""
    filiere = await answers.require_tended(actor, slug, SOURCE)
    async with db.transaction() as opened:
        member_id = 0 < invitation_id <= profiles.LARGEST_ID and await opened.fetchval(
            "UPDATE filiere_invitation SET state = 'withdrawn', answered_at = now() "
            "WHERE id = $1 AND filiere_id = $2 AND state = 'open' AND NOT is_by_address "
            "RETURNING member_id",
            invitation_id, filiere.id,
        )  # fmt: skip
        if not member_id:
            raise errors.NotFound(marked("Cette invitation n’attend plus de réponse."))
        subject = filiere_scope(filiere.id)
        await audit.record(actor, "joining.uninvited", member_id=member_id, subject=subject)


_OWN = f"""
    SELECT i.filiere_id, i.message, i.invited_at, {passes.INVITER} AS by
    FROM filiere_invitation i LEFT JOIN member by ON by.account_id = i.invited_by
    WHERE i.member_id = $1 AND i.state = 'open' AND i.invited_at > now() - $2::interval
      AND NOT EXISTS (SELECT FROM membership m WHERE m.member_id = i.member_id
        AND m.filiere_id = i.filiere_id AND m.left_at IS NULL)
"""  # noqa: S608 - no value in it


async def list_own(actor: Actor, language: str) -> list[OwnInvitation]:
    """Those that wait for the actor, the newest first."""
    actor.require(Permission.JOIN_FILIERE)
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_OWN} ORDER BY i.id DESC", actor.require_member(), passes.VALID
        )
        return await _own(rows, language)


async def find_own(member_id: int, filiere_id: int, language: str) -> OwnInvitation | None:
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_OWN} AND i.filiere_id = $3", member_id, passes.VALID, filiere_id
        )
        return next(iter(await _own(rows, language)), None)


async def _own(rows: Sequence[asyncpg.Record], language: str) -> list[OwnInvitation]:
    named = await registry.refs({row["filiere_id"] for row in rows}, language)
    return [
        OwnInvitation(
            filiere=named[row["filiere_id"]], by=row["by"], message=row["message"],
            invited_at=row["invited_at"],
        )
        for row in rows
    ]  # fmt: skip


async def decline(actor: Actor, slug: str) -> None:
    """Who has no invitation declines nothing."""
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    filiere = await registry.get(slug, SOURCE)
    async with db.transaction() as opened:
        await ledger.lock(opened, member_id)
        if await opened.fetchval(
            "UPDATE filiere_invitation SET state = 'declined', answered_at = now() "
            "WHERE member_id = $1 AND filiere_id = $2 AND state = 'open' RETURNING true",
            member_id, filiere.id,
        ):  # fmt: skip
            subject = filiere_scope(filiere.id)
            await audit.record(actor, "joining.declined", member_id=member_id, subject=subject)


@jobs.every("23 3 * * *")
async def end() -> None:
    """An invitation is good for passes.VALID; what was answered is forgotten after a year."""
    async with db.transaction() as opened:
        await opened.execute(
            "UPDATE filiere_invitation SET state = 'lapsed', answered_at = now() "
            "WHERE state = 'open' AND invited_at <= now() - $1::interval",
            passes.VALID,
        )
        for table in ("filiere_invitation", "membership_request"):
            await opened.execute(
                f"DELETE FROM {table} WHERE answered_at < now() - interval '1 year'"  # noqa: S608 - own names
            )
