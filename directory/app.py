"""The only file that knows everyone: it puts the service together."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.middleware import DefineMiddleware
from litestar.openapi import OpenAPIConfig
from litestar.static_files import create_static_files_router
from litestar.types import ExceptionHandlersMap

from directory import db, errors, indexing, piccolo_conf, settings
from directory.accounts import routes as accounts
from directory.accounts.authentication import ActorMiddleware
from directory.activity import routes as activity
from directory.demo import mailbox
from directory.events import routes as events
from directory.filieres import routes as filieres
from directory.http import guards, headers, problems
from directory.http.heads import Service
from directory.http.rapidoc import Rapidoc
from directory.mailings import routes as mailings
from directory.members import routes as members
from directory.members import vocabulary
from directory.privacy import erasing, retention  # noqa: F401 - hear of what is due
from directory.privacy import routes as privacy
from directory.settings import Settings
from directory.subscriptions import quota
from directory.subscriptions import routes as subscriptions
from directory.web import routes as web
from search.breaker import Breaker
from search.documents import Engine
from search.engines import Preferred
from search.meilisearch import MeilisearchEngine
from search.postgres import PostgresEngine
from search.server import SEARCH_SECONDS, Server

STATIC = Path(__file__).parent / "web" / "static"
DOMAINS = (
    accounts, members, filieres, subscriptions, events, mailings, activity, privacy, web,
)  # fmt: skip
ICON = '<link rel="icon" href="/static/icon.svg" type="image/svg+xml">'
MAX_BODY = 2 * 1024 * 1024

ANSWERS: ExceptionHandlersMap = {
    errors.Problem: problems.from_problem,
    HTTPException: problems.from_http,
    UnicodeDecodeError: problems.from_unreadable,
    RecursionError: problems.from_nested,
    Exception: problems.from_fault,
}


def create_app(chosen: Settings, database_url: str) -> Litestar:
    """The service, on a database that is migrated."""
    settings.use(chosen)
    piccolo_conf.point_at(database_url)
    address = indexing.meilisearch(chosen)
    server = Server(address, seconds=SEARCH_SECONDS) if address else None

    @asynccontextmanager
    async def connections(_: Litestar) -> AsyncIterator[None]:
        async with db.pool(of_requests=True):
            await vocabulary.keep()
            await quota.keep()
            yield
        if server:
            await server.close()

    return Service(
        route_handlers=[
            Router("/api/v1", route_handlers=[one for domain in DOMAINS for one in domain.API]),
            *(handler for domain in DOMAINS for handler in domain.PAGES),
            *(mailbox.PAGES if chosen.demo else ()),
            create_static_files_router(
                path="/static",
                directories=[STATIC],
                opt={guards.ANY_QUERY: True},
                guards=[guards.nameable_file],
            ),
        ],
        lifespan=[connections],
        state=State({"engine": _engine(server)}),
        middleware=[DefineMiddleware(ActorMiddleware, exclude=["^/static", "^/health/live"])],
        guards=[guards.same_origin, guards.known_query_only],
        exception_handlers=ANSWERS,
        before_send=[headers.complete],
        request_max_body_size=MAX_BODY,
        openapi_config=_openapi(chosen.name),
        logging_config=None,
    )


def _openapi(title: str) -> OpenAPIConfig:
    return OpenAPIConfig(
        title=title,
        version="1",
        description="Members, trades, sectors, filières, events. Times are RFC 3339 in UTC.",
        path="/schema",
        render_plugins=[Rapidoc(js_url="/static/vendor/rapidoc-min.js", favicon=ICON)],
        use_handler_docstrings=True,
    )


def _engine(server: Server | None) -> Engine:
    postgres = PostgresEngine(db.connection)
    if server is None:
        return postgres
    preferred = MeilisearchEngine(server, db.connection)
    return Preferred(preferred, postgres, Breaker(time.monotonic), db.connection)
