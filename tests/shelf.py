"""Documents to search in tests, and what puts them into the index."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import asyncpg

from search import mirror, outbox
from search.documents import Audience, Connection, Document, Hits, Index, Source
from search.mirror import Mirror
from search.server import Server

DAY = date(2026, 11, 22)
INDEX = Index(name="people", facets=("trade", "region", "language"))


class Shelf:
    """Where the documents of a test come from."""

    def __init__(self, connection: asyncpg.Connection, server: Server | None = None) -> None:
        self.connection = connection
        self.documents: dict[tuple[int, Audience], Document] = {}
        self.source = Source(keys=self._keys, documents=self._current)
        self.mirror = Mirror(server=server, index=INDEX, source=self.source) if server else None

    async def _keys(self, _: Connection) -> list[int]:
        return sorted({id_ for id_, _ in self.documents})

    async def _current(self, _: Connection, ids: Sequence[int]) -> list[Document]:
        return [d for (id_, _), d in self.documents.items() if id_ in ids]

    async def put(self, id_: int, *audiences: Audience, **texts: Any) -> None:
        self.lay(id_, *audiences, **texts)
        await self.index(id_)

    def lay(self, id_: int, *audiences: Audience, **texts: Any) -> None:
        """Put it there without indexing it."""
        for audience in audiences or ("public", "members"):
            known: dict[str, Any] = {"sort_name": str(id_), "fresh_on": DAY} | texts
            self.documents[id_, audience] = Document(id=id_, audience=audience, **known)

    async def remove(self, id_: int, *audiences: Audience) -> None:
        for audience in audiences or ("public", "members"):
            self.documents.pop((id_, audience), None)
        await self.index(id_)

    async def index(self, *ids: int) -> None:
        await outbox.mark(self.connection, INDEX, ids)
        has_mirror = self.mirror is not None
        while await outbox.drain(self.connection, INDEX, self.source, has_mirror=has_mirror):
            pass
        if self.mirror:
            await mirror.drain(self.connection, self.mirror)

    async def people(self) -> None:
        """Six of them; 1 is a web developer, 4 only says so in her biography."""
        self.lay(
            1,
            title=("Léa Lefèvre", "Développeur·se web"),
            vocabulary=("webontwikkelaar", "web developer", "intégratrice web"),
            facets={"trade": ["web"], "region": ["BE-BRU"], "language": ["fr", "nl"]},
        )
        self.lay(
            2,
            title=("Tom Peeters", "Graphiste"),
            vocabulary=("graphic designer", "grafisch ontwerper"),
            facets={"trade": ["graphics"], "region": ["BE-BRU"], "language": ["nl"]},
        )
        self.lay(
            3,
            title=("Anne O'Connor", "Formatrice", "Traducteur/trice"),
            facets={"trade": ["training", "translation"], "region": ["FR-HDF"], "language": ["fr"]},
        )
        self.lay(
            4,
            title=("Zoé Martin", "Photographe"),
            body=("J'ai été développeuse web, puis graphiste.",),
            facets={"trade": ["photo"], "region": ["FR-HDF"], "language": ["fr"]},
        )
        self.lay(5, title=("Jean-Pierre Œuvrard", "Comédien·ne"), summary=("C++, C# et yoga",))
        self.lay(6, title=("An Van Damme", "Web-designer"), facets={"region": ["BE-VWV"]})
        await self.index(*range(1, 7))


def counts(hits: Hits, facet: str) -> dict[str, int]:
    return {count.value: count.count for count in hits.facets[facet]}
