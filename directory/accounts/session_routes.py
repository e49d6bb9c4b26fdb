"""Where one is signed in, and how to end it."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, delete, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect

from directory import settings
from directory.accounts import cookies, identities, sessions
from directory.accounts.authentication import ActorRequest
from directory.accounts.sessions import SessionView
from directory.http import pages, problems

PAGE = "/account/sessions"
Done = Annotated[Literal["", "ended", "others", "parted"], QueryParameter()]


@get(
    "/sessions", operation_id="listSessions", summary="Where the person is signed in",
    tags=["accounts"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_sessions(request: ActorRequest) -> list[SessionView]:
    """This one first, then the last seen; 50 at most. For a person, not for a token."""
    return await sessions.list_own(request.user)


@delete(
    "/sessions/{session_id:uuid}", operation_id="endSession", summary="Sign out elsewhere",
    tags=["accounts"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def end_session(request: ActorRequest, session_id: FromPath[UUID]) -> None:
    """At once. For a person, not for a token."""
    await sessions.end(request.user, session_id)


@get(PAGE, include_in_schema=False)
async def sessions_page(request: ActorRequest, done: Done = "") -> Response[str]:
    found = await sessions.list_own(request.user)
    return pages.page(
        request, "accounts/sessions.html", sessions=found, done=done,
        days=sessions.lifetime().days, idle_days=sessions.idle().days,
        identity=await identities.find_own(request.user),
        provider=settings.current().provider_name,
    )  # fmt: skip


@post(f"{PAGE}/{{session_id:uuid}}/end", include_in_schema=False, status_code=303)
async def end_session_page(request: ActorRequest, session_id: FromPath[UUID]) -> Redirect:
    await sessions.end(request.user, session_id)
    if session_id == request.user.session_id:
        return Redirect("/", status_code=303, cookies=[cookies.gone("session")])
    return Redirect(f"{PAGE}?done=ended", status_code=303)


@post(f"{PAGE}/end-others", include_in_schema=False, status_code=303)
async def end_others_page(request: ActorRequest) -> Redirect:
    await sessions.end_others(request.user)
    return Redirect(f"{PAGE}?done=others", status_code=303)


API = [list_sessions, end_session]
PAGES = [sessions_page, end_session_page, end_others_page]
