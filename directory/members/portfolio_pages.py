"""The entries of a portfolio: written, ordered and removed, by people and by programs."""

from typing import Any, Literal

import msgspec
from litestar import Response, delete, get, post, put
from litestar.datastructures import UploadFile
from litestar.params import FromPath, JSONBody, MultipartBody, RawBody, URLEncodedBody
from litestar.response import Redirect
from msgspec import UNSET

from directory import errors
from directory.accounts.authentication import ActorRequest
from directory.http import images, pages, problems
from directory.languages import marked
from directory.members import forms, photo_pages, portfolio, profiles
from directory.members.audiences import Field
from directory.members.portfolio import EntryDraft, OrderDraft
from directory.members.views import MemberView, PortfolioView

ENTRY = "/members/{member_id:int}/portfolio/{entry_id:int}"
CHANGES = problems.responses(401, 403, 404, 409)


class EntryForm(msgspec.Struct, kw_only=True):
    """As it is posted. keeps: whether the picture that is there stays."""

    title: str = ""
    year: str = ""
    text: str = ""
    url: str = ""
    keeps: Literal["yes", "no"] = "yes"
    seen: str = ""
    picture: UploadFile | None = None


class MoveForm(msgspec.Struct):
    towards: Literal["up", "down"]


@get("/members/{member_id:int}/portfolio/{file:str}", include_in_schema=False)
async def show_picture(
    request: ActorRequest, member_id: FromPath[int], file: FromPath[str]
) -> Response[bytes]:
    name, side = images.parts(file)
    content = await portfolio.read(request.user, member_id, name, side)
    return images.answer(request, file, content)


@get("/members/{member_id:int}/works/new", include_in_schema=False)
async def new_entry(request: ActorRequest, member_id: FromPath[int]) -> Response[str]:
    await profiles.require_own(request.user, member_id)
    return await _form_page(request, member_id, None, EntryForm())


@get("/members/{member_id:int}/works/{entry_id:int}", include_in_schema=False)
async def edit_entry(
    request: ActorRequest, member_id: FromPath[int], entry_id: FromPath[int]
) -> Response[str]:
    await profiles.require_own(request.user, member_id)
    view = await profiles.get(request.user, member_id, pages.language(request))
    entry = _entry(view, entry_id)
    return await _form_page(request, member_id, entry, _filled(entry))


@post(
    "/members/{member_id:int}/works", include_in_schema=False, status_code=303,
    request_max_body_size=photo_pages.MOST_BODY,
)  # fmt: skip
async def add_entry(
    request: ActorRequest, member_id: FromPath[int], data: MultipartBody[EntryForm]
) -> Response[Any]:
    await profiles.require_own(request.user, member_id)
    try:
        content = await data.picture.read() if data.picture else None
        entry_id = await portfolio.add(request.user, _draft(data), content)
    except (errors.Malformed, errors.Conflict) as problem:  # shown with what was typed
        return await _form_page(request, member_id, None, data, problem)
    return _saved(member_id, f"entry-{entry_id}")


@post(
    "/members/{member_id:int}/works/{entry_id:int}", include_in_schema=False, status_code=303,
    request_max_body_size=photo_pages.MOST_BODY,
)  # fmt: skip
async def save_entry(
    request: ActorRequest,
    member_id: FromPath[int],
    entry_id: FromPath[int],
    data: MultipartBody[EntryForm],
) -> Response[Any]:
    """What another window saved meanwhile is shown beside what was typed."""
    await profiles.require_own(request.user, member_id)
    picture: Any = await data.picture.read() if data.picture else UNSET
    picture = None if picture is UNSET and data.keeps == "no" else picture
    while True:
        view = await profiles.get(request.user, member_id, pages.language(request))
        entry = _entry(view, entry_id)
        held = _filled(entry).seen
        if data.seen != held:
            mine = msgspec.structs.replace(data, seen=held, picture=None)
            clash = errors.Conflict(profiles.STALE)
            return await _form_page(request, member_id, entry, mine, clash)
        try:
            now = frozenset({view.version or 0})
            await portfolio.change(request.user, entry_id, _draft(data), picture, now)
        except errors.Malformed as problem:  # shown beside the field, with what was typed
            return await _form_page(request, member_id, entry, data, problem)
        except errors.Outdated:
            continue  # something else of the profile was saved this moment
        return _saved(member_id, f"entry-{entry_id}")


def _saved(member_id: int, anchor: str) -> Redirect:
    return Redirect(f"/members/{member_id}?saved={Field.PORTFOLIO}#{anchor}", status_code=303)


@post(
    "/members/{member_id:int}/works/{entry_id:int}/move", include_in_schema=False, status_code=303
)
async def move_entry(
    request: ActorRequest,
    member_id: FromPath[int],
    entry_id: FromPath[int],
    data: URLEncodedBody[MoveForm],
) -> Redirect:
    await profiles.require_own(request.user, member_id)
    await portfolio.move(request.user, entry_id, up=data.towards == "up")
    return _saved(member_id, f"entry-{entry_id}")


