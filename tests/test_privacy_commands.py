"""Export, erasure and retention from the command line."""

import json
import zipfile
from pathlib import Path

import asyncpg
import httpx

from tests import known_person, people
from tests.known_person import EMAIL, MEMBER
from tests.test_command_line import filieres


async def test_a_copy_is_written_where_it_is_wanted_and_over_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, database: str, tmp_path: Path
) -> None:
    await known_person.is_there(connection)
    path = tmp_path / "copy.zip"
    words = ("export", EMAIL, "--output", str(path))
    code, out, err = await filieres(*words, DATABASE_URL=database, VAR_DIR=str(tmp_path))
    assert code == 0, err
    assert "copy.zip" in out
    assert path.stat().st_mode & 0o077 == 0
    archive = zipfile.ZipFile(path)
    assert json.loads(archive.read("data/accounts.json"))["account"][0]["email"] == EMAIL
    assert f"files/photo/{MEMBER}/large.png" in archive.namelist()
    code, _, err = await filieres(*words, DATABASE_URL=database, VAR_DIR=str(tmp_path))
    assert code == 1
    assert "exists" in err
    code, _, err = await filieres("export", "rien@test.example", DATABASE_URL=database)
    assert code == 1
    assert "rien@test.example" in err


async def test_an_erasure_wants_the_address_typed_again(
    connection: asyncpg.Connection, client: httpx.AsyncClient, database: str, tmp_path: Path
) -> None:
    await known_person.is_there(connection)
    place = {"DATABASE_URL": database, "VAR_DIR": str(tmp_path)}
    code, _, err = await filieres("erase", EMAIL, **place)
    assert code == 1
    assert "nothing was changed" in err
    code, out, _ = await filieres("erase", EMAIL, "--yes", **place)
    assert code == 0
    assert "Out of sight. Erased on" in out
    assert await connection.fetchval("SELECT left_on FROM member WHERE id = $1", MEMBER)
    code, out, err = await filieres("erase", EMAIL, "--yes", "--now", **place)
    assert (code, out.strip()) == (0, "Erased."), err
    assert not await connection.fetchval("SELECT true FROM member WHERE id = $1", MEMBER)
    assert not (tmp_path / "files" / "photo" / str(MEMBER)).exists() or not any(
        (tmp_path / "files" / "photo" / str(MEMBER)).iterdir()
    )


async def test_a_member_without_an_account_is_erased_by_their_number(
    connection: asyncpg.Connection, database: str, tmp_path: Path
) -> None:
    number = await connection.fetchval(
        "INSERT INTO member (display_name) VALUES ('Noa') RETURNING id"
    )
    code, out, err = await filieres(
        "erase", f"member:{number}", "--yes", "--now",
        DATABASE_URL=database, VAR_DIR=str(tmp_path),
    )  # fmt: skip
    assert (code, out.strip()) == (0, "Erased."), err
    assert await connection.fetchval("SELECT count(*) FROM member") == 0


async def test_the_plan_of_retention_changes_nothing_and_the_doctor_counts_it(
    connection: asyncpg.Connection, database: str
) -> None:
    person = await people.member(connection)
    await connection.execute("UPDATE account SET signed_in_at = now() - interval '4 years'")
    code, out, _ = await filieres("retention", "--plan", DATABASE_URL=database)
    assert code == 0
    assert f"announce  dormant  account:{person.account_id} member:{person.member_id}" in out
    assert await connection.fetchval("SELECT count(*) FROM erasure") == 0
    _, out, _ = await filieres("doctor", DATABASE_URL=database)
    assert "1 to announce" in out
    code, out, _ = await filieres("retention", DATABASE_URL=database)
    assert code == 0
    assert "1 announced" in out
    assert await connection.fetchval("SELECT count(*) FROM erasure") == 1
