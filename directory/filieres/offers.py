"""Mandates that are offered, and members who offer themselves: both sides say yes, or it is not.

Whoever runs a filière asks one of its members to take their place or to share it; a member of it
may propose themselves (a candidacy). What is not answered in OFFER_DAYS has lapsed.
"""

import enum
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, jobs, limits
from directory.accounts import audit, staff
from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.filieres import lifecycle, mandates, registry
from directory.filieres.lifecycle import Stage
from directory.filieres.mandates import MandateRole
from directory.filieres.registry import FiliereRef
from directory.languages import marked
from directory.limits import Limit
from directory.members import audiences, drafts, profiles, views
from directory.members.audiences import Field

OFFER_DAYS = 30
MANDATE = timedelta(days=365)
LATEST_START = timedelta(days=365)
LONGEST = timedelta(days=5 * 366)
LENGTH = 1000
A_DAY = Limit("mandate-offers", 20, timedelta(days=1))
TO_ONE = Limit("mandate-offers.one", 3, timedelta(days=1))  # each is a mail to the same person
RowId = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class Kind(enum.Enum):
    HAND_OVER = "hand_over"
    SHARE = "share"
    CANDIDACY = "candidacy"


class State(enum.Enum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    State.OPEN: marked("en attente"),
    State.ACCEPTED: marked("acceptée"),
    State.REFUSED: marked("refusée"),
    State.WITHDRAWN: marked("retirée"),
    State.EXPIRED: marked("restée sans réponse"),
}
_SETTLED = {
    State.ACCEPTED: marked("Cette proposition est déjà acceptée."),
    State.REFUSED: marked("Cette proposition est déjà refusée."),
    State.WITHDRAWN: marked("Cette proposition a été retirée."),
    State.EXPIRED: marked("Cette proposition est restée sans réponse trop longtemps. Refaites-la."),
}


class OfferDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To whom a mandate is offered. Without days it begins today and lasts a year.

    `from_member` is who hands theirs over: oneself, or for the staff anybody who has one.
    """

    to_member: RowId
    role: MandateRole = MandateRole.ANIMATOR
    from_member: RowId | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    message: str = ""


class Candidacy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member of a filière offers to run it."""

    role: MandateRole = MandateRole.ANIMATOR
    message: str = ""


class Party(msgspec.Struct, frozen=True):
    """A member of an offer; both are null for a reader to whom they do not show their name."""

    member_id: int | None
    name: str | None


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """An offer or a candidacy. `expires_at` is when it lapses without an answer."""

    id: int
    filiere: FiliereRef
    kind: Kind
    role: MandateRole
    state: State
    to: Party
    giver: Party | None
    starts_on: date
    ends_on: date
    message: str
    reason: str
    at: datetime
    expires_at: datetime
    answered_at: datetime | None
    is_mine: bool
    """Whether it is the reader whom it would give the mandate."""

    @property
    def expires_on(self) -> date:
        return self.expires_at.astimezone(lifecycle.ZONE).date()

    @property
    def made_on(self) -> date:
        return self.at.astimezone(lifecycle.ZONE).date()


class OfferMade(msgspec.Struct, frozen=True):
    """Somebody is asked. `account_id` is who is to answer; 0 is the cooperative's own address."""

    offer_id: int
    account_id: int


class OfferAnswered(msgspec.Struct, frozen=True):
    """An offer is settled. `account_id` is who waits for the answer."""

    offer_id: int
    account_id: int


class OfferSettled(errors.Conflict):
    """It was answered, taken back, or it lapsed."""

    kind = "offer-settled"


class AlreadyAsked(errors.Conflict):
    """The same person is asked for the same role there, or proposed themselves."""

    kind = "already-asked"


class AlreadyRuns(errors.Conflict):
    """The person has this role there. A mandate is renewed, not offered again."""

    kind = "already-runs"


