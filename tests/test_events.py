"""Events: who lists them, who sees them, and what is refused."""

from datetime import UTC, datetime

import asyncpg
import httpx
import pytest

from directory import jobs
from directory.accounts import tokens
from directory.accounts.actor import VISITOR, Scope
from directory.events import listings
from tests import people, towns
from tests.towns import Town


@jobs.on(listings.EventListed)
async def hear_listed(_: listings.EventListed) -> None: ...


@jobs.on(listings.EventChanged)
async def hear_changed(_: listings.EventChanged) -> None: ...


@jobs.on(listings.EventCancelled)
async def hear_cancelled(_: listings.EventCancelled) -> None: ...


@pytest.fixture
async def town(connection: asyncpg.Connection) -> Town:
    return await towns.build(connection)


async def test_an_animator_lists_an_event_and_everybody_sees_it(
    client: httpx.AsyncClient, town: Town
) -> None:
    event = await towns.listed(
        client, town, description="Venez avec un devis.\n\nNous le relirons."
    )
    assert event["sequence"] == 0
    assert event["filieres"][0]["slug"] == "web"
    assert event["starts_at"].endswith("Z")
    page = await client.get(f"/events/{event['id']}")
    assert page.status_code == 200
    assert "de 18 h 30 à 21 h 30" in page.text.replace("\u202f", " ").replace("\xa0", " ")
    assert "heure de Bruxelles" in page.text
    assert "<p>Venez avec un devis.</p>" in page.text
    assert event["title"] in (await client.get("/events")).text
    assert event["title"] in (await client.get("/filieres/web")).text
    listing = (await client.get("/api/v1/events?filiere=web&kind=training")).json()
    assert [one["id"] for one in listing["items"]] == [event["id"]]
    assert (await client.get("/api/v1/events?kind=visit")).json()["total"] == 0


@pytest.mark.parametrize(
    ("audience", "sees"),
    [
        ("public", {"visitor", "member", "insider", "other_animator", "animator", "coordinator"}),
        ("members", {"member", "insider", "other_animator", "animator", "coordinator"}),
        ("filieres", {"insider", "animator", "coordinator"}),
    ],
)
async def test_each_audience_sees_its_events_and_counts_no_others(
    client: httpx.AsyncClient, town: Town, audience: str, sees: set[str]
) -> None:
    event = await towns.listed(client, town, audience=audience, title="Midi des devis")
    for who in ("visitor", "member", "insider", "other_animator", "animator", "coordinator"):
        client.cookies.clear()
        if who != "visitor":
            await people.sign_in(client, getattr(town, who))
        seen = who in sees
        path = f"/events/{event['id']}"
        wanted = 200 if seen else 404
        for address in (path, f"/api/v1{path}", f"{path}/event.ics"):
            assert (await client.get(address)).status_code == wanted, (who, address)
        listing = (await client.get("/api/v1/events?filiere=web")).json()
        assert (listing["total"], len(listing["items"])) == (int(seen), int(seen)), who
        for address in ("/events", "/events?filiere=web", "/events?kind=training", "/filieres/web"):
            assert ("Midi des devis" in (await client.get(address)).text) is seen, (who, address)
        agenda = (await client.get("/events")).text
        assert ("filiere=web" in agenda) is seen, who
        assert ("kind=training" in agenda) is seen, who
    feed = await client.get("/filieres/web/calendar.ics")  # the coordinator's session is on
    assert ("Midi des devis" in feed.text) is (audience == "public")


async def test_an_invisible_event_answers_like_one_that_does_not_exist(
    client: httpx.AsyncClient, town: Town
) -> None:
    event = await towns.listed(client, town, audience="members")
    hidden = await client.get(f"/api/v1/events/{event['id']}")
    missing = await client.get("/api/v1/events/987654321")
    assert hidden.status_code == 404
    assert hidden.content == missing.content
    for act in ("edit", "cancel"):
        assert (await client.get(f"/events/{event['id']}/{act}")).status_code == 404
        assert (await client.post(f"/events/{event['id']}/{act}")).status_code == 404
    for number in ("0", "-1", "9" * 30):
        for address in (
            f"/events/{number}",
            f"/events/{number}/event.ics",
            f"/events/{number}/edit",
        ):
            assert (await client.get(address)).status_code == 404, address


async def test_who_leaves_the_filiere_no_longer_sees_its_events(
    client: httpx.AsyncClient, town: Town, connection: asyncpg.Connection
) -> None:
    event = await towns.listed(client, town, audience="filieres")
    await connection.execute("UPDATE membership SET left_at = now()")
    await people.sign_in(client, town.insider)
    assert (await client.get(f"/events/{event['id']}")).status_code == 404


