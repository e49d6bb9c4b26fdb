"""Who is told by mail that a filière moved on: once each, and only those who wanted it."""

from collections.abc import AsyncIterator
from email import policy

import asyncpg
import httpx
import msgspec
import pytest

from directory import jobs, mail, settings
from directory.filieres import following
from directory.filieres.lifecycle import Stage, StageChanged
from directory.members import posting
from directory.settings import Settings
from directory.subscriptions import memberships, stage_mails
from directory.subscriptions.stage_mails import StageMailDue
from tests import founding, people, smtp_sink
from tests.mailing_scene import subscribes
from tests.people import Person
from tests.smtp_sink import Sink

MOVE = (Stage.ACTIVE, Stage.DORMANT)


@pytest.fixture
async def sink(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


async def move(
    client: httpx.AsyncClient, connection: asyncpg.Connection, slug: str, to_stage: str
) -> None:
    await founding.coordinator(client, connection)
    body = {"to_stage": to_stage, "reason": f"Vers {to_stage}."}
    answer = await client.post(f"/api/v1/filieres/{slug}/timeline", json=body)
    assert answer.status_code == 201, answer.text


async def work(connection: asyncpg.Connection, *, times: int = 1) -> None:
    """Do what waits in the queue, as a worker does; more than once, as after a kill."""
    for name, event in (("note", StageChanged), ("write", StageMailDue)):
        rows = await connection.fetch(
            "SELECT payload FROM pgqueuer WHERE entrypoint = $1 ORDER BY id",
            f"directory.subscriptions.stage_mails.{name}",
        )
        run = getattr(stage_mails, name)
        for row in rows * times:
            await run(msgspec.json.decode(row["payload"], type=event))
    await connection.execute("DELETE FROM pgqueuer")


async def joins(
    connection: asyncpg.Connection, filiere_id: int, topic: str = "", language: str = "fr"
) -> Person:
    person = await people.member(connection, language=language)
    if topic:
        await subscribes(connection, person, filiere_id, topic)
    else:
        await connection.execute(
            "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
            filiere_id, person.member_id,
        )  # fmt: skip
    return person


async def test_members_who_chose_the_news_are_told_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection, sink: Sink
) -> None:
    web = await people.filiere(connection, "web")
    told = await joins(connection, web, "news")
    in_dutch = await joins(connection, web, "news", "nl")
    await joins(connection, web)
    await joins(connection, web, "meetings")
    await move(client, connection, "web", "dormant")
    await work(connection, times=2)
    assert sink.recipients == {told.email: 1, in_dutch.email: 1}
    letter = sink.to(told.email)
    assert "Vers dormant." in letter.text
    assert "En sommeil" in str(letter.message["subject"])
    assert "In rust" in str(sink.to(in_dutch.email).message["subject"])
    assert "vous avez choisi « Actualités, tout de suite » dans Métiers du web" in letter.text
    stop = str(letter.message["List-Unsubscribe"]).strip("<>")
    assert letter.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    client.cookies.clear()
    answer = await client.post(stop, content="List-Unsubscribe=One-Click")
    assert answer.status_code == 200
    left = await connection.fetch("SELECT member_id FROM consent WHERE topic = 'news'")
    assert [row["member_id"] for row in left] == [in_dutch.member_id]


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO mail_pause SELECT id, current_date + 9 FROM member",
        "UPDATE account SET email_confirmed_at = NULL",
        "UPDATE account SET disabled_at = now()",
        "INSERT INTO suppression (email, reason) SELECT email, 'complaint' FROM account",
        "UPDATE consent SET rhythm = 'weekly'",
        "DELETE FROM consent",
        "UPDATE membership SET left_at = now()",
        "UPDATE member SET left_on = now()",
    ],
)
@pytest.mark.parametrize("is_late", [False, True])
async def test_what_stops_a_mailing_stops_this_mail_too(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    sink: Sink,
    change: str,
    is_late: bool,
) -> None:
    web = await people.filiere(connection, "web")
    await joins(connection, web, "news")
    if not is_late:
        await connection.execute(change)
    await move(client, connection, "web", "dormant")
    if is_late:
        changed = await connection.fetchval("SELECT max(id) FROM stage_change")
        await stage_mails.note(StageChanged(web, *MOVE, changed))
        await connection.execute(change)
    await work(connection)
    assert sink.mails == []


