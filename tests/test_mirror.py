"""Meilisearch kept in step: on a real server, one of the test's own where it is to be killed."""

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx
import msgspec
import pytest

from directory import indexing, operations
from directory import settings as process_settings
from directory.app import create_app
from directory.settings import Settings
from search import mirror, outbox, postgres, server, settings, storage
from search.breaker import Breaker
from search.documents import AUDIENCES, Connection, Document, Hits, Query, Source
from search.engines import Preferred
from search.meilisearch import MeilisearchEngine
from search.mirror import Mirror
from search.server import SEARCH_SECONDS, Address, Server, Unavailable
from tests import meili
from tests.shelf import DAY, INDEX, Shelf

KEY = "a-key-of-the-tests-only"


@pytest.fixture
async def opened() -> AsyncIterator[Server]:
    async with meili.server() as opened:
        yield opened
        await meili.clear(opened)


@pytest.fixture
def shelf(connection: asyncpg.Connection, opened: Server) -> Shelf:
    return Shelf(connection, opened)


def kept(shelf: Shelf) -> Mirror:
    assert shelf.mirror
    return shelf.mirror


async def found(shelf: Shelf, text: str = "", **others: Any) -> Hits:
    engine = MeilisearchEngine(kept(shelf).server, lambda: contextlib.nullcontext(shelf.connection))
    asked: dict[str, Any] = {"audience": "members", "day": DAY} | others
    return await engine.search(INDEX, Query(text=text, **asked))


async def waiting(shelf: Shelf) -> int:
    return (await outbox.mirror_lag(shelf.connection)).count


async def test_a_key_is_forgotten_once_its_task_has_succeeded(shelf: Shelf) -> None:
    shelf.lay(1, title=("Ébéniste",))
    await outbox.mark(shelf.connection, INDEX, [1, 1])
    await outbox.drain(shelf.connection, INDEX, shelf.source, has_mirror=True)
    assert await waiting(shelf) == 1
    await mirror.drain(shelf.connection, kept(shelf))
    assert await waiting(shelf) == 0
    assert (await found(shelf, "ébéniste")).ids == [1]


async def test_a_task_that_fails_leaves_its_key_waiting_to_be_sent_again(shelf: Shelf) -> None:
    await shelf.put(1, title=("Ébéniste",))
    uid = kept(shelf).uid("members")
    shelf.lay(1, title=("Luthière",))
    await outbox.mark_for_mirror(shelf.connection, INDEX, [1])
    failing = await kept(shelf).server.put(uid, [{"id": "not an id!"}])
    await shelf.connection.execute("UPDATE search_mirror_outbox SET tasks = $1", [failing])
    with pytest.raises(Unavailable, match="1 keys wait again"):
        await drained(shelf)
    assert await waiting(shelf) == 1
    await drained(shelf)
    assert await waiting(shelf) == 0
    stored = await kept(shelf).server.digests(uid)
    assert stored[1] == await digest_of(shelf, 1)


async def drained(shelf: Shelf) -> None:
    await mirror.drain(shelf.connection, kept(shelf))


async def digest_of(shelf: Shelf, id_: int) -> str:
    return settings.digest(storage.digest(shelf.documents[id_, "members"]))


async def test_what_was_sent_but_not_noted_before_a_crash_is_sent_again(shelf: Shelf) -> None:
    await shelf.put(1, title=("Ébéniste",))
    await outbox.mark_for_mirror(shelf.connection, INDEX, [1])
    await shelf.connection.execute("UPDATE search_mirror_outbox SET tasks = '{99999999}'")
    with pytest.raises(Unavailable):
        await drained(shelf)  # the server does not know that task: nothing is taken for done
    await drained(shelf)
    assert await waiting(shelf) == 0


async def test_each_audience_has_an_index_of_its_own_and_no_text_can_be_read_back(
    shelf: Shelf,
) -> None:
    await shelf.put(1, "members", title=("Apicultrice",), facets={"trade": ["bees"]})
    public = await found(shelf, audience="public", facets=("trade",))
    assert (public.ids, public.facets) == ([], {"trade": []})
    assert (await found(shelf, "apicultrice")).ids == [1]
    uids = {kept(shelf).uid(audience) for audience in AUDIENCES}
    assert len(uids) == 2
    assert await kept(shelf).server.digests(kept(shelf).uid("public")) == {}


async def test_changes_while_building_are_there_at_the_end_and_searching_never_stops(
    shelf: Shelf, connection: asyncpg.Connection
) -> None:
    await shelf.people()
    seen: list[int] = []

    async def changing(reader: Connection, ids: Sequence[int]) -> Sequence[Document]:
        documents = await shelf.source.documents(reader, ids)
        if not seen:
            shelf.lay(2, title=("Apicultrice",))
            await outbox.mark_for_mirror(connection, INDEX, [2])
        seen.append((await found(shelf)).total)
        return documents

    source = Source(keys=shelf.source.keys, documents=changing)
    racing = Mirror(server=kept(shelf).server, index=INDEX, source=source)
    assert await mirror.rebuild(connection, racing) == 6
    assert set(seen) == {6}
    assert (await found(shelf, "apicultrice", exact=True)).ids == [2]
    assert await waiting(shelf) == 0
    assert not await racing.server.exists(racing.uid("members", mirror.NEW))


async def test_building_that_stops_half_way_leaves_what_was_there_and_all_that_waits(
    shelf: Shelf, connection: asyncpg.Connection
) -> None:
    await shelf.people()
    await outbox.mark_for_mirror(connection, INDEX, [1])

    async def fail(_: Connection, __: Sequence[int]) -> Sequence[Document]:
        raise TimeoutError

    broken = Mirror(
        server=kept(shelf).server,
        index=INDEX,
        source=Source(keys=shelf.source.keys, documents=fail),
    )
    with pytest.raises(TimeoutError):
        await mirror.rebuild(connection, broken)
    assert (await found(shelf)).total == 6
    assert await waiting(shelf) == 1
    await drained(shelf)
    assert await mirror.rebuild(connection, kept(shelf)) == 6


