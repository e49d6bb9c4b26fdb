"""The contract of the search around a place: it holds on every engine that is there."""

from datetime import timedelta

import pytest

from search.documents import Near, Query
from tests.engines import Find, engine, find, is_reader, people, server, shared, shelf
from tests.shelf import DAY, Shelf, counts

__all__ = ["engine", "find", "is_reader", "people", "server", "shared", "shelf"]


async def lay_towns(shelf: Shelf) -> None:
    """1 Brussels, 2 Liège (90 km), 3 and 4 Namur (55 km), 5 nowhere."""
    for id_, place in enumerate(((50.8503, 4.3517), (50.6326, 5.5797), NAMUR, NAMUR), 1):
        shelf.lay(
            id_, title=("Luthière",), latitude=place[0], longitude=place[1],
            facets={"region": [f"r{id_}"]},
        )  # fmt: skip
    shelf.lay(5, title=("Luthière",), facets={"region": ["r5"]})
    await shelf.index(1, 2, 3, 4, 5)


NAMUR = (50.4674, 4.8720)
BRUSSELS = {"latitude": 50.8503, "longitude": 4.3517}


async def test_near_a_place_only_those_within_the_distance_are_found(
    shelf: Shelf, find: Find
) -> None:
    await lay_towns(shelf)
    for text in ("", "luthier"):
        for within, whom in ((1, {1}), (54, {1}), (57, {1, 3, 4}), (100, {1, 2, 3, 4})):
            near = Near(**BRUSSELS, within_km=within)
            hits = await find(text, near=near, facets=("region",))
            assert set(hits.ids) == whom
            assert hits.total == len(whom)
            assert counts(hits, "region") == {f"r{id_}": 1 for id_ in whom}
    far = Near(**BRUSSELS, within_km=100)
    hits = await find(near=far, filters={"region": ["r2", "r5"]}, facets=("region",))
    assert hits.ids == [2]
    assert counts(hits, "region") == {"r1": 1, "r2": 1, "r3": 1, "r4": 1, "r5": 0}


async def test_the_nearest_come_first_and_neighbours_are_shuffled(shelf: Shelf, find: Find) -> None:
    await lay_towns(shelf)
    near = Near(**BRUSSELS, within_km=200)
    orders = set()
    for number in range(14):
        day = DAY + timedelta(number)
        ids = (await find("luthier", near=near, sort="distance", day=day)).ids
        assert (ids[0], ids[3], set(ids[1:3])) == (1, 2, {3, 4})
        pages = [
            (await find("luthier", near=near, sort="distance", day=day, page=page, limit=1)).ids
            for page in (1, 2, 3, 4)
        ]
        assert [id_ for page in pages for id_ in page] == ids
        orders.add(tuple(ids))
    assert len(orders) == 2


def test_a_distance_needs_a_place() -> None:
    with pytest.raises(ValueError, match="near"):
        Query(audience="public", day=DAY, sort="distance")
