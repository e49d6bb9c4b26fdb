"""The cookies of signing in: for this host alone, out of the reach of scripts."""

from typing import Any, Literal

from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from directory import settings

DAY_SECONDS = 24 * 3600
Name = Literal["session", "browser", "attempt"]


def name(plain: Name) -> str:
    """As browsers know it. They take a __Host- cookie from the host itself and over TLS only, so
    that no neighbour under the same domain can plant one (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{plain}" if settings.current().has_secure_cookies else plain


def read(connection: ASGIConnection[Any, Any, Any, Any], plain: Name) -> str:
    return connection.cookies.get(name(plain), "")


def make(plain: Name, value: str, seconds: int) -> Cookie:
    return Cookie(
        key=name(plain), value=value, path="/", max_age=seconds, httponly=True,
        samesite="lax", secure=settings.current().has_secure_cookies,
    )  # fmt: skip


def session(secret: str) -> Cookie:
    return make("session", secret, settings.current().session_days * DAY_SECONDS)


def gone(plain: Name) -> Cookie:
    return make(plain, "", 0)