async def test_who_follows_a_proposal_is_told_and_stops_it_by_the_link(
    client: httpx.AsyncClient, connection: asyncpg.Connection, sink: Sink
) -> None:
    proposer, slug = await founding.proposed(client, connection, wants_mails=True)
    await founding.supports(client, connection, slug)
    follower = await founding.supports(client, connection, slug, wants_mails=True)
    await work(connection)
    assert sink.recipients == {proposer.email: 1}
    assert "Une deuxième personne la soutient." in sink.mails[0].text
    await move(client, connection, slug, "forming")
    await work(connection, times=2)
    assert sink.recipients == {proposer.email: 2, follower.email: 1}
    letter = sink.to(follower.email)
    stop = str(letter.message["List-Unsubscribe"]).strip("<>")
    assert stop in letter.text
    client.cookies.clear()
    before = await connection.fetch("SELECT * FROM filiere_support ORDER BY member_id")
    assert (await client.get(stop)).status_code == 200
    assert (await client.head(stop)).status_code == 200
    assert await connection.fetch("SELECT * FROM filiere_support ORDER BY member_id") == before
    for _ in range(2):
        answer = await client.post(stop, content="List-Unsubscribe=One-Click")
        assert (answer.status_code, answer.text) == (200, "")
    web = await connection.fetchval("SELECT id FROM filiere")
    assert not await following.is_on(follower.member_id, web)
    # A forwarded mail gives back what its holder has just stopped, and starts nothing.
    assert (await client.post(f"{stop}/again")).status_code == 404
    back = (await client.post(stop)).headers["location"]
    assert "undo" not in back
    assert not await following.is_on(follower.member_id, web)
    await connection.execute(
        "UPDATE filiere_support SET wants_mails = true WHERE member_id = $1", follower.member_id
    )
    back = (await client.post(stop, headers={"sec-fetch-site": "cross-site"})).headers["location"]
    form = {"undo": back.partition("undo=")[2]}
    assert (await client.get(back)).text.count('name="undo"') == 1
    assert (
        await client.post(f"{stop}/again", data={"undo": form["undo"] + "x"})
    ).status_code == 404
    assert (await client.post(f"{stop}/again", data=form)).status_code == 303
    assert await following.is_on(follower.member_id, web)
    assert (await client.get(stop[:-1] + "_")).status_code == 404
    await client.post(stop)
    await move(client, connection, slug, "launched")
    await work(connection)
    assert sink.recipients == {proposer.email: 3, follower.email: 1}


async def test_a_closed_filiere_is_told_to_everybody_who_was_in_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection, sink: Sink
) -> None:
    """Also when its members have left by then, which is another job."""
    web = await people.filiere(connection, "web")
    silent, chose, paused = [await joins(connection, web, topic) for topic in ("", "news", "")]
    gone = await joins(connection, web)
    await connection.execute(
        "UPDATE membership SET joined_at = now() - interval '2 days', "
        "left_at = now() - interval '1 day' WHERE member_id = $1",
        gone.member_id,
    )
    await connection.execute(
        "INSERT INTO mail_pause VALUES ($1, current_date + 9)", paused.member_id
    )
    await move(client, connection, "web", "closed")
    payload = await connection.fetchval(
        "SELECT payload FROM pgqueuer WHERE entrypoint LIKE '%end_with_filiere'"
    )
    await memberships.end_with_filiere(msgspec.json.decode(payload, type=StageChanged))
    await work(connection, times=2)
    assert sink.recipients == {silent.email: 1, chose.email: 1, paused.email: 1}
    letter = sink.to(chose.email)
    assert "Votre place est libre" in letter.text
    assert "Vers closed." in letter.text
    assert letter.message["List-Unsubscribe"] is None


async def test_a_relay_that_is_away_is_asked_again(
    client: httpx.AsyncClient, connection: asyncpg.Connection, sink: Sink
) -> None:
    web = await people.filiere(connection, "web")
    told = await joins(connection, web, "news")
    await move(client, connection, "web", "dormant")
    sink.refuse[told.email] = "451 4.3.0 later"
    change = await connection.fetchval("SELECT id FROM stage_change")
    await stage_mails.note(StageChanged(web, *MOVE, change))
    due = StageMailDue(change, told.member_id)
    with pytest.raises(posting.RelayAway):
        await stage_mails.write(due)
    sink.refuse.clear()
    for _ in range(2):
        await stage_mails.write(due)
    assert sink.recipients == {told.email: 1}


async def test_the_worker_knows_who_listens() -> None:
    heard = jobs._heard_by[StageChanged]
    assert "directory.subscriptions.stage_mails.note" in heard


def test_a_long_address_to_stop_at_is_never_encoded(chosen: Settings) -> None:
    """RFC 2369 wants it as it is; encoded words are for texts."""
    stop = f"<https://annuaire.coop.example/m/{'x' * 200}/stop>"
    message = mail.Message(
        "a@b.example", "Éole", "a", "<p>a</p>", headers={"List-Unsubscribe": stop}
    )
    raw = mail.compose(message, chosen).as_bytes(policy=policy.SMTP)
    assert f"List-Unsubscribe: {stop}\r\n".encode() in raw
