"""API tokens: who makes them, what they may do, when they end."""

import re

import asyncpg
import httpx
import pytest

from directory import errors
from directory.accounts import token_mails, tokens
from directory.accounts.actor import Scope
from directory.accounts.tokens import TokenMade
from directory.demo import mailbox
from tests import people
from tests.test_accounts import post_office

__all__ = ["post_office"]
MINE = "/api/v1/me/tokens"
READS = {"name": "Tableur", "scopes": ["members:read"], "days": 30}


async def make(client: httpx.AsyncClient, **changes: object) -> dict[str, object]:
    answer = await client.post(MINE, json=READS | changes)
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


def bearer(secret: object) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


async def test_a_member_makes_a_token_that_is_shown_once_and_reads(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    answer = await client.post(MINE, json=READS)
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert tokens.is_well_formed(made["secret"])
    listed = await client.get(MINE)
    assert made["secret"] not in listed.text
    assert [one["ending"] for one in listed.json()] == [made["secret"][-4:]]
    client.cookies.clear()
    me = await client.get("/api/v1/me", headers=bearer(made["secret"]))
    assert me.json()["member_id"] == awa.member_id
    days = await connection.fetchval("SELECT expires_at - created_at FROM api_token")
    assert days.days == 30


async def test_the_page_shows_the_secret_in_the_answer_alone(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    form = {"name": "Site", "scopes": ["members:read", "profile:write"], "days": "90"}
    answer = await client.post("/account/tokens", data=form)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    found = re.search(r'value="(fil_\w+)"', answer.text)
    assert found
    assert tokens.is_well_formed(found[1])
    assert "Il ne sera plus jamais montré" in answer.text
    again = await client.get("/account/tokens")
    assert found[1] not in again.text
    assert f"…{found[1][-4:]}" in again.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "a\x07b"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["vocabulary:write"]}, "scopes"),
        ({"scopes": ["observatory:read"]}, "scopes"),
        ({"scopes": ["nothing:read"]}, "scopes[0]"),
        ({"days": 0}, "days"),
        ({"days": 366}, "days"),
    ],
)
async def test_what_cannot_be_is_refused_naming_the_field(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    changes: dict[str, object],
    field: str,
) -> None:
    await people.sign_in(client, await people.member(connection))
    answer = await client.post(MINE, json=READS | changes)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert await connection.fetchval("SELECT count(*) FROM api_token") == 0


@pytest.mark.parametrize(
    "changes", [{"name": ""}, {"scopes": []}, {"scopes": ["x"]}, {"days": "3650"}]
)
async def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(
    client: httpx.AsyncClient, connection: asyncpg.Connection, changes: dict[str, object]
) -> None:
    await people.sign_in(client, await people.member(connection))
    form = {"name": "Mon tableur", "scopes": ["members:read"], "days": "30"} | changes
    answer = await client.post("/account/tokens", data=form)
    assert answer.status_code == 400
    assert 'class="error"' in answer.text
    assert str(form["name"]) in answer.text


