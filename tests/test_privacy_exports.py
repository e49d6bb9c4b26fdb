"""A copy of all that is held about a person: complete, readable, theirs alone, gone in a week."""

import asyncio
import io
import json
import os
import re
import tracemalloc
import zipfile

import asyncpg
import httpx
import pytest

from directory import files
from directory.accounts import tokens
from directory.accounts.actor import Scope
from directory.privacy import exports
from directory.privacy.exports import ExportAsked
from tests import known_person, people
from tests.known_person import ACCOUNT, MEMBER, PICTURE
from tests.people import Person


@pytest.fixture
async def zelie(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    person = await known_person.is_there(connection)
    await people.sign_in(client, person)
    return person


async def made(client: httpx.AsyncClient) -> zipfile.ZipFile:
    asked = await client.post("/api/v1/me/exports")
    assert asked.status_code == 202, asked.text
    export_id = asked.json()["id"]
    await exports.make(ExportAsked(export_id, ACCOUNT))
    answer = await client.get(f"/api/v1/me/exports/{export_id}/file")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-length"] == str(len(answer.content))
    return zipfile.ZipFile(io.BytesIO(answer.content))


async def test_a_copy_has_each_domain_a_page_and_the_files(
    zelie: Person, client: httpx.AsyncClient
) -> None:
    archive = await made(client)
    assert archive.testzip() is None
    names = set(archive.namelist())
    assert names == {
        "index.html",
        *(f"data/{domain}.json" for domain in
          ("accounts", "members", "filieres", "subscriptions", "events", "mailings", "privacy")),
        f"files/photo/{MEMBER}/large.png",
        f"files/portfolio/{MEMBER}/one.png",
    }  # fmt: skip
    assert archive.read(f"files/photo/{MEMBER}/large.png") == PICTURE
    read = {name: json.loads(archive.read(name)) for name in names if name.endswith(".json")}
    assert read["data/accounts.json"]["account"][0]["email"] == zelie.email
    profile = read["data/members.json"]["profile"][0]
    assert profile["display_name"] == known_person.NAME
    assert profile["audiences"] == {
        "phone": "members", "biography": "public", "display_name": "public",
    }  # fmt: skip
    ledger = read["data/subscriptions.json"]["consent_ledger"][0]
    assert ledger["filiere"] == "tours"
    assert ledger["wording"]
    empty = {
        (file, section) for file, held in read.items() for section, rows in held.items() if not rows
    }
    assert empty == set(), "a section that the known person has no row in"


async def test_the_page_of_a_copy_is_text_without_script_or_address_of_elsewhere(
    zelie: Person, client: httpx.AsyncClient
) -> None:
    page = (await made(client)).read("index.html").decode()
    assert "Escamoteuse &amp; &lt;b&gt;magie&lt;/b&gt;" in page
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!files/)', page)
    assert "Nom affiché" in page
    assert "accord donné" in page


