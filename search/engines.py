"""An engine that answers when it can, and another that answers when it cannot."""

import logging

import msgspec

from search.breaker import Breaker
from search.documents import Engine, Hits, Index, Query
from search.server import Unavailable

log = logging.getLogger(__name__)


class Preferred:
    """Hits of the fallback say so: `degraded`, and their own `engine`."""

    def __init__(self, engine: Engine, fallback: Engine, breaker: Breaker) -> None:
        self._engine = engine
        self._fallback = fallback
        self._breaker = breaker

    async def search(self, index: Index, query: Query) -> Hits:
        if self._breaker.allows():
            try:
                hits = await self._engine.search(index, query)
            except Unavailable as error:
                self._breaker.failed()
                log.warning("%s", error)
            else:
                self._breaker.succeeded()
                return hits
        hits = await self._fallback.search(index, query)
        return msgspec.structs.replace(hits, degraded=True)
