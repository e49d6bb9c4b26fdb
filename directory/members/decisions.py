"""What coordinators answer to a trade that a member proposes; the proposer is told by mail."""

from pathlib import Path
from typing import Annotated, Literal

import asyncpg
import msgspec

from directory import db, errors, jobs, mail, settings
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission
from directory.languages import SOURCE, marked
from directory.members import drafts, merges, posting, vocabulary
from directory.members.merges import TradeDraft
from directory.members.posting import Outcome

MAILS = Path(__file__).parent / "mails"
LONGEST_REASON = 500
Answer = Literal["accepted", "merged", "refused"]


class MergeDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    into: Annotated[str, msgspec.Meta(description="The code of the trade that stands for it.")]


class RefusalDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, msgspec.Meta(description="For the proposer: 1 to 500 characters.")]


class Decision(msgspec.Struct, frozen=True):
    """trade: the code that the proposer got, if any. has_room: false for who had five already."""

    answer: Answer
    trade: str | None = None
    has_room: bool = True


class ProposalDecided(msgspec.Struct, frozen=True, kw_only=True):
    member_id: int
    label: str
    answer: Answer
    trade: str | None
    has_room: bool
    reason: str


async def accept(actor: Actor, proposal_id: int, draft: TradeDraft) -> Decision:
    """Make a trade of it, in three languages, and give it to the proposer."""
    actor.require(Permission.KEEP_VOCABULARY)
    async with db.transaction() as opened:
        proposal = await _take(opened, proposal_id)
        trade_id, code = await merges.create(opened, actor, draft)
        decided = await _give(opened, actor, proposal, "accepted", trade_id, code)
    vocabulary.look_again()
    return decided


async def merge(actor: Actor, proposal_id: int, draft: MergeDraft) -> Decision:
    """Its label is a name of another trade from now on, which the proposer gets."""
    actor.require(Permission.KEEP_VOCABULARY)
    async with db.transaction() as opened:
        proposal = await _take(opened, proposal_id)
        (trade_id,) = await vocabulary.ids("trade", [draft.into], "into")
        code = await opened.fetchval("SELECT code FROM trade WHERE id = $1", trade_id)
        await opened.execute(
            "INSERT INTO trade_label (trade_id, language, label, source, is_exact)"
            " VALUES ($1, $2, $3, 'ours', true) ON CONFLICT DO NOTHING",
            trade_id, proposal["language"], proposal["label"],
        )  # fmt: skip
        await merges.changed(opened)
        decided = await _give(opened, actor, proposal, "merged", trade_id, code)
    vocabulary.look_again()
    return decided


async def refuse(actor: Actor, proposal_id: int, draft: RefusalDraft) -> Decision:
    actor.require(Permission.KEEP_VOCABULARY)
    reason = drafts.checked("reason", draft.reason.strip(), LONGEST_REASON)
    if not reason:
        raise errors.Malformed.field("reason", marked("Dites pourquoi : la personne le lira."))
    async with db.transaction() as opened:
        proposal = await _take(opened, proposal_id)
        await _tell(actor, proposal, Decision("refused"), reason)
    return Decision("refused")


async def _take(opened: asyncpg.Connection, proposal_id: int) -> asyncpg.Record:
    """:raises errors.NotFound: for one that is withdrawn, or decided already."""
    row = await opened.fetchrow(
        "DELETE FROM trade_proposal WHERE id = $1 RETURNING id, member_id, label, language",
        proposal_id if 0 < proposal_id < 2**63 else 0,
    )
    if row is None:
        raise errors.NotFound(marked("Cette proposition n’est plus là."))
    return row


async def _give(
    opened: asyncpg.Connection, actor: Actor, proposal: asyncpg.Record, answer: Answer,
    trade_id: int, code: str,
) -> Decision:  # fmt: skip
    has_room = await merges.give(opened, proposal["member_id"], trade_id)
    decision = Decision(answer, code, has_room)
    await _tell(actor, proposal, decision)
    return decision


async def _tell(
    actor: Actor, proposal: asyncpg.Record, decision: Decision, reason: str = ""
) -> None:
    await audit.record(
        actor, f"proposal.{decision.answer}", member_id=proposal["member_id"],
        subject=f"proposal:{proposal['id']}", fields=["trades"] if decision.trade else [],
    )  # fmt: skip
    await jobs.emit(
        ProposalDecided(
            member_id=proposal["member_id"], label=proposal["label"], answer=decision.answer,
            trade=decision.trade, has_room=decision.has_room, reason=reason,
        )
    )  # fmt: skip


@jobs.on(ProposalDecided)
async def write(decided: ProposalDecided) -> None:
    """To the proposer, in their language."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT a.email::text AS email, a.language FROM member m"
            " JOIN account a ON a.id = m.account_id WHERE m.id = $1 AND m.left_on IS NULL"
            " AND a.disabled_at IS NULL AND a.email_confirmed_at IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email)",
            decided.member_id,
        )
    if row is None:
        return
    current, language = settings.current(), row["language"] or SOURCE
    names = await vocabulary.names("trade", [decided.trade or ""], language)
    message = mail.render(
        MAILS / "decided", current, to=row["email"], language=language,
        label=" ".join(decided.label.split()), answer=decided.answer, reason=decided.reason,
        has_room=decided.has_room, trade=names.get(decided.trade or "", ""),
        profile=f"{current.public_url}/members/{decided.member_id}",
    )  # fmt: skip
    if await posting.post(message) is Outcome.LATER:
        raise posting.RelayAway
