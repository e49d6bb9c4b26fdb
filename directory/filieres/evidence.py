"""The figures of a filière as they were counted last, and the copy that a decision takes of them.

They are counted when it is proposed and then once a month, by a job: nobody can watch what one
person's change does to them. Nothing here depends on who asks: `dossiers` decides who sees what.
"""

from datetime import date

import asyncpg
import msgspec

from directory import db, jobs, settings
from directory.accounts.actor import EVERYWHERE, Actor, Role
from directory.filieres import criteria, figures, opinions, turnover
from directory.filieres.criteria import Counted, Criterion
from directory.filieres.figures import Figures, Point, Words
from directory.filieres.opinions import Opinions
from directory.filieres.turnover import Turnover
from directory.members import views

WIDEST_FIRST = (Role.ADMINISTRATOR, Role.COORDINATOR)


class Snapshot(msgspec.Struct, frozen=True):
    """What a decision was made on. `role` is what the person was who took it; names are not in it.

    `is_strategic`: the cooperative had written why it wants the filière, or not.
    """

    criteria: list[Criterion]
    opinions: Opinions | None
    is_strategic: bool
    role: Role | None


async def find(reader: asyncpg.Connection, filiere_id: int) -> Counted | None:
    row = await reader.fetchrow(
        "SELECT figures, counted_on, turnover, turnover_on FROM dossier_figures"
        " WHERE filiere_id = $1",
        filiere_id,
    )
    if row is None:
        return None
    return Counted(
        msgspec.json.decode(row["figures"], type=Figures),
        row["counted_on"],
        msgspec.json.decode(row["turnover"], type=Turnover) if row["turnover"] else None,
        row["turnover_on"],
    )


async def list_points(reader: asyncpg.Connection, filiere_id: int, day: date) -> list[Point]:
    """The months of a year, oldest first."""
    rows = await reader.fetch(
        "SELECT month, members FROM dossier_point WHERE filiere_id = $1 AND month >= $2"
        " ORDER BY month",
        filiere_id, figures.year_before(day),
    )  # fmt: skip
    return [Point(row["month"], row["members"]) for row in rows]


async def refresh(filiere_id: int) -> None:
    """Count a filière's members again. Months that were counted stay as they were."""
    today = views.today()
    async with db.transaction() as opened:
        # One at a time: the second one finds the turnover that the first has counted.
        await opened.execute("SELECT FROM filiere WHERE id = $1 FOR NO KEY UPDATE", filiere_id)
        words = await words_of(opened, filiere_id)
        if not words.ids:
            return
        enough = settings.current().dossier_office_members
        found = await figures.count(opened, words, today, enough)
        before = await opened.fetchrow(
            "SELECT words, turnover, turnover_on FROM dossier_figures WHERE filiere_id = $1",
            filiere_id,
        )
        is_same = before is not None and before["words"] == words.ids
        if before is not None and not is_same:
            await opened.execute("DELETE FROM dossier_point WHERE filiere_id = $1", filiere_id)
        await _add_months(opened, filiere_id, words, today)
        earned = (before["turnover"], before["turnover_on"]) if before else (None, None)
        if _is_due(earned[1], today):
            now_earned = await turnover.count(opened, words, today)
            earned = (_text(now_earned) if now_earned else None, today)
        elif not is_same:
            earned = (None, earned[1])
        await _keep(opened, filiere_id, words, today, found, earned)


def _is_due(counted_on: date | None, today: date) -> bool:
    return counted_on is None or counted_on + turnover.QUARTER <= today


def _text(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()


async def _add_months(
    opened: asyncpg.Connection, filiere_id: int, words: Words, today: date
) -> None:
    points = await figures.count_months(opened, words, figures.year_of_months(today))
    await opened.executemany(
        "INSERT INTO dossier_point (filiere_id, month, members) VALUES ($1, $2, $3)"
        " ON CONFLICT DO NOTHING",
        [(filiere_id, point.month, point.members) for point in points],
    )


async def _keep(
    opened: asyncpg.Connection,
    filiere_id: int,
    words: Words,
    today: date,
    found: Figures,
    earned: tuple[str | None, date | None],
) -> None:
    await opened.execute(
        "INSERT INTO dossier_figures AS d"
        " (filiere_id, words, counted_on, figures, turnover, turnover_on)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (filiere_id) DO UPDATE SET"
        " words = excluded.words, counted_on = excluded.counted_on, figures = excluded.figures,"
        " turnover = excluded.turnover, turnover_on = excluded.turnover_on",
        filiere_id, words.ids, today, _text(found), *earned,
    )  # fmt: skip


async def words_of(reader: asyncpg.Connection, filiere_id: int) -> Words:
    """What defines it: its trades, or its sectors, as its kind says."""
    rows = await reader.fetch(
        "SELECT true AS is_trade, t.trade_id AS id FROM filiere_trade t JOIN filiere f"
        " ON f.id = t.filiere_id AND f.kind = 'trade' WHERE f.id = $1 UNION ALL "
        "SELECT false, s.sector_id FROM filiere_sector s JOIN filiere f"
        " ON f.id = s.filiere_id AND f.kind = 'sector' WHERE f.id = $1",
        filiere_id,
    )
    return Words(
        [row["id"] for row in rows if row["is_trade"]],
        [row["id"] for row in rows if not row["is_trade"]],
    )


async def snapshot(actor: Actor, filiere_id: int) -> str:
    """What is known now, as JSON for the row of a move; counted first if it never was.

    In an open transaction.
    """
    opened = db.current()
    if await find(opened, filiere_id) is None:
        await refresh(filiere_id)
    counted = await find(opened, filiere_id)
    chosen = settings.current()
    body = await opened.fetchval(
        "SELECT body FROM dossier_reason WHERE filiere_id = $1 ORDER BY id DESC LIMIT 1", filiere_id
    )
    copied = Snapshot(
        criteria.judged(chosen, counted) if counted else criteria.thresholds(chosen),
        await opinions.count(opened, filiere_id),
        bool(body),
        role_of(actor),
    )
    return _text(copied)


def role_of(actor: Actor) -> Role | None:
    """In which name the staff decide; None for everybody else."""
    held = {grant.role for grant in actor.grants if grant.scope == EVERYWHERE}
    return next((role for role in WIDEST_FIRST if role in held), None)


@jobs.every("*/10 * * * *")
async def refresh_due() -> None:
    """Those not counted this month, and new ones. A closed filière keeps its last figures."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            """
            SELECT f.id FROM filiere f LEFT JOIN dossier_figures d ON d.filiere_id = f.id
            WHERE f.stage <> 'closed' AND (d.counted_on IS NULL OR d.counted_on < $1)
              AND (EXISTS (SELECT FROM filiere_trade WHERE filiere_id = f.id)
                   OR EXISTS (SELECT FROM filiere_sector WHERE filiere_id = f.id))
            ORDER BY f.id
            """,
            views.today().replace(day=1),
        )
    for row in rows:
        await refresh(row["id"])
