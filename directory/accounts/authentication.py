"""Finds the actor of each request: request.user."""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult

from directory.accounts import cookies, sessions
from directory.accounts.actor import VISITOR, Actor

ActorRequest = Request[Actor, Any, State]
"""A request as every route takes it: request.user is the actor."""

Connection = ASGIConnection[Any, Any, Any, State]


class ActorMiddleware(AbstractAuthenticationMiddleware):
    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            actor = await sessions.actor_of_token(token.strip())
        elif cookie := cookies.read(connection, "session"):
            actor = await sessions.actor_of_session(cookie)
        else:
            actor = VISITOR
        return AuthenticationResult(user=actor, auth=None)
