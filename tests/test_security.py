"""What somebody hostile tries, and what they get."""

import time
from pathlib import Path

import asyncpg
import httpx
import pytest

from directory.accounts import login, sessions, tokens
from directory.accounts.actor import Scope
from tests import people

CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/?no=1", "/members/1", "/preferences", "/api/v1/no", "/static/no.js"]
)
async def test_errors_are_as_guarded_as_pages(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_no_answer_of_the_api_stays_in_a_cache(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    person = await people.member(connection)
    await people.sign_in(client, person)
    for path in ("/api/v1/me", f"/api/v1/members/{person.member_id}", "/api/v1/members/0"):
        assert (await client.get(path)).headers["cache-control"] == "no-store"
    assert "no-store" not in (await client.get("/static/face.css")).headers.get("cache-control", "")


@pytest.mark.parametrize("scheme", ["Basic eDp5", "bearer", "Digest x"])
async def test_a_password_that_a_proxy_asked_for_opens_no_way_for_other_sites(
    client: httpx.AsyncClient, connection: asyncpg.Connection, scheme: str
) -> None:
    person = await people.member(connection)
    await people.sign_in(client, person)
    answer = await client.post(
        f"/members/{person.member_id}/confirm", headers=CROSS_SITE | {"Authorization": scheme}
    )
    assert answer.status_code in {401, 403}
    assert await connection.fetchval("SELECT confirmed_at FROM member") is None


async def test_a_token_reads_no_consents_without_the_right_to_them(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    person = await people.member(connection)
    filiere_id = await people.filiere(connection, "web")
    await connection.execute(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
        filiere_id,
        person.member_id,
    )
    token = await tokens.create(person.email, [Scope.MEMBERS_READ])
    headers = {"Authorization": f"Bearer {token}"}
    assert (await client.get("/preferences", headers=headers)).status_code == 403
    undo = await client.post("/preferences/undo", headers=headers, data={"undo": "x"})
    assert undo.status_code == 403
    page = await client.get("/filieres/web", headers=headers)
    assert page.status_code == 200
    assert "/filieres/web/consents" not in page.text


async def test_who_left_the_cooperative_animates_no_more(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    person = await people.member(connection)
    await people.animates(connection, person, await people.filiere(connection, "web"))
    await people.sign_in(client, person)
    assert (await client.get("/api/v1/me")).json()["roles"] != []
    await connection.execute("UPDATE member SET left_on = current_date")
    assert (await client.get("/api/v1/me")).json()["roles"] == []
    assert (await client.get("/events/new")).status_code == 403


@pytest.mark.parametrize("name", ["%00", "x" * 300, "1" * 300, "é" * 200])
@pytest.mark.parametrize("folder", ["/static/", "/demo/mailbox/"])
async def test_a_file_that_no_disk_could_hold_is_not_found(
    client: httpx.AsyncClient, tmp_path: Path, folder: str, name: str
) -> None:
    (tmp_path / "mailbox").mkdir()
    assert (await client.get(f"{folder}{name}")).status_code == 404


async def test_a_body_nested_without_end_is_malformed(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    answer = await client.put(
        "/api/v1/me/consents", content=b"[" * 100_000, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400


async def test_a_mailing_takes_no_field_that_it_does_not_have(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    person = await people.member(connection)
    filiere_id = await people.filiere(connection, "web")
    await people.animates(connection, person, filiere_id)
    await people.sign_in(client, person)
    draft = {"filiere_ids": [filiere_id], "topic": "news", "subject": "s", "body": "b"}
    answer = await client.post("/api/v1/mailings", json={**draft, "state": "sent"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "state"


async def test_a_profile_with_too_many_links_is_refused_before_they_are_read(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    person = await people.member(connection)
    await people.sign_in(client, person)
    for field in ("links", "skills_offered"):
        began = time.perf_counter()
        answer = await client.patch(
            f"/api/v1/members/{person.member_id}",
            json={"version": 1, field: [f"{number}.be" for number in range(100_000)]},
        )
        assert answer.status_code == 400
        assert time.perf_counter() - began < 0.7


async def test_thousands_of_unknown_parameters_are_not_each_looked_up(
    client: httpx.AsyncClient,
) -> None:
    query = "&".join(f"languag{number:x}=" for number in range(5_000))
    answer = await client.get(f"/api/v1/members?{query}")
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) <= 20


def test_a_path_to_come_back_to_has_an_end() -> None:
    assert login.local_path("/" + "a" * 10_000) == "/"
    assert login.local_path("/members/1?as=public") == "/members/1?as=public"


async def test_what_no_longer_signs_in_is_forgotten(
    database: str, connection: asyncpg.Connection, client: httpx.AsyncClient
) -> None:
    person = await people.member(connection)
    await people.sign_in(client, person)
    for table, hash_ in (("session", b"a"), ("login_link", b"b")):
        await connection.execute(
            f"INSERT INTO {table} (token_hash, account_id, expires_at) "
            "VALUES ($1, $2, now() - interval '2 days')",
            hash_, person.account_id,
        )  # fmt: skip
    await sessions.forget_expired()
    await login.forget_expired()
    assert await connection.fetchval("SELECT count(*) FROM session") == 1
    assert await connection.fetchval("SELECT count(*) FROM login_link") == 0


async def test_the_mail_in_the_mailbox_posts_nowhere(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    folder = tmp_path / "mailbox"
    folder.mkdir()
    name = "20261122T053300000000-000001"
    (folder / f"{name}.eml").write_bytes(
        b"X-Envelope-To: a@b.example\r\nFrom: a@b.example\r\nSubject: s\r\n"
        b"Content-Type: text/html\r\n\r\n<script>alert(1)</script><form action=//x.example>"
    )
    answer = await client.get(f"/demo/mailbox/{name}/html")
    policy = answer.headers["content-security-policy"]
    assert answer.headers.get_list("content-security-policy") == [policy]
    assert policy.startswith("default-src 'none'")
    assert "form-action 'none'" in policy
    assert "frame-ancestors 'none'" in policy
