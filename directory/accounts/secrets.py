"""Random words that prove something. Only their SHA-256 is kept: they are too long to guess."""

import hashlib
import secrets

SECRET_BYTES = 32


def make() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