async def offer(actor: Actor, slug: str, draft: OfferDraft, language: str) -> OfferView:
    """Ask a member of the filière to take a mandate, by who runs it, at a screen.

    :raises errors.Malformed: naming the field. :raises AlreadyAsked: :raises AlreadyRuns:
    """
    filiere = await registry.get(slug, language)
    actor.require(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    actor.require_person()
    starts_on, ends_on = _days(draft)
    message = text("message", draft.message)
    async with db.transaction() as opened:
        await _open(filiere.id)
        await limits.take(A_DAY, actor.account_id or 0)
        account_id = await _member(opened, actor, filiere.id, draft.to_member)
        await _check_giver(opened, actor, filiere.id, draft)
        await _refuse_twice(opened, draft.to_member, draft.role, filiere.id)
        await limits.take(TO_ONE, filiere.id, draft.to_member)
        kind = Kind.HAND_OVER if draft.from_member else Kind.SHARE
        offer_id = await _insert(
            opened, actor, filiere.id, kind, draft.role, draft.to_member, draft.from_member,
            starts_on, ends_on, message,
        )  # fmt: skip
        await note(actor, "mandate.offered", draft.to_member, draft.role, filiere.id)
        await jobs.emit(OfferMade(offer_id, account_id))
        return await _view(actor, offer_id, language)


async def volunteer(actor: Actor, slug: str, candidacy: Candidacy, language: str) -> OfferView:
    """Offer oneself, by a member of the filière. Those who run it, or else the staff, answer.

    :raises NotInFiliere: by anybody else. :raises AlreadyAsked: :raises AlreadyRuns:
    """
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    filiere = await registry.get(slug, language)
    message = text("message", candidacy.message)
    async with db.transaction() as opened:
        await _open(filiere.id)
        await limits.take(A_DAY, actor.account_id or 0)
        if await _account_of_member(opened, filiere.id, member_id) is None:
            raise NotInFiliere(
                marked("On se propose depuis l’intérieur. Entrez d’abord dans la filière.")
            )
        await _refuse_twice(opened, member_id, candidacy.role, filiere.id)
        await limits.take(TO_ONE, filiere.id, member_id)
        today = views.today()
        offer_id = await _insert(
            opened, actor, filiere.id, Kind.CANDIDACY, candidacy.role, member_id, None,
            today, today + MANDATE, message,
        )  # fmt: skip
        await note(actor, "mandate.volunteered", member_id, candidacy.role, filiere.id)
        for account_id in await answerers(opened, filiere.id, but=actor.account_id):
            await jobs.emit(OfferMade(offer_id, account_id))
        return await _view(actor, offer_id, language)


class NotInFiliere(errors.Conflict):
    """Only its members take part in running a filière."""

    kind = "not-in-filiere"


async def list_own(actor: Actor, language: str) -> list[OfferView]:
    """What one is asked, what one proposed and what one offered; the open ones first."""
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_ROW} WHERE o.to_member_id = $1 OR o.offered_by = $2 AND o.state = 'open' "
            "ORDER BY o.state <> 'open', o.at DESC, o.id DESC LIMIT 50",
            member_id, actor.account_id,
        )  # fmt: skip
    return await _views(actor, rows, language)


async def list_of(actor: Actor, filiere_id: int, language: str) -> list[OfferView]:
    """Those of a filière, for who runs it; the open ones first, then those of three months."""
    actor.require(Permission.TEND_FILIERE, filiere_scope(filiere_id))
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_ROW} WHERE o.filiere_id = $1 "
            "AND (o.state = 'open' OR o.answered_at > now() - interval '90 days') "
            "ORDER BY o.state <> 'open', o.at DESC, o.id DESC LIMIT 100",
            filiere_id,
        )
    return await _views(actor, rows, language)


async def open_to(actor: Actor, filiere_id: int, language: str) -> list[OfferView]:
    """What the actor is asked, or proposed, in one filière. Nothing for who is no member."""
    if actor.member_id is None or not actor.may(Permission.JOIN_FILIERE):
        return []
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_ROW} WHERE o.filiere_id = $1 AND o.to_member_id = $2 AND o.state = 'open' "
            "AND o.expires_at > now() ORDER BY o.id",
            filiere_id, actor.member_id,
        )  # fmt: skip
    return await _views(actor, rows, language)


async def answerers(
    opened: asyncpg.Connection, filiere_id: int, *, but: int | None = None
) -> list[int]:
    """The accounts of who animates it; of the staff where no mail reaches any of them."""
    rows = await opened.fetch(
        "SELECT DISTINCT m.account_id FROM running_animator r JOIN member m ON m.id = r.member_id "
        "JOIN account a ON a.id = m.account_id AND a.disabled_at IS NULL "
        "WHERE r.filiere_id = $1 AND a.id IS DISTINCT FROM $2 "
        "AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email) ORDER BY 1",
        filiere_id, but,
    )  # fmt: skip
    return [row["account_id"] for row in rows] or await staff.account_ids(but=but)


