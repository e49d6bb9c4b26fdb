"""The pages behind the signed links of mails. They open without signing in, and only stop."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from litestar import MediaType, Response, get, post
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors, settings
from directory.accounts.authentication import ActorRequest
from directory.filieres import registry
from directory.http import clients, guards, pages
from directory.languages import marked
from directory.subscriptions import consent, forms, ledger, links, pauses, preferences, returns
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.links import Holder, PauseMade, Stop

ROWS_SHOWN = 20
ONE_CLICK = (b"List-Unsubscribe", b"One-Click")
FROM_ANYWHERE = {guards.ANY_ORIGIN: True}
Done = Annotated[str, QueryParameter(max_length=20)]
Undo = Annotated[str, QueryParameter(max_length=200)]
Read = Callable[[bytes, str], Holder]


class UndoForm(msgspec.Struct):
    undo: str = ""


class PauseForm(msgspec.Struct):
    until: str = ""


class FiliereForm(msgspec.Struct):
    filiere: str = ""


def stopped(base: str, stop: Stop | None, done: str = "stopped") -> Redirect:
    """To the page that says what was stopped, and offers to take it back."""
    undo = f"&undo={links.undo_token(settings.current().secret, stop)}" if stop else ""
    return Redirect(f"{base}?done={done}{undo}", status_code=303)


def paused(base: str, pause: PauseMade) -> Redirect:
    undo = links.pause_token(settings.current().secret, pause)
    return Redirect(f"{base}?done=paused&undo={undo}", status_code=303)


def read_undo(token: str, member_id: int) -> Stop:
    """:raises errors.NotFound: for a token that is not of this member's own stop."""
    stop = links.read_undo(settings.current().secret, token)
    if stop.member_id != member_id:
        raise _anothers()
    return stop


def _anothers() -> errors.NotFound:
    return errors.NotFound(marked("Ce lien est d’une autre personne."))


def _holder(read: Read, token: str) -> Holder:
    return read(settings.current().secret, token)


def _trace(request: ActorRequest, screen: Screen = Screen.MAIL) -> Trace:
    """Who holds a link is nobody that we know."""
    return Trace(screen, clients.network(request), language=pages.language(request))


