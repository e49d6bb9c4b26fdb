"""What a member wants to receive, by filière and topic. Nothing is on until it is chosen."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, limits
from directory.accounts.actor import Actor, Permission
from directory.languages import marked
from directory.limits import Limit
from directory.subscriptions import confirmations, ledger
from directory.subscriptions.ledger import Act, Entry, Trace
from directory.subscriptions.links import Holder, Stop
from directory.subscriptions.topics import OFFERED, Rhythm, Topic

UNDO_WITHIN = timedelta(hours=1)
# No row of the ledger ever goes away. Receiving less is never refused.
GIVING = Limit("consents", 120, timedelta(hours=1))
RowId = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Key = tuple[int, Topic]


class Choice(msgspec.Struct, frozen=True):
    """What to receive of one topic of one filière. No rhythm: nothing.

    `wording_id` is the wording that was shown; it is needed wherever there is a rhythm.
    """

    filiere: str
    topic: Topic
    rhythm: Rhythm | None
    wording_id: RowId | None = None


class NotInFiliere(errors.Conflict):
    """Only those who are in a filière choose what to receive from it."""

    kind = "not-in-filiere"


def _not_in() -> NotInFiliere:
    return NotInFiliere(
        marked("Vous n’êtes pas dans cette filière. Entrez-y pour recevoir ses mails.")
    )


async def choose(actor: Actor, choices: Sequence[Choice], trace: Trace) -> None:
    """Make these choices; what they do not name stays as it is.

    :raises NotInFiliere: for a filière that the actor is not in.
    :raises errors.Malformed: for a rhythm that is not offered, or a wording that does not exist.
    :raises errors.TooMany: past GIVING.
    """
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    async with db.transaction() as opened:
        await ledger.lock(opened, member_id)
        slugs = await _slugs(opened, member_id)
        today: dict[Key, Rhythm | None] = {**await _today(opened, member_id)}
        entries: list[Entry] = []
        for choice in choices:
            if choice.filiere not in slugs:
                raise _not_in()
            key = (slugs[choice.filiere], choice.topic)
            before = today.get(key)
            if choice.rhythm == before:
                continue
            if choice.rhythm is not None:
                await _check(opened, choice)
            entries.append(_entry(slugs[choice.filiere], choice, before))
            today[key] = choice.rhythm  # named twice, the last word holds
        await ledger.append(member_id, entries, trace)
        if any(entry.rhythm for entry in entries):
            if trace.screen is not ledger.Screen.REQUEST:  # somebody else answers that one
                await limits.take(GIVING, member_id)
            await confirmations.ask(member_id)


def _entry(filiere_id: int, choice: Choice, before: Rhythm | None) -> Entry:
    if choice.rhythm is None:
        return Entry(filiere_id, choice.topic, Act.WITHDRAWN)
    act = Act.GIVEN if before is None else Act.CHANGED
    return Entry(filiere_id, choice.topic, act, choice.rhythm, choice.wording_id)


async def check(choices: Sequence[Choice]) -> None:
    """Whether what they choose can be chosen at all.

    :raises errors.Malformed: for a rhythm that is not offered, or a wording that does not exist.
    """
    async with db.connection() as reader:
        for choice in choices:
            if choice.rhythm is not None:
                await _check(reader, choice)


async def _check(opened: asyncpg.Connection, choice: Choice) -> None:
    if choice.rhythm not in OFFERED:
        raise errors.Malformed.field("rhythm", marked("Choisissez « rien » ou « tout de suite »."))
    is_known = await opened.fetchval(
        "SELECT EXISTS (SELECT FROM consent_wording WHERE id = $1 AND topic = $2::topic)",
        choice.wording_id, choice.topic.value,
    )  # fmt: skip
    if not is_known:
        raise errors.Malformed.field(
            "wording_id",
            marked("Indiquez le texte qui a été montré, donné avec vos choix actuels."),
        )


async def adjust(holder: Holder, choices: Sequence[Choice], trace: Trace) -> Stop | None:
    """Stop what these choices leave out, and make rarer what they ask less often.

    A link from a mail starts nothing new, and makes nothing come more often.

    :raises errors.Forbidden: for any other choice.
    """
    async with db.transaction() as opened:
        await ledger.lock(opened, holder.member_id)
        slugs = await _slugs(opened, holder.member_id)
        today: dict[Key, Rhythm | None] = {**await _today(opened, holder.member_id)}
        entries: list[Entry] = []
        for choice in choices:
            key = (slugs.get(choice.filiere, 0), choice.topic)
            before = today.get(key)
            if choice.rhythm == before:
                continue
            today[key] = choice.rhythm
            if choice.rhythm is None:
                entries.append(Entry(*key, Act.WITHDRAWN))
            elif choice.rhythm.is_rarer_than(before):
                entries.append(await _rarer(opened, holder.member_id, key, choice.rhythm))
            else:
                raise errors.Forbidden(
                    marked("Ce lien sert à recevoir moins. Connectez-vous pour recevoir plus.")
                )
        return await _write(holder.member_id, entries, trace)


async def _rarer(opened: asyncpg.Connection, member_id: int, key: Key, rhythm: Rhythm) -> Entry:
    """With the words that were agreed to: less of the same needs no others."""
    (agreed,) = await opened.fetch(
        "SELECT l.wording_id, l.evidence_id FROM consent c JOIN consent_ledger l "
        "ON l.id = c.ledger_id WHERE c.member_id = $1 AND c.filiere_id = $2 "
        "AND c.topic = $3::topic",
        member_id, key[0], key[1].value,
    )  # fmt: skip
    return Entry(*key, Act.CHANGED, rhythm, agreed["wording_id"], agreed["evidence_id"])


async def stop(holder: Holder, trace: Trace) -> Stop | None:
    """Stop all that the holder's link is for. None: it was already so.

    Stopping everything also takes back what was ticked while asking to join somewhere.
    """
    async with db.transaction() as opened:
        await ledger.lock(opened, holder.member_id)
        if holder == Holder(holder.member_id):
            await opened.execute(
                "UPDATE membership_request SET choices = '[]' "
                "WHERE member_id = $1 AND state = 'open'",
                holder.member_id,
            )
        today = await _today(opened, holder.member_id)
        keys = [key for key, rhythm in today.items() if _covers(holder, key, rhythm)]
        return await _withdraw(holder.member_id, keys, trace)


async def stop_filiere(holder: Holder, slug: str, trace: Trace) -> Stop | None:
    """Stop all mails of one filière that the holder is in; being in it goes on.

    :raises NotInFiliere: when they are not in it.
    """
    async with db.transaction() as opened:
        await ledger.lock(opened, holder.member_id)
        if (filiere_id := (await _slugs(opened, holder.member_id)).get(slug)) is None:
            raise _not_in()
        return await stop(msgspec.structs.replace(holder, filiere_ids=(filiere_id,)), trace)


async def is_on(holder: Holder) -> bool:
    """Whether any mail comes that the holder's link is for."""
    async with db.connection() as reader:
        today = await _today(reader, holder.member_id)
        return any(_covers(holder, key, rhythm) for key, rhythm in today.items())


