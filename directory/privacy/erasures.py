"""Erasure, as its person sees it: asked for, confirmed by mail, undone while there is time."""

import enum
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from directory import db, errors, jobs, limits, mail, settings, signing
from directory.accounts import audit, staff
from directory.accounts import holdings as accounts
from directory.accounts.actor import VISITOR, Actor
from directory.filieres import vacancies
from directory.filieres.registry import FiliereRef
from directory.holdings import Person
from directory.http import pages
from directory.languages import marked
from directory.limits import Limit
from directory.members import holdings as members

MAILS = Path(__file__).parent / "mails"
CONFIRM, KEEP = "erasure-confirm", "erasure-keep"
ZONE = ZoneInfo("Europe/Brussels")
CONFIRM_WITHIN = timedelta(days=2)
ASKED = Limit("erasure", most=3, window=timedelta(days=1))
TOO_LATE = marked("Ce lien a servi, ou a plus de 2 jours. Refaites la demande depuis votre compte.")
NOTHING = marked("Aucun effacement n’est prévu. Votre compte reste.")
UNDER_WAY = marked("L’effacement a commencé. Il ne peut plus être annulé.")


class Reason(enum.Enum):
    ASKED = "asked"
    OPERATOR = "operator"
    DORMANT = "dormant"
    LEFT = "left"


class State(enum.Enum):
    ASKED = "asked"
    ANNOUNCED = "announced"
    CONFIRMED = "confirmed"
    ERASING = "erasing"
    DONE = "done"
    UNDONE = "undone"


OPEN = "('asked', 'announced', 'confirmed', 'erasing')"


class ErasureView(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure that is under way. `due_at` is None until it was confirmed."""

    id: int
    account_id: int | None
    member_id: int | None
    reason: Reason
    state: State
    asked_at: datetime
    due_at: datetime | None

    @property
    def person(self) -> Person:
        return Person(self.account_id, self.member_id)

    @property
    def is_planned(self) -> bool:
        return self.state in {State.ANNOUNCED, State.CONFIRMED}


class Duties(msgspec.Struct, frozen=True):
    """What somebody leaves without anybody."""

    filieres: list[FiliereRef]
    is_last_administrator: bool


class ErasureAsked(msgspec.Struct, frozen=True):
    """Somebody wants to be erased; the mail proves that the address is theirs."""

    erasure_id: int


class ErasureConfirmed(msgspec.Struct, frozen=True):
    """The time runs; a mail says until when, and how to come back."""

    erasure_id: int


class AdministratorLeaves(msgspec.Struct, frozen=True):
    """Nobody will administer. `staff_id` is one of those who are told; see staff."""

    staff_id: int


_VIEW = """
    SELECT id, account_id, member_id, reason::text AS reason, state::text AS state, asked_at,
        due_at FROM erasure
"""


async def find_own(actor: Actor) -> ErasureView | None:
    """The erasure of the actor that is under way."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            f"{_VIEW} WHERE account_id = $1 AND state IN {OPEN}", actor.account_id
        )
    return msgspec.convert(dict(row), ErasureView) if row else None


async def duties(person: Person, language: str) -> Duties:
    return Duties(
        await vacancies.run_alone(person, language),
        await staff.is_last_administrator(person.account_id),
    )


async def ask(actor: Actor) -> None:
    """Send the mail that confirms. Asking again sends another, and ends the one before.

    :raises errors.Conflict: when it is confirmed already. :raises errors.TooMany: after three.
    """
    account_id = require_at_screen(actor)
    await limits.take(ASKED, account_id)
    async with db.transaction() as opened:
        await opened.execute("SELECT FROM account WHERE id = $1 FOR UPDATE", account_id)
        person = await accounts.person(account_id)
        erasure_id = await opened.fetchval(
            "UPDATE erasure SET state = 'asked', reason = 'asked', asked_at = now(), "
            "due_at = NULL, account_id = $1, member_id = $2 WHERE state IN ('asked', 'announced') "
            "AND (account_id = $1 OR member_id = $2) RETURNING id",
            person.account_id, person.member_id,
        )  # fmt: skip
        if erasure_id is None:
            if await find_own(actor):
                raise errors.Conflict(marked("L’effacement est déjà prévu."))
            erasure_id = await opened.fetchval(
                "INSERT INTO erasure (account_id, member_id, reason, state) "
                "VALUES ($1, $2, 'asked', 'asked') RETURNING id",
                person.account_id, person.member_id,
            )  # fmt: skip
        await audit.record(actor, "erasure.asked", member_id=person.member_id)
        await jobs.emit(ErasureAsked(erasure_id))


