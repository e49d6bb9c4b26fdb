"""One's own account: what there is of it, and its API tokens."""

import enum

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody, URLEncodedBody
from litestar.response import Redirect

from directory import errors
from directory.accounts import (
    token_mails,  # noqa: F401 - emitting needs to know who listens
    tokens,
)
from directory.accounts.actor import Scope
from directory.accounts.authentication import ActorRequest
from directory.accounts.tokens import NewToken, TokenDraft, TokenView
from directory.http import pages, problems
from directory.languages import marked

LIFETIMES = {
    30: marked("30 jours"),
    tokens.USUAL_DAYS: marked("90 jours"),
    tokens.LONGEST_DAYS: marked("un an"),
}


class Done(enum.Enum):
    REVOKED = "revoked"


class TokenForm(msgspec.Struct):
    """What was typed, as it was typed."""

    name: str = ""
    scopes: str | list[str] = []
    days: str = str(tokens.USUAL_DAYS)

    @property
    def chosen(self) -> list[str]:
        return [self.scopes] if isinstance(self.scopes, str) else self.scopes

    def draft(self) -> TokenDraft:
        """:raises errors.Malformed: when the choices are none that the form offers."""
        if not {scope.value for scope in Scope}.issuperset(self.chosen):
            raise errors.Malformed.field("scopes", marked("Cette valeur n’existe pas."))
        if self.days not in {str(days) for days in LIFETIMES}:
            raise errors.Malformed.field("days", marked("Choisissez une durée de la liste."))
        scopes = [Scope(scope) for scope in self.chosen]
        return TokenDraft(name=self.name, scopes=scopes, days=int(self.days))


@get("/account", include_in_schema=False)
async def account_page(request: ActorRequest) -> Response[str]:
    request.user.require_person()
    return pages.page(request, "accounts/account.html")


@get("/account/tokens", include_in_schema=False)
async def tokens_page(request: ActorRequest, done: FromQuery[Done | None] = None) -> Response[str]:
    return await _page(request, TokenForm(), done=done)


@post("/account/tokens", include_in_schema=False, status_code=201)
async def make_token_page(request: ActorRequest, data: URLEncodedBody[TokenForm]) -> Response[str]:
    """The answer is the only page that ever shows the secret: nothing to be led to."""
    request.user.require_person()
    try:
        made = await tokens.issue(request.user, data.draft())
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _page(request, data, problem=problem)
    return await _page(request, TokenForm(), made=made)


@post("/account/tokens/{token_id:int}/revoke", include_in_schema=False, status_code=303)
async def revoke_token_page(request: ActorRequest, token_id: FromPath[int]) -> Redirect:
    await tokens.revoke(request.user, token_id)
    return Redirect("/account/tokens?done=revoked", status_code=303)


async def _page(
    request: ActorRequest,
    typed: TokenForm,
    *,
    problem: errors.Malformed | None = None,
    made: NewToken | None = None,
    done: Done | None = None,
) -> Response[str]:
    own = await tokens.list_own(request.user)
    return pages.page(
        request, "accounts/tokens.html", status=400 if problem else 201 if made else 200,
        typed=typed, made=made, done=done, most=tokens.MOST_LIVE, name_length=tokens.NAME_LENGTH,
        live=[one for one in own if one.is_live], ended=[one for one in own if not one.is_live],
        offered=[(scope, tokens.WORDS[scope]) for scope in request.user.usable_scopes],
        lifetimes=LIFETIMES, words={scope.value: words for scope, words in tokens.WORDS.items()},
        wrong={error.field: error for error in problem.fields} if problem else {},
    )  # fmt: skip


@get(
    "/me/tokens", operation_id="listMyTokens", summary="Your API tokens, without their secrets",
    tags=["accounts"], responses=problems.responses(401, 403),
)  # fmt: skip
async def list_tokens(request: ActorRequest) -> list[TokenView]:
    """For a person at a screen: a token reads, makes and ends none."""
    return await tokens.list_own(request.user)


@post(
    "/me/tokens", operation_id="createMyToken", summary="Make an API token",
    tags=["accounts"], responses=problems.responses(401, 403, 409, 429),
)  # fmt: skip
async def make_token(request: ActorRequest, data: JSONBody[TokenDraft]) -> NewToken:
    """Its secret is in this answer, and nowhere else. It never does more than your account."""
    return await tokens.issue(request.user, data)


@delete(
    "/me/tokens/{token_id:int}", operation_id="revokeMyToken", summary="End an API token at once",
    tags=["accounts"], responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def revoke_token(request: ActorRequest, token_id: FromPath[int]) -> None:
    await tokens.revoke(request.user, token_id)


API = [list_tokens, make_token, revoke_token]
PAGES = [account_page, tokens_page, make_token_page, revoke_token_page]
