"""Answering those who ask to join: by who animates the filière, or the staff."""

import enum
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, jobs
from directory.accounts import audit
from directory.accounts.actor import VISITOR, Actor, Permission, filiere_scope
from directory.filieres import lifecycle, registry
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef, Openness
from directory.http.listing import Listing
from directory.languages import SOURCE, marked
from directory.members import profiles
from directory.subscriptions import consent, ledger, memberships, quota, requests
from directory.subscriptions.consent import Choice
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.notices import RequestAnswered
from directory.subscriptions.requests import RequestedChoice, State

GONE = marked("Cette demande n’attend plus de réponse.")


class Answer(enum.Enum):
    ACCEPT = "accept"
    REFUSE = "refuse"


class AnswerDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    answer: Answer
    reason: Annotated[
        str,
        msgspec.Meta(
            description="The person reads it. Needed for a refusal; 500 characters at most."
        ),
    ] = ""


class Asker(msgspec.Struct, frozen=True):
    """Who asks shows their name to those who answer, whoever else may see it."""

    id: int
    display_name: str


class RequestView(msgspec.Struct, frozen=True, kw_only=True):
    """`is_approved` while it is open: accepted, and the person has yet to confirm."""

    id: int
    member: Asker
    message: str
    state: State
    is_approved: bool
    asked_at: datetime
    answered_at: datetime | None
    reason: str

    @property
    def asked_on(self) -> date:
        return self.asked_at.astimezone(ledger.ZONE).date()

    @property
    def answered_on(self) -> date | None:
        return self.answered_at.astimezone(ledger.ZONE).date() if self.answered_at else None


_VIEW = """
    SELECT r.id, r.filiere_id, r.member_id, p.display_name, r.message, r.state::text AS state,
        r.approved_at IS NOT NULL AS is_approved, r.asked_at, r.answered_at, r.reason,
        r.choices, r.network, p.account_id
    FROM membership_request r JOIN member p ON p.id = r.member_id
"""


async def require_tended(actor: Actor, slug: str, language: str) -> FiliereRef:
    """The filière, to those who run it.

    :raises errors.NotFound: when there is none. :raises errors.Forbidden: for others.
    """
    if actor.is_visitor:
        raise errors.SignInNeeded
    filiere = await registry.get(slug, language)
    actor.require(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    return filiere


async def list_requests(
    actor: Actor, slug: str, *, state: State | None = None, page: int = 1, limit: int = 50
) -> Listing[RequestView]:
    """Those that wait come first, the oldest at the top; then the answered ones, the newest first.

    Somebody who left the cooperative waits for nothing any more.
    """
    filiere = await require_tended(actor, slug, SOURCE)
    shown = "r.filiere_id = $1 AND p.left_on IS NULL AND ($2::text IS NULL OR r.state::text = $2)"
    chosen = state.value if state else None
    async with db.connection() as reader:
        total = await reader.fetchval(
            "SELECT count(*) FROM membership_request r JOIN member p ON p.id = r.member_id"  # noqa: S608 - own words
            f" WHERE {shown}",
            filiere.id, chosen,
        )  # fmt: skip
        rows = await reader.fetch(
            f"{_VIEW} WHERE {shown} ORDER BY r.state <> 'open',"
            " CASE WHEN r.state = 'open' THEN r.id ELSE -r.id END LIMIT $3 OFFSET $4",
            filiere.id, chosen, limit, (page - 1) * limit,
        )  # fmt: skip
    return Listing([_view(row) for row in rows], total, page, limit)


async def count_waiting(actor: Actor, language: str) -> list[tuple[FiliereRef, int]]:
    """How many wait for an answer, in each filière that the actor runs, the most first."""
    run = await registry.animated_by(actor, language)
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT r.filiere_id, count(*) AS waiting FROM membership_request r "
            "JOIN member p ON p.id = r.member_id AND p.left_on IS NULL "
            "WHERE (r.filiere_id = ANY($1::bigint[]) OR $2::boolean) "
            "AND r.state = 'open' AND r.approved_at IS NULL GROUP BY 1 ORDER BY 2 DESC, 1",
            [one.id for one in run], actor.may(Permission.TEND_FILIERE),
        )  # fmt: skip
        named = await registry.refs([row["filiere_id"] for row in rows], language)
    return [(named[row["filiere_id"]], row["waiting"]) for row in rows]


def _view(row: asyncpg.Record) -> RequestView:
    return msgspec.convert(
        {**row, "member": Asker(row["member_id"], row["display_name"])}, RequestView
    )