async def test_a_token_sees_and_lists_within_its_scopes(
    client: httpx.AsyncClient, town: Town
) -> None:
    event = await towns.listed(client, town, audience="members")
    path = f"/api/v1/events/{event['id']}"
    for scope, sees, lists in (
        (Scope.MEMBERS_READ, 200, 403),
        (Scope.EVENTS_WRITE, 200, 201),
        (Scope.PROFILE_WRITE, 404, 403),
    ):
        token = await tokens.create(town.animator.email, [scope])
        headers = {"Authorization": f"Bearer {token}"}
        assert (await client.get(path, headers=headers)).status_code == sees, scope
        answer = await client.post("/api/v1/events", json=towns.draft(), headers=headers)
        assert answer.status_code == lists, scope


async def test_an_animator_lists_nothing_in_another_filiere(
    client: httpx.AsyncClient, town: Town, connection: asyncpg.Connection
) -> None:
    event = await towns.listed(client, town)
    path = f"/api/v1/events/{event['id']}"
    client.cookies.clear()
    assert (await client.post("/api/v1/events", json=towns.draft())).status_code == 401
    assert (await client.put(path, json=towns.draft())).status_code == 401
    assert (await client.get("/events/new")).status_code == 401
    await people.sign_in(client, town.member)
    assert (await client.post("/api/v1/events", json=towns.draft())).status_code == 403
    assert (await client.get("/events/new?filiere=web")).status_code == 403
    assert (await client.get("/events/new")).status_code == 403
    await people.sign_in(client, town.other_animator)
    for filieres in (["web"], ["image", "web"]):
        answer = await client.post("/api/v1/events", json=towns.draft(filieres=filieres))
        assert answer.status_code == 403
    assert (await client.put(path, json=towns.draft(filieres=["image"]))).status_code == 403
    assert (await client.post(f"{path}/cancel")).status_code == 403
    assert (await client.post(f"/events/{event['id']}/cancel")).status_code == 403
    assert (await client.post("/events/new", data=towns.form())).status_code == 403
    await people.sign_in(client, town.animator)
    assert (await client.put(path, json=towns.draft(filieres=["web", "image"]))).status_code == 403
    assert await connection.fetchval("SELECT count(*) FROM event") == 1
    assert await connection.fetchval("SELECT sequence FROM event") == 0


async def test_a_coordinator_lists_an_event_of_two_filieres(
    client: httpx.AsyncClient, town: Town
) -> None:
    await people.sign_in(client, town.coordinator)
    page = await client.get("/events/new")
    assert 'value="web"' in page.text
    assert 'value="image"' in page.text
    answer = await client.post("/events/new", data=towns.form(filieres=["web", "image"]))
    assert answer.status_code == 303
    feeds = [await client.get(f"/filieres/{slug}/calendar.ics") for slug in ("web", "image")]
    assert [len(towns.parsed(feed).events) for feed in feeds] == [1, 1]


async def test_the_form_lists_an_event_and_says_so(client: httpx.AsyncClient, town: Town) -> None:
    await people.sign_in(client, town.animator)
    page = await client.get("/events/new?filiere=web")
    assert page.status_code == 200
    assert 'value="image"' not in page.text
    typed = towns.form(capacity="24", price="12,50", online_url="https://visio.example/salle")
    answer = await client.post("/events/new", data=typed)
    assert answer.status_code == 303, answer.text
    shown = await client.get(answer.headers["location"])
    assert "La date est dans l’agenda." in shown.text
    assert "12,50" in shown.text
    event = (await client.get("/api/v1/events")).json()["items"][0]
    assert (event["capacity"], event["price_cents"], event["is_online"]) == (24, 1250, True)
    prefilled = await client.get(f"/events/{event['id']}/edit")
    assert 'value="12,50"' in prefilled.text


async def test_a_form_with_errors_keeps_what_was_typed_and_says_each_beside_its_field(
    client: httpx.AsyncClient, town: Town, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, town.animator)
    typed = towns.form(
        title="", starts_on="2026-03-14", price="-1", location="Chez <b>Awa</b>",
        online_url="javascript:alert(1)", timezone="Europe/Nulle-Part", language="zz",
    )  # fmt: skip
    answer = await client.post("/events/new", data=typed)
    assert answer.status_code == 400
    assert 'id="price-error"' in answer.text
    assert "Chez &lt;b&gt;Awa&lt;/b&gt;" in answer.text
    answer = await client.post("/events/new", data={**typed, "price": "5"})
    assert answer.status_code == 400
    for field in ("title", "starts_at", "timezone", "online_url", "language"):
        assert f'id="{field}-error"' in answer.text, field
    assert "Le 14 mars 2026 est passé. Indiquez une date à venir, par exemple" in answer.text
    assert 'value="javascript:alert(1)"' in answer.text
    assert await connection.fetchval("SELECT count(*) FROM event") == 0


