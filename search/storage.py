"""Documents written into the tables of the Postgres engine, with the words they bring along."""

import functools
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from search import normaliser, stopwords
from search.documents import AUDIENCES, Audience, Connection, Document, Index

MOST_WORDS = 5_000  # of a document's body
LONGEST_VALUE = 200  # of a facet: a code or a name
FIELDS = "abcde"  # title, summary, vocabulary, body, related
WIDENING = "e"
STOPWORD = "s"  # the field of words that say nothing: they are kept where they may be a name
SHORT_TEXT = 200
_TABLES = ("search_document", "search_text", "search_source")

Terms = Counter[tuple[Audience, str]]


class Row(NamedTuple):
    document: Document
    digest: bytes
    vector: list[str]
    words: list[str]


def row(document: Document) -> Row:
    """Each key stands once in the best field of the document's own words that it is in, and once
    in the best of those that widen a search, if that is better."""
    texts = (
        document.title,
        document.summary,
        document.vocabulary,
        document.body,
        document.related,
    )
    own: dict[str, str] = {}
    wide: dict[str, str] = {}
    spellings: dict[str, None] = {}
    for field, parts in zip(FIELDS, texts, strict=True):
        keys = wide if field in WIDENING else own
        words = itertools.chain.from_iterable(_words(part) for part in parts)
        for word in itertools.islice(words, MOST_WORDS):
            if word.form not in stopwords.STOPWORDS:
                keys.setdefault(word.key, field)
                spellings.setdefault(word.spelling)
            elif field == FIELDS[0]:
                keys.setdefault(word.key, STOPWORD)
    better = (field + key for key, field in wide.items() if field < own.get(key, "z"))
    vector = [field + key for key, field in own.items()]
    return Row(document, digest(document), [*vector, *better], list(spellings))


def digest(document: Document) -> bytes:
    """Changes with the document, and with the rules by which it is taken apart."""
    fields = msgspec.structs.asdict(document) | {"facets": sorted(document.facets.items())}
    content = repr((normaliser.VERSION, fields)).encode()
    return hashlib.blake2b(content, digest_size=16).digest()


def _words(text: str) -> Iterable[normaliser.Word]:
    return _short_words(text) if len(text) <= SHORT_TEXT else _long_words(text)


@functools.lru_cache(maxsize=len(AUDIENCES) * 4)
def _long_words(text: str) -> tuple[normaliser.Word, ...]:
    """The documents of one thing for several audiences follow each other."""
    return tuple(normaliser.words(text))


@functools.lru_cache(maxsize=20_000)
def _short_words(text: str) -> tuple[normaliser.Word, ...]:
    """Labels of trades come back in document after document."""
    return tuple(normaliser.words(text))


async def replace(
    connection: Connection, index: Index, ids: Sequence[int], documents: Iterable[Document]
) -> None:
    """Make these documents all that the index holds of these ids, in the open transaction."""
    asked = set(ids)
    new = {(d.audience, d.id): d for d in documents if d.id in asked}
    old = {
        (stored["audience"], stored["id"]): stored
        for stored in await connection.fetch(
            "SELECT audience, id, digest, words FROM search_source"
            " WHERE index_name = $1 AND id = ANY($2::bigint[])",
            index.name,
            list(asked),
        )
    }
    changed = [
        row(document)
        for place, document in new.items()
        if place not in old or old[place]["digest"] != digest(document)
    ]
    terms: Terms = Counter()
    left = [place for place in old if place not in new]
    for audience, id_ in [*left, *((r.document.audience, r.document.id) for r in changed)]:
        if stored := old.get((audience, id_)):
            terms.subtract((audience, word) for word in stored["words"].split())
    await _delete(connection, index, left)
    await write(connection, index, changed, terms)
    await add_terms(connection, index, terms)
    await touch(connection, index, {a for a, _ in left} | {r.document.audience for r in changed})


async def _delete(
    connection: Connection, index: Index, left: Sequence[tuple[Audience, int]]
) -> None:
    for table in _TABLES if left else ():
        await connection.execute(
            f"DELETE FROM {table} t USING unnest($2::text[], $3::bigint[]) AS gone(audience, id)"  # noqa: S608 -- one of three names
            " WHERE t.index_name = $1 AND t.audience = gone.audience AND t.id = gone.id",
            index.name,
            *_columns(left, 2),
        )


async def write(connection: Connection, index: Index, rows: Sequence[Row], terms: Terms) -> None:
    """Insert or update rows, and count their words into terms."""
    if not rows:
        return
    for r in rows:
        terms.update((r.document.audience, word) for word in r.words)
    sources = [(d.audience, d.id, digest_, " ".join(words)) for d, digest_, _, words in rows]
    await connection.execute(
        "INSERT INTO search_source (index_name, audience, id, digest, words)"
        " SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bytea[], $5::text[])"
        " ON CONFLICT (audience, index_name, id) DO UPDATE"
        " SET digest = excluded.digest, words = excluded.words",
        index.name,
        *_columns(sources, 4),
    )
    columns = await _searched(connection, index, rows)
    await connection.execute(_WRITE_DOCUMENTS, index.name, *columns[:-1])
    await connection.execute(_WRITE_TEXTS, index.name, *columns)


