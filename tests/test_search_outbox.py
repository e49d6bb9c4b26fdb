"""What keeps the index in step: the outbox, and making it anew."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import asyncpg
import pytest

from directory import indexing, operations
from directory.members import documents
from search import outbox, postgres, rebuilding
from search.documents import Connection, Document, Engine, Index, Query, Source
from tests import people as members
from tests.engines import Find, find, people
from tests.shelf import DAY, INDEX, Shelf

__all__ = ["find", "people"]


@pytest.fixture
def engine(connection: asyncpg.Connection) -> Engine:
    return postgres.PostgresEngine(lambda: contextlib.nullcontext(connection))


@pytest.fixture
def shelf(connection: asyncpg.Connection) -> Shelf:
    return Shelf(connection)


async def test_the_vocabulary_keeps_a_word_as_long_as_one_document_uses_it(
    shelf: Shelf, connection: asyncpg.Connection
) -> None:
    await shelf.put(1, "members", title=("Ébéniste chanteuse",))
    await shelf.put(2, "members", title=("Ébéniste",))
    await shelf.put(1, "members", title=("Luthier",))

    async def words() -> dict[str, int]:
        rows = await connection.fetch("SELECT spelling, documents FROM search_term")
        return {row["spelling"]: row["documents"] for row in rows}

    assert await words() == {"ébéniste": 1, "luthier": 1}
    await shelf.remove(2)
    assert await words() == {"luthier": 1}


async def test_a_key_marked_twice_is_indexed_once_and_forgotten(
    shelf: Shelf, connection: asyncpg.Connection, find: Find
) -> None:
    shelf.documents[1, "members"] = Document(id=1, audience="members", title=("Ébéniste",))
    await outbox.mark(connection, INDEX, [1, 1])
    await outbox.mark(connection, INDEX, [1])
    lag = await outbox.lag(connection)
    assert lag.count == 3
    assert 0 <= lag.age < 60
    assert await outbox.drain(connection, INDEX, shelf.source) == 3
    assert await outbox.lag(connection) == outbox.Lag(0, 0.0)
    assert (await find("ébéniste")).ids == [1]


async def test_a_key_of_a_change_that_was_rolled_back_is_not_marked(
    connection: asyncpg.Connection,
) -> None:
    change = connection.transaction()
    await change.start()
    await outbox.mark(connection, INDEX, [1])
    await change.rollback()
    assert (await outbox.lag(connection)).count == 0


async def test_a_key_marked_while_its_document_is_read_is_not_lost(
    shelf: Shelf, connection: asyncpg.Connection, database: str, find: Find
) -> None:
    other = await asyncpg.connect(database)
    shelf.documents[1, "members"] = Document(id=1, audience="members", title=("Ébéniste",))

    async def read_and_change(_: Connection, ids: Sequence[int]) -> list[Document]:
        before = [shelf.documents[id_, "members"] for id_ in ids]
        shelf.documents[1, "members"] = Document(id=1, audience="members", title=("Luthier",))
        await outbox.mark(other, INDEX, [1])
        return before

    racing = Source(keys=shelf.source.keys, documents=read_and_change)
    await outbox.mark(connection, INDEX, [1])
    assert await outbox.drain(connection, INDEX, racing) == 1
    await other.close()
    assert (await find("ébéniste")).ids == [1]
    assert await outbox.drain(connection, INDEX, shelf.source) == 1
    assert (await find("luthier")).ids == [1]
    assert (await find("ébéniste")).ids == []


async def test_a_source_that_fails_leaves_its_keys_marked(
    shelf: Shelf, connection: asyncpg.Connection
) -> None:
    async def fail(_: Connection, __: Sequence[int]) -> list[Document]:
        raise TimeoutError

    await outbox.mark(connection, INDEX, [1])
    with pytest.raises(TimeoutError):
        await outbox.drain(connection, INDEX, Source(keys=shelf.source.keys, documents=fail))
    assert (await outbox.lag(connection)).count == 1


async def test_two_drains_at_once_share_the_work_and_count_words_right(
    shelf: Shelf, connection: asyncpg.Connection, database: str
) -> None:
    others = [await asyncpg.connect(database) for _ in range(3)]
    for id_ in range(1, 41):
        shelf.documents[id_, "members"] = Document(id=id_, audience="members", title=("Mime",))
    await outbox.mark(connection, INDEX, [*range(1, 41), *range(1, 41)])
    done = [outbox.drain(other, INDEX, shelf.source, batch=9) for other in others for _ in range(1)]
    while sum(await asyncio.gather(*done)):
        done = [outbox.drain(other, INDEX, shelf.source, batch=9) for other in others]
    for other in others:
        await other.close()
    assert await connection.fetchval("SELECT documents FROM search_term") == 40
    assert (await outbox.lag(connection)).count == 0


@pytest.mark.usefixtures("people")
async def test_rebuilding_gives_the_same_index(
    shelf: Shelf, connection: asyncpg.Connection, find: Find
) -> None:
    async def state() -> tuple[Any, ...]:
        return (
            await connection.fetch("SELECT * FROM search_term ORDER BY audience, spelling"),
            await connection.fetch("SELECT * FROM search_document ORDER BY audience, id"),
            await connection.fetch("SELECT * FROM search_text ORDER BY audience, id"),
            await connection.fetch("SELECT * FROM search_source ORDER BY audience, id"),
            await find("web", facets=INDEX.facets),
            await find(facets=INDEX.facets),
        )

    before = await state()
    told: list[tuple[int, int]] = []
    done = await rebuilding.rebuild(
        connection, INDEX, shelf.source, lambda *step: told.append(step), batch=4
    )
    assert done == 6
    assert told == [(0, 6), (4, 6), (6, 6)]
    assert await state() == before


@pytest.mark.usefixtures("people")
async def test_rebuilding_repairs_what_went_wrong_and_touches_no_other_index(
    shelf: Shelf, connection: asyncpg.Connection, find: Find, engine: Engine
) -> None:
    other = Index(name="places")
    shelf.documents[9, "members"] = Document(id=9, audience="members", title=("Atelier",))
    await outbox.mark(connection, other, [9])
    await outbox.drain(connection, other, shelf.source)
    del shelf.documents[9, "members"]
    await connection.execute("DELETE FROM search_text WHERE id = 1")
    await connection.execute("UPDATE search_term SET documents = 99 WHERE spelling = 'graphiste'")
    await rebuilding.rebuild(connection, INDEX, shelf.source)
    assert (await find("développeuse web")).ids == [1, 4]
    assert (await find("atelier")).ids == []
    query = Query(audience="members", day=DAY, text="atelier")
    assert (await engine.search(other, query)).ids == [9]
    assert not await connection.fetchval("SELECT count(*) FROM search_term WHERE documents > 9")


async def test_a_change_is_found_from_its_commit_on_and_not_before(
    shelf: Shelf, connection: asyncpg.Connection, database: str, find: Find
) -> None:
    await shelf.put(1, title=("Ébéniste",))
    writer = await asyncpg.connect(database)
    async with writer.transaction():
        shelf.lay(1, title=("Luthière",))
        await outbox.mark(writer, INDEX, [1])
        assert await outbox.index_now(writer, INDEX, shelf.source, [1])
        assert ((await find("luthière")).ids, (await find("ébéniste")).ids) == ([], [1])
    await writer.close()
    assert ((await find("luthière")).ids, (await find("ébéniste")).ids) == ([1], [])
    assert await outbox.is_behind(connection, INDEX)
    assert await outbox.drain(connection, INDEX, shelf.source) == 1
    assert not await outbox.is_behind(connection, INDEX)


async def test_a_change_stays_marked_while_another_process_builds_the_index(
    shelf: Shelf, connection: asyncpg.Connection, database: str, find: Find
) -> None:
    builder = await asyncpg.connect(database)
    shelf.lay(1, title=("Luthière",))
    async with builder.transaction():
        await outbox.lock(builder, INDEX)
        async with connection.transaction():
            await outbox.mark(connection, INDEX, [1])
            assert not await outbox.index_now(connection, INDEX, shelf.source, [1], seconds=0.1)
    await builder.close()
    assert (await find("luthière")).ids == []
    await outbox.drain(connection, INDEX, shelf.source)
    assert (await find("luthière")).ids == [1]


async def test_a_version_with_other_words_or_rules_indexes_everybody_again(
    database: str, connection: asyncpg.Connection
) -> None:
    member_id = (await members.member(connection)).member_id
    waiting = "SELECT array_agg(id) FROM search_outbox"
    async with operations.connected(database):
        await operations.migrate()
        assert await connection.fetchval(waiting) is None
        for part in ("search", "sectors"):
            await connection.execute(
                "UPDATE reference_version SET hash = 'an older edition' WHERE part = $1", part
            )
            await operations.migrate()
            assert await connection.fetchval(waiting) == [member_id]
            await connection.execute("DELETE FROM search_outbox")


async def test_a_worker_of_another_version_leaves_the_index_alone(
    database: str, connection: asyncpg.Connection
) -> None:
    member_id = (await members.member(connection)).member_id
    await outbox.mark(connection, documents.INDEX, [member_id])
    await connection.execute("UPDATE reference_version SET hash = '0.0' WHERE part = 'search'")
    await indexing.drain()
    assert await connection.fetchval("SELECT count(*) FROM search_outbox") == 1
    await connection.execute("DELETE FROM reference_version WHERE part = 'search'")
    await indexing.drain()
    assert await connection.fetchval("SELECT count(*) FROM search_outbox") == 0
