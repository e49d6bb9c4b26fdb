"""The ledger of deliveries, which is also the queue: what each row goes through.

queued → claimed → sending → sent | deferred | failed | skipped | in_doubt. A row that is
`sending` may have left: when its worker is gone nobody knows, and it is held, not sent again.
"""

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec

from directory import db

LEASE = timedelta(minutes=5)  # longer than the slowest exchange with a relay
MOST_ATTEMPTS = 8
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
TEXT_LENGTH = 500


class Result(enum.Enum):
    """What became of one attempt; each is a state of the ledger."""

    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`is_bounce`: the address itself is refused for good. `is_attempt`: the relay was reached."""

    result: Result
    code: int | None = None
    text: str = ""
    reason: str = ""
    is_bounce: bool = False
    is_attempt: bool = True


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One mail that is this worker's to send."""

    member_id: int
    email: str
    language: str
    filiere_ids: tuple[int, ...]
    chosen_at: datetime


async def sweep(mailing_id: int) -> None:
    """Take back what workers left behind: what had not begun is queued, the rest is in doubt.

    Under the policy `resend` the rest is queued too, and goes out under the same Message-ID.
    """
    async with db.transaction() as opened:
        await opened.execute(
            """
            UPDATE delivery d SET lease_until = NULL,
                state = CASE WHEN e.again THEN 'queued' ELSE 'in_doubt' END::delivery_state,
                worker = CASE WHEN e.again THEN '' ELSE d.worker END,
                reason = CASE WHEN e.again THEN '' ELSE 'worker_lost' END
            FROM (
                SELECT x.member_id, x.state = 'claimed' OR g.policy = 'resend' AS again
                FROM delivery x JOIN mailing g ON g.id = x.mailing_id
                WHERE x.mailing_id = $1 AND x.state IN ('claimed', 'sending')
                  AND x.lease_until < now()
                FOR UPDATE OF x SKIP LOCKED
            ) e WHERE d.mailing_id = $1 AND d.member_id = e.member_id
            """,
            mailing_id,
        )


async def claim(mailing_id: int, worker: str, count: int) -> tuple[list[Claim], int]:
    """Up to `count` mails to send now, and how many rows were looked at: 0 when none is left.

    Whoever may not get the mail any more is skipped here, in the same statement.
    """
    async with db.transaction() as opened:
        rows = await opened.fetch(
            """
            WITH picked AS MATERIALIZED (
                SELECT d.member_id FROM delivery d
                WHERE d.mailing_id = $1 AND d.state IN ('queued', 'deferred')
                  AND d.next_at <= now()
                  AND EXISTS (SELECT FROM mailing WHERE id = $1 AND state = 'sending')
                ORDER BY d.next_at, d.member_id LIMIT $3 FOR UPDATE SKIP LOCKED
            ), judged AS (
                SELECT p.member_id, v.email::text AS email, v.language, v.filiere_ids,
                    v.consent_id,
                    CASE WHEN v.member_id IS NULL THEN 'left' ELSE v.reason END AS reason
                FROM picked p LEFT JOIN LATERAL (
                    SELECT * FROM mailing_audience
                    WHERE mailing_id = $1 AND member_id = p.member_id
                ) v ON true
            )
            UPDATE delivery d SET worker = $2, lease_until = now() + $4::interval,
                state = CASE WHEN j.reason IS NULL THEN 'claimed' ELSE 'skipped' END
                    ::delivery_state,
                reason = coalesce(j.reason, ''),
                consent_id = coalesce(j.consent_id, d.consent_id)
            FROM judged j WHERE d.mailing_id = $1 AND d.member_id = j.member_id
            RETURNING d.member_id, j.reason, j.email, j.language, j.filiere_ids,
                (SELECT at FROM consent_ledger WHERE id = j.consent_id) AS chosen_at
            """,
            mailing_id, worker, count, LEASE,
        )  # fmt: skip
    claimed = [msgspec.convert(dict(row), Claim) for row in rows if row["reason"] is None]
    return claimed, len(rows)


async def mark_sending(mailing_id: int, worker: str, member_ids: Sequence[int]) -> dict[int, int]:
    """Say that these are about to leave; which ones still may, with the number of the attempt."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            "UPDATE delivery SET state = 'sending', attempts = attempts + 1, "
            "lease_until = now() + $4::interval "
            "WHERE mailing_id = $1 AND member_id = ANY($3) AND worker = $2 AND state = 'claimed' "
            "RETURNING member_id, attempts",
            mailing_id, worker, member_ids, LEASE,
        )  # fmt: skip
    return {row["member_id"]: row["attempts"] for row in rows}


async def note(mailing_id: int, worker: str, outcomes: dict[int, tuple[int, Outcome]]) -> None:
    """Write down what became of them: by member, the number of the attempt and its outcome."""
    rows = [(member_id, *as_row(*noted)) for member_id, noted in outcomes.items()]
    bounced = [member for member, (_, outcome) in outcomes.items() if outcome.is_bounce]
    async with db.transaction() as opened:
        await opened.executemany(
            """
            UPDATE delivery SET reason = $5, attempts = $6,
                state = CASE WHEN $4 = 'in_doubt'
                    AND (SELECT policy FROM mailing WHERE id = $1) = 'resend'
                    THEN 'deferred' ELSE $4 END::delivery_state,
                smtp_code = $7, smtp_text = $8, next_at = now() + $9::interval,
                lease_until = NULL, sent_at = CASE WHEN $4 = 'sent' THEN now() END
            WHERE mailing_id = $1 AND worker = $2 AND member_id = $3
              AND state IN ('sending', 'in_doubt')
            """,
            [(mailing_id, worker, *row) for row in rows],
        )
        await suppress(opened, bounced)


async def suppress(opened: asyncpg.Connection, member_ids: Sequence[int]) -> None:
    """Write no more to addresses that are refused for good."""
    await opened.execute(
        "INSERT INTO suppression (email, reason) SELECT a.email, 'hard_bounce' "
        "FROM member m JOIN account a ON a.id = m.account_id WHERE m.id = ANY($1) "
        "ON CONFLICT (email) DO NOTHING",
        member_ids,
    )


async def finish(mailing_id: int) -> bool:
    """Close the mailing when nothing of it can move any more and its figures add up."""
    async with db.transaction() as opened:
        tag = await opened.execute(
            """
            UPDATE mailing SET state = 'sent', finished_at = now()
            WHERE id = $1 AND state = 'sending' AND audience_size = (
                SELECT count(*) FROM delivery WHERE mailing_id = $1
                AND state IN ('sent', 'failed', 'skipped', 'in_doubt'))
            """,
            mailing_id,
        )
    return bool(tag == "UPDATE 1")


def pause_after(attempt: int) -> timedelta:
    """1, 4, 16, 64 minutes, then 4 hours."""
    return min(FIRST_PAUSE * 4.0 ** (attempt - 1), LONGEST_PAUSE)


def as_row(attempt: int, outcome: Outcome) -> tuple[str, str, int, int | None, str, timedelta]:
    """Of an attempt: its state, reason, number, the relay's code and words, and the next pause."""
    result, reason = outcome.result, outcome.reason
    if result is Result.DEFERRED and outcome.is_attempt and attempt >= MOST_ATTEMPTS:
        result, reason = Result.FAILED, "exhausted"
    counted = attempt if outcome.is_attempt else attempt - 1
    return (
        result.value, reason, counted, outcome.code, _printable(outcome.text), pause_after(attempt)
    )  # fmt: skip


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)[:TEXT_LENGTH]
