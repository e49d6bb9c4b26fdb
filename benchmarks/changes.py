"""How long until a change of one member is found by another, through the API and a worker."""

import secrets
import statistics
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

import msgspec

from benchmarks import processes
from benchmarks.clients import Client
from benchmarks.community import Author

PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.005
LETTERS = "bcdfghjklmnpqrstvwxz"


class NotSeen(Exception):
    """The message says what was not found, and for how long."""


class Seen(NamedTuple):
    """Seconds from the answer to the change until the search finds it; and of the first search
    without words after each of the changes, when nothing that was counted before holds."""

    until_found: list[float]
    browsed: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.until_found)


class _Profile(msgspec.Struct):
    version: int


def measure(
    port: int, environment: Mapping[str, str], authors: Sequence[Author], token: str, engine: str
) -> Seen:
    """One change by each author; the first is not counted, as the worker may still be starting.

    :raises NotSeen:
    """
    reader = Client(port, token)
    until_found, browsed = [], []
    with processes.started(["-m", "directory", "worker"], environment):
        for author in authors:
            writer = Client(port, author.token)
            word = _change(writer, author.member_id)
            until_found.append(_wait(reader, word, author.member_id, engine))
            browsed.append(reader.get("/api/v1/members").seconds)
            writer.close()
    reader.close()
    return Seen(until_found[1:], browsed[1:])


def _change(writer: Client, member_id: int) -> str:
    """Returns a word that no profile has, nor one like it."""
    path = f"/api/v1/members/{member_id}"
    profile = msgspec.json.decode(writer.get(path).body, type=_Profile)
    word = "".join(secrets.choice(LETTERS) for _ in range(12))
    writer.patch(path, {"version": profile.version, "headline": f"Nouveau : {word}"})
    return word


def _wait(reader: Client, word: str, member_id: int, engine: str) -> float:
    query = urlencode({"q": word, "exact": "true", "limit": "1"})
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < PATIENCE_SECONDS:
        _, found = reader.find(f"/api/v1/members?{query}")
        if found.engine == engine and member_id in {hit.id for hit in found.items}:
            return time.perf_counter() - start
        time.sleep(PAUSE_SECONDS)
    raise NotSeen(f"member {member_id} was not found on {engine} within {elapsed:.0f} s")
