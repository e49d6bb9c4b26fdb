"""The pages of imports: a file becomes a plan, the plan is read, confirmed, and its result kept."""

from typing import Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, URLEncodedBody
from litestar.response import Redirect, Stream

from directory import errors, settings
from directory.accounts import cookies
from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.http import pages
from directory.http.listing import PageNumber
from directory.languages import LANGUAGES, marked
from directory.members.imports import (
    columns,
    invitations,
    listing,
    reading,
    record,
    routes,
    sheets,
)
from directory.members.imports.columns import DESCRIBED, Column
from directory.members.imports.plan import Options
from directory.members.imports.record import Action

A_PAGE = 50
HISTORY = 20
Shown = Literal["add", "change", "leave", "reject", "alike", "same"]
Done = Literal["resent", "withdrawn", "discarded"]
NOTICES = {
    "resent": marked("Les invitations repartent, au rythme prévu."),
    "withdrawn": marked("L’invitation est retirée : son lien n’ouvre plus rien."),
    "discarded": marked("Le plan est abandonné. Rien n’a changé."),
}
TABS: tuple[tuple[Shown, str, str], ...] = (
    ("add", "added", marked("Ajouts")),
    ("change", "changed", marked("Changements")),
    ("leave", "left", marked("Départs")),
    ("reject", "rejected", marked("Rejets")),
    ("alike", "alike", marked("Doublons possibles")),
    ("same", "unchanged", marked("Inchangés")),
)
SEPARATORS = {
    ";": marked("points-virgules"), ",": marked("virgules"), "\t": marked("tabulations"),
}  # fmt: skip
STATES = {
    "received": marked("reçu"),
    "reading": marked("en lecture"),
    "planned": marked("à confirmer"),
    "refused": marked("refusé"),
    "committing": marked("en cours"),
    "done": marked("terminé"),
    "failed": marked("interrompu"),
    "discarded": marked("abandonné"),
}
YES = "on"
# Of the template file: what most registers have.
TEMPLATE = (
    Column.NUMBER, Column.EMAIL, Column.GIVEN_NAME, Column.FAMILY_NAME, Column.TRADES,
    Column.SECTORS, Column.POSTAL_CODE, Column.TOWN, Column.TERRITORY, Column.PHONE,
    Column.LANGUAGES, Column.MAIL_LANGUAGE, Column.JOINED_ON, Column.LEFT_ON,
)  # fmt: skip


class CommitForm(msgspec.Struct):
    hash: str
    invite: str = ""


class InvitationForm(msgspec.Struct):
    """member_id: of one; 0 for all."""

    member_id: int = 0


@get("/members/import", include_in_schema=False)
async def start_page(
    request: ActorRequest, page: PageNumber = 1, done: FromQuery[Done | None] = None
) -> Response[str]:
    return await _start(request, page, done=done)


@get("/members/import/template.csv", include_in_schema=False)
async def template(request: ActorRequest) -> Response[bytes]:
    """The header in the reader's language, and nobody in it."""
    request.user.require(Permission.IMPORT_MEMBERS)
    language = pages.language(request)
    header = sheets.line([columns.title(column, language) for column in TEMPLATE])
    return Response(
        b"\xef\xbb\xbf" + header, media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="members.csv"'},
    )  # fmt: skip


@post(
    "/members/import", include_in_schema=False, status_code=303,
    request_max_body_size=reading.LARGEST_BYTES + routes.ROOM,
)  # fmt: skip
async def upload(request: ActorRequest) -> Response[str] | Redirect:
    request.user.require(Permission.IMPORT_MEMBERS)
    form = await request.form()
    options = Options(
        is_complete=form.get("complete") == YES,
        overwrites=form.get("overwrite") == YES,
        omits_lookalikes=form.get("omit_lookalikes") == YES,
    )
    try:
        import_id = await routes.receive(request, options)
    except reading.Refused as problem:  # shown beside the field
        return await _start(request, 1, problem=problem, options=options)
    return Redirect(f"/members/import/{import_id}", status_code=303)


async def _start(
    request: ActorRequest, page: int, *, problem: errors.Problem | None = None,
    options: Options | None = None, done: Done | None = None,
) -> Response[str]:  # fmt: skip
    language = pages.language(request)
    return pages.page(
        request, "members/import.html", status=problem.status if problem else 200,
        history=await record.list_imports(request.user, page, HISTORY), a_page=HISTORY,
        problem=problem, options=options or Options(), notice=NOTICES[done] if done else "",
        described=[
            (one.names[LANGUAGES.index(language)], one.words, one.example)
            for one in DESCRIBED.values()
        ],
        most=reading.LARGEST_BYTES // 2**20, states=STATES,
    )  # fmt: skip


@get("/members/import/{import_id:int}", include_in_schema=False)
async def import_page(
    request: ActorRequest,
    import_id: FromPath[int],
    show: FromQuery[Shown | None] = None,
    page: PageNumber = 1,
    done: FromQuery[Done | None] = None,
) -> Response[str]:
    return await _import(request, import_id, show, page, done=done)


