"""Answers that are files of one of several formats, as the description of the API tells them."""

from collections.abc import Iterable
from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIResponse, Operation, Schema
from litestar.openapi.spec.enums import OpenAPIType


def gives(media_types: Iterable[str]) -> type[Operation]:
    """For a route's `operation_class=`: its answer is a file of one of these media types."""
    text = OpenAPIMediaType(Schema(type=OpenAPIType.STRING))
    kinds = [media_type.partition(";")[0] for media_type in media_types]

    @dataclass
    class GivesFile(Operation):
        def __post_init__(self) -> None:
            file = OpenAPIResponse(description="A file.", content=dict.fromkeys(kinds, text))
            self.responses = {**(self.responses or {}), "200": file}

    return GivesFile
