"""Members write to one another through the relay, over a real SMTP server."""

import asyncio
import html
import re
import signal
import sys
from collections.abc import AsyncIterator

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.members import contact, holdings
from directory.members.audiences import Audience, Field
from directory.members.contact import MessageQueued, MessageReported
from directory.members.posting import RelayAway
from directory.settings import Settings
from tests import people, profile_rows, smtp_sink
from tests.people import Person
from tests.smtp_sink import Sink

TEXT = "Bonjour Awa,\n\nlibre en mars ?\n.\nBcc: eve@evil.example"
PATIENCE = 30


@pytest.fixture
async def awa(connection: asyncpg.Connection) -> Person:
    return await people.member(connection, "Awa Lemaire", "awa@lemaire.example", language="nl")


@pytest.fixture
async def bo(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """The sender, signed in."""
    person = await people.member(connection, "Bo Peeters", "bo@peeters.example")
    await people.sign_in(client, person)
    return person


@pytest.fixture
async def sink(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


async def write(client: httpx.AsyncClient, to: Person, text: str = TEXT) -> httpx.Response:
    return await client.post(f"/api/v1/members/{to.member_id}/messages", json={"body": text})


async def written(client: httpx.AsyncClient, to: Person) -> int:
    answer = await write(client, to)
    assert answer.status_code == 202, answer.text
    assert "lemaire" not in answer.text
    number: int = answer.json()["id"]
    return number


async def state(connection: asyncpg.Connection, number: int) -> tuple[str, str]:
    row = await connection.fetchrow(
        "SELECT state::text, body FROM contact_message WHERE id = $1", number
    )
    return (row["state"], row["body"]) if row else ("", "")


def link(text: str, folder: str) -> str:
    found = re.search(rf"http://testserver.local(/{folder}/\S+)", text)
    assert found
    return found[1]


async def test_a_message_reaches_a_member_in_their_language_and_shows_only_the_senders_address(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, sink: Sink
) -> None:
    page = await client.get(f"/members/{awa.member_id}")
    assert f"/members/{awa.member_id}/message" in page.text
    form = await client.get(f"/members/{awa.member_id}/message")
    sent = await client.post(f"/members/{awa.member_id}/message", data={"body": TEXT})
    for answer in (page, form, sent):
        assert "awa@" not in answer.text
    assert sent.status_code == 303
    number = await connection.fetchval("SELECT id FROM contact_message")
    await contact.deliver(MessageQueued(number))
    mail = sink.to("awa@lemaire.example")
    assert mail.message["Reply-To"] == "bo@peeters.example"
    assert "annuaire@etabli.example" in mail.message["From"]
    assert "bo@" not in mail.message["From"]
    assert mail.message["Subject"] == "Bericht van Bo Peeters via L’Établi"
    assert "libre en mars ?" in mail.text
    assert mail.message["Bcc"] is None
    assert sink.recipients == {"awa@lemaire.example": 1}
    assert await state(connection, number) == ("sent", "")


def key_of(page: str) -> str:
    found = re.search('name="key" value="([^"]{16,})"', page)
    assert found
    return found[1]


async def test_a_form_that_is_sent_twice_is_one_message(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, sink: Sink
) -> None:
    path = f"/members/{awa.member_id}/message"
    form = {"body": TEXT, "key": key_of((await client.get(path)).text)}
    answers = await asyncio.gather(*(client.post(path, data=form) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {303}
    numbers = await connection.fetch("SELECT id FROM contact_message")
    assert len(numbers) == 1
    await contact.deliver(MessageQueued(numbers[0]["id"]))
    assert (await client.post(path, data=form)).status_code == 303  # reloaded once it is out
    assert await connection.fetchval("SELECT count(*) FROM contact_message") == 1
    count = "SELECT count(*) FROM audit_entry WHERE action = 'message.written'"
    assert await connection.fetchval(count) == 1
    again = {"body": TEXT, "key": key_of((await client.get(path)).text)}
    assert again["key"] != form["key"]
    for _ in range(2):
        assert (await client.post(path, data=again)).status_code == 303
    assert await connection.fetchval("SELECT count(*) FROM contact_message") == 2
    assert sink.recipients == {"awa@lemaire.example": 1}


async def test_another_text_in_a_form_that_was_sent_is_shown_again_and_not_lost(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person
) -> None:
    path = f"/members/{awa.member_id}/message"
    key = key_of((await client.get(path)).text)
    assert (await client.post(path, data={"body": "Un", "key": key})).status_code == 303
    answer = await client.post(path, data={"body": "Deux & <trois>", "key": key})
    assert answer.status_code == 409
    assert "Deux &amp; &lt;trois&gt;</textarea>" in answer.text
    assert "n’est pas parti" in answer.text
    fresh = key_of(answer.text)
    assert fresh != key
    assert (await client.post(path, data={"body": "Deux", "key": fresh})).status_code == 303
    assert await connection.fetchval("SELECT count(*) FROM contact_message") == 2


async def test_a_program_names_its_message_and_sends_it_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person
) -> None:
    path = f"/api/v1/members/{awa.member_id}/messages"

    async def send(key: str, text: str = "Bonjour") -> httpx.Response:
        return await client.post(path, json={"body": text}, headers={"Idempotency-Key": key})

    answers = await asyncio.gather(*(send('"8e03978e"') for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.text for answer in answers}) == 1
    other = await send('"8e03978e"', "Autre")
    assert other.status_code == 409
    assert other.json()["type"].endswith("key-used")
    assert (await send("x" * 201)).status_code == 400
    assert (await send("another")).json()["id"] != answers[0].json()["id"]
    zoe = await people.member(connection, "Zoé", "zoe@zoe.example")
    await people.sign_in(client, zoe)
    assert (await send('"8e03978e"')).json()["id"] != answers[0].json()["id"]
    assert await connection.fetchval("SELECT count(*) FROM contact_message") == 3


async def test_a_message_goes_out_once_however_often_its_job_runs(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, sink: Sink
) -> None:
    number = await written(client, awa)
    for _ in range(3):
        await contact.deliver(MessageQueued(number))
    assert sink.recipients == {"awa@lemaire.example": 1}


async def test_what_may_have_arrived_is_not_sent_again(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, sink: Sink
) -> None:
    sink.hang_up_on.add("awa@lemaire.example")
    number = await written(client, awa)
    for _ in range(2):
        await contact.deliver(MessageQueued(number))
    assert sink.recipients == {"awa@lemaire.example": 1}
    assert await state(connection, number) == ("in_doubt", "")


async def test_what_surely_did_not_go_out_is_tried_again(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, sink: Sink
) -> None:
    number = await written(client, awa)
    sink.refuse["awa@lemaire.example"] = "451 4.3.0 later"
    with pytest.raises(RelayAway) as away:
        await contact.deliver(MessageQueued(number))
    assert "lemaire" not in repr(away.value)
    sink.refuse.clear()
    await contact.deliver(MessageQueued(number))
    assert await state(connection, number) == ("sent", "")
    sink.refuse["awa@lemaire.example"] = "550 5.1.1 nobody"
    number = await written(client, awa)
    await contact.deliver(MessageQueued(number))
    assert await state(connection, number) == ("failed", "")
    assert sink.recipients == {"awa@lemaire.example": 1}
    # What became of it would tell the sender something of an address: their copy does not.
    (section,) = [one for one in holdings.SECTIONS if one.table == "contact_message"]
    own = await connection.fetch(section.sql, bo.account_id, bo.member_id)
    assert [(row["state"], row["is_own_act"]) for row in own] == [(None, True)] * 2
    theirs = await connection.fetch(section.sql, awa.account_id, awa.member_id)
    assert [row["state"] for row in theirs] == ["sent", "failed"]


async def test_a_killed_worker_doubles_no_message(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, sink: Sink,
    database: str,
) -> None:  # fmt: skip
    sink.pause = 30.0  # the mail is kept; the answer never comes
    number = await written(client, awa)

    async def worker() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.contact_worker", database, sink.url
        )

    first = await worker()
    await sink.wait_for(1)
    first.send_signal(signal.SIGKILL)
    await first.wait()
    assert (await state(connection, number))[0] == "sending"
    sink.pause = 0.0
    second = await worker()
    for _ in range(PATIENCE * 10):
        if (await state(connection, number))[0] == "in_doubt":
            break
        await asyncio.sleep(0.1)
    second.send_signal(signal.SIGTERM)
    await asyncio.wait_for(second.wait(), PATIENCE)
    assert await state(connection, number) == ("in_doubt", "")
    assert sink.recipients == {"awa@lemaire.example": 1}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE member SET takes_messages = false WHERE id = $1",
        (
            "UPDATE account SET email_confirmed_at = NULL WHERE id ="
            " (SELECT account_id FROM member WHERE id = $1)"
        ),
        (
            "INSERT INTO suppression (email, reason) SELECT a.email, 'hard_bounce' FROM account a"
            " JOIN member m ON m.account_id = a.id WHERE m.id = $1"
        ),
        (
            "INSERT INTO contact_refusal (member_id, sender_id)"
            " SELECT $1, id FROM account WHERE email = 'bo@peeters.example'"
        ),
        "UPDATE member SET left_on = current_date WHERE id = $1",
        """UPDATE member SET audiences = '{"display_name": "me"}' WHERE id = $1""",
        "DELETE FROM member WHERE id = $1",
    ],
)
async def test_all_that_closes_the_relay_looks_the_same(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, sink: Sink,
    change: str,
) -> None:  # fmt: skip
    late = await written(client, awa)
    await connection.execute(change, awa.member_id)
    answer = await write(client, awa)
    assert answer.status_code == 404
    assert answer.json() == {
        "type": "urn:filieres:problem:contact-closed",
        "title": "Ce message ne peut pas partir",
        "status": 404,
        "detail": "Cette personne ne reçoit pas de message par l’annuaire.",
    }
    page = await client.get(f"/members/{awa.member_id}")
    assert f"/members/{awa.member_id}/message" not in page.text
    for ask in (
        client.get(f"/members/{awa.member_id}/message"),
        client.post(f"/members/{awa.member_id}/message", data={"body": "Gardé"}),
    ):
        form = await ask
        assert form.status_code == 404
        assert 'name="body"' not in form.text
        assert "Cette personne ne reçoit pas de message" in form.text
        assert "Awa" not in form.text
    assert "Gardé</textarea>" in form.text
    await contact.deliver(MessageQueued(late))
    if "audiences" in change:  # hidden since: they were seen when it was written
        assert await state(connection, late) == ("sent", "")
    else:
        assert await state(connection, late) in {("dropped", ""), ("", "")}
        assert sink.mails == []


