"""The engines that the contract of the search is asked of: fixtures."""

import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from search import postgres
from search.documents import Engine, Hits, Query
from search.meilisearch import MeilisearchEngine
from search.server import Server
from tests import meili
from tests.shelf import DAY, INDEX, Shelf

Find = Callable[..., Awaitable[Hits]]


@pytest.fixture(scope="session")
async def shared(anyio_backend: str) -> AsyncIterator[meili.Shared]:
    shared = meili.Shared()
    yield shared
    if shared.is_filled:
        async with Server(shared.address, seconds=10) as opened:
            await meili.clear(opened)


@pytest.fixture
def is_reader(request: pytest.FixtureRequest) -> bool:
    """Whether the test changes nothing in what people() laid there: indexing takes its time."""
    parameters = inspect.signature(request.function).parameters
    return "people" in request.fixturenames and "shelf" not in parameters


@pytest.fixture(params=["postgres", "meilisearch"])
async def server(
    request: pytest.FixtureRequest, is_reader: bool, shared: meili.Shared
) -> AsyncIterator[Server | None]:
    """The Meilisearch of this test; None for the Postgres engine."""
    if request.param == "postgres":
        yield None
    elif is_reader:
        async with Server(shared.address, seconds=10) as opened:
            yield opened
    else:
        async with meili.server() as opened:
            yield opened
            await meili.clear(opened)


@pytest.fixture
def engine(connection: asyncpg.Connection, server: Server | None) -> Engine:
    if server:
        return MeilisearchEngine(server, lambda: contextlib.nullcontext(connection))
    return postgres.PostgresEngine(lambda: contextlib.nullcontext(connection))


@pytest.fixture
async def shelf(
    connection: asyncpg.Connection,
    server: Server | None,
    is_reader: bool,
    shared: meili.Shared,
) -> Shelf:
    if server and is_reader:
        server = None if shared.is_filled else server
        shared.is_filled = True
    shelf = Shelf(connection, server)
    if server:
        await shelf.index()
    return shelf


@pytest.fixture
def find(engine: Engine) -> Find:
    async def search(text: str = "", **others: Any) -> Hits:
        asked: dict[str, Any] = {"audience": "members", "day": DAY} | others
        return await engine.search(INDEX, Query(text=text, **asked))

    return search


@pytest.fixture
async def people(shelf: Shelf) -> None:
    await shelf.people()
