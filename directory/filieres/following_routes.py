"""The page behind the link that stops the mails about a proposal. It opens without signing in."""

from typing import Annotated

import msgspec
from litestar import MediaType, Response, get, post
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory.accounts.authentication import ActorRequest
from directory.filieres import following, registry
from directory.http import guards, pages

Done = Annotated[str, QueryParameter(max_length=20)]
Undo = Annotated[str, QueryParameter(max_length=200)]
ONE_CLICK = (b"List-Unsubscribe", b"One-Click")
FROM_ANYWHERE = {guards.ANY_ORIGIN: True}


class UndoForm(msgspec.Struct):
    undo: str = ""


@get("/follow/{token:str}", include_in_schema=False)
async def following_page(
    request: ActorRequest, token: FromPath[str], done: Done = "", undo: Undo = ""
) -> Response[str]:
    """Reading it stops nothing: scanners open every link."""
    member_id, filiere_id = following.read(token)
    named = await registry.refs([filiere_id], pages.language(request))
    return pages.page(
        request, "filieres/following.html", filiere=named.get(filiere_id), token=token, done=done,
        undo=undo, is_on=await following.is_on(member_id, filiere_id),
    )  # fmt: skip


@post("/follow/{token:str}", include_in_schema=False, status_code=303, opt=FROM_ANYWHERE)
async def stop(request: ActorRequest, token: FromPath[str]) -> Response[str] | Redirect:
    """From the page, or from a mail programme (RFC 8058), which wants a plain 200."""
    undo = await following.stop(*following.read(token))
    body = await request.body()
    if all(word in body for word in ONE_CLICK):
        return Response("", media_type=MediaType.TEXT, status_code=200)
    back = f"&undo={undo}" if undo else ""
    return Redirect(f"/follow/{token}?done=stopped{back}", status_code=303)


@post("/follow/{token:str}/again", include_in_schema=False, status_code=303)
async def start_again(token: FromPath[str], data: URLEncodedBody[UndoForm]) -> Redirect:
    """Only what was stopped a moment ago: a forwarded mail lets nobody ask for more."""
    await following.undo(*following.read(token), data.undo)
    return Redirect(f"/follow/{token}?done=again", status_code=303)


PAGES = [following_page, stop, start_again]
