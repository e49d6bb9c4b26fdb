"""Signed links from mails to the pages that stop them. They never sign in and never expire."""

from collections.abc import Sequence

import msgspec

from directory import signing
from directory.subscriptions.topics import Topic

PREFERENCES = "preferences"
UNSUBSCRIBE = "unsubscribe"
UNDO = "undo"


class Holder(msgspec.Struct, frozen=True):
    """Whoever holds a link from a member's mail: often the member, sometimes somebody else."""

    member_id: int
    topic: Topic | None = None
    """None: every topic."""
    filiere_ids: tuple[int, ...] = ()
    """Empty: every filière."""


class Stop(msgspec.Struct, frozen=True):
    """What one click stopped: the rows of the ledger from `first` to `last`."""

    member_id: int
    first: int
    last: int


def preferences_path(secret: bytes, member_id: int) -> str:
    return f"/m/{signing.sign(secret, PREFERENCES, member_id)}"


def unsubscribe_path(secret: bytes, member_id: int, topic: str, filiere_ids: Sequence[int]) -> str:
    """Also the address of the List-Unsubscribe header (RFC 8058).

    :raises ValueError: without a filière: the link would stop nothing, or everything.
    """
    if not filiere_ids:
        raise ValueError("an unsubscribe link needs a filière")
    token = signing.sign(
        secret, UNSUBSCRIBE, member_id, Topic(topic).value, *sorted(set(filiere_ids))
    )
    return f"/m/{token}/stop"


def undo_token(secret: bytes, stop: Stop) -> str:
    return signing.sign(secret, UNDO, stop.member_id, stop.first, stop.last)


def read_preferences(secret: bytes, token: str) -> Holder:
    """:raises errors.NotFound: for a token that was not signed for this."""
    (member_id,) = signing.verify(secret, PREFERENCES, token)
    return Holder(int(member_id))


def read_unsubscribe(secret: bytes, token: str) -> Holder:
    """:raises errors.NotFound: for a token that was not signed for this."""
    member_id, topic, *filiere_ids = signing.verify(secret, UNSUBSCRIBE, token)
    return Holder(int(member_id), Topic(topic), tuple(map(int, filiere_ids)))


def read_undo(secret: bytes, token: str) -> Stop:
    """:raises errors.NotFound: for a token that was not signed for this."""
    member_id, first, last = signing.verify(secret, UNDO, token)
    return Stop(int(member_id), int(first), int(last))


def masked(email: str) -> str:
    """'a•••@lemaire.example': enough to know one's own."""
    user, _, domain = email.rpartition("@")
    return f"{user[:1]}•••@{domain}"