async def test_a_visitor_and_who_is_not_seen(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person
) -> None:
    await profile_rows.choose(connection, awa, {Field.DISPLAY_NAME: Audience.ME})
    answers, forms = [], []
    for number in (awa.member_id, bo.member_id, 10**17, 10**30):
        answer = await client.post(f"/api/v1/members/{number}/messages", json={"body": "x"})
        form = await client.post(f"/members/{number}/message", data={"body": "x"})
        answers.append((answer.status_code, answer.json()))
        forms.append((form.status_code, form.text.replace(f"/members/{number}/", "")))
    assert all(one == answers[0] for one in answers)
    assert all(one == forms[0] for one in forms)
    client.cookies.clear()
    for number in (awa.member_id, 10**17):
        assert (await client.get(f"/members/{number}/message")).status_code == 401
        answer = await client.post(f"/api/v1/members/{number}/messages", json={"body": "x"})
        assert answer.status_code == 401
    await profile_rows.choose(connection, awa, {Field.DISPLAY_NAME: Audience.PUBLIC})
    assert (await write(client, awa)).status_code == 401


@pytest.mark.parametrize("body", ["", " \n ", "x" * 3001, "a\0b", "a\x07b"])
async def test_a_text_that_cannot_be_sent_is_named(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, body: str
) -> None:
    answer = await write(client, awa, body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "body"
    page = await client.post(f"/members/{awa.member_id}/message", data={"body": body})
    assert page.status_code == 400
    assert 'aria-invalid="true"' in page.text
    assert await connection.fetchval("SELECT count(*) FROM contact_message") == 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Bo\r\nBcc: eve@evil.example", "Bo Bcc: eve@evil.example"),
        ("Bo\u2028X: y", "Bo X: y"),
        ("=?utf-8?q?=0d=0aBcc:_eve=40evil.example?=", "= ?utf-8?q?=0d=0aBcc:_eve=40evil.example?="),
        ("=?utf-8?b?RXZl?= Dubois", "= ?utf-8?b?RXZl?= Dubois"),
        ("é=?utf-8?q?Eve?=", "é= ?utf-8?q?Eve?="),
        ("=\u200b?utf-8?q?Eve?=", "= ?utf-8?q?Eve?="),
        ('"Bo" <eve@evil.example>, x', '"Bo" <eve@evil.example>, x'),
        ("<script>alert(1)</script> & 'co'", "<script>alert(1)</script> & 'co'"),
        ("ab\u202egnirts\x07", "ab gnirts"),
        ("نسرین\u200cپور", "نسرین\u200cپور"),
    ],
)
async def test_a_name_makes_no_header_and_is_read_as_it_is_written(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, sink: Sink,
    name: str, shown: str,
) -> None:  # fmt: skip
    await connection.execute(
        "UPDATE member SET display_name = $2 WHERE id = $1", bo.member_id, name
    )
    await contact.deliver(MessageQueued(await written(client, awa)))
    mail = sink.to("awa@lemaire.example")
    assert mail.message["Bcc"] is None
    assert mail.message["X"] is None
    heads = mail.raw.split(b"\r\n\r\n")[0]
    assert not re.search(rb"^(Bcc|X):", heads, re.MULTILINE)
    subject = " ".join(mail.message["Subject"].split())  # a folded line may add a space
    assert subject == f"Bericht van {shown} via L’Établi"
    assert mail.message["Reply-To"] == "bo@peeters.example"
    (sender,) = mail.message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("L’Établi", "annuaire@etabli.example")
    # A body decodes nothing: there the name stands as it is written.
    written_as = {f"{one} schrijft u" for one in (shown, shown.replace("= ?", "=?"))}
    for part in (mail.text, html.unescape(mail.html)):
        assert any(words in part for words in written_as)
    assert "<script" not in mail.html
    assert "<eve" not in mail.html


