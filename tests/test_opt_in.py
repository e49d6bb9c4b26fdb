"""Pausing, coming back, confirming an address: and what each link can, and cannot."""

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.settings import Settings
from directory.subscriptions import consent, ledger, links, pauses, wordings
from directory.subscriptions.consent import Choice
from directory.subscriptions.links import Stop
from directory.subscriptions.topics import Rhythm, Topic
from tests import job_runner, mailing_scene, people, smtp_sink
from tests.people import Person
from tests.smtp_sink import Sink
from tests.test_preferences import everything, web_id
from tests.test_subscriptions import TRACE, actor, member_with_two_choices, rows

LATER = pauses.today() + timedelta(days=30)
LINK = re.compile(r"http://testserver\.local(/\S+)")


@pytest.fixture(autouse=True)
async def _words(connection: asyncpg.Connection) -> None:
    await wordings.load(connection)


@pytest.fixture
async def sink(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """In 'web', whose news and meetings she receives."""
    return (await member_with_two_choices(connection))[0]


@pytest.fixture
def base(chosen: Settings, awa: Person) -> str:
    return links.preferences_path(chosen.secret, awa.member_id)


async def on_now(connection: asyncpg.Connection) -> dict[str, str]:
    found = await connection.fetch("SELECT topic::text, rhythm::text FROM consent")
    return {row["topic"]: row["rhythm"] for row in found}


def undo_of(page: str) -> str:
    found = re.findall(r'name="undo" value="([^"]+)"', page)
    assert len(found) == 1
    return str(found[0])


def link_in(sink: Sink, person: Person, folder: str) -> str:
    texts = [mail.text for mail in sink.mails if mail.recipient == person.email]
    found = [path for text in texts for path in LINK.findall(text) if path.startswith(folder)]
    assert found, texts
    return str(found[-1])


async def time_passes(connection: asyncpg.Connection, hours: int) -> None:
    await connection.execute("ALTER TABLE consent_ledger DISABLE TRIGGER USER")
    await connection.execute(
        "UPDATE consent_ledger SET at = at - make_interval(hours => $1)", hours
    )
    await connection.execute("ALTER TABLE consent_ledger ENABLE TRIGGER USER")
    await connection.execute(
        "UPDATE mail_pause SET paused_at = paused_at - make_interval(hours => $1)", hours
    )


# Rhythms


async def test_each_act_says_in_which_language_the_page_was(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, base: str
) -> None:
    await people.sign_in(client, awa)
    client.cookies.set("language", "nl")
    await client.post("/preferences", data={"web.news": ""})
    client.cookies.clear()
    await client.post(base, data={"web.meetings": ""}, headers={"accept-language": "en"})
    said = await connection.fetch("SELECT language FROM consent_ledger ORDER BY id")
    assert [row["language"] for row in said] == ["fr", "fr", "nl", "en"]


async def test_a_link_makes_mails_rarer_and_never_more_frequent(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, base: str
) -> None:
    answer = await client.post(base, data={"web.news": "weekly", "web.meetings": "daily"})
    page = (await client.get(answer.headers["location"])).text
    assert "vous recevrez moins de mails" in page
    assert await on_now(connection) == {"news": "weekly", "meetings": "daily"}
    agreed = await connection.fetch(
        "SELECT DISTINCT topic, wording_id FROM consent_ledger ORDER BY topic"
    )
    assert len(agreed) == 2, "the words agreed to are still the same"
    for more in ({"web.news": "daily"}, {"web.news": "at_once"}, {"web.calls": "weekly"}):
        assert (await client.post(base, data=more)).status_code == 403
    assert await on_now(connection) == {"news": "weekly", "meetings": "daily"}
    back = await client.post(f"{base}/undo", data={"undo": undo_of(page)})
    assert back.status_code == 303
    assert await on_now(connection) == {"news": "at_once", "meetings": "at_once"}
    assert [row[2] for row in await rows(connection)][2:] == ["changed"] * 4
    assert await ledger.verify() == []


async def test_one_filieres_mails_stop_and_being_in_it_goes_on(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, base: str
) -> None:
    other = await people.filiere(connection, "image", "Image")
    await mailing_scene.subscribes(connection, awa, other)
    assert "Arrêter tous les mails de Image" in (await client.get(base)).text
    for slug, status in (("image", 303), ("image", 303), ("nowhere", 409), ("w\0b", 409)):
        answer = await client.post(f"{base}/stop-filiere", data={"filiere": slug})
        assert answer.status_code == status
    assert await on_now(connection) == {"news": "at_once", "meetings": "at_once"}
    await people.sign_in(client, awa)
    answer = await client.post("/preferences/stop-filiere", data={"filiere": "web"})
    page = (await client.get(answer.headers["location"])).text
    assert await on_now(connection) == {}
    await client.post("/preferences/undo", data={"undo": undo_of(page)})
    assert await on_now(connection) == {"news": "at_once", "meetings": "at_once"}
    active = "SELECT count(*) FROM membership WHERE left_at IS NULL"
    assert await connection.fetchval(active) == 2


# Pause


async def test_a_member_pauses_and_resumes(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await people.sign_in(client, awa)
    before = await rows(connection)
    answer = await client.post("/preferences/pause", data={"until": LATER.isoformat()})
    page = (await client.get(answer.headers["location"])).text
    assert "Vous ne recevez rien avant le" in page
    assert "Reprendre maintenant" in page
    found = (await client.get("/api/v1/me/consents")).json()
    assert found["paused_until"] == LATER.isoformat()
    assert (await client.post("/preferences/resume")).status_code == 303
    assert await connection.fetchval("SELECT count(*) FROM mail_pause") == 0
    assert await rows(connection) == before, "the choices stay"
    actions = await connection.fetch("SELECT action FROM audit_entry WHERE action LIKE 'mails%'")
    assert [row["action"] for row in actions] == ["mails.paused", "mails.resumed"]


async def test_the_api_pauses_and_resumes(client: httpx.AsyncClient, awa: Person) -> None:
    await people.sign_in(client, awa)
    answer = await client.put("/api/v1/me/consents/pause", json={"until": LATER.isoformat()})
    assert answer.json()["paused_until"] == LATER.isoformat()
    for _ in range(2):
        assert (await client.delete("/api/v1/me/consents/pause")).status_code == 204
    assert (await client.get("/api/v1/me/consents")).json()["paused_until"] is None
    for wrong in (
        pauses.today(), pauses.today() - timedelta(days=1), pauses.today() + timedelta(days=400),
        date.max,
    ):  # fmt: skip
        body = {"until": wrong.isoformat()}
        answer = await client.put("/api/v1/me/consents/pause", json=body)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "until"


@pytest.mark.parametrize("text", ["", "x", "2026-02-30", "\0", "9999-12-31", "2020-01-01"])
async def test_an_odd_day_pauses_nothing_and_says_what_works(
    client: httpx.AsyncClient, connection: asyncpg.Connection, base: str, text: str
) -> None:
    answer = await client.post(f"{base}/pause", data={"until": text})
    assert answer.status_code == 400
    assert "Indiquez un jour" in answer.text
    assert await connection.fetchval("SELECT count(*) FROM mail_pause") == 0


async def test_a_link_pauses_takes_it_back_within_the_hour_and_never_shortens_one(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, base: str
) -> None:
    answer = await client.post(f"{base}/pause", data={"until": LATER.isoformat()})
    page = (await client.get(answer.headers["location"])).text
    assert "plus rien n’arrive avant ce jour-là" in page
    assert "Reprendre maintenant" not in page
    sooner = (LATER - timedelta(days=1)).isoformat()
    assert (await client.post(f"{base}/pause", data={"until": sooner})).status_code == 403
    longer = (LATER + timedelta(days=9)).isoformat()
    second = await client.post(f"{base}/pause", data={"until": longer})
    old, undo = undo_of(page), undo_of((await client.get(second.headers["location"])).text)
    assert (await client.post(f"{base}/pause/undo", data={"undo": old})).status_code == 410
    for _ in range(2):
        answer = await client.post(f"{base}/pause/undo", data={"undo": undo})
        assert answer.status_code == 303
    assert await connection.fetchval("SELECT until FROM mail_pause") == LATER
    await time_passes(connection, 2)
    assert (await client.post(f"{base}/pause/undo", data={"undo": undo})).status_code == 410


async def test_the_undo_of_a_pause_is_for_its_own_member(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, base: str
) -> None:
    answer = await client.post(f"{base}/pause", data={"until": LATER.isoformat()})
    undo = undo_of((await client.get(answer.headers["location"])).text)
    other = links.preferences_path(chosen.secret, (await people.member(connection)).member_id)
    assert (await client.post(f"{other}/pause/undo", data={"undo": undo})).status_code == 404
    assert (await client.post(f"{base}/undo", data={"undo": undo})).status_code == 404
    assert (await client.post(f"{base}/pause/undo", data={"undo": undo[:-1]})).status_code == 404


# Coming back


async def test_coming_back_goes_through_the_members_own_mailbox(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, base: str, sink: Sink
) -> None:
    await client.post(base, data={"web.news": "weekly"})
    await client.post(f"{base}/stop-all")
    await client.post(f"{base}/pause", data={"until": LATER.isoformat()})
    answer = await client.post(f"{base}/return")
    assert "un lien part vers votre adresse" in (await client.get(answer.headers["location"])).text
    await job_runner.run_all(connection)
    link = link_in(sink, awa, "/return/")
    before = await everything(connection)
    page = (await client.get(link)).text
    assert "Recevoir à nouveau vos mails" in page
    assert page.count("tout de suite") == 2
    assert "Votre pause" in page
    assert awa.email not in page
    assert await everything(connection) == before
    for _ in range(2):
        assert (await client.post(link)).status_code == 303
    assert "C’est revenu" in (await client.get(f"{link}?done=back")).text
    assert await on_now(connection) == {"news": "at_once", "meetings": "at_once"}
    assert await connection.fetchval("SELECT count(*) FROM mail_pause") == 0
    assert (await rows(connection))[-2:] == [
        ("news", "at_once", "given", "return"),
        ("meetings", "at_once", "given", "return"),
    ]
    assert await ledger.verify() == []


async def test_a_link_to_come_back_ends_and_is_bound_to_its_address(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person,
    base: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await client.post(f"{base}/stop-all")
    link = links.return_path(chosen.secret, awa.member_id, awa.email)
    await connection.execute("UPDATE account SET email = 'new@lemaire.example'")
    for method in ("GET", "POST"):
        assert (await client.request(method, link)).status_code == 404
    await connection.execute("UPDATE account SET email = $1", awa.email)
    monkeypatch.setattr(links, "RETURN_LIFETIME", timedelta(seconds=-1))
    late = links.return_path(chosen.secret, awa.member_id, awa.email)
    for method in ("GET", "POST"):
        assert (await client.request(method, late)).status_code == 410
    assert await on_now(connection) == {}


async def test_what_was_stopped_signed_in_or_by_leaving_does_not_come_back(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    await consent.choose(actor(awa), [Choice("web", Topic.NEWS, None)], TRACE)
    link = links.return_path(chosen.secret, awa.member_id, awa.email)
    assert "Rien à reprendre" in (await client.get(link)).text
    stop = await consent.stop(links.Holder(awa.member_id), TRACE)
    assert stop is not None
    await client.post(link)
    assert await on_now(connection) == {}


async def test_asking_for_a_link_answers_the_same_and_is_limited(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person,
    base: str, sink: Sink,
) -> None:  # fmt: skip
    nothing_to_do = await client.post(f"{base}/return")
    await job_runner.run_all(connection)
    assert sink.mails == []
    await client.post(f"{base}/stop-all")
    answers = [await client.post(f"{base}/return") for _ in range(6)]
    assert {answer.headers["location"] for answer in answers} == {nothing_to_do.headers["location"]}
    await job_runner.run_all(connection)
    assert len(sink.mails) == 3
    more = [(await client.post(f"{base}/return")).status_code for _ in range(20)]
    assert more[-1] == 429


# Double opt-in


async def test_no_mailing_goes_to_an_address_before_its_owner_confirms_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection, sink: Sink
) -> None:
    scene = await mailing_scene.build(client, connection)
    zoe = await people.member(connection, "Zoé")
    await connection.execute(
        "UPDATE account SET email_confirmed_at = NULL WHERE id = $1", zoe.account_id
    )
    await people.sign_in(client, zoe)
    latest = await wordings.list_latest("fr")
    form = {
        "metiers-du-web.trainings": "at_once",
        "wordings": str(latest[Topic.TRAININGS].id),
    }
    await client.post("/filieres/metiers-du-web/join", data=form)
    assert "n’est pas encore confirmée" in (await client.get("/preferences")).text
    assert (await client.get("/api/v1/me/consents")).json()["is_address_confirmed"] is False
    await job_runner.run_all(connection)
    link = link_in(sink, zoe, "/address/")

    async def send() -> None:
        await people.sign_in(client, scene.clemence)
        await scene.send(await scene.draft())
        await scene.work()

    await send()
    client.cookies.clear()
    for method in ("GET", "HEAD"):
        assert (await client.request(method, link)).status_code == 200
    await send()
    assert sink.recipients[zoe.email] == 1, "the mail that asks, and nothing else"
    client.cookies.clear()
    for _ in range(2):
        assert (await client.post(link)).status_code == 303
    assert "Votre adresse est confirmée" in (await client.get(link)).text
    await send()
    assert sink.recipients[zoe.email] == 2
    confirmed = await connection.fetchval(
        "SELECT count(*) FROM audit_entry WHERE action = 'address.confirmed'"
    )
    assert confirmed == 1


async def test_the_mail_that_asks_can_be_sent_again_a_few_times(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, sink: Sink
) -> None:
    await people.sign_in(client, awa)
    assert (await client.post("/api/v1/me/consents/address")).status_code == 202
    await job_runner.run_all(connection)
    assert sink.mails == [], "it is confirmed already"
    await connection.execute("UPDATE account SET email_confirmed_at = NULL")
    statuses = [(await client.post("/preferences/address")).status_code for _ in range(4)]
    assert statuses == [303, 303, 303, 429]
    assert (await client.post("/api/v1/me/consents/address")).status_code == 429
    await job_runner.run_all(connection)
    assert len(sink.mails) == 3


async def test_an_address_that_changed_is_not_confirmed_by_an_old_link(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    link = links.address_path(chosen.secret, awa.account_id, awa.email)
    await connection.execute(
        "UPDATE account SET email = 'new@lemaire.example', email_confirmed_at = NULL"
    )
    for method in ("GET", "POST"):
        assert (await client.request(method, link)).status_code == 404
    assert await connection.fetchval("SELECT email_confirmed_at FROM account") is None


# Each link for one purpose


async def test_no_link_opens_what_it_was_not_made_for(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person
) -> None:
    secret, web = chosen.secret, await web_id(connection)
    announced = await connection.fetchval(
        "INSERT INTO consent_notice (member_id) VALUES ($1) RETURNING announced_at", awa.member_id
    )
    made = {
        "/m/{}": links.preferences_path(secret, awa.member_id),
        "/m/{}/stop": links.unsubscribe_path(secret, awa.member_id, "news", [web]),
        "/m/{}/digest": links.digest_path(secret, awa.member_id, "weekly"),
        "/return/{}": links.return_path(secret, awa.member_id, awa.email),
        "/address/{}": links.address_path(secret, awa.account_id, awa.email),
        "/keep/{}": links.keep_path(secret, awa.member_id, announced),
    }
    tokens = {route: path.split("/")[2] for route, path in made.items()}
    tokens["undo"] = links.undo_token(secret, Stop(awa.member_id, 1, 2))
    pages = [*made, "/login/{}", "/erasure/{}", "/erasure/keep/{}", "/invitation/{}",
        "/fresh/{}", "/reminders/{}", "/messages/refuse/{}"]  # fmt: skip
    before = await everything(connection)
    for own, token in tokens.items():
        for route in pages:
            path = route.format(token)
            if route == own:
                assert (await client.get(path)).status_code == 200, path
                continue
            for method in ("GET", "POST"):
                answer = await client.request(method, path, data={"address": awa.email})
                is_login = route == "/login/{}"
                assert answer.status_code in ({200, 404, 410} if is_login else {404, 410}), path
                assert "set-cookie" not in answer.headers or is_login
    assert await everything(connection) == before
    for private in ("/account", "/account/data", "/preferences", "/api/v1/me/exports"):
        assert (await client.get(private)).status_code == 401


async def test_links_for_leaving_never_expire(
    client: httpx.AsyncClient, chosen: Settings, awa: Person, base: str
) -> None:
    assert links.preferences_path(chosen.secret, awa.member_id) == base
    token = base.removeprefix("/m/")
    assert token.split(".")[:-1] == [str(awa.member_id)], "no date in it"


ONE_CLICK = "List-Unsubscribe", "One-Click"
FROM_ELSEWHERE = {"origin": "https://mail.example", "sec-fetch-site": "cross-site"}


@pytest.mark.parametrize("headers", [{}, FROM_ELSEWHERE])
@pytest.mark.parametrize(
    "body", [{"data": dict([ONE_CLICK])}, {"files": {ONE_CLICK[0]: (None, ONE_CLICK[1])}}]
)
async def test_one_click_of_a_digest_stops_that_rhythm_alone(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person,
    body: dict[str, Any], headers: dict[str, str],
) -> None:  # fmt: skip
    await client.post(
        links.preferences_path(chosen.secret, awa.member_id), data={"web.news": "weekly"}
    )
    path = links.digest_path(chosen.secret, awa.member_id, Rhythm.WEEKLY.value)
    for _ in range(2):
        answer = await client.post(path, headers=headers, **body)
        assert (answer.status_code, answer.text) == (200, "")
        assert "set-cookie" not in answer.headers
    assert await on_now(connection) == {"meetings": "at_once"}
    row = await connection.fetchrow("SELECT * FROM consent_ledger ORDER BY id DESC LIMIT 1")
    assert row is not None
    assert (row["screen"], row["language"], row["actor_id"]) == ("one_click", "fr", None)
    page = (await client.get(path)).text
    assert "C’est déjà arrêté" in page
    assert "résumé du lundi" in page


@pytest.mark.parametrize("headers", [{}, FROM_ELSEWHERE])
async def test_one_click_of_a_mail_is_taken_from_anywhere(
    client: httpx.AsyncClient, connection: asyncpg.Connection, chosen: Settings, awa: Person,
    headers: dict[str, str],
) -> None:  # fmt: skip
    web = await web_id(connection)
    path = links.unsubscribe_path(chosen.secret, awa.member_id, "news", [web])
    answer = await client.post(path, data=dict([ONE_CLICK]), headers=headers)
    assert (answer.status_code, answer.text) == (200, "")
    assert await on_now(connection) == {"meetings": "at_once"}
