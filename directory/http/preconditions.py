"""If-Match (RFC 9110, section 13.1.1): change a thing only if it is still as it was read."""

import re
from typing import Annotated

from litestar.params import HeaderParameter

IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match", max_length=500,
        description='The ETag that you read, such as `"12"`, or `*` for whatever is there.',
    ),
]  # fmt: skip
TAG = re.compile(r'(?<![/\w])"(\d{1,9})"')


def versions(if_match: str | None) -> frozenset[int] | None:
    """The versions that will do; None for any. A weak tag, or no tag of ours, is no version."""
    if if_match is None or if_match.strip() == "*":
        return None
    return frozenset(int(number) for number in TAG.findall(if_match))


def tag(version: int) -> str:
    """The ETag of a version."""
    return f'"{version}"'
