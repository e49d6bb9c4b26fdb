"""Consents of people who gave no sign of life for years: announced by a mail, then ended.

A sign of life is a visit while signed in, an act of the person's own in the ledger, or a profile
confirmed. What was agreed to elsewhere counts from the day on which it was.
"""

from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec

from directory import db, errors, jobs, mail, settings
from directory.filieres import registry
from directory.http.pages import Format
from directory.languages import SOURCE, marked
from directory.members import posting
from directory.members.posting import Outcome
from directory.subscriptions import ledger, links
from directory.subscriptions.ledger import Act, Entry, Screen, Trace
from directory.subscriptions.topics import Rhythm, Topic

MAILS = Path(__file__).parent / "mails"
NOTICE = timedelta(days=30)
OF_NOBODY = [Screen.CLOSING.value, Screen.DEPARTURE.value, Screen.EXPIRY.value,
    Screen.ERASURE.value, Screen.IMPORT.value]  # fmt: skip


class ConsentsExpiring(msgspec.Struct, frozen=True):
    """A member's consents end in 30 days if nothing is heard of them."""

    member_id: int


class Night(msgspec.Struct, frozen=True):
    """What one run did, in people."""

    announced: int
    kept: int
    expired: int


class Ending(msgspec.Struct, frozen=True):
    """What ends, for whoever holds the link of the mail. Empty `rows`: nothing does any more."""

    rows: list[tuple[str, Topic, Rhythm]]
    ends_at: datetime
    is_open: bool


# When the member of row c was last heard of; $1 are the screens of acts that nobody did.
_SEEN = """
    greatest(
        (SELECT a.signed_in_at FROM account a WHERE a.id = m.account_id), m.confirmed_at,
        (SELECT max(l.at) FROM consent_ledger l
            WHERE l.member_id = m.id AND l.screen <> ALL ($1::text[])),
        (SELECT max(e.given_on) FROM consent_ledger l JOIN consent_evidence e
            ON e.id = l.evidence_id WHERE l.member_id = m.id)
    )
"""
# Whether a mail can reach them.
_REACHED = """
    EXISTS (SELECT FROM account a WHERE a.id = m.account_id AND a.disabled_at IS NULL
        AND a.email_confirmed_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email))
"""


@jobs.every("37 4 * * *")
async def work_nightly() -> None:
    await work()


async def work() -> Night:
    """One night's part: at most so many are announced, and so many consents end."""
    chosen = settings.current()
    if not chosen.consent_years:
        return Night(0, 0, 0)
    async with db.transaction() as opened:
        await opened.execute("SELECT pg_advisory_xact_lock(hashtext('consent_expiry'))")
        kept = await _drop_seen(opened)
        due = await _due(opened, chosen.retention_per_night)
        announced = await _announce(opened, chosen.consent_years, chosen.retention_per_night)
    for member_id in due:
        await _expire(member_id)
    return Night(announced, kept, len(due))


async def _drop_seen(opened: asyncpg.Connection) -> int:
    """Notices of people who were seen since, or who have nothing to lose any more."""
    rows = await opened.fetch(
        f"DELETE FROM consent_notice n USING member m WHERE m.id = n.member_id AND ("  # noqa: S608 - no value in it
        f"{_SEEN} > n.announced_at OR NOT EXISTS "
        f"(SELECT FROM consent c WHERE c.member_id = n.member_id)) RETURNING n.member_id",
        OF_NOBODY,
    )
    return len(rows)


async def _announce(opened: asyncpg.Connection, years: int, most: int) -> int:
    rows = await opened.fetch(
        f"""
        INSERT INTO consent_notice (member_id)
        SELECT m.id FROM member m
        WHERE EXISTS (SELECT FROM consent c WHERE c.member_id = m.id)
          AND NOT EXISTS (SELECT FROM consent_notice n WHERE n.member_id = m.id)
          AND {_SEEN} < now() - make_interval(years => $2)
        ORDER BY {_SEEN}, m.id LIMIT $3
        ON CONFLICT DO NOTHING RETURNING member_id
        """,  # noqa: S608 - no value in it
        OF_NOBODY, years, most,
    )  # fmt: skip
    for row in rows:
        await jobs.emit(ConsentsExpiring(row["member_id"]))
    return len(rows)


async def _due(opened: asyncpg.Connection, most: int) -> list[int]:
    """Thirty days after the mail; after the notice, for those whom no mail reaches."""
    rows = await opened.fetch(
        f"""
        SELECT n.member_id FROM consent_notice n JOIN member m ON m.id = n.member_id
        WHERE coalesce(n.mailed_at, CASE WHEN NOT {_REACHED} THEN n.announced_at END)
            < now() - $1::interval
        ORDER BY n.announced_at, n.member_id LIMIT $2
        """,  # noqa: S608 - no value in it
        NOTICE, most,
    )  # fmt: skip
    return [row["member_id"] for row in rows]


