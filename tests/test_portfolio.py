"""What a member shows of their work: written, ordered, illustrated, and seen by whom they chose."""

import asyncio
import io
import re
from typing import Any

import asyncpg
import httpx
import pytest
from PIL import Image

from directory import files
from directory.members import portfolio
from directory.members.audiences import Audience, Field
from tests import people, profile_rows
from tests.people import Person
from tests.test_photos import HOSTILE, encoded, run_dropped


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    return awa


WIDE = encoded(Image.new("RGB", (3200, 1000), (9, 99, 9)), "PNG")


async def add(
    client: httpx.AsyncClient, person: Person, title: str, **given: Any
) -> httpx.Response:
    picture = given.pop("picture", None)
    return await client.post(
        f"/members/{person.member_id}/works",
        data={"title": title, **given},
        files={"picture": ("a.png", picture) if picture is not None else ("", b"")},
    )


async def entries(client: httpx.AsyncClient, person: Person) -> list[dict[str, Any]]:
    seen = (await client.get(f"/api/v1/members/{person.member_id}")).json()
    found: list[dict[str, Any]] = seen["portfolio"]
    return found


async def test_a_work_is_added_with_its_picture(client: httpx.AsyncClient, awa: Person) -> None:
    answer = await add(
        client, awa, "  Une  affiche ", year="2024", text="Pour le festival.\r\nSérigraphie.",
        url="atelier.example/affiche", picture=WIDE,
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    (entry,) = await entries(client, awa)
    picture = entry.pop("picture")
    assert entry == {
        "id": entry["id"], "title": "Une affiche", "year": 2024,
        "text": "Pour le festival.\nSérigraphie.", "url": "https://atelier.example/affiche",
    }  # fmt: skip
    assert (picture["width"], picture["height"]) == (1600, 500)
    for size, shape in (("large", (1600, 500)), ("small", (480, 150))):
        shown = await client.get(picture[size])
        assert Image.open(io.BytesIO(shown.content)).size == shape
    page = await client.get(f"/members/{awa.member_id}")
    assert 'width="1600" height="500" alt="Image de «' in page.text


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"title": " "}, "title", "Donnez un titre."),
        ({"title": "x" * 121}, "title", "120 signes au plus"),
        ({"title": "a\u202eb"}, "title", "signe invisible"),
        ({"title": "x", "year": "vingt"}, "year", "n’est pas une année"),
        ({"title": "x", "year": "1066"}, "year", "de 1900 à 2100"),
        ({"title": "x", "year": "٢٠٢٤"}, "year", "n’est pas une année"),
        ({"title": "x", "text": "x" * 1001}, "text", "1000 signes au plus"),
        ({"title": "x", "url": "javascript:alert(1)"}, "url", "n’est pas une adresse web"),
        ({"title": "x", "picture": HOSTILE["svg"]}, "picture", "JPEG, PNG ou WebP"),
        ({"title": "x", "picture": HOSTILE["half a png"]}, "picture", "abîmée"),
        ({"title": "x", "picture": HOSTILE["bomb"]}, "picture", "trop grand"),
    ],
)
async def test_what_does_not_fit_is_shown_again_with_the_reason(
    client: httpx.AsyncClient, awa: Person, form: dict[str, Any], field: str, words: str
) -> None:
    answer = await add(client, awa, **form)
    assert answer.status_code == 400
    assert words in answer.text
    assert re.search(f'id="{field}"[^>]* aria-invalid="true"', answer.text)
    assert await entries(client, awa) == []
    assert await files.list_keys("portfolio") == []


async def test_twelve_are_enough(client: httpx.AsyncClient, awa: Person) -> None:
    answers = await asyncio.gather(*(add(client, awa, f"Travail {n}") for n in range(14)))
    assert sorted(answer.status_code for answer in answers) == [303] * 12 + [409] * 2
    last = max(answers, key=lambda answer: answer.status_code)
    assert "Gardez 12 réalisations au plus" in last.text
    program = await client.post(f"/api/v1/members/{awa.member_id}/portfolio", json={"title": "x"})
    assert program.status_code == 409


async def test_works_are_put_in_order(client: httpx.AsyncClient, awa: Person) -> None:
    for title in "abc":
        await add(client, awa, title)
    ids = [entry["id"] for entry in await entries(client, awa)]
    path = f"/members/{awa.member_id}/works"
    for entry_id, towards, wanted in (
        (ids[2], "up", "acb"), (ids[2], "up", "cab"), (ids[2], "up", "cab"),
        (ids[0], "down", "cba"), (ids[0], "down", "cba"),
    ):  # fmt: skip
        moved = await client.post(f"{path}/{entry_id}/move", data={"towards": towards})
        assert moved.status_code == 303
        assert "".join(entry["title"] for entry in await entries(client, awa)) == wanted
    api = f"/api/v1/members/{awa.member_id}/portfolio/order"
    assert (await client.put(api, json={"entries": ids})).status_code == 200
    assert "".join(entry["title"] for entry in await entries(client, awa)) == "abc"
    for wrong in ([], ids[:2], [*ids, ids[0]], [*ids[:2], 10**18], [10**30]):
        assert (await client.put(api, json={"entries": wrong})).status_code == 400


