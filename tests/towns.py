"""Two filières, their people, and an event for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import icalendar
import msgspec

from tests import people
from tests.people import Person


class Town(msgspec.Struct, frozen=True):
    """Two filières; Clémence runs the first, Noé the second. Awa is in the first."""

    web: int
    image: int
    animator: Person
    other_animator: Person
    insider: Person
    member: Person
    coordinator: Person


async def build(connection: asyncpg.Connection) -> Town:
    web = await people.filiere(connection, "web")
    image = await people.filiere(connection, "image", "Image et édition")
    town = Town(
        web,
        image,
        animator=await people.member(connection, "Clémence Wauters"),
        other_animator=await people.member(connection, "Noé Lambrecht"),
        insider=await people.member(connection, "Awa Lemaire"),
        member=await people.member(connection, "Baudouin Lekeu"),
        coordinator=await people.member(connection, "Hélène Carlier"),
    )
    await people.animates(connection, town.animator, web)
    await people.animates(connection, town.other_animator, image)
    await people.grants(connection, town.coordinator, "coordinator")
    await connection.execute(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
        web, town.insider.member_id,
    )  # fmt: skip
    return town


def draft(**changed: object) -> dict[str, object]:
    """What the API takes: in 40 days, at 18:30 in Brussels."""
    day = (datetime.now(UTC) + timedelta(days=40)).date()
    return {
        "title": "Chiffrer un site sans se perdre",
        "kind": "training",
        "filieres": ["web"],
        "starts_at": f"{day}T18:30",
        "ends_at": f"{day}T21:30",
        "audience": "public",
        "location": "La Filature, 14 quai des Tanneurs",
        **changed,
    }


def form(**changed: object) -> dict[str, object]:
    """What the page sends, with the same event."""
    api = draft()
    day = str(api["starts_at"])[:10]
    return {
        "title": api["title"], "kind": "training", "filieres": "web", "starts_on": day,
        "starts_time": "18:30", "ends_on": "", "ends_time": "21:30",
        "timezone": "Europe/Brussels", "audience": "public", "description": "", "place": "",
        "location": api["location"], "online_url": "", "language": "fr", "accessibility": "",
        "capacity": "", "price": "", "sequence": "", **changed,
    }  # fmt: skip


async def listed(client: httpx.AsyncClient, town: Town, **changed: object) -> dict[str, Any]:
    """An event that the animator of the first filière lists; the client is a visitor after."""
    await people.sign_in(client, town.animator)
    answer = await client.post("/api/v1/events", json=draft(**changed))
    client.cookies.clear()
    assert answer.status_code == 201, answer.text
    event: dict[str, Any] = answer.json()
    return event


async def refused(client: httpx.AsyncClient, town: Town, **changed: object) -> dict[str, str]:
    """The messages for a draft that does not hold, by field."""
    await people.sign_in(client, town.animator)
    answer = await client.post("/api/v1/events", json=draft(**changed))
    assert answer.status_code == 400, answer.text
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


def parsed(answer: httpx.Response) -> icalendar.Calendar:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    read = icalendar.Calendar.from_ical(answer.content)
    assert isinstance(read, icalendar.Calendar)
    return read