async def _import(
    request: ActorRequest, import_id: int, show: Shown | None = None, page: int = 1, *,
    problem: errors.Problem | None = None, done: Done | None = None,
) -> Response[str]:  # fmt: skip
    language = pages.language(request)
    found = await record.get(request.user, import_id)
    counts = msgspec.structs.asdict(found.counts)
    filled: list[Shown] = [name for name, key, _ in TABS if counts[key]]
    shown: Shown = show or (filled or ["same"])[0]
    rows = await listing.list_rows(
        request.user, import_id, language, page, A_PAGE,
        action=None if shown == "alike" else Action(shown), is_alike=shown == "alike",
    )  # fmt: skip
    return pages.page(
        request, "members/plan.html", fragment="state",
        status=problem.status if problem else 200, found=found, rows=rows, shown=shown,
        tabs=[(name, counts[key], label) for name, key, label in TABS], a_page=A_PAGE,
        invitations=await invitations.count(request.user, import_id),
        invitation_labels=invitations.LABELS, states=STATES, separators=SEPARATORS,
        title=lambda field: columns.title(field, language), problem=problem,
        rate=settings.current().invitations_per_hour, notice=NOTICES[done] if done else "",
    )  # fmt: skip


@get("/members/import/{import_id:int}/plan.csv", include_in_schema=False)
async def plan_file(request: ActorRequest, import_id: FromPath[int]) -> Stream:
    await record.get(request.user, import_id)
    return Stream(
        listing.as_csv(request.user, import_id, pages.language(request)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="plan-{import_id}.csv"'},
    )


@post("/members/import/{import_id:int}/commit", include_in_schema=False, status_code=303)
async def commit(
    request: ActorRequest, import_id: FromPath[int], data: URLEncodedBody[CommitForm]
) -> Response[str] | Redirect:
    try:
        await record.ask_commit(request.user, import_id, data.hash, invites=data.invite == YES)
    except errors.Conflict as problem:  # shown above the plan as it is now
        return await _import(request, import_id, problem=problem)
    return Redirect(f"/members/import/{import_id}", status_code=303)


@post("/members/import/{import_id:int}/discard", include_in_schema=False, status_code=303)
async def discard(request: ActorRequest, import_id: FromPath[int]) -> Redirect:
    await record.discard(request.user, import_id)
    return Redirect("/members/import?done=discarded", status_code=303)


@get("/members/import/{import_id:int}/invitations", include_in_schema=False)
async def invitations_page(
    request: ActorRequest,
    import_id: FromPath[int],
    page: PageNumber = 1,
    done: FromQuery[Done | None] = None,
) -> Response[str]:
    return pages.page(
        request, "members/invitations.html",
        found=await record.get(request.user, import_id),
        invitations=await invitations.list_invitations(request.user, import_id, page, A_PAGE),
        counts=await invitations.count(request.user, import_id), labels=invitations.LABELS,
        resendable=invitations.RESENDABLE, withdrawable=invitations.WITHDRAWABLE,
        a_page=A_PAGE, notice=NOTICES[done] if done else "",
    )  # fmt: skip


@post(
    "/members/import/{import_id:int}/invitations/resend", include_in_schema=False, status_code=303
)
async def resend(
    request: ActorRequest, import_id: FromPath[int], data: URLEncodedBody[InvitationForm]
) -> Redirect:
    await invitations.resend(request.user, import_id, data.member_id or None)
    return Redirect(f"/members/import/{import_id}/invitations?done=resent", status_code=303)


@post(
    "/members/import/{import_id:int}/invitations/withdraw", include_in_schema=False, status_code=303
)  # fmt: skip
async def withdraw(
    request: ActorRequest, import_id: FromPath[int], data: URLEncodedBody[InvitationForm]
) -> Redirect:
    await invitations.withdraw(request.user, import_id, data.member_id or None)
    return Redirect(f"/members/import/{import_id}/invitations?done=withdrawn", status_code=303)


@get("/invitation/{secret:str}", include_in_schema=False)
async def invitation_page(request: ActorRequest, secret: FromPath[str]) -> Response[str]:
    is_open = await invitations.is_open(secret)
    return pages.page(
        request, "members/invited.html", status=200 if is_open else 410,
        secret=secret, is_open=is_open,
    )  # fmt: skip


@post("/invitation/{secret:str}", include_in_schema=False, status_code=303)
async def accept(request: ActorRequest, secret: FromPath[str]) -> Redirect:
    session, member_id = await invitations.accept(
        secret, request.headers.get("user-agent", ""), cookies.read(request, "session")
    )
    return Redirect(f"/members/{member_id}", status_code=303, cookies=[cookies.session(session)])


PAGES: list[Any] = [
    start_page, template, upload, import_page, plan_file, commit, discard, invitations_page, resend,
    withdraw, invitation_page, accept,
]  # fmt: skip
