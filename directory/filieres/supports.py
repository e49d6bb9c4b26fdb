"""What members say of a proposal: they support it, or have a reserve. Enough of them are heard."""

import enum
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, jobs, limits, mail, settings
from directory.accounts import audit, staff
from directory.accounts.actor import VISITOR, Actor, Permission, filiere_scope
from directory.filieres import lifecycle, registry, signatures
from directory.filieres.lifecycle import Stage, Voice
from directory.filieres.signatures import Signature
from directory.http.listing import Listing
from directory.languages import marked
from directory.limits import Limit
from directory.members import audiences, drafts

MAILS = Path(__file__).parent / "mails"
OPINION_LENGTH = 500
OPEN_STAGES = (Stage.PROPOSED, Stage.GATHERING)
HOURLY = Limit("support-filiere", 60, timedelta(hours=1))


class Stance(enum.Enum):
    FAVOURABLE = "favourable"
    RESERVE = "reserve"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Stance.FAVOURABLE: marked("Je soutiens cette proposition"),
    Stance.RESERVE: marked("J’ai une réserve"),
}


class SupportDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to say. A reserve needs words; a support may have some."""

    stance: Stance = Stance.FAVOURABLE
    opinion: Annotated[str, msgspec.Meta(description="500 characters at most.")] = ""
    wants_mails: Annotated[
        bool, msgspec.Meta(description="Tell me by mail what becomes of it.")
    ] = False


class Support(msgspec.Struct, frozen=True, kw_only=True):
    """What the actor said of a proposal."""

    stance: Stance
    opinion: str
    wants_mails: bool
    given_at: datetime


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wrote. `by` is unsigned where they do not show the reader their name."""

    stance: Stance
    opinion: str
    given_at: datetime
    by: Signature

    @property
    def given_on(self) -> date:
        return self.given_at.astimezone(lifecycle.ZONE).date()


class Tally(msgspec.Struct, frozen=True):
    """How many members say what; at `needed` favourable ones the coordinators are told."""

    favourable: int
    reserves: int
    needed: int


class SupportOver(errors.Conflict):
    """The filière is no proposal any more, and what was said of it stays."""

    kind = "support-over"

    def __init__(self) -> None:
        super().__init__(marked("Cette filière n’est plus une proposition : les avis sont clos."))


class SupportReached(msgspec.Struct, frozen=True):
    """Enough members support a proposal. `staff_id` is one of those who are told; see staff."""

    filiere_id: int
    staff_id: int


async def give(actor: Actor, slug: str, draft: SupportDraft) -> Support:
    """Say something of a proposal, or something else than before.

    :raises errors.Malformed: naming the field. :raises SupportOver: for what is no proposal.
    """
    actor.require(Permission.PROPOSE_FILIERE)
    member_id = actor.require_member()
    words = _words(draft)
    async with db.transaction() as opened:
        filiere_id, stage = await _lock(opened, slug)
        before = await find_own(actor, filiere_id)
        wanted = (draft.stance, words, draft.wants_mails)
        if before and (before.stance, before.opinion, before.wants_mails) == wanted:
            return before
        await limits.take(HOURLY, member_id)
        await opened.execute(
            "INSERT INTO filiere_support (filiere_id, member_id, stance, opinion, wants_mails) "
            "VALUES ($1, $2, $3::support_stance, $4, $5) ON CONFLICT (filiere_id, member_id) "
            "DO UPDATE SET stance = excluded.stance, opinion = excluded.opinion, "
            "wants_mails = excluded.wants_mails, given_at = now()",
            filiere_id, member_id, draft.stance.value, words, draft.wants_mails,
        )  # fmt: skip
        action = "support.changed" if before else "support.given"
        subject = filiere_scope(filiere_id)
        await audit.record(actor, action, member_id=member_id, subject=subject)
        await _grow(opened, filiere_id, stage)
        given = await find_own(actor, filiere_id)
    assert given is not None  # noqa: S101 - for mypy: it was just written
    return given


def _words(draft: SupportDraft) -> str:
    words = drafts.checked("opinion", drafts.paragraphs(draft.opinion), OPINION_LENGTH)
    if draft.stance is Stance.RESERVE and not words:
        raise errors.Malformed.field(
            "opinion", marked("Écrivez votre réserve en une phrase : elle aide à décider.")
        )
    return words


async def withdraw(actor: Actor, slug: str) -> None:
    """Say nothing any more. Who said nothing still says nothing.

    :raises SupportOver: for what is no proposal.
    """
    actor.require(Permission.PROPOSE_FILIERE)
    member_id = actor.require_member()
    async with db.transaction() as opened:
        filiere_id, _ = await _lock(opened, slug)
        gone = await opened.fetchval(
            "DELETE FROM filiere_support WHERE filiere_id = $1 AND member_id = $2 RETURNING true",
            filiere_id, member_id,
        )  # fmt: skip
        if gone:
            subject = filiere_scope(filiere_id)
            await audit.record(actor, "support.withdrawn", member_id=member_id, subject=subject)