async def test_only_the_scopes_that_the_account_can_use_are_offered(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    page = (await client.get("/account/tokens")).text
    assert set(re.findall(r'name="scopes" value="([^"]+)"', page)) == {
        "members:read", "profile:write", "filieres:write",
    }  # fmt: skip
    await people.animates(connection, awa, await people.filiere(connection, "web"))
    page = (await client.get("/account/tokens")).text
    assert set(re.findall(r'name="scopes" value="([^"]+)"', page)) == {
        "members:read", "profile:write", "filieres:write", "mailings:write", "events:write",
    }  # fmt: skip


async def test_a_token_makes_reads_and_ends_no_token(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    secret = await tokens.create(awa.email, list(Scope))
    token_id = await connection.fetchval("SELECT id FROM api_token")
    headers = bearer(secret)
    for method, path, body in (
        ("GET", MINE, None),
        ("POST", MINE, READS),
        ("DELETE", f"{MINE}/{token_id}", None),
    ):
        answer = await client.request(method, path, json=body, headers=headers)
        assert answer.status_code == 403, (method, path)
    for method, path in (
        ("GET", "/account"),
        ("GET", "/account/tokens"),
        ("POST", "/account/tokens"),
        ("POST", f"/account/tokens/{token_id}/revoke"),
    ):
        answer = await client.request(method, path, headers=headers)
        assert answer.status_code == 403, (method, path)
    assert await connection.fetchval("SELECT count(*) FROM api_token WHERE revoked_at IS NULL") == 1


async def test_anothers_token_is_not_there_and_lives_on(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa, noe = await people.member(connection), await people.member(connection, "Noé")
    await tokens.create(awa.email, [Scope.MEMBERS_READ])
    token_id = await connection.fetchval("SELECT id FROM api_token")
    await people.sign_in(client, noe)
    for number in (token_id, 0, 2**63, 10**30):
        assert (await client.delete(f"{MINE}/{number}")).status_code == 404
    assert (await client.post(f"/account/tokens/{token_id}/revoke")).status_code == 404
    assert await connection.fetchval("SELECT revoked_at FROM api_token") is None


async def test_a_revoked_token_ends_at_once_and_again_changes_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    made = await make(client)
    for _ in range(2):
        assert (await client.delete(f"{MINE}/{made['id']}")).status_code == 204
    client.cookies.clear()
    answer = await client.get("/api/v1/me", headers=bearer(made["secret"]))
    assert answer.status_code == 401
    actions = await connection.fetch(
        "SELECT action FROM audit_entry WHERE action NOT LIKE 'session.%' ORDER BY id"
    )
    assert [action for (action,) in actions] == ["token.created", "token.revoked"]


async def test_there_is_a_limit_of_live_tokens(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    for _ in range(tokens.MOST_LIVE):
        made = await make(client)
    full = await client.post(MINE, json=READS)
    assert full.status_code == 409
    assert full.json()["type"].endswith("tokens-full")
    assert "Révoquez-en un" in (await client.get("/account/tokens")).text
    await client.delete(f"{MINE}/{made['id']}")
    await make(client)


@pytest.mark.parametrize(
    ("change", "path", "expected"),
    [
        ("UPDATE account SET disabled_at = now()", "/api/v1/me", 401),
        ("DELETE FROM account", "/api/v1/me", 401),
        ("UPDATE api_token SET expires_at = now()", "/api/v1/me", 401),
        ("UPDATE member SET left_on = current_date", "/api/v1/mailings", 403),
        ("UPDATE member SET left_on = current_date", "/api/v1/me/consents", 403),
        ("DELETE FROM access_grant", "/api/v1/mailings", 403),
        ("UPDATE access_grant SET ends_on = current_date - 1", "/api/v1/mailings", 403),
        ("UPDATE access_grant SET starts_on = current_date + 1", "/api/v1/mailings", 403),
    ],
)
async def test_a_token_does_no_more_than_its_account_does_today(
    client: httpx.AsyncClient, connection: asyncpg.Connection,
    change: str, path: str, expected: int,
) -> None:  # fmt: skip
    awa = await people.member(connection)
    await people.animates(connection, awa, await people.filiere(connection, "web"))
    client.headers.update(bearer(await tokens.create(awa.email, list(Scope))))
    assert (await client.get(path)).status_code == 200
    await connection.execute(change)
    assert (await client.get(path)).status_code == expected


async def test_the_owner_is_told_when_a_token_is_made(
    client: httpx.AsyncClient, connection: asyncpg.Connection, post_office: None
) -> None:
    awa = await people.member(connection)
    secret = await tokens.create(awa.email, [Scope.MEMBERS_READ], "Site <b>")
    token_id = await connection.fetchval("SELECT id FROM api_token")
    await token_mails.tell_made(TokenMade(token_id))
    mail = mailbox.get_mail(mailbox.list_letters(awa.email)[0][0].name).as_string()
    assert "/account/tokens" in mail
    assert secret not in mail
    await tokens.revoke_any(str(token_id))
    await token_mails.tell_made(TokenMade(token_id))
    assert mailbox.list_letters(awa.email)[1] == 1


async def test_a_week_before_its_end_the_owner_is_told_once(
    connection: asyncpg.Connection, post_office: None
) -> None:
    awa = await people.member(connection)
    for days in (30, 30, 5, 90):
        await tokens.create(awa.email, [Scope.MEMBERS_READ], f"{days}", days)
    await connection.execute(
        "UPDATE api_token SET created_at = created_at - interval '24 days', "
        "expires_at = expires_at - interval '24 days' WHERE name = '30'"
    )
    await connection.execute("UPDATE api_token SET revoked_at = now() WHERE id = 1")
    for _ in range(2):
        await token_mails.warn()
    jobs = await connection.fetch(
        "SELECT payload FROM pgqueuer WHERE entrypoint LIKE '%tell_expiring'"
    )
    assert [job["payload"] for job in jobs] == [b'{"token_id":2}']
    await token_mails.tell_expiring(token_mails.TokenExpiring(2))
    assert mailbox.list_letters(awa.email)[1] == 1


async def test_ended_tokens_are_forgotten_after_a_while(connection: asyncpg.Connection) -> None:
    awa = await people.member(connection)
    for _ in range(3):
        await tokens.create(awa.email, [Scope.MEMBERS_READ])
    await connection.execute(
        "UPDATE api_token SET revoked_at = now() - interval '91 days' WHERE id = 1"
    )
    await connection.execute("UPDATE api_token SET revoked_at = now() WHERE id = 2")
    await tokens.forget_ended()
    assert [
        row["id"] for row in await connection.fetch("SELECT id FROM api_token ORDER BY id")
    ] == [2, 3]


async def test_a_leaked_token_is_ended_by_its_text(connection: asyncpg.Connection) -> None:
    awa = await people.member(connection)
    secret = await tokens.create(awa.email, [Scope.MEMBERS_READ])
    assert await tokens.revoke_any(secret) == 1
    with pytest.raises(errors.NotFound):
        await tokens.revoke_any(secret)


@pytest.mark.parametrize(
    "text", ["", "fil_", "fil_" + "a" * 46, "ghp_" + "a" * 46, "fil_é" + "a" * 45]
)
def test_what_is_no_token_of_ours_has_another_form(text: str) -> None:
    assert not tokens.is_well_formed(text)
