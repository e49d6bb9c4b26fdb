"""What every request must pass before its handler runs."""

import functools
from typing import Any, cast
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler

from directory import errors
from directory.http import problems
from directory.languages import marked

ANY_QUERY = "any_query"
ANY_ORIGIN = "any_origin"
LONGEST_NAME = 255  # bytes, on the usual disks
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
Connection = ASGIConnection[Any, Any, Any, State]


@functools.cache
def _query_names(handler: BaseRouteHandler, path: frozenset[str]) -> frozenset[str]:
    model = handler.create_kwargs_model(cast(Any, dict.fromkeys(path)))
    return frozenset(parameter.field_alias for parameter in model.expected_query_params)


def known_query_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """A parameter that the route does not know is an error, never ignored.

    Static files are the exception: theirs is the version of the file.
    """
    if handler.opt.get(ANY_QUERY):
        return
    path = frozenset(connection.scope.get("path_params", {}))
    known = _query_names(handler, path)
    if unknown := connection.query_params.keys() - known:
        raise problems.unknown_parameters(set(unknown), known)


def nameable_file(connection: Connection, _: BaseRouteHandler) -> None:
    """A name that no file can have is the name of none."""
    path = connection.scope["path"]
    if "\0" in path or any(len(name.encode()) > LONGEST_NAME for name in path.split("/")):
        raise errors.NotFound


def same_origin(connection: Connection, handler: BaseRouteHandler) -> None:
    """Another site's page may not post in a reader's name.

    Browsers say where a request comes from (Fetch Metadata, or Origin in older ones). A caller
    that says neither is no browser: it carries no cookie that it was not given. A bearer token
    stands instead of the cookie; other schemes (a proxy's password) stand beside it.

    A route for mail programmes (RFC 8058) takes a post from anywhere: a signed link in its address
    is all that it goes by, and a page of another site cannot know that.
    """
    if handler.opt.get(ANY_ORIGIN):
        return
    given = connection.headers.get("authorization", "")
    has_token = given.partition(" ")[0].lower() == "bearer"
    if connection.scope.get("method", "GET") in SAFE_METHODS or has_token:
        return
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None:
        is_ours = site in {"same-origin", "none"}
    else:
        is_ours = origin is None or urlsplit(origin).netloc == connection.headers.get("host")
    if not is_ours:
        raise errors.Forbidden(
            marked("Cette demande vient d’un autre site. Refaites-la depuis l’annuaire.")
        )
