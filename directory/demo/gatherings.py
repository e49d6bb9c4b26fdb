"""Events, and the mailing that was sent, into their tables."""

from collections.abc import Mapping
from datetime import date

from directory.demo import programme
from directory.demo.programme import Event
from directory.demo.rows import Codes, Writer


async def write_events(
    writer: Writer,
    animators: Mapping[str, int],
    filiere_ids: Mapping[str, int],
    codes: Codes,
    seed: int,
    today: date,
) -> None:
    """animators: an account by slug."""
    listed = list(programme.events(seed, today))
    numbers = await writer.reserve("event", len(listed))
    await writer.copy(
        "event",
        (
            "id", "uid", "kind", "audience", "title", "description", "starts_at", "ends_at",
            "location", "place_id", "online_url", "language", "accessibility", "capacity",
            "price_cents", "sequence", "created_by", "created_at", "updated_at", "cancelled_at",
        ),
        (
            (number, *_event(event, codes, animators.get(event.planned.filieres[0])))
            for event, number in zip(listed, numbers, strict=True)
        ),
    )  # fmt: skip
    await writer.copy(
        "event_filiere", ("event_id", "filiere_id"),
        (
            (number, filiere_ids[slug])
            for event, number in zip(listed, numbers, strict=True)
            for slug in event.planned.filieres
        ),
    )  # fmt: skip


def _event(event: Event, codes: Codes, author: int | None) -> tuple[object, ...]:
    plan = event.planned
    return (
        event.uid, plan.kind, plan.audience, plan.title, plan.description, event.starts_at,
        event.ends_at, plan.location, codes.places[plan.place] if plan.place else None,
        plan.online, plan.language, plan.accessibility, plan.capacity, plan.price_cents,
        int(plan.cancelled), author, event.created_at, event.cancelled_at or event.created_at,
        event.cancelled_at,
    )  # fmt: skip


async def send_mailing(writer: Writer, filiere_ids: Mapping[str, int], today: date) -> None:
    """One mailing that went to everybody who had consented by then, four a second."""
    letter = programme.mailing(today)
    filiere = filiere_ids[programme.MAILING_FILIERE]
    mailing = await writer.connection.fetchval(
        "INSERT INTO mailing (author_id, topic, state, subject, body, created_at, send_at,"
        " started_at) SELECT m.id, $2, 'sent', $3, $4, $5::timestamptz - interval '1 day', $5, $5"
        " FROM account a JOIN member m ON m.account_id = a.id WHERE a.email = $1 RETURNING id",
        programme.MAILING_AUTHOR,
        programme.MAILING_TOPIC,
        letter.subject,
        letter.body,
        letter.sent_at,
    )
    await writer.connection.execute(
        "INSERT INTO mailing_filiere (mailing_id, filiere_id) VALUES ($1, $2)", mailing, filiere
    )
    await writer.connection.execute(
        "INSERT INTO delivery (mailing_id, member_id, consent_id, state, attempts, next_at,"
        " worker, smtp_code, smtp_text, sent_at)"
        " SELECT $1, c.member_id, c.ledger_id, 'sent', 1, $4::timestamptz, 'demo', 250, '2.0.0 Ok',"
        " $4::timestamptz + row_number() OVER (ORDER BY c.member_id) * interval '0.25 seconds'"
        " FROM consent c JOIN consent_ledger l ON l.id = c.ledger_id"
        " WHERE c.filiere_id = $2 AND c.topic = $3 AND l.at < $4::timestamptz",
        mailing,
        filiere,
        programme.MAILING_TOPIC,
        letter.sent_at,
    )
    size = await writer.connection.fetchval(
        "UPDATE mailing SET audience_size = (SELECT count(*) FROM delivery WHERE mailing_id = $1),"
        " finished_at = coalesce((SELECT max(sent_at) FROM delivery WHERE mailing_id = $1),"
        " started_at) WHERE id = $1 RETURNING audience_size",
        mailing,
    )
    writer.count("mailing", 1)
    writer.count("delivery", size)
