"""A filière on approval, its animator, and who knocks: for the tests of joining."""

import asyncpg
import msgspec

from directory.accounts.actor import Actor, Grant, Role, filiere_scope
from directory.accounts.sessions import COOKIE, open_session
from tests import people
from tests.people import Person


def actor(person: Person, *grants: Grant) -> Actor:
    return Actor(account_id=person.account_id, member_id=person.member_id, grants=frozenset(grants))


def animator(person: Person, filiere_id: int) -> Actor:
    return actor(person, Grant(Role.ANIMATOR, filiere_scope(filiere_id)))


async def vetted(connection: asyncpg.Connection, slug: str = "web") -> int:
    """An active filière on approval."""
    filiere_id = await people.filiere(connection, slug)
    await connection.execute("UPDATE filiere SET openness = 'approval' WHERE id = $1", filiere_id)
    return filiere_id


async def fill_places(connection: asyncpg.Connection, person: Person, count: int = 3) -> list[str]:
    """Put somebody into so many other filières; their slugs."""
    slugs = [f"other-{number}" for number in range(count)]
    for slug in slugs:
        filiere_id = await connection.fetchval("SELECT id FROM filiere WHERE slug = $1", slug)
        filiere_id = filiere_id or await people.filiere(connection, slug, slug.capitalize())
        await connection.execute(
            "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
            filiere_id, person.member_id,
        )  # fmt: skip
    return slugs


async def signed(person: Person) -> dict[str, str]:
    """Headers of a request in somebody's name, whoever the client is signed in as."""
    return {"cookie": f"{COOKIE}={await open_session(person.account_id, 'test')}"}


class Door(msgspec.Struct, frozen=True):
    """Awa would come in, Clémence answers."""

    web: int
    awa: Person
    clemence: Person


async def door(connection: asyncpg.Connection) -> Door:
    web = await vetted(connection)
    awa = await people.member(connection, "Awa Lemaire", "awa@lemaire.example")
    clemence = await people.member(connection, "Clémence Wauters", "clemence@wauters.example")
    await people.animates(connection, clemence, web)
    await connection.execute(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)", web, clemence.member_id
    )
    return Door(web, awa, clemence)
