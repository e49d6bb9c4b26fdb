"""The demonstration into the database: people in chunks, then what they do together."""

from collections.abc import Callable, Mapping
from datetime import date
from itertools import islice

import asyncpg
import msgspec

from directory.demo import (
    decisions,
    filieres,
    founding,
    gatherings,
    life,
    memberships,
    network,
    people,
    profiles,
    rows,
)
from directory.subscriptions import wordings

CHUNK = 2_000


class DemoRefused(Exception):
    """The demonstration goes into an empty directory only. The message says what is in the way."""


class Account(msgspec.Struct, frozen=True):
    """Somebody to sign in as, and what they are."""

    email: str
    words: str


CAST = (
    Account("awa@etabli.example", "member of two filières; may join a third"),
    Account("noe@etabli.example", "member of three filières, as many as one may be in"),
    Account("clemence@etabli.example", "animates Métiers du web: mails and events"),
    Account("lotte@etabli.example", "animates Beeld en uitgave, in Dutch"),
    Account("helene@etabli.example", "coordinator of the cooperative"),
    Account("admin@etabli.example", "administrator"),
)


class DemoReport(msgspec.Struct, frozen=True):
    """Rows written by table."""

    rows: Mapping[str, int]
    accounts: tuple[Account, ...] = CAST


async def load(
    connection: asyncpg.Connection,
    *,
    members: int,
    seed: int,
    today: date,
    progress: Callable[[int, int], None],
) -> DemoReport:
    """All or nothing. The search index is the caller's to build.

    :raises DemoRefused: when somebody is there already, or the reference data is not.
    """
    async with connection.transaction():
        await _check(connection)
        await wordings.load(connection)
        writer, codes = rows.Writer(connection), await rows.codes(connection)
        filiere_ids = await network.found(writer, codes, today)
        crowd = people.generate(members, seed, today)
        animators: Mapping[str, int] = {}
        done = 0
        while chunk := list(islice(crowd, CHUNK)):
            joinings = {person.position: filieres.join(person, seed, today) for person in chunk}
            mandates: list[filieres.Mandate] = []
            if not done:
                mandates, added = filieres.appoint(chunk, joinings, seed, today)
                for joining in added:
                    joinings[joining.position].append(joining)
            ids = await profiles.write(writer, chunk, codes)
            await memberships.write(writer, chunk, joinings, ids, filiere_ids, codes)
            if not done:
                animators = await network.appoint(writer, mandates, ids, filiere_ids, today)
                await gatherings.write_events(writer, animators, filiere_ids, codes, seed, today)
            done += len(chunk)
            progress(done, members)
        await life.write(writer, animators, filiere_ids, today)
        await gatherings.send_mailing(writer, filiere_ids, today)
        proposers = await founding.write(writer, filiere_ids, today)
        await decisions.write(writer, filiere_ids, proposers, today)
        await connection.execute("ANALYZE")
    return DemoReport(writer.written)


async def _check(connection: asyncpg.Connection) -> None:
    await connection.execute("LOCK TABLE member, account IN SHARE ROW EXCLUSIVE MODE")
    for table, words in (
        ("member", "there are members already"),
        ("account", "there are accounts already"),
        ("filiere", "there are filières already"),
    ):
        if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):  # noqa: S608 - above
            raise DemoRefused(f"{words}: the demonstration needs an empty directory")
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM trade)"):
        raise DemoRefused("the reference data is not loaded: filieres migrate")
