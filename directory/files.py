"""Files beside the database: a folder in VAR_DIR, or S3-compatible storage (FILES_URL).

A key is made of our own numbers and random words ("photo/12/k3J…"), never of what a person typed.
A file and the row that names it cannot change in one transaction: put the file first, then write
the row; delete the row first, then the file. What a crash leaves behind is a file without a row.
"""

import contextlib
import functools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import IO
from urllib.parse import urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, S3Store

from directory import errors, settings
from directory.settings import Settings

CONNECT = timedelta(seconds=5)
ANSWER = timedelta(seconds=30)
"""Of one request to S3, and of all its repetitions: a reader waits for it. The library's own
patience is three minutes."""


async def put(key: str, content: bytes) -> None:
    """Write or replace a file, whole or not at all."""
    await obstore.put_async(_store(), key, content)


async def put_file(key: str, file: IO[bytes]) -> None:
    """The same for an open file, read piece by piece from where it stands."""
    await obstore.put_async(_store(), key, file)


async def read(key: str) -> bytes:
    """:raises errors.NotFound: when there is no such file."""
    try:
        found = await obstore.get_async(_store(), key)
    except FileNotFoundError:
        raise errors.NotFound from None
    return bytes(await found.bytes_async())


async def chunks(key: str) -> AsyncIterator[bytes]:
    """A large file, piece by piece.

    :raises errors.NotFound: at the first piece, when there is no such file.
    """
    try:
        found = await obstore.get_async(_store(), key)
    except FileNotFoundError:
        raise errors.NotFound from None
    async for piece in found.stream():
        yield bytes(piece)


async def delete(key: str) -> None:
    """What is not there is deleted already."""
    with contextlib.suppress(FileNotFoundError):  # local storage says so, S3 does not
        await obstore.delete_async(_store(), key)


async def delete_all(prefix: str) -> None:
    """Every file whose key is in this folder."""
    for key in await list_keys(prefix):
        await delete(key)


async def list_keys(prefix: str) -> list[str]:
    """The keys in this folder, at any depth. 'photo/1' is not the beginning of 'photo/12'."""
    found: list[str] = []
    async for batch in obstore.list(_store(), prefix=prefix):
        found.extend(item["path"] for item in batch)
    return found


def _store() -> ObjectStore:
    return _open(settings.current())


@functools.lru_cache(maxsize=8)
def _open(chosen: Settings) -> ObjectStore:
    if not chosen.files_url:
        folder = chosen.var_dir.resolve() / "files"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(prefix=folder)
    parts = urlsplit(chosen.files_url)
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        region=chosen.s3_region,
        endpoint=chosen.s3_endpoint or None,
        access_key_id=chosen.s3_access_key,
        secret_access_key=chosen.s3_secret_key,
        client_options={
            "allow_http": chosen.s3_endpoint.startswith("http://"),
            "connect_timeout": CONNECT,
            "timeout": ANSWER,
        },
        retry_config={"max_retries": 3, "retry_timeout": ANSWER},
    )
