"""Signed words for links in mails: each is good for one purpose and no other."""

import base64
import hashlib
import hmac

from directory import errors
from directory.languages import marked

SIGNATURE_BYTES = 16


def sign(secret: bytes, purpose: str, *parts: int | str) -> str:
    """A token of the parts, safe in a URL. It does not expire and does not hide them."""
    body = ".".join(str(part) for part in parts)
    return f"{body}.{_signature(secret, purpose, body)}"


def verify(secret: bytes, purpose: str, token: str) -> list[str]:
    """The parts of a token that this secret signed for this purpose.

    :raises errors.NotFound: for any other. Nothing tells a forged token from a mistyped one.
    """
    body, _, given = token.rpartition(".")
    wanted = _signature(secret, purpose, body)
    if not hmac.compare_digest(given.encode(errors="replace"), wanted.encode()):
        raise errors.NotFound(
            marked("Ce lien est incomplet ou abîmé. Reprenez-le depuis le mail d’origine.")
        )
    return body.split(".")


def _signature(secret: bytes, purpose: str, body: str) -> str:
    mac = hmac.new(secret, f"{purpose}\0{body}".encode(errors="replace"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac[:SIGNATURE_BYTES]).rstrip(b"=").decode()