async def test_verifying_finds_what_is_missing_too_much_or_old_and_repairs_it(
    shelf: Shelf, connection: asyncpg.Connection
) -> None:
    await shelf.people()
    uid = kept(shelf).uid("members")
    assert await mirror.verify(connection, kept(shelf)) == 0
    await kept(shelf).server.remove(uid, [1])
    await kept(shelf).server.put(uid, [{"id": 2, "digest": "old"}, {"id": 77, "digest": "x"}])
    await settled(kept(shelf).server, uid, 6)
    assert await mirror.verify(connection, kept(shelf)) == 3
    assert await mirror.verify(connection, kept(shelf)) == 0
    assert sorted((await found(shelf)).ids) == [1, 2, 3, 4, 5, 6]


async def settled(reached: Server, uid: str, count: int) -> None:
    for _ in range(100):
        stored = await reached.digests(uid)
        if len(stored) == count and 77 in stored:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(uid)


async def test_the_doctor_tells_the_version_and_what_is_not_built(
    database: str, chosen: Settings
) -> None:
    address = meili.address()
    with_it = msgspec.structs.replace(
        chosen, meili_url=address.url, meili_key=address.key, meili_prefix=address.prefix
    )
    told = {f.subject: f for f in await operations.examine(with_it, database)}
    assert not told["Meilisearch"].is_well
    assert "not built yet" in told["Meilisearch"].words
    process_settings.use(with_it)
    async with operations.connected(database):
        await indexing.drain()
        assert await indexing.verify() == 0
    told = {f.subject: f for f in await operations.examine(with_it, database)}
    assert told["Meilisearch"].is_well
    async with Server(address, seconds=10) as reached:
        assert await reached.version() in told["Meilisearch"].words
        await meili.clear(reached, [indexing.INDEXES[0][0]])
    process_settings.use(chosen)


@pytest.mark.parametrize(
    ("version", "is_faulty"),
    [("1.41.0", True), ("1.42.3", True), ("1.4.1", False), ("1.50.0", False)],
)
def test_two_versions_are_warned_of(version: str, is_faulty: bool) -> None:
    assert server.is_faulty(version) is is_faulty


class OwnServer:
    """A server that the test may kill. The data stays between starts."""

    def __init__(self, folder: Path) -> None:
        if meili.BINARY not in os.environ:
            pytest.skip(f"{meili.BINARY} names no Meilisearch to start")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._process = subprocess.Popen(  # noqa: ASYNC220 - it only starts
            [
                os.environ[meili.BINARY], "--no-analytics", "--master-key", KEY,
                "--db-path", self._folder / "data", "--http-addr", self.url.removeprefix("http://"),
            ],
            cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 30
        async with httpx.AsyncClient() as client:
            while time.monotonic() < deadline:
                with contextlib.suppress(httpx.TransportError):
                    await client.get(f"{self.url}/health")
                    return
                await asyncio.sleep(0.1)
        raise AssertionError("it did not start")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[OwnServer]:
    own = OwnServer(tmp_path)
    await own.start()
    yield own
    own.kill()


async def test_a_server_that_is_killed_is_replaced_and_catches_up_when_it_is_back(
    own: OwnServer, connection: asyncpg.Connection
) -> None:
    address = Address(url=own.url, key=KEY)
    async with (
        Server(address, seconds=10) as writing,
        Server(address, seconds=SEARCH_SECONDS) as reading,
    ):
        shelf = Shelf(connection, writing)
        await shelf.people()
        now = 0.0
        preferred = Preferred(
            MeilisearchEngine(reading, lambda: contextlib.nullcontext(connection)),
            postgres.PostgresEngine(lambda: contextlib.nullcontext(connection)),
            Breaker(lambda: now),
            lambda: contextlib.nullcontext(connection),
        )

        async def ask(text: str) -> tuple[list[int], str, bool]:
            hits = await preferred.search(INDEX, Query(audience="members", day=DAY, text=text))
            return hits.ids, hits.engine, hits.degraded

        assert await ask("graphiste") == ([2, 4], "meilisearch", False)
        own.kill()
        for _ in range(4):
            assert await ask("graphiste") == ([2, 4], "postgres", True)
        with pytest.raises(Unavailable):
            await shelf.put(7, title=("Apicultrice",))
        assert await ask("apiculteur") == ([7], "postgres", True)
        assert await waiting(shelf) == 1
        await own.start()
        await drained(shelf)
        assert await waiting(shelf) == 0
        assert (await ask("apiculteur"))[1] == "postgres"
        now += 5
        assert await ask("apiculteur") == ([7], "meilisearch", False)


async def test_the_service_answers_and_stays_ready_while_only_meilisearch_is_away(
    database: str, chosen: Settings
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        app = create_app(msgspec.structs.replace(chosen, meili_url=url), database)
        async with (
            app.lifespan(),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=cast(Any, app)), base_url=chosen.base_url
            ) as client,
        ):
            await indexing.drain()
            answer = (await client.get("/api/v1/members?q=graphiste")).json()
            ready = (await client.get("/health/ready")).json()
        told = await operations.examine(process_settings.current(), database)
    process_settings.use(chosen)
    assert (answer["engine"], answer["degraded"]) == ("postgres", True)
    assert (ready["index"], ready["postgres"]) == ("ok", "ok")
    assert [
        "Postgres answers meanwhile" in f.words for f in told if f.subject == "Meilisearch"
    ] == [True]
