"""The worker's part: a slice of a mailing at a time."""

import asyncio
import logging
import os
import secrets
import socket
import time

from directory import db, jobs, mail, settings
from directory.filieres import registry
from directory.mailings import delivery, letters, relay
from directory.mailings.delivery import Claim
from directory.mailings.dispatch import MailingDue, TrialAsked
from directory.mailings.letters import Letter, Reader
from directory.mailings.prepared import Prepared
from directory.mailings.relay import Line
from directory.settings import Settings

log = logging.getLogger(__name__)

CONNECTIONS = 4
SLICE_MESSAGES = 200
SLICE_SECONDS = 20


@jobs.on(MailingDue)
async def work(due: MailingDue) -> None:
    """Send for a while, then let another job go on: several mailings take turns."""
    mailing_id = due.mailing_id
    if not await _touch(mailing_id):
        return
    await delivery.sweep(mailing_id)
    if await _slice(mailing_id):
        async with db.transaction():
            await jobs.emit(due)
    else:
        await delivery.finish(mailing_id)


@jobs.every("* * * * *")
async def wake() -> None:
    """Tell the workers of mailings that nobody has worked on for a minute: those with deferred
    mails that are due again, and those whose worker was lost."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            """
            UPDATE mailing g SET worked_at = now()
            WHERE g.state = 'sending' AND g.worked_at < now() - interval '1 minute' AND (
                NOT EXISTS (SELECT FROM delivery d WHERE d.mailing_id = g.id
                    AND d.state IN ('queued', 'claimed', 'sending', 'deferred'))
                OR EXISTS (SELECT FROM delivery d WHERE d.mailing_id = g.id
                    AND (d.state IN ('queued', 'deferred') AND d.next_at <= now()
                        OR d.state IN ('claimed', 'sending') AND d.lease_until < now())))
            RETURNING g.id
            """
        )
        for row in rows:
            await jobs.emit(MailingDue(row["id"]))


@jobs.on(TrialAsked)
async def send_trial(asked: TrialAsked) -> None:
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT f.filiere_id, a.language FROM mailing g "
            "JOIN mailing_filiere f ON f.mailing_id = g.id "
            "JOIN member m ON m.id = g.author_id JOIN account a ON a.id = m.account_id "
            "WHERE g.id = $1 ORDER BY f.filiere_id",
            asked.mailing_id,
        )
    if not rows:  # discarded since
        return
    chosen, language = settings.current(), rows[0]["language"]
    letter = await letters.load(asked.mailing_id)
    names = await registry.refs([row["filiere_id"] for row in rows], language)
    await mail.send(letters.trial(letter, chosen, language, list(names.values())), chosen)


async def _touch(mailing_id: int) -> bool:
    """Note that somebody works on it. False when it is not being sent any more."""
    async with db.transaction() as opened:
        tag = await opened.execute(
            "UPDATE mailing SET worked_at = now() WHERE id = $1 AND state = 'sending'", mailing_id
        )
    return bool(tag == "UPDATE 1")


async def _slice(mailing_id: int) -> bool:
    """Send some; whether there may be more to send at once."""
    chosen = settings.current()
    worker = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    writer = _Writer(await letters.load(mailing_id), chosen)
    deadline, looked_at = time.monotonic() + SLICE_SECONDS, 0
    async with relay.lines(chosen, CONNECTIONS) as lines:
        while looked_at < SLICE_MESSAGES and time.monotonic() < deadline:
            if not await lines[0].open():
                log.warning("mailing %s: the relay is away: %s", mailing_id, lines[0].refusal)
                return False
            claimed, count = await delivery.claim(mailing_id, worker, len(lines))
            if count == 0:
                return False
            looked_at += count
            await _round(mailing_id, worker, claimed, writer, lines)
    return True


async def _round(
    mailing_id: int, worker: str, claimed: list[Claim], writer: "_Writer", lines: list[Line]
) -> None:
    """One message on each line at once: never more than these can be in doubt."""
    messages = {claim.member_id: await writer.write(claim) for claim in claimed}
    attempts = await delivery.mark_sending(mailing_id, worker, list(messages))
    leaving = [claim for claim in claimed if claim.member_id in attempts]
    outcomes = await asyncio.gather(
        *(
            line.attempt(claim.email, messages[claim.member_id])
            for line, claim in zip(lines, leaving, strict=False)
        )
    )
    noted = {
        claim.member_id: (attempts[claim.member_id], outcome)
        for claim, outcome in zip(leaving, outcomes, strict=True)
    }
    await delivery.note(mailing_id, worker, noted)


class _Writer:
    """Prepares the mail once for each language and choice of filières."""

    def __init__(self, letter: Letter, chosen: Settings) -> None:
        self._letter = letter
        self._settings = chosen
        self._prepared: dict[tuple[str, tuple[int, ...]], Prepared] = {}

    async def write(self, claim: Claim) -> bytes:
        if not relay.is_usable(claim.email):
            return b""  # the attempt will say so
        key = (claim.language, claim.filiere_ids)
        if key not in self._prepared:
            names = await registry.refs(claim.filiere_ids, claim.language)
            self._prepared[key] = letters.prepare(
                self._letter, self._settings, claim.language,
                [names[filiere_id] for filiere_id in claim.filiere_ids],
            )  # fmt: skip
        reader = Reader(
            claim.member_id, claim.email, claim.language, claim.filiere_ids, claim.chosen_at
        )
        return self._prepared[key].fill(letters.personal(self._letter, self._settings, reader))