async def _expire(member_id: int) -> None:
    async with db.transaction() as opened:
        await ledger.lock(opened, member_id)
        # Who was heard of while this waited keeps everything.
        is_due = await opened.fetchval(
            f"DELETE FROM consent_notice n USING member m WHERE m.id = n.member_id "  # noqa: S608 - no value in it
            f"AND n.member_id = $2 RETURNING coalesce({_SEEN} <= n.announced_at, true)",
            OF_NOBODY, member_id,
        )  # fmt: skip
        if is_due:
            entries = [
                Entry(row["filiere_id"], Topic(row["topic"]), Act.EXPIRED)
                for row in await _today(opened, member_id)
            ]
            await ledger.append(member_id, entries, Trace(Screen.EXPIRY))


async def _today(reader: asyncpg.Connection, member_id: int) -> list[asyncpg.Record]:
    return await reader.fetch(
        "SELECT c.filiere_id, c.topic::text AS topic, c.rhythm::text AS rhythm, "
        "l.wording_id, l.evidence_id FROM consent c JOIN consent_ledger l ON l.id = c.ledger_id "
        "WHERE c.member_id = $1 ORDER BY c.filiere_id, c.topic",
        member_id,
    )


@jobs.on(ConsentsExpiring)
async def write(expiring: ConsentsExpiring) -> None:
    """Send the mail at most once: it is noted before it goes out, and taken back if it cannot."""
    member_id = expiring.member_id
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            f"UPDATE consent_notice n SET mailed_at = now() FROM member m "  # noqa: S608 - no value in it
            f"WHERE n.member_id = $1 AND m.id = n.member_id AND n.mailed_at IS NULL "
            f"AND {_REACHED} RETURNING n.announced_at, (SELECT a.email::text FROM account a "
            f"WHERE a.id = m.account_id) AS email, (SELECT a.language FROM account a "
            f"WHERE a.id = m.account_id) AS language",
            member_id,
        )
    if row is None:
        return
    current, language = settings.current(), row["language"] or SOURCE
    ends_on = (datetime.now(ledger.ZONE) + NOTICE).date()
    message = mail.render(
        MAILS / "expiring", current, to=row["email"], language=language,
        years=current.consent_years, day=Format(language).day(ends_on),
        link=current.public_url + links.keep_path(current.secret, member_id, row["announced_at"]),
        preferences=current.public_url + links.preferences_path(current.secret, member_id),
    )  # fmt: skip
    if await posting.post(message) is Outcome.LATER:
        async with db.transaction() as opened:
            await opened.execute(
                "UPDATE consent_notice SET mailed_at = NULL WHERE member_id = $1", member_id
            )
        raise posting.RelayAway


async def find(token: str, language: str) -> Ending:
    """What the link keeps. :raises errors.NotFound: for a token that was not signed for this."""
    member_id, announced_at = links.read_keep(settings.current().secret, token)
    async with db.connection() as reader:
        mailed_at = await reader.fetchval(
            "SELECT coalesce(mailed_at, announced_at) FROM consent_notice "
            "WHERE member_id = $1 AND announced_at = $2",
            member_id, announced_at,
        )  # fmt: skip
        rows = await _today(reader, member_id)
        names = await registry.refs([row["filiere_id"] for row in rows], language)
    found = [
        (names[row["filiere_id"]].name, Topic(row["topic"]), Rhythm(row["rhythm"])) for row in rows
    ]
    ends_at = (mailed_at or announced_at) + NOTICE
    return Ending(found, ends_at, is_open=mailed_at is not None)


async def keep(token: str, trace: Trace) -> None:
    """All that is on stays on, says the holder of the mail: the clock starts again.

    Doing it twice changes nothing.

    :raises errors.Gone: when the consents have ended meanwhile.
    """
    member_id, announced_at = links.read_keep(settings.current().secret, token)
    async with db.transaction() as opened:
        await ledger.lock(opened, member_id)
        was_open = await opened.fetchval(
            "DELETE FROM consent_notice WHERE member_id = $1 AND announced_at = $2 "
            "RETURNING true",
            member_id, announced_at,
        )  # fmt: skip
        rows = await _today(opened, member_id)
        if not rows:
            raise errors.Gone(
                marked("Ces choix ont déjà pris fin. Connectez-vous pour en faire d’autres.")
            )
        if was_open:
            entries = [
                Entry(
                    row["filiere_id"], Topic(row["topic"]), Act.CONFIRMED, Rhythm(row["rhythm"]),
                    row["wording_id"], row["evidence_id"],
                )
                for row in rows
            ]  # fmt: skip
            await ledger.append(member_id, entries, trace)
