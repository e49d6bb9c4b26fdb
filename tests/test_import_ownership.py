"""What an import may write of a member, and what of theirs it may tell."""

import asyncpg
import httpx
import pytest

from directory.members.audiences import Audience, Field
from tests import importing, people, profile_rows
from tests.importing import table
from tests.people import Person

HEADER = "number;email;full name;headline;phone"


@pytest.fixture
async def helene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    return await importing.coordinator(client, connection)


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person) -> Person:
    """Imported with a headline and a phone."""
    await importing.imported(
        client, table(HEADER, "1;awa@lemaire.example;Awa Lemaire;Du registre;'+32 81 22 22 22")
    )
    row = await connection.fetchrow("SELECT id, account_id FROM member WHERE number = '1'")
    assert row is not None
    return Person(row["account_id"], row["id"], "awa@lemaire.example")


async def held(connection: asyncpg.Connection, person: Person) -> tuple[str, str, str]:
    row = await connection.fetchrow(
        "SELECT headline, phone, email::text FROM member m JOIN account a ON a.id = m.account_id"
        " WHERE m.id = $1",
        person.member_id,
    )
    assert row is not None
    return row["headline"], row["phone"], row["email"]


NEWER = table(HEADER, "1;;Awa Lemaire;Du registre en mars;'+32 4 333 33 33")


async def test_what_the_member_did_not_touch_follows_the_register(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    done = await importing.imported(client, NEWER)
    assert (done["counts"]["changed"], done["counts"]["kept"]) == (1, 0)
    assert (await held(connection, awa))[:2] == ("Du registre en mars", "+32 4 333 33 33")


async def test_what_the_member_wrote_stays_unless_the_plan_says_so(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await connection.execute("UPDATE member SET headline = 'Mes mots' WHERE id = $1", awa.member_id)
    found = await importing.planned(client, NEWER)
    (row,) = await importing.rows(client, found["id"])
    kept = [one for one in row["changes"] if one["verdict"] == "kept"]
    assert [(one["field"], one["old"]) for one in kept] == [("headline", "Mes mots")]
    await importing.committed(client, found)
    assert (await held(connection, awa))[:2] == ("Mes mots", "+32 4 333 33 33")
    await importing.imported(client, NEWER, overwrite=True)
    assert (await held(connection, awa))[0] == "Du registre en mars"


async def test_what_the_member_deleted_does_not_come_back(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await connection.execute("UPDATE member SET phone = '' WHERE id = $1", awa.member_id)
    await importing.imported(client, NEWER)
    assert (await held(connection, awa))[1] == ""


async def test_what_others_do_not_see_is_not_told_by_comparing_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    """The same plan, whether the file guesses the number that the member wrote or not."""
    await connection.execute(
        "UPDATE member SET phone = '+32 9 999 99 99' WHERE id = $1", awa.member_id
    )
    told = []
    for phone in ("'+32 9 999 99 99", "'+32 9 111 11 11"):
        for overwrite in (False, True):
            found = await importing.planned(
                client, table(HEADER, f"1;;Awa Lemaire;;{phone}"), overwrite=overwrite
            )
            assert "999 99" not in str(found).replace(phone, "")
            rows = await importing.rows(client, found["id"])
            changes = [(one["field"], one["old"], one["verdict"]) for one in rows[0]["changes"]]
            told.append((found["counts"], changes))
    assert told[0] == told[2]
    assert told[1] == told[3]
    assert told[0][1] == [("phone", None, "kept")]


async def test_an_address_that_is_confirmed_is_the_member_s_own(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    other = table(HEADER, "1;autre@lemaire.example;Awa Lemaire;;")
    await importing.imported(client, other)
    assert (await held(connection, awa))[2] == "autre@lemaire.example"
    await connection.execute("UPDATE account SET email_confirmed_at = now()")
    back = table(HEADER, "1;awa@lemaire.example;Awa Lemaire;;")
    done = await importing.imported(client, back, overwrite=True)
    assert done["counts"]["kept"] == 1
    assert (await held(connection, awa))[2] == "autre@lemaire.example"


async def test_an_import_takes_no_account_over_that_has_a_role(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await people.grants(connection, awa, "administrator")
    await importing.imported(
        client, table(HEADER, "1;mallory@lemaire.example;Awa Lemaire;;"), overwrite=True
    )
    assert (await held(connection, awa))[2] == "awa@lemaire.example"


async def test_audiences_are_never_touched(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    chosen = dict.fromkeys(Field, Audience.FILIERES)
    await profile_rows.choose(connection, awa, chosen)
    before = await connection.fetchval("SELECT audiences FROM member WHERE id = $1", awa.member_id)
    await importing.imported(client, NEWER, overwrite=True)
    after = await connection.fetchval("SELECT audiences FROM member WHERE id = $1", awa.member_id)
    assert before == after


async def test_the_log_has_who_imported_and_the_names_of_what_changed(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, awa: Person
) -> None:
    await importing.imported(client, NEWER)
    rows = await connection.fetch(
        "SELECT action, account_id, fields FROM audit_entry WHERE member_id = $1 ORDER BY id",
        awa.member_id,
    )
    assert [row["action"] for row in rows] == ["member.imported", "profile.imported"]
    assert rows[1]["fields"] == ["headline", "phone"]
    assert {row["account_id"] for row in rows} == {helene.account_id}
    names = await connection.fetch("SELECT action FROM audit_entry WHERE subject LIKE 'import:%'")
    assert {row["action"] for row in names} >= {"import.received", "import.committed"}
