"""The activity of one's account, and the audit log."""

from datetime import UTC, date, datetime
from typing import Annotated
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import QueryParameter

from directory import errors
from directory.accounts.authentication import ActorRequest
from directory.activity import trail, wording
from directory.activity.trail import Entry, Wanted
from directory.http import pages, problems
from directory.http.listing import Listing, PageLimit, PageNumber
from directory.languages import marked

ENTRIES_A_PAGE = 50

PersonText = Annotated[
    str,
    QueryParameter(
        name="person", max_length=200,
        description="By or about: words of a name, the number of a profile, an address of staff.",
    ),
]  # fmt: skip
Action = Annotated[
    str, QueryParameter(name="action", max_length=60, description="Such as `profile.changed`.")
]
Since = Annotated[
    str, QueryParameter(name="from", max_length=10, description="A day in Brussels: `2027-01-31`.")
]
Until = Annotated[
    str, QueryParameter(name="to", max_length=10, description="A day in Brussels, included.")
]


@get("/account/activity", include_in_schema=False)
async def own_page(request: ActorRequest, page: PageNumber = 1) -> Response[str]:
    found = await trail.list_own(
        request.user, pages.language(request), page=page, limit=ENTRIES_A_PAGE
    )
    return pages.page(
        request, "activity/own.html",
        found=found, last=max(1, -(-found.total // ENTRIES_A_PAGE)), base="/account/activity?",
    )  # fmt: skip


@get("/audit", include_in_schema=False)
async def audit_page(
    request: ActorRequest, page: PageNumber = 1, person: PersonText = "", action: Action = "",
    since: Since = "", until: Until = "",
) -> Response[str]:  # fmt: skip
    typed = {"person": person, "action": action, "from": since, "to": until}
    wanted, problem = Wanted(), None
    try:
        wanted = _wanted(person, action, since, until)
    except errors.Malformed as wrong:  # shown beside the field, with what was typed
        problem = wrong
    language = pages.language(request)
    found = await trail.list_all(request.user, language, wanted, page=page, limit=ENTRIES_A_PAGE)
    chosen = {name: text for name, text in typed.items() if text}
    return pages.page(
        request, "activity/audit.html", status=400 if problem else 200,
        found=found, last=max(1, -(-found.total // ENTRIES_A_PAGE)), typed=typed,
        base=f"/audit?{urlencode(chosen)}{'&' if chosen else ''}",
        actions=wording.ACTIONS,
        wrong={error.field: error for error in problem.fields} if problem else {},
    )  # fmt: skip


@get(
    "/me/activity", operation_id="listMyActivity", tags=["accounts"],
    summary="What you changed and what others changed about you, the newest first",
    responses=problems.responses(401, 403),
)  # fmt: skip
async def my_activity(
    request: ActorRequest, page: PageNumber = 1, limit: PageLimit = 20
) -> Listing[Entry]:
    """With your choices of mails. Names of what changed, never values."""
    return await trail.list_own(request.user, pages.language(request), page=page, limit=limit)


@get(
    "/audit", operation_id="listAudit", tags=["accounts"],
    summary="Who changed what, the newest first", responses=problems.responses(401, 403),
)  # fmt: skip
async def list_audit(
    request: ActorRequest, person: PersonText = "", action: Action = "", since: Since = "",
    until: Until = "", page: PageNumber = 1, limit: PageLimit = 20,
) -> Listing[Entry]:  # fmt: skip
    """For coordinators and administrators. Names are those of today: who left has none."""
    return await trail.list_all(
        request.user, pages.language(request), _wanted(person, action, since, until),
        page=page, limit=limit,
    )  # fmt: skip


def _wanted(person: str, action: str, since: str, until: str) -> Wanted:
    if action and action not in wording.ACTIONS:
        raise errors.Malformed.field("action", marked("Cette valeur n’existe pas."))
    first, last = _day("from", since), _day("to", until)
    if first and last and last < first:
        raise errors.Malformed.field(
            "to", marked("Ce jour vient avant le premier. Indiquez par exemple %(example)s."),
            example=first.isoformat(),
        )  # fmt: skip
    return Wanted(person=person, action=action or None, since=first, until=last)


def _day(name: str, typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError as error:
        raise errors.Malformed.field(
            name, marked("Ce jour ne se lit pas. Indiquez par exemple %(example)s."),
            example=f"{datetime.now(UTC):%Y-%m-%d}",
        ) from error  # fmt: skip


API = [my_activity, list_audit]
PAGES = [own_page, audit_page]
