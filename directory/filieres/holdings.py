"""What is held of a person in filières: their mandates, and what they decided."""

import asyncpg

from directory.filieres import vacancies
from directory.holdings import Person, Section
from directory.languages import marked

FILIERE = "(SELECT slug FROM filiere WHERE filiere.id = t.filiere_id)"

SECTIONS = (
    Section(
        name="mandates",
        title=marked("Vos mandats dans des filières"),
        table="mandate",
        columns=("id", "role", "starts_on", "ends_on", "wish", "wished_at"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where="t.member_id = p.member_id",
        order="t.id",
    ),
    Section(
        name="mandate_offers",
        title=marked("Les mandats que l’on vous a proposés, et ceux que vous avez proposés"),
        table="mandate_offer",
        columns=("id", "role", "kind", "starts_on", "ends_on", "message", "state", "at",
                 "expires_at", "answered_at", "reason"),
        extra={"filiere": FILIERE, "is_own_act": "t.offered_by IS NOT DISTINCT FROM p.account_id"},
        covers=("filiere_id", "offered_by"),
        where="(t.to_member_id = p.member_id OR t.from_member_id = p.member_id"
              " OR t.offered_by = p.account_id)",
        order="t.id",
    ),
    Section(
        name="mandate_reminders",
        title=marked("Les rappels de fin de mandat que vous avez reçus"),
        table="mandate_reminder",
        columns=("mandate_id", "ends_on", "days", "at"),
        where="t.account_id = p.account_id",
        order="t.at",
    ),
    Section(
        name="decisions",
        title=marked("Les étapes de filières que vous avez décidées"),
        table="stage_change",
        columns=("id", "from_stage", "to_stage", "reason", "decided_at"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where="t.decided_by = p.account_id",
        order="t.id",
    ),
)  # fmt: skip


async def erase(opened: asyncpg.Connection, person: Person) -> None:
    """Mandates end with the person; a filière that nobody runs any more says so to the staff."""
    await vacancies.tell(opened, person)
    await opened.execute("DELETE FROM mandate WHERE member_id = $1", person.member_id)
    await opened.execute("DELETE FROM mandate_reminder WHERE account_id = $1", person.account_id)
    await opened.execute("DELETE FROM mandate_offer WHERE to_member_id = $1", person.member_id)
    await opened.execute(  # what they wrote goes with them; the offer stands
        "UPDATE mandate_offer SET message = '', offered_by = NULL WHERE offered_by = $1",
        person.account_id,
    )
    await opened.execute(
        "UPDATE stage_change SET decided_by = NULL WHERE decided_by = $1", person.account_id
    )
