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
