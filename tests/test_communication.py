"""The list of communication steps: what is said of a filière at each moment, ticked by its team."""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from directory.filieres import moments
from directory.filieres.lifecycle import Stage
from directory.filieres.moments import Moment
from directory.members import views
from tests import people
from tests.people import Person

PAGE, PATH = "/filieres/web/communication", "/api/v1/filieres/web/communication"


@pytest.fixture
async def animator(connection: asyncpg.Connection) -> Person:
    web = await people.filiere(connection, "web")
    person = await people.member(connection, "Clémence Wauters")
    await people.animates(connection, person, web)
    return person


async def steps(client: httpx.AsyncClient) -> dict[str, Any]:
    plan = (await client.get(PATH)).json()
    return {step["item"]: step for moment in plan["moments"] for step in moment["steps"]}


def test_each_moment_has_steps_inside_and_outside() -> None:
    for moment in Moment:
        found = [item for item in moments.ITEMS if item.moment is moment]
        assert len({item.audience for item in found}) == 2
        assert all(item.key.startswith(f"{moment.value}.") for item in found)
    assert len(moments.BY_KEY) == len(moments.ITEMS)
    assert moments.NOW.keys() == set(Stage)


async def test_a_step_of_a_very_long_number_is_not_there(
    client: httpx.AsyncClient, animator: Person
) -> None:
    await people.sign_in(client, animator)
    assert (await client.post(PAGE, data={"item": "9" * 6000})).status_code == 404


@pytest.mark.parametrize(
    ("stage", "first"),
    [("proposed", "before"), ("launched", "launch"), ("active", "events"), ("dormant", "decline")],
)
async def test_what_suits_the_stage_comes_first(
    client: httpx.AsyncClient,
    animator: Person,
    connection: asyncpg.Connection,
    stage: str,
    first: str,
) -> None:
    await connection.execute("UPDATE filiere SET stage = $1::filiere_stage", stage)
    await people.sign_in(client, animator)
    plan = (await client.get(PATH)).json()
    assert plan["moments"][0]["moment"] == first
    assert plan["moments"][0]["is_now"] is True
    assert len(plan["moments"]) == len(Moment)
    page = await client.get(PAGE)
    assert page.status_code == 200
    assert "en ce moment" in page.text


async def test_an_animator_ticks_a_step_and_unticks_it(
    client: httpx.AsyncClient, animator: Person
) -> None:
    await people.sign_in(client, animator)
    form = {"item": "launch.networks", "moment": "launch", "is_done": "yes"}
    answer = await client.post(PAGE, data=form)
    assert answer.headers["location"] == f"{PAGE}?done=noted&moment=launch#launch.networks"
    step = (await steps(client))["launch.networks"]
    assert step["done_on"] == views.today().isoformat()
    assert step["by"]["name"] == "Clémence Wauters"
    note = {"item": "launch.networks", "done_on": "2026-01-05", "note": "Par Hélène"}
    assert (await client.post(PAGE, data=note)).status_code == 303
    page = (await client.get(PAGE)).text
    assert "fait le 5 janvier 2026" in page
    assert "Par Hélène" in page
    assert (await client.post(PAGE, data=form | {"is_done": "no"})).status_code == 303
    step = (await steps(client))["launch.networks"]
    assert (step["done_on"], step["note"]) == (None, "Par Hélène")


async def test_what_a_program_does_not_name_stays(
    client: httpx.AsyncClient, animator: Person
) -> None:
    await people.sign_in(client, animator)
    changes = [
        {"item": "launch.press", "done_on": "2026-02-01", "note": "Le Soir"},
        {"item": "events.agenda", "done_on": "2026-02-02"},
    ]
    assert (await client.put(PATH, json={"steps": changes})).status_code == 200
    answer = await client.put(PATH, json={"steps": [{"item": "launch.press", "done_on": None}]})
    assert answer.status_code == 200
    found = await steps(client)
    assert (found["launch.press"]["done_on"], found["launch.press"]["note"]) == (None, "Le Soir")
    assert found["events.agenda"]["done_on"] == "2026-02-02"


