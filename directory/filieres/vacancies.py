"""Filières that somebody leaves without anybody to run them, and since when."""

from collections.abc import Collection
from datetime import date
from pathlib import Path

import asyncpg
import msgspec

from directory import db, jobs, mail, settings
from directory.accounts import staff
from directory.filieres import mandates, registry
from directory.filieres.lifecycle import Stage
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


async def run_by_one(ids: Collection[int]) -> dict[int, int]:
    """Of these filières, those that a single member animates today, with that member."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT filiere_id, min(member_id) AS member_id FROM running_animator "
            "WHERE filiere_id = ANY($1::bigint[]) GROUP BY filiere_id HAVING count(*) = 1",
            list(ids),
        )
    return {row["filiere_id"]: row["member_id"] for row in rows}


async def tell(opened: asyncpg.Connection, person: Person) -> None:
    """Say to the staff, once this transaction is done, which filières a leaving person vacates."""
    rows = await opened.fetch(
        f"SELECT f.id FROM filiere f WHERE f.id IN ({_ALONE}) ORDER BY f.id FOR NO KEY UPDATE",  # noqa: S608 - no value in it
        person.member_id,
    )
    for row in rows:
        await _record(row["id"], None, person.account_id)


async def note(filiere_id: int, *, but: int | None) -> bool:
    """Whether nobody animates the filière, which is locked, any more; the staff are told once.

    `but` is the account that knows it already.
    """
    if await mandates.is_run(filiere_id):
        return False
    await _record(filiere_id, None, but)
    return True


async def _record(filiere_id: int, began_on: date | None, but: int | None) -> None:
    """From this day on, or from today, nobody runs it. What is known already is told to nobody."""
    opened = db.current()
    is_new = await opened.fetchval(
        "INSERT INTO filiere_vacancy (filiere_id, began_on) "
        "VALUES ($1, coalesce($2::date, current_date)) ON CONFLICT DO NOTHING RETURNING true",
        filiere_id, began_on,
    )  # fmt: skip
    if is_new:
        for staff_id in await staff.account_ids(but=but):
            await jobs.emit(FiliereVacated(filiere_id, staff_id))


# The last day of who animated, of mandates, grants and noted vacancies; for each filiere.
LAST_DAYS = """
    SELECT d.filiere_id, least(d.ends_on, m.left_on) AS last_on
    FROM mandate d JOIN member m ON m.id = d.member_id
    WHERE d.role = 'animator' AND d.starts_on <= current_date
    UNION ALL
    SELECT f.id, g.ends_on FROM access_grant g JOIN filiere f ON g.scope = 'filiere:' || f.id
    WHERE g.role = 'animator' AND g.ends_on < current_date
    UNION ALL
    SELECT filiere_id, began_on - 1 FROM filiere_vacancy
"""
# Since when nobody animates those that somebody animated once.
SINCE = f"""
    SELECT l.filiere_id, least(max(l.last_on) + 1, current_date) AS since FROM ({LAST_DAYS}) AS l
    WHERE NOT EXISTS (SELECT FROM running_animator r WHERE r.filiere_id = l.filiere_id)
    GROUP BY l.filiere_id
"""  # noqa: S608 - no value in it


@jobs.every("7 * * * *")
async def find() -> None:
    """Mandates that ran out and members who left leave vacancies too: each is told once."""
    async with db.transaction() as opened:
        rows = await opened.fetch(
            f"""
            SELECT f.id, v.since FROM ({SINCE}) AS v JOIN filiere f ON f.id = v.filiere_id
            WHERE f.stage IN ('forming', 'launched', 'active')
            ORDER BY f.id FOR NO KEY UPDATE OF f
            """  # noqa: S608 - no value in it
        )
        for row in rows:
            if not await mandates.is_run(row["id"]):  # named while the lock was awaited
                await _record(row["id"], row["since"], None)


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
        filiere=filiere.name, is_dormant=filiere.stage is Stage.DORMANT,
        link=f"{chosen.public_url}/filieres/{filiere.slug}/mandates",
    )  # fmt: skip
    await mail.send(message, chosen)
