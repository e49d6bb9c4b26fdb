"""Why somebody got a mail: the delivery, the consent that allowed it, and all around it.

For the coordination to answer a person or an authority. It reads; it changes nobody's consent.
"""

from datetime import date, datetime

import asyncpg
import msgspec

from directory import db, errors
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission
from directory.filieres import registry
from directory.languages import marked
from directory.mailings import record
from directory.subscriptions import ledger
from directory.subscriptions.ledger import LedgerRow
from directory.subscriptions.topics import Rhythm, Topic


class ProvenMail(msgspec.Struct, frozen=True, kw_only=True):
    """What was done about this person. `digest_rhythm` and `digest_day`: it was in a digest."""

    state: str
    reason: str
    attempts: int
    sent_at: datetime | None
    smtp_code: int | None
    digest_rhythm: Rhythm | None
    digest_day: date | None


class ProvenMembership(msgspec.Struct, frozen=True):
    """In the filière of the consent, at the time of the mail."""

    filiere: str
    joined_at: datetime
    left_at: datetime | None


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Who acted in `consent` is the member where `is_own_act`, and nobody's account where the
    consent came by a link, a mail programme or a file: `consent.screen` says which."""

    mailing_id: int
    member_id: int
    subject: str
    topic: Topic
    filieres: list[str]
    mail: ProvenMail
    consent: LedgerRow
    is_own_act: bool
    membership: ProvenMembership | None
    address_confirmed_at: datetime | None


class ProvenCard(msgspec.Struct, frozen=True):
    """A mail to somebody, in a list of theirs."""

    mailing_id: int
    subject: str
    state: str
    at: datetime | None


# The mail about mailing $1 to member $2: of its own, or in a digest.
_MAIL = """
    SELECT d.consent_id, d.state::text AS state, d.reason, d.attempts, d.sent_at, d.smtp_code,
        NULL AS digest_rhythm, NULL::date AS digest_day
    FROM delivery d WHERE d.mailing_id = $1 AND d.member_id = $2
    UNION ALL
    SELECT e.consent_id, d.state::text, d.reason, d.attempts, d.sent_at, d.smtp_code,
        d.rhythm::text, d.day
    FROM digest_entry e JOIN digest_delivery d USING (member_id, rhythm, day)
    WHERE e.mailing_id = $1 AND e.member_id = $2
    ORDER BY sent_at NULLS LAST LIMIT 1
"""


async def get(actor: Actor, mailing_id: int, member_id: int, language: str) -> Proof:
    """The proof for one mail to one person. That it was read is noted, where they read it too.

    :raises errors.NotFound: when nothing was sent, or was to be sent, to them.
    """
    actor.require(Permission.READ_PROOFS)
    async with db.transaction() as opened:
        row = await opened.fetchrow(_MAIL, *_keys(mailing_id, member_id))
        if row is None:
            raise errors.NotFound(marked("Aucun mail de ce numéro pour cette personne."))
        consent = await ledger.get(row["consent_id"], language)
        about = await _about(opened, mailing_id, member_id, row)
        filieres = await opened.fetch(
            "SELECT filiere_id FROM mailing_filiere WHERE mailing_id = $1 ORDER BY 1", mailing_id
        )
        names = await registry.refs([one["filiere_id"] for one in filieres], language)
        await audit.record(
            actor, "proof.read", member_id=member_id, subject=f"mailing:{mailing_id}"
        )
    membership = None
    if about["joined_at"]:
        membership = ProvenMembership(
            consent.filiere_name or "", about["joined_at"], about["left_at"]
        )
    return Proof(
        mailing_id=mailing_id, member_id=member_id, subject=about["subject"],
        topic=Topic(about["topic"]), filieres=[name.name for name in names.values()],
        mail=msgspec.convert(dict(row), ProvenMail), consent=consent,
        is_own_act=about["account_id"] is not None and about["account_id"] == consent.actor_id,
        membership=membership, address_confirmed_at=about["email_confirmed_at"],
    )  # fmt: skip


async def _about(
    opened: asyncpg.Connection, mailing_id: int, member_id: int, mail: asyncpg.Record
) -> asyncpg.Record:
    """The mailing, the person, and their membership when the mail was sent."""
    (row,) = await opened.fetch(
        """
        SELECT g.subject, g.topic::text AS topic, a.id AS account_id, a.email_confirmed_at,
            k.joined_at, k.left_at
        FROM mailing g LEFT JOIN member m ON m.id = $2
        LEFT JOIN account a ON a.id = m.account_id
        LEFT JOIN consent_ledger l ON l.id = $3
        LEFT JOIN LATERAL (
            SELECT * FROM membership k WHERE k.member_id = $2 AND k.filiere_id = l.filiere_id
              AND k.joined_at <= coalesce($4, g.started_at, now())
            ORDER BY k.joined_at DESC LIMIT 1
        ) k ON true
        WHERE g.id = $1
        """,
        mailing_id, member_id, mail["consent_id"], mail["sent_at"],
    )  # fmt: skip
    return row


async def list_of(actor: Actor, member_id: int) -> list[ProvenCard]:
    """The last mails to a person, newest first, to find the one that they ask about."""
    actor.require(Permission.READ_PROOFS)
    async with db.transaction() as opened:
        rows = await opened.fetch(
            """
            SELECT g.id AS mailing_id, g.subject, x.state, coalesce(x.sent_at, g.started_at) AS at
            FROM (
                SELECT mailing_id, state::text AS state, sent_at FROM delivery
                WHERE member_id = $1
                UNION ALL
                SELECT e.mailing_id, d.state::text, d.sent_at FROM digest_entry e
                JOIN digest_delivery d USING (member_id, rhythm, day)
                WHERE e.member_id = $1 AND e.mailing_id IS NOT NULL
            ) x JOIN mailing g ON g.id = x.mailing_id
            ORDER BY at DESC NULLS LAST, g.id DESC LIMIT 50
            """,
            _keys(1, member_id)[1],
        )
        await audit.record(actor, "proof.read", member_id=member_id)
    return [msgspec.convert(dict(row), ProvenCard) for row in rows]


def _keys(mailing_id: int, member_id: int) -> tuple[int, int]:
    if not 0 < mailing_id <= record.BIGGEST_ID or not 0 < member_id <= record.BIGGEST_ID:
        raise errors.NotFound(marked("Aucun mail de ce numéro pour cette personne."))
    return mailing_id, member_id
