"""Mandates: asking, proposing oneself, answering, going on, leaving. The API."""

from datetime import date

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from directory.accounts.authentication import ActorRequest
from directory.filieres import answers, departures, offers, renewals, tending
from directory.filieres.offers import Candidacy, OfferDraft, OfferView
from directory.filieres.renewals import Wish
from directory.filieres.tending import Mine, Tended
from directory.http import pages, problems

TAGS = ["filieres"]


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Yes or no; a no may have a reason, which who asked reads."""

    accept: bool
    reason: str = ""


class Leaving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With `rest_because` the filière goes to sleep: for its last animator alone."""

    rest_because: str | None = None


class WishDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    wish: Wish


class Renewal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The new last day."""

    until: date


@get(
    "/me/mandates", operation_id="listMyMandates",
    summary="One's mandates, and what one is asked or proposed",
    tags=TAGS, responses=problems.responses(401, 403),
)  # fmt: skip
async def my_mandates(request: ActorRequest) -> Mine:
    return await tending.mine(request.user, pages.language(request))


@post(
    "/me/mandates/{mandate_id:int}/leave", operation_id="leaveMandate", status_code=204,
    summary="End one's own mandate today",
    tags=TAGS, responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def leave_mandate(
    request: ActorRequest, mandate_id: FromPath[int], data: JSONBody[Leaving]
) -> None:
    """The last animator hands over first, or puts the filière to sleep. At a screen."""
    await departures.leave(request.user, mandate_id, rest_because=data.rest_because)


@put(
    "/me/mandates/{mandate_id:int}/wish", operation_id="wishOfMandate", status_code=204,
    summary="Say whether one would go on when the mandate ends",
    tags=TAGS, responses=problems.responses(401, 403, 404, 429),
)  # fmt: skip
async def wish_of_mandate(
    request: ActorRequest, mandate_id: FromPath[int], data: JSONBody[WishDraft]
) -> None:
    """`renew` asks the staff; `end` stops the reminders."""
    await renewals.wish(request.user, mandate_id, data.wish)


@put(
    "/mandates/{mandate_id:int}/end", operation_id="renewMandate", status_code=204,
    summary="Let a mandate go on until a later day",
    tags=TAGS, responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def renew_mandate(
    request: ActorRequest, mandate_id: FromPath[int], data: JSONBody[Renewal]
) -> None:
    """For the staff. Again with the same day changes nothing."""
    await renewals.renew(request.user, mandate_id, data.until)


@get(
    "/filieres/{slug:str}/mandates", operation_id="listMandates",
    summary="Who runs a filière, and the offers and candidacies that wait",
    tags=TAGS, responses=problems.responses(401, 403, 404),
)  # fmt: skip
async def list_mandates(request: ActorRequest, slug: FromPath[str]) -> Tended:
    """For who runs it and the staff."""
    return await tending.of(request.user, slug, pages.language(request))


@post(
    "/filieres/{slug:str}/mandate-offers", operation_id="offerMandate",
    summary="Ask a member of the filière to take a mandate",
    tags=TAGS, responses=problems.responses(401, 403, 404, 409, 429),
)  # fmt: skip
async def offer_mandate(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[OfferDraft]
) -> OfferView:
    """Nothing changes before they accept. It lapses after 30 days. For a person at a screen."""
    return await offers.offer(request.user, slug, data, pages.language(request))


@post(
    "/filieres/{slug:str}/candidacies", operation_id="volunteer",
    summary="Propose oneself to run a filière that one is in",
    tags=TAGS, responses=problems.responses(401, 403, 404, 409, 429),
)  # fmt: skip
async def volunteer(
    request: ActorRequest, slug: FromPath[str], data: JSONBody[Candidacy]
) -> OfferView:
    """Those who run it answer, or the staff. Without an answer it lapses after 30 days."""
    return await offers.volunteer(request.user, slug, data, pages.language(request))


@post(
    "/mandate-offers/{offer_id:int}/answer", operation_id="answerMandateOffer", status_code=204,
    summary="Accept or refuse an offer or a candidacy",
    tags=TAGS, responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def answer_offer(
    request: ActorRequest, offer_id: FromPath[int], data: JSONBody[Answer]
) -> None:
    """An offer: by who is asked. A candidacy: by who runs the filière. At a screen."""
    if data.accept:
        await answers.accept(request.user, offer_id)
    else:
        await answers.refuse(request.user, offer_id, data.reason)


@delete(
    "/mandate-offers/{offer_id:int}", operation_id="withdrawMandateOffer",
    summary="Take an offer or a candidacy back",
    tags=TAGS, responses=problems.responses(401, 403, 404, 409),
)  # fmt: skip
async def withdraw_offer(request: ActorRequest, offer_id: FromPath[int]) -> None:
    await answers.withdraw(request.user, offer_id)


API = [
    my_mandates, leave_mandate, wish_of_mandate, renew_mandate, list_mandates, offer_mandate,
    volunteer, answer_offer, withdraw_offer,
]  # fmt: skip
