"""The pages behind links that a person asked for, or that ask them something.

Reading them changes nothing: scanners open every link. Each does one thing, by its button.
"""

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from directory.accounts.authentication import ActorRequest
from directory.http import clients, pages
from directory.subscriptions import confirmations, expiry, links, returns
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.mail_routes import Done


def _trace(request: ActorRequest, screen: Screen) -> Trace:
    return Trace(screen, clients.network(request), language=pages.language(request))


@get("/address/{token:str}", include_in_schema=False)
async def address_page(request: ActorRequest, token: FromPath[str]) -> Response[str]:
    address = await confirmations.find(token)
    return pages.page(
        request, "subscriptions/address.html",
        address=address, token=token, email=links.masked(address.email),
    )  # fmt: skip


@post("/address/{token:str}", include_in_schema=False, status_code=303)
async def confirm_address(token: FromPath[str]) -> Redirect:
    await confirmations.confirm(token)
    return Redirect(f"/address/{token}", status_code=303)


@get("/return/{token:str}", include_in_schema=False)
async def return_page(
    request: ActorRequest, token: FromPath[str], done: Done = ""
) -> Response[str]:
    way = await returns.find(token, pages.language(request))
    return pages.page(
        request, "subscriptions/return.html",
        way=way, token=token, done=done, email=links.masked(way.email),
    )  # fmt: skip


@post("/return/{token:str}", include_in_schema=False, status_code=303)
async def come_back(request: ActorRequest, token: FromPath[str]) -> Redirect:
    await returns.come_back(token, _trace(request, Screen.RETURN))
    return Redirect(f"/return/{token}?done=back", status_code=303)


@get("/keep/{token:str}", include_in_schema=False)
async def keep_page(request: ActorRequest, token: FromPath[str], done: Done = "") -> Response[str]:
    return pages.page(
        request, "subscriptions/keep.html",
        notice=await expiry.find(token, pages.language(request)), token=token, done=done,
    )  # fmt: skip


@post("/keep/{token:str}", include_in_schema=False, status_code=303)
async def keep(request: ActorRequest, token: FromPath[str]) -> Redirect:
    await expiry.keep(token, _trace(request, Screen.KEEP))
    return Redirect(f"/keep/{token}?done=kept", status_code=303)


PAGES = [address_page, confirm_address, return_page, come_back, keep_page, keep]
