"""Signed links in mails, each for one purpose. None signs in.

Those that stop mails never expire. Those that a person asked for, to come back or to confirm an
address, do, and they are bound to the address that they were sent to.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

from directory import errors, signing
from directory.languages import marked
from directory.subscriptions.topics import Rhythm, Topic

PREFERENCES = "preferences"
UNSUBSCRIBE = "unsubscribe"
DIGEST = "digest"
UNDO = "undo"
PAUSE_UNDO = "pause-undo"
RETURN = "return"
ADDRESS = "address"
KEEP = "keep"
RETURN_LIFETIME = timedelta(days=2)
ADDRESS_LIFETIME = timedelta(days=14)
NONE = "none"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Holder(msgspec.Struct, frozen=True):
    """Whoever holds a link from a member's mail: often the member, sometimes somebody else."""

    member_id: int
    topic: Topic | None = None
    """None: every topic."""
    filiere_ids: tuple[int, ...] = ()
    """Empty: every filière."""
    rhythm: Rhythm | None = None
    """None: every rhythm."""


class Stop(msgspec.Struct, frozen=True):
    """What one click stopped or made rarer: the rows of the ledger from `first` to `last`."""

    member_id: int
    first: int
    last: int


class PauseMade(msgspec.Struct, frozen=True):
    """A pause that one click made at an instant; `before` is the end of the one it replaced."""

    member_id: int
    at: datetime
    before: date | None


class Invited(msgspec.Struct, frozen=True):
    """To whom a link was sent, an account or a member, and a digest of the address it went to."""

    id: int
    address: str


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


def digest_path(secret: bytes, member_id: int, rhythm: str) -> str:
    """Stops what comes in this digest. Also the address of its List-Unsubscribe header."""
    return f"/m/{signing.sign(secret, DIGEST, member_id, Rhythm(rhythm).value)}/digest"


def return_path(secret: bytes, member_id: int, email: str) -> str:
    return f"/return/{_dated(secret, RETURN, member_id, email, RETURN_LIFETIME)}"


def address_path(secret: bytes, account_id: int, email: str) -> str:
    return f"/address/{_dated(secret, ADDRESS, account_id, email, ADDRESS_LIFETIME)}"


def keep_path(secret: bytes, member_id: int, announced_at: datetime) -> str:
    return f"/keep/{signing.sign(secret, KEEP, member_id, _microseconds(announced_at))}"


def _dated(secret: bytes, purpose: str, number: int, email: str, lifetime: timedelta) -> str:
    until = int((datetime.now(UTC) + lifetime).timestamp())
    return signing.sign(secret, purpose, number, until, address_digest(email))


def address_digest(email: str) -> str:
    """Of an address, so that a link says nothing of it and is good for no other."""
    return hashlib.sha256(email.lower().encode()).hexdigest()[:16]


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


def read_digest(secret: bytes, token: str) -> Holder:
    """:raises errors.NotFound: for a token that was not signed for this."""
    member_id, rhythm = signing.verify(secret, DIGEST, token)
    return Holder(int(member_id), rhythm=Rhythm(rhythm))


def read_return(secret: bytes, token: str) -> Invited:
    """:raises errors.NotFound: for another token. :raises errors.Gone: when it has expired."""
    return _read_dated(secret, RETURN, token)


def read_address(secret: bytes, token: str) -> Invited:
    """:raises errors.NotFound: for another token. :raises errors.Gone: when it has expired."""
    return _read_dated(secret, ADDRESS, token)


def read_keep(secret: bytes, token: str) -> tuple[int, datetime]:
    """The member, and when the notice was made. :raises errors.NotFound: for another token."""
    member_id, announced_at = signing.verify(secret, KEEP, token)
    return int(member_id), _instant(int(announced_at))


def _read_dated(secret: bytes, purpose: str, token: str) -> Invited:
    number, until, address = signing.verify(secret, purpose, token)
    if int(until) < datetime.now(UTC).timestamp():
        raise errors.Gone(marked("Ce lien est trop vieux. Demandez-en un autre."))
    return Invited(int(number), address)


def pause_token(secret: bytes, pause: PauseMade) -> str:
    before = pause.before.isoformat() if pause.before else NONE
    return signing.sign(secret, PAUSE_UNDO, pause.member_id, _microseconds(pause.at), before)


def read_pause(secret: bytes, token: str) -> PauseMade:
    """:raises errors.NotFound: for a token that was not signed for this."""
    member_id, at, before = signing.verify(secret, PAUSE_UNDO, token)
    ended = None if before == NONE else date.fromisoformat(before)
    return PauseMade(int(member_id), _instant(int(at)), ended)


def _microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _instant(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def masked(email: str) -> str:
    """'a•••@lemaire.example': enough to know one's own."""
    user, _, domain = email.rpartition("@")
    return f"{user[:1]}•••@{domain}"
