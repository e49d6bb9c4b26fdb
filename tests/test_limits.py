"""Limits count together, keep no address, and open again."""

import asyncio
from datetime import timedelta

import pytest

from directory import db, errors, limits
from directory.accounts import audit
from directory.accounts.actor import VISITOR
from directory.limits import Limit

TWO_A_DAY = Limit("tests", 2, timedelta(days=1))


async def test_one_more_than_the_limit_is_refused_and_says_for_how_long(database: str) -> None:
    await limits.take(TWO_A_DAY, "one@coop.example")
    await limits.take(TWO_A_DAY, "one@coop.example")
    with pytest.raises(errors.TooMany) as refused:
        await limits.take(TWO_A_DAY, "one@coop.example")
    assert 1 <= int(str(refused.value.params["minutes"])) <= 24 * 60
    await limits.take(TWO_A_DAY, "two@coop.example")
    await limits.take(Limit("others", 2, timedelta(days=1)), "one@coop.example")


async def test_twenty_at_the_same_moment_take_no_more_than_there_is(database: str) -> None:
    async def one() -> bool:
        try:
            await limits.take(TWO_A_DAY, "key")
        except errors.TooMany:
            return False
        return True

    assert sum(await asyncio.gather(*(one() for _ in range(20)))) == 2


async def test_the_next_window_is_open_and_past_ones_are_forgotten(database: str) -> None:
    short = Limit("tests", 1, timedelta(milliseconds=50))
    await limits.take(short, "key")
    await asyncio.sleep(0.06)
    await limits.take(short, "key")
    async with db.transaction() as opened:
        await opened.execute("UPDATE rate_count SET starts_at = starts_at - interval '3 days'")
    await limits.forget_past()
    async with db.connection() as reader:
        assert await reader.fetchval("SELECT count(*) FROM rate_count") == 0


async def test_nothing_changes_an_entry_of_the_audit_log(database: str) -> None:
    await audit.record(VISITOR, "profile.changed", member_id=1, fields=["headline"])
    for statement in ("UPDATE audit_entry SET action = 'a.b'", "DELETE FROM audit_entry"):
        with pytest.raises(Exception, match="append-only"):
            async with db.transaction() as opened:
                await opened.execute(statement)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("testclient", ""),
        ("", ""),
    ],
)
def test_only_the_network_of_an_address_is_kept(address: str, network: str) -> None:
    assert limits.network(address) == network
