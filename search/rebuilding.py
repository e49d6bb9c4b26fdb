"""An index made anew from its source."""

from collections import Counter
from collections.abc import Callable

from search import outbox, storage
from search.documents import Connection, Index, Source


async def rebuild(
    connection: Connection,
    index: Index,
    source: Source,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    batch: int = outbox.BATCH,
) -> int:
    """Index everything in one transaction: until its end searches find what was there before.

    progress is told (done, total). Returns the number of keys. What is marked meanwhile stays
    marked.
    """
    async with connection.transaction():
        await outbox.lock(connection, index)
        await storage.clear(connection, index)
        keys = list(await source.keys(connection))
        terms: storage.Terms = Counter()
        for start in range(0, len(keys), batch):
            progress(start, len(keys))
            part = keys[start : start + batch]
            documents = await source.documents(connection, part)
            rows = {(d.audience, d.id): storage.row(d) for d in documents if d.id in set(part)}
            await storage.write(connection, index, list(rows.values()), terms)
        await storage.add_terms(connection, index, terms)
    # What was there before is dead now, and in the way of every search.
    await connection.execute(
        "VACUUM (ANALYZE) search_document, search_text, search_source, search_term, search_facet"
    )
    progress(len(keys), len(keys))
    return len(keys)
