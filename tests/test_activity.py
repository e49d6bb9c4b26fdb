"""The audit log: what is noted, and who reads what of it."""

import re
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from directory.accounts import audit, tokens
from directory.accounts.actor import VISITOR, Actor, Scope
from directory.activity import wording
from tests import people
from tests.mailing_scene import subscribes
from tests.people import Person

MINE = "/api/v1/me/activity"
ALL = "/api/v1/audit"
SIGNING_IN = {"session.opened", "session.ended"}  # by the tests themselves
RECORDED = re.compile(r'"([a-z_]+\.(?:[a-z_]*ed|made|withdrawn|given|left|sent))"')


async def entries(
    client: httpx.AsyncClient, path: str = MINE, **query: str
) -> list[dict[str, Any]]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return [entry for entry in found if entry["action"] not in SIGNING_IN]


async def coordinator(connection: asyncpg.Connection, client: httpx.AsyncClient) -> Person:
    person = await people.member(connection, "Hélène Ferrand")
    await people.grants(connection, person, "coordinator")
    await people.sign_in(client, person)
    return person


def test_every_action_that_is_recorded_has_words() -> None:
    """An action without words is shown as it is: add it to ACTIONS of directory/activity."""
    told = set(wording.ACTIONS)
    noted = set()
    for path in Path("directory").rglob("*.py"):
        text = path.read_text()
        if "audit.record(" in text or "_note(" in text:
            noted |= set(RECORDED.findall(text))
    assert noted - told == set()
    assert {"profile.changed", "token.created", "role.ended", "mailing.sent"} <= noted