async def note(
    actor: Actor, action: str, member_id: int, role: MandateRole, filiere_id: int
) -> None:
    subject = f"role:{role.value}:{filiere_scope(filiere_id)}"
    await audit.record(actor, action, member_id=member_id, subject=subject)


def settled(state: State) -> OfferSettled:
    return OfferSettled(_SETTLED[state])


async def _open(filiere_id: int) -> None:
    """Lock a filière that is not closed."""
    if await mandates.lock(filiere_id) is Stage.CLOSED:
        raise closed()


def closed() -> errors.Conflict:
    return errors.Conflict(marked("Cette filière est fermée : plus personne ne l’anime."))


async def _account_of_member(
    opened: asyncpg.Connection, filiere_id: int, member_id: int
) -> int | None:
    """Of a member of the filière who can sign in."""
    found: int | None = await opened.fetchval(
        "SELECT a.id FROM membership k JOIN member m ON m.id = k.member_id AND m.left_on IS NULL "
        "JOIN account a ON a.id = m.account_id AND a.disabled_at IS NULL "
        "WHERE k.filiere_id = $1 AND k.member_id = $2 AND k.left_at IS NULL",
        filiere_id, member_id,
    )  # fmt: skip
    return found


_LEVEL = f"({audiences.sql_level('m.id', '$2::bigint', '$3::integer')})"
# Members of filière $1 who can sign in and show that they are in it to who asks.
ASKABLE = f"""
    FROM membership k JOIN member m ON m.id = k.member_id AND m.left_on IS NULL
    JOIN account a ON a.id = m.account_id AND a.disabled_at IS NULL
    WHERE k.filiere_id = $1 AND k.left_at IS NULL
      AND {audiences.sql_visible(Field.DISPLAY_NAME, "m.audiences", _LEVEL)}
      AND {audiences.sql_visible(Field.MEMBERSHIPS, "m.audiences", _LEVEL)}
"""


async def _member(opened: asyncpg.Connection, actor: Actor, filiere_id: int, member_id: int) -> int:
    """The account. Who hides their name or that they are in it is as nobody."""
    if member_id == actor.member_id:
        raise errors.Malformed.field(
            "to_member", marked("Ne vous donnez pas un rôle : une autre personne le propose.")
        )
    found: int | None = await opened.fetchval(
        f"SELECT a.id {ASKABLE} AND m.id = $4",
        filiere_id, audiences.own_id(actor), audiences.standing(actor), member_id,
    )  # fmt: skip
    if found is None:
        raise errors.Malformed.field(
            "to_member", marked("Choisissez une personne qui est dans la filière.")
        )
    return found


async def _check_giver(
    opened: asyncpg.Connection, actor: Actor, filiere_id: int, draft: OfferDraft
) -> None:
    if draft.from_member is None:
        return
    is_theirs = draft.from_member == actor.member_id or actor.may(Permission.RUN_FILIERES)
    if not is_theirs or not await mandates.runs(draft.from_member, draft.role, filiere_id):
        raise errors.Malformed.field(
            "from_member", marked("Ce mandat n’est pas à vous, ou il est fini.")
        )


async def _refuse_twice(
    opened: asyncpg.Connection, member_id: int, role: MandateRole, filiere_id: int
) -> None:
    if await mandates.runs(member_id, role, filiere_id):
        raise AlreadyRuns(
            marked("Cette personne a déjà ce rôle ici. La coordination renouvelle les mandats.")
        )
    await opened.execute(  # what lapsed and was not swept yet is in nobody's way
        "UPDATE mandate_offer SET state = 'expired', answered_at = now() "
        "WHERE filiere_id = $1 AND to_member_id = $2 AND state = 'open' AND expires_at <= now()",
        filiere_id, member_id,
    )  # fmt: skip
    if await opened.fetchval(
        "SELECT EXISTS (SELECT FROM mandate_offer WHERE filiere_id = $1 AND to_member_id = $2 "
        "AND role::text = $3 AND state = 'open')",
        filiere_id, member_id, role.value,
    ):  # fmt: skip
        raise AlreadyAsked(
            marked("Une proposition attend déjà une réponse pour cette personne et ce rôle.")
        )