@get("/m/{token:str}", include_in_schema=False)
async def preferences_page(
    request: ActorRequest, token: FromPath[str], done: Done = "", undo: Undo = ""
) -> Response[str]:
    holder = _holder(links.read_preferences, token)
    language = pages.language(request)
    consents = await preferences.of(holder.member_id, language)
    return pages.page(
        request, "subscriptions/preferences.html",
        consents=consents, base=f"/m/{token}", by_link=True, done=done, undo=undo,
        today=pauses.today(),
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
    holder = _holder(links.read_preferences, token)
    stop = await consent.adjust(holder, await forms.read(data), _trace(request))
    return stopped(f"/m/{token}", stop, "less" if stop else "saved")


@post("/m/{token:str}/stop-all", include_in_schema=False, status_code=303)
async def stop_all(request: ActorRequest, token: FromPath[str]) -> Redirect:
    holder = _holder(links.read_preferences, token)
    return stopped(f"/m/{token}", await consent.stop(holder, _trace(request)))


@post("/m/{token:str}/stop-filiere", include_in_schema=False, status_code=303)
async def stop_filiere(
    request: ActorRequest, token: FromPath[str], data: URLEncodedBody[FiliereForm]
) -> Redirect:
    """Its mails alone: a link takes nobody out of a filière."""
    holder = _holder(links.read_preferences, token)
    stop = await consent.stop_filiere(holder, data.filiere, _trace(request))
    return stopped(f"/m/{token}", stop)


@post("/m/{token:str}/undo", include_in_schema=False, status_code=303)
async def undo_stop(
    request: ActorRequest, token: FromPath[str], data: URLEncodedBody[UndoForm]
) -> Redirect:
    stop = read_undo(data.undo, _holder(links.read_preferences, token).member_id)
    await consent.restore(stop, _trace(request))
    return Redirect(f"/m/{token}?done=back", status_code=303)


@post("/m/{token:str}/pause", include_in_schema=False, status_code=303)
async def pause(
    request: ActorRequest, token: FromPath[str], data: URLEncodedBody[PauseForm]
) -> Redirect:
    holder = _holder(links.read_preferences, token)
    return paused(f"/m/{token}", await pauses.pause_by_link(holder, pauses.read(data.until)))


@post("/m/{token:str}/pause/undo", include_in_schema=False, status_code=303)
async def undo_pause(token: FromPath[str], data: URLEncodedBody[UndoForm]) -> Redirect:
    holder = _holder(links.read_preferences, token)
    made = links.read_pause(settings.current().secret, data.undo)
    if made.member_id != holder.member_id:
        raise _anothers()
    await pauses.undo(made)
    return Redirect(f"/m/{token}?done=resumed", status_code=303)


@post("/m/{token:str}/return", include_in_schema=False, status_code=303)
async def ask_return(request: ActorRequest, token: FromPath[str]) -> Redirect:
    """The answer is the same whether or not there is anything to come back to."""
    holder = _holder(links.read_preferences, token)
    await returns.ask(holder, clients.network(request))
    return Redirect(f"/m/{token}?done=return", status_code=303)


async def _unsubscribe_page(
    request: ActorRequest, holder: Holder, base: str, done: str, undo: str
) -> Response[str]:
    named = await registry.refs(holder.filiere_ids, pages.language(request))
    return pages.page(
        request, "subscriptions/unsubscribe.html",
        topic=holder.topic, rhythm=holder.rhythm,
        filieres=sorted(ref.name for ref in named.values()),
        is_on=await consent.is_on(holder), base=base, done=done, undo=undo,
        email=links.masked(await preferences.address(holder.member_id) or ""),
    )  # fmt: skip


async def _unsubscribe(
    request: ActorRequest, holder: Holder, base: str
) -> Response[str] | Redirect:
    """From the page, or from a mail programme (RFC 8058), which wants a plain 200."""
    # RFC 8058 allows two encodings of the body; both hold these words as they are.
    body = await request.body()
    if all(word in body for word in ONE_CLICK):
        # Nobody read a page: what was read is the mail.
        language = await preferences.mail_language(holder.member_id)
        trace = Trace(Screen.ONE_CLICK, clients.network(request), language=language)
        await consent.stop(holder, trace)
        return Response("", media_type=MediaType.TEXT, status_code=200)
    return stopped(base, await consent.stop(holder, _trace(request)))


@get("/m/{token:str}/stop", include_in_schema=False)
async def unsubscribe_page(
    request: ActorRequest, token: FromPath[str], done: Done = "", undo: Undo = ""
) -> Response[str]:
    holder = _holder(links.read_unsubscribe, token)
    return await _unsubscribe_page(request, holder, f"/m/{token}/stop", done, undo)


@post("/m/{token:str}/stop", include_in_schema=False, status_code=303, opt=FROM_ANYWHERE)
async def unsubscribe(request: ActorRequest, token: FromPath[str]) -> Response[str] | Redirect:
    return await _unsubscribe(request, _holder(links.read_unsubscribe, token), f"/m/{token}/stop")


@post("/m/{token:str}/stop/undo", include_in_schema=False, status_code=303)
async def undo_unsubscribe(
    request: ActorRequest, token: FromPath[str], data: URLEncodedBody[UndoForm]
) -> Redirect:
    stop = read_undo(data.undo, _holder(links.read_unsubscribe, token).member_id)
    await consent.restore(stop, _trace(request))
    return Redirect(f"/m/{token}/stop?done=back", status_code=303)


@get("/m/{token:str}/digest", include_in_schema=False)
async def digest_page(
    request: ActorRequest, token: FromPath[str], done: Done = "", undo: Undo = ""
) -> Response[str]:
    holder = _holder(links.read_digest, token)
    return await _unsubscribe_page(request, holder, f"/m/{token}/digest", done, undo)


@post("/m/{token:str}/digest", include_in_schema=False, status_code=303, opt=FROM_ANYWHERE)
async def stop_digest(request: ActorRequest, token: FromPath[str]) -> Response[str] | Redirect:
    return await _unsubscribe(request, _holder(links.read_digest, token), f"/m/{token}/digest")


@post("/m/{token:str}/digest/undo", include_in_schema=False, status_code=303)
async def undo_digest(
    request: ActorRequest, token: FromPath[str], data: URLEncodedBody[UndoForm]
) -> Redirect:
    stop = read_undo(data.undo, _holder(links.read_digest, token).member_id)
    await consent.restore(stop, _trace(request))
    return Redirect(f"/m/{token}/digest?done=back", status_code=303)


PAGES = [
    preferences_page, save, stop_all, stop_filiere, undo_stop, pause, undo_pause, ask_return,
    unsubscribe_page, unsubscribe, undo_unsubscribe, digest_page, stop_digest, undo_digest,
]  # fmt: skip
