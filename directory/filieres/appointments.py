"""Who has which role: given and ended by those who may, and noted in the audit log.

Animators and ambassadors have it in one filière, with a mandate; coordinators and administrators
have it everywhere.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors
from directory.accounts import audit
from directory.accounts.actor import (
    ALLOWED_BY_ROLE,
    EVERYWHERE,
    Actor,
    Permission,
    Role,
    filiere_scope,
)
from directory.filieres import mandates, registry, vacancies
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef
from directory.languages import marked
from directory.members import profiles, views

MANDATE = timedelta(days=365)
LONGEST_MANDATE = timedelta(days=5 * 366)
IN_A_FILIERE = (Role.ANIMATOR, Role.AMBASSADOR)
NAMES = {
    Role.ANIMATOR: marked("Animation d’une filière"),
    Role.AMBASSADOR: marked("Ambassade d’une filière"),
    Role.COORDINATOR: marked("Coordination"),
    Role.ADMINISTRATOR: marked("Administration"),
}


class RoleDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role to give. In a filière without a last day, the mandate is of a year."""

    who: Annotated[
        str, msgspec.Meta(description="An account's address, or the number of a member's profile.")
    ]
    role: Role
    filiere: Annotated[
        str, msgspec.Meta(description="The slug: for animators and ambassadors alone.")
    ] = ""
    ends_on: Annotated[
        date | None, msgspec.Meta(description="The last day; none for administrators.")
    ] = None


class GrantView(msgspec.Struct, frozen=True, kw_only=True):
    """A role that somebody has. `ends_on` is its last day.

    `member_id` and `name` are null for a member who does not show the reader their name; the name
    of an account without a member is its address. `is_last`: nobody else animates the filière.
    """

    id: int
    role: Role
    filiere: FiliereRef | None
    starts_on: date
    ends_on: date | None
    member_id: int | None
    name: str | None
    is_last: bool = False

    @property
    def role_name(self) -> str:
        return NAMES[self.role]


class LastAdministrator(errors.Conflict):
    """Somebody must be able to give roles."""

    kind = "last-administrator"


class _Person(msgspec.Struct, frozen=True):
    account_id: int
    member_id: int | None


async def list_grants(actor: Actor, language: str) -> list[GrantView]:
    """The roles that the actor may give and end; those of today and to come, the widest first."""
    actor.require(Permission.NAME_ANIMATORS)
    shown = list(Role) if actor.may(Permission.MANAGE_ROLES) else list(IN_A_FILIERE)
    async with db.connection() as reader:
        rows = await reader.fetch(
            """
            SELECT g.id, g.role::text AS role, g.scope, g.starts_on, g.ends_on,
                a.email::text AS email, m.id AS member_id
            FROM access_grant g JOIN account a ON a.id = g.account_id
            LEFT JOIN member m ON m.account_id = a.id AND m.left_on IS NULL
            WHERE g.role::text = ANY($1) AND (g.ends_on IS NULL OR g.ends_on >= current_date)
              AND (m.id IS NOT NULL OR g.role NOT IN ('animator', 'ambassador'))
            ORDER BY g.role, g.scope, g.id
            """,
            [role.value for role in shown],
        )  # fmt: skip
    return await _views(actor, rows, language)


async def give(actor: Actor, draft: RoleDraft, language: str) -> GrantView:
    """Give a role. Given again, it has the new last day.

    :raises errors.Malformed: naming the field. :raises errors.Forbidden: for a role that gives
        oneself what one may not do. :raises LastAdministrator: for the last one's last day.
    """
    is_local = draft.role in IN_A_FILIERE
    actor.require(Permission.NAME_ANIMATORS if is_local else Permission.MANAGE_ROLES)
    ends_on = _last_day(draft)
    async with db.transaction() as opened:
        filiere = await _filiere(draft, language) if is_local else None
        if filiere and await mandates.lock(filiere.id) is Stage.CLOSED:
            raise _closed(filiere)
        person = await _person(opened, draft)
        scope = filiere_scope(filiere.id) if filiere else EVERYWHERE
        _refuse_more_for_oneself(actor, person, draft.role, scope)
        await _lock(opened, draft.role)
        grant_id = await opened.fetchval(
            "INSERT INTO access_grant AS g (account_id, role, scope, ends_on) "
            "VALUES ($1, $2::access_role, $3, $4) ON CONFLICT (account_id, role, scope) "
            "DO UPDATE SET ends_on = excluded.ends_on, "
            "starts_on = CASE WHEN g.ends_on < current_date THEN current_date "
            "ELSE least(g.starts_on, current_date) END RETURNING id",
            person.account_id, draft.role.value, scope, ends_on,
        )  # fmt: skip
        if filiere:
            await _end_mandates(opened, person, draft.role, filiere.id)
            await opened.execute(
                "INSERT INTO mandate (filiere_id, member_id, role, starts_on, ends_on) "
                "VALUES ($1, $2, $3::mandate_role, current_date, $4)",
                filiere.id, person.member_id, draft.role.value, ends_on,
            )  # fmt: skip
        await _require_administrator(opened, draft.role)
        await _note(actor, "role.given", person, draft.role, scope)
        row = await _row(opened, grant_id)
        return (await _views(actor, [row], language))[0]


