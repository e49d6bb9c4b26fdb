"""The pages behind the links of a reminder. They open without signing in, and do one thing each."""

from typing import Annotated

from litestar import MediaType, Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect

from directory.accounts.authentication import ActorRequest
from directory.http import pages
from directory.members import freshness, profile_pages

Done = Annotated[str, QueryParameter(max_length=20)]
ONE_CLICK = (b"List-Unsubscribe", b"One-Click")


@get("/fresh/{token:str}", include_in_schema=False)
async def fresh_page(request: ActorRequest, token: FromPath[str], done: Done = "") -> Response[str]:
    """Reading it confirms nothing: scanners open every link."""
    state = await freshness.state(freshness.CONFIRM, token)
    return pages.page(
        request, "members/fresh.html",
        state=state, token=token, done=done, labels=profile_pages.LABELS,
    )  # fmt: skip


@post("/fresh/{token:str}", include_in_schema=False, status_code=303)
async def confirm(token: FromPath[str]) -> Redirect:
    await freshness.confirm_by_link(token)
    return Redirect(f"/fresh/{token}?done=confirmed", status_code=303)


@get("/reminders/{token:str}", include_in_schema=False)
async def reminders_page(
    request: ActorRequest, token: FromPath[str], done: Done = ""
) -> Response[str]:
    state = await freshness.state(freshness.REMINDERS, token)
    return pages.page(request, "members/reminders.html", state=state, token=token, done=done)


@post("/reminders/{token:str}", include_in_schema=False, status_code=303)
async def stop(request: ActorRequest, token: FromPath[str]) -> Response[str] | Redirect:
    """From the page, or from a mail programme (RFC 8058), which wants a plain 200."""
    await freshness.set_by_link(token, takes_reminders=False)
    body = await request.body()
    if all(word in body for word in ONE_CLICK):
        return Response("", media_type=MediaType.TEXT, status_code=200)
    return Redirect(f"/reminders/{token}?done=stopped", status_code=303)


@post("/reminders/{token:str}/again", include_in_schema=False, status_code=303)
async def start_again(token: FromPath[str]) -> Redirect:
    await freshness.set_by_link(token, takes_reminders=True)
    return Redirect(f"/reminders/{token}?done=again", status_code=303)


PAGES = [fresh_page, confirm, reminders_page, stop, start_again]
