"""What search engines and address books read: what is public of members, and nothing else."""

import json
import re
from xml.etree import ElementTree

import asyncpg
import httpx
from hypothesis import given
from hypothesis import strategies as st

from directory import indexing, settings
from directory.members import public_pages
from directory.members.views import LinkView, MemberView, PlaceView, Word
from directory.settings import Settings
from tests import people

TEXT = (
    st.text(
        st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"),
        min_size=1,
        max_size=200,
    )
    .map(str.strip)
    .filter(bool)
)
NAMES = {"s": public_pages._NAMESPACE}


def views() -> st.SearchStrategy[MemberView]:
    return st.builds(
        MemberView, id=st.just(7), display_name=TEXT.map(lambda name: name.replace("\n", " ")),
        headline=TEXT, biography=TEXT, phone=st.sampled_from(["", "+32 470 11 22 33"]),
        email=st.sampled_from([None, "awa@coop.example"]),
        trades=st.lists(TEXT.map(lambda label: Word("code", label)), max_size=2),
        place=st.none() | st.just(PlaceView("be-5000", "Namur; centre", "BE-WNA", "Namur, BE")),
        links=st.just([LinkView("site", "https://awa.example/?a=1&b=2")]),
    )  # fmt: skip


@given(views())
def test_nothing_ends_the_script_element_of_a_profile(view: MemberView) -> None:
    settings.use(Settings(demo=True, secret_key="x" * 40, base_url="https://coop.example"))
    text = str(public_pages.person(view))
    assert not set(text) & set("<>&\u2028\u2029")
    said = json.loads(text)
    assert (said["@type"], said["name"]) == ("Person", view.display_name)


async def mapped(client: httpx.AsyncClient) -> list[str]:
    index = ElementTree.fromstring((await client.get("/sitemap.xml")).text)
    found = []
    for part in index.findall("s:sitemap/s:loc", NAMES):
        assert part.text
        page = await client.get(part.text)
        assert page.headers["content-type"].startswith("application/xml")
        found += [
            one.text or ""
            for one in ElementTree.fromstring(page.text).findall("s:url/s:loc", NAMES)
        ]
    return found


async def published(connection: asyncpg.Connection, **audiences: str) -> int:
    member_id = (await people.member(connection, "Awa </script> Ndiaye")).member_id
    await connection.execute(
        "UPDATE member SET audiences = $2, headline = 'Menuisière', phone = '+32 470 11 22 33'"
        " WHERE id = $1",
        member_id, json.dumps({"display_name": "public", "headline": "public"} | audiences),
    )  # fmt: skip
    await indexing.rebuild()
    return member_id


async def test_a_public_profile_tells_search_engines_what_visitors_see(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    member_id = await published(connection)
    page = (await client.get(f"/members/{member_id}")).text
    address = f"http://testserver.local/members/{member_id}"
    assert f'<link rel="canonical" href="{address}">' in page
    assert 'property="og:title" content="Awa &lt;/script&gt; Ndiaye"' in page
    (text,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    said = json.loads(text)
    assert (said["name"], said["url"]) == ("Awa </script> Ndiaye", address)
    assert "telephone" not in said
    assert "noindex" not in page
    assert address in await mapped(client)
    assert "Sitemap: http://testserver.local/sitemap.xml" in (await client.get("/robots.txt")).text


async def test_what_members_see_is_not_for_search_engines(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    member_id = await published(connection, phone="members")
    await people.sign_in(client, await people.member(connection, "Noé"))
    page = (await client.get(f"/members/{member_id}")).text
    assert '<meta name="robots" content="noindex">' in page
    assert "ld+json" not in page
    card = (await client.get(f"/members/{member_id}/card.vcf")).text
    assert "TEL:+32 470 11 22 33" in card
    client.cookies.clear()
    assert "TEL" not in (await client.get(f"/members/{member_id}/card.vcf")).text


async def test_who_left_or_hid_is_gone_from_every_address_at_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    member_id = await published(connection)
    addresses = [
        f"/members/{member_id}", f"/members/{member_id}/card.vcf",
        f"/api/v1/members/{member_id}", f"/api/v1/members/{member_id}/card",
    ]  # fmt: skip
    nobody = [address.replace(f"members/{member_id}", "members/999999") for address in addresses]
    for change, undo in (
        ("left_on = current_date", "left_on = NULL"),
        (
            """audiences = '{"display_name": "members", "headline": "public"}'""",
            """audiences = '{"display_name": "public", "headline": "public"}'""",
        ),
    ):
        assert [(await client.get(address)).status_code for address in addresses] == [200] * 4
        assert (await client.get("/api/v1/members")).json()["total"] == 1
        await connection.execute(f"UPDATE member SET {change} WHERE id = $1", member_id)
        await connection.execute(
            "INSERT INTO search_outbox (index_name, id) VALUES ('members', $1)", member_id
        )
        for address, other in zip(addresses, nobody, strict=True):
            gone, never = await client.get(address), await client.get(other)
            assert (gone.status_code, never.status_code) == (404, 404)
            assert gone.text.replace(f"members/{member_id}", "") == never.text.replace(
                "members/999999", ""
            )
        assert (await client.get("/api/v1/members")).json()["items"] == []
        assert all(f"/members/{member_id}" not in address for address in await mapped(client))
        await connection.execute(f"UPDATE member SET {undo} WHERE id = $1", member_id)
        await indexing.drain()


async def test_the_map_ends(client: httpx.AsyncClient) -> None:
    assert await mapped(client) == ["http://testserver.local/"]
    for part in ("0", "2", "999999999999999999999"):
        assert (await client.get(f"/sitemap/{part}")).status_code == 404