@post(
    "/members/{member_id:int}/works/{entry_id:int}/remove",
    include_in_schema=False, status_code=303,
)  # fmt: skip
async def remove_entry(
    request: ActorRequest, member_id: FromPath[int], entry_id: FromPath[int]
) -> Redirect:
    """From the entry's own page, which names what goes."""
    await profiles.require_own(request.user, member_id)
    await portfolio.remove(request.user, entry_id)
    return _saved(member_id, "portfolio")


def _entry(view: MemberView, entry_id: int) -> PortfolioView:
    for entry in view.portfolio:
        if entry.id == entry_id:
            return entry
    raise errors.NotFound(portfolio.NO_ENTRY)


def _filled(entry: PortfolioView) -> EntryForm:
    year = str(entry.year) if entry.year else ""
    form = EntryForm(title=entry.title, year=year, text=entry.text, url=entry.url)
    form.seen = forms.print_of(entry)
    return form


def _draft(form: EntryForm) -> EntryDraft:
    typed = form.year.strip()
    if typed and not (typed.isascii() and typed.isdigit() and len(typed) == 4):
        raise errors.Malformed.field(
            "year", marked("« %(year)s » n’est pas une année. Écrivez par exemple 2026."),
            year=typed[:20],
        )  # fmt: skip
    year = int(typed) if typed else None
    return EntryDraft(title=form.title, year=year, text=form.text, url=form.url)


async def _form_page(
    request: ActorRequest,
    member_id: int,
    entry: PortfolioView | None,
    form: EntryForm,
    problem: errors.Problem | None = None,
) -> Response[str]:
    return pages.page(
        request, "members/entry_form.html", status=problem.status if problem else 200,
        member_id=member_id, entry=entry, form=form, problem=problem,
        wrong=problem.fields[0].field if problem and problem.fields else "",
        most=portfolio.MOST,
    )  # fmt: skip


@post(
    "/members/{member_id:int}/portfolio", operation_id="addPortfolioEntry", status_code=201,
    summary="Show something of your work", tags=["members"], responses=CHANGES,
)  # fmt: skip
async def add_portfolio_entry(
    request: ActorRequest, member_id: FromPath[int], data: JSONBody[EntryDraft]
) -> MemberView:
    """The last of your entries; 409 beyond twelve. Its picture is put by a request of its own."""
    await profiles.require_own(request.user, member_id)
    await portfolio.add(request.user, data)
    return await profiles.get(request.user, member_id, pages.language(request))


@put(
    ENTRY, operation_id="putPortfolioEntry", summary="Write an entry of your portfolio anew",
    tags=["members"], responses=CHANGES,
)  # fmt: skip
async def put_portfolio_entry(
    request: ActorRequest,
    member_id: FromPath[int],
    entry_id: FromPath[int],
    data: JSONBody[EntryDraft],
) -> MemberView:
    """Its picture and its place stay."""
    await profiles.require_own(request.user, member_id)
    await portfolio.change(request.user, entry_id, data)
    return await profiles.get(request.user, member_id, pages.language(request))


@delete(
    ENTRY, operation_id="deletePortfolioEntry", summary="Remove an entry of your portfolio",
    tags=["members"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def delete_portfolio_entry(
    request: ActorRequest, member_id: FromPath[int], entry_id: FromPath[int]
) -> None:
    """With its picture."""
    await profiles.require_own(request.user, member_id)
    await portfolio.remove(request.user, entry_id)


@put(
    f"{ENTRY}/picture", operation_id="putPortfolioPicture", summary="Give an entry a picture",
    tags=["members"], responses=problems.responses(401, 403, 404, 413, 415, 429),
    request_max_body_size=photo_pages.MOST_BODY, operation_class=photo_pages.TakesPicture,
)  # fmt: skip
async def put_portfolio_picture(
    request: ActorRequest, member_id: FromPath[int], entry_id: FromPath[int], body: RawBody
) -> MemberView:
    """The body is the picture itself, as for the photo; it keeps its shape."""
    await profiles.require_own(request.user, member_id)
    photo_pages.require_picture(request)
    view = await profiles.get(request.user, member_id, pages.language(request))
    entry = _entry(view, entry_id)
    draft = EntryDraft(title=entry.title, year=entry.year, text=entry.text, url=entry.url)
    await portfolio.change(request.user, entry_id, draft, body)
    return await profiles.get(request.user, member_id, pages.language(request))


@put(
    "/members/{member_id:int}/portfolio/order", operation_id="orderPortfolio",
    summary="Put the entries of your portfolio in order",
    tags=["members"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def order_portfolio(
    request: ActorRequest, member_id: FromPath[int], data: JSONBody[OrderDraft]
) -> MemberView:
    await profiles.require_own(request.user, member_id)
    await portfolio.order(request.user, data)
    return await profiles.get(request.user, member_id, pages.language(request))


API = [
    add_portfolio_entry, put_portfolio_entry, delete_portfolio_entry, put_portfolio_picture,
    order_portfolio,
]  # fmt: skip
PAGES = [
    show_picture, new_entry, edit_entry, add_entry, save_entry, move_entry, remove_entry,
]  # fmt: skip