async def test_a_member_reads_what_they_changed_by_name_and_never_the_value(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    draft = {
        "version": 1, "headline": "Un secret", "skills_offered": ["Plume"],
        "audiences": {"headline": "public", "phone": "me"},
    }  # fmt: skip
    path = f"/api/v1/members/{awa.member_id}"
    assert (await client.patch(path, json=draft)).status_code == 200
    found = await entries(client)
    assert [(one["action"], one["fields"]) for one in found] == [
        ("audience.changed", ["headline"]),
        ("profile.changed", ["headline", "skills_offered"]),
    ]
    assert found[1]["words"] == "Fiche modifiée\u00a0: Accroche, Compétences offertes"
    assert found[1]["actor"]["by"] == "self"
    assert "secret" not in str(await connection.fetch("SELECT * FROM audit_entry"))
    again = {**draft, "version": 2}
    assert (await client.patch(path, json=again)).status_code == 200
    assert len(await entries(client)) == 2, "the same again changes nothing"


async def test_consents_are_shown_beside_the_rest_and_kept_in_their_ledger_alone(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    web = await people.filiere(connection, "web")
    await subscribes(connection, awa, web)
    await people.sign_in(client, awa)
    await client.delete("/api/v1/filieres/web/membership")
    found = await entries(client)
    assert [one["action"] for one in found] == [
        "consent.withdrawn", "membership.left", "consent.given",
    ] or [one["action"] for one in found] == [
        "membership.left", "consent.withdrawn", "consent.given",
    ]  # fmt: skip
    assert found[-1]["words"] == "Mails choisis\u00a0: Formations, Métiers du web"
    noted = await connection.fetch(
        "SELECT action FROM audit_entry WHERE action <> 'session.opened'"
    )
    assert [action for (action,) in noted] == ["membership.left"]


async def test_what_staff_does_reads_as_the_coordination_and_as_a_name_to_auditors(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    helene = await coordinator(connection, client)
    awa = await people.member(connection)
    await people.filiere(connection, "web")
    body = {"who": awa.email, "role": "animator", "filiere": "web"}
    given = await client.post("/api/v1/roles", json=body)
    assert given.status_code == 201, given.text
    (told,) = await entries(client, ALL)
    assert told["actor"]["by"] == "self"
    assert told["concerns"]["name"] == "Awa Lemaire"
    assert told["words"] == "Rôle donné\u00a0: Animation d’une filière, Métiers du web"
    await people.sign_in(client, awa)
    (mine,) = await entries(client)
    assert mine["actor"] == {"by": "coordination", "member_id": None, "name": None}
    assert helene.email not in str(mine)
    client.cookies.set("language", "en")
    page = (await client.get("/account/activity")).text
    assert "by the coordination" in " ".join(page.split())


async def test_members_do_not_read_each_others(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa, noe = await people.member(connection), await people.member(connection, "Noé")
    await audit.record(Actor(account_id=awa.account_id), "profile.changed", member_id=awa.member_id)
    await people.sign_in(client, noe)
    assert await entries(client) == []
    assert (await client.get("/account/activity")).text.count("<time ") == 1  # the signing in


@pytest.mark.parametrize(
    "gone",
    [
        "DELETE FROM member; DELETE FROM account WHERE email LIKE 'gone%'",
        "UPDATE member SET left_on = current_date WHERE display_name = 'Partie'",
    ],
)
async def test_who_is_gone_is_a_former_member(
    client: httpx.AsyncClient, connection: asyncpg.Connection, gone: str
) -> None:
    partie = await people.member(connection, "Partie", "gone@test.example")
    by_her = Actor(account_id=partie.account_id)
    await audit.record(by_her, "profile.changed", member_id=partie.member_id)
    await connection.execute(gone)
    await coordinator(connection, client)
    (told,) = await entries(client, ALL)
    assert told["actor"] == {"by": "former", "member_id": None, "name": None}
    assert told["concerns"]["by"] == "former"
    client.cookies.set("language", "en")
    page = await client.get("/audit")
    assert "a former member" in page.text
    assert "gone@test.example" not in page.text
    # The number is the pseudonym that is left.
    assert len(await entries(client, ALL, person=str(partie.member_id))) == 1
    assert await entries(client, ALL, person="Partie") == []


async def test_a_name_that_its_owner_hides_is_hidden_and_not_found(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection, "Cachée Tout")
    await connection.execute('UPDATE member SET audiences = \'{"display_name": "me"}\'')
    await audit.record(VISITOR, "profile.changed", member_id=awa.member_id)
    await coordinator(connection, client)
    (told,) = await entries(client, ALL)
    assert told["concerns"]["by"] == "hidden"
    assert told["actor"]["by"] == "service"
    assert "Cachée" not in (await client.get("/audit")).text
    assert await entries(client, ALL, person="cachee") == []


async def test_the_log_is_filtered_by_person_action_and_period(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa, noe = await people.member(connection), await people.member(connection, "Noé Lambrecht")
    for person, action in (
        (awa, "profile.changed"),
        (noe, "profile.changed"),
        (noe, "proposal.made"),
    ):
        await audit.record(Actor(account_id=person.account_id), action, member_id=person.member_id)
    await coordinator(connection, client)
    assert len(await entries(client, ALL)) == 3
    assert len(await entries(client, ALL, person="noe lamb")) == 2
    assert len(await entries(client, ALL, person="noe", action="proposal.made")) == 1
    assert len(await entries(client, ALL, action="role.given")) == 0
    today = str(await connection.fetchval("SELECT (now() AT TIME ZONE 'Europe/Brussels')::date"))
    assert len(await entries(client, ALL, **{"from": today, "to": today})) == 3
    assert await entries(client, ALL, to="2020-01-31") == []
    page = await client.get("/audit", params={"person": "noe", "page": "1"})
    assert page.text.count("<time ") == 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"action": "nothing.done"}, "action"),
        ({"from": "hier"}, "from"),
        ({"from": "2027-02-01", "to": "2027-01-31"}, "to"),
        ({"person": "x" * 201}, "person"),
        ({"persona": "x"}, "persona"),
    ],
)
async def test_a_filter_that_cannot_be_is_refused_by_its_name(
    client: httpx.AsyncClient, connection: asyncpg.Connection, query: dict[str, str], field: str
) -> None:
    await coordinator(connection, client)
    answer = await client.get(ALL, params=query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert (await client.get("/audit", params=query)).status_code == 400


@pytest.mark.parametrize("person", ["\0", "%", "' OR 1=1", "9" * 30, "Ǆ·ß", "  "])
async def test_any_text_is_a_person_to_look_for(
    client: httpx.AsyncClient, connection: asyncpg.Connection, person: str
) -> None:
    await coordinator(connection, client)
    assert await entries(client, ALL, person=person) == []


async def test_what_a_token_did_is_said(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    secret = await tokens.create(awa.email, [Scope.PROFILE_WRITE])
    headers = {"authorization": f"Bearer {secret}"}
    path = f"/api/v1/members/{awa.member_id}"
    await client.patch(path, json={"version": 1, "headline": "Bonjour"}, headers=headers)
    assert (await client.get(MINE, headers=headers)).status_code == 403
    await people.sign_in(client, awa)
    changed, made = await entries(client)
    assert changed["token_id"] == 1
    assert made["words"] == "Jeton d’API créé\u00a0: filieres token create"
    assert "avec un jeton d’API" in (await client.get("/account/activity")).text


async def test_pages_of_the_log_turn(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    for _ in range(50):
        await audit.record(VISITOR, "profile.confirmed", member_id=awa.member_id)
    await people.sign_in(client, awa)
    first = await client.get("/account/activity")
    assert 'href="/account/activity?page=2"' in first.text
    assert (await client.get("/account/activity?page=2")).text.count("<time ") == 1
    assert "au-delà" in (await client.get("/account/activity?page=3")).text
