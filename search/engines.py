"""An engine that answers when it can, and another that answers when it cannot."""

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import msgspec

from search import outbox
from search.breaker import Breaker
from search.documents import Connection, Engine, Hits, Index, Query
from search.server import Unavailable

log = logging.getLogger(__name__)


class Preferred:
    """Hits of the fallback say so: `degraded`, and their own `engine`.

    The fallback also answers while a change is on its way to the engine: what somebody has just
    hidden must have no effect on what others get. connect opens a connection to what waits.
    """

    def __init__(
        self,
        engine: Engine,
        fallback: Engine,
        breaker: Breaker,
        connect: Callable[[], AbstractAsyncContextManager[Connection]],
    ) -> None:
        self._engine = engine
        self._fallback = fallback
        self._breaker = breaker
        self._connect = connect

    async def search(self, index: Index, query: Query) -> Hits:
        async with self._connect() as connection:
            is_behind = await outbox.is_behind(connection, index)
        if is_behind:
            hits = await self._fallback.search(index, query)
            return msgspec.structs.replace(hits, degraded=self._breaker.is_open)
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
