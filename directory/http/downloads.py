"""Answers that are files of one of several formats, as the description of the API tells them."""

from collections.abc import Iterable
from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType


def gives(media_types: Iterable[str]) -> type[Operation]:
    """For a route's `operation_class=`: its answer is a file of one of these media types."""
    text, parsed = OpenAPIMediaType(Schema(type=OpenAPIType.STRING)), OpenAPIMediaType(Schema())
    kinds = [media_type.partition(";")[0] for media_type in media_types]
    content = {kind: parsed if kind == "application/json" else text for kind in kinds}

    @dataclass
    class GivesFile(Operation):
        def __post_init__(self) -> None:
            file = OpenAPIResponse(description="A file.", content=content)
            self.responses = {**(self.responses or {}), "200": file}

    return GivesFile
