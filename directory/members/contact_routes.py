"""Writing to a member: the form, the API, and the pages behind the links of a message."""

from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.params import (
    FromPath,
    HeaderParameter,
    JSONBody,
    QueryParameter,
    URLEncodedBody,
)
from litestar.response import Redirect

from directory import errors
from directory.accounts.authentication import ActorRequest
from directory.http import clients, pages, problems
from directory.members import contact, freshness
from directory.members.contact import ContactClosed, KeyUsed, MessageDraft, MessageReceipt
from directory.members.views import MemberView

Done = Annotated[str, QueryParameter(max_length=20)]


IdempotencyKey = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key", max_length=200,
        description="Your own name for this message, such as a UUID. Sent again under the same "
        "key it goes out once.",
    ),
]  # fmt: skip


class MessageForm(msgspec.Struct):
    """key: each form that is drawn has its own, so that it is sent once."""

    body: str = ""
    key: str = ""


class ChoiceForm(msgspec.Struct):
    """A box that is not ticked is not posted."""

    takes_messages: str = ""
    takes_reminders: str = ""


class AcceptForm(msgspec.Struct):
    account_id: int


@get("/members/{member_id:int}/message", include_in_schema=False)
async def message_page(
    request: ActorRequest, member_id: FromPath[int], done: Done = ""
) -> Response[str]:
    try:
        view = await contact.require_open(request.user, member_id, pages.language(request))
    except ContactClosed as problem:
        return _closed(request, problem)
    return _form(request, view, MessageForm(), done=done)


@post("/members/{member_id:int}/message", include_in_schema=False, status_code=303)
async def send_message(
    request: ActorRequest, member_id: FromPath[int], data: URLEncodedBody[MessageForm]
) -> Response[str] | Redirect:
    """Whatever is wrong, what was typed is shown again."""
    try:
        await contact.write(
            request.user, member_id, MessageDraft(data.body), clients.network(request), data.key
        )
    except ContactClosed as problem:
        return _closed(request, problem, data.body)
    except (errors.Malformed, errors.TooMany, KeyUsed) as problem:
        try:
            view = await contact.require_open(request.user, member_id, pages.language(request))
        except ContactClosed as closed:
            return _closed(request, closed, data.body)
        return _form(request, view, data, problem)
    return Redirect(f"/members/{member_id}/message?done=sent", status_code=303)


def _form(
    request: ActorRequest,
    view: MemberView,
    typed: MessageForm,
    problem: errors.Problem | None = None,
    done: str = "",
) -> Response[str]:
    return pages.page(
        request, "members/message.html", status=problem.status if problem else 200,
        view=view, typed=typed, problem=problem, done=done, key=contact.new_key(),
    )  # fmt: skip


def _closed(request: ActorRequest, problem: ContactClosed, body: str = "") -> Response[str]:
    """One page, without a name: it is the same for who refuses, who is hidden and who never was."""
    return pages.page(
        request, "members/message.html", status=problem.status, view=None, problem=problem,
        done="", typed=MessageForm(body),
    )  # fmt: skip


@get("/me/contact", include_in_schema=False)
async def choices_page(request: ActorRequest, done: Done = "") -> Response[str]:
    return pages.page(
        request, "members/contact.html", choices=await contact.choices(request.user), done=done
    )


@post("/me/contact", include_in_schema=False, status_code=303)
async def save_choices(request: ActorRequest, data: URLEncodedBody[ChoiceForm]) -> Redirect:
    await contact.set_own(request.user, takes_messages=bool(data.takes_messages))
    await freshness.set_own(request.user, takes_reminders=bool(data.takes_reminders))
    return Redirect("/me/contact?done=saved", status_code=303)


@post("/me/contact/accept", include_in_schema=False, status_code=303)
async def accept(request: ActorRequest, data: URLEncodedBody[AcceptForm]) -> Redirect:
    await contact.accept_again(request.user, data.account_id)
    return Redirect("/me/contact?done=saved", status_code=303)


def _link_page(request: ActorRequest, name: str, token: str, found: contact.Link) -> Response[Any]:
    return pages.page(request, f"members/{name}.html", link=found, token=token)


@get("/messages/refuse/{token:str}", include_in_schema=False)
async def refuse_page(request: ActorRequest, token: FromPath[str]) -> Response[str]:
    return _link_page(request, "refuse", token, await contact.look(contact.REFUSE, token))


@post("/messages/refuse/{token:str}", include_in_schema=False, status_code=303)
async def refuse(token: FromPath[str]) -> Redirect:
    await contact.refuse_by_link(token, is_refused=True)
    return Redirect(f"/messages/refuse/{token}", status_code=303)


@post("/messages/refuse/{token:str}/undo", include_in_schema=False, status_code=303)
async def undo_refusal(token: FromPath[str]) -> Redirect:
    await contact.refuse_by_link(token, is_refused=False)
    return Redirect(f"/messages/refuse/{token}", status_code=303)


@get("/messages/report/{token:str}", include_in_schema=False)
async def report_page(request: ActorRequest, token: FromPath[str]) -> Response[str]:
    return _link_page(request, "report", token, await contact.look(contact.REPORT, token))


@post("/messages/report/{token:str}", include_in_schema=False, status_code=303)
async def report(token: FromPath[str]) -> Redirect:
    await contact.report_by_link(token)
    return Redirect(f"/messages/report/{token}", status_code=303)


@post(
    "/members/{member_id:int}/messages", operation_id="writeToMember", status_code=202,
    summary="Write to a member, by mail, without knowing their address",
    tags=["members"], responses=problems.responses(401, 403, 404, 409, 429),
)  # fmt: skip
async def write_to_member(
    request: ActorRequest,
    member_id: FromPath[int],
    data: JSONBody[MessageDraft],
    key: IdempotencyKey = "",
) -> MessageReceipt:
    """Your name and your address go with it: the answer comes to you, past this service.

    At most 10 messages a day, 3 to the same member. 404 `contact-closed` for who takes none, for
    whatever reason, and for who is not there. 409 `key-used` for another message under a key.
    """
    return await contact.write(request.user, member_id, data, clients.network(request), key)


PAGES = [
    message_page, send_message, choices_page, save_choices, accept,
    refuse_page, refuse, undo_refusal, report_page, report,
]  # fmt: skip
API = [write_to_member]
