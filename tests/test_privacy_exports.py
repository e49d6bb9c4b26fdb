"""A copy of all that is held about a person: complete, readable, theirs alone, gone in a week."""

import io
import json
import re
import zipfile

import asyncpg
import httpx
import pytest

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