def require_at_screen(actor: Actor) -> int:
    """The account. A token neither asks for an erasure nor undoes one."""
    if actor.account_id is None:
        raise errors.SignInNeeded
    if actor.token_id is not None:
        raise errors.Forbidden(marked("Ouvrez cette page vous-même : un jeton ne suffit pas."))
    return actor.account_id


async def read(purpose: str, token: str) -> ErasureView:
    """The erasure that a link of a mail is for. Reading changes nothing.

    :raises errors.NotFound: for a link that is not one. :raises errors.Gone: when it is over.
    """
    async with db.connection() as reader:
        return await _read(reader, purpose, token)


async def _read(reader: asyncpg.Connection, purpose: str, token: str) -> ErasureView:
    parts = signing.verify(settings.current().secret, purpose, token)
    row = await reader.fetchrow(f"{_VIEW} WHERE id = $1", int(parts[0]))
    view = msgspec.convert(dict(row), ErasureView) if row else None
    if purpose == CONFIRM:
        is_current = view is not None and parts[1] == str(int(view.asked_at.timestamp()))
        if view is None or not is_current or view.state not in {State.ASKED, State.CONFIRMED}:
            raise errors.Gone(TOO_LATE)
        if view.state is State.ASKED and view.asked_at < datetime.now(UTC) - CONFIRM_WITHIN:
            raise errors.Gone(TOO_LATE)
    elif view is None or view.state in {State.ASKED, State.UNDONE, State.DONE}:
        raise errors.Gone(NOTHING)
    return view


async def confirm(token: str) -> ErasureView:
    """Out of sight at once, erased after the time to think. Doing it twice changes nothing."""
    async with db.transaction() as opened:
        view = await _read(opened, CONFIRM, token)
        await opened.execute("SELECT FROM erasure WHERE id = $1 FOR UPDATE", view.id)
        return await schedule(
            opened, view.id, timedelta(days=settings.current().erasure_days), VISITOR
        )


async def schedule(
    opened: asyncpg.Connection, erasure_id: int, after: timedelta, actor: Actor
) -> ErasureView:
    """Hide the person, and set the day. One that is scheduled stays as it is."""
    row = await opened.fetchrow(f"{_VIEW} WHERE id = $1 AND state IN {OPEN}", erasure_id)
    if row is None:
        raise errors.Gone(NOTHING)
    view = msgspec.convert(dict(row), ErasureView)
    if view.state not in {State.ASKED, State.ANNOUNCED}:
        return view
    await _tell_staff(opened, view.person)
    is_hidden = await members.hide(opened, view.person)
    due_at = datetime.now(UTC) + after
    await opened.execute(
        "UPDATE erasure SET state = 'confirmed', is_hidden = $2, due_at = $3 WHERE id = $1",
        view.id, is_hidden, due_at,
    )  # fmt: skip
    await audit.record(actor, "erasure.confirmed", member_id=view.member_id)
    await jobs.emit(ErasureConfirmed(view.id))
    return msgspec.structs.replace(view, state=State.CONFIRMED, due_at=due_at)


async def _tell_staff(opened: asyncpg.Connection, person: Person) -> None:
    """Nothing waits for them: they have the time that the person has to think."""
    await vacancies.tell(opened, person)
    if await staff.is_last_administrator(person.account_id):
        for staff_id in await staff.account_ids(but=person.account_id):
            await jobs.emit(AdministratorLeaves(staff_id))


