"""A mandate changes hands when both said yes; a member proposes themselves."""

import asyncio
from datetime import timedelta

import asyncpg
import httpx
import pytest

from directory import errors
from directory.filieres import answers, lifecycle, offers
from directory.filieres.lifecycle import Stage
from directory.filieres.offers import OfferSettled
from directory.members import views
from tests import people
from tests.mandate_scene import (
    Scene,
    actor,
    answer,
    ask,
    mandate_of,
    mandates,
    scene,
    sink,
    work,
)
from tests.smtp_sink import Sink

__all__ = ["scene", "sink"]


async def roles(client: httpx.AsyncClient) -> list[str]:
    found: list[str] = (await client.get("/api/v1/me")).json()["roles"]
    return found


async def test_a_hand_over_ends_one_mandate_as_the_other_begins(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    asked = await ask(
        client, scene.awa, scene.noe, from_member=scene.awa.member_id, message="À toi"
    )
    assert asked.status_code == 201, asked.text
    offer = asked.json()
    assert (offer["kind"], offer["state"], offer["to"]["name"]) == (
        "hand_over", "open", "Noé Lambrecht",
    )  # fmt: skip
    await work(connection)
    mail = sink.to("noe@test.example")
    assert mail.message["Subject"] == "On vous propose d’animer la filière Métiers du web"
    assert "http://testserver.local/mandates" in mail.text
    assert "List-Unsubscribe" not in mail.message

    await people.sign_in(client, scene.noe)
    assert await roles(client) == []
    for path in ("/mandates", "/filieres/web"):
        page = (await client.get(path)).text
        assert "Awa Lemaire souhaite vous passer le relais." in page
        assert "À toi" in page
        assert "Accepter ce mandat" in page
    assert (await client.get(f"/mandate-offers/{offer['id']}/accept")).status_code == 405
    assert len(await mandates(connection)) == 1

    done = await client.post(f"/mandate-offers/{offer['id']}/accept", data={})
    assert done.headers["location"] == "/mandates?done=accepted"
    today = views.today()
    assert await mandates(connection) == [(scene.noe.member_id, today, today + timedelta(days=365))]
    assert await roles(client) == [f"animator filiere:{scene.web}"]
    await people.sign_in(client, scene.awa)
    assert await roles(client) == []
    await work(connection)
    assert sink.to("awa@test.example").message["Subject"] == (
        "Métiers du web : la proposition est acceptée"
    )


async def test_sharing_leaves_the_other_mandate_as_it_is(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    offer = (await ask(client, scene.awa, scene.noe)).json()
    assert (await answer(client, scene.noe, offer["id"])).status_code == 204
    assert {row[0] for row in await mandates(connection)} == {
        scene.awa.member_id, scene.noe.member_id,
    }  # fmt: skip


async def test_a_hand_over_to_come_ends_the_mandate_the_day_before(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    starts_on = views.today() + timedelta(days=40)
    offer = (
        await ask(
            client, scene.awa, scene.noe, from_member=scene.awa.member_id,
            starts_on=str(starts_on),
        )
    ).json()  # fmt: skip
    assert (await answer(client, scene.noe, offer["id"])).status_code == 204
    found = {member: (first, last) for member, first, last in await mandates(connection)}
    assert found[scene.awa.member_id][1] == starts_on - timedelta(days=1)
    assert found[scene.noe.member_id][0] == starts_on
    assert await roles(client) == []  # not before its day
    await people.sign_in(client, scene.awa)
    assert await roles(client) == [f"animator filiere:{scene.web}"]


async def test_the_staff_step_in_and_replace_somebody(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    offer = await ask(client, scene.helene, scene.noe, from_member=scene.awa.member_id)
    assert offer.status_code == 201, offer.text
    await answer(client, scene.noe, offer.json()["id"])
    assert [row[0] for row in await mandates(connection)] == [scene.noe.member_id]


async def test_a_member_proposes_themselves_and_those_who_run_it_accept(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    await people.sign_in(client, scene.ilse)
    assert "Zich voorstellen" in (await client.get("/filieres/web")).text
    sent = await client.post("/filieres/web/volunteer", data={"message": "Graag"})
    assert sent.headers["location"] == "/mandates?done=volunteered"
    assert "Zich voorstellen" not in (await client.get("/filieres/web")).text
    await work(connection)
    assert sink.recipients == {"awa@test.example": 1}  # not the staff: somebody runs it
    (mine,) = (await client.get("/api/v1/me/mandates")).json()["offers"]
    refused = await answer(client, scene.ilse, mine["id"])
    assert refused.status_code == 403  # not by oneself
    await people.sign_in(client, scene.awa)
    page = (await client.get("/filieres/web/mandates")).text
    assert "Ilse Maes" in page
    assert "Graag" in page
    done = await client.post(f"/mandate-offers/{mine['id']}/accept", data={"back": "filiere"})
    assert done.headers["location"] == "/filieres/web/mandates?done=accepted"
    assert scene.ilse.member_id in {row[0] for row in await mandates(connection)}
    await work(connection)
    assert "voorstel is aanvaard" in str(sink.to("ilse@test.example").message["Subject"])


async def test_where_nobody_animates_a_candidacy_goes_to_the_staff(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    await connection.execute("DELETE FROM mandate")
    await connection.execute("DELETE FROM access_grant WHERE role = 'animator'")
    await people.sign_in(client, scene.noe)
    assert (await client.post("/api/v1/filieres/web/candidacies", json={})).status_code == 201
    await work(connection)
    assert sink.recipients == {"helene@test.example": 1}


async def test_a_refusal_has_a_reason_that_is_read(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    offer = (await ask(client, scene.awa, scene.noe)).json()
    refused = await answer(
        client, scene.noe, offer["id"], accept=False, reason="Pas cette année\x07"
    )
    assert refused.status_code == 204
    await work(connection)
    assert "la proposition est refusée" in str(sink.to("awa@test.example").message["Subject"])
    await people.sign_in(client, scene.awa)
    page = (await client.get("/filieres/web/mandates")).text
    assert "Pas cette année" in page
    assert "\x07" not in page
    assert len(await mandates(connection)) == 1


async def test_two_who_accept_the_same_hand_over_at_once_are_one_successor(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    ids = [
        (await ask(client, scene.awa, to, from_member=scene.awa.member_id)).json()["id"]
        for to in (scene.noe, scene.ilse)
    ]
    actors = [await actor(scene.noe), await actor(scene.ilse)]
    done = await asyncio.gather(
        *(answers.accept(who, offer_id) for who, offer_id in zip(actors, ids, strict=True)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in done) == ["OfferSettled", "int"]
    assert len(await mandates(connection)) == 1


@pytest.mark.parametrize("turn", range(4))
async def test_accepting_what_is_withdrawn_or_closed_at_that_moment_is_one_or_the_other(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, turn: int
) -> None:
    offer_id = (await ask(client, scene.awa, scene.noe)).json()["id"]
    noe, awa, helene = [await actor(who) for who in (scene.noe, scene.awa, scene.helene)]
    rival = (
        answers.withdraw(awa, offer_id)
        if turn % 2
        else lifecycle.advance(helene, "web", Stage.CLOSED, "Finie")
    )
    acts = [answers.accept(noe, offer_id), rival]
    done = await asyncio.gather(*(acts if turn < 2 else acts[::-1]), return_exceptions=True)
    accepted = await connection.fetchval("SELECT state = 'accepted' FROM mandate_offer")
    has_mandate = scene.noe.member_id in {row[0] for row in await mandates(connection)}
    grants = await connection.fetchval(
        "SELECT count(*) FROM access_grant WHERE account_id = $1", scene.noe.account_id
    )
    assert accepted == has_mandate == bool(grants)
    failures = [one for one in done if isinstance(one, Exception)]
    assert all(isinstance(one, errors.Conflict) for one in failures)
    assert len(failures) == (1 if turn % 2 else int(not accepted))


async def test_pressing_accept_many_times_gives_one_mandate(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    offer_id = (await ask(client, scene.awa, scene.noe)).json()["id"]
    noe = await actor(scene.noe)
    done = await asyncio.gather(
        *(answers.accept(noe, offer_id) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(one, OfferSettled) for one in done) == 7
    assert len(await mandates(connection)) == 2


async def test_an_offer_lapses_after_thirty_days_and_who_made_it_is_told(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    offer_id = (await ask(client, scene.awa, scene.noe)).json()["id"]
    await work(connection)
    sink.mails.clear()
    await answers.lapse()
    assert await connection.fetchval("SELECT state FROM mandate_offer") == "open"
    await connection.execute("UPDATE mandate_offer SET expires_at = now() - interval '1 minute'")
    late = await answer(client, scene.noe, offer_id)  # before anything swept it
    assert late.status_code == 409
    assert "sans réponse trop longtemps" in late.text
    assert (await ask(client, scene.awa, scene.noe)).status_code == 201  # asked anew
    await connection.execute("UPDATE mandate_offer SET expires_at = now() WHERE state = 'open'")
    for _ in range(2):
        await answers.lapse()
    await connection.execute("DELETE FROM pgqueuer WHERE entrypoint LIKE '%.ask'")
    await work(connection)
    assert sink.recipients == {"awa@test.example": 1}
    states = await connection.fetch("SELECT DISTINCT state::text AS state FROM mandate_offer")
    assert [row["state"] for row in states] == ["expired"]
    await people.sign_in(client, scene.noe)
    assert "Accepter ce mandat" not in (await client.get("/filieres/web")).text


async def test_who_left_the_filiere_or_runs_it_meanwhile_does_not_take_the_mandate(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    offer_id = (await ask(client, scene.awa, scene.noe)).json()["id"]
    await people.sign_in(client, scene.noe)
    await client.delete("/api/v1/filieres/web/membership")
    gone = await answer(client, scene.noe, offer_id)
    assert (gone.status_code, gone.json()["type"]) == (
        409, "urn:filieres:problem:not-in-filiere",
    )  # fmt: skip
    await client.put("/api/v1/filieres/web/membership")
    await people.animates(connection, scene.noe, scene.web)
    again = await answer(client, scene.noe, offer_id)
    assert again.json()["type"] == "urn:filieres:problem:already-runs"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"to_member": 999_999}, "to_member"),
        ({"to_member": 0}, "to_member"),
        ({"to_member": 2**63}, "to_member"),
        ({"from_member": 999_999}, "from_member"),
        ({"starts_on": "2020-01-01"}, "starts_on"),
        ({"starts_on": "2999-01-01"}, "starts_on"),
        ({"ends_on": "2020-01-01"}, "ends_on"),
        ({"ends_on": "2999-01-01"}, "ends_on"),
        ({"role": "king"}, "role"),
        ({"message": "x" * 1001}, "message"),
    ],
)
async def test_what_cannot_be_offered_is_refused_by_its_field(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene,
    more: dict[str, object], field: str,
) -> None:  # fmt: skip
    refused = await ask(client, scene.awa, scene.noe, **more)
    assert refused.status_code == 400, refused.text
    assert refused.json()["errors"][0]["field"] == field
    page = await client.post(
        "/filieres/web/mandates", data={"to_member": str(scene.noe.member_id), **more}
    )
    assert page.status_code == 400
    assert 'class="error"' in page.text
    assert await connection.fetchval("SELECT count(*) FROM mandate_offer") == 0


async def test_only_members_of_the_filiere_whom_one_sees_are_asked(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    stranger = await people.member(connection, "Jean Dehors")
    assert (await ask(client, scene.awa, stranger)).status_code == 400
    await connection.execute(
        'UPDATE member SET audiences = \'{"display_name": "me"}\' WHERE id = $1',
        scene.ilse.member_id,
    )
    hidden = await ask(client, scene.awa, scene.ilse)
    assert hidden.json() == (await ask(client, scene.awa, stranger)).json()
    page = (await client.get("/filieres/web/mandates")).text
    assert "Noé Lambrecht" in page
    assert "Ilse Maes" not in page
    assert (await ask(client, scene.awa, scene.awa)).status_code == 400
    assert (await ask(client, scene.noe, scene.ilse)).status_code == 403
    await people.sign_in(client, stranger)
    outside = await client.post("/api/v1/filieres/web/candidacies", json={})
    assert outside.status_code == 409


async def test_who_hides_that_they_are_in_it_is_not_given_away_to_those_who_run_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    stranger = await people.member(connection, "Jean Dehors")
    await connection.execute(
        'UPDATE member SET audiences = \'{"memberships": "me"}\' WHERE id = $1',
        scene.ilse.member_id,
    )
    hidden = await ask(client, scene.awa, scene.ilse)
    assert hidden.status_code == 400
    assert hidden.json() == (await ask(client, scene.awa, stranger)).json()
    page = (await client.get("/filieres/web/mandates")).text
    assert "Noé Lambrecht" in page
    assert "Ilse Maes" not in page


async def test_nobody_takes_a_mandate_from_who_does_not_run_the_filiere_any_more(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    offer = (await ask(client, scene.awa, scene.noe)).json()["id"]
    await connection.execute("DELETE FROM access_grant WHERE account_id = $1", scene.awa.account_id)
    assert (await answer(client, scene.noe, offer)).status_code == 409
    assert await connection.fetchval("SELECT count(*) FROM access_grant") == 1


async def test_a_message_does_not_turn_the_text_around_it(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    answered = await ask(client, scene.awa, scene.noe, message="Venez \u202eriov")
    assert answered.status_code == 400
    assert answered.json()["errors"][0]["field"] == "message"


async def test_one_question_at_a_time_to_one_person(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    done = [(await ask(client, scene.awa, scene.noe)).status_code for _ in range(2)]
    assert done == [201, 409]
    await people.sign_in(client, scene.noe)
    proposed = await client.post("/api/v1/filieres/web/candidacies", json={})
    assert proposed.json()["type"] == "urn:filieres:problem:already-asked"
    ilse = await actor(scene.ilse)
    both = await asyncio.gather(
        *(offers.volunteer(ilse, "web", offers.Candidacy(), "fr") for _ in range(4)),
        return_exceptions=True,
    )
    assert sum(not isinstance(one, Exception) for one in both) == 1


async def test_nobody_else_sees_answers_or_withdraws_an_offer(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    offer_id = (await ask(client, scene.awa, scene.noe)).json()["id"]
    assert (await answer(client, scene.ilse, offer_id)).status_code == 404
    assert (await client.delete(f"/api/v1/mandate-offers/{offer_id}")).status_code == 404
    assert (await client.delete(f"/api/v1/mandate-offers/{2**70}")).status_code == 404
    assert (await answer(client, scene.awa, offer_id)).status_code == 403
    assert (await client.get("/api/v1/filieres/web/mandates")).json()["offers"]
    await people.sign_in(client, scene.ilse)
    assert (await client.get("/api/v1/me/mandates")).json() == {"mandates": [], "offers": []}
    await people.sign_in(client, scene.helene)
    assert (await client.delete(f"/api/v1/mandate-offers/{offer_id}")).status_code == 204


async def test_a_closed_filiere_keeps_no_open_question(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    await ask(client, scene.awa, scene.noe)
    await lifecycle.advance(await actor(scene.helene), "web", Stage.CLOSED, "Finie")
    await work(connection)
    assert await connection.fetchval("SELECT state FROM mandate_offer") == "withdrawn"
    assert (await ask(client, scene.helene, scene.noe)).status_code == 409


async def test_looking_changes_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    await ask(client, scene.awa, scene.noe)
    number = await mandate_of(connection, scene.awa)
    tables = ("mandate", "mandate_offer", "mandate_reminder", "access_grant", "filiere",
              "stage_change", "filiere_vacancy", "audit_entry", "pgqueuer")  # fmt: skip

    async def everything() -> list[object]:
        return [await connection.fetch(f"SELECT * FROM {name}") for name in tables]

    await people.sign_in(client, scene.awa)
    before = await everything()
    for path in (
        "/mandates", f"/mandates/{number}/leave", "/filieres/web", "/filieres/web/mandates",
        "/filieres/web/health", "/api/v1/me/mandates", "/api/v1/filieres/web/mandates",
        "/api/v1/filieres/web/health",
    ):  # fmt: skip
        for method in ("GET", "HEAD"):
            assert (await client.request(method, path)).status_code == 200, path
    assert await everything() == before
