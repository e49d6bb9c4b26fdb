"""Signing in by an OpenID Connect provider."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from directory import errors, limits, settings
from directory.accounts import attempts, id_tokens, identities, login, provider, sessions
from directory.accounts.provider import (
    Known,
    ProviderAway,
    ProviderRefused,
    ProviderUnreadable,
    SignInFailed,
)
from directory.limits import Limit

RETURNS_OF_A_NETWORK = Limit("oidc_return", 120, timedelta(hours=1))
AWAY = {"server_error", "temporarily_unavailable"}  # RFC 6749, 4.1.2.1
LONGEST_CODE = 4000


class Departure(msgspec.Struct, frozen=True):
    """Where the browser goes, and the cookie that it comes back with."""

    address: str
    cookie: str


async def leave(next_path: str) -> Departure:
    """:raises errors.NotFound: where no provider is set. :raises SignInFailed: when it is away."""
    chosen = settings.current()
    if not chosen.has_oidc:
        raise errors.NotFound
    known = await provider.known(chosen)
    attempt = attempts.begin(login.local_path(next_path))
    address = provider.sign_in_address(
        chosen, known, state=attempt.state, nonce=attempt.nonce, verifier=attempt.verifier
    )
    return Departure(address, attempt.cookie)


async def come_back(
    answer: Mapping[str, str], cookie: str, *, user_agent: str, old: str, network: str
) -> tuple[str, str]:
    """A new session's secret, and the path to go to. The session `old` is closed.

    :param answer: the parameters that the provider sent the browser back with.
    :raises SignInFailed: when it did not work out, for whatever reason.
    """
    chosen = settings.current()
    if not chosen.has_oidc:
        raise errors.NotFound
    await limits.take(RETURNS_OF_A_NETWORK, network)
    attempt = await attempts.come_back(cookie, answer.get("state", ""))
    known = await provider.known(chosen)
    _check_answer(known, answer)
    tokens = await provider.exchange(chosen, known, answer["code"], attempt.verifier)
    person = await id_tokens.verify(chosen, known, tokens, attempt.nonce)
    account_id = await identities.account_of(person)
    session = await sessions.open_session(account_id, user_agent, old, known.metadata.issuer)
    return session, attempt.next_path


async def way_out() -> str:
    """Where the browser goes to sign out at the provider too; '' where that is not to be had.

    :raises errors.NotFound: where no provider is set.
    """
    chosen = settings.current()
    if not chosen.has_oidc:
        raise errors.NotFound
    try:
        return provider.sign_out_address(chosen, await provider.known(chosen))
    except SignInFailed:  # away: the person has left this service all the same
        return ""


def _check_answer(known: Known, answer: Mapping[str, str]) -> None:
    """That it comes from this provider (RFC 9207), and is not an error."""
    chosen, metadata = settings.current(), known.metadata
    issuer = answer.get("iss")
    if issuer is None and metadata.authorization_response_iss_parameter_supported:
        raise ProviderUnreadable(chosen, "its answer lacks iss")
    if issuer is not None and issuer != metadata.issuer:
        raise ProviderUnreadable(chosen, f"an answer of {issuer!r}")
    if error := answer.get("error"):
        if error in AWAY:
            raise ProviderAway(chosen)
        raise ProviderRefused(chosen, error)
    if not 0 < len(answer.get("code", "")) <= LONGEST_CODE:
        raise ProviderUnreadable(chosen, "its answer has no code")
