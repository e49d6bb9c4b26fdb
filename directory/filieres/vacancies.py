"""Filières that somebody leaves without anybody to run them."""

from pathlib import Path

import asyncpg
import msgspec

from directory import db, jobs, mail, settings
from directory.accounts import staff
from directory.filieres import registry
from directory.filieres.registry import FiliereRef
from directory.holdings import Person

MAILS = Path(__file__).parent / "mails"


class FiliereVacated(msgspec.Struct, frozen=True):
    """Nobody runs a filière any more. `staff_id` is one of those who are told; see staff."""

    filiere_id: int
    staff_id: int


# Filières that member $1 runs by mandate or by grant, and nobody else who is still there.
_ALONE = """
    WITH runs AS (
        SELECT d.filiere_id, d.member_id FROM mandate d
        WHERE d.role = 'animator' AND current_date BETWEEN d.starts_on AND d.ends_on
        UNION
        SELECT f.id, m.id FROM access_grant g JOIN member m ON m.account_id = g.account_id
        JOIN filiere f ON g.scope = 'filiere:' || f.id
        WHERE g.role = 'animator' AND g.starts_on <= current_date
          AND (g.ends_on IS NULL OR g.ends_on >= current_date)
    )
    SELECT f.id FROM filiere f JOIN runs r ON r.filiere_id = f.id AND r.member_id = $1
    WHERE f.stage <> 'closed' AND NOT EXISTS (
        SELECT FROM runs o JOIN member p ON p.id = o.member_id AND p.left_on IS NULL
        WHERE o.filiere_id = f.id AND o.member_id <> $1)
    ORDER BY f.id
"""


async def run_alone(person: Person, language: str) -> list[FiliereRef]:
    """The filières that nobody would run without this person."""
    async with db.connection() as reader:
        ids = [row["id"] for row in await reader.fetch(_ALONE, person.member_id)]
    named = await registry.refs(ids, language)
    return [named[filiere_id] for filiere_id in ids]


async def tell(opened: asyncpg.Connection, person: Person) -> None:
    """Say to the staff, once this transaction is done, which filières a leaving person vacates."""
    rows = await opened.fetch(_ALONE, person.member_id)
    for row in rows:
        for staff_id in await staff.account_ids(but=person.account_id):
            await jobs.emit(FiliereVacated(row["id"], staff_id))


@jobs.on(FiliereVacated)
async def write(vacated: FiliereVacated) -> None:
    reader = await staff.reader(vacated.staff_id)
    if reader is None:
        return
    named = await registry.refs([vacated.filiere_id], reader.language)
    if (filiere := named.get(vacated.filiere_id)) is None:
        return
    chosen = settings.current()
    message = mail.render(
        MAILS / "vacancy", chosen, to=reader.email, language=reader.language,
        filiere=filiere.name, link=f"{chosen.public_url}/filieres/{filiere.slug}",
    )  # fmt: skip
    await mail.send(message, chosen)
