"""Why did this person get this? And that nobody but the person changes what they get."""

import asyncpg
import httpx
import pytest

from directory.accounts import tokens
from directory.accounts.actor import Scope
from directory.mailings import digests
from directory.subscriptions import memberships, wordings
from directory.subscriptions.consent import Choice
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.topics import Rhythm, Topic
from tests import job_runner, mailing_scene, people
from tests.mailing_scene import Scene
from tests.people import Person
from tests.test_digests import MONDAY, at, sent, sink
from tests.test_subscriptions import actor

__all__ = ["sink"]
TRACE = Trace(Screen.FILIERE, "192.0.2.0/24", language="nl")


@pytest.fixture
async def scene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Scene:
    await wordings.load(connection)
    return await mailing_scene.build(client, connection)


async def joins(scene: Scene, rhythm: Rhythm) -> Person:
    """Zoé, who chose trainings by herself on the page of the filière, in Dutch."""
    zoe = await people.member(scene.connection, "Zoé", "zoe@test.example")
    latest = await wordings.list_latest("nl")
    choice = Choice("metiers-du-web", Topic.TRAININGS, rhythm, latest[Topic.TRAININGS].id)
    trace = Trace(Screen.FILIERE, "192.0.2.0/24", zoe.account_id, "nl")
    await memberships.join(actor(zoe), "metiers-du-web", "nl", trace, choices=[choice])
    return zoe


async def coordinator(scene: Scene) -> Person:
    helene = await people.member(scene.connection, "Hélène")
    await people.grants(scene.connection, helene, "coordinator")
    return helene


async def test_a_coordinator_gets_the_whole_proof_of_one_mail(scene: Scene, sink: object) -> None:
    zoe, helene = await joins(scene, Rhythm.AT_ONCE), await coordinator(scene)
    mailing_id = await scene.draft()
    await scene.send(mailing_id)
    await scene.work()
    given = await scene.connection.fetchval(
        "SELECT id FROM consent_ledger WHERE member_id = $1", zoe.member_id
    )
    # What she says afterwards changes nothing of what allowed the mail then.
    await memberships.leave(actor(zoe), "metiers-du-web", TRACE)
    await people.sign_in(scene.client, helene)
    path = f"/mailings/{mailing_id}/proofs?member={zoe.member_id}"
    proof = (await scene.client.get(f"/api/v1{path}")).json()
    assert proof["mail"]["state"] == "sent"
    assert proof["mail"]["sent_at"]
    consent = proof["consent"]
    assert consent["id"] == given
    assert (consent["act"], consent["rhythm"], consent["screen"]) == (
        "given", "at_once", "filiere",
    )  # fmt: skip
    assert (consent["language"], consent["network"]) == ("nl", "192.0.2.0/24")
    assert consent["wording"]["text"] == "Per mail, de opleidingen en workshops van de groep."
    assert (consent["wording"]["version"], len(consent["wording"]["hash"])) == (1, 64)
    assert proof["is_own_act"] is True
    assert proof["membership"]["joined_at"]
    assert proof["membership"]["left_at"]
    assert proof["address_confirmed_at"]
    page = (await scene.client.get(path)).text
    for words in (
        "la personne elle-même, connectée", "Per mail, de opleidingen", "192.0.2.0/24",
        consent["wording"]["hash"], "depuis la page de la filière",
    ):  # fmt: skip
        assert words in page
    assert zoe.email not in page
    listed = (await scene.client.get(f"/proofs?member={zoe.member_id}")).text
    assert f'href="{path}"' in listed
    noted = await scene.connection.fetch(
        "SELECT account_id, member_id, subject FROM audit_entry WHERE action = 'proof.read' "
        "ORDER BY id"
    )
    assert {(row["account_id"], row["member_id"]) for row in noted} == {
        (helene.account_id, zoe.member_id)
    }
    assert [row["subject"] for row in noted] == [f"mailing:{mailing_id}"] * 2 + [""]
    await people.sign_in(scene.client, zoe)
    assert "Preuve d’un envoi lue" in (await scene.client.get("/account/activity")).text


