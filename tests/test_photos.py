"""A member's photo: read, written anew, shown to whom they choose, and gone."""

import io

import asyncpg
import httpx
import pytest
from PIL import Image

from tests import people
from tests.people import Person


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """A member who is signed in."""
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    return awa


def picture(kind: str = "JPEG", size: tuple[int, int] = (900, 600), mode: str = "RGB") -> bytes:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    out = io.BytesIO()
    image.convert(mode).save(out, kind)
    return out.getvalue()


async def put(
    client: httpx.AsyncClient, person: Person, content: bytes, **given: str
) -> httpx.Response:
    headers = {"content-type": given.pop("type", "image/jpeg")}
    return await client.put(
        f"/api/v1/members/{person.member_id}/photo", content=content, headers=headers, params=given
    )


async def test_a_photo_is_shown_in_two_sizes(client: httpx.AsyncClient, awa: Person) -> None:
    answer = await put(client, awa, picture())
    assert answer.status_code == 200, answer.text
    photo = answer.json()["photo"]
    for size, side in (("large", 512), ("small", 96)):
        shown = await client.get(photo[size])
        assert shown.status_code == 200
        assert shown.headers["content-type"] == "image/webp"
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert shown.headers["cache-control"].startswith("private,")
        assert Image.open(io.BytesIO(shown.content)).size == (side, side)
