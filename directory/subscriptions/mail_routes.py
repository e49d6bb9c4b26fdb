"""The pages behind the signed links of mails. They open without signing in, and only stop."""

from typing import Annotated

import msgspec
from litestar import MediaType, Response, get, post
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors, settings
from directory.accounts.authentication import ActorRequest
from directory.filieres import registry
from directory.http import clients, pages
from directory.languages import marked
from directory.subscriptions import consent, forms, ledger, links, preferences
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.links import Holder, Stop

ROWS_SHOWN = 20
ONE_CLICK = (b"List-Unsubscribe", b"One-Click")
Done = Annotated[str, QueryParameter(max_length=20)]
Undo = Annotated[str, QueryParameter(max_length=200)]


class UndoForm(msgspec.Struct):
    undo: str = ""


def stopped(base: str, stop: Stop | None) -> Redirect:
    """To the page that says what was stopped, and offers to take it back."""
    undo = f"&undo={links.undo_token(settings.current().secret, stop)}" if stop else ""
    return Redirect(f"{base}?done=stopped{undo}", status_code=303)


def read_undo(token: str, member_id: int) -> Stop:
    """:raises errors.NotFound: for a token that is not of this member's own stop."""
    stop = links.read_undo(settings.current().secret, token)
    if stop.member_id != member_id:
        raise errors.NotFound(marked("Ce lien est d’une autre personne."))
    return stop


def _preferences(token: str) -> Holder:
    return links.read_preferences(settings.current().secret, token)


def _unsubscribe(token: str) -> Holder:
    return links.read_unsubscribe(settings.current().secret, token)


@get("/m/{token:str}", include_in_schema=False)
async def preferences_page(
    request: ActorRequest, token: FromPath[str], done: Done = "", undo: Undo = ""
) -> Response[str]:
    holder = _preferences(token)
    language = pages.language(request)
    consents = await preferences.of(holder.member_id, language)
    return pages.page(
        request, "subscriptions/preferences.html",
        consents=consents, base=f"/m/{token}", by_link=True, done=done, undo=undo,
        email=links.masked(await preferences.address(holder.member_id) or ""),
        # A forwarded link tells no more than the choices it can stop.
        history=await ledger.list_history(
            holder.member_id, language, limit=ROWS_SHOWN,
            filiere_ids=[one.filiere.id for one in consents.filieres],
        ),
    )  # fmt: skip


@post("/m/{token:str}", include_in_schema=False, status_code=303)
async def save(
    request: ActorRequest, token: FromPath[str], data: URLEncodedBody[dict[str, str]]
) -> Redirect:
    holder = _preferences(token)
    trace = Trace(Screen.MAIL, clients.network(request))
    stop = await consent.adjust(holder, await forms.read(data), trace)
    if stop is None:
        return Redirect(f"/m/{token}?done=saved", status_code=303)
    return stopped(f"/m/{token}", stop)


@post("/m/{token:str}/stop-all", include_in_schema=False, status_code=303)
async def stop_all(request: ActorRequest, token: FromPath[str]) -> Redirect:
    trace = Trace(Screen.MAIL, clients.network(request))
    return stopped(f"/m/{token}", await consent.stop(_preferences(token), trace))


@post("/m/{token:str}/undo", include_in_schema=False, status_code=303)
async def undo_stop(
    request: ActorRequest, token: FromPath[str], data: URLEncodedBody[UndoForm]
) -> Redirect:
    stop = read_undo(data.undo, _preferences(token).member_id)
    await consent.restore(stop, Trace(Screen.MAIL, clients.network(request)))
    return Redirect(f"/m/{token}?done=back", status_code=303)


@get("/m/{token:str}/stop", include_in_schema=False)
async def unsubscribe_page(
    request: ActorRequest, token: FromPath[str], done: Done = "", undo: Undo = ""
) -> Response[str]:
    holder = _unsubscribe(token)
    named = await registry.refs(holder.filiere_ids, pages.language(request))
    return pages.page(
        request, "subscriptions/unsubscribe.html",
        topic=holder.topic, filieres=sorted(ref.name for ref in named.values()),
        is_on=await consent.is_on(holder), base=f"/m/{token}/stop", done=done, undo=undo,
        email=links.masked(await preferences.address(holder.member_id) or ""),
    )  # fmt: skip


@post("/m/{token:str}/stop", include_in_schema=False, status_code=303)
async def unsubscribe(request: ActorRequest, token: FromPath[str]) -> Response[str] | Redirect:
    """From the page, or from a mail programme (RFC 8058), which wants a plain 200."""
    holder = _unsubscribe(token)
    # RFC 8058 allows two encodings of the body; both hold these words as they are.
    body = await request.body()
    is_one_click = all(word in body for word in ONE_CLICK)
    screen = Screen.ONE_CLICK if is_one_click else Screen.MAIL
    stop = await consent.stop(holder, Trace(screen, clients.network(request)))
    if is_one_click:
        return Response("", media_type=MediaType.TEXT, status_code=200)
    return stopped(f"/m/{token}/stop", stop)


@post("/m/{token:str}/stop/undo", include_in_schema=False, status_code=303)
async def undo_unsubscribe(
    request: ActorRequest, token: FromPath[str], data: URLEncodedBody[UndoForm]
) -> Redirect:
    stop = read_undo(data.undo, _unsubscribe(token).member_id)
    await consent.restore(stop, Trace(Screen.MAIL, clients.network(request)))
    return Redirect(f"/m/{token}/stop?done=back", status_code=303)


PAGES = [
    preferences_page,
    save,
    stop_all,
    undo_stop,
    unsubscribe_page,
    unsubscribe,
    undo_unsubscribe,
]
