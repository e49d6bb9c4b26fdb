"""Answers with a picture whose address changes with its content."""

import re

from litestar import Response

from directory import errors
from directory.http import pages

FILE = re.compile(r"([A-Za-z0-9_-]{22})-(\d{2,4})\.webp")
KEPT_SECONDS = 300
"""How long a browser shows again, without asking, what it was shown before it was hidden."""


def parts(file: str) -> tuple[str, int]:
    """The random word and the size of 'k3J…-512.webp'.

    :raises errors.NotFound: for any other name.
    """
    found = FILE.fullmatch(file)
    if found is None:
        raise errors.NotFound
    return found[1], int(found[2])


def answer(request: pages.AnyRequest, file: str, content: bytes) -> Response[bytes]:
    """Kept by the reader's own browser, and by no cache between: what is hidden is gone there at
    once. After a few minutes the browser asks again, and is told in a word that nothing changed.

    Who signs out does not see what their browser kept: it varies with the cookie.
    """
    tag = f'"{file.removesuffix(".webp")}"'
    headers = {
        "Cache-Control": f"private, max-age={KEPT_SECONDS}",
        "Vary": "Cookie, Authorization",
        "ETag": tag,
        "Content-Disposition": f'inline; filename="{file}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    known = {
        one.strip().removeprefix("W/")
        for one in request.headers.get("if-none-match", "").split(",")
    }
    if tag in known:
        return Response(b"", status_code=304, headers=headers, media_type="image/webp")
    return Response(content, headers=headers, media_type="image/webp")
