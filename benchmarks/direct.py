"""The engine asked directly, in a process of its own with the loop that the API has.

The API itself makes the queries: its routes run here once, on an engine that keeps what it is asked
and gives nobody. What is timed is then the search of each: no HTTP, no cards, no labels. For
Meilisearch the requests that the search sent are kept too, and sent once more by the least of
clients, which reads the answers and looks at nothing in them: what the server itself takes.

`running` starts the process and gives what speaks with it, one line of JSON each way.
"""

import asyncio
import http.client
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from subprocess import Popen
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import msgspec
import uvloop

from benchmarks import processes
from directory import db, indexing, settings
from directory.app import create_app
from directory.members import documents
from directory.settings import Settings
from search import postgres
from search.documents import Engine, Hits, Index, Query
from search.meilisearch import MeilisearchEngine
from search.postgres import PostgresEngine
from search.server import SEARCH_SECONDS, Address, Server, Unavailable


class Asked(msgspec.Struct):
    paths: list[str]
    token: str


class Times(msgspec.Struct):
    """Seconds of each path. server is empty on Postgres; failed counts searches that gave up."""

    engine: list[float]
    server: list[float]
    failed: int


class Direct:
    """The handle on the other process."""

    def __init__(self, process: Popen[bytes]) -> None:
        self._process = process

    def times(self, paths: Sequence[str], token: str) -> Times:
        """:raises processes.DidNotStart: when the process is gone."""
        into, out = self._process.stdin, self._process.stdout
        assert into is not None
        assert out is not None
        into.write(msgspec.json.encode(Asked(list(paths), token)) + b"\n")
        into.flush()
        line = out.readline()
        if not line:
            raise processes.DidNotStart("the engine's process has ended")
        return msgspec.json.decode(line, type=Times)


@contextmanager
def running(environment: dict[str, str]) -> Iterator[Direct]:
    with processes.started(["-m", "benchmarks.direct"], environment, has_pipes=True) as process:
        yield Direct(process)


class _Listener:
    """An engine that keeps the queries. It tells of one who was found and gives nobody: so no help
    is sought for whom nobody answers."""

    def __init__(self) -> None:
        self.heard: list[Query] = []

    async def search(self, index: Index, query: Query) -> Hits:
        self.heard.append(query)
        return Hits(ids=[], total=1, engine=postgres.NAME)


class _Watched(Server):
    """Keeps the bodies of the searches that it sends."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, seconds=SEARCH_SECONDS)
        self.sent: list[bytes] = []
        self._client.http_client.event_hooks["request"].append(self._keep)

    async def _keep(self, request: Any) -> None:
        self.sent.append(request.content)


class _Measured:
    """The engine of this process, and Meilisearch beside it where it is the engine."""

    def __init__(self, client: httpx.AsyncClient, listener: _Listener, chosen: Settings) -> None:
        self._client = client
        self._listener = listener
        self._address = indexing.meilisearch(chosen)
        self._watched = _Watched(self._address) if self._address else None
        self._engine: Engine = (
            MeilisearchEngine(self._watched, db.connection)
            if self._watched
            else PostgresEngine(db.connection)
        )

    async def times(self, asked: Asked) -> Times:
        queries = [await self._query(path, asked.token) for path in asked.paths]
        engine, bodies, failed = [], [], 0
        for query in queries:
            if self._watched:
                self._watched.sent.clear()
            start = time.perf_counter()
            try:
                await self._engine.search(documents.INDEX, query)
            except Unavailable:
                failed += 1
            engine.append(time.perf_counter() - start)
            bodies.append(list(self._watched.sent) if self._watched else [])
        return Times(engine, self._replay(bodies), failed)

    async def _query(self, path: str, token: str) -> Query:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._listener.heard.clear()
        (await self._client.get(path, headers=headers)).raise_for_status()
        return self._listener.heard[0]

    def _replay(self, searches: Sequence[Sequence[bytes]]) -> list[float]:
        if not self._address:
            return []
        host = urlsplit(self._address.url).netloc
        connection = http.client.HTTPConnection(host, timeout=60)
        times = []
        for bodies in searches:
            start = time.perf_counter()
            for body in bodies:
                _send(connection, body, self._address.key)
            times.append(time.perf_counter() - start)
        connection.close()
        return times


def _send(connection: http.client.HTTPConnection, body: bytes, key: str) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    connection.request("POST", "/multi-search", body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != HTTPStatus.OK:
        raise Unavailable(f"Meilisearch: {answer.status}")


@asynccontextmanager
async def _measured() -> AsyncIterator[_Measured]:
    chosen = settings.from_environment()
    app = create_app(chosen, chosen.database_url)
    listener = _Listener()
    app.state.engine = listener
    transport = httpx.ASGITransport(app=cast(Any, app))
    async with (
        app.lifespan(),
        httpx.AsyncClient(transport=transport, base_url=chosen.public_url) as client,
    ):
        yield _Measured(client, listener, chosen)


async def _answer() -> None:
    """Until the input ends. Nothing else goes on while a line is awaited."""
    async with _measured() as measured:
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            times = await measured.times(msgspec.json.decode(line, type=Asked))
            sys.stdout.buffer.write(msgspec.json.encode(times) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(_answer())