async def _lock(opened: asyncpg.Connection, slug: str) -> tuple[int, Stage]:
    filiere_id, stage = await lifecycle.lock(opened, slug)
    if stage not in OPEN_STAGES:
        raise SupportOver
    return filiere_id, stage


async def _grow(opened: asyncpg.Connection, filiere_id: int, stage: Stage) -> None:
    """What follows from a support: the next stage at the first one of somebody else, and a mail
    to the coordinators at enough of them, once. The filière is locked: one after the other."""
    (row,) = await opened.fetch(
        "SELECT count(*) AS count, "
        "count(*) FILTER (WHERE s.member_id IS DISTINCT FROM p.proposed_by) AS others "
        "FROM filiere_support s JOIN member m ON m.id = s.member_id AND m.left_on IS NULL "
        "LEFT JOIN filiere_proposal p ON p.filiere_id = s.filiere_id "
        "WHERE s.filiere_id = $1 AND s.stance = 'favourable'",
        filiere_id,
    )
    if stage is Stage.PROPOSED and row["others"]:
        await lifecycle.move(
            opened, VISITOR, filiere_id, stage, Stage.GATHERING,
            lifecycle.FIRST_SUPPORT, Voice.SERVICE,
        )  # fmt: skip
    if row["count"] >= settings.current().supports_needed and await opened.fetchval(
        "UPDATE filiere_proposal SET told_at = now() "
        "WHERE filiere_id = $1 AND told_at IS NULL RETURNING true",
        filiere_id,
    ):
        for staff_id in await staff.account_ids():
            await jobs.emit(SupportReached(filiere_id, staff_id))


async def find_own(actor: Actor, filiere_id: int) -> Support | None:
    """What the actor said; None for nothing, and for who may say nothing."""
    if actor.member_id is None or not actor.may(Permission.PROPOSE_FILIERE):
        return None
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT stance::text AS stance, opinion, wants_mails, given_at FROM filiere_support "
            "WHERE filiere_id = $1 AND member_id = $2",
            filiere_id, actor.member_id,
        )  # fmt: skip
    return msgspec.convert(dict(row), Support) if row else None


async def tally(filiere_id: int) -> Tally:
    """Of members who are still there."""
    async with db.connection() as reader:
        (row,) = await reader.fetch(
            "SELECT count(*) FILTER (WHERE s.stance = 'favourable') AS favourable, "
            "count(*) FILTER (WHERE s.stance = 'reserve') AS reserves FROM filiere_support s "
            "JOIN member m ON m.id = s.member_id AND m.left_on IS NULL WHERE s.filiere_id = $1",
            filiere_id,
        )
    return Tally(row["favourable"], row["reserves"], settings.current().supports_needed)


async def list_opinions(
    actor: Actor, filiere_id: int, *, page: int, limit: int
) -> Listing[Opinion]:
    """What members who are still there wrote, the newest first."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"""
            SELECT s.stance::text AS stance, s.opinion, s.given_at,
                {signatures.columns("m", "$2::bigint")}
            FROM filiere_support s JOIN member m ON m.id = s.member_id AND m.left_on IS NULL
            WHERE s.filiere_id = $1 AND s.opinion <> ''
            ORDER BY s.given_at DESC, s.member_id LIMIT $3 OFFSET $4
            """,  # noqa: S608 - no value in it
            filiere_id, audiences.own_id(actor), limit, (page - 1) * limit,
        )  # fmt: skip
        total = await _count(reader, filiere_id)
    items = [
        Opinion(
            stance=Stance(row["stance"]),
            opinion=row["opinion"],
            given_at=row["given_at"],
            by=signatures.read(actor, row),
        )
        for row in rows
    ]
    return Listing(items=items, total=total, page=page, limit=limit)


async def _count(reader: asyncpg.Connection, filiere_id: int) -> int:
    count: int = await reader.fetchval(
        "SELECT count(*) FROM filiere_support s JOIN member m ON m.id = s.member_id "
        "AND m.left_on IS NULL WHERE s.filiere_id = $1 AND s.opinion <> ''",
        filiere_id,
    )
    return count


@jobs.on(SupportReached)
async def write(reached: SupportReached) -> None:
    reader = await staff.reader(reached.staff_id)
    if reader is None:
        return
    named = await registry.refs([reached.filiere_id], reader.language)
    if (filiere := named.get(reached.filiere_id)) is None:
        return
    chosen = settings.current()
    counted = await tally(reached.filiere_id)
    message = mail.render(
        MAILS / "supported", chosen, to=reader.email, language=reader.language,
        filiere=filiere.name, count=counted.favourable, reserves=counted.reserves,
        link=f"{chosen.public_url}/filieres/{filiere.slug}",
    )  # fmt: skip
    await mail.send(message, chosen)