async def end(actor: Actor, grant_id: int) -> bool:
    """End a role at once. True: it was the last animator of a filière.

    Staff may end even that one, as they can step in; the others of the staff are told.

    :raises errors.NotFound: for what is not there, and what the actor may not end.
    :raises LastAdministrator: for the last one.
    """
    actor.require(Permission.NAME_ANIMATORS)
    async with db.transaction() as opened:
        number = grant_id if 0 < grant_id <= profiles.LARGEST_ID else 0
        await opened.execute(  # before the grant: who leaves by themselves locks in that order
            "SELECT FROM filiere f JOIN access_grant g ON g.scope = 'filiere:' || f.id "
            "WHERE g.id = $1 FOR NO KEY UPDATE OF f",
            number,
        )
        row = await _row(opened, number)
        role = Role(row["role"]) if row else None
        if row is None or role is None or not _may_end(actor, role):
            raise errors.NotFound(marked("Ce rôle n’est plus là."))
        await _lock(opened, role)
        await opened.execute("DELETE FROM access_grant WHERE id = $1", grant_id)
        person = _Person(row["account_id"], row["any_member_id"])
        is_vacated = False
        if role in IN_A_FILIERE and row["scope"]:
            filiere_id = int(row["scope"].partition(":")[2])
            await _end_mandates(opened, person, role, filiere_id)
            if role is Role.ANIMATOR:
                is_vacated = await vacancies.note(filiere_id, but=actor.account_id)
        await _require_administrator(opened, role)
        await _note(actor, "role.ended", person, role, row["scope"])
        return is_vacated


async def end_by_name(actor: Actor, draft: RoleDraft, language: str) -> None:
    """The same for the command line, which knows no numbers of grants.

    :raises errors.NotFound: when the account has no such role.
    """
    actor.require(Permission.NAME_ANIMATORS)
    async with db.transaction() as opened:
        filiere = await _filiere(draft, language) if draft.role in IN_A_FILIERE else None
        grant_id = await opened.fetchval(
            "SELECT g.id FROM access_grant g JOIN account a ON a.id = g.account_id "
            "WHERE a.email = $1 AND g.role::text = $2 AND g.scope = $3",
            draft.who, draft.role.value, filiere_scope(filiere.id) if filiere else EVERYWHERE,
        )  # fmt: skip
        await end(actor, grant_id or 0)


def _may_end(actor: Actor, role: Role) -> bool:
    return role in IN_A_FILIERE or actor.may(Permission.MANAGE_ROLES)


def _refuse_more_for_oneself(actor: Actor, person: _Person, role: Role, scope: str) -> None:
    given = [permission for permission, roles in ALLOWED_BY_ROLE.items() if role in roles]
    if person.account_id == actor.account_id and not all(actor.may(one, scope) for one in given):
        raise errors.Forbidden(
            marked("Ce rôle vous donnerait plus que ce que vous avez. Une autre personne le donne.")
        )


def _last_day(draft: RoleDraft) -> date | None:
    today = views.today()
    if draft.ends_on is None:
        return today + MANDATE if draft.role in IN_A_FILIERE else None
    if draft.role is Role.ADMINISTRATOR:
        raise errors.Malformed.field(
            "ends_on", marked("L’administration n’a pas de dernier jour. Laissez-le vide.")
        )
    if not today <= draft.ends_on <= today + LONGEST_MANDATE:
        raise errors.Malformed.field(
            "ends_on", marked("Indiquez un jour à venir, par exemple %(example)s."),
            example=(today + MANDATE).isoformat(),
        )  # fmt: skip
    return draft.ends_on


async def _filiere(draft: RoleDraft, language: str) -> FiliereRef:
    filiere = await registry.find(draft.filiere, language) if draft.filiere else None
    if filiere is None:
        raise errors.Malformed.field("filiere", marked("Choisissez une filière."))
    if filiere.stage is Stage.CLOSED:
        raise _closed(filiere)
    return filiere


def _closed(filiere: FiliereRef) -> errors.Malformed:
    return errors.Malformed.field(
        "filiere", marked("La filière %(name)s est fermée."), name=filiere.name
    )