def _covers(holder: Holder, key: Key, rhythm: Rhythm) -> bool:
    filiere_id, topic = key
    return (
        holder.topic in {None, topic}
        and holder.rhythm in {None, rhythm}
        and (not holder.filiere_ids or filiere_id in holder.filiere_ids)
    )


async def _withdraw(member_id: int, keys: Sequence[Key], trace: Trace) -> Stop | None:
    return await _write(member_id, [Entry(*key, Act.WITHDRAWN) for key in keys], trace)


async def _write(member_id: int, entries: Sequence[Entry], trace: Trace) -> Stop | None:
    ids = await ledger.append(member_id, entries, trace)
    return Stop(member_id, ids[0], ids[-1]) if ids else None


# What rows $2 to $3 of member $1 stopped or made rarer in the last $4, and what was before.
_STOPPED = """
    SELECT l.filiere_id, l.topic::text AS topic, l.act::text AS act,
        before.rhythm::text AS rhythm, before.wording_id, before.evidence_id, NOT EXISTS (
            SELECT FROM consent_ledger later WHERE later.member_id = l.member_id
              AND later.filiere_id = l.filiere_id AND later.topic = l.topic
              AND later.id > l.id
        ) AND EXISTS (
            SELECT FROM membership m WHERE m.member_id = l.member_id
              AND m.filiere_id = l.filiere_id AND m.left_at IS NULL
        ) AS is_last
    FROM consent_ledger l CROSS JOIN LATERAL (
        SELECT b.rhythm, b.wording_id, b.evidence_id FROM consent_ledger b
        WHERE b.member_id = l.member_id AND b.filiere_id = l.filiere_id
          AND b.topic = l.topic AND b.id < l.id
        ORDER BY b.id DESC LIMIT 1
    ) AS before
    WHERE l.member_id = $1 AND l.id BETWEEN $2 AND $3 AND l.act IN ('withdrawn', 'changed')
      AND l.at > now() - $4::interval AND before.rhythm IS NOT NULL
    ORDER BY l.id
"""


async def restore(stopped: Stop, trace: Trace) -> None:
    """Take back what was just stopped, with the words that were agreed to before.

    What was chosen anew since then stays. Doing it twice changes nothing.

    :raises errors.Gone: after UNDO_WITHIN. :raises errors.TooMany: past GIVING.
    """
    async with db.transaction() as opened:
        await ledger.lock(opened, stopped.member_id)
        rows = await opened.fetch(
            _STOPPED, stopped.member_id, stopped.first, stopped.last, UNDO_WITHIN
        )
        if not rows:
            raise errors.Gone(
                marked("C’est trop tard pour revenir en arrière. Connectez-vous pour choisir.")
            )
        if entries := [again(row) for row in rows if row["is_last"]]:
            await limits.take(GIVING, stopped.member_id)
            await ledger.append(stopped.member_id, entries, trace)


def again(row: asyncpg.Record) -> Entry:
    """What undoes a row that stopped something or made it rarer."""
    act = Act.GIVEN if row["act"] == Act.WITHDRAWN.value else Act.CHANGED
    return Entry(
        row["filiere_id"], Topic(row["topic"]), act, Rhythm(row["rhythm"]),
        row["wording_id"], row["evidence_id"],
    )  # fmt: skip


async def end(member_id: int, filiere_id: int, trace: Trace) -> None:
    """Stop every mail of a filière for a member who is locked."""
    keys = [key for key in await _today(db.current(), member_id) if key[0] == filiere_id]
    await _withdraw(member_id, keys, trace)


async def _today(reader: asyncpg.Connection, member_id: int) -> dict[Key, Rhythm]:
    rows = await reader.fetch(
        "SELECT filiere_id, topic::text AS topic, rhythm::text AS rhythm FROM consent "
        "WHERE member_id = $1 ORDER BY filiere_id, consent.topic",
        member_id,
    )
    return {(row["filiere_id"], Topic(row["topic"])): Rhythm(row["rhythm"]) for row in rows}


async def _slugs(reader: asyncpg.Connection, member_id: int) -> dict[str, int]:
    rows = await reader.fetch(
        "SELECT f.slug, f.id FROM membership m JOIN filiere f ON f.id = m.filiere_id "
        "WHERE m.member_id = $1 AND m.left_at IS NULL",
        member_id,
    )
    return {row["slug"]: row["id"] for row in rows}