@pytest.mark.parametrize(
    "email", ["bo@p.example,eve@evil.example", "bo@p.example>", '"bo"@p.example']
)
async def test_an_address_that_is_no_single_one_sends_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, email: str
) -> None:
    await connection.execute("UPDATE account SET email = $2 WHERE id = $1", bo.account_id, email)
    assert (await write(client, awa)).status_code == 400


async def test_nobody_writes_without_end(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person
) -> None:
    codes = [(await write(client, awa)).status_code for _ in range(4)]
    assert codes == [202, 202, 202, 429]
    others = [await people.member(connection) for _ in range(8)]
    codes = [(await write(client, other)).status_code for other in others]
    assert codes == [202] * 7 + [429]
    page = await client.post(f"/members/{others[0].member_id}/message", data={"body": "Gardé"})
    assert page.status_code == 429
    assert "Gardé</textarea>" in page.text


async def test_a_sender_is_refused_from_the_mail_and_accepted_again(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, sink: Sink
) -> None:
    await contact.deliver(MessageQueued(await written(client, awa)))
    path = link(sink.to("awa@lemaire.example").text, "messages/refuse")
    client.cookies.clear()
    for method in ("GET", "HEAD"):
        assert (await client.request(method, path)).status_code == 200
    assert await connection.fetchval("SELECT count(*) FROM contact_refusal") == 0
    assert (await client.post(path)).status_code == 303
    assert await connection.fetchval("SELECT count(*) FROM contact_refusal") == 1
    assert "session" not in str(client.cookies)
    for wrong in (path.replace("refuse", "report"), f"{path}x", "/messages/refuse/1.aaaa"):
        assert (await client.post(wrong)).status_code == 404
    assert (await client.post(f"{path}/undo")).status_code == 303
    assert await connection.fetchval("SELECT count(*) FROM contact_refusal") == 0
    await client.post(path)
    # An answer quotes the mail: hours later its sender may hold the link.
    await connection.execute("UPDATE contact_refusal SET refused_at = now() - interval '1 hour'")
    assert (await client.post(f"{path}/undo")).status_code == 410
    assert await connection.fetchval("SELECT count(*) FROM contact_refusal") == 1
    await people.sign_in(client, awa)
    assert "Bo Peeters" in (await client.get("/me/contact")).text
    for number in ("-1", "9" * 30):
        odd = await client.post("/me/contact/accept", data={"account_id": number})
        assert odd.status_code == 303
    assert await connection.fetchval("SELECT count(*) FROM contact_refusal") == 1
    await client.post("/me/contact/accept", data={"account_id": bo.account_id})
    assert await connection.fetchval("SELECT count(*) FROM contact_refusal") == 0