async def test_a_forwarded_link_gives_nothing(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await made(client)
    export_id = await connection.fetchval("SELECT max(id) FROM personal_export")
    paths = (f"/account/data/exports/{export_id}", f"/api/v1/me/exports/{export_id}/file")
    for path in paths:
        assert (await client.get(path)).status_code == 200
    client.cookies.clear()
    for path in (*paths, "/account/data", "/api/v1/me/exports"):
        assert (await client.get(path)).status_code == 401
    assert (await client.post("/api/v1/me/exports")).status_code == 401
    await people.sign_in(client, await people.member(connection))
    for path in paths:
        answer = await client.get(path)
        assert answer.status_code == 404
        assert "escamoteuse" not in answer.text.lower()
    assert (await client.get("/api/v1/me/exports")).json() == []
    assert (await client.get(f"/api/v1/me/exports/{2**70}")).status_code == 404


async def test_one_copy_at_a_time_and_three_a_day(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    first, second = await asyncio.gather(*(client.post("/api/v1/me/exports") for _ in range(2)))
    assert first.json()["id"] == second.json()["id"]
    for _ in range(3):
        assert (await client.post("/api/v1/me/exports")).status_code == 202
        await connection.execute(
            "UPDATE personal_export SET state = 'failed' WHERE state = 'asked'"
        )
    refused = await client.post("/api/v1/me/exports")
    assert refused.status_code == 429
    assert refused.headers["content-type"].startswith("application/problem+json")


async def test_a_copy_is_gone_after_a_week_row_and_file(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await made(client)
    await connection.execute("UPDATE personal_export SET expires_at = now()")
    export_id = await connection.fetchval("SELECT max(id) FROM personal_export")
    assert (await client.get(f"/account/data/exports/{export_id}")).status_code == 404
    assert await files.list_keys(f"export/{ACCOUNT}")
    await exports.forget_expired()
    assert await files.list_keys(f"export/{ACCOUNT}") == []
    assert await connection.fetchval("SELECT count(*) FROM personal_export") == 0


async def test_a_copy_whose_job_was_lost_can_be_asked_for_again(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    lost = (await client.post("/api/v1/me/exports")).json()["id"]
    await connection.execute("UPDATE personal_export SET asked_at = now() - interval '25 hours'")
    await exports.forget_expired()
    again = await client.post("/api/v1/me/exports")
    assert again.json()["id"] != lost
    await exports.make(ExportAsked(lost, ACCOUNT))  # the job comes back from the dead
    assert f"export/{ACCOUNT}/{lost}.zip" not in await files.list_keys(f"export/{ACCOUNT}")


async def test_a_copy_of_who_was_erased_meanwhile_is_not_left_behind(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    export_id = (await client.post("/api/v1/me/exports")).json()["id"]
    await connection.execute("DELETE FROM account WHERE id = $1", ACCOUNT)
    await files.put(f"export/{ACCOUNT}/{export_id}.zip", b"written by a run that was killed")
    await exports.make(ExportAsked(export_id, ACCOUNT))
    assert f"export/{ACCOUNT}/{export_id}.zip" not in await files.list_keys(f"export/{ACCOUNT}")


async def test_a_token_needs_its_scope(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    client.cookies.clear()
    for scope, status in ((Scope.PROFILE_WRITE, 403), (Scope.ACCOUNT_EXPORT, 202)):
        headers = {"Authorization": f"Bearer {await tokens.create(zelie.email, [scope])}"}
        assert (await client.post("/api/v1/me/exports", headers=headers)).status_code == status


async def test_staff_without_a_profile_get_their_copy_too(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    account_id = await connection.fetchval(
        "INSERT INTO account (email) VALUES ('bureau@test.example') RETURNING id"
    )
    await people.sign_in(client, Person(account_id, 0, "bureau@test.example"))
    assert (await client.get("/account/data")).status_code == 200
    export_id = (await client.post("/api/v1/me/exports")).json()["id"]
    await exports.make(ExportAsked(export_id, account_id))
    answer = await client.get(f"/api/v1/me/exports/{export_id}/file")
    held = json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("data/members.json"))
    assert held["profile"] == []


async def test_a_copy_takes_no_more_memory_of_who_has_more(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    # One without much first, so that what is read once for all is not counted.
    first_id = (await client.post("/api/v1/me/exports")).json()["id"]
    await exports.make(ExportAsked(first_id, ACCOUNT))
    await connection.execute("DELETE FROM personal_export")
    await connection.execute(
        "INSERT INTO audit_entry (account_id, action, member_id, subject) "
        "SELECT $1, 'profile.changed', $2, repeat('x', 200) FROM generate_series(1, 40000)",
        ACCOUNT, MEMBER,
    )  # fmt: skip
    for number in range(8):
        await files.put(f"portfolio/{MEMBER}/{number}.png", os.urandom(2_000_000))
    export_id = (await client.post("/api/v1/me/exports")).json()["id"]
    tracemalloc.start()
    await exports.make(ExportAsked(export_id, ACCOUNT))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000, f"{peak / 1e6:.1f} MB"
