"""The ledger of digests, which is also their queue; the states are those of `delivery`."""

from collections.abc import Sequence
from datetime import date

import msgspec

from directory import db
from directory.mailings import delivery
from directory.mailings.delivery import LEASE, Outcome
from directory.subscriptions.topics import Rhythm


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One digest that is this worker's to send."""

    member_id: int
    email: str
    language: str
    rhythm: Rhythm


async def sweep(rhythm: Rhythm, day: date) -> None:
    """Take back what workers left behind: what had not begun is queued, the rest is in doubt."""
    async with db.transaction() as opened:
        await opened.execute(
            """
            UPDATE digest_delivery d SET lease_until = NULL,
                worker = CASE WHEN e.state = 'claimed' THEN '' ELSE d.worker END,
                reason = CASE WHEN e.state = 'claimed' THEN '' ELSE 'worker_lost' END,
                state = CASE WHEN e.state = 'claimed' THEN 'queued' ELSE 'in_doubt' END
                    ::delivery_state
            FROM (
                SELECT member_id, state FROM digest_delivery
                WHERE rhythm = $1::rhythm AND day = $2 AND state IN ('claimed', 'sending')
                  AND lease_until < now() FOR UPDATE SKIP LOCKED
            ) e WHERE d.rhythm = $1::rhythm AND d.day = $2 AND d.member_id = e.member_id
            """,
            rhythm.value, day,
        )  # fmt: skip


_PICK = """
    SELECT member_id FROM digest_delivery
    WHERE rhythm = $1::rhythm AND day = $2 AND state IN ('queued', 'deferred')
      AND next_at <= now()
    ORDER BY next_at, member_id LIMIT $3 FOR UPDATE SKIP LOCKED
"""
# What may not be told any more: not chosen now, paused, over, cancelled.
_DROP = """
    DELETE FROM digest_entry e
    WHERE e.rhythm = $1::rhythm AND e.day = $2 AND e.member_id = ANY($3) AND NOT EXISTS (
        SELECT FROM digest_audience v WHERE v.member_id = ANY($3)
        AND v.member_id = e.member_id AND v.rhythm = e.rhythm
        AND (v.mailing_id = e.mailing_id OR v.event_id = e.event_id))
"""
_RENEW = """
    UPDATE digest_entry e SET consent_id = v.consent_id, filiere_ids = v.filiere_ids
    FROM digest_audience v
    WHERE e.rhythm = $1::rhythm AND e.day = $2 AND e.member_id = ANY($3)
      AND v.member_id = ANY($3) AND v.member_id = e.member_id AND v.rhythm = e.rhythm
      AND (v.mailing_id = e.mailing_id OR v.event_id = e.event_id)
      AND (v.consent_id, v.filiere_ids) IS DISTINCT FROM (e.consent_id, e.filiere_ids)
"""
_CLAIM = """
    UPDATE digest_delivery d SET worker = $4, lease_until = now() + $5::interval,
        state = CASE WHEN j.has_any THEN 'claimed' ELSE 'skipped' END::delivery_state,
        reason = CASE WHEN j.has_any THEN '' ELSE 'nothing_left' END
    FROM (
        SELECT p.member_id, EXISTS (
            SELECT FROM digest_entry e WHERE e.member_id = p.member_id
            AND e.rhythm = $1::rhythm AND e.day = $2) AS has_any
        FROM unnest($3::bigint[]) AS p (member_id)
    ) j
    WHERE d.rhythm = $1::rhythm AND d.day = $2 AND d.member_id = j.member_id
    RETURNING d.member_id, d.rhythm::text AS rhythm, j.has_any,
        (SELECT a.email::text FROM member m JOIN account a ON a.id = m.account_id
            WHERE m.id = d.member_id) AS email,
        (SELECT a.language FROM member m JOIN account a ON a.id = m.account_id
            WHERE m.id = d.member_id) AS language
"""


async def claim(rhythm: Rhythm, day: date, worker: str, count: int) -> tuple[list[Claim], int]:
    """Up to `count` digests to send now, and how many rows were looked at: 0 when none is left.

    What their owners may not be told any more leaves them here, in the same transaction.
    """
    async with db.transaction() as opened:
        picked = await opened.fetch(_PICK, rhythm.value, day, count)
        ids = [row["member_id"] for row in picked]
        await opened.execute(_DROP, rhythm.value, day, ids)
        await opened.execute(_RENEW, rhythm.value, day, ids)
        rows = await opened.fetch(_CLAIM, rhythm.value, day, ids, worker, LEASE)
    return [msgspec.convert(dict(row), Claim) for row in rows if row["has_any"]], len(rows)


async def mark_sending(
    rhythm: Rhythm, day: date, worker: str, member_ids: Sequence[int]
) -> dict[int, int]:
    """Say that these are about to leave; which ones still may, with the number of the attempt."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            "UPDATE digest_delivery SET state = 'sending', attempts = attempts + 1, "
            "lease_until = now() + $5::interval WHERE rhythm = $1::rhythm AND day = $2 "
            "AND member_id = ANY($4) AND worker = $3 AND state = 'claimed' "
            "RETURNING member_id, attempts",
            rhythm.value, day, worker, member_ids, LEASE,
        )  # fmt: skip
    return {row["member_id"]: row["attempts"] for row in rows}


async def note(
    rhythm: Rhythm, day: date, worker: str, outcomes: dict[int, tuple[int, Outcome]]
) -> None:
    """Write down what became of them: by member, the number of the attempt and its outcome."""
    bounced = [member for member, (_, outcome) in outcomes.items() if outcome.is_bounce]
    async with db.transaction() as opened:
        await opened.executemany(
            """
            UPDATE digest_delivery SET state = $5::text::delivery_state, reason = $6,
                attempts = $7, smtp_code = $8, smtp_text = $9, next_at = now() + $10::interval,
                lease_until = NULL, sent_at = CASE WHEN $5::text = 'sent' THEN now() END
            WHERE rhythm = $1::rhythm AND day = $2 AND worker = $3 AND member_id = $4
              AND state IN ('sending', 'in_doubt')
            """,
            [
                (rhythm.value, day, worker, member_id, *delivery.as_row(*noted))
                for member_id, noted in outcomes.items()
            ],
        )
        await delivery.suppress(opened, bounced)
