"""Every operation of the API with what its description allows, and what it does not.

Whatever is sent, the answer is one that the description knows, and never an error of ours.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as examples
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from directory.accounts import sessions
from tests.access_row import PLACES
from tests.test_access_table import BASE, Scene, rolled_back, scene

__all__ = ["scene"]
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
]  # fmt: skip
EACH = {GenerationMode.POSITIVE: 4, GenerationMode.NEGATIVE: 2}
"""Cases of an operation for a role."""

KNOWN = {place.strip("{}").partition(":")[0]: value for place, value in PLACES.items()}
"""What stands in the path of every second case: things that are there."""


def drawn(operation: Any, mode: GenerationMode) -> list[Case[Any]]:
    """The same ones in every run."""
    found: list[Case[Any]] = []

    @seed(20261125)
    @examples(
        max_examples=EACH[mode], database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def collect(case: Case[Any]) -> None:
        found.append(case)

    try:
        collect()
    except Unsatisfiable:  # all that can be sent is right
        return []
    return found[: EACH[mode]]


def cases(schema: Any, scene: Scene, role: str) -> Iterator[Case[Any]]:
    for result in schema.get_all_operations():
        operation = result.ok()
        if not operation.path.startswith("/api/"):
            continue
        for mode in EACH:
            for number, case in enumerate(drawn(operation, mode)):
                if number % 2 and mode is GenerationMode.POSITIVE:
                    for name in case.path_parameters:
                        own = name == "member_id" and number % 4 == 1
                        value = "{self}" if own else KNOWN.get(name, "1")
                        case.path_parameters[name] = scene.filled(value, role)
                yield case


async def described(scene: Scene) -> dict[str, Any]:
    """The description as programs read it."""
    transport = httpx.ASGITransport(app=scene.app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        answer = await client.get("/schema/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.text, object_hook=_one_number)
    return found


def _one_number(part: dict[str, Any]) -> dict[str, Any]:
    """Litestar describes `int | float` as one of the two, and 5 is both."""
    if part.get("oneOf") == [{"type": "integer"}, {"type": "number"}]:
        return {"type": "number"}
    return part


async def answered(scene: Scene, role: str, case: Case[Any]) -> httpx.Response:
    """As the role at a screen, in a transaction that is rolled back."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    body: Any = prepared.body or b""
    headers = {name: str(text) for name, text in prepared.headers.items()}
    transport = httpx.ASGITransport(app=scene.app)
    async with rolled_back(), httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        client.cookies.set(sessions.COOKIE, scene.cookies[role])
        return await client.request(
            str(prepared.method), str(prepared.url), content=body, headers=headers
        )
    raise AssertionError("never reached: the block above returns or raises")


@pytest.mark.parametrize("role", ["member", "coordinator"])
async def test_no_operation_answers_what_its_description_does_not_say(
    scene: Scene, role: str
) -> None:
    schema = schemathesis.openapi.from_dict(await described(scene))
    wrong, asked = [], 0
    statuses: set[int] = set()
    for case in cases(schema, scene, role):
        answer = await answered(scene, role, case)
        asked += 1
        statuses.add(answer.status_code)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as failures:
            wrong += [f"{case.method} {case.path}: {failure}" for failure in failures.exceptions]
    assert not wrong, "\n".join(wrong)
    assert asked > 200
    assert {200, 400, 404} <= statuses
