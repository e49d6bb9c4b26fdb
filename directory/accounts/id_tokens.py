"""ID tokens: who signed in at the provider, and that it was for us, now, and for this browser."""

from typing import Annotated

import msgspec
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from directory.accounts import provider
from directory.accounts.provider import Known, ProviderUnreadable, Tokens
from directory.settings import Settings

LEEWAY_SECONDS = 60
# Signatures with a pair of keys: neither "none" nor a shared secret, whatever the token says.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "EdDSA", "Ed25519",
)  # fmt: skip
_REGISTRY = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)


class Person(msgspec.Struct, frozen=True):
    """Who signed in. `email` is '' unless the provider says that it was verified."""

    issuer: str
    subject: str
    email: str


class _Contact(msgspec.Struct, frozen=True):
    sub: Annotated[str, msgspec.Meta(pattern="^[ -~]{1,255}$")]  # Core 2: ASCII
    email: str = ""
    email_verified: bool | str = False

    @property
    def verified(self) -> str:
        """Some providers write the truth value as a word."""
        return self.email if self.email_verified in {True, "true"} else ""


class _Claims(_Contact, frozen=True, kw_only=True):
    """The shapes; the library then compares the values."""

    iss: str
    aud: str | list[str]
    exp: int | float
    iat: int | float
    nonce: str
    nbf: int | float = 0
    azp: str | msgspec.UnsetType = msgspec.UNSET
    at_hash: str | msgspec.UnsetType = msgspec.UNSET


async def verify(chosen: Settings, known: Known, tokens: Tokens, nonce: str) -> Person:
    """OpenID Connect Core 1.0, 3.1.3.7.

    :raises SignInFailed: when anything about the token is not as it must be.
    """
    try:
        token = await _decode(chosen, known, tokens.id_token)
        claims = msgspec.convert(token.claims, _Claims)
        CodeIDToken(
            token.claims, token.header,
            {
                "iss": {"essential": True, "value": chosen.oidc_issuer},
                "aud": {"essential": True, "value": chosen.oidc_client_id},
            },
            {
                "nonce": nonce, "client_id": chosen.oidc_client_id,
                "access_token": tokens.access_token,
            },
        ).validate(leeway=LEEWAY_SECONDS)  # fmt: skip
    except (JoseError, msgspec.ValidationError, ValueError, TypeError, RecursionError) as error:
        raise ProviderUnreadable(chosen, f"ID token: {error!r}") from error
    contact: _Contact = claims
    if not claims.email:
        contact = await _ask_contact(chosen, known, tokens, claims)
    return Person(claims.iss, claims.sub, contact.verified)


async def _decode(chosen: Settings, known: Known, token: str) -> jwt.Token:
    """With the keys that are known, or, once, with those that the provider has by now."""
    try:
        return _decoded(token, known.keys)
    except (InvalidKeyIdError, BadSignatureError):
        if not await provider.renew_keys(chosen, known):
            raise
        return _decoded(token, known.keys)


def _decoded(token: str, keys: KeySet) -> jwt.Token:
    return jwt.decode(token, keys, registry=_REGISTRY)


async def _ask_contact(chosen: Settings, known: Known, tokens: Tokens, claims: _Claims) -> _Contact:
    given = await provider.claims_of_person(chosen, known, tokens.access_token)
    if not given:
        return claims
    try:
        contact = msgspec.convert(given, _Contact)
    except msgspec.ValidationError as error:
        raise ProviderUnreadable(chosen, f"userinfo: {error}") from error
    if contact.sub != claims.sub:  # Core 5.3.4: somebody else's answer
        raise ProviderUnreadable(chosen, "userinfo is of another subject")
    return contact