async def test_a_town_is_typed_in_the_form_and_a_doubtful_one_is_asked_again(
    client: httpx.AsyncClient, town: Town
) -> None:
    await people.sign_in(client, town.animator)
    for typed, reason in (
        ("Bruxelle", "Plusieurs communes répondent"), ("Zzzz", "Aucune commune ne répond"),
        ("\0" * 200, "Aucune commune"), ("é" * 10_000, "Aucune commune"),
    ):  # fmt: skip
        answer = await client.post("/events/new", data=towns.form(place=typed))
        assert answer.status_code == 400
        assert reason in answer.text, typed
    answer = await client.post("/events/new", data=towns.form(place="4000 liège"))
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"].partition("?")[0]
    assert (await client.get(f"/api/v1{path}")).json()["place"]["code"] == "be-4000-liege"
    form = await client.get(f"{path}/edit")
    assert 'value="4000 Liège"' in form.text
    assert (
        await client.post(f"{path}/edit", data=towns.form(place="4000 Liège"))
    ).status_code == 303


async def test_an_event_names_the_next_dates_of_its_filiere(
    client: httpx.AsyncClient, town: Town
) -> None:
    first = await towns.listed(client, town, title="La première")
    second = await towns.listed(client, town, title="La deuxième")
    assert "La deuxième" in (await client.get(f"/events/{first['id']}")).text
    assert "La première" not in (await client.get(f"/events/{second['id']}")).text


async def test_each_wrong_value_is_named_with_one_that_works(
    client: httpx.AsyncClient, town: Town
) -> None:
    day = str(towns.draft()["starts_at"])[:10]
    for field, value in (
        ("title", ""), ("title", "x" * 201), ("title", "a\0b"), ("description", "x" * 10_001),
        ("description", "\x1b"), ("location", "y" * 301), ("starts_at", "bientôt"),
        ("starts_at", "2027-02-30T10:00"), ("starts_at", "9999-12-31T23:59:59Z"),
        ("starts_at", "0001-01-01T00:00+14:00"), ("starts_at", "2020-01-01T10:00"),
        ("starts_at", "2099-01-01T10:00"), ("ends_at", f"{day}T18:30"), ("ends_at", ""),
        ("timezone", "Mars/Olympus"), ("timezone", "../etc/passwd"), ("capacity", 0),
        ("capacity", 10**12), ("capacity", "x"), ("price_cents", -1), ("price_cents", 2**40),
        ("online_url", "ftp://x.example"), ("online_url", "https://"), ("online_url", "http://["),
        ("online_url", "https://a b.example"), ("online_url", "https://x.example/\0"),
        ("language", "klingon"), ("filieres", []), ("filieres", ["nulle-part"]),
        ("filieres", ["web\0"]), ("filieres", ["x" * 5000]), ("place", "be-0000-nulle-part"),
        ("place", "\0"), ("kind", "party"), ("audience", "me"), ("accessibility", "z" * 1001),
    ):  # fmt: skip
        messages = await towns.refused(client, town, **{field: value})
        assert field in messages, (field, str(value)[:40], messages)
        assert len(messages[field]) < 400
    both = await towns.refused(client, town, location="", title="")
    assert set(both) == {"location", "title"}
    past = await towns.refused(
        client, town, starts_at="2026-03-14T18:30", ends_at="2026-03-14T19:30"
    )
    assert past["starts_at"].startswith("Le 14 mars 2026 est passé. Indiquez une date à venir")
    works = past["starts_at"].rpartition("exemple ")[2].rstrip(".")
    assert await towns.listed(client, town, starts_at=works, ends_at=f"{works[:10]} 21:30")


async def test_odd_text_is_kept_and_shown_escaped(client: httpx.AsyncClient, town: Town) -> None:
    title = "<script>alert(1)</script> 🎭 \u202bمرحبا"
    event = await towns.listed(client, town, title=title, description=f"{title}\n" + "é" * 9_000)
    path = f"/events/{event['id']}"
    assert event["title"] == title
    await people.sign_in(client, town.animator)
    for address in ("/events", path, "/filieres/web", f"{path}/edit", f"{path}/cancel"):
        page = await client.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text
    component = towns.parsed(await client.get(f"{path}/event.ics")).events[0]
    assert component["SUMMARY"] == title


