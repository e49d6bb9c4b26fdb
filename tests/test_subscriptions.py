"""Joining, choosing what to receive, and the proof of it."""

import asyncpg
import pytest

from directory import errors
from directory.subscriptions import links, wordings

SECRET = b"s" * 40


async def test_loading_the_wordings_twice_changes_nothing(connection: asyncpg.Connection) -> None:
    await wordings.load(connection)
    before = await connection.fetch("SELECT * FROM consent_wording ORDER BY id")
    await wordings.load(connection)
    assert await connection.fetch("SELECT * FROM consent_wording ORDER BY id") == before
    assert len(before) == 15


async def test_a_wording_changed_without_a_new_version_is_refused(
    connection: asyncpg.Connection,
) -> None:
    await wordings.load(connection)
    await connection.execute(
        "UPDATE consent_wording SET text = 'Autre chose' WHERE topic = 'legal'"
    )
    with pytest.raises(wordings.WordingChanged, match="legal fr 1"):
        await wordings.load(connection)


def test_a_link_is_good_for_one_purpose() -> None:
    path = links.unsubscribe_path(SECRET, 7, "news", [12, 3])
    token = path.split("/")[2]
    assert path == f"/m/{token}/stop"
    assert links.read_unsubscribe(SECRET, token).filiere_ids == (3, 12)
    with pytest.raises(errors.NotFound):
        links.read_preferences(SECRET, token)
    with pytest.raises(errors.NotFound):
        links.read_undo(SECRET, token)


def test_a_masked_address_shows_one_letter() -> None:
    assert links.masked("awa@lemaire.example") == "a•••@lemaire.example"
