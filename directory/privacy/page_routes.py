"""The page of one's own data, and the pages behind the links of the mails about an erasure."""

from typing import Annotated, Literal

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Stream

from directory import errors, settings
from directory.accounts import holdings as accounts
from directory.accounts.authentication import ActorRequest
from directory.http import pages
from directory.privacy import erasures, exports, keeping
from directory.privacy.erasures import CONFIRM, KEEP, State

PAGE = "/account/data"
Done = Annotated[Literal["asked", "copy", "kept", ""], QueryParameter()]


@get(PAGE, include_in_schema=False)
async def data_page(request: ActorRequest, done: Done = "") -> Response[str]:
    account_id = erasures.require_at_screen(request.user)
    return pages.page(
        request, "privacy/data.html", fragment="copies",
        done=done,
        exports=await exports.list_own(request.user),
        erasure=await erasures.find_own(request.user),
        duties=await erasures.duties(
            await accounts.person(account_id), pages.language(request)
        ),
        kept=keeping.table(), days=settings.current().erasure_days,
        zone=erasures.ZONE, lifetime=exports.LIFETIME.days,
    )  # fmt: skip


@post("/account/data/exports", include_in_schema=False, status_code=303)
async def ask_copy(request: ActorRequest) -> Redirect:
    erasures.require_at_screen(request.user)
    await exports.ask(request.user, pages.language(request))
    return Redirect(f"{PAGE}?done=copy", status_code=303)


@get("/account/data/exports/{export_id:int}", include_in_schema=False)
async def download_copy(request: ActorRequest, export_id: FromPath[int]) -> Stream:
    return await streamed(request, export_id)


async def streamed(request: ActorRequest, export_id: int) -> Stream:
    export, pieces = await exports.download(request.user, export_id)
    name = f"donnees-{export.asked_at:%Y-%m-%d}-{export.id}.zip"
    return Stream(
        pieces, media_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(export.size),
            "Cache-Control": "no-store",
        },
    )  # fmt: skip


@post("/account/data/erasure", include_in_schema=False, status_code=303)
async def ask_erasure(request: ActorRequest) -> Redirect:
    await erasures.ask(request.user)
    return Redirect(f"{PAGE}?done=asked", status_code=303)


@post("/account/data/erasure/keep", include_in_schema=False, status_code=303)
async def keep_account(request: ActorRequest) -> Redirect:
    await erasures.keep_own(request.user)
    return Redirect(f"{PAGE}?done=kept", status_code=303)


@get("/erasure/{token:str}", include_in_schema=False)
async def confirm_page(request: ActorRequest, token: FromPath[str]) -> Response[str]:
    view = await erasures.read(CONFIRM, token)
    return pages.page(
        request, "privacy/confirm.html",
        erasure=view, token=token, kept=keeping.table(), days=settings.current().erasure_days,
        duties=await erasures.duties(view.person, pages.language(request)), zone=erasures.ZONE,
    )  # fmt: skip


@post("/erasure/{token:str}", include_in_schema=False, status_code=303)
async def confirm_erasure(token: FromPath[str]) -> Redirect:
    await erasures.confirm(token)
    return Redirect(f"/erasure/{token}", status_code=303)


@get("/erasure/keep/{token:str}", include_in_schema=False)
async def keep_page(request: ActorRequest, token: FromPath[str]) -> Response[str]:
    try:
        view = await erasures.read(KEEP, token)
    except errors.Gone:  # after the button, and when it is opened again: nothing is planned
        return pages.page(request, "privacy/kept.html")
    return pages.page(
        request, "privacy/keep.html", erasure=view, token=token, zone=erasures.ZONE,
        has_begun=view.state is State.ERASING,
    )  # fmt: skip


@post("/erasure/keep/{token:str}", include_in_schema=False, status_code=303)
async def keep_by_link(token: FromPath[str]) -> Redirect:
    await erasures.keep(token)
    return Redirect(f"/erasure/keep/{token}", status_code=303)


PAGES = [
    data_page,
    ask_copy,
    download_copy,
    ask_erasure,
    keep_account,
    confirm_page,
    confirm_erasure,
    keep_page,
    keep_by_link,
]