@pytest.mark.parametrize(
    "query",
    [
        "filiere=nulle-part", "filiere=%00", "filiere=" + "x" * 101, "kind=party", "kind=",
        "from=hier", "to=2027-02-30", "from=%00", "from=2027-02-01&to=2027-01-01", "page=0",
        "limit=51", "page=x", "regionn=1",
    ],
)  # fmt: skip
async def test_a_wrong_filter_is_named(client: httpx.AsyncClient, town: Town, query: str) -> None:
    answer = await client.get(f"/api/v1/events?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] in {part.split("=")[0] for part in query.split("&")}
    assert (await client.get(f"/events?{query}")).status_code == 400


async def test_the_list_reads_days_and_pages(client: httpx.AsyncClient, town: Town) -> None:
    year = datetime.now(UTC).year + 1
    events = [
        await towns.listed(
            client, town, starts_at=f"{year}-{month}-10T23:30", ends_at=f"{year}-{month}-11T01:00"
        )
        for month in ("03", "05", "07")
    ]
    for query, wanted in (
        ("from=Y-05-11", [1, 2]), ("from=Y-05-12", [2]), ("to=Y-05-10", [0, 1]),
        ("to=Y-05-09", [0]), ("from=Y-04-01&to=Y-06-01", [1]), ("limit=2&page=2", [2]),
        ("limit=2&page=100000", []), ("from=0001-01-01&to=9999-12-31", [0, 1, 2]),
    ):  # fmt: skip
        listing = (await client.get(f"/api/v1/events?{query.replace('Y', str(year))}")).json()
        assert [one["id"] for one in listing["items"]] == [events[n]["id"] for n in wanted], query
    beyond = await client.get("/events?page=9")
    assert "Revenir à la première page" in beyond.text


async def test_an_empty_agenda_says_what_helps(client: httpx.AsyncClient, town: Town) -> None:
    page = await client.get("/events?filiere=web&kind=visit")
    assert "Aucune date à venir avec ces filtres." in page.text
    assert "/filieres/web/calendar.ics" in page.text


async def test_changes_raise_the_sequence_and_keep_the_uid(
    client: httpx.AsyncClient, town: Town
) -> None:
    event = await towns.listed(client, town)
    path = f"/api/v1/events/{event['id']}"
    await people.sign_in(client, town.animator)
    edited = (await client.put(path, json=towns.draft(title="Deuxième session", sequence=0))).json()
    assert (edited["sequence"], edited["uid"]) == (1, event["uid"])
    stale = await client.put(path, json=towns.draft(title="Écrasée", sequence=0))
    assert stale.status_code == 409
    answer = await client.post(f"/events/{event['id']}/cancel")
    assert answer.status_code == 303
    assert "Cette date est annulée." in (await client.get(answer.headers["location"])).text
    assert (await client.post(f"{path}/cancel")).status_code == 409
    assert (await client.put(path, json=towns.draft())).status_code == 409
    component = towns.parsed(await client.get("/filieres/web/calendar.ics")).events[0]
    assert component["UID"] == event["uid"]
    assert component["SEQUENCE"] == 2
    assert component["STATUS"] == "CANCELLED"
    assert component["SUMMARY"] == "Deuxième session"
    assert "Annulé." in (await client.get("/events")).text
    assert await listings.upcoming(VISITOR, town.web, 3, "fr") == []


async def test_two_editors_at_once_do_not_overwrite_each_other(
    client: httpx.AsyncClient, town: Town
) -> None:
    event = await towns.listed(client, town)
    await people.sign_in(client, town.animator)
    path = f"/events/{event['id']}/edit"
    first = await client.post(path, data=towns.form(title="La première", sequence="0"))
    second = await client.post(path, data=towns.form(title="La seconde", sequence="0"))
    assert (first.status_code, second.status_code) == (303, 409)
    assert "Quelqu’un a modifié cette date" in second.text
    shown = await client.get(f"/api/v1/events/{event['id']}")
    assert shown.json()["title"] == "La première"


async def test_what_happens_to_an_event_is_told(
    client: httpx.AsyncClient, town: Town, connection: asyncpg.Connection
) -> None:
    event = await towns.listed(client, town)
    await people.sign_in(client, town.animator)
    await client.put(f"/api/v1/events/{event['id']}", json=towns.draft(title="Autre"))
    await client.post(f"/api/v1/events/{event['id']}/cancel")
    rows = await connection.fetch(
        "SELECT entrypoint, payload FROM pgqueuer WHERE entrypoint LIKE '%.hear_%' ORDER BY id"
    )
    assert [row["entrypoint"].rpartition("_")[2] for row in rows] == [
        "listed", "changed", "cancelled",
    ]  # fmt: skip
    assert {row["payload"] for row in rows} == {b'{"event_id":%d}' % event["id"]}