async def test_a_step_of_ones_own_is_added_and_removed(
    client: httpx.AsyncClient, animator: Person
) -> None:
    await people.sign_in(client, animator)
    draft = {"moment": "events", "label": " Radio  locale ", "audience": "external"}
    added = await client.post(PATH, json=draft)
    assert added.status_code == 201
    number = added.json()["item"]
    assert (await steps(client))[number]["label"] == "Radio locale"
    change = {"item": number, "done_on": "2026-02-01"}
    assert (await client.put(PATH, json={"steps": [change]})).status_code == 200
    assert (await client.post(f"{PAGE}/{number}/remove")).status_code == 303
    assert number not in await steps(client)
    assert (await client.delete(f"{PATH}/{number}")).status_code == 404
    form = {"moment": "events", "label": "Affiche", "audience": "internal"}
    assert (await client.post(f"{PAGE}/add", data=form)).status_code == 303
    for _ in range(39):
        await client.post(PATH, json=draft)
    assert (await client.post(PATH, json=draft)).status_code == 409


async def test_what_cannot_be_noted_is_named_and_nothing_is_half_done(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, animator)
    tomorrow = (views.today() + timedelta(days=1)).isoformat()
    right = {"item": "launch.press", "done_on": "2026-02-01"}
    for wrong, status in (
        ({"item": "launch.press", "done_on": tomorrow}, 400),
        ({"item": "launch.press", "done_on": "1999-01-01"}, 400),
        ({"item": "launch.press", "done_on": "bientôt"}, 400),
        ({"item": "launch.press", "note": "x" * 501}, 400),
        ({"item": "launch.press", "note": "a\0b"}, 400),
        ({"item": "launch.balloon", "done_on": None}, 404),
        ({"item": "9" * 40, "done_on": None}, 404),
        ({"item": "٣", "done_on": None}, 404),
    ):
        answer = await client.put(PATH, json={"steps": [right, wrong]})
        assert answer.status_code == status, answer.text
    assert await connection.fetchval("SELECT count(*) FROM communication_step") == 0
    for form in ({"done_on": "31 juin"}, {"done_on": tomorrow}, {"note": "x" * 501}):
        answer = await client.post(PAGE, data={"item": "launch.press"} | form)
        assert answer.status_code == 400
        assert answer.text.count("<details open>") == 4  # of now, the step and its moment
        assert next(iter(form.values())) in answer.text
    answer = await client.post(f"{PAGE}/add", data={"moment": "events", "label": " "})
    assert answer.status_code == 400
    assert "Écrivez ce qui est à faire." in answer.text


async def test_a_step_of_another_filiere_is_out_of_reach(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    other = await people.filiere(connection, "image", "Image")
    number = await connection.fetchval(
        "INSERT INTO communication_step (filiere_id, moment, label, audience) "
        "VALUES ($1, 'events', 'Affiche', 'internal') RETURNING id",
        other,
    )
    await people.sign_in(client, animator)
    change = {"item": str(number), "done_on": None}
    assert (await client.put(PATH, json={"steps": [change]})).status_code == 404
    assert (await client.delete(f"{PATH}/{number}")).status_code == 404
    assert (await client.get("/api/v1/filieres/image/communication")).status_code == 403


async def test_members_do_not_see_the_list(
    client: httpx.AsyncClient, animator: Person, connection: asyncpg.Connection
) -> None:
    assert (await client.get(PATH)).status_code == 401
    await people.sign_in(client, await people.member(connection))
    assert (await client.get(PAGE)).status_code == 403
    assert "/filieres/web/communication" not in (await client.get("/filieres/web")).text
    await people.sign_in(client, animator)
    assert "/filieres/web/communication" in (await client.get("/filieres/web")).text


async def test_the_steps_are_said_in_the_readers_language(
    client: httpx.AsyncClient, animator: Person
) -> None:
    await people.sign_in(client, animator)
    client.cookies.set("language", "en")
    answer = await client.get(PATH)
    labels = [step["label"] for one in answer.json()["moments"] for step in one["steps"]]
    assert "Announce the launch on the cooperative’s social networks" in labels
