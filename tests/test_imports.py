"""The cooperative's file becomes a plan, and the plan becomes members."""

import asyncpg
import httpx
import pytest

from tests import importing
from tests.importing import table
from tests.people import Person

HEADER = (
    "numéro de membre;adresse mail;nom complet;accroche;métiers;code postal;ville;langues;téléphone"
)
AWA = (
    "000123;Awa@Lemaire.example;Awa Lemaire;Des dessins;Illustratrice | Graphiste;5000;Namur;"
    "fr:native|nl;'+32 81 22 22 22"
)
NOE = "000124;noe@quispe.example;Noé Quispe;;;;;;"


@pytest.fixture
async def helene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    return await importing.coordinator(client, connection)


async def test_a_file_is_planned_and_then_makes_members(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    found = await importing.planned(client, table(HEADER, AWA, NOE))
    assert found["state"] == "planned", found
    assert found["counts"]["added"] == 2, await importing.rows(client, found["id"])
    assert await connection.fetchval("SELECT count(*) FROM member") == 1
    done = await importing.committed(client, found)
    assert done["state"] == "done"
    awa = await connection.fetchrow(
        "SELECT m.*, a.email, a.email_confirmed_at FROM member m JOIN account a"
        " ON a.id = m.account_id WHERE number = '000123'"
    )
    assert awa is not None
    assert awa["display_name"] == "Awa Lemaire"
    assert awa["email"] == "awa@lemaire.example"
    assert awa["email_confirmed_at"] is None
    seen = (await client.get(f"/api/v1/members/{awa['id']}")).json()
    assert [trade["label"] for trade in seen["trades"]] == ["Illustrateur·rice", "Graphiste"]
    assert seen["place"]["code"] == "be-5000-namur"
    assert seen["phone"] == ""
    assert awa["phone"] == "+32 81 22 22 22"
    again = await importing.planned(client, table(HEADER, AWA, NOE))
    assert again["counts"] | {"unchanged": 0} == dict.fromkeys(again["counts"], 0)
    assert again["counts"]["unchanged"] == 2
