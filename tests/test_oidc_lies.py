"""What a provider that lies, is broken or is away gets from us: a clear page, and nobody in."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from joserfc.jwk import KeySet, RSAKey

from directory import settings
from directory.accounts import id_tokens, provider
from directory.accounts.provider import Known, Metadata, SignInFailed, Tokens
from directory.settings import Settings
from tests import people
from tests.oidc import lying
from tests.oidc.lying import KEY, Liar, as_json, as_page, by_hand, sign

Claims = dict[str, Any]


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    provider._known.clear()  # a port may come back
    async with lying.running() as liar:
        yield liar


@pytest.fixture
def chosen(tmp_path: Path, liar: Liar) -> Settings:
    return Settings(
        demo=True, var_dir=tmp_path, secret_key="x" * 40, base_url="http://testserver.local",
        oidc_issuer=liar.issuer, oidc_client_id=lying.CLIENT, oidc_name="Coop ID",
    )  # fmt: skip


async def left(client: httpx.AsyncClient) -> dict[str, str]:
    """What goes to the provider's page."""
    answer = await client.get("/login/oidc")
    assert answer.status_code == 303, answer.text
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    return {name: value for name, (value,) in query.items()}


async def come_back(client: httpx.AsyncClient, asked: dict[str, str]) -> httpx.Response:
    params = {"code": "any", "state": asked["state"]}
    return await client.get("/login/oidc/callback", params=params)


async def is_in(client: httpx.AsyncClient) -> bool:
    return (await client.get("/api/v1/me")).status_code == 200


async def stays_out(client: httpx.AsyncClient, answer: httpx.Response, why: object = "") -> None:
    assert answer.status_code in {403, 502, 503}, (why, answer.text)
    assert "La connexion n’a pas abouti" in answer.text, why
    assert "Demander un lien par mail" in answer.text, why
    assert not await is_in(client), why


async def test_what_is_asked_of_the_provider(client: httpx.AsyncClient, liar: Liar) -> None:
    asked, other = await left(client), await left(client)
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://testserver.local/login/oidc/callback"
    assert "code_verifier" not in asked
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) == 43
        assert asked[name] != other[name]


GOOD: dict[str, Claims] = {
    "as it is": {}, "true in words": {"email_verified": "true"},
    "several audiences, for us": {"aud": [lying.CLIENT, "x"], "azp": lying.CLIENT},
    "a clock that is a little behind": {"exp": -20},
}  # fmt: skip
BAD: dict[str, Claims] = {
    "another nonce": {"nonce": "x"}, "no nonce": {"nonce": None},
    "another issuer": {"iss": "https://evil.test"}, "no issuer": {"iss": None},
    "the issuer with a slash": {"iss": "+/"},
    "another audience": {"aud": "other"}, "no audience": {"aud": None}, "nobody": {"aud": []},
    "several audiences, for nobody": {"aud": [lying.CLIENT, "x"]},
    "for another party": {"azp": "x"},
    "expired": {"exp": -120}, "for ever": {"exp": None},
    "an expiry in words": {"exp": "tomorrow"}, "an expiry without end": {"exp": float("inf")},
    "of tomorrow": {"iat": 86400}, "not yet": {"nbf": 86400},
    "no subject": {"sub": None}, "an empty subject": {"sub": ""}, "a number": {"sub": 1},
    "a nul": {"sub": "a\0"}, "long": {"sub": "x" * 256}, "a surrogate": {"sub": "\ud800"},
    "another token's hash": {"at_hash": "AAAA"}, "a hash of no shape": {"at_hash": 5},
    "an address of no shape": {"email": 5}, "nothing of the address": {"email_verified": None},
    "an address not verified": {"email_verified": False},
    "in other words": {"email_verified": "yes"},
    "an address that is none": {"email": "a\0@b.example"},
    "a lone surrogate": {"email": "\ud800@b.example"},
}  # fmt: skip


def changed(liar: Liar, nonce: str, email: str, change: Claims) -> Claims:
    """Instants are seconds from now."""
    claims = liar.claims(nonce, email)
    for name, value in change.items():
        is_instant = name in {"exp", "iat", "nbf"} and isinstance(value, int)
        claims[name] = int(time.time()) + value if is_instant else value
        if value == "+/":
            claims[name] = liar.issuer + "/"
    return {name: value for name, value in claims.items() if value is not None}


async def test_a_token_that_is_right_signs_in(
    client: httpx.AsyncClient, connection: asyncpg.Connection, liar: Liar
) -> None:
    awa = await people.member(connection)
    for why, change in GOOD.items():
        client.cookies.clear()
        asked = await left(client)
        liar.id_token = sign(changed(liar, asked["nonce"], awa.email, change))
        assert (await come_back(client, asked)).status_code == 303, why
        assert await is_in(client), why


