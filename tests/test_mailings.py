"""Sending a mailing: who gets it, and that nobody gets it twice."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.mailings import delivery, sending
from directory.mailings.dispatch import MailingDue, TrialAsked
from directory.settings import Settings
from tests import mailing_scene, people, smtp_sink
from tests.mailing_scene import Scene, joins, subscribes, withdraws
from tests.smtp_sink import Sink


@pytest.fixture
async def sink(app: object, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


@pytest.fixture
async def scene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Scene:
    return await mailing_scene.build(client, connection)


async def test_each_consenting_subscriber_gets_the_mail_once_and_nobody_else_does(
    scene: Scene, sink: Sink
) -> None:
    elsewhere = await people.member(scene.connection)
    await subscribes(scene.connection, elsewhere, scene.image)
    other_topic = await people.member(scene.connection)
    await subscribes(scene.connection, other_topic, scene.web, topic="news")
    answer = await scene.send(mailing_id := await scene.draft())
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["audience_size"]) == ("sending", 3)
    assert not sink.mails
    await scene.work()
    assert sink.recipients == {scene.awa.email: 1, scene.bert.email: 1, scene.chloe.email: 1}
    view = await scene.view(mailing_id)
    assert (view["state"], view["deliveries"]["sent"]) == ("sent", 3)
    assert view["finished_at"]


async def test_a_person_of_two_filieres_gets_one_mail_that_names_both(
    scene: Scene, sink: Sink
) -> None:
    mailing_id = await scene.draft(filiere_ids=[scene.image, scene.web])
    await scene.send(mailing_id)
    await scene.work()
    assert set(sink.recipients.values()) == {1}
    assert "dans Métiers du web" in sink.to(scene.bert.email).text
    assert "aussi dans Image et édition" in sink.to(scene.bert.email).text
    assert "Image et édition" not in sink.to(scene.awa.email).text


async def test_sending_twice_or_at_the_same_moment_is_one_sending(scene: Scene, sink: Sink) -> None:
    mailing_id = await scene.draft()
    answers = await asyncio.gather(*(scene.send(mailing_id) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len(await scene.due()) == 1
    await sending.work(MailingDue(mailing_id))
    await scene.work()
    assert (await scene.send(mailing_id)).json()["state"] == "sent"
    await scene.work()
    assert set(sink.recipients.values()) == {1}
    assert len(sink.mails) == 3


async def test_an_unsubscribe_during_the_sending_wins(scene: Scene, sink: Sink) -> None:
    await scene.send(mailing_id := await scene.draft())
    await withdraws(scene.connection, scene.bert)
    await scene.connection.execute(
        "UPDATE membership SET left_at = now() WHERE member_id = $1", scene.chloe.member_id
    )
    await scene.work()
    assert sink.recipients == {scene.awa.email: 1}
    view = await scene.view(mailing_id)
    assert view["state"] == "sent"
    assert view["deliveries"]["skipped"] == [
        {"reason": "left", "count": 1},
        {"reason": "not_chosen", "count": 1},
    ]


async def test_the_link_of_a_mail_stops_the_next_one(scene: Scene, sink: Sink) -> None:
    await scene.send(await scene.draft())
    await scene.work()
    header = str(sink.to(scene.awa.email).message["List-Unsubscribe"])
    path = header.strip("<>").removeprefix("http://testserver.local")
    scene.client.cookies.clear()
    answer = await scene.client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code in {200, 303}, answer.text
    await people.sign_in(scene.client, scene.clemence)
    await scene.send(await scene.draft())
    await scene.work()
    assert sink.recipients[scene.awa.email] == 1
    assert sink.recipients[scene.bert.email] == 2


async def test_two_workers_at_once_never_send_a_mail_twice(scene: Scene, sink: Sink) -> None:
    for _ in range(40):
        await subscribes(scene.connection, await people.member(scene.connection), scene.web)
    await scene.send(mailing_id := await scene.draft())
    sink.pause = 0.005
    await asyncio.gather(*(sending.work(MailingDue(mailing_id)) for _ in range(3)))
    await scene.work()
    assert len(sink.mails) == 43
    assert set(sink.recipients.values()) == {1}
    assert (await scene.view(mailing_id))["state"] == "sent"


async def test_those_left_out_are_counted_by_reason_and_the_figures_add_up(scene: Scene) -> None:
    left_out = {}
    for reason, change in {
        "paused": "INSERT INTO mail_pause SELECT id, current_date + 5 FROM member WHERE id = $1",
        "no_account": "UPDATE account SET disabled_at = now() WHERE id = "
        "(SELECT account_id FROM member WHERE id = $1)",
        "unconfirmed": "UPDATE account SET email_confirmed_at = NULL WHERE id = "
        "(SELECT account_id FROM member WHERE id = $1)",
        "failing": "INSERT INTO suppression (email, reason) SELECT a.email, 'hard_bounce' "
        "FROM account a JOIN member m ON m.account_id = a.id WHERE m.id = $1",
    }.items():
        person = left_out[reason] = await people.member(scene.connection)
        await subscribes(scene.connection, person, scene.web)
        await scene.connection.execute(change, person.member_id)
    weekly = await people.member(scene.connection)
    await subscribes(scene.connection, weekly, scene.image, rhythm="weekly")
    gone = await people.member(scene.connection)
    await subscribes(scene.connection, gone, scene.web)
    await scene.connection.execute(
        "UPDATE member SET left_on = current_date WHERE id = $1", gone.member_id
    )
    mailing_id = await scene.draft(filiere_ids=[scene.web, scene.image])
    found = (await scene.client.get(f"/api/v1/mailings/{mailing_id}/audience")).json()
    assert found == {
        "recipients": 3,
        "shares": [{"filiere_id": scene.web, "count": 3}, {"filiere_id": scene.image, "count": 2}],
        "repeated": 2,
        "left_out": [
            {"reason": "not_chosen", "count": 1},
            {"reason": "digest", "count": 1},
            {"reason": "paused", "count": 1},
            {"reason": "no_account", "count": 1},
            {"reason": "unconfirmed", "count": 1},
            {"reason": "failing", "count": 1},
        ],
        "other_language": 0,
    }
    people_in_them = await scene.connection.fetchval(
        "SELECT count(DISTINCT k.member_id) FROM membership k JOIN member m ON m.id = k.member_id "
        "WHERE k.left_at IS NULL AND m.left_on IS NULL"
    )
    assert 3 + sum(entry["count"] for entry in found["left_out"]) == people_in_them


async def test_a_pause_that_is_over_lets_mails_through(scene: Scene, sink: Sink) -> None:
    await scene.connection.execute(
        "INSERT INTO mail_pause VALUES ($1, current_date - 1)", scene.awa.member_id
    )
    await scene.send(await scene.draft())
    await scene.work()
    assert sink.recipients[scene.awa.email] == 1


async def test_a_refused_address_fails_and_is_not_written_to_again(
    scene: Scene, sink: Sink
) -> None:
    sink.refuse = {
        scene.awa.email: "550 5.1.1 no such user",
        scene.bert.email: "550 5.7.1 blocked by policy",
        scene.chloe.email: "552 5.2.2 mailbox full",
    }
    await scene.send(mailing_id := await scene.draft())
    await scene.work()
    assert await scene.states(mailing_id) == {
        scene.awa.member_id: ("failed", "refused"),
        scene.bert.member_id: ("failed", "refused"),
        scene.chloe.member_id: ("deferred", ""),
    }
    suppressed = await scene.connection.fetch("SELECT email::text, reason::text FROM suppression")
    assert [tuple(row) for row in suppressed] == [(scene.awa.email, "hard_bounce")]
    assert (await scene.view(mailing_id))["state"] == "sending"


async def test_a_deferred_mail_is_tried_again_later_and_then_given_up(
    scene: Scene, sink: Sink
) -> None:
    sink.refuse = {scene.awa.email: "451 4.7.1 greylisted, try again"}
    await scene.send(mailing_id := await scene.draft())
    await scene.work()
    assert len(sink.mails) == 2
    await sending.work(MailingDue(mailing_id))
    assert (await scene.states(mailing_id))[scene.awa.member_id] == ("deferred", "")
    for _ in range(delivery.MOST_ATTEMPTS - 1):
        await scene.time_passes(mailing_id)
        await sending.wake()
        await scene.work()
    assert (await scene.states(mailing_id))[scene.awa.member_id] == ("failed", "exhausted")
    assert (await scene.view(mailing_id))["state"] == "sent"


async def test_a_deferred_mail_arrives_when_the_server_takes_it(scene: Scene, sink: Sink) -> None:
    sink.refuse_data = {scene.awa.email: "451 4.3.0 later"}
    await scene.send(mailing_id := await scene.draft())
    await scene.work()
    sink.refuse_data = {}
    await scene.time_passes(mailing_id)
    await sending.wake()
    await scene.work()
    assert sink.recipients[scene.awa.email] == 1
    assert (await scene.view(mailing_id))["deliveries"]["sent"] == 3


async def test_a_server_that_hangs_up_after_the_mail_leaves_it_in_doubt_and_unsent(
    scene: Scene, sink: Sink
) -> None:
    sink.hang_up_on = {scene.awa.email}
    await scene.send(mailing_id := await scene.draft())
    await scene.work()
    await scene.time_passes(mailing_id)
    await sending.wake()
    await scene.work()
    assert (await scene.states(mailing_id))[scene.awa.member_id] == ("in_doubt", "no_answer")
    assert set(sink.recipients.values()) == {1}
    view = await scene.view(mailing_id)
    assert (view["state"], view["deliveries"]["in_doubt"]) == ("sent", 1)


async def test_a_statutory_notice_in_doubt_is_sent_again_under_the_same_message_id(
    scene: Scene, sink: Sink
) -> None:
    sink.hang_up_on = {scene.awa.email}
    mailing_id = await scene.draft()
    await scene.connection.execute("UPDATE mailing SET policy = 'resend' WHERE id = $1", mailing_id)
    await scene.send(mailing_id)
    await scene.work()
    sink.hang_up_on = set()
    await scene.time_passes(mailing_id)
    await sending.wake()
    await scene.work()
    copies = [mail for mail in sink.mails if mail.recipient == scene.awa.email]
    assert len(copies) == 2
    assert len({str(mail.message["Message-ID"]) for mail in copies}) == 1


async def test_a_relay_that_refuses_our_address_costs_nobody_theirs(
    scene: Scene, sink: Sink
) -> None:
    sink.refuse_sender = "530 5.7.0 authenticate first"
    await scene.send(mailing_id := await scene.draft())
    await scene.work()
    assert {state for state, _ in (await scene.states(mailing_id)).values()} == {"deferred"}
    assert await scene.connection.fetchval("SELECT count(*) FROM suppression") == 0


async def test_nothing_is_lost_while_the_relay_is_away(
    scene: Scene, sink: Sink, chosen: Settings
) -> None:
    settings.use(msgspec.structs.replace(chosen, smtp_url="smtp://127.0.0.1:9"))
    await scene.send(mailing_id := await scene.draft())
    await scene.work()
    assert {state for state, _ in (await scene.states(mailing_id)).values()} == {"queued"}
    settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
    await scene.time_passes(mailing_id)
    await sending.wake()
    await scene.work()
    assert len(sink.mails) == 3


async def test_an_address_that_would_name_two_people_is_never_written_to(
    scene: Scene, sink: Sink
) -> None:
    await scene.connection.execute(
        "UPDATE account SET email = 'a@test.example,b@test.example' WHERE id = $1",
        scene.awa.account_id,
    )
    await scene.send(mailing_id := await scene.draft())
    await scene.work()
    assert (await scene.states(mailing_id))[scene.awa.member_id] == ("failed", "unusable_address")
    assert len(sink.mails) == 2


async def test_a_mailing_is_cancelled_while_nothing_of_it_has_left(
    scene: Scene, sink: Sink
) -> None:
    await scene.send(mailing_id := await scene.draft())
    answer = await scene.client.post(f"/api/v1/mailings/{mailing_id}/cancel")
    assert answer.json()["state"] == "cancelled"
    await scene.work()
    assert not sink.mails
    assert (await scene.send(mailing_id)).status_code == 409
    await scene.send(other := await scene.draft())
    await scene.work()
    assert (await scene.client.post(f"/api/v1/mailings/{other}/cancel")).status_code == 409
    assert (await scene.view(other))["state"] == "sent"


async def test_a_mailing_to_nobody_stays_a_draft(scene: Scene) -> None:
    answer = await scene.send(mailing_id := await scene.draft(topic="legal"))
    assert answer.status_code == 409
    assert (await scene.view(mailing_id))["state"] == "draft"


async def test_the_author_alone_gets_a_trial(scene: Scene, sink: Sink) -> None:
    mailing_id = await scene.draft()
    answer = await scene.client.post(f"/mailings/{mailing_id}/trial")
    assert answer.status_code == 303
    (payload,) = await scene.connection.fetch(
        "SELECT payload FROM pgqueuer WHERE entrypoint LIKE '%send_trial'"
    )
    await sending.send_trial(msgspec.json.decode(payload["payload"], type=TrialAsked))
    assert sink.recipients == {scene.clemence.email: 1}
    mail = sink.to(scene.clemence.email)
    assert str(mail.message["Subject"]).startswith("Essai")
    assert "Venez tous." in mail.text
    assert (await scene.view(mailing_id))["state"] == "draft"


async def test_lost_jobs_are_found_again_and_running_ones_are_left_alone(
    scene: Scene, sink: Sink
) -> None:
    await scene.send(mailing_id := await scene.draft())
    await scene.due()
    await sending.wake()
    assert not await scene.due()
    await scene.time_passes(mailing_id)
    await sending.wake()
    await sending.wake()
    assert await scene.due() == [MailingDue(mailing_id)]


async def test_a_worker_that_lost_its_claims_sends_none_of_them(scene: Scene) -> None:
    await scene.send(mailing_id := await scene.draft())
    claimed, _ = await delivery.claim(mailing_id, "slow", 2)
    await scene.time_passes(mailing_id)
    await delivery.sweep(mailing_id)
    assert not await delivery.mark_sending(mailing_id, "slow", [c.member_id for c in claimed])
    again, _ = await delivery.claim(mailing_id, "quick", 5)
    assert len(again) == 3


async def test_a_member_of_the_filiere_who_joins_later_is_not_in_the_frozen_audience(
    scene: Scene, sink: Sink
) -> None:
    await scene.send(await scene.draft())
    late = await people.member(scene.connection)
    await joins(scene.connection, late, scene.web)
    await subscribes(scene.connection, late, scene.web)
    await scene.work()
    assert late.email not in sink.recipients