async def answer(actor: Actor, slug: str, request_id: int, draft: AnswerDraft) -> RequestView:
    """Accept or refuse. Who has no place left is told, and comes in once they freed one.

    Accepting again changes nothing. In the same step the asker receives the mails they had ticked.

    :raises errors.NotFound: for what waits no more. :raises errors.Malformed: without a reason.
    :raises memberships.NotOpen: when the filière takes nobody any more.
    """
    filiere = await require_tended(actor, slug, SOURCE)
    reason = requests.text("reason", draft.reason)
    if draft.answer is Answer.REFUSE and not reason:
        raise errors.Malformed.field("reason", marked("Écrivez la raison : la personne la lira."))
    async with db.transaction() as opened:
        row = await _lock(opened, filiere.id, request_id)
        if draft.answer is Answer.REFUSE:
            await _close(opened, actor, row, State.REFUSED, reason)
        else:
            await _accept(opened, actor, row, reason)
        found = await opened.fetchrow(f"{_VIEW} WHERE r.id = $1", request_id)
        assert found is not None  # noqa: S101 - for mypy: it is locked
        return _view(found)


async def _lock(opened: asyncpg.Connection, filiere_id: int, request_id: int) -> asyncpg.Record:
    """The open request. The member is locked first, as by everything that changes memberships."""
    known = 0 < request_id <= profiles.LARGEST_ID and await opened.fetchval(
        "SELECT member_id FROM membership_request WHERE id = $1 AND filiere_id = $2",
        request_id, filiere_id,
    )  # fmt: skip
    if not known or not await ledger.lock(opened, known):
        raise errors.NotFound(GONE)
    row = await opened.fetchrow(
        f"{_VIEW} WHERE r.id = $1 AND r.state = 'open' AND p.left_on IS NULL FOR UPDATE OF r",
        request_id,
    )
    if row is None:
        raise errors.NotFound(GONE)
    return row


async def _accept(
    opened: asyncpg.Connection, actor: Actor, row: asyncpg.Record, reason: str
) -> None:
    stage = await opened.fetchval(
        "SELECT stage::text FROM filiere WHERE id = $1 FOR SHARE", row["filiere_id"]
    )
    if refused := memberships.refusal(Stage(stage), Openness.OPEN):
        raise refused
    joined = await memberships.list_of(row["member_id"], SOURCE)
    if len(joined) < await quota.most():
        await _close(opened, actor, row, State.ACCEPTED, reason)
        await memberships.enter(opened, actor, row["member_id"], row["filiere_id"])
        await _give_choices(opened, row)
    elif not row["is_approved"]:
        await opened.execute(
            "UPDATE membership_request SET approved_at = now(), answered_by = $2, reason = $3 "
            "WHERE id = $1",
            row["id"], actor.account_id, reason,
        )  # fmt: skip
        await _note(actor, "joining.approved", row)
        await jobs.emit(RequestAnswered(row["id"]))


async def _give_choices(opened: asyncpg.Connection, row: asyncpg.Record) -> None:
    """The asker's own consent, with the words they saw then; it counts from now on."""
    slug = await opened.fetchval("SELECT slug FROM filiere WHERE id = $1", row["filiere_id"])
    kept = msgspec.json.decode(row["choices"], type=list[RequestedChoice])
    asker = Actor(account_id=row["account_id"], member_id=row["member_id"])
    await consent.choose(
        asker,
        [Choice(slug, one.topic, one.rhythm, one.wording_id) for one in kept],
        Trace(Screen.REQUEST, row["network"], row["account_id"]),
    )


async def _close(
    opened: asyncpg.Connection, actor: Actor, row: asyncpg.Record, state: State, reason: str
) -> None:
    await opened.execute(
        "UPDATE membership_request SET state = $2::request_state, answered_at = now(), "
        "answered_by = $3, reason = $4 WHERE id = $1",
        row["id"], state.value, actor.account_id, reason,
    )  # fmt: skip
    await _note(actor, f"joining.{state.value}", row)
    await jobs.emit(RequestAnswered(row["id"]))


async def _note(actor: Actor, action: str, row: asyncpg.Record) -> None:
    subject = filiere_scope(row["filiere_id"])
    await audit.record(actor, action, member_id=row["member_id"], subject=subject)


@jobs.on(lifecycle.StageChanged)
async def lapse(changed: lifecycle.StageChanged) -> None:
    """Nobody answers any more for a closed filière: whoever waits is told so."""
    if changed.to_stage is not Stage.CLOSED:
        return
    async with db.connection() as reader:
        waiting: Sequence[asyncpg.Record] = await reader.fetch(
            "SELECT id FROM membership_request WHERE filiere_id = $1 AND state = 'open' "
            "ORDER BY id",
            changed.filiere_id,
        )
    for one in waiting:
        async with db.transaction() as opened:
            if row := await _find_waiting(opened, changed.filiere_id, one["id"]):
                await _close(opened, VISITOR, row, State.LAPSED, "")
    async with db.transaction() as opened:
        await opened.execute(
            "UPDATE filiere_invitation SET state = 'lapsed', answered_at = now() "
            "WHERE filiere_id = $1 AND state = 'open'",
            changed.filiere_id,
        )


async def _find_waiting(
    opened: asyncpg.Connection, filiere_id: int, request_id: int
) -> asyncpg.Record | None:
    return await opened.fetchrow(
        f"{_VIEW} WHERE r.id = $1 AND r.filiere_id = $2 AND r.state = 'open' FOR UPDATE OF r",
        request_id, filiere_id,
    )  # fmt: skip
