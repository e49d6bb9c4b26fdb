"""One sign-in on its way to the provider and back, known by a cookie of the browser alone.

State, nonce and PKCE verifier are derived from the cookie under our secret: nothing is kept here
until the browser comes back, and whoever changes the cookie no longer fits its state.
"""

import base64
import binascii
import hashlib
import hmac
import time

import msgspec

from directory import db, jobs, settings
from directory.accounts import secrets
from directory.accounts.provider import SignInFailed
from directory.languages import marked

SECONDS = 600
LONGEST_COOKIE = 3000
SKEW_SECONDS = 60


class AttemptLost(SignInFailed):
    """The answer does not belong to anything that this browser has under way."""

    status = 400
    kind = "attempt-lost"

    def __init__(self) -> None:
        super().__init__(
            marked("Cette tentative a expiré, a déjà servi ou vient d’un autre navigateur.")
        )


class Attempt(msgspec.Struct, frozen=True):
    cookie: str
    next_path: str

    @property
    def state(self) -> str:
        return _derived("state", self.cookie)

    @property
    def nonce(self) -> str:
        return _derived("nonce", self.cookie)

    @property
    def verifier(self) -> str:
        """43 characters, the least that RFC 7636 allows, of 256 bits."""
        return _derived("verifier", self.cookie)


def begin(next_path: str) -> Attempt:
    path = base64.urlsafe_b64encode(next_path.encode()).decode().rstrip("=")
    return Attempt(f"{secrets.make()}.{int(time.time())}.{path}", next_path)


async def come_back(cookie: str, state: str) -> Attempt:
    """The attempt that this state was made for. It comes back once.

    :raises AttemptLost: for any other state, and for one that is too old or was there before.
    """
    attempt = _read(cookie)
    if not hmac.compare_digest(attempt.state.encode(), state.encode(errors="replace")):
        raise AttemptLost
    async with db.transaction() as opened:
        is_first = await opened.fetchval(
            "INSERT INTO spent_state (state_hash) VALUES ($1)"
            " ON CONFLICT DO NOTHING RETURNING true",
            secrets.digest(state),
        )
    if not is_first:
        raise AttemptLost
    return attempt


def _read(cookie: str) -> Attempt:
    try:
        _, started_at, path = cookie[:LONGEST_COOKIE].split(".")
        age = time.time() - int(started_at)
        next_path = base64.urlsafe_b64decode(path + "=" * (-len(path) % 4)).decode()
    except (ValueError, binascii.Error):
        raise AttemptLost from None
    if not -SKEW_SECONDS <= age <= SECONDS:
        raise AttemptLost
    return Attempt(cookie, next_path)


def _derived(purpose: str, cookie: str) -> str:
    words = f"oidc {purpose}\0{cookie}".encode(errors="replace")
    mac = hmac.new(settings.current().secret, words, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")


@jobs.every("47 3 * * *")
async def forget_spent() -> None:
    async with db.transaction() as opened:
        await opened.execute("DELETE FROM spent_state WHERE spent_at < now() - interval '1 day'")
