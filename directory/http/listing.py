"""Lists that are read page by page."""

from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import QueryParameter

Item = TypeVar("Item")

PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000, description="The page, from 1.")]
PageLimit = Annotated[int, QueryParameter(ge=1, le=50, description="Entries a page, at most 50.")]
LONGEST_TEXT = 500
SearchText = Annotated[
    str,
    QueryParameter(
        max_length=LONGEST_TEXT, description="Words to look for; 500 characters at most."
    ),
]


class Listing(msgspec.Struct, Generic[Item]):
    """One page of a list. `total` is exact, over all pages."""

    items: list[Item]
    total: int
    page: int
    limit: int