async def _person(opened: asyncpg.Connection, draft: RoleDraft) -> _Person:
    if draft.role not in IN_A_FILIERE and draft.filiere:
        raise errors.Malformed.field(
            "filiere", marked("Ce rôle vaut partout. Laissez la filière vide.")
        )
    who = draft.who.strip().replace("\0", "")
    number = int(who) if who.isdecimal() and len(who) < 19 else 0
    row = await opened.fetchrow(
        "SELECT a.id AS account_id, m.id AS member_id FROM account a "
        "LEFT JOIN member m ON m.account_id = a.id AND m.left_on IS NULL "
        "WHERE (a.email = $1 OR m.id = $2) AND a.disabled_at IS NULL",
        who, number,
    )  # fmt: skip
    if row is None:
        raise errors.Malformed.field(
            "who", marked("Aucun compte ouvert n’a cette adresse ni ce numéro de fiche.")
        )
    if draft.role in IN_A_FILIERE and row["member_id"] is None:
        raise errors.Malformed.field("who", marked("Ce compte n’est pas celui d’un membre."))
    return _Person(row["account_id"], row["member_id"])


async def _lock(opened: asyncpg.Connection, role: Role) -> None:
    """Two administrators who end each other do it one after the other."""
    if role is Role.ADMINISTRATOR:
        await opened.execute("LOCK TABLE access_grant IN SHARE ROW EXCLUSIVE MODE")


async def _require_administrator(opened: asyncpg.Connection, role: Role) -> None:
    if role is Role.ADMINISTRATOR and not await opened.fetchval(
        "SELECT EXISTS (SELECT FROM access_grant g JOIN account a ON a.id = g.account_id "
        "WHERE g.role = 'administrator' AND g.scope = '' AND g.starts_on <= current_date "
        "AND g.ends_on IS NULL AND a.disabled_at IS NULL)"
    ):
        raise LastAdministrator(
            marked("C’est la dernière personne de l’administration. Nommez-en une autre d’abord.")
        )


async def _end_mandates(
    opened: asyncpg.Connection, person: _Person, role: Role, filiere_id: int
) -> None:
    """Yesterday was the last day; one that began today or later never was."""
    which = (person.member_id, role.value, filiere_id)
    of_theirs = "member_id = $1 AND role::text = $2 AND filiere_id = $3 AND ends_on >= current_date"
    await opened.execute(
        f"DELETE FROM mandate WHERE {of_theirs} AND starts_on >= current_date",  # noqa: S608 - own words
        *which,
    )
    await opened.execute(
        f"UPDATE mandate SET ends_on = current_date - 1 WHERE {of_theirs}",  # noqa: S608 - own words
        *which,
    )


async def _note(actor: Actor, action: str, person: _Person, role: Role, scope: str) -> None:
    where = scope or f"account:{person.account_id}"
    subject = f"role:{role.value}:{where}"
    await audit.record(actor, action, member_id=person.member_id, subject=subject)


async def _row(opened: asyncpg.Connection, grant_id: int) -> asyncpg.Record | None:
    return await opened.fetchrow(
        """
        SELECT g.id, g.account_id, g.role::text AS role, g.scope, g.starts_on, g.ends_on,
            a.email::text AS email, m.id AS any_member_id,
            CASE WHEN m.left_on IS NULL THEN m.id END AS member_id
        FROM access_grant g JOIN account a ON a.id = g.account_id
        LEFT JOIN member m ON m.account_id = a.id
        WHERE g.id = $1 FOR UPDATE OF g
        """,
        grant_id,
    )


async def _views(
    actor: Actor, rows: Sequence[asyncpg.Record | None], language: str
) -> list[GrantView]:
    found = [row for row in rows if row is not None]
    ids = {row["id"]: int(row["scope"].partition(":")[2] or 0) for row in found}
    named = await registry.refs(set(ids.values()) - {0}, language)
    cards = await profiles.cards(actor, [row["member_id"] for row in found if row["member_id"]])
    seen = {card.id: card.display_name for card in cards}
    alone = await vacancies.run_by_one(set(ids.values()) - {0})
    return [
        GrantView(
            id=row["id"],
            role=Role(row["role"]),
            filiere=named.get(ids[row["id"]]),
            starts_on=row["starts_on"],
            ends_on=row["ends_on"],
            member_id=row["member_id"] if row["member_id"] in seen else None,
            name=seen.get(row["member_id"]) if row["member_id"] else row["email"],
            is_last=row["role"] == Role.ANIMATOR.value
            and alone.get(ids[row["id"]], 0) == row["member_id"],
        )
        for row in found
    ]
