"""Accounts that nobody uses and members who left: told twice, then erased, so many a night."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.accounts import sessions
from directory.privacy import erasing, erasures, retention
from directory.privacy.erasing import ErasureDue
from directory.privacy.retention import RetentionAnnounced, RetentionReminded
from directory.settings import Settings
from tests import people, smtp_sink
from tests.people import Person
from tests.smtp_sink import Sink


@pytest.fixture
async def sink(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url, retention_per_night=2))
        yield sink
    settings.use(chosen)


async def last_seen(connection: asyncpg.Connection, person: Person, ago: str) -> None:
    await connection.execute(
        "UPDATE account SET signed_in_at = now() - $2::text::interval WHERE id = $1",
        person.account_id, ago,
    )  # fmt: skip


async def days_pass(connection: asyncpg.Connection, days: int) -> None:
    await connection.execute(
        "UPDATE erasure SET due_at = due_at - make_interval(days => $1), "
        "asked_at = asked_at - make_interval(days => $1)",
        days,
    )


async def state(connection: asyncpg.Connection, person: Person) -> str | None:
    found: str | None = await connection.fetchval(
        "SELECT state::text FROM erasure WHERE member_id = $1 ORDER BY id DESC LIMIT 1",
        person.member_id,
    )
    return found


async def test_who_is_away_for_three_years_is_told_twice_and_then_erased(
    sink: Sink, connection: asyncpg.Connection
) -> None:
    away, here = await people.member(connection), await people.member(connection, "Lou")
    await last_seen(connection, away, "3 years 10 days")
    await last_seen(connection, here, "2 years")
    assert [step.what for step in await retention.plan()] == ["announce"]
    assert (await retention.work()).announced == 1
    erasure_id = await connection.fetchval("SELECT id FROM erasure")
    await retention.write_announced(RetentionAnnounced(erasure_id))
    mail = sink.to(away.email)
    assert "Personne n’est entré dans votre compte" in mail.text
    assert "/erasure/keep/" in mail.text
    # Night after night nothing more happens, until seven days before.
    assert await retention.work() == retention.Night(0, 0, 0, 0, 0)
    await days_pass(connection, 24)
    assert (await retention.work()).reminded == 1
    await retention.write_reminded(RetentionReminded(erasure_id))
    assert len(sink.mails) == 2
    assert (await retention.work()).begun == 0
    await days_pass(connection, 7)
    assert (await retention.work()).begun == 1
    await erasing.erase(ErasureDue(erasure_id))
    assert await connection.fetchval("SELECT array_agg(id) FROM member") == [here.member_id]
    assert await state(connection, away) == "done"


async def test_any_sign_in_stops_it_and_so_does_the_link_of_the_mail(
    sink: Sink, connection: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    awa, lou = await people.member(connection), await people.member(connection)
    for person in (awa, lou):
        await last_seen(connection, person, "4 years")
    await retention.work()
    await sessions.open_session(awa.account_id, "test")
    erasure_id = await connection.fetchval(
        "SELECT id FROM erasure WHERE member_id = $1", lou.member_id
    )
    assert (await client.post(erasures.keep_path(erasure_id))).status_code == 303
    await days_pass(connection, 31)
    assert await retention.work() == retention.Night(1, 0, 0, 0, 0)
    assert await state(connection, awa) == await state(connection, lou) == "undone"


async def test_a_reminder_that_comes_late_gives_its_seven_days(
    sink: Sink, connection: asyncpg.Connection
) -> None:
    away = await people.member(connection)
    await last_seen(connection, away, "4 years")
    await retention.work()
    await days_pass(connection, 40)  # no worker ran
    night = await retention.work()
    assert (night.reminded, night.begun) == (1, 0)
    assert await connection.fetchval("SELECT due_at > now() + interval '6 days' FROM erasure")


async def test_members_who_left_go_a_year_later_with_or_without_an_account(
    sink: Sink, connection: asyncpg.Connection
) -> None:
    left = await people.member(connection)
    lately = await people.member(connection)
    await connection.execute(
        "UPDATE member SET left_on = current_date - CASE id WHEN $1 THEN 370 ELSE 300 END",
        left.member_id,
    )
    for person in (left, lately):
        await last_seen(connection, person, "2 years")
    await connection.execute(
        "INSERT INTO member (display_name, left_on) VALUES ('Noa', current_date - 400), "
        "('Ada', NULL)"
    )
    reasons = {(step.account_id, step.reason.value) for step in await retention.plan()}
    assert reasons == {(left.account_id, "left"), (None, "left")}
    assert (await retention.work()).announced == 2
    erasure_id = await connection.fetchval("SELECT id FROM erasure WHERE account_id IS NULL")
    await retention.write_announced(RetentionAnnounced(erasure_id))  # to nobody
    assert sink.mails == []


async def test_a_night_takes_so_many_and_never_the_last_administrator(
    sink: Sink, connection: asyncpg.Connection
) -> None:
    boss = await people.member(connection)
    await people.grants(connection, boss, "administrator")
    gone = [await people.member(connection) for _ in range(3)]
    for person in (boss, *gone):
        await last_seen(connection, person, "5 years")
    assert [(await retention.work()).announced for _ in range(3)] == [2, 1, 0]
    assert await state(connection, boss) is None


async def test_nobody_is_touched_where_the_delays_are_nought(
    sink: Sink, connection: asyncpg.Connection
) -> None:
    settings.use(msgspec.structs.replace(settings.current(), dormant_years=0, left_days=0))
    away = await people.member(connection)
    await last_seen(connection, away, "30 years")
    await connection.execute(
        "INSERT INTO member (display_name, left_on) VALUES ('Noa', '1990-01-01')"
    )
    assert (await retention.work()).announced == 0


async def test_the_use_of_a_token_is_a_sign_of_life(
    sink: Sink, connection: asyncpg.Connection
) -> None:
    person = await people.member(connection)
    await connection.execute(
        "INSERT INTO api_token (account_id, name, token_hash, scopes, expires_at) "
        "VALUES ($1, 'x', 'x', ARRAY['members:read'], now() + interval '1 day')",
        person.account_id,
    )
    await last_seen(connection, person, "4 years")
    await connection.execute("UPDATE api_token SET used_at = now()")
    assert await retention.plan() == []


async def test_proofs_go_in_their_time(sink: Sink, connection: asyncpg.Connection) -> None:
    filiere_id = await people.filiere(connection, "web")
    there = await people.member(connection)
    for member_id in (there.member_id, 7_000_001, 7_000_002):
        await connection.execute(
            "INSERT INTO consent_ledger (member_id, filiere_id, topic, act, screen, at) "
            "VALUES ($1, $2, 'news', 'withdrawn', 'x', now() - interval '9 years')",
            member_id, filiere_id,
        )  # fmt: skip
    await connection.execute(
        "INSERT INTO erasure (member_id, reason, state, done_at) VALUES "
        "(7000001, 'asked', 'done', now() - interval '6 years'), "
        "(7000002, 'asked', 'done', now() - interval '1 year')"
    )
    await connection.execute(
        "INSERT INTO audit_entry (action, at) VALUES "
        "('a.b', now() - interval '6 years'), ('c.d', now() - interval '1 year')"
    )
    assert (await retention.work()).purged == 3
    left = await connection.fetch("SELECT member_id FROM consent_ledger ORDER BY 1")
    assert [row["member_id"] for row in left] == [there.member_id, 7_000_002]
    assert await connection.fetchval("SELECT array_agg(action) FROM audit_entry") == ["c.d"]
