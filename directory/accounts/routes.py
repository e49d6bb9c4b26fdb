"""Signing in and out, the reader's language, and who one is."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors, languages, settings
from directory.accounts import account_routes, login, sessions
from directory.accounts.authentication import ActorRequest
from directory.http import pages, problems

YEAR_SECONDS = 365 * 24 * 3600


class LoginForm(msgspec.Struct):
    email: str = ""
    next: str = "/"


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


@get("/login", include_in_schema=False)
async def login_page(
    request: ActorRequest, after: Annotated[str, QueryParameter(name="next", max_length=500)] = "/"
) -> Response[str]:
    return pages.page(request, "accounts/login.html", email="", after=login.local_path(after))


@post("/login", include_in_schema=False, status_code=200)
async def ask_login(
    request: ActorRequest,
    data: URLEncodedBody[LoginForm],
) -> Response[str]:
    email = data.email.strip()
    try:
        await login.ask(email, data.next, pages.language(request))
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return pages.page(
            request, "accounts/login.html", status=400,
            email=data.email, after=login.local_path(data.next), problem=problem,
        )  # fmt: skip
    return pages.page(request, "accounts/asked.html", email=email)


@get("/login/{secret:str}", include_in_schema=False)
async def link_page(request: ActorRequest, secret: FromPath[str]) -> Response[str]:
    is_open = await login.is_open(secret)
    return pages.page(
        request, "accounts/enter.html", status=200 if is_open else 410,
        secret=secret, is_open=is_open,
    )  # fmt: skip


@post("/login/{secret:str}", include_in_schema=False, status_code=303)
async def enter(request: ActorRequest, secret: FromPath[str]) -> Redirect:
    session, after = await login.enter(secret, request.headers.get("user-agent", ""))
    if old := request.cookies.get(sessions.COOKIE):
        await sessions.close(old)
    return Redirect(after, status_code=303, cookies=[_session_cookie(session)])


@post("/logout", include_in_schema=False, status_code=303)
async def leave(request: ActorRequest) -> Redirect:
    if secret := request.cookies.get(sessions.COOKIE):
        await sessions.close(secret)
    gone = _session_cookie("", max_age=0)
    return Redirect("/", status_code=303, cookies=[gone])


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


def _session_cookie(secret: str, max_age: int = int(sessions.LIFETIME.total_seconds())) -> Cookie:
    return Cookie(
        key=sessions.COOKIE, value=secret, path="/", max_age=max_age, httponly=True,
        samesite="lax", secure=settings.current().is_https,
    )  # fmt: skip


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


API = [me, *account_routes.API]
PAGES = [login_page, ask_login, link_page, enter, leave, choose_language, *account_routes.PAGES]
