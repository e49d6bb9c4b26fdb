"""Who is told by mail that a filière moved on: its members who chose its news, those who asked to
know what becomes of a proposal, and, when it closes, everybody who was in it.

Each move is written to a person once: it is noted before the mail goes out, and taken back only
when the relay surely took nothing.
"""

import enum
from datetime import datetime
from pathlib import Path

import msgspec

from directory import db, jobs, mail, settings
from directory.filieres import following, lifecycle
from directory.filieres.lifecycle import Stage, StageChanged
from directory.http.pages import Format
from directory.languages import SOURCE
from directory.mail import Message
from directory.members import posting
from directory.members.posting import Outcome
from directory.subscriptions import links
from directory.subscriptions.topics import Topic

MAILS = Path(__file__).parent / "mails"


class Reason(enum.Enum):
    """Why somebody is told. The first that holds is the one."""

    CLOSED = "closed"
    CHOSEN = "chosen"
    FOLLOWED = "followed"


class StageMailDue(msgspec.Struct, frozen=True):
    """Somebody is to be told of a move."""

    change_id: int
    member_id: int


class Due(msgspec.Struct, frozen=True):
    """One mail that may go out. `chosen_at` is when its reader chose the filière's news."""

    reason: Reason
    email: str
    language: str
    slug: str
    filiere_id: int
    name: str
    to_stage: Stage
    words: str
    chosen_at: datetime | None


# A closed filière has no members any more by the time of this, or soon: they are those who were
# in it when it was decided. $1 is the entry of the timeline.
_NOTE = """
    WITH change AS (
        SELECT id, filiere_id, to_stage, decided_at FROM stage_change WHERE id = $1
    ), told AS (
        SELECT k.member_id, 'closed'::stage_mail_reason AS reason
        FROM change c JOIN membership k ON k.filiere_id = c.filiere_id
        WHERE c.to_stage = 'closed' AND (k.left_at IS NULL OR k.left_at >= c.decided_at)
        UNION ALL
        SELECT k.member_id, 'chosen'
        FROM change c JOIN membership k ON k.filiere_id = c.filiere_id AND k.left_at IS NULL
        JOIN consent n ON n.member_id = k.member_id AND n.filiere_id = k.filiere_id
        WHERE c.to_stage <> 'closed' AND n.topic = 'news' AND n.rhythm = 'at_once'
        UNION ALL
        SELECT s.member_id, 'followed'
        FROM change c JOIN filiere_support s ON s.filiere_id = c.filiere_id
        WHERE s.wants_mails AND s.given_at <= c.decided_at
    )
    INSERT INTO stage_mail (change_id, member_id, reason)
    SELECT $1, member_id, min(reason) FROM told GROUP BY member_id
    ON CONFLICT (change_id, member_id) DO NOTHING RETURNING member_id
"""
# Looked at again at the moment of sending, as for a mailing: what was withdrawn since wins. A
# closed filière is told as a service: also to who pauses their mails.
_CLAIM = """
    UPDATE stage_mail SET sent_at = now() FROM (
        SELECT d.change_id, d.member_id, d.reason::text AS reason, a.email::text AS email,
            a.language, f.slug, f.id AS filiere_id, c.to_stage::text AS to_stage,
            c.reason AS words, l.at AS chosen_at,
            coalesce(CASE a.language WHEN 'nl' THEN f.name_nl WHEN 'en' THEN f.name_en END,
                f.name_fr) AS name
        FROM stage_mail d
        JOIN stage_change c ON c.id = d.change_id
        JOIN filiere f ON f.id = c.filiere_id
        JOIN member m ON m.id = d.member_id AND m.left_on IS NULL
        JOIN account a ON a.id = m.account_id AND a.disabled_at IS NULL
            AND a.email_confirmed_at IS NOT NULL
        LEFT JOIN mail_pause p ON p.member_id = m.id
            AND p.until > (now() AT TIME ZONE 'Europe/Brussels')::date
        LEFT JOIN membership k ON k.member_id = m.id AND k.filiere_id = f.id AND k.left_at IS NULL
        LEFT JOIN consent n ON n.member_id = m.id AND n.filiere_id = f.id
            AND n.topic = 'news' AND n.rhythm = 'at_once' AND k.member_id IS NOT NULL
        LEFT JOIN consent_ledger l ON l.id = n.ledger_id
        LEFT JOIN filiere_support s ON s.member_id = m.id AND s.filiere_id = f.id AND s.wants_mails
        WHERE d.change_id = $1 AND d.member_id = $2 AND d.sent_at IS NULL
          AND NOT EXISTS (SELECT FROM suppression x WHERE x.email = a.email)
          AND CASE d.reason
              WHEN 'closed' THEN true
              WHEN 'chosen' THEN p.member_id IS NULL AND n.member_id IS NOT NULL
              ELSE p.member_id IS NULL AND s.member_id IS NOT NULL END
        FOR UPDATE OF d
    ) AS due
    WHERE stage_mail.change_id = due.change_id AND stage_mail.member_id = due.member_id
    RETURNING due.*
"""


@jobs.on(StageChanged)
async def note(changed: StageChanged) -> None:
    """Note who is to be told, and a job for each. A second run of it finds them noted."""
    async with db.transaction() as opened:
        rows = await opened.fetch(_NOTE, changed.change_id)
        for row in rows:
            await jobs.emit(StageMailDue(changed.change_id, row["member_id"]))


@jobs.on(StageMailDue)
async def write(told: StageMailDue) -> None:
    async with db.transaction() as opened:
        row = await opened.fetchrow(_CLAIM, told.change_id, told.member_id)
    if row is None:
        return
    outcome = await posting.post(_message(told.member_id, msgspec.convert(dict(row), Due)))
    if outcome is Outcome.LATER:
        async with db.transaction() as opened:
            await opened.execute(
                "UPDATE stage_mail SET sent_at = NULL WHERE change_id = $1 AND member_id = $2",
                told.change_id, told.member_id,
            )  # fmt: skip
        raise posting.RelayAway


def _message(member_id: int, due: Due) -> Message:
    """What stops the mail is a POST at the address of the header (RFC 8058)."""
    current = settings.current()
    language = due.language or SOURCE
    page = f"{current.public_url}/filieres/{due.slug}"
    stop = ""
    if due.reason is Reason.CHOSEN:
        stop = current.public_url + links.unsubscribe_path(
            current.secret, member_id, Topic.NEWS.value, [due.filiere_id]
        )
    elif due.reason is Reason.FOLLOWED:
        stop = current.public_url + following.path(member_id, due.filiere_id)
    day = due.chosen_at.astimezone(lifecycle.ZONE).date() if due.chosen_at else None
    message = mail.render(
        MAILS / ("closed" if due.reason is Reason.CLOSED else "stage"), current,
        to=due.email, language=language, filiere=due.name, stage=due.to_stage.label,
        reason=lifecycle.spoken(due.words, language), link=page, stop=stop,
        is_chosen=due.reason is Reason.CHOSEN, day=Format(language).day(day) if day else "",
        preferences=current.public_url + links.preferences_path(current.secret, member_id),
    )  # fmt: skip
    if not stop:
        return message
    headers = {
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return msgspec.structs.replace(message, headers=headers)