async def test_a_claim_that_is_wrong_signs_nobody_in(
    client: httpx.AsyncClient, connection: asyncpg.Connection, liar: Liar
) -> None:
    awa = await people.member(connection)
    for why, change in BAD.items():
        asked = await left(client)
        liar.id_token = sign(changed(liar, asked["nonce"], awa.email, change))
        await stays_out(client, await come_back(client, asked), why)


OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
FORGED: dict[str, Callable[[Claims], object]] = {
    "no signature": lambda claims: by_hand({"alg": "none"}, claims),
    "none, in capitals": lambda claims: by_hand({"alg": "NONE", "kid": "one"}, claims, b"x"),
    "RS256 and nothing": lambda claims: by_hand({"alg": "RS256", "kid": "one"}, claims),
    # The classic confusion: the provider's public key, which everybody has, as a shared secret.
    "a public key as a secret": lambda claims: by_hand(
        {"alg": "HS256", "kid": "one"}, claims, secret=KEY.as_pem(private=False)
    ),
    "a secret": lambda claims: by_hand({"alg": "HS256"}, claims, secret=b"x" * 40),
    "another key": lambda claims: sign(claims, OTHER),
    "another key that it brings along": lambda claims: sign(
        claims, OTHER, jwk=OTHER.as_dict(private=False)
    ),
    "a key that nobody has": lambda claims: sign(claims, OTHER, kid="other"),
    "a header that it must understand": lambda claims: by_hand(
        {"alg": "RS256", "kid": "one", "crit": ["x"], "x": 1}, claims, b"x"
    ),
    "claims changed after signing": lambda claims: ".".join(
        (sign({**claims, "sub": "x"}).split(".")[0], sign(claims).split(".")[1], "AAAA")
    ),
    "five parts": lambda _: "a.b.c.d.e", "words": lambda _: "words", "empty": lambda _: "",
    "a number": lambda _: 5, "null": lambda _: None, "a list": lambda _: [],
    "no object inside": lambda _: by_hand({"alg": "RS256"}, [], b"x"),
}  # fmt: skip


async def test_a_forged_token_signs_nobody_in(
    client: httpx.AsyncClient, connection: asyncpg.Connection, liar: Liar, chosen: Settings
) -> None:
    awa = await people.member(connection)
    for why, forge in FORGED.items():
        for are_keys_old in (False, True):
            asked = await left(client)
            (await provider.known(chosen)).keys_at -= 61 * are_keys_old
            liar.id_token = forge(liar.claims(asked["nonce"], awa.email))
            await stays_out(client, await come_back(client, asked), why)


async def test_new_keys_of_the_provider_are_found_at_most_once_a_minute(
    client: httpx.AsyncClient, connection: asyncpg.Connection, liar: Liar, chosen: Settings
) -> None:
    awa = await people.member(connection)
    new = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    asked = await left(client)
    liar.keys = [new]
    liar.id_token = sign(liar.claims(asked["nonce"], awa.email), new, kid="two")
    await stays_out(client, await come_back(client, asked))  # read a moment ago
    (await provider.known(chosen)).keys_at -= 61
    asked = await left(client)
    liar.id_token = sign(liar.claims(asked["nonce"], awa.email), new, kid="two")
    assert (await come_back(client, asked)).status_code == 303
    assert liar.asked.count("/jwks") == 2
    assert liar.asked.count("/.well-known/openid-configuration") == 1
    # A key that is no longer there signs no more.
    client.cookies.clear()
    asked = await left(client)
    liar.id_token = sign(liar.claims(asked["nonce"], awa.email))
    await stays_out(client, await come_back(client, asked))


RUBBISH = {
    "gone": as_json({}, 404), "broken": as_page(500), "moved": as_page(302), "a page": as_page(),
    "nothing": (200, "application/json", b""), "a list": as_json([]), "null": as_json(None),
    "an empty object": as_json({}), "a number": as_json(5), "half": (200, "application/json", b"{"),
    "not UTF-8": (200, "application/json", b'{"issuer": "\xff"}'),
    "without end": (200, "application/json", b" " * (provider.MOST_BYTES + 1)),
    "deep": (200, "application/json", b"[" * 100_000),
}  # fmt: skip


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks"])
async def test_a_provider_that_answers_rubbish_is_said_before_anybody_leaves(
    client: httpx.AsyncClient, liar: Liar, path: str
) -> None:
    for why, answer in RUBBISH.items():
        liar.answers[path] = answer
        await stays_out(client, await client.get("/login/oidc"), why)
    assert (await client.get("/login")).status_code == 200
    del liar.answers[path]
    await left(client)  # it is asked again at once


