"""The Meilisearch server of the tests: the one that MEILI_URL names, with indexes for each test."""

import functools
import itertools
import os
from collections.abc import Iterable

import pytest

from search import mirror
from search.documents import AUDIENCES, Index
from search.server import Address, Server
from tests.shelf import INDEX

URL, KEY, BINARY = "MEILI_URL", "MEILI_KEY", "MEILI_BINARY"

_numbers = itertools.count()


def address() -> Address:
    """Skips the test where no server is named."""
    if URL not in os.environ:
        pytest.skip(f"{URL} names no Meilisearch server")
    prefix = f"test_{os.getpid()}_{next(_numbers)}_"
    return Address(url=os.environ[URL], key=os.environ.get(KEY, ""), prefix=prefix)


class Shared:
    """Indexes that several tests read and none changes."""

    def __init__(self) -> None:
        self.is_filled = False

    @functools.cached_property
    def address(self) -> Address:
        return address()


def server(seconds: float = 10.0) -> Server:
    return Server(address(), seconds=seconds)


async def clear(opened: Server, indexes: Iterable[Index] = (INDEX,)) -> None:
    for index in indexes:
        for audience in AUDIENCES:
            for suffix in ("", mirror.NEW):
                uid = opened.uid(index, audience) + suffix
                if await opened.exists(uid):
                    await opened.drop(uid)
