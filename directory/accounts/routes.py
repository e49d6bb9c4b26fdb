"""Signing in and out, the reader's language, and who one is."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors, languages, settings
from directory.accounts import (
    account_routes,
    cookies,
    login,
    oidc_routes,
    secrets,
    session_routes,
    sessions,
)
from directory.accounts.authentication import ActorRequest
from directory.http import clients, pages, problems

YEAR_SECONDS = 365 * 24 * 3600
BROWSER_SECONDS = 3600  # longer than a link: mails come late, and an old link says why it is old
BROWSER_LENGTH = 100


class LoginForm(msgspec.Struct):
    email: str = ""
    next: str = "/"


class EnterForm(msgspec.Struct):
    """address: the one that the page named, where it is not the browser that asked."""

    address: str = ""


class LanguageForm(msgspec.Struct):
    language: str
    next: str = "/"


class Me(msgspec.Struct):
    """The account behind the session or the token."""

    account_id: int
    member_id: int | None
    email: str
    name: str
    roles: list[str]


def _login_page(
    request: ActorRequest, email: str, after: str, problem: errors.Problem | None = None
) -> Response[str]:
    return pages.page(
        request, "accounts/login.html", status=problem.status if problem else 200,
        email=email, after=login.local_path(after), problem=problem,
        provider=settings.current().provider_name,
    )  # fmt: skip


@get("/login", include_in_schema=False)
async def login_page(
    request: ActorRequest, after: Annotated[str, QueryParameter(name="next", max_length=500)] = "/"
) -> Response[str]:
    return _login_page(request, "", after)


@post("/login", include_in_schema=False, status_code=200)
async def ask_login(
    request: ActorRequest,
    data: URLEncodedBody[LoginForm],
) -> Response[str]:
    email = data.email.strip()
    known = cookies.read(request, "browser")
    browser = known if 0 < len(known) <= BROWSER_LENGTH else secrets.make()
    try:
        await login.ask(
            email, data.next, pages.language(request),
            browser=browser, network=clients.network(request),
        )  # fmt: skip
    except (errors.Malformed, errors.TooMany) as problem:  # beside the field, with what was typed
        return _login_page(request, data.email, data.next, problem)
    answer = pages.page(request, "accounts/asked.html", email=email)
    answer.set_cookie(cookies.make("browser", browser, BROWSER_SECONDS))
    return answer


async def _link_page(request: ActorRequest, secret: str, status: int = 200) -> Response[str]:
    link = await login.find(secret, cookies.read(request, "browser"))
    return pages.page(
        request, "accounts/enter.html", status=status if link else 410, secret=secret, link=link
    )


@get("/login/{secret:str}", include_in_schema=False)
async def link_page(request: ActorRequest, secret: FromPath[str]) -> Response[str]:
    return await _link_page(request, secret)


@post("/login/{secret:str}", include_in_schema=False, status_code=303)
async def enter(
    request: ActorRequest, secret: FromPath[str], data: URLEncodedBody[EnterForm]
) -> Response[str] | Redirect:
    """In another browser than the one that asked, only who was told which address goes on."""
    link = await login.find(secret, cookies.read(request, "browser"))
    if link and not link.is_of_this_browser and data.address != link.email:
        return await _link_page(request, secret, status=409)
    session, after = await login.enter(
        secret, request.headers.get("user-agent", ""), cookies.read(request, "session")
    )
    return Redirect(after, status_code=303, cookies=[cookies.session(session)])


@post("/logout", include_in_schema=False, status_code=303)
async def leave(request: ActorRequest) -> Redirect:
    """From here. Who came by the provider is offered to leave there too."""
    after = "/"
    if secret := cookies.read(request, "session"):
        if settings.current().has_oidc and await sessions.issuer_of(secret):
            after = oidc_routes.LEFT
        await sessions.close(secret)
    return Redirect(after, status_code=303, cookies=[cookies.gone("session")])


@post("/language", include_in_schema=False, status_code=303)
async def choose_language(
    data: URLEncodedBody[LanguageForm],
) -> Redirect:
    chosen = Cookie(
        key=pages.LANGUAGE_COOKIE, value=languages.negotiate(data.language), path="/",
        max_age=YEAR_SECONDS, samesite="lax", httponly=True,
        secure=settings.current().is_https,
    )  # fmt: skip
    return Redirect(login.local_path(data.next), status_code=303, cookies=[chosen])


@get(
    "/me", operation_id="getMe", summary="Who the session or the token belongs to",
    tags=["accounts"], responses=problems.responses(401),
)  # fmt: skip
async def me(request: ActorRequest) -> Me:
    actor = request.user
    if actor.account_id is None:
        raise errors.SignInNeeded
    return Me(
        account_id=actor.account_id,
        member_id=actor.member_id,
        email=actor.email,
        name=actor.name,
        roles=sorted(f"{grant.role.value} {grant.scope}".strip() for grant in actor.grants),
    )


API = [me, *account_routes.API, *session_routes.API]
PAGES = [
    login_page, ask_login, link_page, enter, leave, choose_language, *account_routes.PAGES,
    *session_routes.PAGES, *oidc_routes.PAGES,
]  # fmt: skip
