"""Joining, choosing what to receive, and the proof of it."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from directory.accounts.actor import Actor
from directory.filieres import lifecycle
from directory.filieres.lifecycle import Stage, StageChanged
from directory.subscriptions import consent, ledger, memberships, wordings
from directory.subscriptions.consent import Choice
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.topics import Rhythm, Topic
from tests import people
from tests.people import Person
from tests.test_filieres import COORDINATOR

TRACE = Trace(Screen.FILIERE, "192.0.2.0/24")
REFUSAL = (
    "Vous êtes déjà dans 3 filières. Quittez-en une pour entrer ici\u00a0: "
    "Formation, Image et édition, Monde associatif."
)


@pytest.fixture(autouse=True)
async def _words(connection: asyncpg.Connection) -> None:
    await wordings.load(connection)


def actor(person: Person) -> Actor:
    return Actor(account_id=person.account_id, member_id=person.member_id)


async def three_filieres(connection: asyncpg.Connection, person: Person) -> None:
    for slug, name in (
        ("formation", "Formation"),
        ("image", "Image et édition"),
        ("asso", "Monde associatif"),
    ):
        filiere_id = await people.filiere(connection, slug, name)
        await connection.execute(
            "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
            filiere_id,
            person.member_id,
        )


async def shown(connection: asyncpg.Connection) -> str:
    rows = await connection.fetch("SELECT id FROM consent_wording WHERE language = 'fr' ORDER BY 1")
    return " ".join(str(row["id"]) for row in rows)


async def rows(connection: asyncpg.Connection) -> list[tuple[Any, ...]]:
    found = await connection.fetch(
        "SELECT topic::text, rhythm::text, act::text, screen FROM consent_ledger ORDER BY id"
    )
    return [tuple(row) for row in found]


async def test_loading_the_wordings_twice_changes_nothing(connection: asyncpg.Connection) -> None:
    before = await connection.fetch("SELECT * FROM consent_wording ORDER BY id")
    await wordings.load(connection)
    assert await connection.fetch("SELECT * FROM consent_wording ORDER BY id") == before
    assert len(before) == 15


async def test_a_wording_changed_without_a_new_version_is_refused(
    connection: asyncpg.Connection,
) -> None:
    await connection.execute("UPDATE consent_wording SET text = 'Autre' WHERE topic = 'legal'")
    with pytest.raises(wordings.WordingChanged, match="legal fr 1"):
        await wordings.load(connection)


async def test_a_member_joins_and_chooses_on_the_filieres_page(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    web = await people.filiere(connection, "web")
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    page = (await client.get("/filieres/web")).text
    assert "Rejoindre la filière" in page
    assert 'value="at_once" checked' not in page
    for words in ("tout de suite", "résumé du jour", "résumé du lundi"):
        assert words in page
    form = {"web.meetings": "at_once", "web.news": "", "wordings": await shown(connection)}
    answer = await client.post("/filieres/web/join", data=form)
    assert answer.status_code == 303
    page = (await client.get(answer.headers["location"])).text
    assert "Vous êtes dans la filière." in page
    assert 'name="web.meetings" value="at_once" checked' in page
    assert 'name="web.news" value="at_once" checked' not in page

    row = await connection.fetchrow(
        "SELECT l.*, w.version, w.text FROM consent_ledger l "
        "JOIN consent_wording w ON w.id = l.wording_id"
    )
    assert row is not None
    assert (row["member_id"], row["filiere_id"]) == (awa.member_id, web)
    assert (row["topic"], row["rhythm"], row["act"]) == ("meetings", "at_once", "given")
    assert (row["actor_id"], row["screen"]) == (awa.account_id, "filiere")
    assert row["network"] == "127.0.0.0/24"
    assert (row["version"], row["text"]) == (
        1, "Par mail, les réunions, visites et stands communs de la filière.",
    )  # fmt: skip
    assert await connection.fetchval("SELECT count(*) FROM consent_ledger") == 1
    assert await connection.fetchval("SELECT ledger_id FROM consent") == row["id"]
    assert await ledger.verify() == []


async def test_joining_subscribes_to_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    await people.sign_in(client, await people.member(connection))
    first = await client.put("/api/v1/filieres/web/membership")
    again = await client.put("/api/v1/filieres/web/membership")
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert await connection.fetchval("SELECT count(*) FROM membership") == 1
    assert await rows(connection) == []
    choices = (await client.get("/api/v1/me/consents")).json()
    assert {topic["rhythm"] for topic in choices["filieres"][0]["topics"]} == {None}
    assert choices["rhythms"] == ["at_once", "daily", "weekly"]
    assert choices["paused_until"] is None
    assert choices["is_address_confirmed"] is True


async def test_a_fourth_filiere_is_refused_with_what_could_be_left(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    await three_filieres(connection, awa)
    await people.filiere(connection, "web")
    await people.sign_in(client, awa)
    assert REFUSAL in (await client.get("/filieres/web")).text
    page = await client.post("/filieres/web/join", data={"web.news": ""})
    assert page.status_code == 409
    assert REFUSAL in page.text
    answer = await client.put("/api/v1/filieres/web/membership")
    assert answer.status_code == 409
    assert answer.json()["detail"] == REFUSAL
    assert answer.json()["type"] == "urn:filieres:problem:quota-reached"
    assert await connection.fetchval("SELECT count(*) FROM membership") == 3


@pytest.mark.usefixtures("app")
async def test_two_clicks_at_once_on_the_last_place_make_one_membership(
    connection: asyncpg.Connection, database: str
) -> None:
    awa = await people.member(connection)
    await three_filieres(connection, awa)
    await memberships.leave(actor(awa), "asso", TRACE)
    for slug in ("web", "culture", "soin", "code"):
        await people.filiere(connection, slug, slug)
    held = await asyncpg.connect(database)
    async with held.transaction():  # so that all four stand in line
        await held.execute("SELECT FROM member WHERE id = $1 FOR UPDATE", awa.member_id)
        clicks = [
            asyncio.create_task(memberships.join(actor(awa), slug, "fr", TRACE))
            for slug in ("web", "culture", "soin", "code")
        ]
        for _ in range(500):
            if await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 4:
                break
            await asyncio.sleep(0.01)
    answers = await asyncio.gather(*clicks, return_exceptions=True)
    await held.close()
    refused = [answer for answer in answers if isinstance(answer, memberships.QuotaReached)]
    assert len(refused) == 3
    active = "SELECT count(*) FROM membership WHERE left_at IS NULL"
    assert await connection.fetchval(active) == 3


async def test_the_swap_leaves_one_and_enters_the_other_in_one_step(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    await three_filieres(connection, awa)
    await people.filiere(connection, "web")
    await people.sign_in(client, awa)
    answer = await client.post("/filieres/web/join", data={"leaving": "image"})
    assert answer.status_code == 303
    slugs = [one.filiere.slug for one in await memberships.list_of(awa.member_id, "fr")]
    assert sorted(slugs) == ["asso", "formation", "web"]
    for leaving in ("image", "nowhere", "\0"):
        answer = await client.post("/filieres/web/join", data={"leaving": leaving})
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("stage", "openness", "reason"),
    [
        ("forming", "open", "n’est pas lancée"),
        ("closed", "open", "est fermée"),
        ("active", "approval", "avec l’accord"),
        ("active", "invitation", "sur invitation"),
    ],
)
async def test_a_filiere_that_is_not_open_says_why(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    stage: str,
    openness: str,
    reason: str,
) -> None:
    await people.filiere(connection, "web")
    await connection.execute(
        "UPDATE filiere SET stage = $1::filiere_stage, openness = $2::filiere_openness",
        stage,
        openness,
    )
    await people.sign_in(client, await people.member(connection))
    page = (await client.get("/filieres/web")).text
    assert reason in page
    assert "/filieres/web/join" not in page
    answer = await client.put("/api/v1/filieres/web/membership")
    assert answer.status_code == 409
    assert reason in answer.json()["detail"]


async def test_visitors_and_accounts_without_member_do_not_join(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    assert "Se connecter pour rejoindre" in (await client.get("/filieres/web")).text
    for method, path in (
        ("POST", "/filieres/web/join"),
        ("POST", "/filieres/web/leave"),
        ("POST", "/filieres/web/consents"),
        ("GET", "/preferences"),
        ("POST", "/preferences"),
        ("POST", "/preferences/stop-all"),
        ("POST", "/preferences/undo"),
        ("PUT", "/api/v1/filieres/web/membership"),
        ("DELETE", "/api/v1/filieres/web/membership"),
        ("GET", "/api/v1/me/consents"),
        ("GET", "/api/v1/me/consents/history"),
    ):
        data = {"undo": "x"} if method == "POST" else None
        answer = await client.request(method, path, data=data if "undo" in path else None)
        assert answer.status_code == 401, path
    staff = await people.member(connection)
    await connection.execute("DELETE FROM member")
    await people.grants(connection, staff, "coordinator")
    await people.sign_in(client, staff)
    assert (await client.get("/preferences")).status_code == 403
    assert (await client.put("/api/v1/filieres/web/membership")).status_code == 403
    assert (await client.get("/filieres/web")).status_code == 200


@pytest.mark.usefixtures("app")
async def test_leaving_a_filiere_ends_its_mails_through_the_ledger(
    connection: asyncpg.Connection,
) -> None:
    awa, choices = await member_with_two_choices(connection)
    await people.filiere(connection, "culture", "Spectacle")
    await memberships.join(actor(awa), "culture", "fr", TRACE)
    await consent.choose(actor(awa), [choice_of(choices[0], "culture")], TRACE)
    await memberships.leave(actor(awa), "web", TRACE)
    await memberships.leave(actor(awa), "web", TRACE)
    acts = [(topic, act) for topic, _, act, _ in await rows(connection)]
    assert acts == [
        ("news", "given"),
        ("meetings", "given"),
        ("news", "given"),
        ("news", "withdrawn"),
        ("meetings", "withdrawn"),
    ]
    assert await connection.fetchval("SELECT count(*) FROM consent") == 1
    assert await ledger.verify() == []


def choice_of(choice: Choice, slug: str) -> Choice:
    return Choice(slug, choice.topic, choice.rhythm, choice.wording_id)


async def member_with_two_choices(
    connection: asyncpg.Connection,
) -> tuple[Person, list[Choice]]:
    """Awa, in 'web', receives its news and meetings."""
    await people.filiere(connection, "web")
    awa = await people.member(connection, email="awa@lemaire.example")
    latest = await wordings.list_latest("fr")
    choices = [
        Choice("web", topic, Rhythm.AT_ONCE, latest[topic].id)
        for topic in (Topic.NEWS, Topic.MEETINGS)
    ]
    await memberships.join(actor(awa), "web", "fr", TRACE, choices=choices)
    return awa, choices


@pytest.mark.usefixtures("app")
async def test_joining_and_leaving_reach_the_search_index_and_a_refusal_does_not(
    connection: asyncpg.Connection,
) -> None:
    awa = await people.member(connection)
    await three_filieres(connection, awa)
    await people.filiere(connection, "web")

    async def marked() -> list[int]:
        found = await connection.fetch("DELETE FROM search_outbox RETURNING id")
        return [row["id"] for row in found]

    with pytest.raises(memberships.QuotaReached):
        await memberships.join(actor(awa), "web", "fr", TRACE)
    assert await marked() == []
    await memberships.leave(actor(awa), "image", TRACE)
    assert await marked() == [awa.member_id]
    await memberships.join(actor(awa), "web", "fr", TRACE)
    assert await marked() == [awa.member_id]
    await memberships.join(actor(awa), "web", "fr", TRACE)
    assert await marked() == []


@pytest.mark.usefixtures("app")
async def test_leaving_a_topic_leaves_nothing_else(connection: asyncpg.Connection) -> None:
    awa, choices = await member_with_two_choices(connection)
    await consent.choose(actor(awa), [Choice("web", Topic.NEWS, None)], TRACE)
    await consent.choose(actor(awa), [Choice("web", Topic.NEWS, None)], TRACE)
    assert len(await memberships.list_of(awa.member_id, "fr")) == 1
    assert [act for _, _, act, _ in await rows(connection)] == ["given", "given", "withdrawn"]
    await consent.choose(actor(awa), choices, TRACE)
    assert [act for _, _, act, _ in await rows(connection)][3:] == ["given"]


@pytest.mark.usefixtures("app")
async def test_a_closed_filiere_frees_its_members(connection: asyncpg.Connection) -> None:
    awa, _ = await member_with_two_choices(connection)
    await lifecycle.advance(COORDINATOR, "web", Stage.CLOSED, "Plus personne")
    waiting = [name for (name,) in await connection.fetch("SELECT entrypoint FROM pgqueuer")]
    assert any(name.endswith("end_with_filiere") for name in waiting)
    web = await connection.fetchval("SELECT id FROM filiere")
    for _ in range(2):
        await memberships.end_with_filiere(StageChanged(web, Stage.ACTIVE, Stage.CLOSED))
    assert await memberships.list_of(awa.member_id, "fr") == []
    assert (await rows(connection))[2:] == [
        ("news", None, "withdrawn", "closing"),
        ("meetings", None, "withdrawn", "closing"),
    ]
    assert await ledger.verify() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_ledger SET act = 'confirmed'",
        "UPDATE consent_ledger SET at = now() - interval '1 year'",
        "DELETE FROM consent_ledger",
        "TRUNCATE consent_ledger CASCADE",
    ],
)
@pytest.mark.usefixtures("app")
async def test_the_ledger_refuses_every_change(
    connection: asyncpg.Connection, statement: str
) -> None:
    await member_with_two_choices(connection)
    before = await connection.fetch("SELECT * FROM consent_ledger ORDER BY id")
    with pytest.raises(asyncpg.RestrictViolationError):
        await connection.execute(statement)
    assert await connection.fetch("SELECT * FROM consent_ledger ORDER BY id") == before


@pytest.mark.usefixtures("app")
async def test_todays_state_is_found_wrong_and_made_again_from_the_ledger(
    connection: asyncpg.Connection,
) -> None:
    awa, _ = await member_with_two_choices(connection)
    right = await connection.fetch("SELECT * FROM consent ORDER BY topic")
    await connection.execute("DELETE FROM consent WHERE topic = 'news'")
    await connection.execute("UPDATE consent SET rhythm = 'daily'")
    await connection.execute(
        "INSERT INTO consent SELECT member_id, filiere_id, 'calls', rhythm, ledger_id FROM consent"
    )
    found = {one.topic: (one.ledger, one.projection) for one in await ledger.verify()}
    assert found.keys() == {Topic.NEWS, Topic.MEETINGS, Topic.CALLS}
    assert found[Topic.NEWS][1] is None
    assert found[Topic.CALLS][0] is None
    await ledger.rebuild()
    assert await ledger.verify() == []
    assert await connection.fetch("SELECT * FROM consent ORDER BY topic") == right
    await connection.execute("DELETE FROM member WHERE id = $1", awa.member_id)
    assert await ledger.verify() == []


async def test_choices_by_the_api_are_checked_whole(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa, choices = await member_with_two_choices(connection)
    await people.sign_in(client, awa)
    before = await rows(connection)
    news = choices[0].wording_id
    good = {"filiere": "web", "topic": "calls", "rhythm": None}
    for wrong, status in (
        ({"filiere": "nowhere", "topic": "news", "rhythm": "at_once", "wording_id": 1}, 409),
        ({"filiere": "web", "topic": "legal", "rhythm": "hourly", "wording_id": 1}, 400),
        ({"filiere": "web", "topic": "legal", "rhythm": "at_once"}, 400),
        ({"filiere": "web", "topic": "legal", "rhythm": "at_once", "wording_id": news}, 400),
        ({"filiere": "web", "topic": "legal", "rhythm": "at_once", "wording_id": 2**63}, 400),
        ({"filiere": "web", "topic": "legal", "rhythm": "at_once", "wording_id": 2**62}, 400),
        ({"filiere": "web", "topic": "gossip", "rhythm": None}, 400),
        ({"filiere": "we\0b", "topic": "news", "rhythm": None}, 409),
    ):  # fmt: skip
        body = {"choices": [{**good, "topic": "news"}, wrong]}
        answer = await client.put("/api/v1/me/consents", json=body)
        assert answer.status_code == status, (wrong, answer.text)
        assert await rows(connection) == before
    assert (await client.put("/api/v1/me/consents", json={"choice": []})).status_code == 400

    legal = (await client.get("/api/v1/me/consents")).json()["filieres"][0]["topics"][3]
    right = {
        "filiere": "web", "topic": "legal", "rhythm": "at_once",
        "wording_id": legal["wording"]["id"],
    }  # fmt: skip
    answer = await client.put("/api/v1/me/consents", json={"choices": [right]})
    assert answer.json()["filieres"][0]["topics"][3]["rhythm"] == "at_once"
    history = (await client.get("/api/v1/me/consents/history?limit=1")).json()
    assert history["total"] == 3
    assert history["items"][0]["act"] == "given"
    assert history["items"][0]["screen"] == "api"
    assert history["items"][0]["wording"]["text"] == legal["wording"]["text"]
    assert len(history["items"][0]["wording"]["hash"]) == 64


@pytest.mark.parametrize(
    "form",
    [
        {"web.gossip": "at_once"},
        {"gossip": "1"},
        {"web.news": "sometimes"},
        {"web.news": "\0"},
        {"web.calls": "at_once"},
        {"web.calls": "at_once", "wordings": "1 2 x"},
        {"web.calls": "at_once", "wordings": "9" * 30},
        {"web.calls": "at_once", "wordings": "999999999"},
        {"web.calls": "hourly"},
    ],
)
async def test_a_mangled_form_changes_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, form: dict[str, str]
) -> None:
    awa, _ = await member_with_two_choices(connection)
    await people.sign_in(client, awa)
    before = await rows(connection)
    for path in ("/preferences", "/filieres/web/consents"):
        answer = await client.post(path, data={"web.news": "", **form})
        assert answer.status_code == 400, answer.text
    assert await rows(connection) == before


@pytest.mark.usefixtures("app")
async def test_the_wording_is_in_the_readers_language(connection: asyncpg.Connection) -> None:
    await connection.execute(
        "INSERT INTO consent_wording (topic, language, version, text, hash) "
        "VALUES ('news', 'nl', 2, 'Per mail, het nieuws.', '')"
    )
    await connection.execute("DELETE FROM consent_wording WHERE topic = 'calls' AND language='nl'")
    latest = await wordings.list_latest("nl")
    assert (latest[Topic.NEWS].version, latest[Topic.NEWS].text) == (2, "Per mail, het nieuws.")
    assert latest[Topic.CALLS].language == "fr"


@pytest.mark.usefixtures("app")
async def test_who_left_the_cooperative_leaves_its_filieres_a_day_later(
    connection: asyncpg.Connection,
) -> None:
    awa, _ = await member_with_two_choices(connection)
    await connection.execute("UPDATE member SET left_on = current_date, updated_at = now()")
    await memberships.end_departed()
    assert len(await memberships.list_of(awa.member_id, "fr")) == 1, "the file may be wrong"
    await connection.execute("UPDATE member SET updated_at = now() - interval '25 hours'")
    erasure_id = await connection.fetchval(
        "INSERT INTO erasure (member_id, reason, state) VALUES ($1, 'asked', 'confirmed') "
        "RETURNING id",
        awa.member_id,
    )
    await memberships.end_departed()
    assert len(await memberships.list_of(awa.member_id, "fr")) == 1, "they may change their mind"
    await connection.execute("UPDATE erasure SET state = 'undone' WHERE id = $1", erasure_id)
    for _ in range(2):
        await memberships.end_departed()
    assert await memberships.list_of(awa.member_id, "fr") == []
    assert (await rows(connection))[2:] == [
        ("news", None, "withdrawn", "departure"),
        ("meetings", None, "withdrawn", "departure"),
    ]
    assert await ledger.verify() == []
