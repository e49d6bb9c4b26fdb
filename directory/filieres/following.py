"""What becomes of a proposal, told by mail to those who asked; and the link that stops it.

The link of such a mail does this one thing, without signing in, for as long as there are mails.
Whoever holds it (a mail is forwarded) can take back what they have just stopped, and no more.
"""

from datetime import UTC, datetime, timedelta

from directory import db, errors, settings, signing
from directory.accounts import audit
from directory.accounts.actor import VISITOR, filiere_scope
from directory.languages import marked

FOLLOW, UNDO = "follow", "follow-undo"
UNDO_WITHIN = timedelta(hours=1)


def path(member_id: int, filiere_id: int) -> str:
    """Also the address of the List-Unsubscribe header (RFC 8058)."""
    return f"/follow/{signing.sign(settings.current().secret, FOLLOW, member_id, filiere_id)}"


def read(token: str) -> tuple[int, int]:
    """The member and the filière. :raises errors.NotFound: for a token not signed for this."""
    member_id, filiere_id = signing.verify(settings.current().secret, FOLLOW, token)
    return int(member_id), int(filiere_id)


async def is_on(member_id: int, filiere_id: int) -> bool:
    async with db.connection() as reader:
        found: bool = await reader.fetchval(
            "SELECT EXISTS (SELECT FROM filiere_support "
            "WHERE member_id = $1 AND filiere_id = $2 AND wants_mails)",
            member_id, filiere_id,
        )  # fmt: skip
    return found


async def stop(member_id: int, filiere_id: int) -> str:
    """What takes it back, for an hour; '' where nothing was on. What was said stays."""
    was_on = await _switch(member_id, filiere_id, wants_mails=False)
    return undo_token(member_id, filiere_id) if was_on else ""


def undo_token(member_id: int, filiere_id: int) -> str:
    until = int((datetime.now(UTC) + UNDO_WITHIN).timestamp())
    return signing.sign(settings.current().secret, UNDO, member_id, filiere_id, until)


async def undo(member_id: int, filiere_id: int, token: str) -> None:
    """Take back what was just stopped. Doing it twice changes nothing.

    :raises errors.NotFound: for a token not signed for this. :raises errors.Gone: when it is late.
    """
    *whose, until = map(int, signing.verify(settings.current().secret, UNDO, token))
    if whose != [member_id, filiere_id]:
        raise errors.NotFound(marked("Ce lien est d’une autre personne."))
    if until < datetime.now(UTC).timestamp():
        raise errors.Gone(
            marked("C’est trop tard pour revenir en arrière. Connectez-vous pour choisir.")
        )
    await _switch(member_id, filiere_id, wants_mails=True)


async def _switch(member_id: int, filiere_id: int, *, wants_mails: bool) -> bool:
    """Whether it was not so before."""
    async with db.transaction() as opened:
        changed = await opened.fetchval(
            "UPDATE filiere_support SET wants_mails = $3 WHERE member_id = $1 AND filiere_id = $2 "
            "AND wants_mails <> $3 RETURNING true",
            member_id, filiere_id, wants_mails,
        )  # fmt: skip
        if changed:
            subject = filiere_scope(filiere_id)
            await audit.record(VISITOR, "support.changed", member_id=member_id, subject=subject)
    return bool(changed)
