"""On top of the filières: one's own, what waits, and what is close to one's profile."""

from litestar import delete, get, post, put
from litestar.params import FromPath
from litestar.response import Redirect

from directory.accounts.actor import Permission
from directory.accounts.authentication import ActorRequest
from directory.filieres import sections
from directory.filieres.sections import Section
from directory.http import pages, problems
from directory.subscriptions import answers, invitations, memberships, quota, requests, suggestions
from directory.subscriptions.suggestions import Suggestions


@sections.on_list
async def waiting_section(request: ActorRequest) -> Section | None:
    """For those who run filières: how many wait for an answer."""
    waiting = await answers.count_waiting(request.user, pages.language(request))
    return Section("subscriptions/waiting.html", {"waiting": waiting}) if waiting else None


@sections.on_list
async def own_section(request: ActorRequest) -> Section | None:
    actor, language = request.user, pages.language(request)
    if actor.member_id is None or not actor.may(Permission.JOIN_FILIERE):
        return None
    context: dict[str, object] = {
        "joined": await memberships.list_of(actor.member_id, language),
        "asked": await requests.list_open(actor, language),
        "invited": await invitations.list_own(actor, language),
        "most": await quota.most(),
    }
    return Section("subscriptions/own.html", context)


@sections.on_list
async def suggestions_section(request: ActorRequest) -> Section | None:
    actor = request.user
    if actor.member_id is None or not actor.may(Permission.JOIN_FILIERE):
        return None
    found = await suggestions.of(actor, pages.language(request))
    if not found.suggested and not found.dismissed:
        return None
    return Section("subscriptions/suggestions.html", {"found": found})


@post("/filieres/{slug:str}/suggestion/dismiss", include_in_schema=False, status_code=303)
async def dismiss_page(request: ActorRequest, slug: FromPath[str]) -> Redirect:
    await suggestions.dismiss(request.user, slug)
    return Redirect("/filieres?done=dismissed", status_code=303)


@post("/filieres/{slug:str}/suggestion/restore", include_in_schema=False, status_code=303)
async def restore_page(request: ActorRequest, slug: FromPath[str]) -> Redirect:
    await suggestions.bring_back(request.user, slug)
    return Redirect("/filieres?done=restored", status_code=303)


@get(
    "/me/suggestions", operation_id="listMySuggestions",
    summary="Filières close to your profile, and why",
    tags=["filieres"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_own(request: ActorRequest) -> Suggestions:
    """At most 5, the nearest first. None of them is joined by itself."""
    return await suggestions.of(request.user, pages.language(request))


@delete(
    "/me/suggestions/{slug:str}", operation_id="dismissSuggestion",
    summary="Suggest this filière no more",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def dismiss(request: ActorRequest, slug: FromPath[str]) -> None:
    await suggestions.dismiss(request.user, slug)


@put(
    "/me/suggestions/{slug:str}", operation_id="bringSuggestionBack", status_code=204,
    summary="Suggest a dismissed filière again",
    tags=["filieres"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def bring_back(request: ActorRequest, slug: FromPath[str]) -> None:
    await suggestions.bring_back(request.user, slug)


API = [list_own, dismiss, bring_back]
PAGES = [dismiss_page, restore_page]
