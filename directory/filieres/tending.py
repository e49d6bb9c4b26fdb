"""Who runs a filière, who is asked and who may be: one page for those who run it; and one's own."""

from datetime import date, timedelta

import msgspec

from directory import db
from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.filieres import offers, registry
from directory.filieres.mandates import MandateRole
from directory.filieres.offers import OfferView, Party
from directory.filieres.registry import FiliereRef
from directory.filieres.renewals import RENEWAL, Wish
from directory.members import audiences, profiles, views

MOST_MEMBERS = 500
SOON = timedelta(days=120)


class OwnMandate(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate of the reader's: past, running or to come. `ends_on` is its last day."""

    id: int
    filiere: FiliereRef
    role: MandateRole
    starts_on: date
    ends_on: date
    wish: Wish | None
    is_over: bool


class Mine(msgspec.Struct, frozen=True):
    """One's mandates, and the offers and candidacies that concern one."""

    mandates: list[OwnMandate]
    offers: list[OfferView]


class RunningMandate(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate of a filière that runs or is to come, with what its holder wants at its end."""

    id: int
    holder: Party
    role: MandateRole
    starts_on: date
    ends_on: date
    wish: Wish | None
    is_mine: bool

    @property
    def renewed_until(self) -> date:
        return self.ends_on + RENEWAL

    @property
    def is_ending(self) -> bool:
        """Whether it is time to renew it, or its holder asked to."""
        return self.wish is Wish.RENEW or self.ends_on - views.today() <= SOON


class Tended(msgspec.Struct, frozen=True):
    """A filière as those who run it see it."""

    filiere: FiliereRef
    mandates: list[RunningMandate]
    offers: list[OfferView]


class Choice(msgspec.Struct, frozen=True):
    """A member who may be asked."""

    id: int
    name: str


async def mine(actor: Actor, language: str) -> Mine:
    actor.require(Permission.JOIN_FILIERE)
    member_id = actor.require_member()
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT id, filiere_id, role::text AS role, starts_on, ends_on, wish::text AS wish, "
            "ends_on < current_date AS is_over FROM mandate WHERE member_id = $1 "
            "ORDER BY ends_on < current_date, ends_on DESC, id DESC LIMIT 50",
            member_id,
        )
    named = await registry.refs({row["filiere_id"] for row in rows}, language)
    own = [
        msgspec.convert({**row, "filiere": named[row["filiere_id"]]}, OwnMandate) for row in rows
    ]
    return Mine(own, await offers.list_own(actor, language))


async def of(actor: Actor, slug: str, language: str) -> Tended:
    """For who runs it and the staff.

    :raises errors.NotFound: when no filière has this address. :raises errors.Forbidden:
    """
    filiere = await registry.get(slug, language)
    actor.require(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT d.id, d.member_id, d.role::text AS role, d.starts_on, d.ends_on, "
            "d.wish::text AS wish FROM mandate d JOIN member m ON m.id = d.member_id "
            "WHERE d.filiere_id = $1 AND d.ends_on >= current_date AND m.left_on IS NULL "
            "ORDER BY d.role, d.ends_on, d.id",
            filiere.id,
        )
    cards = await profiles.cards(actor, sorted({row["member_id"] for row in rows}))
    seen = {card.id: card.display_name for card in cards}
    running = [
        RunningMandate(
            id=row["id"],
            holder=Party(
                row["member_id"] if row["member_id"] in seen else None, seen.get(row["member_id"])
            ),
            role=MandateRole(row["role"]),
            starts_on=row["starts_on"],
            ends_on=row["ends_on"],
            wish=Wish(row["wish"]) if row["wish"] else None,
            is_mine=row["member_id"] == actor.member_id,
        )
        for row in rows
    ]
    return Tended(filiere, running, await offers.list_of(actor, filiere.id, language))


async def may_volunteer(actor: Actor, filiere_id: int) -> bool:
    """Whether the actor is in the filière, and has no mandate there nor waits for one."""
    async with db.connection() as reader:
        may: bool = await reader.fetchval(
            "SELECT EXISTS (SELECT FROM membership WHERE filiere_id = $1 AND member_id = $2 "
            "AND left_at IS NULL) AND NOT EXISTS (SELECT FROM mandate WHERE filiere_id = $1 "
            "AND member_id = $2 AND ends_on >= current_date) AND NOT EXISTS (SELECT FROM "
            "mandate_offer WHERE filiere_id = $1 AND to_member_id = $2 AND state = 'open' "
            "AND expires_at > now())",
            filiere_id, actor.member_id,
        )  # fmt: skip
    return may


async def choices(actor: Actor, filiere_id: int) -> list[Choice]:
    """Members who may be asked, who show the actor that they are in it; at most MOST_MEMBERS."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"SELECT m.id, m.display_name AS name {offers.ASKABLE} AND m.id IS DISTINCT FROM $4 "  # noqa: S608 - no value in it
            "ORDER BY unaccent(lower(m.display_name)), m.id LIMIT $5",
            filiere_id, audiences.own_id(actor), audiences.standing(actor), actor.member_id,
            MOST_MEMBERS,
        )  # fmt: skip
    return [Choice(row["id"], row["name"]) for row in rows]
