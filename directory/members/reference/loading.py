"""The shared words into the database."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import asyncpg
import msgspec

from directory.members.reference import files, places, sectors, trades

# Raise it when the code reads the same files otherwise.
EDITION = "2"


class Counts(msgspec.Struct, frozen=True):
    """Rows written by table; empty when this edition was there already."""

    rows: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


Written = dict[str, int]


async def load(connection: asyncpg.Connection) -> Counts:
    """Keeps the ids of what was there and never removes a word: members may use it."""
    parts: dict[str, tuple[Sequence[str], Callable[[asyncpg.Connection], Awaitable[Written]]]] = {
        "trades": (trades.FILES, load_trades),
        "sectors": (sectors.FILES, load_sectors),
        "places": (places.FILES, load_places),
    }
    rows: Written = {}
    async with connection.transaction():
        await connection.execute("LOCK TABLE reference_version IN EXCLUSIVE MODE")
        known = {
            row["part"]: row["hash"]
            for row in await connection.fetch("SELECT part, hash FROM reference_version")
        }
        for part, (names, write) in parts.items():
            digest = files.digest(names, EDITION)
            if known.get(part) == digest:
                continue
            rows |= await write(connection)
            await connection.execute(
                "INSERT INTO reference_version (part, hash) VALUES ($1, $2) ON CONFLICT (part)"
                " DO UPDATE SET hash = excluded.hash, loaded_at = now()",
                part,
                digest,
            )
    return Counts(rows)


async def load_trades(connection: asyncpg.Connection) -> Written:
    groups, known = trades.read()
    await _upsert(connection, "trade_group", ("code", "label"), groups.items())
    await _upsert(connection, "trade", trades.Trade._fields[:-1], (trade[:-1] for trade in known))
    ids = {row["code"]: row["id"] for row in await connection.fetch("SELECT code, id FROM trade")}
    await connection.execute(
        "DELETE FROM trade_label WHERE trade_id = ANY($1) AND source <> 'ours'",
        [ids[trade.code] for trade in known],
    )
    ours = {
        tuple(row)
        for row in await connection.fetch(
            "SELECT trade_id, language, label FROM trade_label WHERE source = 'ours'"
        )
    }
    every = ((ids[trade.code], *label) for trade in known for label in trade.labels)
    labels = [label for label in every if label[:3] not in ours]
    await connection.copy_records_to_table(
        "trade_label",
        columns=("trade_id", "language", "label", "source", "is_exact"),
        records=labels,
    )
    return {"trade_group": len(groups), "trade": len(known), "trade_label": len(labels)}


async def load_sectors(connection: asyncpg.Connection) -> Written:
    known = sectors.read()
    await _upsert(connection, "sector", sectors.Sector._fields, known)
    return {"sector": len(known)}


async def load_places(connection: asyncpg.Connection) -> Written:
    regions, known = places.read()
    await _upsert(connection, "region", places.Region._fields, regions)
    await _upsert(connection, "place", places.Place._fields, known)
    return {"region": len(regions), "place": len(known)}


async def _upsert(
    connection: asyncpg.Connection,
    table: str,
    columns: Sequence[str],
    rows: Iterable[tuple[object, ...]],
) -> None:
    """By code; through a temporary table, as COPY knows no conflict."""
    names = ", ".join(columns)
    fresh = ", ".join(f"{column} = excluded.{column}" for column in columns if column != "code")
    # What a coordinator named stays so.
    kept = " WHERE NOT trade.is_kept" if table == "trade" else ""
    await connection.execute(
        f"CREATE TEMP TABLE staged AS SELECT {names} FROM {table} WITH NO DATA"  # noqa: S608 - own names
    )
    await connection.copy_records_to_table("staged", columns=columns, records=rows)
    await connection.execute(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM staged"  # noqa: S608 - own names
        f" ON CONFLICT (code) DO UPDATE SET {fresh}{kept}"
    )
    await connection.execute("DROP TABLE staged")
