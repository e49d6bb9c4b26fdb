"""Consents without a sign of life are announced, kept by one button, or end by the ledger."""

import re
from collections.abc import AsyncIterator

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.members.posting import RelayAway
from directory.settings import Settings
from directory.subscriptions import expiry, ledger, wordings
from directory.subscriptions.expiry import ConsentsExpiring, Night
from tests import job_runner, people, smtp_sink
from tests.people import Person
from tests.smtp_sink import Sink
from tests.test_preferences import everything
from tests.test_subscriptions import member_with_two_choices, rows

LINK = re.compile(r"http://testserver\.local(/keep/\S+)")


@pytest.fixture
async def sink(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


async def days_pass(connection: asyncpg.Connection, days: int) -> None:
    """Everything that has a date is so much older."""
    await connection.execute("ALTER TABLE consent_ledger DISABLE TRIGGER USER")
    for table, column in (
        ("consent_ledger", "at"), ("account", "signed_in_at"), ("account", "created_at"),
        ("member", "confirmed_at"), ("consent_notice", "announced_at"),
        ("consent_notice", "mailed_at"), ("membership", "joined_at"),
    ):  # fmt: skip
        await connection.execute(
            f"UPDATE {table} SET {column} = {column} - make_interval(days => $1)", days
        )
    await connection.execute("ALTER TABLE consent_ledger ENABLE TRIGGER USER")


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """Chose two topics more than three years ago, and was not seen since."""
    await wordings.load(connection)
    awa, _ = await member_with_two_choices(connection)
    await days_pass(connection, 3 * 366)
    return awa


async def test_they_are_announced_by_one_mail_and_end_thirty_days_later(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, sink: Sink
) -> None:
    assert await expiry.work() == Night(announced=1, kept=0, expired=0)
    for _ in range(2):
        await job_runner.run_all(connection)
        await expiry.write(ConsentsExpiring(awa.member_id))
        assert await expiry.work() == Night(announced=0, kept=0, expired=0)
    mail = sink.to(awa.email)
    assert mail.message["Subject"] == "Voulez-vous encore nos mails\u202f?"
    assert "Depuis 3 ans" in mail.text
    link = LINK.findall(mail.text)[0]
    before = await everything(connection)
    page = (await client.get(link)).text
    assert "Sans réponse, ils s’arrêtent le" in page
    assert page.count("Métiers du web") == 2
    assert await everything(connection) == before
    await days_pass(connection, 29)
    assert (await expiry.work()).expired == 0
    await days_pass(connection, 2)
    assert (await expiry.work()).expired == 1
    assert (await rows(connection))[2:] == [
        ("news", None, "expired", "expiry"),
        ("meetings", None, "expired", "expiry"),
    ]
    assert await ledger.verify() == []
    assert await connection.fetchval("SELECT count(*) FROM consent") == 0
    active = "SELECT count(*) FROM membership WHERE left_at IS NULL"
    assert await connection.fetchval(active) == 1
    assert (await client.post(link)).status_code == 410
    assert "Ces choix ont pris fin" in (await client.get(link)).text
    assert await expiry.work() == Night(0, 0, 0)


async def test_the_button_of_the_mail_keeps_them_and_starts_the_clock_again(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, sink: Sink
) -> None:
    await expiry.work()
    await job_runner.run_all(connection)
    link = LINK.findall(sink.to(awa.email).text)[0]
    for _ in range(2):
        assert (await client.post(link)).status_code == 303
    assert "Vos mails continuent" in (await client.get(f"{link}?done=kept")).text
    assert (await rows(connection))[2:] == [
        ("news", "at_once", "confirmed", "keep"),
        ("meetings", "at_once", "confirmed", "keep"),
    ]
    agreed = await connection.fetch("SELECT topic, wording_id FROM consent_ledger")
    assert len({tuple(row) for row in agreed}) == 2, "to the same words"
    await days_pass(connection, 40)
    assert await expiry.work() == Night(0, 0, 0)
    await days_pass(connection, 3 * 366)
    assert (await expiry.work()).announced == 1
    assert (await client.post(link)).status_code == 303, "an old link keeps nothing more"
    assert len(await rows(connection)) == 4
    assert await ledger.verify() == []


SIGNS = {
    "a visit": "UPDATE account SET signed_in_at = now()",
    "a profile confirmed": "UPDATE member SET confirmed_at = now()",
    "an act": "INSERT INTO consent_ledger (member_id, filiere_id, topic, act, screen) "
    "SELECT member_id, filiere_id, 'calls', 'withdrawn', 'one_click' FROM membership",
}


@pytest.mark.parametrize("sign", SIGNS)
async def test_any_sign_of_life_keeps_them(
    connection: asyncpg.Connection, awa: Person, sink: Sink, sign: str
) -> None:
    await expiry.work()
    await job_runner.run_all(connection)
    await days_pass(connection, 20)
    await connection.execute(SIGNS[sign])
    await days_pass(connection, 20)
    assert await expiry.work() == Night(announced=0, kept=1, expired=0)
    assert await connection.fetchval("SELECT count(*) FROM consent") == 2


@pytest.mark.parametrize(
    "act", ["closing", "departure", "import"], ids=["a closing", "a departure", "an import"]
)
async def test_what_others_did_is_no_sign_of_life(
    connection: asyncpg.Connection, awa: Person, act: str
) -> None:
    await connection.execute(
        "INSERT INTO consent_ledger (member_id, filiere_id, topic, act, screen) "
        "SELECT member_id, filiere_id, 'calls', 'withdrawn', $1 FROM membership",
        act,
    )
    assert (await expiry.work()).announced == 1


async def test_whom_no_mail_reaches_is_given_the_same_time(
    connection: asyncpg.Connection, awa: Person, sink: Sink
) -> None:
    await connection.execute(
        "INSERT INTO suppression (email, reason) VALUES ($1, 'hard_bounce')", awa.email
    )
    await expiry.work()
    await job_runner.run_all(connection)
    assert sink.mails == []
    await days_pass(connection, 29)
    assert (await expiry.work()).expired == 0
    await days_pass(connection, 2)
    assert (await expiry.work()).expired == 1


async def test_nothing_ends_before_the_mail_has_left(
    connection: asyncpg.Connection, awa: Person, chosen: Settings
) -> None:
    settings.use(msgspec.structs.replace(chosen, smtp_url="smtp://127.0.0.1:9"))
    await expiry.work()
    with pytest.raises(RelayAway):
        await expiry.write(ConsentsExpiring(awa.member_id))
    await days_pass(connection, 60)
    assert (await expiry.work()).expired == 0


async def test_a_night_takes_so_many_and_zero_years_mean_never(
    connection: asyncpg.Connection, awa: Person, chosen: Settings
) -> None:
    for _ in range(3):
        other = await people.member(connection)
        await connection.execute(
            "INSERT INTO membership (filiere_id, member_id) SELECT min(id), $1 FROM filiere",
            other.member_id,
        )
        await connection.execute(
            "WITH said AS (INSERT INTO consent_ledger (member_id, filiere_id, topic, rhythm, act,"
            " screen, at) SELECT $1, min(id), 'news', 'weekly', 'given', 'filiere',"
            " now() - interval '5 years' FROM filiere RETURNING id, filiere_id)"
            " INSERT INTO consent SELECT $1, filiere_id, 'news', 'weekly', id FROM said",
            other.member_id,
        )
    await connection.execute("UPDATE account SET signed_in_at = now() - interval '4 years'")
    settings.use(msgspec.structs.replace(chosen, consent_years=0))
    assert await expiry.work() == Night(0, 0, 0)
    settings.use(msgspec.structs.replace(chosen, retention_per_night=3))
    assert (await expiry.work()).announced == 3
    assert (await expiry.work()).announced == 1
