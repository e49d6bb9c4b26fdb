"""Files are written whole, read back, listed by folder and deleted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from directory import errors, files, settings
from directory.settings import Settings


@pytest.fixture
def folder(chosen: Settings) -> Iterator[Path]:
    before = settings.current() if settings._current else chosen
    settings.use(chosen)
    yield chosen.var_dir / "files"
    assert (chosen.var_dir / "files").stat().st_mode & 0o077 == 0
    settings.use(before)


async def test_a_file_comes_back_as_it_was_put_and_is_gone_when_deleted(folder: Path) -> None:
    await files.put("photo/1/one", b"first")
    await files.put("photo/1/one", b"second")
    assert await files.read("photo/1/one") == b"second"
    assert b"".join([piece async for piece in files.chunks("photo/1/one")]) == b"second"
    await files.delete("photo/1/one")
    await files.delete("photo/1/one")
    with pytest.raises(errors.NotFound):
        await files.read("photo/1/one")
    with pytest.raises(errors.NotFound):
        [piece async for piece in files.chunks("photo/1/one")]


async def test_a_folder_is_deleted_without_its_neighbours(folder: Path) -> None:
    for key in ("photo/1/one", "photo/1/two", "photo/12/other"):
        await files.put(key, b"x")
    assert sorted(await files.list_keys("photo/1")) == ["photo/1/one", "photo/1/two"]
    await files.delete_all("photo/1")
    assert await files.list_keys("photo") == ["photo/12/other"]


async def test_no_key_leaves_the_folder(folder: Path) -> None:
    with pytest.raises(ValueError, match="illegal"):
        await files.put("photo/../../outside", b"x")
