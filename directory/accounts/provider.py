"""The OpenID Connect provider: what it says of itself, and what it is asked."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import anyio
import httpx2
import msgspec
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from directory import errors
from directory.languages import marked
from directory.settings import Settings, is_loopback

WELL_KNOWN = "/.well-known/openid-configuration"
CALLBACK = "/login/oidc/callback"
SECONDS = 5
IN_ALL_SECONDS = 10
KNOWN_FOR_SECONDS = 3600
KEYS_EVERY_SECONDS = 60
MOST_BYTES = 512 * 1024
KEY_TYPES = {"RSA", "EC", "OKP"}  # "oct" is a shared secret, which has no place in public


class SignInFailed(errors.Problem):
    """Signing in by the provider did not work out. The page offers the link by mail."""

    status = 403
    kind = "sign-in-failed"
    title = marked("La connexion n’a pas abouti")


class ProviderAway(SignInFailed):
    status = 503
    kind = "provider-away"

    def __init__(self, chosen: Settings) -> None:
        super().__init__(
            marked("%(provider)s ne répond pas. Réessayez dans un moment."),
            provider=chosen.provider_name,
        )


class ProviderUnreadable(SignInFailed):
    """The provider answered what it must not. reason is for the operator, in English."""

    status = 502
    kind = "provider-unreadable"

    def __init__(self, chosen: Settings, reason: str) -> None:
        super().__init__(
            marked("La réponse de %(provider)s n’a pas pu être vérifiée. Personne n’est entré."),
            provider=chosen.provider_name,
        )
        self.reason = reason


class ProviderRefused(SignInFailed):
    """The provider said no: to the person, or to us. reason is its error code."""

    def __init__(self, chosen: Settings, reason: str) -> None:
        super().__init__(
            marked("%(provider)s n’a pas confirmé votre connexion."),
            provider=chosen.provider_name,
        )
        self.reason = reason


class Metadata(msgspec.Struct, frozen=True):
    """What is needed of OpenID Connect Discovery 1.0 (section 3), of RP-Initiated Logout 1.0
    (section 2.1), and of RFC 9207."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] = ()
    authorization_response_iss_parameter_supported: bool = False


class Known(msgspec.Struct):
    """A provider as it was last seen. Times are of the monotonic clock."""

    metadata: Metadata
    keys: KeySet
    read_at: float
    keys_at: float


class Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str = ""


_known: dict[str, Known] = {}


async def known(chosen: Settings) -> Known:
    """The provider, read again each hour. :raises SignInFailed: when it cannot be read."""
    found = _known.get(chosen.oidc_issuer)
    if found is None or found.read_at < time.monotonic() - KNOWN_FOR_SECONDS:
        found = await read(chosen)
        _known[chosen.oidc_issuer] = found
    return found


async def read(chosen: Settings) -> Known:
    """:raises SignInFailed: when the provider is away, or is not who it should be."""
    async with _asking(chosen) as client:
        document = await _get(chosen, client, chosen.oidc_issuer.rstrip("/") + WELL_KNOWN)
        metadata = _shaped(chosen, document, Metadata)
        if metadata.issuer != chosen.oidc_issuer:  # Discovery, 4.3: the very same
            raise ProviderUnreadable(chosen, f"it calls itself {metadata.issuer!r}")
        for address in (
            metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri,
            metadata.userinfo_endpoint, metadata.end_session_endpoint,
        ):  # fmt: skip
            if address and not _is_safe(address, chosen.oidc_issuer):
                raise ProviderUnreadable(chosen, f"{address!r} is not https://")
        keys = await _keys(chosen, client, metadata)
    moment = time.monotonic()
    return Known(metadata, keys, moment, moment)


async def renew_keys(chosen: Settings, known: Known) -> bool:
    """Whether they were read again: providers change their keys. Not more than once a minute."""
    if known.keys_at > time.monotonic() - KEYS_EVERY_SECONDS:
        return False
    known.keys_at = time.monotonic()
    async with _asking(chosen) as client:
        known.keys = await _keys(chosen, client, known.metadata)
    return True


def sign_in_address(
    chosen: Settings, known: Known, *, state: str, nonce: str, verifier: str
) -> str:
    """Where the browser goes to sign in: the code flow with PKCE (RFC 7636, S256)."""
    address = prepare_grant_uri(
        known.metadata.authorization_endpoint, chosen.oidc_client_id, "code",
        redirect_uri(chosen), "openid email", state, nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier), code_challenge_method="S256",
    )  # fmt: skip
    return str(address)


def sign_out_address(chosen: Settings, known: Known) -> str:
    """Where the browser goes to sign out there (RP-Initiated Logout 1.0); '' where they have none.

    Without the ID token, which is not kept: the provider asks the person whether they mean it.
    """
    endpoint = known.metadata.end_session_endpoint
    if not endpoint:
        return ""
    asked = {"client_id": chosen.oidc_client_id, "post_logout_redirect_uri": back_uri(chosen)}
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"