async def test_a_report_reaches_the_coordination_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person, sink: Sink
) -> None:
    staff = await people.member(connection, "Cléo", "cleo@coop.example")
    await people.grants(connection, staff, "coordinator")
    number = await written(client, awa)
    await contact.deliver(MessageQueued(number))
    path = link(sink.to("awa@lemaire.example").text, "messages/report")
    assert (await client.get(path)).status_code == 200
    assert await connection.fetchval("SELECT reported_at FROM contact_message") is None
    for _ in range(2):
        assert (await client.post(path)).status_code == 303
    count = "SELECT count(*) FROM pgqueuer WHERE entrypoint LIKE '%tell_coordinators'"
    assert await connection.fetchval(count) == 1
    await contact.tell_coordinators(MessageReported(number))
    mail = sink.to("cleo@coop.example")
    assert "Bo Peeters" in mail.text
    assert "libre en mars" not in mail.text
    assert "awa@" not in mail.text


async def test_a_member_closes_the_relay_on_their_page(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await people.sign_in(client, awa)
    assert (await client.get("/me/contact")).status_code == 200
    await client.post("/me/contact", data={"takes_reminders": "1"})
    row = await connection.fetchrow(
        "SELECT takes_messages, takes_reminders FROM member WHERE id = $1", awa.member_id
    )
    assert tuple(row or ()) == (False, True)
    fields = await connection.fetchval(
        "SELECT fields FROM audit_entry WHERE action = 'profile.changed'"
    )
    assert fields == ["takes_messages"]


async def test_the_log_is_forgotten(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, bo: Person
) -> None:
    await written(client, awa)
    await connection.execute("UPDATE contact_message SET asked_at = now() - interval '8 days'")
    await contact.forget_old()
    assert await connection.fetchval("SELECT body || state FROM contact_message") == "failed"
    await connection.execute("UPDATE contact_message SET asked_at = now() - interval '181 days'")
    await contact.forget_old()
    assert await connection.fetchval("SELECT count(*) FROM contact_message") == 0
