"""Digests: once, in time, of what was chosen, and to nobody who would find it empty."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.mailings import digest_delivery, digests
from directory.mailings.digests import DigestDue
from directory.settings import Settings
from directory.subscriptions import wordings
from directory.subscriptions.topics import Rhythm
from tests import job_runner, mailing_scene, people, smtp_sink
from tests.mailing_scene import Scene, joins, subscribes
from tests.people import Person
from tests.smtp_sink import Sink

TODAY = digests.last_day(Rhythm.DAILY, datetime.now(UTC))
MONDAY = digests.last_day(Rhythm.WEEKLY, datetime.now(UTC))


@pytest.fixture
async def sink(app: object, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


@pytest.fixture
async def scene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Scene:
    await wordings.load(connection)
    return await mailing_scene.build(client, connection)


@pytest.fixture
async def zoe(scene: Scene) -> Person:
    """Reads the news of 'web' each day, and its trainings each Monday."""
    zoe = await people.member(scene.connection, "Zoé", "zoe@test.example")
    await subscribes(scene.connection, zoe, scene.web, topic="news", rhythm="daily")
    await subscribes(scene.connection, zoe, scene.web, rhythm="weekly")
    return zoe


async def sent(scene: Scene, before: datetime, **draft: object) -> int:
    """A mailing that went out an hour before an instant."""
    mailing_id = await scene.draft(**draft)
    answer = await scene.send(mailing_id)
    assert answer.status_code == 200, answer.text
    await scene.work()
    await scene.connection.execute(
        "UPDATE mailing SET started_at = $2 WHERE id = $1",
        mailing_id, before - timedelta(hours=1),
    )  # fmt: skip
    return mailing_id


async def run(scene: Scene, rhythm: Rhythm = Rhythm.DAILY, day: date = TODAY) -> int:
    count = await digests.freeze(rhythm, day)
    await job_runner.run_all(scene.connection)
    return count


async def due(scene: Scene, rhythm: Rhythm = Rhythm.DAILY, day: date = TODAY) -> dict[int, str]:
    rows = await scene.connection.fetch(
        "SELECT member_id, state::text FROM digest_delivery WHERE rhythm = $1::rhythm "
        "AND day = $2",
        rhythm.value, day,
    )  # fmt: skip
    return {row["member_id"]: row["state"] for row in rows}


def at(day: date) -> datetime:
    return digests.cutoff(day)


@pytest.mark.parametrize(
    ("moment", "daily", "weekly"),
    [
        ("2026-12-07T05:59Z", "2026-12-06", "2026-11-30"),  # a Monday in winter, 6:59 in Brussels
        ("2026-12-07T06:00Z", "2026-12-07", "2026-12-07"),
        ("2026-07-06T04:59Z", "2026-07-05", "2026-06-29"),  # in summer
        ("2026-07-06T05:00Z", "2026-07-06", "2026-07-06"),
        ("2026-12-10T12:00Z", "2026-12-10", "2026-12-07"),
    ],
)
def test_seven_oclock_is_that_of_brussels(moment: str, daily: str, weekly: str) -> None:
    instant = datetime.fromisoformat(moment)
    assert str(digests.last_day(Rhythm.DAILY, instant)) == daily
    assert str(digests.last_day(Rhythm.WEEKLY, instant)) == weekly


async def test_a_digest_has_what_was_sent_since_and_says_why(
    scene: Scene, zoe: Person, sink: Sink
) -> None:
    await sent(scene, at(TODAY), topic="news", subject="Une nouvelle adresse", body="Au **12**.")
    await sent(scene, at(TODAY), topic="news", subject="Un prix juste", body="Lisez-le.")
    assert zoe.email not in sink.recipients, "nothing at once"
    assert await run(scene) == 1
    mail = sink.to(zoe.email)
    for words in ("Une nouvelle adresse", "Un prix juste", "Clémence Wauters", "résumé du jour"):
        assert words in mail.text
        assert words in mail.html
    assert "<strong>12</strong>" in mail.html
    assert "Le 15 août 2026, vous avez choisi « Actualités, résumé du jour »" in mail.text.replace(
        "\u202f", " "
    ).replace("\u00a0", " ")
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "/digest>" in str(mail.message["List-Unsubscribe"])
    assert await due(scene) == {zoe.member_id: "sent"}
    recorded = await scene.connection.fetch(
        "SELECT e.*, l.topic::text, l.rhythm::text AS chosen FROM digest_entry e "
        "JOIN consent_ledger l ON l.id = e.consent_id"
    )
    assert {(row["topic"], row["chosen"], row["member_id"]) for row in recorded} == {
        ("news", "daily", zoe.member_id)
    }


async def test_running_again_sends_nothing_and_the_next_day_has_only_what_is_new(
    scene: Scene, zoe: Person, sink: Sink
) -> None:
    await sent(scene, at(TODAY), topic="news")
    yesterday = TODAY - timedelta(days=1)
    assert await run(scene, day=yesterday) == 0
    for _ in range(3):
        await run(scene)
        await digests.wake()
        await job_runner.run_all(scene.connection)
    assert sink.recipients[zoe.email] == 1
    tomorrow = TODAY + timedelta(days=1)
    await sent(scene, at(tomorrow), topic="news", subject="Autre chose")
    await run(scene, day=tomorrow)
    letters = [mail for mail in sink.mails if mail.recipient == zoe.email]
    assert len(letters) == 2
    assert "Chiffrer un site" not in letters[1].text


async def test_a_mailing_to_two_filieres_comes_once_whatever_the_rhythms(
    scene: Scene, zoe: Person, sink: Sink
) -> None:
    await subscribes(scene.connection, zoe, scene.image, rhythm="daily")
    both = [scene.web, scene.image]
    day = min(TODAY, MONDAY)
    await sent(scene, at(day), filiere_ids=both)
    assert await run(scene, Rhythm.DAILY, day) == 1
    assert await run(scene, Rhythm.WEEKLY, MONDAY) == 0
    assert sink.recipients[zoe.email] == 1
    # Who has it at once in one of them gets it in no digest of the other.
    await subscribes(scene.connection, scene.awa, scene.image, rhythm="weekly")
    assert sink.recipients[scene.awa.email] == 1


async def test_two_filieres_in_one_rhythm_are_one_entry_that_names_both(
    scene: Scene, zoe: Person, sink: Sink
) -> None:
    await subscribes(scene.connection, zoe, scene.image, rhythm="weekly")
    await sent(scene, at(MONDAY), filiere_ids=[scene.web, scene.image])
    await run(scene, Rhythm.WEEKLY, MONDAY)
    text = sink.to(zoe.email).text
    assert "Métiers du web, Image et édition" in text
    assert text.count("Venez tous.") == 1
    assert sink.to(zoe.email).message["Subject"].startswith("La semaine de vos filières")


LEFT_OUT = {
    "paused": "INSERT INTO mail_pause SELECT id, current_date + 5 FROM member WHERE id = $1",
    "unconfirmed": "UPDATE account SET email_confirmed_at = NULL WHERE id = "
    "(SELECT account_id FROM member WHERE id = $1)",
    "disabled": "UPDATE account SET disabled_at = now() WHERE id = "
    "(SELECT account_id FROM member WHERE id = $1)",
    "failing": "INSERT INTO suppression (email, reason) SELECT a.email, 'hard_bounce' "
    "FROM account a JOIN member m ON m.account_id = a.id WHERE m.id = $1",
    "left the filiere": "UPDATE membership SET left_at = now() WHERE member_id = $1",
    "left": "UPDATE member SET left_on = current_date WHERE id = $1",
    "withdrawn": "DELETE FROM consent WHERE member_id = $1",
    "at once now": "UPDATE consent SET rhythm = 'at_once' WHERE member_id = $1",
    "chose later": "UPDATE consent_ledger SET at = now() WHERE member_id = $1",
}


@pytest.mark.parametrize("reason", LEFT_OUT)
@pytest.mark.parametrize("moment", ["before", "between"])
async def test_who_gets_no_digest(
    scene: Scene, zoe: Person, sink: Sink, reason: str, moment: str
) -> None:
    """Before it is frozen, or between that and the sending."""
    await sent(scene, at(TODAY), topic="news")
    if moment == "between":
        assert await digests.freeze(Rhythm.DAILY, TODAY) == 1
    await scene.connection.execute("ALTER TABLE consent_ledger DISABLE TRIGGER USER")
    await scene.connection.execute(LEFT_OUT[reason], zoe.member_id)
    await scene.connection.execute("ALTER TABLE consent_ledger ENABLE TRIGGER USER")
    assert await run(scene) == 0
    assert zoe.email not in sink.recipients
    expected = {zoe.member_id: "skipped"} if moment == "between" else {}
    assert await due(scene) == expected


async def test_an_empty_day_sends_nothing(scene: Scene, zoe: Person, sink: Sink) -> None:
    await sent(scene, at(TODAY) - timedelta(days=20), topic="news")
    assert await run(scene) == 0
    assert zoe.email not in sink.recipients


async def test_a_mailing_that_only_digests_carry_can_be_sent(
    scene: Scene, zoe: Person, sink: Sink
) -> None:
    mailing_id = await sent(scene, at(TODAY), topic="news")
    assert (await scene.view(mailing_id))["state"] == "sent"
    assert await run(scene) == 1


async def test_dates_to_come_are_in_the_digest_once_and_past_ones_never(
    scene: Scene, zoe: Person, sink: Sink
) -> None:
    async def listed(title: str, starts: timedelta, kind: str = "training") -> int:
        event_id: int = await scene.connection.fetchval(
            "INSERT INTO event (uid, kind, title, starts_at, ends_at, location, created_at) "
            "VALUES ($1, $2::event_kind, $1, now() + $3, now() + $3 + interval '1 hour', "
            "'Namur', $4) RETURNING id",
            title, kind, starts, at(MONDAY) - timedelta(hours=2),
        )  # fmt: skip
        await scene.connection.execute(
            "INSERT INTO event_filiere VALUES ($1, $2)", event_id, scene.web
        )
        return event_id

    soon = await listed("Chiffrer sans peur", timedelta(days=9))
    await listed("Hier seulement", timedelta(days=-1))
    await listed("Une réunion", timedelta(days=9), kind="meeting")  # not chosen
    gone = await listed("Annulée", timedelta(days=9))
    await scene.connection.execute("UPDATE event SET cancelled_at = now() WHERE id = $1", gone)
    assert await run(scene, Rhythm.WEEKLY, MONDAY) == 1
    text = sink.to(zoe.email).text
    assert "Chiffrer sans peur" in text
    assert f"/events/{soon}" in text
    for absent in ("Hier seulement", "Une réunion", "Annulée"):
        assert absent not in text
    assert await run(scene, Rhythm.WEEKLY, MONDAY + timedelta(days=7)) == 0


async def test_a_worker_lost_while_sending_leaves_it_in_doubt_and_never_sends_it_again(
    scene: Scene, zoe: Person, sink: Sink
) -> None:
    other = await people.member(scene.connection)
    await subscribes(scene.connection, other, scene.web, topic="news", rhythm="daily")
    await sent(scene, at(TODAY), topic="news")
    assert await digests.freeze(Rhythm.DAILY, TODAY) == 2
    claimed, _ = await digest_delivery.claim(Rhythm.DAILY, TODAY, "lost", 5)
    assert len(claimed) == 2
    await digest_delivery.mark_sending(Rhythm.DAILY, TODAY, "lost", [zoe.member_id])
    await digests.work(DigestDue(Rhythm.DAILY, TODAY))
    assert not {zoe.email, other.email} & set(sink.recipients), "their leases run"
    await scene.connection.execute(
        "UPDATE digest_delivery SET lease_until = now() - interval '1 second'"
    )
    await scene.connection.execute("UPDATE digest_run SET worked_at = now() - interval '1 hour'")
    await digests.wake()
    await job_runner.run_all(scene.connection)
    assert await due(scene) == {zoe.member_id: "in_doubt", other.member_id: "sent"}
    assert zoe.email not in sink.recipients
    stale = await digest_delivery.mark_sending(Rhythm.DAILY, TODAY, "lost", [other.member_id])
    assert stale == {}


async def test_a_relay_that_is_away_loses_nothing_and_a_refused_address_is_suppressed(
    scene: Scene, zoe: Person, sink: Sink, chosen: Settings
) -> None:
    await sent(scene, at(TODAY), topic="news")
    settings.use(msgspec.structs.replace(chosen, smtp_url="smtp://127.0.0.1:9"))
    await run(scene)
    assert await due(scene) == {zoe.member_id: "queued"}
    settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
    sink.refuse = {zoe.email: "550 5.1.1 no such user"}
    await scene.connection.execute("UPDATE digest_run SET worked_at = now() - interval '1 hour'")
    await digests.wake()
    await job_runner.run_all(scene.connection)
    assert await due(scene) == {zoe.member_id: "failed"}
    assert await scene.connection.fetchval("SELECT email::text FROM suppression") == zoe.email


async def test_two_workers_at_once_send_each_digest_once(scene: Scene, sink: Sink) -> None:
    readers = [await people.member(scene.connection) for _ in range(20)]
    for reader in readers:
        await joins(scene.connection, reader, scene.web)
        await subscribes(scene.connection, reader, scene.web, topic="news", rhythm="daily")
    await sent(scene, at(TODAY), topic="news")
    assert await digests.freeze(Rhythm.DAILY, TODAY) == 20
    await scene.connection.execute("DELETE FROM pgqueuer")
    job = DigestDue(Rhythm.DAILY, TODAY)
    await asyncio.gather(*(digests.work(job) for _ in range(3)))
    assert {sink.recipients[reader.email] for reader in readers} == {1}
