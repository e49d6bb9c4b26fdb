"""Who sees which field of a profile. Pages, API, index and exports all decide here."""

import enum
from collections.abc import Mapping

from directory.accounts.actor import Actor, Permission
from directory.languages import marked


class Audience(enum.StrEnum):
    PUBLIC = "public"
    MEMBERS = "members"
    FILIERES = "filieres"
    ME = "me"


class Level(enum.IntEnum):
    """How near somebody is to a member. FELLOW shares an active filière with them."""

    VISITOR = 0
    MEMBER = 1
    FELLOW = 2
    SELF = 3


class Field(enum.StrEnum):
    DISPLAY_NAME = "display_name"
    PHOTO = "photo"
    HEADLINE = "headline"
    BIOGRAPHY = "biography"
    TRADES = "trades"
    SECTORS = "sectors"
    SKILLS_OFFERED = "skills_offered"
    SKILLS_WANTED = "skills_wanted"
    AVAILABILITY = "availability"
    LANGUAGES = "languages"
    STAGE = "stage"
    PLACE = "place"
    TERRITORY = "territory"
    EMAIL = "email"
    PHONE = "phone"
    LINKS = "links"
    MEMBERSHIPS = "memberships"
    PORTFOLIO = "portfolio"


NAMES: Mapping[Audience, str] = {
    Audience.PUBLIC: marked("Tout le monde"),
    Audience.MEMBERS: marked("Les membres"),
    Audience.FILIERES: marked("Mes filières"),
    Audience.ME: marked("Moi seul·e"),
}
NEEDED: Mapping[Audience, Level] = {
    Audience.PUBLIC: Level.VISITOR,
    Audience.MEMBERS: Level.MEMBER,
    Audience.FILIERES: Level.FELLOW,
    Audience.ME: Level.SELF,
}
DEFAULTS: Mapping[Field, Audience] = {
    field: Audience.ME if field in {Field.EMAIL, Field.PHONE} else Audience.MEMBERS
    for field in Field
}
_VALUES = frozenset(audience.value for audience in Audience)


def standing(actor: Actor) -> Level:
    """What an actor is to anybody: a member, or a visitor. Coordinators see as members see."""
    return Level.MEMBER if actor.may(Permission.READ_MEMBERS) else Level.VISITOR


def own_id(actor: Actor) -> int | None:
    """The member whom the actor may see whole: themselves."""
    may_look = actor.may(Permission.READ_MEMBERS) or actor.may(Permission.EDIT_PROFILE)
    return actor.member_id if may_look else None


def level(actor: Actor, member_id: int, *, shares_filiere: bool) -> Level:
    if member_id == own_id(actor):
        return Level.SELF
    if standing(actor) is Level.MEMBER and shares_filiere:
        return Level.FELLOW
    return standing(actor)


def chosen(audiences: Mapping[str, object], field: Field) -> Audience:
    """What the owner chose. What is not understood is for the owner alone."""
    value = audiences.get(field)
    if value is None:
        return DEFAULTS[field]
    return Audience(value) if isinstance(value, str) and value in _VALUES else Audience.ME


def visible_to(nearness: Level, audiences: Mapping[str, object]) -> frozenset[Field]:
    """The fields that somebody sees. Without DISPLAY_NAME the member does not exist for them."""
    return frozenset(field for field in Field if NEEDED[chosen(audiences, field)] <= nearness)


# The same in SQL, for lists.


def sql_shares_filiere(member: str, viewer: str) -> str:
    """SQL: whether two members are in one filière. Takes SQL expressions of their ids."""
    return (
        "EXISTS (SELECT FROM membership mine JOIN membership theirs"
        " ON theirs.filiere_id = mine.filiere_id AND theirs.left_at IS NULL"
        f" WHERE mine.member_id = {viewer} AND mine.left_at IS NULL"
        f" AND theirs.member_id = {member})"
    )


def sql_level(member: str, own: str, standing_level: str) -> str:
    """SQL: `level`, from expressions of the member's id, of `own_id` and of `standing`."""
    return (
        f"CASE WHEN {member} = {own} THEN {Level.SELF:d}"
        f" WHEN {standing_level} = {Level.MEMBER:d} AND {sql_shares_filiere(member, own)}"
        f" THEN {Level.FELLOW:d} ELSE {standing_level} END"
    )


def sql_visible(field: Field, audiences: str, nearness: str) -> str:
    """SQL: whether `visible_to` holds the field, from expressions of the other two."""
    steps = " ".join(f"WHEN '{audience}' THEN {NEEDED[audience]:d}" for audience in Audience)
    return (
        f"(CASE coalesce({audiences} ->> '{field}', '{DEFAULTS[field]}')"
        f" {steps} ELSE {Level.SELF:d} END <= {nearness})"
    )