async def keep(token: str) -> None:
    """Undo it by the link of the mail. Doing it twice changes nothing."""
    async with db.transaction() as opened:
        view = await _read(opened, KEEP, token)
        await _undo(opened, view.id, VISITOR)


async def keep_own(actor: Actor) -> None:
    """Undo one's own."""
    require_at_screen(actor)
    async with db.transaction() as opened:
        view = await find_own(actor)
        if view is None:
            return
        await _undo(opened, view.id, actor)


async def _undo(opened: asyncpg.Connection, erasure_id: int, actor: Actor) -> None:
    """:raises errors.Gone: once it has begun."""
    row = await opened.fetchrow(
        "UPDATE erasure SET state = 'undone', done_at = now() WHERE id = $1 "
        "AND state IN ('asked', 'announced', 'confirmed') "
        "RETURNING account_id, member_id, is_hidden",
        erasure_id,
    )
    if row is None:
        raise errors.Gone(UNDER_WAY)
    # Whoever held the link of the mail is there as much as who signs in.
    await opened.execute("UPDATE account SET signed_in_at = now() WHERE id = $1", row["account_id"])
    if row["is_hidden"]:
        await members.show_again(opened, Person(row["account_id"], row["member_id"]))
    await audit.record(actor, "erasure.undone", member_id=row["member_id"])


async def stop_where_seen(opened: asyncpg.Connection) -> int:
    """End what was announced to people who signed in since. Returns how many."""
    tag = await opened.execute(
        "UPDATE erasure e SET state = 'undone', done_at = now() FROM account a "
        "WHERE a.id = e.account_id AND e.state = 'announced' AND a.signed_in_at > e.asked_at"
    )
    return int(tag.rpartition(" ")[2])


def keep_path(erasure_id: int) -> str:
    return f"/erasure/keep/{signing.sign(settings.current().secret, KEEP, erasure_id)}"


def confirm_path(erasure_id: int, asked_at: datetime) -> str:
    stamp = int(asked_at.timestamp())
    return f"/erasure/{signing.sign(settings.current().secret, CONFIRM, erasure_id, stamp)}"


@jobs.on(ErasureAsked)
async def write_asked(asked: ErasureAsked) -> None:
    await send(asked.erasure_id, "confirm", State.ASKED)


@jobs.on(ErasureConfirmed)
async def write_confirmed(confirmed: ErasureConfirmed) -> None:
    await send(confirmed.erasure_id, "planned", State.CONFIRMED)


async def send(erasure_id: int, name: str, state: State) -> None:
    """Write to the person about an erasure that is in this state. Nobody without an account."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT a.email::text AS email, a.language, e.asked_at, e.due_at, "
            "e.reason::text AS reason FROM erasure e JOIN account a ON a.id = e.account_id "
            "WHERE e.id = $1 AND e.state = $2::erasure_state",
            erasure_id, state.value,
        )  # fmt: skip
    if row is None:
        return
    chosen = settings.current()
    message = mail.render(
        MAILS / name, chosen, to=row["email"], language=row["language"],
        reason=row["reason"], day=_day(row["due_at"], row["language"]), days=chosen.erasure_days,
        confirm=chosen.public_url + confirm_path(erasure_id, row["asked_at"]),
        keep=chosen.public_url + keep_path(erasure_id),
    )  # fmt: skip
    await mail.send(message, chosen)


def _day(at: datetime | None, language: str) -> str:
    return pages.Format(language).day(at.astimezone(ZONE).date()) if at else ""


@jobs.on(AdministratorLeaves)
async def write_administrator(leaves: AdministratorLeaves) -> None:
    reader = await staff.reader(leaves.staff_id)
    if reader is None:
        return
    chosen = settings.current()
    message = mail.render(
        MAILS / "administrator", chosen, to=reader.email, language=reader.language
    )
    await mail.send(message, chosen)
