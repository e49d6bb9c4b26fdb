"""Where a request comes from."""

from typing import Any

from litestar.connection import ASGIConnection

from directory import limits


def network(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The network of the caller, truncated: all that is ever kept of an address. '' if unknown."""
    return limits.network(connection.client.host) if connection.client else ""
