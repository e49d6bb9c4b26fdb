"""What goes wrong is said clearly: the right status, the value's name, the reader's language."""

import logging
import re
from typing import Any, cast

import asyncpg
import httpx
import pytest
from litestar import Litestar, get

from directory.http import problems
from tests import people


async def test_an_unknown_parameter_is_named_with_the_one_that_was_meant(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/api/v1/members", params={"regionn": "BE-BRU"})
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["errors"][0]["field"] == "regionn"
    assert "«\u202fregion\u202f»" in problem["errors"][0]["message"]
    page = await client.get("/", params={"regionn": "BE-BRU"})
    assert page.status_code == 400
    assert "«\u202fregion\u202f»" in page.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"),
        ("page", "x"),
        ("limit", "51"),
        ("limit", "-1"),
        ("q", "a" * 10_000),
        ("exact", "perhaps"),
    ],
)
async def test_a_malformed_value_is_named(client: httpx.AsyncClient, name: str, value: str) -> None:
    answer = await client.get("/api/v1/members", params={name: value})
    assert answer.status_code == 400, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [name]


@pytest.mark.parametrize(
    "value", ["no-such", "\0", "x" * 2000, "' OR 1=1 --", "😀", "\u202egnirts"]
)
@pytest.mark.parametrize(
    "facet", ["trade", "sector", "filiere", "region", "language", "availability"]
)
async def test_a_facet_value_that_does_not_exist_is_refused(
    client: httpx.AsyncClient, facet: str, value: str
) -> None:
    answer = await client.get("/api/v1/members", params={facet: value})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == facet


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/filieres/nope",
        "/events/999999999",
        "/members/99999999999999999999",
        "/m/x",
        "/m/x/stop",
        "/%00",
        "/filieres/%00",
        "/login/%00",
        "/filieres/%F0%9F%98%80",
    ],
)
async def test_what_is_not_there_is_a_page_that_says_what_to_do(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code in {400, 404, 410}, answer.status_code
    assert "<h1>" in answer.text


async def test_a_problem_is_told_in_the_language_of_the_caller(client: httpx.AsyncClient) -> None:
    titles = set()
    for language in ("fr", "nl", "en"):
        answer = await client.get("/api/v1/me", headers={"accept-language": language})
        titles.add(answer.json()["title"])
    assert len(titles) == 3


async def test_the_unforeseen_is_logged_and_tells_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @get("/api/broken")
    async def broken() -> None:
        raise ZeroDivisionError("a secret")

    app = Litestar(
        [broken], exception_handlers={Exception: problems.from_fault}, logging_config=None
    )
    transport = httpx.ASGITransport(app=cast(Any, app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x.test") as client:
        with caplog.at_level(logging.ERROR):
            answer = await client.get("/api/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "a secret" in caplog.text


async def test_every_operation_has_an_id_a_summary_and_its_problems(
    client: httpx.AsyncClient,
) -> None:
    schema = (await client.get("/schema/openapi.json")).json()
    assert schema["openapi"].startswith("3.1")
    seen = set()
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            where = f"{method} {path}"
            assert operation["operationId"] not in seen, where
            seen.add(operation["operationId"])
            assert operation["summary"], where
            if path.startswith("/api/"):
                bad = operation["responses"]["400"]["content"]
                assert list(bad) == ["application/problem+json"], where


async def test_the_interactive_page_takes_its_script_from_here(client: httpx.AsyncClient) -> None:
    page = await client.get("/schema")
    assert "/static/vendor/rapidoc-min.js" in page.text
    assert "unpkg" not in page.text
    assert "googleapis" not in page.text


async def test_the_addresses_of_style_and_script_in_a_page_answer(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/about")).text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(addresses) >= 4
    for address in addresses:
        answer = await client.get(address)
        assert answer.status_code == 200, address


async def test_head_answers_as_get_without_the_body(client: httpx.AsyncClient) -> None:
    for path in ("/about", "/api/v1/members", "/nope", "/static/face.css"):
        whole, head = await client.get(path), await client.head(path)
        assert head.status_code == whole.status_code, path
        assert head.headers["content-type"] == whole.headers["content-type"]
        assert head.content == b""


async def test_an_error_for_a_part_of_a_page_is_a_notice(client: httpx.AsyncClient) -> None:
    answer = await client.get("/?regionn=x", headers={"hx-request": "true"})
    assert answer.status_code == 400
    assert "<html" not in answer.text
    assert answer.headers["hx-retarget"] == "#notice"


async def test_a_body_that_is_not_utf8_is_refused(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    answer = await client.post(
        "/api/v1/events",
        content=b'{"title": "\xff"}',
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 400


async def test_a_missing_and_an_unknown_field_of_a_body_are_named(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    await people.animates(connection, awa, await people.filiere(connection, "web"))
    await people.sign_in(client, awa)
    answer = await client.post("/api/v1/mailings", json={"topic": "news"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] != "data"
