"""Coming back: a link from an old mail only stops, so the way back goes through a new mail."""

from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec

from directory import db, errors, jobs, limits, mail, settings
from directory.accounts.actor import VISITOR
from directory.filieres import registry
from directory.languages import SOURCE
from directory.limits import Limit
from directory.members import posting
from directory.members.posting import Outcome
from directory.subscriptions import consent, ledger, links, pauses
from directory.subscriptions.ledger import Trace
from directory.subscriptions.links import Holder, Invited
from directory.subscriptions.topics import Rhythm, Topic

MAILS = Path(__file__).parent / "mails"
MAILS_A_DAY = Limit("return-mail", 3, timedelta(days=1))
OF_A_NETWORK = Limit("return", 20, timedelta(hours=1))


class ReturnAsked(msgspec.Struct, frozen=True):
    """Whoever holds a link of a member's mail wants mails again."""

    member_id: int


class Restorable(msgspec.Struct, frozen=True):
    """What a link had stopped or made rarer, and would come again as it was."""

    filiere: str
    topic: Topic
    rhythm: Rhythm


class Way(msgspec.Struct, frozen=True):
    """What the holder of the link can have back. `is_paused`: a pause would end, too."""

    member_id: int
    email: str
    rows: list[Restorable]
    is_paused: bool


# The last word on each topic of filières that member $1 is in, where links or mail programmes
# stopped it or made it rarer since they joined; and what was before these acts.
_BACK = """
    SELECT l.filiere_id, l.topic::text AS topic, l.act::text AS act,
        before.rhythm::text AS rhythm, before.wording_id, before.evidence_id
    FROM membership k
    JOIN LATERAL (
        SELECT DISTINCT ON (x.topic) x.* FROM consent_ledger x
        WHERE x.member_id = k.member_id AND x.filiere_id = k.filiere_id
        ORDER BY x.topic, x.id DESC
    ) l ON l.act IN ('withdrawn', 'changed') AND l.screen IN ('mail', 'one_click')
        AND l.at >= k.joined_at
    CROSS JOIN LATERAL (
        SELECT b.rhythm, b.wording_id, b.evidence_id FROM consent_ledger b
        WHERE b.member_id = l.member_id AND b.filiere_id = l.filiere_id AND b.topic = l.topic
          AND b.id < l.id AND NOT (b.act IN ('withdrawn', 'changed')
            AND b.screen IN ('mail', 'one_click'))
        ORDER BY b.id DESC LIMIT 1
    ) AS before
    WHERE k.member_id = $1 AND k.left_at IS NULL AND before.rhythm IS NOT NULL
    ORDER BY l.filiere_id, l.topic
"""


async def ask(holder: Holder, network: str) -> None:
    """Have a link sent to the member's own address. Nobody learns whether one was.

    :raises errors.TooMany: for a network that asks too often.
    """
    async with db.transaction():
        await limits.take(OF_A_NETWORK, network)
        await jobs.emit(ReturnAsked(holder.member_id))


@jobs.on(ReturnAsked)
async def write(asked: ReturnAsked) -> None:
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT a.email::text AS email, a.language FROM member m "
            "JOIN account a ON a.id = m.account_id WHERE m.id = $1 AND m.left_on IS NULL "
            "AND a.email_confirmed_at IS NOT NULL AND a.disabled_at IS NULL "
            "AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email)",
            asked.member_id,
        )
        has_any = bool(await reader.fetch(_BACK, asked.member_id))
    has_any = has_any or await pauses.until(asked.member_id) is not None
    if row is None or not has_any or not await limits.has_room(MAILS_A_DAY, asked.member_id):
        return
    current = settings.current()
    message = mail.render(
        MAILS / "return", current, to=row["email"], language=row["language"] or SOURCE,
        link=current.public_url + links.return_path(current.secret, asked.member_id, row["email"]),
        days=links.RETURN_LIFETIME.days,
    )  # fmt: skip
    if await posting.post(message) is Outcome.LATER:
        raise posting.RelayAway


async def find(token: str, language: str) -> Way:
    """What the link would bring back. Reading it changes nothing.

    :raises errors.NotFound: for another token, or an address that is not the member's any more.
    :raises errors.Gone: when it has expired.
    """
    invited = links.read_return(settings.current().secret, token)
    async with db.connection() as reader:
        email = await _address(reader, invited)
        rows = await reader.fetch(_BACK, invited.id)
        names = await registry.refs([row["filiere_id"] for row in rows], language)
        is_paused = await pauses.until(invited.id) is not None
    found = [
        Restorable(names[row["filiere_id"]].name, Topic(row["topic"]), Rhythm(row["rhythm"]))
        for row in rows
    ]
    return Way(invited.id, email, found, is_paused)


async def come_back(token: str, trace: Trace) -> None:
    """Give back what links stopped or paused. Doing it twice changes nothing."""
    invited = links.read_return(settings.current().secret, token)
    async with db.transaction() as opened:
        await ledger.lock(opened, invited.id)
        await _address(opened, invited)
        entries = [consent.again(row) for row in await opened.fetch(_BACK, invited.id)]
        await ledger.append(invited.id, entries, trace)
        await pauses.lift(VISITOR, invited.id)


async def _address(reader: asyncpg.Connection, invited: Invited) -> str:
    email: str | None = await reader.fetchval(
        "SELECT a.email::text FROM member m JOIN account a ON a.id = m.account_id "
        "WHERE m.id = $1 AND m.left_on IS NULL AND a.disabled_at IS NULL",
        invited.id,
    )
    if email is None or links.address_digest(email) != invited.address:
        raise errors.NotFound
    return email