@pytest.mark.parametrize("path", ["/token", "/me"])
async def test_a_provider_that_breaks_on_the_way_lets_nobody_in(
    client: httpx.AsyncClient, connection: asyncpg.Connection, liar: Liar, path: str
) -> None:
    awa = await people.member(connection)
    for why, answer in RUBBISH.items():
        asked = await left(client)
        claims = liar.claims(asked["nonce"], awa.email)
        del claims["email"]
        liar.id_token = sign(claims)
        liar.answers[path] = answer
        await stays_out(client, await come_back(client, asked), why)


async def test_an_error_of_the_token_endpoint_is_no_error_of_ours(
    client: httpx.AsyncClient, liar: Liar
) -> None:
    for error in ("invalid_grant", "server error", 5, None, {"a": "b"}):
        asked = await left(client)
        liar.answers["/token"] = as_json({"error": error, "error_description": "<b>"}, 400)
        await stays_out(client, await come_back(client, asked), error)


async def test_a_provider_that_is_not_the_one_of_the_settings_is_refused(
    client: httpx.AsyncClient, liar: Liar
) -> None:
    for change in (
        {"issuer": "https://evil.test"}, {"issuer": liar.issuer + "/"}, {"issuer": None},
        {"token_endpoint": "http://evil.test/token"}, {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"}, {"jwks_uri": "http://[/"},
        {"userinfo_endpoint": "http://192.0.2.1/me"},
    ):  # fmt: skip
        document = liar.document() | change
        liar.answers["/.well-known/openid-configuration"] = as_json(document)
        await stays_out(client, await client.get("/login/oidc"), change)


async def test_userinfo_tells_the_address_and_must_be_of_the_same_subject(
    client: httpx.AsyncClient, connection: asyncpg.Connection, liar: Liar
) -> None:
    awa = await people.member(connection)
    for subject, status in (("s2", 502), ("s1", 303)):
        asked = await left(client)
        claims = liar.claims(asked["nonce"], "")
        liar.id_token = sign(claims)
        liar.answers["/me"] = as_json({"sub": subject, "email": awa.email, "email_verified": True})
        assert (await come_back(client, asked)).status_code == status


async def test_a_provider_that_is_slow_or_away_is_said_in_the_readers_language(
    client: httpx.AsyncClient, liar: Liar, chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow() -> lying.Answer:
        await asyncio.sleep(0.5)
        return as_page()

    monkeypatch.setattr(provider, "SECONDS", 0.1)
    liar.answers["/jwks"] = slow
    answer = await client.get("/login/oidc", headers={"accept-language": "nl"})
    assert answer.status_code == 503
    assert "Coop ID antwoordt niet." in answer.text
    away = msgspec.structs.replace(chosen, oidc_issuer="http://127.0.0.1:9")
    settings.use(away)
    assert (await client.get("/login/oidc")).status_code == 503


async def test_a_provider_that_must_name_itself_and_does_not_is_refused(
    client: httpx.AsyncClient, connection: asyncpg.Connection, liar: Liar
) -> None:
    awa = await people.member(connection)
    document = liar.document() | {"authorization_response_iss_parameter_supported": True}
    liar.answers["/.well-known/openid-configuration"] = as_json(document)
    asked = await left(client)
    liar.id_token = sign(liar.claims(asked["nonce"], awa.email))
    await stays_out(client, await come_back(client, asked))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


NAMES = ("iss", "sub", "aud", "nonce", "iat", "exp", "email", "email_verified", "azp", "at_hash",
         "nbf", "amr", "auth_time")  # fmt: skip


@given(name=st.sampled_from(NAMES), value=VALUES)
@hypothesis_settings(max_examples=200, deadline=None)
def test_no_claim_of_whatever_shape_is_an_error_of_ours(name: str, value: object) -> None:
    issuer = "https://id.test"
    chosen = Settings(oidc_issuer=issuer, oidc_client_id=lying.CLIENT)
    known = Known(Metadata(issuer, "", "", ""), KeySet([KEY]), time.monotonic(), time.monotonic())
    claims = Liar(issuer).claims("n", "a@test.example") | {name: value}
    try:
        person = asyncio.run(id_tokens.verify(chosen, known, Tokens(sign(claims), "a"), "n"))
    except SignInFailed:
        return
    assert (person.issuer, claims["nonce"]) == (issuer, "n")
    assert claims["aud"] in (lying.CLIENT, [lying.CLIENT])
