"""The method sheet: written from a template, kept in versions, accepted by who joins."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from tests import people
from tests.people import Person

PARTS = (
    "objectives", "cooperative_role", "member_role", "means", "openness", "event_kinds", "rhythm",
)  # fmt: skip
TEXTS = {part: f"Partie {part}." for part in PARTS}
PATH = "/api/v1/filieres/web/method"


@pytest.fixture
async def web(connection: asyncpg.Connection) -> int:
    return await people.filiere(connection, "web")


@pytest.fixture
async def animator(connection: asyncpg.Connection, web: int) -> Person:
    person = await people.member(connection, "Clémence Wauters")
    await people.animates(connection, person, web)
    return person


def body(version: int, **parts: str) -> dict[str, Any]:
    return {"version": version, "change": f"Vers {version + 1}", "fr": TEXTS | parts}


async def write(client: httpx.AsyncClient, animator: Person, version: int, **parts: str) -> None:
    await people.sign_in(client, animator)
    answer = await client.put(PATH, json=body(version, **parts))
    assert answer.status_code == 200, answer.text
    assert answer.json()["version"] == version + 1


async def join(client: httpx.AsyncClient, **query: int) -> httpx.Response:
    return await client.put("/api/v1/filieres/web/membership", params=query)


async def test_versions_have_an_end_each_day_as_none_goes_away(
    client: httpx.AsyncClient, animator: Person
) -> None:
    for version in range(20):
        await write(client, animator, version, means=f"Moyens {version}.")
    answer = await client.put(PATH, json=body(20, means="Encore."))
    assert answer.status_code == 429
    form = {"version": "20", "change": "Encore", "fr.means": "Encore."}
    form |= {f"fr.{part}": "Texte." for part in PARTS if part != "means"}
    page = await client.post("/filieres/web/method/edit", data=form)
    assert page.status_code == 429
    assert "Encore.</textarea>" in page.text
    assert len((await client.get(f"{PATH}/versions")).json()) == 20


async def test_a_version_that_is_a_very_long_number_is_refused(
    client: httpx.AsyncClient, animator: Person
) -> None:
    await people.sign_in(client, animator)
    answer = await client.post("/filieres/web/method/edit", data={"version": "9" * 5000})
    assert answer.status_code == 400


async def test_a_filiere_without_a_sheet_says_so(
    client: httpx.AsyncClient, animator: Person
) -> None:
    assert (await client.get(PATH)).status_code == 404
    assert (await client.get(f"{PATH}/versions")).json() == []
    page = await client.get("/filieres/web/method")
    assert page.status_code == 200
    assert "n’a pas encore de fiche de méthode" in page.text
    assert "Écrire la fiche" not in page.text
    await people.sign_in(client, animator)
    assert "Écrire la fiche" in (await client.get("/filieres/web/method")).text


async def test_an_animator_starts_from_the_template_and_publishes_it(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, animator)
    page = (await client.get("/filieres/web/method/edit")).text
    assert "Se connaître entre personnes du même métier" in page
    assert "Mensen met hetzelfde beroep" in page
    form = {"version": "0"} | {f"fr.{part}": f"Texte {part}" for part in PARTS}
    form["nl.means"] = "Een zaal."
    answer = await client.post("/filieres/web/method/edit", data=form)
    assert answer.status_code == 303, answer.text
    assert "nouvelle version est publiée" in (await client.get(answer.headers["location"])).text
    client.cookies.clear()
    dutch = await client.get("/filieres/web/method", headers={"accept-language": "nl"})
    assert "Een zaal." in dutch.text
    assert "Texte rhythm" in dutch.text
    assert "Clémence Wauters" not in dutch.text  # not for visitors
    assert "Texte objectives" in (await client.get("/filieres/web")).text
    rows = await connection.fetch("SELECT version, change, author_id FROM method_sheet")
    assert tuple(rows[0]) == (1, "Première version", animator.account_id)


async def test_what_is_missing_is_named_and_what_was_typed_stays(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, animator)
    form = {f"fr.{part}": f"Texte {part}" for part in PARTS}
    form |= {"version": "0", "fr.means": " ", "nl.rhythm": "x" * 2001}
    answer = await client.post("/filieres/web/method/edit", data=form)
    assert answer.status_code == 400
    assert "2 valeurs ne conviennent pas" in answer.text
    assert "Écrivez cette partie" in answer.text
    assert "Texte objectives" in answer.text
    for wrong in (
        body(0) | {"fr": TEXTS | {"means": ""}},
        body(0) | {"fr": TEXTS | {"means": "a\u202eb"}},
        body(0) | {"fr": TEXTS | {"means": "a\0b"}},
        body(0) | {"fr": TEXTS | {"colour": "x"}},
        body(0) | {"change": "x" * 201},
        body(-1),
        body(2**40),
        {"version": 0},
    ):
        answer = await client.put(PATH, json=wrong)
        assert answer.status_code == 400, answer.text
    assert await connection.fetchval("SELECT count(*) FROM method_sheet") == 0


async def test_only_who_tends_the_filiere_writes_its_sheet(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    assert (await client.put(PATH, json=body(0))).status_code == 401
    await people.sign_in(client, await people.member(connection))
    assert (await client.put(PATH, json=body(0))).status_code == 403
    assert (await client.get("/filieres/web/method/edit")).status_code == 403
    coordinator = await people.member(connection)
    await people.grants(connection, coordinator, "coordinator")
    await write(client, coordinator, 0)
    await connection.execute("UPDATE filiere SET stage = 'closed'")
    answer = await client.put(PATH, json=body(1, means="Neuf."))
    assert answer.status_code == 409
    assert (await client.put("/api/v1/filieres/none/method", json=body(0))).status_code == 404


async def test_of_two_who_write_at_once_one_is_told(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await write(client, animator, 0)
    both = [client.put(PATH, json=body(1, means=f"Moyens {n}.")) for n in range(6)]
    answers = await asyncio.gather(*both)
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    refused = next(answer for answer in answers if answer.status_code == 409).json()
    assert refused["type"] == "urn:filieres:problem:method-changed"
    assert "version 2" in refused["detail"]
    form = {"version": "1", "change": "Les moyens"} | {f"fr.{part}": "À moi" for part in PARTS}
    answer = await client.post("/filieres/web/method/edit", data=form)
    assert answer.status_code == 409
    assert "a publié la version 2 pendant" in answer.text
    assert "À moi" in answer.text
    assert 'name="version" value="2"' in answer.text
    assert await connection.fetchval("SELECT max(version) FROM method_sheet") == 2


async def test_the_same_texts_make_no_version(client: httpx.AsyncClient, animator: Person) -> None:
    await write(client, animator, 0)
    answer = await client.put(PATH, json=body(1, means="  Partie means.\r\n"))
    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    lacking = body(1, means="Autre.") | {"change": " "}
    answer = await client.put(PATH, json=lacking)
    assert answer.json()["errors"][0]["field"] == "change"


async def test_the_page_says_so_when_nothing_was_published(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, animator)
    form = {f"fr.{part}": f"Texte {part}" for part in PARTS}
    await client.post("/filieres/web/method/edit", data=form | {"version": "0"})
    answer = await client.post("/filieres/web/method/edit", data=form | {"version": "1"})
    told = (await client.get(answer.headers["location"])).text
    assert "aucune version n’est publiée" in told
    assert "nouvelle version est publiée" not in told
    assert await connection.fetchval("SELECT max(version) FROM method_sheet") == 1


async def test_versions_are_kept_and_compared(client: httpx.AsyncClient, animator: Person) -> None:
    await write(client, animator, 0, means="Deux salles par an. Une lettre.")
    await write(client, animator, 1, means="Trois salles par an. Une lettre.")
    await write(client, animator, 2, rhythm="<b>Chaque mois</b>.")
    client.cookies.clear()
    assert [one["version"] for one in (await client.get(f"{PATH}/versions")).json()] == [3, 2, 1]
    first = (await client.get(PATH, params={"version": 1})).json()
    assert first["texts"]["means"] == "Deux salles par an. Une lettre."
    assert first["current_version"] == 3
    assert first["author"]["name"] is None  # not for visitors
    changes = (await client.get(f"{PATH}/changes", params={"from": 1, "to": 2})).json()
    assert [part["part"] for part in changes["parts"]] == ["means"]
    assert changes["parts"][0]["pieces"] == [
        {"change": "removed", "text": "Deux"},
        {"change": "added", "text": "Trois"},
        {"change": "same", "text": " salles par an. Une lettre."},
    ]
    page = (await client.get("/filieres/web/method/changes?from=1&to=3")).text
    assert "<del>" in page
    assert "[retiré] " in page
    assert "&lt;b&gt;Chaque mois" in page
    assert "<b>Chaque mois" not in page
    latest = (await client.get(f"{PATH}/changes")).json()
    assert (latest["before"]["version"], latest["after"]["version"]) == (2, 3)
    same = (await client.get(f"{PATH}/changes", params={"from": 2, "to": 2})).json()
    assert same["parts"] == []
    assert "disent la même chose" in (
        await client.get("/filieres/web/method/changes?from=2&to=2")
    ).text  # fmt: skip
    old = (await client.get("/filieres/web/method?version=1")).text
    assert "n’est plus la bonne" in old


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("version=9", 404), ("version=0", 400), ("version=x", 400), ("version=99999999999", 400),
        ("versoin=1", 400),
    ],
)  # fmt: skip
async def test_a_version_that_is_not_there_is_not_found(
    client: httpx.AsyncClient, animator: Person, query: str, status: int
) -> None:
    await write(client, animator, 0)
    for path in (PATH, "/filieres/web/method"):
        assert (await client.get(f"{path}?{query}")).status_code == status
    for path in (f"{PATH}/changes", "/filieres/web/method/changes"):
        assert (await client.get(path)).status_code == 404
        assert (await client.get(f"{path}?from=1&to=9")).status_code == 404
        assert (await client.get(f"{path}?from=0")).status_code == 400


async def test_a_version_cannot_be_changed_nor_deleted(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await write(client, animator, 0)
    for statement in (
        "UPDATE method_sheet SET change = 'x'",
        "UPDATE method_sheet SET change = 'x', author_id = NULL",
        "UPDATE method_sheet SET author_id = NULL",  # while there is one
        "DELETE FROM method_sheet",
        "TRUNCATE method_sheet CASCADE",
    ):
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(statement)
    await connection.execute("DELETE FROM account WHERE id = $1", animator.account_id)
    assert await connection.fetchval("SELECT author_id FROM method_sheet") is None


async def test_joining_accepts_the_current_version(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await write(client, animator, 0)
    await write(client, animator, 1, means="Neuf.")
    person = await people.member(connection)
    await people.sign_in(client, person)
    lacking = await join(client)
    assert lacking.status_code == 400
    assert lacking.json()["errors"][0]["field"] == "method_version"
    assert "version 2" in lacking.json()["detail"]
    old = await join(client, method_version=1)
    assert old.status_code == 409
    assert "version 2" in old.json()["detail"]
    assert await connection.fetchval("SELECT count(*) FROM membership") == 0
    assert (await join(client, method_version=2)).status_code == 200
    assert (await join(client)).status_code == 200  # already in
    rows = await connection.fetch("SELECT member_id, version, through FROM method_acceptance")
    assert tuple(rows[0]) == (person.member_id, 2, "joining")


async def test_the_form_to_join_has_the_box(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    assert "J’accepte" not in (await client.get("/filieres/web")).text
    await write(client, animator, 0)
    await people.sign_in(client, await people.member(connection))
    page = (await client.get("/filieres/web")).text
    assert 'J’accepte la <a href="/filieres/web/method">fiche de méthode</a>, version 1 du' in page
    assert 'name="method_version" value="1" required' in page
    refused = await client.post("/filieres/web/join", data={})
    assert refused.status_code == 400
    assert "version 1" in refused.text
    for wrong in ("x", "1" * 30, "-1", "²"):
        answer = await client.post("/filieres/web/join", data={"method_version": wrong})
        assert answer.status_code == 400
    answer = await client.post("/filieres/web/join", data={"method_version": "1"})
    assert answer.status_code == 303
    assert await connection.fetchval("SELECT count(*) FROM membership") == 1


async def test_asking_to_join_accepts_it_too(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await connection.execute("UPDATE filiere SET openness = 'approval'")
    await write(client, animator, 0)
    person = await people.member(connection)
    await people.sign_in(client, person)
    assert "J’accepte la" in (await client.get("/filieres/web")).text
    path = "/api/v1/filieres/web/request"
    lacking = await client.put(path, json={})
    assert lacking.status_code == 400
    assert lacking.json()["errors"][0]["field"] == "method_version"
    assert (await client.put(path, json={"method_version": 2})).status_code == 409
    assert await connection.fetchval("SELECT count(*) FROM membership_request") == 0
    answer = await client.post("/filieres/web/request", data={"method_version": "1"})
    assert answer.status_code == 303, answer.text
    accepted = await connection.fetchval("SELECT member_id FROM method_acceptance")
    assert accepted == person.member_id


async def test_a_new_version_is_shown_at_the_next_visit_and_takes_nothing_away(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await write(client, animator, 0)
    person = await people.member(connection)
    await people.sign_in(client, person)
    await join(client, method_version=1)
    assert "a changé" not in (await client.get("/filieres/web")).text
    await write(client, animator, 1, means="Neuf.")
    await people.sign_in(client, person)
    for path in ("/filieres/web", "/filieres/web/method"):
        page = (await client.get(path)).text
        assert "La fiche de méthode a changé." in page
        assert "/filieres/web/method/changes?from=1&amp;to=2" in page
    assert await connection.fetchval("SELECT left_at IS NULL FROM membership") is True
    assert "a une version 2." in (await client.get("/")).text
    assert "a une version 2." not in (await client.get("/", headers={"hx-request": "true"})).text
    stale = await client.post("/filieres/web/method/accept", data={"version": "1"})
    assert stale.status_code == 409
    answer = await client.post("/filieres/web/method/accept", data={"version": "2"})
    assert answer.status_code == 303
    assert "La fiche de méthode a changé." not in (await client.get("/filieres/web")).text
    assert "a une version 2." not in (await client.get("/")).text
    again = await client.post(f"{PATH}/acceptance", json={"version": 2})
    assert again.status_code == 204
    rows = await connection.fetch("SELECT version, through FROM method_acceptance ORDER BY version")
    assert [tuple(row) for row in rows] == [(1, "joining"), (2, "page")]
    told = await connection.fetchval(
        "SELECT count(*) FROM audit_entry WHERE action = 'method.accepted' AND member_id = $1",
        person.member_id,
    )
    assert told == 1


async def test_a_member_from_before_the_first_sheet_is_asked(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    person = await people.member(connection)
    await people.sign_in(client, person)
    await join(client)
    await write(client, animator, 0)
    await people.sign_in(client, person)
    assert "Vous ne l’avez pas encore acceptée" in (await client.get("/filieres/web")).text


async def test_who_is_not_in_the_filiere_accepts_nothing(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    assert (await client.post(f"{PATH}/acceptance", json={"version": 1})).status_code == 401
    await people.sign_in(client, await people.member(connection))
    assert (await client.post(f"{PATH}/acceptance", json={"version": 1})).status_code == 404
    await write(client, animator, 0)
    await people.sign_in(client, await people.member(connection))
    assert (await client.post(f"{PATH}/acceptance", json={"version": 1})).status_code == 409
    assert await connection.fetchval("SELECT count(*) FROM method_acceptance") == 0


async def test_who_tends_the_filiere_reads_how_many_accepted(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    person = await people.member(connection)
    await people.sign_in(client, person)
    await join(client)
    await write(client, animator, 0)
    await join(client, method_version=1)
    figures = (await client.get(f"{PATH}/acceptance")).json()
    assert figures == {"version": 1, "accepted": 1, "members": 2}
    assert "1 membre sur 2 a accepté la version 1." in (
        await client.get("/filieres/web/method")
    ).text  # fmt: skip
    await people.sign_in(client, person)
    assert (await client.get(f"{PATH}/acceptance")).status_code == 403
    assert "membre sur 2" not in (await client.get("/filieres/web/method")).text


async def test_a_version_that_comes_while_somebody_joins_is_not_missed(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await write(client, animator, 0)
    await people.sign_in(client, await people.member(connection))
    writer = httpx.AsyncClient(transport=client._transport, base_url=client.base_url)
    await people.sign_in(writer, animator)
    joined, written = await asyncio.gather(
        join(client, method_version=1), writer.put(PATH, json=body(1, means="Neuf."))
    )
    assert written.status_code == 200
    accepted = await connection.fetch(
        "SELECT a.accepted_at <= s.at AS came_first FROM method_acceptance a, method_sheet s "
        "WHERE s.version = 2"
    )
    assert joined.status_code in {200, 409}
    assert len(accepted) == (joined.status_code == 200)
    await writer.aclose()
