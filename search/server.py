"""One Meilisearch server: what is asked of it, and one error for all the ways it fails."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Self

import httpx2
import msgspec
from meilisearch_python_sdk import AsyncClient
from meilisearch_python_sdk.errors import MeilisearchApiError, MeilisearchError
from meilisearch_python_sdk.models.search import SearchParams, SearchResultsWithUID
from meilisearch_python_sdk.models.settings import MeilisearchSettings
from meilisearch_python_sdk.types import JsonDict

from search import settings
from search.documents import Audience, Index

SEARCH_SECONDS = 0.5
WRITE_SECONDS = 10.0
CONNECT_SECONDS = 2.0
NOT_FOUND = 404
_FAULTY = ("1.41.", "1.42.")  # their typo tolerance loses hits


# What the SDK makes of an answer. Pydantic builds a class for it, in 3 ms, each time that nobody
# keeps the one before.
Answer = SearchResultsWithUID[JsonDict]


class Unavailable(Exception):
    """The server does not answer as it should: away, too slow, overloaded, or not set up."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """prefix stands before the names of indexes, where several installations share a server."""

    url: str
    key: str = ""
    prefix: str = ""


class Server:
    """Keeps its connections open, in the event loop where it is first used."""

    def __init__(self, address: Address, *, seconds: float) -> None:
        self._prefix = address.prefix
        is_secret = address.url.startswith("https://")
        self._client = AsyncClient(address.url, address.key or None, verify=is_secret)
        # The SDK takes whole seconds only.
        self._client.http_client.timeout = httpx2.Timeout(
            seconds, connect=min(seconds, CONNECT_SECONDS)
        )
        # A compressed answer comes in chunks, and the last of them 40 ms late: it waits for the
        # delayed acknowledgement of the one before.
        self._client.http_client.headers["Accept-Encoding"] = "identity"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    def uid(self, index: Index, audience: Audience) -> str:
        """The version of the settings is in it: a new one builds its own indexes."""
        return f"{self._prefix}{index.name}_{audience}_{settings.VERSION}"

    async def search(self, queries: list[SearchParams]) -> list[Answer]:
        with _failing():
            found = await self._client.multi_search(queries)
        if not isinstance(found, list):
            raise Unavailable("not the answer to several queries")
        return found

    async def version(self) -> str:
        with _failing():
            return (await self._client.get_version()).pkg_version

    async def exists(self, uid: str) -> bool:
        try:
            with _failing():
                await self._client.get_index(uid)
        except Unavailable as error:
            if _is_absent(error.__cause__):
                return False
            raise
        return True

    async def create(self, uid: str, body: dict[str, Any]) -> list[int]:
        """Give back the tasks: creation is like every other write."""
        with _failing():
            created = await self._client.http_client.post(
                "indexes", json={"uid": uid, "primaryKey": "id"}
            )
            created.raise_for_status()
            return [created.json()["taskUid"], await self.set_up(uid, body)]

    async def set_up(self, uid: str, body: dict[str, Any]) -> int:
        chosen = MeilisearchSettings.model_validate(body)
        with _failing():
            return (await self._client.index(uid).update_settings(chosen)).task_uid

    async def put(self, uid: str, documents: list[dict[str, Any]]) -> int:
        with _failing():
            return (await self._client.index(uid).add_documents(documents)).task_uid

    async def remove(self, uid: str, ids: Sequence[int]) -> int:
        with _failing():
            texts = [str(id_) for id_ in ids]
            return (await self._client.index(uid).delete_documents(texts)).task_uid

    async def drop(self, uid: str) -> int:
        with _failing():
            return (await self._client.index(uid).delete()).task_uid

    async def swap(self, pairs: list[tuple[str, str]], *, rename: bool) -> int:
        with _failing():
            return (await self._client.swap_indexes(pairs, rename=rename)).task_uid

    async def statuses(self, tasks: Sequence[int]) -> dict[int, str]:
        """Tasks that the server does not know are left out."""
        with _failing():
            found = await self._client.get_tasks(uids=[*tasks], limit=len(tasks))
        return {task.uid: task.status for task in found.results}

    async def digests(self, uid: str, *, page: int = 2_000) -> dict[int, str]:
        found: dict[int, str] = {}
        start = 0
        while True:
            with _failing():
                part = await self._client.index(uid).get_documents(
                    offset=start, limit=page, fields=["id", "digest"]
                )
            found |= {int(each["id"]): str(each.get("digest")) for each in part.results}
            start += page
            if start >= part.total:
                return found


def is_faulty(version: str) -> bool:
    return version.startswith(_FAULTY)


def _is_absent(error: BaseException | None) -> bool:
    return isinstance(error, MeilisearchApiError) and error.status_code == NOT_FOUND


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except (MeilisearchError, httpx2.HTTPError, ValueError) as error:
        raise Unavailable(f"Meilisearch: {error or type(error).__name__}") from error
