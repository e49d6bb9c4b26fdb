"""Trades that members propose, where the vocabulary has none that says what they do."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Literal

import asyncpg
import msgspec

from directory import db, errors
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission
from directory.http.listing import Listing
from directory.languages import marked
from directory.members import drafts, profiles, vocabulary
from directory.members.vocabulary import TradeEntry
from search import normaliser
from search.stopwords import STOPWORDS

LABEL_LENGTH = 120
NOTE_LENGTH = 500
MOST_OPEN = 5
NEAREST = 8
SHORTEST_TELLING = 3


class ProposalDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """language is that of the label; without it, the reader's."""

    label: Annotated[
        str, msgspec.Meta(description="The trade, as one calls it: 1 to 120 characters.")
    ]
    note: Annotated[
        str, msgspec.Meta(description="What one does, in a sentence: 500 characters at most.")
    ] = ""
    language: Literal["fr", "nl", "en"] | None = None


class Proposer(msgspec.Struct, frozen=True):
    id: int
    display_name: str


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """member is null for who left, and who does not show the reader their name."""

    id: int
    label: str
    note: str
    language: str
    proposed_at: datetime
    member: Proposer | None


class ProposalsFull(errors.Conflict):
    """A member has as many open proposals as one may have."""

    kind = "proposals-full"

    def __init__(self, labels: Iterable[str]) -> None:
        super().__init__(
            marked(
                "Vous avez déjà %(most)s propositions. "
                "Retirez-en une pour proposer un autre métier : %(labels)s."
            ),
            most=MOST_OPEN, labels=", ".join(labels),
        )  # fmt: skip


async def nearest(label: str, language: str) -> list[TradeEntry]:
    """Trades that have all words of the label, or else its longest word that any trade has."""
    text = label[:LABEL_LENGTH]
    words = {token.words[0].form for token in normaliser.tokens(text)} - STOPWORDS
    telling = [word for word in words if len(word) >= SHORTEST_TELLING]
    telling.sort(key=lambda word: (-len(word), word))
    for wanted in [text, *telling] if words else []:
        found = await vocabulary.find_trades(wanted, language, 1, NEAREST)
        if found.items:
            return found.items
    return []


_COLUMNS = "id, member_id, label, note, language, proposed_at"


async def propose(actor: Actor, draft: ProposalDraft, language: str) -> ProposalView:
    """The same trade again, in any gender or number, gives the proposal that is there, as it was.

    :raises errors.Malformed: naming the field. :raises ProposalsFull: with MOST_OPEN others.
    """
    actor.require(Permission.PROPOSE_TRADE)
    member_id = actor.require_member()
    label, note, form = _line("label", draft.label), _line("note", draft.note), _form(draft.label)
    async with db.transaction() as opened:
        # One after the other: two clicks make one proposal, and never a sixth.
        await opened.execute("SELECT FROM member WHERE id = $1 FOR UPDATE", member_id)
        open_ones = await _open_ones(opened, member_id)
        row = open_ones.get(form)
        if row is None and len(open_ones) >= MOST_OPEN:
            raise ProposalsFull(one["label"] for one in open_ones.values())
        if row is None:
            row = await opened.fetchrow(
                "INSERT INTO trade_proposal (member_id, label, note, language, form)"  # noqa: S608 - own names
                f" VALUES ($1, $2, $3, $4, $5) RETURNING {_COLUMNS}",
                member_id, label, note, draft.language or language, form,
            )  # fmt: skip
            subject = f"proposal:{row['id']}" if row else ""
            await audit.record(actor, "proposal.made", member_id=member_id, subject=subject)
    assert row is not None  # noqa: S101 - for mypy: an insert returns its row
    return _view(row, {member_id: actor.name})


async def list_own(actor: Actor) -> list[ProposalView]:
    """One's own open proposals, the oldest first."""
    actor.require(Permission.PROPOSE_TRADE)
    member_id = actor.require_member()
    async with db.connection() as reader:
        rows = await _open_ones(reader, member_id)
    return [_view(row, {member_id: actor.name}) for row in rows.values()]


async def withdraw(actor: Actor, proposal_id: int) -> None:
    """:raises errors.NotFound: for what is not there, and what is another's."""
    actor.require(Permission.PROPOSE_TRADE)
    member_id = actor.require_member()
    async with db.transaction() as opened:
        gone = 0 < proposal_id <= profiles.LARGEST_ID and await opened.fetchval(
            "DELETE FROM trade_proposal WHERE id = $1 AND member_id = $2 RETURNING true",
            proposal_id,
            member_id,
        )
        if not gone:
            raise errors.NotFound(marked("Cette proposition n’est plus là."))
        subject = f"proposal:{proposal_id}"
        await audit.record(actor, "proposal.withdrawn", member_id=member_id, subject=subject)


async def list_proposals(actor: Actor, page: int, limit: int) -> Listing[ProposalView]:
    """Who waits longest comes first."""
    actor.require(Permission.KEEP_VOCABULARY)
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"SELECT {_COLUMNS} FROM trade_proposal"  # noqa: S608 - own names
            " ORDER BY proposed_at, id LIMIT $1 OFFSET $2",
            limit,
            (page - 1) * limit,
        )
        total = await reader.fetchval("SELECT count(*) FROM trade_proposal")
    # By the card, which shows a name only to those who may see it.
    cards = await profiles.cards(actor, list({row["member_id"] for row in rows}))
    names = {card.id: card.display_name for card in cards}
    return Listing([_view(row, names) for row in rows], total, page, limit)


async def get(actor: Actor, proposal_id: int) -> ProposalView:
    """:raises errors.NotFound: for one that is withdrawn, or decided already."""
    actor.require(Permission.KEEP_VOCABULARY)
    async with db.connection() as reader:
        row = 0 < proposal_id <= profiles.LARGEST_ID and await reader.fetchrow(
            f"SELECT {_COLUMNS} FROM trade_proposal WHERE id = $1",  # noqa: S608 - own names
            proposal_id,
        )
    if not row:
        raise errors.NotFound(marked("Cette proposition n’est plus là."))
    cards = await profiles.cards(actor, [row["member_id"]])
    return _view(row, {card.id: card.display_name for card in cards})


async def _open_ones(reader: asyncpg.Connection, member_id: int) -> dict[str, asyncpg.Record]:
    """By their form."""
    rows = await reader.fetch(
        f"SELECT {_COLUMNS}, form FROM trade_proposal"  # noqa: S608 - own names
        " WHERE member_id = $1 ORDER BY proposed_at, id",
        member_id,
    )
    return {row["form"]: row for row in rows}


def _view(row: asyncpg.Record, names: Mapping[int, str]) -> ProposalView:
    member_id = row["member_id"]
    return ProposalView(
        id=row["id"],
        label=row["label"],
        note=row["note"],
        language=row["language"],
        proposed_at=row["proposed_at"],
        member=Proposer(member_id, names[member_id]) if member_id in names else None,
    )


def _line(field: str, typed: str) -> str:
    most = LABEL_LENGTH if field == "label" else NOTE_LENGTH
    return drafts.checked(field, " ".join(typed.split()), most)


def _form(label: str) -> str:
    """:raises errors.Malformed: for a label without a word."""
    form = " ".join(token.words[0].key for token in normaliser.tokens(label))
    if not any(character.isalpha() for character in form):
        raise errors.Malformed.field(
            "label", marked("Écrivez le nom du métier, par exemple luthière.")
        )
    return form
