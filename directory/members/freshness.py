"""Whether a profile is still right: asked by mail now and then, confirmed by one click."""

from datetime import datetime
from pathlib import Path

import msgspec

from directory import db, errors, jobs, mail, settings, signing
from directory.accounts import audit
from directory.accounts.actor import VISITOR, Actor, Permission
from directory.http.pages import Format
from directory.languages import SOURCE, marked
from directory.members import posting, profiles, views
from directory.members.audiences import Field
from directory.members.posting import Outcome

CONFIRM, REMINDERS = "freshness", "reminders"
MAILS = Path(__file__).parent / "mails"
GONE = marked("Cette fiche n’est plus là.")


class FreshnessDue(msgspec.Struct, frozen=True):
    """Nobody has confirmed this profile for long."""

    member_id: int


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever holds the link of a mail may know: no value, only what is filled in."""

    member_id: int
    confirmed_at: datetime | None
    filled: list[Field]
    empty: list[Field]
    takes_reminders: bool


def confirm_path(secret: bytes, member_id: int) -> str:
    return f"/fresh/{signing.sign(secret, CONFIRM, member_id)}"


def reminders_path(secret: bytes, member_id: int) -> str:
    """Also the address of the List-Unsubscribe header (RFC 8058)."""
    return f"/reminders/{signing.sign(secret, REMINDERS, member_id)}"


def read(purpose: str, token: str) -> int:
    """:raises errors.NotFound: for a token that was not signed for this."""
    (member_id,) = signing.verify(settings.current().secret, purpose, token)
    return int(member_id)


async def state(purpose: str, token: str) -> State:
    """:raises errors.NotFound: for another token, and for a member who left."""
    member_id = read(purpose, token)
    # As their owner: of what it says only whether it is there leaves this function.
    owner = Actor(account_id=0, member_id=member_id)
    view = await profiles.get(owner, member_id)
    asked: list[Field] = [field for field in Field if field not in {Field.EMAIL, Field.MEMBERSHIPS}]
    filled = [field for field in asked if getattr(view, field)]
    async with db.connection() as reader:
        takes = await reader.fetchval("SELECT takes_reminders FROM member WHERE id = $1", member_id)
    return State(
        member_id=member_id,
        confirmed_at=view.confirmed_at,
        filled=filled,
        empty=[field for field in asked if field not in filled],
        takes_reminders=takes,
    )


async def confirm_by_link(token: str) -> None:
    """All is still right, says the holder of a mail. Nothing else changes."""
    member_id = read(CONFIRM, token)
    async with db.transaction() as opened:
        found = await opened.fetchval(
            "UPDATE member SET confirmed_at = now() WHERE id = $1 AND left_on IS NULL"
            " RETURNING true",
            member_id,
        )
        if not found:
            raise errors.NotFound(GONE)
        await audit.record(VISITOR, "profile.confirmed", member_id=member_id)
        await profiles.tell([member_id])


async def set_by_link(token: str, *, takes_reminders: bool) -> None:
    await _set(VISITOR, read(REMINDERS, token), takes_reminders=takes_reminders)


async def set_own(actor: Actor, *, takes_reminders: bool) -> None:
    actor.require(Permission.EDIT_PROFILE)
    await _set(actor, actor.require_member(), takes_reminders=takes_reminders)


async def _set(actor: Actor, member_id: int, *, takes_reminders: bool) -> None:
    async with db.transaction() as opened:
        changed = await opened.fetchval(
            "UPDATE member SET takes_reminders = $2 WHERE id = $1 AND takes_reminders <> $2"
            " RETURNING true",
            member_id,
            takes_reminders,
        )
        if changed:
            await audit.record(
                actor, "profile.changed", member_id=member_id, fields=["takes_reminders"]
            )


# Members $1 days from their last word, or from the last mail about it. An address that nobody
# confirmed, or that bounced, gets none.
_DUE = """
    FROM member m JOIN account a ON a.id = m.account_id
    WHERE m.left_on IS NULL AND m.takes_reminders
      AND a.disabled_at IS NULL AND a.email_confirmed_at IS NOT NULL
      AND greatest(m.confirmed_at, m.created_at, m.reminded_at)
          < now() - make_interval(days => $1)
      AND NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email)
"""
# before: what to go back to when the mail does not go out.
_CLAIM = f"""
    UPDATE member SET reminded_at = now() FROM (
        SELECT m.id, m.reminded_at AS before, a.email::text AS email, a.language,
            coalesce(m.confirmed_at, m.created_at) AS since
        {_DUE} AND m.id = $2 FOR UPDATE OF m
    ) AS one WHERE member.id = one.id RETURNING one.*
"""  # noqa: S608 - own words


@jobs.every("41 * * * *")
async def remind() -> None:
    """Ask those who are due, longest first, as many an hour as the setting allows."""
    current = settings.current()
    if not current.freshness_days:
        return
    async with db.transaction() as opened:
        rows = await opened.fetch(
            f"SELECT m.id {_DUE}"
            " ORDER BY greatest(m.confirmed_at, m.created_at, m.reminded_at), m.id LIMIT $2",
            current.freshness_days,
            current.freshness_per_hour,
        )
        for row in rows:
            await jobs.emit(FreshnessDue(row["id"]))


@jobs.on(FreshnessDue)
async def ask(due: FreshnessDue) -> None:
    """Send the mail at most once: it is noted before it goes out, and taken back if it cannot."""
    current = settings.current()
    async with db.transaction() as opened:
        row = await opened.fetchrow(_CLAIM, current.freshness_days, due.member_id)
    if row is None:
        return
    language = row["language"] or SOURCE
    stop = current.public_url + reminders_path(current.secret, due.member_id)
    message = mail.render(
        MAILS / "freshness", current, to=row["email"], language=language,
        day=Format(language).day(row["since"].astimezone(views.ZONE).date()),
        link=current.public_url + confirm_path(current.secret, due.member_id),
        profile=f"{current.public_url}/members/{due.member_id}", stop=stop,
    )  # fmt: skip
    headers = {
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    outcome = await posting.post(msgspec.structs.replace(message, headers=headers))
    if outcome is Outcome.LATER:
        async with db.transaction() as opened:
            await opened.execute(
                "UPDATE member SET reminded_at = $2 WHERE id = $1", due.member_id, row["before"]
            )
        raise posting.RelayAway
