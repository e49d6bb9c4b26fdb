"""Roles: who gives and ends which, by page, API and command line."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from directory import errors
from directory.accounts.actor import OPERATOR, Role
from directory.filieres import appointments
from directory.filieres.appointments import LastAdministrator, RoleDraft
from directory.members import views
from tests import people
from tests.people import Person
from tests.test_command_line import filieres

ROLES = "/api/v1/roles"


async def staff(connection: asyncpg.Connection, role: str) -> Person:
    person = await people.member(connection, f"{role} Ferrand")
    await people.grants(connection, person, role)
    return person


async def give(client: httpx.AsyncClient, **body: object) -> httpx.Response:
    return await client.post(ROLES, json=body)


async def roles_of(client: httpx.AsyncClient, person: Person) -> list[str]:
    await people.sign_in(client, person)
    found: list[str] = (await client.get("/api/v1/me")).json()["roles"]
    return found


async def test_a_coordinator_names_an_animator_who_then_writes(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    helene, awa = await staff(connection, "coordinator"), await people.member(connection)
    web = await people.filiere(connection, "web")
    await people.sign_in(client, helene)
    given = await give(client, who=str(awa.member_id), role="animator", filiere="web")
    assert given.status_code == 201, given.text
    assert given.json()["name"] == "Awa Lemaire"
    assert given.json()["ends_on"] == str(views.today() + timedelta(days=365))
    mandates = (await client.get("/api/v1/filieres/web")).json()["mandates"]
    assert [one["name"] for one in mandates] == ["Awa Lemaire"]
    assert await roles_of(client, awa) == [f"animator filiere:{web}"]
    assert (await client.get("/api/v1/mailings")).status_code == 200
    await people.sign_in(client, helene)
    assert (await client.delete(f"{ROLES}/{given.json()['id']}")).status_code == 204
    assert (await client.get("/api/v1/filieres/web")).json()["mandates"] == []
    assert await roles_of(client, awa) == []
    assert (await client.get("/api/v1/mailings")).status_code == 403
    noted = await connection.fetch(
        "SELECT action, subject, member_id FROM audit_entry "
        "WHERE action NOT LIKE 'session.%' ORDER BY id"
    )
    assert [tuple(row) for row in noted] == [
        ("role.given", f"role:animator:filiere:{web}", awa.member_id),
        ("role.ended", f"role:animator:filiere:{web}", awa.member_id),
    ]


async def test_a_role_given_again_has_the_new_last_day_and_one_mandate(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    await people.filiere(connection, "web")
    await people.sign_in(client, await staff(connection, "coordinator"))
    for days in (30, 60):
        last = str(views.today() + timedelta(days=days))
        given = await give(client, who=awa.email, role="ambassador", filiere="web", ends_on=last)
        assert given.json()["ends_on"] == last
    (grant,) = (await client.get(ROLES)).json()
    assert grant["ends_on"] == last
    assert await connection.fetchval("SELECT count(*) FROM mandate") == 1


async def test_a_coordinator_neither_gives_nor_sees_nor_ends_the_staffs_roles(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    helene = await staff(connection, "coordinator")
    await people.sign_in(client, helene)
    for role in ("coordinator", "administrator"):
        assert (await give(client, who=awa.email, role=role)).status_code == 403
        assert (await give(client, who=helene.email, role=role)).status_code == 403
    assert (await client.get(ROLES)).json() == []
    number = await connection.fetchval("SELECT id FROM access_grant")
    assert (await client.delete(f"{ROLES}/{number}")).status_code == 404


async def test_nobody_gives_themselves_what_they_may_not_do(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    admin = await staff(connection, "administrator")
    await people.filiere(connection, "web")
    await people.sign_in(client, admin)
    refused = await give(client, who=admin.email, role="animator", filiere="web")
    assert refused.status_code == 403
    # Less than one has is no gain.
    assert (await give(client, who=admin.email, role="coordinator")).status_code == 201
    ambassador = await give(client, who=admin.email, role="ambassador", filiere="web")
    assert ambassador.status_code == 201


async def test_the_last_administrator_stays(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    admin, second = await staff(connection, "administrator"), await people.member(connection)
    await people.sign_in(client, admin)
    number = await connection.fetchval("SELECT id FROM access_grant")
    last = await client.delete(f"{ROLES}/{number}")
    assert last.status_code == 409
    assert last.json()["type"].endswith("last-administrator")
    assert (await give(client, who=second.email, role="administrator")).status_code == 201
    await connection.execute(
        "UPDATE account SET disabled_at = now() WHERE id = $1", second.account_id
    )
    assert (await client.delete(f"{ROLES}/{number}")).status_code == 409
    await connection.execute("UPDATE account SET disabled_at = NULL")
    assert (await client.delete(f"{ROLES}/{number}")).status_code == 204


async def test_two_administrators_who_end_each_other_leave_one(
    connection: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    for _ in range(2):
        await staff(connection, "administrator")
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM access_grant")]
    done = await asyncio.gather(
        *(appointments.end(OPERATOR, number) for number in ids), return_exceptions=True
    )
    assert [type(one) for one in done if isinstance(one, Exception)] == [LastAdministrator]
    assert await connection.fetchval("SELECT count(*) FROM access_grant") == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"who": "rien@test.example"}, "who"),
        ({"who": ""}, "who"),
        ({"who": "9" * 40}, "who"),
        ({"who": "\0"}, "who"),
        ({"filiere": ""}, "filiere"),
        ({"filiere": "nowhere"}, "filiere"),
        ({"filiere": "closed"}, "filiere"),
        ({"ends_on": "2020-01-31"}, "ends_on"),
        ({"ends_on": "2999-01-31"}, "ends_on"),
        ({"role": "coordinator"}, "filiere"),
        ({"role": "administrator", "filiere": "", "ends_on": "2030-01-31"}, "ends_on"),
        ({"role": "king"}, "role"),
    ],
)
async def test_what_cannot_be_given_is_refused_by_its_field(
    client: httpx.AsyncClient, connection: asyncpg.Connection,
    changes: dict[str, Any], field: str,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    await people.filiere(connection, "web")
    await people.filiere(connection, "closed")
    await connection.execute("UPDATE filiere SET stage = 'closed' WHERE slug = 'closed'")
    await people.sign_in(client, await staff(connection, "administrator"))
    body = {"who": awa.email, "role": "animator", "filiere": "web"} | changes
    answer = await give(client, **body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == field
    page = await client.post("/roles", data=body)
    assert page.status_code == 400
    assert 'class="error"' in page.text
    assert await connection.fetchval("SELECT count(*) FROM access_grant") == 1


async def test_who_is_no_member_animates_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    await people.filiere(connection, "web")
    await connection.execute("UPDATE member SET left_on = current_date")
    await people.sign_in(client, await staff(connection, "coordinator"))
    answer = await give(client, who=awa.email, role="animator", filiere="web")
    assert answer.status_code == 400


async def test_the_command_line_gives_and_ends_a_role(
    connection: asyncpg.Connection, database: str
) -> None:
    awa = await people.member(connection)
    words = ("administrator", "--email", awa.email)
    code, out, _ = await filieres("grant", *words, DATABASE_URL=database)
    assert code == 0
    assert awa.email in out
    code, _, err = await filieres("revoke", *words, DATABASE_URL=database)
    assert code == 1
    assert "dernière" in err
    draft = RoleDraft(who=awa.email, role=Role.COORDINATOR)
    with pytest.raises(errors.NotFound):
        await appointments.end_by_name(OPERATOR, draft, "fr")


async def test_the_command_line_lists_and_revokes_tokens(
    connection: asyncpg.Connection, database: str
) -> None:
    awa = await people.member(connection)
    words = ("token", "create", "--email", awa.email, "--scope", "members:read", "--days", "9")
    code, secret, _ = await filieres(*words, DATABASE_URL=database)
    assert code == 0
    code, out, _ = await filieres("token", "list", "--email", awa.email, DATABASE_URL=database)
    assert code == 0
    assert secret.strip()[-4:] in out
    assert secret.strip() not in out
    code, out, _ = await filieres("token", "revoke", "1", DATABASE_URL=database)
    assert (code, out.strip()) == (0, "Token 1 is revoked.")
    code, _, err = await filieres("token", "revoke", "1", DATABASE_URL=database)
    assert code == 1
    assert len(err.strip().splitlines()) == 1