async def test_a_digest_is_proven_as_well(scene: Scene, sink: object) -> None:
    zoe, helene = await joins(scene, Rhythm.WEEKLY), await coordinator(scene)
    monday = MONDAY
    await scene.connection.execute("ALTER TABLE consent_ledger DISABLE TRIGGER USER")
    await scene.connection.execute("UPDATE consent_ledger SET at = at - interval '30 days'")
    await scene.connection.execute("ALTER TABLE consent_ledger ENABLE TRIGGER USER")
    mailing_id = await sent(scene, at(monday))
    assert await digests.freeze(Rhythm.WEEKLY, monday) == 1
    await job_runner.run_all(scene.connection)
    await people.sign_in(scene.client, helene)
    path = f"/mailings/{mailing_id}/proofs?member={zoe.member_id}"
    proof = (await scene.client.get(f"/api/v1{path}")).json()
    assert (proof["mail"]["digest_rhythm"], proof["mail"]["digest_day"]) == (
        "weekly", str(monday),
    )  # fmt: skip
    assert (proof["mail"]["state"], proof["consent"]["rhythm"]) == ("sent", "weekly")
    assert "dans le résumé du lundi" in (await scene.client.get(path)).text


async def test_who_got_nothing_has_no_proof_and_odd_numbers_are_refused(scene: Scene) -> None:
    helene = await coordinator(scene)
    mailing_id = await scene.draft()
    await scene.send(mailing_id)
    await people.sign_in(scene.client, helene)
    for member in (scene.silent.member_id, 999, 2**63 - 1):
        path = f"/mailings/{mailing_id}/proofs?member={member}"
        assert (await scene.client.get(f"/api/v1{path}")).status_code == 404
        assert (await scene.client.get(path)).status_code == 404
    for query in ("", "?member=", "?member=x", "?member=0", f"?member={2**63}", "?person=1"):
        answer = await scene.client.get(f"/api/v1/mailings/{mailing_id}/proofs{query}")
        assert answer.status_code == 400, query
    for text in ("x", "1" * 19, "-1", "%00"):
        assert (await scene.client.get(f"/proofs?member={text}")).status_code == 400
    assert (await scene.client.get("/proofs")).status_code == 200
    assert (await scene.client.get("/proofs?member=0")).status_code == 200


async def test_only_the_coordination_reads_proofs(scene: Scene) -> None:
    mailing_id = await scene.draft()
    await scene.send(mailing_id)
    path = f"/api/v1/mailings/{mailing_id}/proofs?member={scene.awa.member_id}"
    assert (await scene.client.get(path)).status_code == 403, "not even its author"
    await people.sign_in(scene.client, scene.awa)
    assert (await scene.client.get(path)).status_code == 403, "she has her own ledger"
    scene.client.cookies.clear()
    assert (await scene.client.get(path)).status_code == 401


async def test_a_coordinator_changes_nobodys_consent(scene: Scene) -> None:
    """Neither as themselves nor with a token of every scope: each route acts on one's own."""
    zoe, helene = await joins(scene, Rhythm.WEEKLY), await coordinator(scene)
    await scene.connection.execute("DELETE FROM member WHERE id = $1", helene.member_id)
    await people.sign_in(scene.client, helene)
    before = await scene.connection.fetch("SELECT * FROM consent ORDER BY 1, 2, 3")
    choice = {"filiere": "metiers-du-web", "topic": "trainings", "rhythm": None}
    headers = {"authorization": "Bearer " + await tokens.create(helene.email, list(Scope))}
    for method, path, body in (
        ("PUT", "/api/v1/me/consents", {"choices": [choice]}),
        ("PUT", "/api/v1/me/consents/pause", {"until": "2027-01-01"}),
        ("DELETE", "/api/v1/me/consents/pause", None),
        ("DELETE", "/api/v1/filieres/metiers-du-web/membership", None),
        ("PUT", f"/api/v1/members/{zoe.member_id}/consents", {"choices": [choice]}),
        ("PATCH", f"/api/v1/members/{zoe.member_id}", {"version": 1, "consents": []}),
        ("POST", "/preferences/stop-all", None),
        ("POST", "/preferences/resume", None),
    ):
        for given in ({}, headers):
            answer = await scene.client.request(method, path, json=body, headers=given)
            assert answer.status_code in {400, 403, 404, 405}, (path, answer.text)
    assert await scene.connection.fetch("SELECT * FROM consent ORDER BY 1, 2, 3") == before
