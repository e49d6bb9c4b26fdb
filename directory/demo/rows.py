"""How the demonstration reaches the tables: COPY, with ids known before the rows exist."""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import msgspec

from directory.demo import towns


class Codes(msgspec.Struct, frozen=True):
    """Ids of the shared words by code, of offices by slug, of wordings by topic and language."""

    trades: Mapping[str, int]
    sectors: Mapping[str, int]
    places: Mapping[str, int]
    territories: Mapping[str, int]
    wordings: Mapping[tuple[str, str], int]


class Ids(msgspec.Struct, frozen=True):
    """The rows of one person."""

    account: int
    member: int


class Writer:
    """Copies rows and counts them by table."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.written: dict[str, int] = {}

    async def copy(
        self, table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]
    ) -> None:
        records = list(rows)
        await self.connection.copy_records_to_table(table, columns=columns, records=records)
        self.count(table, len(records))

    def count(self, table: str, rows: int) -> None:
        self.written[table] = self.written.get(table, 0) + rows

    async def reserve(self, table: str, count: int) -> range:
        """Ids that nothing else gets. At least one is taken."""
        first: int = await self.connection.fetchval(
            "SELECT nextval(pg_get_serial_sequence($1, 'id'))", table
        )
        await self.connection.execute(
            "SELECT setval(pg_get_serial_sequence($1, 'id'), $2)", table, first + max(count, 1) - 1
        )
        return range(first, first + count)


async def codes(connection: asyncpg.Connection) -> Codes:
    """Adds the offices of the cooperative, which nothing else does."""
    places = await _ids(connection, "SELECT code, id FROM place")
    await connection.executemany(
        "INSERT INTO territory (slug, name, place_id) VALUES ($1, $2, $3)"
        " ON CONFLICT (slug) DO NOTHING",
        [(office.slug, office.name, places[office.place]) for office in towns.atlas().office],
    )
    latest = await connection.fetch(
        "SELECT DISTINCT ON (topic, language) topic::text AS topic, language, id"
        " FROM consent_wording ORDER BY topic, language, version DESC"
    )
    return Codes(
        await _ids(connection, "SELECT code, id FROM trade"),
        await _ids(connection, "SELECT code, id FROM sector"),
        places,
        await _ids(connection, "SELECT slug, id FROM territory"),
        {(row["topic"], row["language"]): row["id"] for row in latest},
    )


async def _ids(connection: asyncpg.Connection, query: str) -> dict[str, int]:
    return {row[0]: row[1] for row in await connection.fetch(query)}