def _days(draft: OfferDraft) -> tuple[date, date]:
    today = views.today()
    starts_on = draft.starts_on or today
    if not today <= starts_on <= today + LATEST_START:
        raise errors.Malformed.field(
            "starts_on", marked("Indiquez un premier jour dans l’année qui vient."),
        )  # fmt: skip
    ends_on = draft.ends_on or starts_on + MANDATE
    if not starts_on < ends_on <= starts_on + LONGEST:
        raise errors.Malformed.field(
            "ends_on", marked("Indiquez un jour à venir, par exemple %(example)s."),
            example=(starts_on + MANDATE).isoformat(),
        )  # fmt: skip
    return starts_on, ends_on


def text(field: str, given: str) -> str:
    """Without control characters, but for line breaks.

    :raises errors.Malformed: for a long one, and one that turns the text around it.
    """
    words = "".join(sign for sign in drafts.paragraphs(given) if sign >= " " or sign in "\n\t")
    return drafts.checked(field, words.strip(), LENGTH)


async def _insert(
    opened: asyncpg.Connection, actor: Actor, filiere_id: int, kind: Kind, role: MandateRole,
    to_member: int, from_member: int | None, starts_on: date, ends_on: date, message: str,
) -> int:  # fmt: skip
    offer_id: int = await opened.fetchval(
        "INSERT INTO mandate_offer (filiere_id, kind, role, to_member_id, from_member_id, "
        "starts_on, ends_on, message, offered_by, expires_at) VALUES ($1, $2::mandate_offer_kind, "
        "$3::mandate_role, $4, $5, $6, $7, $8, $9, now() + make_interval(days => $10)) "
        "RETURNING id",
        filiere_id, kind.value, role.value, to_member, from_member, starts_on, ends_on, message,
        actor.account_id, OFFER_DAYS,
    )  # fmt: skip
    return offer_id


_ROW = """
    SELECT o.id, o.filiere_id, o.kind::text AS kind, o.role::text AS role, o.from_member_id,
        o.to_member_id, o.starts_on, o.ends_on, o.message, o.reason, o.at, o.expires_at,
        o.answered_at, o.offered_by, (
            SELECT a.id FROM membership k JOIN member m ON m.id = k.member_id
            JOIN account a ON a.id = m.account_id AND a.disabled_at IS NULL
            WHERE k.filiere_id = o.filiere_id AND k.member_id = o.to_member_id
              AND k.left_at IS NULL AND m.left_on IS NULL) AS account_id,
        CASE WHEN o.state = 'open' AND o.expires_at <= now() THEN 'expired'
            ELSE o.state::text END AS state
    FROM mandate_offer o
"""


async def row_of(opened: asyncpg.Connection, offer_id: int) -> asyncpg.Record | None:
    if not 0 < offer_id < 2**63:
        return None
    return await opened.fetchrow(f"{_ROW} WHERE o.id = $1", offer_id)


async def _view(actor: Actor, offer_id: int, language: str) -> OfferView:
    async with db.connection() as reader:
        rows = await reader.fetch(f"{_ROW} WHERE o.id = $1", offer_id)
    return (await _views(actor, rows, language))[0]


async def _views(actor: Actor, rows: Sequence[asyncpg.Record], language: str) -> list[OfferView]:
    named = await registry.refs({row["filiere_id"] for row in rows}, language)
    ids = {row[name] for row in rows for name in ("to_member_id", "from_member_id")} - {None}
    seen = {one.id: one.display_name for one in await profiles.cards(actor, sorted(ids))}

    def party(member_id: int | None) -> Party:
        shown = member_id if member_id in seen else None
        return Party(shown, seen.get(member_id or 0))

    return [
        OfferView(
            **{name: row[name] for name in _PLAIN},
            filiere=named[row["filiere_id"]],
            kind=Kind(row["kind"]),
            role=MandateRole(row["role"]),
            state=State(row["state"]),
            to=party(row["to_member_id"]),
            giver=party(row["from_member_id"]) if row["kind"] == Kind.HAND_OVER.value else None,
            is_mine=row["to_member_id"] == actor.member_id,
        )
        for row in rows
    ]


_PLAIN = (
    "id", "starts_on", "ends_on", "message", "reason", "at", "expires_at", "answered_at",
)  # fmt: skip
