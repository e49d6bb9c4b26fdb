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
        columns=("id", "role", "starts_on", "ends_on"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where="t.member_id = p.member_id",
        order="t.id",
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
)


async def erase(opened: asyncpg.Connection, person: Person) -> None:
    """Mandates end with the person; a filière that nobody runs any more says so to the staff."""
    await vacancies.tell(opened, person)
    await opened.execute("DELETE FROM mandate WHERE member_id = $1", person.member_id)
    await opened.execute(
        "UPDATE stage_change SET decided_by = NULL WHERE decided_by = $1", person.account_id
    )
