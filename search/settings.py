"""How a Meilisearch index is set up, and what it keeps of a document: plain data.

The words are those of our normaliser, and what matches is said with filters: neither the server's
own word breaking nor its typo tolerance takes part, so both engines find the same.
"""

import hashlib
from typing import Any
from urllib.parse import quote, unquote

from search import normaliser, storage
from search.documents import Document, Index

VERSION = 2  # of what payload() makes: changes with it
FIELDS = {
    "a": "title",
    "b": "summary",
    "c": "vocabulary",
    "d": "body",
    "e": "related",
    storage.STOPWORD: "stop",
}
SHUFFLES = 7
MOST_HITS = 1_000_000
MOST_FACET_VALUES = 2_000

_EQUALITY = {"facetSearch": False, "filter": {"equality": True, "comparison": False}}
_COMPARISON = {"facetSearch": False, "filter": {"equality": True, "comparison": True}}


def of(index: Index) -> dict[str, Any]:
    """The body of a settings update. Only numbers come back from it: no text is displayed.

    The cutoff is longer than a search may take here: an answer is whole, or there is none.
    """
    return {
        "searchableAttributes": [],
        "displayedAttributes": ["id", "digest"],
        "filterableAttributes": [
            {"attributePatterns": [*FIELDS.values()], "features": _EQUALITY},
            {"attributePatterns": [facet(name) for name in index.facets], "features": _EQUALITY},
            {"attributePatterns": ["fresh"], "features": _COMPARISON},
            "_geo",  # in a pattern it would not filter by distance
        ],
        "sortableAttributes": ["fresh", "name", "id", "_geo", *map(shuffle, range(SHUFFLES))],
        "rankingRules": ["sort"],
        "typoTolerance": {"enabled": False},
        "prefixSearch": "disabled",
        "facetSearch": False,
        "faceting": {
            "maxValuesPerFacet": MOST_FACET_VALUES,
            "sortFacetValuesBy": {"*": "count"},
        },
        "pagination": {"maxTotalHits": MOST_HITS},
        "searchCutoffMs": 1500,
    }


def facet(name: str) -> str:
    return f"facet_{name}"


def shuffle(number: int) -> str:
    return f"shuffle_{number}"


def encoded(value: str) -> str:
    """The value of a facet so that nothing in it means anything in a filter.

    Capitals too: the server's filters do not tell them from small letters.
    """
    parts = (c if c.islower() and c.isascii() else _escaped(c) for c in storage.storable(value))
    return "".join(parts)


def _escaped(character: str) -> str:
    if character.isupper() and character.isascii():
        return f"%{ord(character):02x}"
    return quote(character, safe="").lower()


def decoded(value: str) -> str:
    return unquote(value, errors="replace")


def payload(index: Index, document: Document) -> dict[str, Any]:
    row = storage.row(document)
    words: dict[str, list[str]] = {name: [] for name in FIELDS.values()}
    for key in row.vector:
        words[FIELDS[key[0]]].append(key[1:])
    facets = {
        facet(name): sorted({encoded(value) for value in document.facets.get(name, ())})
        for name in index.facets
    }
    has_place = document.latitude is not None and document.longitude is not None
    place = {"_geo": {"lat": document.latitude, "lng": document.longitude}} if has_place else {}
    fresh = {} if document.fresh_on is None else {"fresh": document.fresh_on.toordinal()}
    return {
        "id": document.id,
        "digest": digest(row.digest),
        "name": storage.storable(normaliser.fold(document.sort_name)),
        **words,
        **facets,
        **fresh,
        **place,
        **_places(document.id),
    }


def digest(stored: bytes) -> str:
    """What says that the server has what search_source has: both versions are in it."""
    return f"{VERSION}-{stored.hex()}"


def _places(id_: int) -> dict[str, int]:
    """Where the document stands in each of the shuffles."""
    mixed = hashlib.blake2b(str(id_).encode(), digest_size=6 * SHUFFLES).digest()
    return {
        shuffle(number): int.from_bytes(mixed[6 * number : 6 * number + 6])
        for number in range(SHUFFLES)
    }
