"""A plan is applied as it was read, whole, or not at all."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from directory.members.imports import work
from directory.members.imports.record import CommitAsked, ImportAsked
from tests import importing, people
from tests.importing import table
from tests.people import Person
from tests.test_command_line import filieres

HEADER = "number;full name;headline;left on"
PATIENCE = 60
MANY = 4_000


@pytest.fixture
async def helene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    return await importing.coordinator(client, connection)


async def test_another_hash_is_refused(client: httpx.AsyncClient, helene: Person) -> None:
    found = await importing.planned(client, table(HEADER, "1;Awa Lemaire;;"))
    for wrong in ("", "0" * 64, found["hash"][:-1]):
        answer = await client.post(
            f"/api/v1/members/imports/{found['id']}/commit", json={"hash": wrong}
        )
        assert answer.status_code == 409
    assert (await importing.get(client, found["id"]))["state"] == "planned"


async def test_a_plan_that_members_moved_under_is_made_anew_and_not_applied(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    await importing.imported(client, table(HEADER, "1;Awa Lemaire;Ici;", "2;Noé Quispe;Là;"))
    found = await importing.planned(client, table(HEADER, "1;Awa Lemaire;Ailleurs;"))
    path = f"/api/v1/members/imports/{found['id']}/commit"
    await connection.execute("UPDATE member SET headline = 'Loin' WHERE number = '2'")
    await connection.execute("UPDATE member SET biography = 'Autre' WHERE number = '1'")
    await connection.execute("UPDATE member SET headline = 'À moi' WHERE number = '1'")
    answer = await client.post(path, json={"hash": found["hash"]})
    assert answer.status_code == 409
    again = await importing.get(client, found["id"])
    assert (again["state"], again["is_moved"]) == ("planned", True)
    assert again["hash"] != found["hash"]
    assert again["counts"]["kept"] == 1
    assert (await client.post(path, json={"hash": found["hash"]})).status_code == 409
    assert (await client.post(path, json={"hash": again["hash"]})).status_code == 202


async def test_what_the_plan_does_not_depend_on_may_move(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    await importing.imported(client, table(HEADER, "1;Awa Lemaire;Ici;", "2;Noé Quispe;Là;"))
    found = await importing.planned(client, table(HEADER, "1;Awa Lemaire;Ailleurs;"))
    await connection.execute("UPDATE member SET headline = 'Loin' WHERE number = '2'")
    await connection.execute("UPDATE member SET biography = 'Autre' WHERE number = '1'")
    assert (await importing.committed(client, found))["state"] == "done"


async def test_what_moves_between_asking_and_applying_stops_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    await importing.imported(client, table(HEADER, "1;Awa Lemaire;Ici;"))
    found = await importing.planned(client, table(HEADER, "1;Awa Lemaire;Ailleurs;"))
    path = f"/api/v1/members/imports/{found['id']}/commit"
    assert (await client.post(path, json={"hash": found["hash"]})).status_code == 202
    await connection.execute("UPDATE member SET headline = 'À moi' WHERE number = '1'")
    await work.apply(CommitAsked(found["id"]))
    again = await importing.get(client, found["id"])
    assert (again["state"], again["is_moved"]) == ("planned", True)
    assert await connection.fetchval("SELECT headline FROM member WHERE number = '1'") == "À moi"


async def test_applying_or_reading_twice_is_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    done = await importing.imported(client, table(HEADER, "1;Awa Lemaire;Ici;"))
    await work.apply(CommitAsked(done["id"]))
    await work.read_and_plan(ImportAsked(done["id"]))
    assert await importing.get(client, done["id"]) == done
    assert await connection.fetchval("SELECT count(*) FROM member") == 2
    answer = await client.post(
        f"/api/v1/members/imports/{done['id']}/commit", json={"hash": done["hash"]}
    )
    assert answer.status_code == 409


async def test_only_a_file_said_to_be_complete_makes_absentees_leave(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    await connection.execute("UPDATE member SET number = '0'")  # Hélène's
    await importing.imported(
        client, table(HEADER, "1;Awa Lemaire;Ici;", "2;Noé Quispe;Là;", "3;Zoé Rejet;;")
    )
    content = table(HEADER, "0;Hélène Petit;;", "1;Awa Lemaire;;", "3;Zoé Rejet;;demain")
    found = await importing.planned(client, content)
    assert found["counts"]["left"] == 0
    found = await importing.planned(client, content, complete=True)
    assert (found["counts"]["left"], found["counts"]["rejected"]) == (1, 1)
    (row,) = await importing.rows(client, found["id"], action="leave")
    assert (row["name"], row["line"]) == ("Noé Quispe", None)
    noe = await connection.fetchval("SELECT id FROM member WHERE number = '2'")
    await importing.committed(client, found)
    assert (await client.get(f"/api/v1/members/{noe}")).status_code == 404
    listed = (await client.get("/api/v1/members", params={"q": "Quispe"})).json()
    assert listed["total"] == 0
    assert await connection.fetchval("SELECT count(*) FROM member WHERE left_on IS NULL") == 3


async def test_a_day_of_leaving_makes_leave_and_a_dash_brings_back(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    await importing.imported(client, table(HEADER, "1;Awa Lemaire;;"))
    done = await importing.imported(client, table(HEADER, "1;;;2026-01-31"))
    assert done["counts"]["left"] == 1
    left = await connection.fetchval("SELECT left_on::text FROM member WHERE number = '1'")
    assert left == "2026-01-31"
    unknown = await importing.planned(client, table(HEADER, "9;Noé Parti;;2025-01-31"))
    assert unknown["counts"]["unchanged"] == 1
    await importing.imported(client, table(HEADER, "1;;;-"))
    assert await connection.fetchval("SELECT left_on FROM member WHERE number = '1'") is None


@asynccontextmanager
async def worker(database: str, folder: Path, last: signal.Signals) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.import_worker", database, str(folder)
    )
    try:
        yield
    finally:
        process.send_signal(last)
        await asyncio.wait_for(process.wait(), PATIENCE)


async def until(
    client: httpx.AsyncClient, import_id: int, *states: str, step: bool = False
) -> None:
    for _ in range(PATIENCE * 100):
        found = await importing.get(client, import_id)
        if found["state"] in states and (found["progress"]["step"] or not step):
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{states} not within {PATIENCE} s: {found}")


async def test_a_worker_killed_while_reading_or_applying_leaves_all_or_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person, database: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    lines = [f"{number};Membre {number};Ligne {number};" for number in range(1, MANY + 1)]
    answer = await client.post(
        "/api/v1/members/imports", content=table(HEADER, *lines), headers=importing.CSV
    )
    import_id = answer.json()["id"]
    async with worker(database, tmp_path, signal.SIGKILL):
        await until(client, import_id, "reading", step=True)
    async with worker(database, tmp_path, signal.SIGTERM):
        await until(client, import_id, "planned")
    found = await importing.get(client, import_id)
    assert found["counts"]["added"] == MANY
    path = f"/api/v1/members/imports/{import_id}/commit"
    assert (await client.post(path, json={"hash": found["hash"]})).status_code == 202
    async with worker(database, tmp_path, signal.SIGKILL):
        await until(client, import_id, "committing", step=True)
    assert await connection.fetchval("SELECT count(*) FROM member") in {1, MANY + 1}
    async with worker(database, tmp_path, signal.SIGTERM):
        await until(client, import_id, "done")
    assert await connection.fetchval("SELECT count(*) FROM member") == MANY + 1
    assert await connection.fetchval("SELECT count(*) FROM audit_entry WHERE member_id > 1") == MANY


async def test_the_command_line_plans_and_commits_that_plan_alone(
    client: httpx.AsyncClient, connection: asyncpg.Connection, database: str, tmp_path: Path
) -> None:
    file = tmp_path / "register.csv"
    file.write_bytes(table(HEADER, "1;Awa Lemaire;Ici;", "2;;;"))
    code, out, err = await filieres(
        "import-members", str(file), "--plan", DATABASE_URL=database, VAR_DIR=str(tmp_path)
    )
    assert code == 0, err
    assert "added 1, changed 0, left 0, unchanged 0, rejected 1" in out
    assert "line 3" in out
    hash_given = out.split()[-1]
    assert await connection.fetchval("SELECT count(*) FROM member") == 0
    assert await connection.fetchval("SELECT count(*) FROM import_row") == 0
    text = file.read_bytes()
    file.write_bytes(text + b"3;Noe Quispe;;")
    words = ("import-members", str(file), "--commit", hash_given)
    code, _, err = await filieres(*words, DATABASE_URL=database, VAR_DIR=str(tmp_path))
    assert code == 1
    assert await connection.fetchval("SELECT count(*) FROM member") == 0
    file.write_bytes(text)
    code, out, err = await filieres(*words, DATABASE_URL=database, VAR_DIR=str(tmp_path))
    assert (code, "is done" in out) == (0, True), err
    assert await connection.fetchval("SELECT count(*) FROM member") == 1
    code, _, err = await filieres(
        "import-members", str(tmp_path / "none.csv"), "--plan", DATABASE_URL=database
    )
    assert code == 1


async def test_what_is_older_than_its_use_is_forgotten(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    kept = await importing.planned(client, table(HEADER, "1;Awa Lemaire;;"))
    old = await importing.planned(client, table(HEADER, "2;Noé Quispe;;"))
    done = await importing.imported(client, table(HEADER, "3;Zoé Petit;;"))
    await connection.execute(
        "UPDATE member_import SET created_at = now() - interval '8 days' WHERE id = $1", old["id"]
    )
    await connection.execute(
        "UPDATE member_import SET finished_at = now() - interval '31 days' WHERE id = $1",
        done["id"],
    )
    await work.forget_old()
    rows = await connection.fetch("SELECT DISTINCT import_id FROM import_row")
    assert [row["import_id"] for row in rows] == [kept["id"]]
    assert (await importing.get(client, old["id"]))["state"] == "discarded"
    assert (await importing.get(client, done["id"]))["counts"]["added"] == 1


async def test_what_no_worker_looks_at_is_asked_again_and_given_up_in_the_end(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    answer = await client.post(
        "/api/v1/members/imports", content=table(HEADER, "1;Awa;;"), headers=importing.CSV
    )
    import_id = answer.json()["id"]
    await connection.execute(
        "UPDATE member_import SET touched_at = now() - interval '1 hour', attempts = 2"
    )
    await work.resume()
    assert await connection.fetchval("SELECT count(*) FROM pgqueuer") == 2
    await connection.execute(
        "UPDATE member_import SET touched_at = now() - interval '1 hour', attempts = 5"
    )
    await work.resume()
    assert (await importing.get(client, import_id))["state"] == "failed"
    await people.sign_in(client, helene)
    assert "s’est arrêté" in (await client.get(f"/members/import/{import_id}")).text
