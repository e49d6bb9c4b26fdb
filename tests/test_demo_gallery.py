"""The pictures of the demonstration: drawn, the same each time, and of nobody."""

import io
from datetime import date

import asyncpg
import pytest
from PIL import Image

from directory import db, files, settings
from directory.demo import drawings, families, gallery, loading
from directory.languages import LANGUAGES
from directory.members import portfolio
from directory.settings import Settings

TODAY = date(2026, 11, 22)


def test_a_number_gives_the_same_picture_and_another_number_another() -> None:
    busts = {drawings.bust(number).tobytes() for number in range(gallery.BUSTS)}
    assert len(busts) == gallery.BUSTS
    assert drawings.bust(7).tobytes() in busts
    posters = {drawings.poster(number).tobytes() for number in range(gallery.POSTERS)}
    assert len(posters) == gallery.POSTERS
    assert drawings.bust(0).size == (drawings.SQUARE, drawings.SQUARE)
    assert drawings.poster(0).size == drawings.WIDE


def test_what_is_shown_keeps_the_rules_of_portfolios() -> None:
    assert set(gallery.shown()) <= set(families.by_key())
    for group in gallery.shown().values():
        for language in LANGUAGES:
            told = getattr(group, language)
            assert 3 <= len(told) <= portfolio.MOST
            for title, text in told:
                assert 0 < len(title) <= portfolio.LONGEST_TITLE
                assert 0 < len(text) <= portfolio.LONGEST_TEXT


@pytest.fixture
async def hung(connection: asyncpg.Connection, chosen: Settings) -> None:
    settings.use(chosen)
    await loading.load(connection, members=150, seed=7, today=TODAY, progress=lambda *_: None)
    counts = await gallery.hang(connection, seed=7, today=TODAY)
    for table, count in counts.items():
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == count


async def test_part_of_the_members_show_a_face_and_some_their_work(
    connection: asyncpg.Connection, hung: None
) -> None:
    rows = await connection.fetch("SELECT member_id, name FROM member_photo")
    assert 0.3 < len(rows) / 150 < 0.65
    keys = set(await files.list_keys("photo")) | set(await files.list_keys("portfolio"))
    for row in rows:
        for side in (512, 96):
            key = f"photo/{row['member_id']}/{row['name']}-{side}.webp"
            keys.remove(key)
            assert Image.open(io.BytesIO(await files.read(key))).size == (side, side)
    works = await connection.fetch("SELECT * FROM portfolio_entry ORDER BY member_id, position")
    assert len(works) > 10
    for work in works:
        for side in (1600, 480):
            keys.remove(f"portfolio/{work['member_id']}/{work['picture']}-{side}.webp")
    assert keys == set()
    assert not await connection.fetchval(
        "SELECT count(*) FROM member_photo JOIN member m ON m.id = member_id"
        " WHERE m.left_on IS NOT NULL"
    )
    cast = await connection.fetchval(
        "SELECT count(*) FROM member_photo JOIN member m ON m.id = member_id"
        " WHERE m.number::integer <= 10"
    )
    assert cast == 10


async def test_what_goes_wrong_leaves_no_file(
    app: object, connection: asyncpg.Connection, chosen: Settings
) -> None:
    settings.use(chosen)
    await loading.load(connection, members=60, seed=7, today=TODAY, progress=lambda *_: None)
    member_id = await connection.fetchval(
        "SELECT id FROM member WHERE left_on IS NULL ORDER BY id OFFSET 9 LIMIT 1"
    )
    (chosen.var_dir / "files" / "photo").mkdir(parents=True)
    (chosen.var_dir / "files" / "photo" / str(member_id)).symlink_to("/proc/none")  # in the way
    with pytest.raises(BaseExceptionGroup):
        async with db.transaction() as opened:
            await gallery.hang(opened, seed=7, today=TODAY)
    assert await files.list_keys("photo") == []
    assert await connection.fetchval("SELECT count(*) FROM member_photo") == 0
