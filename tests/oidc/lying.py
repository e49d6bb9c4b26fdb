"""An OpenID Connect provider that says whatever a test wants it to."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import uvicorn
from joserfc import jws
from joserfc.jwk import RSAKey

CLIENT = "filieres"
Answer = tuple[int, str, bytes]
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


def as_json(value: object, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(value).encode()


def as_page(status: int = 200) -> Answer:
    return status, "text/html", b"<!doctype html><p>Bonjour"


def sign(claims: dict[str, Any], key: RSAKey = KEY, **header: Any) -> str:
    body = json.dumps(claims).encode()
    return jws.serialize_compact({"alg": "RS256", "kid": "one", **header}, body, key)


def by_hand(header: dict[str, Any], claims: object, sign: bytes = b"", secret: bytes = b"") -> str:
    """A token that no library would make."""
    inner = f"{_word(json.dumps(header).encode())}.{_word(json.dumps(claims).encode())}"
    if secret:
        sign = hmac.new(secret, inner.encode(), hashlib.sha256).digest()
    return f"{inner}.{_word(sign)}"


def _word(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


class Liar(msgspec.Struct):
    """answers: what is said at a path, instead of what is right."""

    issuer: str
    keys: list[RSAKey] = msgspec.field(default_factory=lambda: [KEY])
    id_token: object = ""
    answers: dict[str, Answer | Callable[[], Any]] = {}
    asked: list[str] = []

    def claims(self, nonce: str, email: str) -> dict[str, Any]:
        moment = int(time.time())
        return {
            "iss": self.issuer, "sub": "s1", "aud": CLIENT, "nonce": nonce, "iat": moment,
            "exp": moment + 300, "email": email, "email_verified": True,
        }  # fmt: skip

    def document(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/me",
        }  # fmt: skip

    def right(self, path: str) -> Answer:
        if path == "/.well-known/openid-configuration":
            return as_json(self.document())
        if path == "/jwks":
            return as_json({"keys": [key.as_dict(private=False) for key in self.keys]})
        if path == "/token":
            return as_json({"id_token": self.id_token, "access_token": "a", "token_type": "Bearer"})
        return as_json({}, 404)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.asked.append(path)
        answer = self.answers.get(path) or self.right(path)
        if callable(answer):
            answer = await answer()
        status, kind, body = answer
        headers = [(b"content-type", kind.encode()), (b"location", b"/elsewhere")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def running() -> AsyncIterator[Liar]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        liar = Liar(f"http://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(
            liar, log_level="warning", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield liar
        server.should_exit = True
        await serving
