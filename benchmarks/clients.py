"""One client on one kept connection, and the time of each of its requests."""

import http.client
import time
from http import HTTPStatus
from typing import NamedTuple

import msgspec

TIMEOUT_SECONDS = 60


class Answer(NamedTuple):
    """seconds: from sending the request until the whole body is there."""

    status: int
    body: bytes
    seconds: float


class Hit(msgspec.Struct):
    id: int


class Found(msgspec.Struct):
    """What is read of a search's answer, after the time is taken."""

    total: int
    engine: str
    degraded: bool
    items: list[Hit]


class Refused(Exception):
    """An answer other than the one awaited. The message holds both."""


class Client:
    def __init__(self, port: int, token: str = "") -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def close(self) -> None:
        """The next request opens it again: the server ends what was silent for five seconds."""
        self._connection.close()

    def ask(self, path: str, *, method: str = "GET", body: bytes | None = None) -> Answer:
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        start = time.perf_counter()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        read = answer.read()
        return Answer(answer.status, read, time.perf_counter() - start)

    def get(self, path: str) -> Answer:
        """:raises Refused: for another answer than 200."""
        return _whole(self.ask(path), path)

    def find(self, path: str) -> tuple[Answer, Found]:
        answer = self.get(path)
        return answer, msgspec.json.decode(answer.body, type=Found)

    def patch(self, path: str, change: object) -> Answer:
        return _whole(self.ask(path, method="PATCH", body=msgspec.json.encode(change)), path)


def _whole(answer: Answer, path: str) -> Answer:
    if answer.status != HTTPStatus.OK:
        raise Refused(f"{path}: {answer.status} {answer.body[:300].decode(errors='replace')}")
    return answer
