"""Profiles that everybody may see, as search engines read them; and how they are gone at once."""

import html
import json
import re
from typing import Any
from xml.etree import ElementTree

import asyncpg
import httpx
import pytest

from directory import db
from directory import holdings as held
from directory.members import holdings, profiles, public_pages
from directory.members.audiences import Audience, Field
from tests import people, profile_rows
from tests.people import Person

SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
EVIL = "</script><script>alert(1)</script><!-- & \u2028 \"'"


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    person = await people.member(connection, "Awa Lemaire")
    await profile_rows.fill(connection, person)
    public = {field: Audience.PUBLIC for field in Field if field is not Field.PHONE}
    await profile_rows.choose(connection, person, public)
    async with db.transaction():
        await profiles.tell([person.member_id])
    return person


def data(page: str) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    found: dict[str, Any] = json.loads(text)
    return found


async def listed(client: httpx.AsyncClient, path: str = "/sitemap.xml") -> list[str]:
    answer = await client.get(path)
    assert answer.headers["content-type"].startswith("application/xml")
    return [str(one.text) for one in ElementTree.fromstring(answer.text).iter(f"{SPACE}loc")]


async def test_a_public_page_says_who_it_is_about_and_nothing_hidden(
    client: httpx.AsyncClient, awa: Person
) -> None:
    page = (await client.get(f"/members/{awa.member_id}")).text
    said = data(page)
    assert said["@type"] == "Person"
    assert said["name"] == "Awa Lemaire"
    assert said["address"]["addressLocality"] == "Namur"
    assert said["sameAs"] == ["https://lemaire.example"]
    assert "telephone" not in said
    url = f"http://testserver.local/members/{awa.member_id}"
    assert f'<link rel="canonical" href="{url}">' in page
    assert f'hreflang="nl" href="{url}?lang=nl"' in page
    assert '<meta property="og:title" content="Awa Lemaire">' in page
    assert "noindex" not in page
    dutch = (await client.get(f"/members/{awa.member_id}", params={"lang": "nl"})).text
    assert '<html lang="nl">' in dutch
    assert f'<link rel="canonical" href="{url}?lang=nl">' in dutch
    wrong = await client.get(f"/members/{awa.member_id}", params={"lang": "de"})
    assert wrong.status_code == 400


async def test_what_somebody_wrote_ends_no_script_and_no_attribute(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await connection.execute("UPDATE member SET headline = $1, display_name = $1", EVIL)
    page = (await client.get(f"/members/{awa.member_id}")).text
    assert "<script>alert" not in page
    assert data(page)["name"] == EVIL
    (title,) = re.findall(r'<meta property="og:title" content="(.*?)">', page)
    assert html.unescape(title) == EVIL


async def test_pages_of_those_who_are_signed_in_are_not_indexed(
    client: httpx.AsyncClient, awa: Person
) -> None:
    await people.sign_in(client, awa)
    page = (await client.get(f"/members/{awa.member_id}")).text
    assert '<meta name="robots" content="noindex">' in page
    assert "ld+json" not in page


async def test_the_sitemap_has_those_who_are_public(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    other = await people.member(connection)
    assert await listed(client) == [f"http://testserver.local/members/{awa.member_id}"]
    await profile_rows.choose(connection, other, {Field.DISPLAY_NAME: Audience.PUBLIC})
    assert len(await listed(client)) == 2
    robots = (await client.get("/robots.txt")).text
    assert "Sitemap: http://testserver.local/sitemap.xml" in robots
    assert "Disallow: /fresh/" in robots


async def test_a_long_sitemap_is_several_files(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(public_pages, "PER_FILE", 4)
    monkeypatch.setattr(public_pages, "PER_READ", 3)
    await connection.execute(
        "INSERT INTO member (display_name, audiences)"
        " SELECT 'M' || n, '{\"display_name\": \"public\"}' FROM generate_series(1, 9) n"
    )
    files = await listed(client)
    assert files == [f"http://testserver.local/sitemaps/{n}" for n in (1, 2, 3)]
    found = [url for n in (1, 2, 3) for url in await listed(client, f"/sitemaps/{n}")]
    assert len(found) == len(set(found)) == 10
    assert (await client.get("/sitemaps/4")).status_code == 404
    assert (await client.get("/sitemaps/0")).status_code == 404
    assert (await client.get("/sitemaps/99999999999999999999")).status_code == 404


@pytest.mark.parametrize("way", ["hides", "leaves", "is erased"])
async def test_who_leaves_is_gone_everywhere_at_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, way: str
) -> None:
    number = awa.member_id

    async def seen() -> list[bool]:
        pages = [
            (await client.get(path)).status_code == 200
            for path in (
                f"/members/{number}", f"/members/{number}/card.vcf", f"/api/v1/members/{number}",
                f"/api/v1/members/{number}/card",
            )
        ]  # fmt: skip
        found = (await client.get("/api/v1/members", params={"q": "lemaire"})).json()["total"] == 1
        browsed = (await client.get("/api/v1/members")).json()["total"] == 1
        return [*pages, found, browsed, bool(await listed(client))]

    assert all(await seen())
    person = held.Person(account_id=awa.account_id, member_id=number)
    async with db.transaction() as opened:
        if way == "leaves":
            await holdings.hide(opened, person)
        elif way == "is erased":
            await holdings.erase(opened, person)
        else:
            await opened.execute("UPDATE member SET audiences = '{}'")
            await profiles.tell([number])
    assert not any(await seen())
    assert "noindex" in (await client.get(f"/members/{number}")).text