def back_uri(chosen: Settings) -> str:
    """Where the provider sends a browser that signed out there."""
    return f"{chosen.public_url}/"


async def exchange(chosen: Settings, known: Known, code: str, verifier: str) -> Tokens:
    """:raises SignInFailed: when the provider refuses the code, is away or answers rubbish."""
    *others, last = _auth_methods(chosen, known.metadata)
    for method in others:
        try:
            return await _exchange(chosen, known, code, verifier, method)
        except ProviderRefused as refused:
            if refused.reason != "invalid_client":
                raise
    return await _exchange(chosen, known, code, verifier, last)


async def _exchange(
    chosen: Settings, known: Known, code: str, verifier: str, method: str
) -> Tokens:
    async with _asking(chosen, method) as client:
        given = await client.fetch_token(
            known.metadata.token_endpoint, grant_type="authorization_code", code=code,
            code_verifier=verifier, redirect_uri=redirect_uri(chosen),
        )  # fmt: skip
    tokens: Tokens = _shaped(chosen, given, Tokens)
    return tokens


async def claims_of_person(chosen: Settings, known: Known, access_token: str) -> object:
    """What the provider says of the person where the ID token does not (OpenID Connect, 5.3)."""
    if not known.metadata.userinfo_endpoint or not access_token:
        return {}
    async with _asking(chosen) as client:
        return await _get(
            chosen, client, known.metadata.userinfo_endpoint,
            Authorization=f"Bearer {access_token}",
        )  # fmt: skip


def redirect_uri(chosen: Settings) -> str:
    return chosen.public_url + CALLBACK


def _auth_methods(chosen: Settings, metadata: Metadata) -> list[str]:
    """How we may prove who we are, the usual first. Providers tell what they know of, not which of
    them they want of us: who is refused as `invalid_client` tries the next."""
    if not chosen.oidc_client_secret:
        return ["none"]  # a public client
    offered = metadata.token_endpoint_auth_methods_supported
    ours = ("client_secret_basic", "client_secret_post")
    return [method for method in ours if method in offered] or [ours[0]]


def _oauth(chosen: Settings, method: str) -> AsyncOAuth2Client:
    client_id, secret = chosen.oidc_client_id, chosen.oidc_client_secret
    if method == "client_secret_basic":
        # Both are encoded first (RFC 6749, 2.3.1), which the library leaves to us.
        client_id, secret = quote(client_id, safe=""), quote(secret, safe="")
    return AsyncOAuth2Client(
        client_id=client_id, client_secret=secret, token_endpoint_auth_method=method,
        timeout=SECONDS,
    )  # fmt: skip


@asynccontextmanager
async def _asking(chosen: Settings, method: str = "") -> AsyncIterator[Any]:
    """A client of the provider, whose failures become ours."""
    client = _oauth(chosen, method) if method else httpx2.AsyncClient(timeout=SECONDS)
    try:
        with anyio.fail_after(IN_ALL_SECONDS):
            async with client:
                yield client
    except OAuthError as refused:
        raise ProviderRefused(chosen, str(refused.error)) from refused
    except (httpx2.HTTPError, TimeoutError, OSError) as away:
        raise ProviderAway(chosen) from away
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as rubbish:
        raise ProviderUnreadable(chosen, repr(rubbish)) from rubbish


async def _get(
    chosen: Settings, client: httpx2.AsyncClient, address: str, **headers: str
) -> object:
    body = b""
    async with client.stream("GET", address, headers=headers) as answer:
        if answer.status_code != httpx2.codes.OK:
            raise ProviderUnreadable(chosen, f"{address}: {answer.status_code}")
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > MOST_BYTES:
                raise ProviderUnreadable(chosen, f"{address}: over {MOST_BYTES} bytes")
    return msgspec.json.decode(body)


async def _keys(chosen: Settings, client: httpx2.AsyncClient, metadata: Metadata) -> KeySet:
    """The keys that sign. Those of a kind that nobody here knows are left out (RFC 7517, 5)."""
    document = await _get(chosen, client, metadata.jwks_uri)
    keys: list[Key] = []
    for given in _shaped(chosen, document, _KeyDocument).keys:
        if given.get("kty") in KEY_TYPES and given.get("use", "sig") == "sig":
            try:
                keys.append(import_key(given))
            except (JoseError, ValueError, TypeError, LookupError):
                continue
    if not keys:
        raise ProviderUnreadable(chosen, f"{metadata.jwks_uri}: no key that signs")
    return KeySet(keys)


class _KeyDocument(msgspec.Struct):
    keys: list[dict[str, Any]]


def _shaped(chosen: Settings, given: object, wanted: type[Any]) -> Any:
    try:
        return msgspec.convert(given, wanted)
    except msgspec.ValidationError as error:
        raise ProviderUnreadable(chosen, str(error)) from error


def _is_safe(address: str, issuer: str) -> bool:
    url = urlsplit(address)
    return url.scheme == "https" or (
        url.scheme == "http" and issuer.startswith("http://") and is_loopback(url.hostname or "")
    )
