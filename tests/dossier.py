"""A filière with a dossier, who reads it and who writes it."""

from typing import Any

import asyncpg
import httpx
import pytest

from directory.filieres import evidence
from tests import crowd, people
from tests.crowd import TRADES
from tests.people import Person

API = "/api/v1/filieres/web/dossier"
PAGE = "/filieres/web/dossier"
MOVE = "/api/v1/filieres/web/timeline"


async def read(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get(API)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def criterion(found: dict[str, Any], name: str) -> dict[str, Any]:
    one: dict[str, Any] = next(each for each in found["criteria"] if each["name"] == name)
    return one


@pytest.fixture
async def web(client: httpx.AsyncClient, connection: asyncpg.Connection) -> int:
    """A filière that gathers support, of a trade of 40 people in two offices, counted."""
    await crowd.territories(connection, "liege", "namur", "gand")
    for place, territory in (("be-4000-liege", "liege"), ("be-5000-namur", "namur")):
        await crowd.of(connection, 20, trade=TRADES[0], place=place, territory=territory)
    filiere_id = await crowd.filiere(connection, "web")
    await evidence.refresh_due()
    return filiere_id


@pytest.fixture
async def awa(connection: asyncpg.Connection) -> Person:
    return await people.member(connection)


@pytest.fixture
async def helene(connection: asyncpg.Connection) -> Person:
    person = await people.member(connection, "Hélène Carlier")
    await people.grants(connection, person, "coordinator")
    return person
