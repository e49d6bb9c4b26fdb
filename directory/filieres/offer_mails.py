"""Who is asked for a mandate, and who waits for the answer, is told by mail.

These are service mails: an answer is awaited of their reader, or given to them. They name nobody,
so that they show no name that its owner keeps from the reader; the page does what it may.
"""

from pathlib import Path

import asyncpg

from directory import db, jobs, mail, settings
from directory.accounts import staff
from directory.filieres import lifecycle, offers, registry
from directory.filieres.offers import Kind, OfferAnswered, OfferMade, State
from directory.http.pages import Format

MAILS = Path(__file__).parent / "mails"


@jobs.on(OfferMade)
async def ask(made: OfferMade) -> None:
    """Nothing for what is settled by now."""
    row = await _row(made.offer_id)
    if row is not None and row["state"] == State.OPEN.value:
        is_candidacy = row["kind"] == Kind.CANDIDACY.value
        name = "mandate_candidacy" if is_candidacy else "mandate_offered"
        await _write(name, row, made.account_id)


@jobs.on(OfferAnswered)
async def answer(answered: OfferAnswered) -> None:
    row = await _row(answered.offer_id)
    if row is not None and row["state"] != State.OPEN.value:
        await _write("mandate_answered", row, answered.account_id)


async def _row(offer_id: int) -> asyncpg.Record | None:
    async with db.connection() as reader:
        return await offers.row_of(reader, offer_id)


async def _write(name: str, row: asyncpg.Record, account_id: int) -> None:
    reader = await staff.reader(account_id)
    if reader is None:
        return
    filiere = (await registry.refs([row["filiere_id"]], reader.language))[row["filiere_id"]]
    current, shown = settings.current(), Format(reader.language)
    # Who proposed themselves reads the answer at their own mandates, the others at the filière's.
    is_own = account_id == row["account_id"]
    path = "/mandates" if is_own else f"/filieres/{filiere.slug}/mandates"
    message = mail.render(
        MAILS / name, current, to=reader.email, language=reader.language, filiere=filiere.name,
        role=row["role"], kind=row["kind"], state=row["state"], is_own=is_own,
        starts=shown.day(row["starts_on"]), ends=shown.day(row["ends_on"]),
        until=shown.day(row["expires_at"].astimezone(lifecycle.ZONE).date()),
        link=f"{current.public_url}{path}",
    )  # fmt: skip
    await mail.send(message, current)
