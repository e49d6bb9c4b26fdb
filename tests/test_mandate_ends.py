"""Mandates end: by leaving, by the staff, by their last day; and somebody is told in time."""

import asyncio
from datetime import timedelta

import asyncpg
import httpx
import pytest

from directory.filieres import appointments, departures, renewals, vacancies
from directory.filieres.departures import LastAnimator
from directory.filieres.lifecycle import Stage
from directory.filieres.renewals import MandateEnding
from directory.holdings import Person as Holder
from directory.members import views
from directory.members.posting import RelayAway
from directory.privacy import erasing
from tests import people
from tests.mandate_scene import Scene, actor, ask, mandate_of, mandates, scene, sink, work
from tests.smtp_sink import Sink

__all__ = ["scene", "sink"]


async def leave(client: httpx.AsyncClient, mandate_id: int, **body: str | None) -> httpx.Response:
    return await client.post(f"/api/v1/me/mandates/{mandate_id}/leave", json=body)


async def stage(connection: asyncpg.Connection) -> str:
    found: str = await connection.fetchval("SELECT stage::text FROM filiere")
    return found


async def test_who_is_not_the_last_leaves_freely(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    await people.animates(connection, scene.noe, scene.web)
    number = await mandate_of(connection, scene.awa)
    await people.sign_in(client, scene.awa)
    page = await client.get(f"/mandates/{number}/leave")
    assert "Quitter ce mandat maintenant" in page.text
    done = await client.post(f"/mandates/{number}/leave", data={})
    assert done.headers["location"] == "/mandates?done=left"
    assert [row[0] for row in await mandates(connection)] == [scene.noe.member_id]
    assert (await client.get("/api/v1/me")).json()["roles"] == []
    assert (await client.get(f"/mandates/{number}/leave")).status_code == 404
    assert (await leave(client, number)).status_code == 404
    assert await connection.fetchval("SELECT count(*) FROM filiere_vacancy") == 0


async def test_the_last_animator_is_refused_and_offered_both_ways_out(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    number = await mandate_of(connection, scene.awa)
    await people.sign_in(client, scene.awa)
    refused = await leave(client, number)
    assert (refused.status_code, refused.json()["type"]) == (
        409, "urn:filieres:problem:last-animator",
    )  # fmt: skip
    page = await client.post(f"/mandates/{number}/leave", data={})
    assert page.status_code == 409
    for words in (
        "Vous êtes la dernière personne", "Proposer de me succéder", "Noé Lambrecht",
        "Quitter, et mettre la filière en sommeil",
    ):  # fmt: skip
        assert words in page.text
    assert len(await mandates(connection)) == 1
    # One of the two, in one step: the same form as on the page.
    form = {"to_member": scene.noe.member_id, "from_member": scene.awa.member_id}
    handed = await client.post("/filieres/web/mandates", data=form | {"role": "animator"})
    assert handed.headers["location"] == "/filieres/web/mandates?done=asked"
    assert (await leave(client, number)).status_code == 409  # not before the answer


async def test_the_last_animator_puts_the_filiere_to_sleep_as_they_leave(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    number = await mandate_of(connection, scene.awa)
    await people.sign_in(client, scene.awa)
    blank = await client.post(f"/mandates/{number}/leave", data={"rest": "yes", "reason": " "})
    assert blank.status_code == 400
    assert "Écrivez la raison" in blank.text
    assert await stage(connection) == "active"
    assert len(await mandates(connection)) == 1
    done = await client.post(
        f"/mandates/{number}/leave", data={"rest": "yes", "reason": "Plus le temps."}
    )
    assert done.headers["location"] == "/mandates?done=resting"
    assert await stage(connection) == "dormant"
    assert await mandates(connection) == []
    assert "Plus le temps." in (await client.get("/filieres/web")).text
    assert await connection.fetchval("SELECT decided_by FROM stage_change") == scene.awa.account_id
    await work(connection)
    mail = sink.to("helene@test.example")
    assert "Plus personne n’anime la filière" in mail.text
    assert "Elle est en sommeil." in mail.text
    assert sink.recipients["awa@test.example"] == 0


async def test_an_animator_who_is_not_leaving_last_moves_no_stage(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    await people.animates(connection, scene.noe, scene.web)
    number = await mandate_of(connection, scene.awa)
    await people.sign_in(client, scene.awa)
    refused = await leave(client, number, rest_because="Assez")
    assert refused.json()["type"] == "urn:filieres:problem:not-the-last"
    assert await stage(connection) == "active"
    assert len(await mandates(connection)) == 2
    moved = await client.post(
        "/api/v1/filieres/web/timeline", json={"to_stage": "dormant", "reason": "Je veux"}
    )
    assert moved.status_code == 403


@pytest.mark.parametrize("at", ["proposed", "gathering", "dormant", "closed"])
async def test_where_nobody_needs_to_animate_the_last_one_leaves(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, at: str
) -> None:
    await connection.execute("UPDATE filiere SET stage = $1::filiere_stage", at)
    await people.sign_in(client, scene.awa)
    assert (await leave(client, await mandate_of(connection, scene.awa))).status_code == 204


async def test_one_cannot_put_a_filiere_to_sleep_before_its_launch(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    await connection.execute("UPDATE filiere SET stage = 'forming'")
    number = await mandate_of(connection, scene.awa)
    await people.sign_in(client, scene.awa)
    page = await client.post(f"/mandates/{number}/leave", data={})
    assert page.status_code == 409
    assert "écrivez à la coordination" in page.text
    assert "mettre la filière en sommeil" not in page.text
    forced = await leave(client, number, rest_because="Pause")
    assert forced.json()["type"] == "urn:filieres:problem:stage-move-refused"
    assert len(await mandates(connection)) == 1


async def test_an_ambassador_is_never_the_last_and_leaves(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    await connection.execute("UPDATE mandate SET role = 'ambassador'")
    await people.sign_in(client, scene.awa)
    assert (await leave(client, await mandate_of(connection, scene.awa))).status_code == 204


async def test_two_last_animators_who_leave_at_once_are_one_who_left(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    await people.animates(connection, scene.noe, scene.web)
    pairs = [
        (await actor(who), await mandate_of(connection, who)) for who in (scene.awa, scene.noe)
    ]
    for _ in range(3):
        done = await asyncio.gather(
            *(departures.leave(who, number) for who, number in pairs), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in done) in (
            ["LastAnimator", "int"], ["LastAnimator", "NotFound"],
        )  # fmt: skip
    assert len(await mandates(connection)) == 1


async def test_leaving_while_the_staff_end_the_other_leaves_nobody_behind_unsaid(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    await people.animates(connection, scene.noe, scene.web)
    grant = await connection.fetchval(
        "SELECT id FROM access_grant WHERE account_id = $1", scene.noe.account_id
    )
    done = await asyncio.gather(
        departures.leave(await actor(scene.awa), await mandate_of(connection, scene.awa)),
        appointments.end(await actor(scene.helene), grant),
        return_exceptions=True,
    )
    left, ended = done
    assert isinstance(left, LastAnimator) or ended is True
    told = await connection.fetchval("SELECT count(*) FROM filiere_vacancy")
    assert told == (0 if isinstance(left, LastAnimator) else 1)


async def test_a_coordinator_may_end_the_last_role_and_reads_what_it_does(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    admin = await people.member(connection, "Ada", "ada@test.example")
    await people.grants(connection, admin, "administrator")
    grant = await connection.fetchval(
        "SELECT id FROM access_grant WHERE account_id = $1", scene.awa.account_id
    )
    await people.sign_in(client, scene.helene)
    assert "La seule personne à animer" in (await client.get("/roles")).text
    done = await client.post(f"/roles/{grant}/end")
    assert done.headers["location"] == "/roles?done=vacated"
    page = await client.get(done.headers["location"])
    assert "Plus personne n’anime cette filière" in page.text
    await work(connection)
    assert sink.recipients == {"ada@test.example": 1}  # the one who did it knows
    health = (await client.get("/api/v1/filieres/web/health")).json()
    assert health["figures"]["vacant_since"] == str(views.today())
    await vacancies.find()
    assert await connection.fetchval("SELECT count(*) FROM pgqueuer") == 0


async def test_a_mandate_that_runs_out_is_a_vacancy_told_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    await connection.execute("UPDATE mandate SET ends_on = current_date - 5")
    await connection.execute(
        "UPDATE access_grant SET ends_on = current_date - 5 WHERE role = 'animator'"
    )
    for _ in range(3):
        await vacancies.find()
    await work(connection)
    assert sink.recipients == {"helene@test.example": 1}
    await people.sign_in(client, scene.helene)
    health = (await client.get("/api/v1/filieres/web/health")).json()
    assert health["figures"]["vacant_since"] == str(views.today() - timedelta(days=4))
    # Somebody takes over, and leaves in turn: another vacancy, told again.
    await people.animates(connection, scene.noe, scene.web)
    await vacancies.find()
    assert await connection.fetchval("SELECT count(*) FROM pgqueuer") == 0
    await connection.execute(
        "UPDATE member SET left_on = current_date WHERE id = $1", scene.noe.member_id
    )
    await vacancies.find()
    await work(connection)
    assert sink.recipients == {"helene@test.example": 2}


async def test_an_erased_animator_leaves_a_vacancy_whose_day_stays_known(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    offered = (await ask(client, scene.awa, scene.noe, from_member=scene.awa.member_id)).json()
    await connection.execute("DELETE FROM pgqueuer")
    assert await erasing.erase_now(Holder(scene.awa.account_id, scene.awa.member_id))
    assert await connection.fetchval("SELECT count(*) FROM mandate") == 0
    await vacancies.find()
    await connection.execute("DELETE FROM pgqueuer WHERE entrypoint NOT LIKE '%vacancies%'")
    await work(connection)
    assert sink.recipients == {"helene@test.example": 1}
    await connection.execute("UPDATE filiere_vacancy SET began_on = began_on - 40")
    await people.sign_in(client, scene.helene)
    health = (await client.get("/api/v1/filieres/web/health")).json()
    assert health["figures"]["vacant_since"] == str(views.today() - timedelta(days=40))
    assert health["level"] == "decide"
    # What they offered still stands, without them.
    await people.sign_in(client, scene.noe)
    (mine,) = (await client.get("/api/v1/me/mandates")).json()["offers"]
    assert (mine["id"], mine["giver"], mine["message"]) == (
        offered["id"], {"member_id": None, "name": None}, "",
    )  # fmt: skip
    done = await client.post(f"/api/v1/mandate-offers/{mine['id']}/answer", json={"accept": True})
    assert done.status_code == 204
    assert len(await mandates(connection)) == 1


async def ends_in(connection: asyncpg.Connection, days: int) -> None:
    await connection.execute(
        "UPDATE mandate SET starts_on = current_date - 300, ends_on = current_date + $1::int", days
    )


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (61, {}),
        (60, {"awa@test.example": 1}),
        (45, {"awa@test.example": 1}),
        (30, {"awa@test.example": 1, "helene@test.example": 1}),
        (7, {"awa@test.example": 1, "helene@test.example": 1}),
        (0, {"awa@test.example": 1, "helene@test.example": 1}),
    ],
)
async def test_the_end_is_told_in_time_and_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink,
    days: int, told: dict[str, int],
) -> None:  # fmt: skip
    await ends_in(connection, days)
    for _ in range(2):
        await renewals.remind()
    await work(connection)
    await renewals.remind()
    await work(connection)
    assert sink.recipients == told


async def test_from_sixty_days_to_the_end_three_mails_and_one_to_the_staff(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    """Day after day: the mandate and what was told are moved a day back each time."""
    await ends_in(connection, 65)
    for _ in range(67):
        await renewals.remind()
        await work(connection)
        await connection.execute(
            "UPDATE mandate SET ends_on = ends_on - 1, starts_on = starts_on - 1"
        )
        await connection.execute("UPDATE mandate_reminder SET ends_on = ends_on - 1")
    assert sink.recipients == {"awa@test.example": 3, "helene@test.example": 1}
    first = sink.mails[0]
    assert "finit le" in str(first.message["Subject"])
    for words in ("Le renouveler", "Passer le relais", "Le laisser finir", "/mandates"):
        assert words in first.text


async def test_a_worker_that_does_the_job_twice_writes_once_and_a_relay_that_is_away_is_retried(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    await ends_in(connection, 20)
    ends_on = await connection.fetchval("SELECT ends_on FROM mandate")
    number = await mandate_of(connection, scene.awa)
    ending = MandateEnding(number, ends_on, 30, scene.awa.account_id)
    sink.refuse["awa@test.example"] = "451 4.3.0 later"
    with pytest.raises(RelayAway):
        await renewals.tell(ending)
    sink.refuse.clear()
    await asyncio.gather(*(renewals.tell(ending) for _ in range(5)))
    assert sink.recipients == {"awa@test.example": 1}


async def test_a_mandate_shorter_than_the_reminder_is_not_announced_on_its_first_day(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    await connection.execute(
        "UPDATE mandate SET starts_on = current_date, ends_on = current_date + 20"
    )
    await renewals.remind()
    assert await work(connection) == 0
    await connection.execute(
        "UPDATE mandate SET starts_on = current_date - 14, ends_on = current_date + 6"
    )
    await renewals.remind()
    await work(connection)
    assert sink.recipients == {"awa@test.example": 1, "helene@test.example": 1}


async def test_who_asks_to_go_on_is_renewed_by_one_click_and_told(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    await ends_in(connection, 20)
    number = await mandate_of(connection, scene.awa)
    await people.sign_in(client, scene.awa)
    for _ in range(2):
        done = await client.post(f"/mandates/{number}/wish", data={"wish": "renew"})
        assert done.headers["location"] == "/mandates?done=wish"
    await work(connection)
    assert sink.recipients == {"helene@test.example": 1}
    until = str(views.today() + timedelta(days=385))
    assert (
        await client.post(f"/mandates/{number}/renew", data={"until": until})
    ).status_code == 403  # not by oneself
    await people.sign_in(client, scene.helene)
    page = (await client.get("/filieres/web/mandates")).text
    assert "Souhaite continuer." in page
    assert f'value="{until}"' in page
    for _ in range(2):  # pressed twice: a year, not two
        done = await client.post(f"/mandates/{number}/renew", data={"until": until})
        assert done.headers["location"] == "/filieres/web/mandates?done=renewed"
    assert [str(row[2]) for row in await mandates(connection)] == [until]
    await work(connection)
    assert sink.recipients == {"helene@test.example": 1, "awa@test.example": 1}
    await renewals.remind()
    assert await work(connection) == 0


async def test_who_lets_it_end_is_reminded_no_more_and_the_staff_know(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, sink: Sink
) -> None:
    await ends_in(connection, 25)
    number = await mandate_of(connection, scene.awa)
    await people.sign_in(client, scene.awa)
    body = {"wish": "end"}
    assert (await client.put(f"/api/v1/me/mandates/{number}/wish", json=body)).status_code == 204
    await renewals.remind()
    await work(connection)
    assert sink.recipients == {"helene@test.example": 1}
    assert "souhaite s’arrêter là" in sink.mails[0].text


@pytest.mark.parametrize("until", ["2020-01-01", "2999-01-01"])
async def test_a_renewal_is_to_a_later_day_of_these_years(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene, until: str
) -> None:
    number = await mandate_of(connection, scene.awa)
    await people.sign_in(client, scene.helene)
    refused = await client.put(f"/api/v1/mandates/{number}/end", json={"until": until})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["field"] == "until"
    gone = await client.put(f"/api/v1/mandates/{2**70}/end", json={"until": until})
    assert gone.status_code == 404


async def test_nobody_of_the_staff_renews_their_own_mandate(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    await people.animates(connection, scene.helene, scene.web)
    number = await mandate_of(connection, scene.helene)
    await people.sign_in(client, scene.helene)
    until = str(views.today() + timedelta(days=500))
    refused = await client.put(f"/api/v1/mandates/{number}/end", json={"until": until})
    assert refused.status_code == 403


async def test_a_closed_filiere_reminds_of_no_mandate(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    await ends_in(connection, 20)
    await connection.execute("UPDATE filiere SET stage = $1::filiere_stage", Stage.CLOSED.value)
    await renewals.remind()
    await vacancies.find()
    assert await work(connection) == 0


async def test_the_staff_see_and_use_what_an_animator_sees(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scene: Scene
) -> None:
    await people.sign_in(client, scene.helene)
    page = (await client.get("/filieres/web")).text
    for path in ("/filieres/web/mandates", "/filieres/web/health"):
        assert f'href="{path}"' in page
        assert (await client.get(path)).status_code == 200
    assert "/filieres/health" in (await client.get("/filieres")).text
    await people.sign_in(client, scene.noe)
    page = (await client.get("/filieres/web")).text
    assert "/filieres/web/health" not in page
    assert "/filieres/health" not in (await client.get("/filieres")).text