_NARROW = "audience, id, fresh_on, latitude, longitude, sort_name"
_REPLACED = """
    fresh_on = excluded.fresh_on, latitude = excluded.latitude, longitude = excluded.longitude,
    sort_name = excluded.sort_name, facets = excluded.facets
"""
_WRITE_DOCUMENTS = f"""
    INSERT INTO search_document (index_name, {_NARROW}, facets)
    SELECT $1, {_NARROW}, string_to_array(facets, ',')::integer[]
    FROM unnest($2::text[], $3::bigint[], $4::date[], $5::float8[], $6::float8[], $7::text[],
                $8::text[]) AS new ({_NARROW}, facets)
    ON CONFLICT (audience, index_name, id) DO UPDATE SET {_REPLACED}
"""  # noqa: S608 -- names of ours
_WRITE_TEXTS = f"""
    INSERT INTO search_text (index_name, {_NARROW}, facets, vector)
    SELECT $1, {_NARROW}, string_to_array(facets, ',')::integer[],
        array_to_tsvector(string_to_array(vector, ' '))
    FROM unnest($2::text[], $3::bigint[], $4::date[], $5::float8[], $6::float8[], $7::text[],
                $8::text[], $9::text[]) AS new ({_NARROW}, facets, vector)
    ON CONFLICT (audience, index_name, id) DO UPDATE SET {_REPLACED}, vector = excluded.vector
"""  # noqa: S608 -- names of ours


async def _searched(connection: Connection, index: Index, rows: Sequence[Row]) -> list[list[Any]]:
    """The columns of search_text."""
    numbers = await _facet_numbers(connection, index, [r.document for r in rows])
    return _columns(
        [
            (
                d.audience,
                d.id,
                d.fresh_on,
                d.latitude,
                d.longitude,
                normaliser.fold(d.sort_name),
                ",".join(str(numbers[place]) for place in _facet_values(index, d)),
                " ".join(vector),
            )
            for d, _, vector, _ in rows
        ],
        8,
    )


def _facet_values(index: Index, document: Document) -> dict[tuple[str, str], None]:
    return {
        (facet, storable(value)): None
        for facet, values in document.facets.items()
        if facet in index.facets
        for value in values
    }


def storable(value: str) -> str:
    """Without what Postgres has no place for: NUL, halves of surrogate pairs, too much text."""
    return value.replace("\0", "").encode(errors="ignore").decode()[:LONGEST_VALUE]


async def _facet_numbers(
    connection: Connection, index: Index, documents: Sequence[Document]
) -> dict[tuple[str, str], int]:
    places = {place for d in documents for place in _facet_values(index, d)}
    facets, values = _columns(sorted(places), 2)
    await connection.execute(
        "INSERT INTO search_facet (index_name, facet, value)"
        " SELECT $1, * FROM unnest($2::text[], $3::text[]) AS new(facet, value)"
        " WHERE NOT EXISTS (SELECT FROM search_facet f WHERE f.index_name = $1"
        " AND f.facet = new.facet AND f.value = new.value)"
        " ON CONFLICT DO NOTHING",
        index.name,
        facets,
        values,
    )
    found = await connection.fetch(
        "SELECT f.number, f.facet, f.value FROM search_facet f"
        " JOIN unnest($2::text[], $3::text[]) AS sought(facet, value)"
        " ON f.facet = sought.facet AND f.value = sought.value WHERE f.index_name = $1",
        index.name,
        facets,
        values,
    )
    return {(f["facet"], f["value"]): f["number"] for f in found}


async def add_terms(connection: Connection, index: Index, terms: Terms) -> None:
    """Add these counts to those of the vocabulary; a word no document uses any more leaves it."""
    changes = []
    for (audience, spelling), count in sorted(terms.items()):
        if count and (word := normaliser.word(spelling)):
            changes.append((audience, spelling, word.form, word.key, count))
    if not changes:
        return
    await connection.execute(
        "INSERT INTO search_term (index_name, audience, spelling, form, key, documents)"
        " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::integer[])"
        " ON CONFLICT (audience, index_name, spelling) DO UPDATE"
        " SET documents = search_term.documents + excluded.documents",
        index.name,
        *_columns(changes, 5),
    )
    await connection.execute(
        "DELETE FROM search_term WHERE index_name = $1 AND documents <= 0"
        " AND (audience, spelling) IN (SELECT * FROM unnest($2::text[], $3::text[]))",
        index.name,
        *_columns([(c[0], c[1]) for c in changes], 2),
    )


async def touch(connection: Connection, index: Index, audiences: Iterable[Audience]) -> None:
    """Say that what these audiences can find has changed."""
    await connection.execute(
        "INSERT INTO search_version (index_name, audience, version)"
        " SELECT $1, audience, 1 FROM unnest($2::text[]) AS audience"
        " ON CONFLICT (index_name, audience) DO UPDATE SET version = search_version.version + 1",
        index.name,
        sorted(audiences),
    )


async def clear(connection: Connection, index: Index) -> None:
    for table in (*_TABLES, "search_term"):
        await connection.execute(f"DELETE FROM {table} WHERE index_name = $1", index.name)  # noqa: S608 -- one of four names
    await touch(connection, index, AUDIENCES)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
