"""Files are written whole, read back, listed by folder and deleted.

In a folder always; in S3 where S3_TEST_ENDPOINT names a server with a bucket `filieres-test`.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from directory import errors, files, settings
from directory.settings import Settings

S3 = os.environ.get("S3_TEST_ENDPOINT", "")
BUCKET = "filieres-test"


@pytest.fixture(params=["", f"s3://{BUCKET}", f"s3://{BUCKET}/a/prefix"])
async def store(request: pytest.FixtureRequest, chosen: Settings) -> AsyncIterator[str]:
    """A place for files, empty before and after."""
    if request.param and not S3:
        pytest.skip("S3_TEST_ENDPOINT names no server")
    before = settings.current() if settings._current else chosen
    settings.use(
        msgspec.structs.replace(
            chosen,
            files_url=request.param,
            s3_endpoint=S3 if request.param else "",
            s3_access_key="test",
            s3_secret_key="test",
        )
    )
    if request.param:
        async with httpx.AsyncClient() as client:
            await client.put(f"{S3}/{BUCKET}")
        await files.delete_all("photo")
    yield request.param
    await files.delete_all("photo")
    settings.use(before)


@pytest.fixture
def folder(chosen: Settings) -> Iterator[Path]:
    before = settings.current() if settings._current else chosen
    settings.use(chosen)
    yield chosen.var_dir / "files"
    assert (chosen.var_dir / "files").stat().st_mode & 0o077 == 0
    settings.use(before)


async def test_a_file_comes_back_as_it_was_put_and_is_gone_when_deleted(store: str) -> None:
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


async def test_a_folder_is_deleted_without_its_neighbours(store: str) -> None:
    for key in ("photo/1/one", "photo/1/two", "photo/12/other"):
        await files.put(key, b"x")
    assert sorted(await files.list_keys("photo/1")) == ["photo/1/one", "photo/1/two"]
    await files.delete_all("photo/1")
    assert await files.list_keys("photo") == ["photo/12/other"]


async def test_a_large_file_comes_in_pieces(store: str, tmp_path: Path) -> None:
    content = os.urandom(12_000_000)
    (tmp_path / "large").write_bytes(content)
    with (tmp_path / "large").open("rb") as file:
        await files.put_file("photo/1/large", file)
    pieces = [piece async for piece in files.chunks("photo/1/large")]
    assert len(pieces) > 1
    assert b"".join(pieces) == content


async def test_a_folder_is_only_for_its_owner(folder: Path) -> None:
    await files.put("photo/1/one", b"x")


async def test_no_key_leaves_the_folder(folder: Path) -> None:
    with pytest.raises(ValueError, match="illegal"):
        await files.put("photo/../../outside", b"x")
