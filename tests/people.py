"""People for tests."""

import itertools

import asyncpg
import httpx
import msgspec

from directory.accounts import sessions

_numbers = itertools.count(1)


class Person(msgspec.Struct, frozen=True):
    account_id: int
    member_id: int
    email: str


async def member(
    connection: asyncpg.Connection, name: str = "Awa Lemaire", email: str = "", language: str = "fr"
) -> Person:
    """A member with a confirmed address."""
    email = email or f"member{next(_numbers)}@test.example"
    account_id = await connection.fetchval(
        "INSERT INTO account (email, email_confirmed_at, language) VALUES ($1, now(), $2) "
        "RETURNING id",
        email,
        language,
    )
    member_id = await connection.fetchval(
        "INSERT INTO member (account_id, display_name) VALUES ($1, $2) RETURNING id",
        account_id,
        name,
    )
    return Person(account_id, member_id, email)


async def filiere(
    connection: asyncpg.Connection, slug: str, name: str = "Métiers du web", kind: str = "trade"
) -> int:
    """An active, open filière."""
    filiere_id: int = await connection.fetchval(
        "INSERT INTO filiere (slug, kind, stage, name_fr, purpose_fr) "
        "VALUES ($1, $2::filiere_kind, 'active', $3, 'Comparer nos prix.') RETURNING id",
        slug,
        kind,
        name,
    )
    return filiere_id


async def animates(connection: asyncpg.Connection, person: Person, filiere_id: int) -> None:
    await connection.execute(
        "INSERT INTO mandate (filiere_id, member_id, role, starts_on, ends_on) "
        "VALUES ($1, $2, 'animator', current_date - 30, current_date + 300)",
        filiere_id,
        person.member_id,
    )
    await grants(connection, person, "animator", f"filiere:{filiere_id}")


async def grants(
    connection: asyncpg.Connection, person: Person, role: str, scope: str = ""
) -> None:
    await connection.execute(
        "INSERT INTO access_grant (account_id, role, scope, starts_on) "
        "VALUES ($1, $2::access_role, $3, current_date - 30)",
        person.account_id,
        role,
        scope,
    )


async def sign_in(client: httpx.AsyncClient, person: Person) -> None:
    client.cookies.set(sessions.COOKIE, await sessions.open_session(person.account_id, "test"))
