"""The mails about joining. They answer what somebody asked, or ask for what is somebody's duty:
no consent is needed. An invitation comes once."""

from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec

from directory import db, jobs, mail, settings
from directory.accounts import staff
from directory.filieres import registry
from directory.filieres.registry import FiliereRef
from directory.http.pages import Format
from directory.languages import SOURCE
from directory.subscriptions import ledger, passes

MAILS = Path(__file__).parent / "mails"
REMIND_AFTER = timedelta(days=7)


class RequestWaits(msgspec.Struct, frozen=True):
    """`staff_id` is the account of one of those who answer; see staff for 0."""

    request_id: int
    staff_id: int
    is_reminder: bool = False


class RequestAnswered(msgspec.Struct, frozen=True):
    """A request got its answer, or lapsed."""

    request_id: int


class MemberInvited(msgspec.Struct, frozen=True):
    invitation_id: int


async def ask_for_answer(
    opened: asyncpg.Connection, request_id: int, filiere_id: int, *, is_reminder: bool = False
) -> None:
    """Tell those who animate the filière, each by a job; the staff where no mail reaches any."""
    rows = await opened.fetch(
        """
        SELECT DISTINCT a.id FROM access_grant g JOIN account a ON a.id = g.account_id
        JOIN member p ON p.account_id = a.id AND p.left_on IS NULL
        WHERE g.role = 'animator' AND g.scope = 'filiere:' || $1::bigint
          AND g.starts_on <= current_date AND (g.ends_on IS NULL OR g.ends_on >= current_date)
          AND a.disabled_at IS NULL
          AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email)
        ORDER BY a.id
        """,
        filiere_id,
    )
    for staff_id in [row["id"] for row in rows] or await staff.account_ids():
        await jobs.emit(RequestWaits(request_id, staff_id, is_reminder))


@jobs.every("11 8 * * *")
async def remind() -> None:
    """Once, of each request that nobody answered in a week."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            "UPDATE membership_request r SET reminded_at = now() FROM member p "
            "WHERE p.id = r.member_id AND p.left_on IS NULL AND r.state = 'open' "
            "AND r.approved_at IS NULL AND r.reminded_at IS NULL "
            "AND r.asked_at <= now() - $1::interval RETURNING r.id, r.filiere_id",
            REMIND_AFTER,
        )
        for row in rows:
            await ask_for_answer(opened, row["id"], row["filiere_id"], is_reminder=True)


@jobs.on(RequestWaits)
async def write_to_those_who_answer(waits: RequestWaits) -> None:
    reader = await staff.reader(waits.staff_id)
    async with db.connection() as connection:
        row = await connection.fetchrow(
            "SELECT r.filiere_id, r.message, r.asked_at, p.display_name "
            "FROM membership_request r JOIN member p ON p.id = r.member_id "
            "WHERE r.id = $1 AND r.state = 'open' AND r.approved_at IS NULL "
            "AND p.left_on IS NULL",
            waits.request_id,
        )
    if reader is None or row is None:
        return
    filiere = await _filiere(row["filiere_id"], reader.language)
    chosen = settings.current()
    message = mail.render(
        MAILS / "asked", chosen, to=reader.email, language=reader.language,
        name=_plain(row["display_name"]), filiere=filiere.name, words=row["message"],
        asked_on=_day(row["asked_at"], reader.language),
        is_reminder=waits.is_reminder,
        link=f"{chosen.public_url}/filieres/{filiere.slug}/requests",
    )  # fmt: skip
    await mail.send(message, chosen)


# $1: the row's number. Nothing for who left, or may not be written to.
_ASKER = """
    SELECT r.filiere_id, r.state::text AS state, r.approved_at IS NOT NULL AS is_approved,
        r.reason, a.email::text AS email, a.language,
        EXISTS (SELECT FROM consent c WHERE c.member_id = p.id AND c.filiere_id = r.filiere_id)
            AS has_mails
    FROM membership_request r JOIN member p ON p.id = r.member_id
    JOIN account a ON a.id = p.account_id
    WHERE r.id = $1 AND p.left_on IS NULL AND a.disabled_at IS NULL
      AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email)
"""


@jobs.on(RequestAnswered)
async def write_to_asker(answered: RequestAnswered) -> None:
    async with db.connection() as connection:
        row = await connection.fetchrow(_ASKER, answered.request_id)
    if row is None or (row["state"] == "open" and not row["is_approved"]):
        return
    filiere = await _filiere(row["filiere_id"], row["language"])
    chosen = settings.current()
    message = mail.render(
        MAILS / "answered", chosen, to=row["email"], language=row["language"] or SOURCE,
        filiere=filiere.name, state=row["state"], reason=row["reason"],
        has_mails=row["has_mails"], link=f"{chosen.public_url}/filieres/{filiere.slug}#join",
    )  # fmt: skip
    await mail.send(message, chosen)


# No mail to who is in already, takes no messages or none of whoever invites, paused their mails or
# never confirmed their address, and one a month at most: the page says it anyway.
_INVITED = f"""
    SELECT i.filiere_id, i.message, i.invited_at + $2::interval AS ends_at,
        a.email::text AS email, a.language, {passes.INVITER} AS name
    FROM filiere_invitation i JOIN member p ON p.id = i.member_id
    JOIN account a ON a.id = p.account_id
    LEFT JOIN member by ON by.account_id = i.invited_by
    WHERE i.id = $1 AND i.state = 'open' AND p.left_on IS NULL AND a.disabled_at IS NULL
      AND i.invited_at > now() - $2::interval
      AND a.email_confirmed_at IS NOT NULL AND p.takes_messages
      AND NOT EXISTS (SELECT FROM mail_pause w WHERE w.member_id = p.id
        AND w.until > (now() AT TIME ZONE 'Europe/Brussels')::date)
      AND NOT EXISTS (SELECT FROM filiere_invitation e WHERE e.member_id = p.id
        AND e.filiere_id = i.filiere_id AND e.id < i.id AND e.invited_at > now() - $2::interval)
      AND NOT EXISTS (SELECT FROM membership m WHERE m.member_id = p.id
        AND m.filiere_id = i.filiere_id AND m.left_at IS NULL)
      AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email)
      AND NOT EXISTS (SELECT FROM contact_refusal c WHERE c.member_id = p.id
        AND c.sender_id = i.invited_by)
"""  # noqa: S608 - no value in it


@jobs.on(MemberInvited)
async def write_to_invited(invited: MemberInvited) -> None:
    async with db.connection() as connection:
        row = await connection.fetchrow(_INVITED, invited.invitation_id, passes.VALID)
    if row is None:
        return
    filiere = await _filiere(row["filiere_id"], row["language"])
    chosen = settings.current()
    message = mail.render(
        MAILS / "invited", chosen, to=row["email"], language=row["language"] or SOURCE,
        name=_plain(row["name"] or ""), filiere=filiere.name, words=row["message"],
        ends_on=_day(row["ends_at"], row["language"] or SOURCE),
        link=f"{chosen.public_url}/filieres/{filiere.slug}#join",
    )  # fmt: skip
    await mail.send(message, chosen)


async def _filiere(filiere_id: int, language: str | None) -> FiliereRef:
    return (await registry.refs([filiere_id], language or SOURCE))[filiere_id]


def _plain(words: str) -> str:
    """A name on one line, as a header can hold it."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())


def _day(at: datetime, language: str) -> str:
    return Format(language).day(at.astimezone(ledger.ZONE).date())
