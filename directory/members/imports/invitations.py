"""Invitations of newly imported members: sent at a steady rate, once, taken up, withdrawn.

The row is the queue. One that was being sent when a worker died is in doubt: nobody knows whether
it left, and it is sent again only when a person says so.
"""

import enum
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from directory import db, errors, jobs, mail, settings
from directory.accounts import audit, secrets, sessions
from directory.accounts.actor import VISITOR, Actor, Permission
from directory.http.listing import Listing
from directory.languages import marked
from directory.members import posting
from directory.members.imports import record
from directory.members.imports.record import LARGEST_ID
from directory.members.posting import Outcome

MAILS = Path(__file__).parent.parent / "mails"
LIFETIME = timedelta(days=30)
DOUBTFUL = timedelta(minutes=10)
MOST_ATTEMPTS = 5
TICKS_AN_HOUR = 60


class State(enum.StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    NEEDLESS = "needless"


LABELS = {
    State.WAITING: marked("en attente"),
    State.SENDING: marked("en cours d’envoi"),
    State.SENT: marked("envoyée"),
    State.ACCEPTED: marked("acceptée"),
    State.WITHDRAWN: marked("retirée"),
    State.FAILED: marked("refusée par le serveur de mail"),
    State.IN_DOUBT: marked("en doute : le serveur n’a pas dit s’il l’a prise"),
    State.NEEDLESS: marked("sans objet : la personne est entrée ou partie"),
}
RESENDABLE = (State.SENT, State.WITHDRAWN, State.FAILED, State.IN_DOUBT)
WITHDRAWABLE = (State.WAITING, State.SENT, State.FAILED, State.IN_DOUBT)


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """name is that of the file: the profile's own may be for others only."""

    member_id: int
    name: str
    state: State
    created_at: datetime
    sent_at: datetime | None
    accepted_at: datetime | None


class _Claimed(msgspec.Struct, frozen=True):
    member_id: int
    email: str
    name: str
    language: str
    secret: str


@jobs.every("* * * * *")
async def send_some() -> None:
    """A sixtieth of what an hour may have, and never more than that in any hour."""
    rate = settings.current().invitations_per_hour
    await _settle()
    async with db.connection() as reader:
        taken = await reader.fetchval(
            "SELECT count(*) FROM member_invitation WHERE claimed_at > now() - interval '1 hour'"
        )
    for _ in range(min(rate - taken, -(-rate // TICKS_AN_HOUR))):
        if not await _send_next():
            return


async def _settle() -> None:
    """What a dead worker left is in doubt; who needs none any more gets none."""
    async with db.transaction() as opened:
        await opened.execute(
            "UPDATE member_invitation SET state = 'in_doubt'"
            " WHERE state = 'sending' AND claimed_at < now() - $1::interval",
            DOUBTFUL,
        )
        await opened.execute(
            "UPDATE member_invitation v SET state = 'needless', token_hash = NULL FROM member m"
            " LEFT JOIN account a ON a.id = m.account_id"
            " WHERE m.id = v.member_id AND v.state = 'waiting' AND (m.left_on IS NOT NULL"
            " OR a.id IS NULL OR a.disabled_at IS NOT NULL OR a.email_confirmed_at IS NOT NULL)"
        )


async def _send_next() -> bool:
    """False when nobody waits."""
    claimed = await _claim()
    if claimed is None:
        return False
    outcome = await posting.post(
        mail.render(
            MAILS / "invitation", settings.current(), to=claimed.email,
            language=claimed.language, name=claimed.name, days=LIFETIME.days,
            link=f"{settings.current().public_url}/invitation/{claimed.secret}",
        )
    )  # fmt: skip
    await _note(claimed, _NOTES[outcome])
    return True


_NOTES = {
    Outcome.SENT: "state = 'sent', sent_at = now()",
    Outcome.LATER: f"state = CASE WHEN attempts >= {MOST_ATTEMPTS} THEN 'failed' ELSE 'waiting'"
    " END::invitation_state, next_at = now() + attempts * interval '15 minutes'",
    Outcome.FAILED: "state = 'failed', token_hash = NULL",
    Outcome.IN_DOUBT: "state = 'in_doubt'",  # never sent again by itself
}


async def _claim() -> _Claimed | None:
    secret = secrets.make()
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            """
            UPDATE member_invitation v SET state = 'sending', claimed_at = now(),
                attempts = v.attempts + 1, token_hash = $1, expires_at = now() + $2::interval
            FROM member m JOIN account a ON a.id = m.account_id
            WHERE m.id = v.member_id AND v.member_id = (
                SELECT w.member_id FROM member_invitation w
                WHERE w.state = 'waiting' AND w.next_at <= now()
                ORDER BY w.next_at, w.member_id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING v.member_id, a.email::text AS email, m.display_name AS name, a.language
            """,
            secrets.digest(secret), LIFETIME,
        )  # fmt: skip
    return _Claimed(secret=secret, **dict(row)) if row else None


async def _note(claimed: _Claimed, change: str) -> None:
    """Only while it is still this sending: somebody may have withdrawn it meanwhile."""
    async with db.transaction() as opened:
        await opened.execute(
            f"UPDATE member_invitation SET {change}"  # noqa: S608 - three texts of ours
            " WHERE member_id = $1 AND state = 'sending' AND token_hash = $2",
            claimed.member_id, secrets.digest(claimed.secret),
        )  # fmt: skip


_OPEN = """
    FROM member_invitation v JOIN member m ON m.id = v.member_id
    JOIN account a ON a.id = m.account_id
    WHERE v.token_hash = $1 AND v.state IN ('sending', 'sent', 'in_doubt')
        AND v.expires_at > now() AND m.left_on IS NULL AND a.disabled_at IS NULL
"""


async def is_open(secret: str) -> bool:
    """Whether this link still lets in. Reading it changes nothing: scanners open every link."""
    async with db.connection() as reader:
        found: bool = await reader.fetchval(
            f"SELECT EXISTS (SELECT {_OPEN})", secrets.digest(secret)
        )
        return found


async def accept(secret: str, user_agent: str, old: str = "") -> tuple[str, int]:
    """Use the link, once: the secret of a new session, and the member. The address is confirmed:
    whoever opened the link holds it.

    :raises errors.Gone: when it was used or withdrawn, has expired or never was.
    """
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            f"SELECT v.member_id, a.id AS account_id {_OPEN} FOR UPDATE OF v",
            secrets.digest(secret),
        )
        if row is None:
            raise errors.Gone(GONE)
        await opened.execute(
            "UPDATE member_invitation SET state = 'accepted', accepted_at = now(),"
            " token_hash = NULL WHERE member_id = $1",
            row["member_id"],
        )
        await opened.execute(
            "UPDATE account SET email_confirmed_at = coalesce(email_confirmed_at, now())"
            " WHERE id = $1",
            row["account_id"],
        )
        await audit.record(VISITOR, "invitation.accepted", member_id=row["member_id"])
        session = await sessions.open_session(row["account_id"], user_agent, old)
        return session, row["member_id"]


GONE = marked(
    "Cette invitation a déjà servi, a été retirée ou est trop ancienne. "
    "Entrez avec votre adresse mail."
)


async def list_invitations(
    actor: Actor, import_id: int, page: int, limit: int
) -> Listing[Invitation]:
    await record.get(actor, import_id)
    async with db.connection() as reader:
        total = await reader.fetchval(
            "SELECT count(*) FROM member_invitation WHERE import_id = $1", import_id
        )
        rows = await reader.fetch(
            "SELECT v.member_id, v.state::text, v.created_at, v.sent_at, v.accepted_at,"
            " coalesce((SELECT p.name FROM import_plan p WHERE p.import_id = v.import_id"
            " AND p.member_id = v.member_id), m.number, '') AS name"
            " FROM member_invitation v JOIN member m ON m.id = v.member_id"
            " WHERE v.import_id = $1 ORDER BY v.member_id LIMIT $2 OFFSET $3",
            import_id, limit, (page - 1) * limit,
        )  # fmt: skip
    items = [msgspec.convert(dict(row), Invitation) for row in rows]
    return Listing(items=items, total=total, page=page, limit=limit)


async def count(actor: Actor, import_id: int) -> dict[State, int]:
    """Of an import, by state; those that are nought are left out."""
    await record.get(actor, import_id)
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT state::text, count(*) FROM member_invitation WHERE import_id = $1"
            " GROUP BY state ORDER BY state",
            import_id,
        )
    return {State(row["state"]): row["count"] for row in rows}


async def resend(actor: Actor, import_id: int, member_id: int | None = None) -> int:
    """Send again to one, or to all of an import who have not come. Returns to how many.

    Their older link ends at once.
    """
    return await _change(
        actor, import_id, member_id, "invitation.resent", RESENDABLE,
        "state = 'waiting', next_at = now(), attempts = 0",
    )  # fmt: skip


async def withdraw(actor: Actor, import_id: int, member_id: int | None = None) -> int:
    """End one, or all that are open: their links let nobody in. Returns how many."""
    return await _change(
        actor, import_id, member_id, "invitation.withdrawn", WITHDRAWABLE,
        "state = 'withdrawn', token_hash = NULL",
    )  # fmt: skip


async def _change(
    actor: Actor, import_id: int, member_id: int | None, action: str,
    states: tuple[State, ...], change: str,
) -> int:  # fmt: skip
    actor.require(Permission.IMPORT_MEMBERS)
    await record.get(actor, import_id)
    if member_id is not None and not 0 < member_id <= LARGEST_ID:
        return 0
    async with db.transaction() as opened:
        rows = await opened.fetch(
            f"UPDATE member_invitation SET {change} WHERE import_id = $1"  # noqa: S608 - two of ours
            " AND ($2::bigint IS NULL OR member_id = $2)"
            " AND state = ANY($3::text[]::invitation_state[]) RETURNING member_id",
            import_id, member_id, list(states),
        )  # fmt: skip
        for row in rows:
            subject = f"import:{import_id}"
            await audit.record(actor, action, member_id=row["member_id"], subject=subject)
    return len(rows)
