"""What becomes of a proposal, told by mail to those who asked; and the link that stops it.

The link of such a mail does this one thing, without signing in, for as long as there are mails.
"""

from directory import db, settings, signing

FOLLOW = "follow"


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


async def switch(member_id: int, filiere_id: int, *, wants_mails: bool) -> None:
    """Doing it twice changes nothing. What was said of the proposal stays."""
    async with db.transaction() as opened:
        await opened.execute(
            "UPDATE filiere_support SET wants_mails = $3 WHERE member_id = $1 AND filiere_id = $2",
            member_id, filiere_id, wants_mails,
        )  # fmt: skip