async def test_a_work_is_changed_and_removed_with_its_files(
    client: httpx.AsyncClient, awa: Person, connection: asyncpg.Connection
) -> None:
    await add(client, awa, "a", picture=WIDE)
    await add(client, awa, "b")
    one, other = await entries(client, awa)
    path = f"/members/{awa.member_id}/works/{one['id']}"

    async def save(**form: str) -> None:
        page = await client.get(path)
        seen = re.findall('name="seen" value="([^"]+)"', page.text)[0]
        answer = await client.post(
            path, data={"title": "A", "seen": seen, **form}, files={"picture": ("", b"")}
        )
        assert answer.status_code == 303, answer.text

    await save(keeps="yes")
    kept = (await entries(client, awa))[0]
    assert (kept["title"], kept["picture"]) == ("A", one["picture"])
    await save(keeps="no")
    assert (await entries(client, awa))[0].get("picture") is None
    assert (await client.get(one["picture"]["large"])).status_code == 404
    await run_dropped(connection)
    assert await files.list_keys("portfolio") == []
    assert (await client.post(f"{path}/remove")).status_code == 303
    assert [entry["title"] for entry in await entries(client, awa)] == ["b"]
    assert (await client.post(f"{path}/remove")).status_code == 404
    assert await connection.fetchval("SELECT position FROM portfolio_entry") == 0
    acts = {row["action"] for row in await connection.fetch("SELECT action FROM audit_entry")}
    assert acts - {"session.opened"} == {portfolio.CHANGED}
    assert other["title"] == "b"


async def test_two_windows_on_one_work(client: httpx.AsyncClient, awa: Person) -> None:
    await add(client, awa, "a")
    (entry,) = await entries(client, awa)
    path = f"/members/{awa.member_id}/works/{entry['id']}"
    seen = re.findall('name="seen" value="([^"]+)"', (await client.get(path)).text)[0]
    answers = await asyncio.gather(
        *(
            client.post(path, data={"title": f"T{n}", "seen": seen}, files={"picture": ("", b"")})
            for n in range(5)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 4
    (now,) = await entries(client, awa)
    told = max(answers, key=lambda answer: answer.status_code)
    assert f"<b>{now['title']}</b>" in told.text
    assert "Garder ma version" in told.text


async def test_a_program_writes_a_work(client: httpx.AsyncClient, awa: Person) -> None:
    path = f"/api/v1/members/{awa.member_id}/portfolio"
    made = await client.post(path, json={"title": "Un livre", "year": 2020})
    assert made.status_code == 201, made.text
    entry_id = made.json()["portfolio"][0]["id"]
    picture = await client.put(
        f"{path}/{entry_id}/picture", content=WIDE, headers={"content-type": "image/png"}
    )
    assert picture.json()["portfolio"][0]["picture"]["width"] == 1600
    empty = await client.put(
        f"{path}/{entry_id}/picture", content=b"", headers={"content-type": "image/png"}
    )
    assert empty.status_code == 400
    anew = await client.put(f"{path}/{entry_id}", json={"title": "Deux livres"})
    (entry,) = anew.json()["portfolio"]
    assert (entry["title"], entry.get("year")) == ("Deux livres", None)
    assert entry["picture"] == picture.json()["portfolio"][0]["picture"]
    for body in ({"title": "x", "yeer": 1}, {"year": 1}, {"title": 3}, {"title": "x", "year": "x"}):
        assert (await client.post(path, json=body)).status_code == 400
    assert (await client.delete(f"{path}/{entry_id}")).status_code == 204
    assert (await client.delete(f"{path}/{entry_id}")).status_code == 404
    assert (await client.delete(f"{path}/{10**30}")).status_code == 404


async def test_a_work_and_its_picture_are_seen_by_those_who_may(
    client: httpx.AsyncClient, awa: Person, connection: asyncpg.Connection
) -> None:
    await add(client, awa, "Une affiche rare", picture=WIDE)
    picture = (await entries(client, awa))[0]["picture"]["small"]
    for audience, seen in ((Audience.ME, False), (Audience.PUBLIC, True)):
        chosen = {Field.PORTFOLIO: audience, Field.DISPLAY_NAME: Audience.PUBLIC}
        await profile_rows.choose(connection, awa, chosen)
        client.cookies.clear()
        page = await client.get(f"/members/{awa.member_id}")
        assert ("Une affiche rare" in page.text) is seen
        assert "/works/" not in page.text
        assert (await client.get(picture)).status_code == (200 if seen else 404)


async def test_nobody_writes_anothers_works(
    client: httpx.AsyncClient, awa: Person, connection: asyncpg.Connection
) -> None:
    await add(client, awa, "a")
    (entry,) = await entries(client, awa)
    bob = await people.member(connection, "Bob")
    await people.sign_in(client, bob)
    pages, api = f"/members/{awa.member_id}/works", f"/api/v1/members/{awa.member_id}/portfolio"
    for status in (403, 401):
        for method, path, given in (
            ("GET", f"{pages}/new", {}),
            ("GET", f"{pages}/{entry['id']}", {}),
            ("POST", pages, {"files": {"title": (None, "x")}}),
            ("POST", f"{pages}/{entry['id']}", {"files": {"title": (None, "x")}}),
            ("POST", f"{pages}/{entry['id']}/move", {"data": {"towards": "up"}}),
            ("POST", f"{pages}/{entry['id']}/remove", {}),
            ("POST", api, {"json": {"title": "x"}}),
            ("PUT", f"{api}/{entry['id']}", {"json": {"title": "x"}}),
            ("DELETE", f"{api}/{entry['id']}", {}),
            ("PUT", f"{api}/order", {"json": {"entries": []}}),
        ):
            answer = await client.request(method, path, **given)
            assert answer.status_code == status, (method, path, answer.text)
        client.cookies.clear()
    await people.sign_in(client, bob)
    own = await client.delete(f"/api/v1/members/{bob.member_id}/portfolio/{entry['id']}")
    assert own.status_code == 404
    assert await connection.fetchval("SELECT count(*) FROM portfolio_entry") == 1
