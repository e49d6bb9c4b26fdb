"""The way to the OpenID Connect provider and back."""

import logging
from typing import Annotated

from litestar import Response, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect

from directory import settings
from directory.accounts import attempts, cookies, identities, oidc
from directory.accounts.authentication import ActorRequest
from directory.accounts.provider import CALLBACK, ProviderRefused, ProviderUnreadable, SignInFailed
from directory.http import clients, guards, pages

LEFT = "/logout/oidc"
log = logging.getLogger(__name__)


def failed(request: ActorRequest, problem: SignInFailed) -> Response[str]:
    """Says what went wrong and offers the link by mail. The log has what an operator wants."""
    if isinstance(problem, ProviderRefused | ProviderUnreadable):
        log.warning("OpenID Connect: %s: %.300r", problem.kind, problem.reason)
    answer = pages.page(
        request, "accounts/failed.html", status=problem.status, problem=problem,
        provider=settings.current().provider_name,
    )  # fmt: skip
    answer.set_cookie(cookies.gone("attempt"))
    return answer


@get("/login/oidc", include_in_schema=False, exception_handlers={SignInFailed: failed})
async def leave_page(
    request: ActorRequest, after: Annotated[str, QueryParameter(name="next", max_length=500)] = "/"
) -> Redirect:
    departure = await oidc.leave(after)
    cookie = cookies.make("attempt", departure.cookie, attempts.SECONDS)
    return Redirect(departure.address, status_code=303, cookies=[cookie])


@get(
    CALLBACK, include_in_schema=False, exception_handlers={SignInFailed: failed},
    opt={guards.ANY_QUERY: True},
)  # fmt: skip
async def come_back_page(request: ActorRequest) -> Redirect:
    """The one GET that opens a session: the protocol has no other way. A browser that did not
    set out from here, and one that comes a second time, changes nothing."""
    session, after = await oidc.come_back(
        dict(request.query_params), cookies.read(request, "attempt"),
        user_agent=request.headers.get("user-agent", ""),
        old=cookies.read(request, "session"), network=clients.network(request),
    )  # fmt: skip
    return Redirect(
        after, status_code=303, cookies=[cookies.session(session), cookies.gone("attempt")]
    )


@get(LEFT, include_in_schema=False)
async def left_page(request: ActorRequest) -> Response[str]:
    """Who shares a machine wants to be out at the provider too; others stay in there."""
    return pages.page(
        request, "accounts/left.html", address=await oidc.way_out(),
        provider=settings.current().provider_name,
    )  # fmt: skip


@post("/account/identity/part", include_in_schema=False, status_code=303)
async def part_page(request: ActorRequest) -> Redirect:
    await identities.part(request.user)
    return Redirect("/account/sessions?done=parted", status_code=303)


PAGES = [leave_page, come_back_page, left_page, part_page]
