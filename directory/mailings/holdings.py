"""What is held of mails written by a person, and of those sent to them."""

import asyncpg

from directory.holdings import Person, Section
from directory.languages import marked

SECTIONS = (
    Section(
        name="mailings",
        title=marked("Les mails de filière que vous avez écrits"),
        table="mailing",
        columns=("id", "topic", "policy", "state", "language", "subject", "body", "audience_size",
                 "created_at", "send_at", "started_at", "worked_at", "finished_at"),
        where="t.author_id = p.member_id",
        order="t.id",
    ),
    Section(
        name="deliveries",
        title=marked("Les mails de filière qui vous ont été adressés"),
        table="delivery",
        columns=("mailing_id", "consent_id", "state", "reason", "attempts", "next_at",
                 "lease_until", "worker", "smtp_code", "smtp_text", "sent_at"),
        extra={"subject": "(SELECT g.subject FROM mailing g WHERE g.id = t.mailing_id)"},
        where="t.member_id = p.member_id",
        order="t.mailing_id",
    ),
    Section(
        name="digests",
        title=marked("Les résumés qui vous ont été adressés"),
        table="digest_delivery",
        columns=("rhythm", "day", "state", "reason", "attempts", "next_at", "lease_until",
                 "worker", "smtp_code", "smtp_text", "sent_at"),
        where="t.member_id = p.member_id",
        order="t.day, t.rhythm",
    ),
    Section(
        name="digest_entries",
        title=marked("Ce qu’il y avait dans vos résumés"),
        table="digest_entry",
        columns=("rhythm", "day", "mailing_id", "event_id", "consent_id"),
        extra={
            "subject": "coalesce((SELECT g.subject FROM mailing g WHERE g.id = t.mailing_id),"
                " (SELECT v.title FROM event v WHERE v.id = t.event_id))",
        },
        covers=("filiere_ids",),
        where="t.member_id = p.member_id",
        order="t.day, t.rhythm",
    ),
)  # fmt: skip


async def erase(opened: asyncpg.Connection, person: Person) -> None:
    """Drafts go, with what was never sent; what was sent stays, of nobody.

    The ledger of deliveries keeps the number alone: a relay's answer may name the address.
    """
    if person.member_id is None:
        return
    await opened.execute(
        "DELETE FROM mailing WHERE author_id = $1 AND state IN ('draft', 'scheduled')",
        person.member_id,
    )
    await opened.execute(
        "UPDATE mailing SET author_id = NULL WHERE author_id = $1", person.member_id
    )
    await opened.execute(
        "UPDATE delivery SET state = 'skipped', reason = 'left', lease_until = NULL "
        "WHERE member_id = $1 AND state IN ('queued', 'claimed', 'deferred')",
        person.member_id,
    )
    await opened.execute(
        "UPDATE delivery SET smtp_text = '' WHERE member_id = $1", person.member_id
    )
    await opened.execute(
        "UPDATE digest_delivery SET smtp_text = '', lease_until = NULL, "
        "state = CASE WHEN state IN ('queued', 'claimed', 'deferred') THEN 'skipped' "
        "ELSE state END::delivery_state, "
        "reason = CASE WHEN state IN ('queued', 'claimed', 'deferred') THEN 'left' "
        "ELSE reason END WHERE member_id = $1",
        person.member_id,
    )
