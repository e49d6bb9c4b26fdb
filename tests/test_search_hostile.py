"""The contract of the search with what nobody should type: it holds on every engine there is."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines import Find, engine, find, is_reader, people, server, shared, shelf
from tests.shelf import INDEX, Shelf

__all__ = ["engine", "find", "is_reader", "people", "server", "shared", "shelf"]

HOSTILE = [
    "a" * 10_000,
    "développeuse " * 1_000,
    " ".join(f"mot{n}" for n in range(2_000)),
    "a·" * 5_000,
    "\0",
    "web\0design",
    "😀",
    "👩🏽\u200d💻 web",
    "مطور ويب",
    "\u202eמפתח\u202c",
    "\ud800",
    "e\u0301" * 5_000,
    "' OR 1=1 --",
    "'a' & !b | c:*",
    "\\'\\\\",
    "%_",
    "{} $1 %s",
    "-",
    "()",
    "null",
    "ﷺ" * 100,
    "½²①",
]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("text", HOSTILE)
async def test_no_text_is_an_error(find: Find, text: str) -> None:
    for exact in (False, True):
        hits = await find(text, exact=exact, facets=INDEX.facets)
        assert hits.total >= len(hits.ids)


@pytest.mark.parametrize("text", HOSTILE)
async def test_no_document_is_an_error(shelf: Shelf, find: Find, text: str) -> None:
    fields = {"title": (text,), "summary": (text,), "body": (text,), "sort_name": text}
    await shelf.put(1, **fields, facets={"trade": [text, text]})
    assert (await find(sort="name", facets=("trade",))).ids == [1]


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)


@pytest.mark.usefixtures("people")
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=ANY_TEXT | st.text("dévlopuswb ·e-'.", max_size=20), values=st.lists(ANY_TEXT))
async def test_any_query_is_answered(find: Find, text: str, values: list[str]) -> None:
    hits = await find(text, filters={"trade": values}, facets=INDEX.facets, limit=50)
    assert len(hits.ids) == len(set(hits.ids)) == hits.total
