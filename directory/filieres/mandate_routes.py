"""Mandates: asking, proposing oneself, answering, going on, leaving. The pages."""

from datetime import date
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import db, errors
from directory.accounts.actor import Permission, filiere_scope
from directory.accounts.authentication import ActorRequest
from directory.filieres import (
    answers,
    departures,
    offer_mails,  # noqa: F401 - emitting needs to know who listens
    offers,
    registry,
    renewals,
    sections,
    tending,
)
from directory.filieres.lifecycle import Stage
from directory.filieres.mandates import MandateRole
from directory.filieres.offers import Candidacy, OfferDraft
from directory.filieres.registry import FiliereView
from directory.filieres.renewals import Wish
from directory.filieres.sections import Section, Spot
from directory.http import pages
from directory.languages import marked
from directory.members import views

Done = Annotated[str, QueryParameter(max_length=20)]
NOTICES = {
    "asked": marked("La proposition est partie. Rien ne change avant la réponse."),
    "volunteered": marked("Votre proposition est partie. La réponse vous viendra par mail."),
    "accepted": marked("C’est accepté. Le mandat est inscrit."),
    "refused": marked("C’est refusé. La personne qui attendait le saura par mail."),
    "withdrawn": marked("La proposition est retirée."),
    "renewed": marked("Le mandat est renouvelé. La personne le saura par mail."),
    "wish": marked("C’est noté."),
    "left": marked("Votre mandat est fini."),
    "resting": marked("Votre mandat est fini, et la filière est en sommeil."),
}
PROPOSING = (Stage.FORMING, Stage.LAUNCHED, Stage.ACTIVE, Stage.DORMANT)


class AskForm(msgspec.Struct):
    """What was typed, as it was typed. `from_member` is a number, or empty for a shared role."""

    to_member: str = ""
    role: str = MandateRole.ANIMATOR.value
    from_member: str = ""
    starts_on: str = ""
    ends_on: str = ""
    message: str = ""

    def draft(self) -> OfferDraft:
        """:raises errors.Malformed: naming the field."""
        if not self.to_member:
            raise errors.Malformed.field("to_member", marked("Choisissez une personne."))
        return OfferDraft(
            to_member=_number("to_member", self.to_member), role=_role(self.role),
            from_member=_number("from_member", self.from_member) if self.from_member else None,
            starts_on=_day("starts_on", self.starts_on), ends_on=_day("ends_on", self.ends_on),
            message=self.message,
        )  # fmt: skip


class VolunteerForm(msgspec.Struct):
    role: str = MandateRole.ANIMATOR.value
    message: str = ""


class AnswerForm(msgspec.Struct):
    """`back` is 'filiere' for who answers on the page of those who run it."""

    reason: str = ""
    back: str = ""


class LeaveForm(msgspec.Struct):
    """`rest` is set where the filière is to go to sleep, for this reason."""

    rest: str = ""
    reason: str = ""


class WishForm(msgspec.Struct):
    wish: Wish


class RenewForm(msgspec.Struct):
    until: date


def _number(field: str, text: str) -> int:
    if not text.isdecimal() or len(text) > 18 or not int(text):
        raise errors.Malformed.field(field, marked("Choisissez une personne."))
    return int(text)


def _role(text: str) -> MandateRole:
    if text not in {role.value for role in MandateRole}:
        raise errors.Malformed.field("role", marked("Choisissez un rôle."))
    return MandateRole(text)


def _day(field: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise errors.Malformed.field(
            field, marked("Ce jour ne se lit pas. Indiquez par exemple %(example)s."),
            example=views.today().isoformat(),
        ) from error  # fmt: skip


@sections.add(Spot.ANIMATION)
async def section(request: ActorRequest, filiere: FiliereView) -> Section | None:
    """What the reader is asked, and the way to propose oneself, for members of the filière."""
    actor, language = request.user, pages.language(request)
    if actor.member_id is None or not actor.may(Permission.JOIN_FILIERE):
        return None
    waiting = await offers.open_to(actor, filiere.id, language)
    asked = [one for one in waiting if one.kind is not offers.Kind.CANDIDACY]
    may_propose = filiere.stage in PROPOSING and await tending.may_volunteer(actor, filiere.id)
    if not (waiting or may_propose):
        return None
    context = {
        "asked": asked, "proposed": [one for one in waiting if one not in asked],
        "may_propose": may_propose, "days": offers.OFFER_DAYS,
    }  # fmt: skip
    call = marked("Répondre à la proposition") if asked else ""
    return Section("filieres/animation.html", context, call)


@get("/mandates", include_in_schema=False)
async def mine_page(request: ActorRequest, done: Done = "") -> Response[str]:
    mine = await tending.mine(request.user, pages.language(request))
    open_ones = [one for one in mine.offers if one.state is offers.State.OPEN]
    return pages.page(
        request, "filieres/mandates.html", mine=mine, notice=NOTICES.get(done, ""),
        asked=[one for one in open_ones if one.is_mine and one.kind is not offers.Kind.CANDIDACY],
        proposed=[one for one in open_ones if one.is_mine and one.kind is offers.Kind.CANDIDACY],
        made=[one for one in open_ones if not one.is_mine],
        past=[one for one in mine.offers if one.state is not offers.State.OPEN],
        days=offers.OFFER_DAYS, today=views.today(),
    )  # fmt: skip


@post("/mandates/{mandate_id:int}/wish", include_in_schema=False, status_code=303)
async def wish_page(
    request: ActorRequest, mandate_id: FromPath[int], data: URLEncodedBody[WishForm]
) -> Redirect:
    await renewals.wish(request.user, mandate_id, data.wish)
    return Redirect("/mandates?done=wish", status_code=303)


@get("/mandates/{mandate_id:int}/leave", include_in_schema=False)
async def leave_page(request: ActorRequest, mandate_id: FromPath[int]) -> Response[str]:
    return await _leaving(request, mandate_id, LeaveForm())


@post("/mandates/{mandate_id:int}/leave", include_in_schema=False, status_code=303)
async def leave(
    request: ActorRequest, mandate_id: FromPath[int], data: URLEncodedBody[LeaveForm]
) -> Response[str] | Redirect:
    try:
        because = data.reason if data.rest else None
        await departures.leave(request.user, mandate_id, rest_because=because)
    except (departures.LastAnimator, errors.Malformed) as problem:  # with the ways out beside it
        return await _leaving(request, mandate_id, data, problem=problem)
    return Redirect(f"/mandates?done={'resting' if data.rest else 'left'}", status_code=303)


async def _leaving(
    request: ActorRequest,
    mandate_id: int,
    typed: LeaveForm,
    *,
    problem: errors.Problem | None = None,
) -> Response[str]:
    departure = await departures.of(request.user, mandate_id, pages.language(request))
    choices = await tending.choices(request.user, departure.filiere.id)
    return pages.page(
        request, "filieres/leave.html", status=problem.status if problem else 200,
        departure=departure, typed=typed, problem=problem, choices=choices,
        days=offers.OFFER_DAYS, most=tending.MOST_MEMBERS,
    )  # fmt: skip


@get("/filieres/{slug:str}/mandates", include_in_schema=False)
async def tended_page(request: ActorRequest, slug: FromPath[str], done: Done = "") -> Response[str]:
    return await _tended(request, slug, AskForm(), notice=NOTICES.get(done, ""))


@post("/filieres/{slug:str}/mandates", include_in_schema=False, status_code=303)
async def ask_page(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[AskForm]
) -> Response[str] | Redirect:
    filiere = await registry.get(slug, pages.language(request))
    request.user.require(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    try:
        await offers.offer(request.user, slug, data.draft(), pages.language(request))
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _tended(request, slug, data, problem=problem)
    return Redirect(f"/filieres/{slug}/mandates?done=asked", status_code=303)


async def _tended(
    request: ActorRequest,
    slug: str,
    typed: AskForm,
    *,
    problem: errors.Malformed | None = None,
    notice: str = "",
) -> Response[str]:
    actor = request.user
    found = await tending.of(actor, slug, pages.language(request))
    may_run = actor.may(Permission.RUN_FILIERES)
    return pages.page(
        request, "filieres/tending.html", status=400 if problem else 200,
        found=found, filiere=found.filiere, typed=typed, notice=notice, may_run=may_run,
        givers=[one for one in found.mandates if one.holder.member_id and (may_run or one.is_mine)],
        choices=await tending.choices(actor, found.filiere.id), most=tending.MOST_MEMBERS,
        wrong={error.field: error for error in problem.fields} if problem else {},
        days=offers.OFFER_DAYS, is_closed=found.filiere.stage is Stage.CLOSED,
    )  # fmt: skip


@post("/filieres/{slug:str}/volunteer", include_in_schema=False, status_code=303)
async def volunteer_page(
    request: ActorRequest, slug: FromPath[str], data: URLEncodedBody[VolunteerForm]
) -> Redirect:
    candidacy = Candidacy(role=_role(data.role), message=data.message)
    await offers.volunteer(request.user, slug, candidacy, pages.language(request))
    return Redirect("/mandates?done=volunteered", status_code=303)


@post("/mandate-offers/{offer_id:int}/accept", include_in_schema=False, status_code=303)
async def accept_page(
    request: ActorRequest, offer_id: FromPath[int], data: URLEncodedBody[AnswerForm]
) -> Redirect:
    return await _back(await answers.accept(request.user, offer_id), data, "accepted")


@post("/mandate-offers/{offer_id:int}/refuse", include_in_schema=False, status_code=303)
async def refuse_page(
    request: ActorRequest, offer_id: FromPath[int], data: URLEncodedBody[AnswerForm]
) -> Redirect:
    return await _back(await answers.refuse(request.user, offer_id, data.reason), data, "refused")


@post("/mandate-offers/{offer_id:int}/withdraw", include_in_schema=False, status_code=303)
async def withdraw_page(
    request: ActorRequest, offer_id: FromPath[int], data: URLEncodedBody[AnswerForm]
) -> Redirect:
    return await _back(await answers.withdraw(request.user, offer_id), data, "withdrawn")


@post("/mandates/{mandate_id:int}/renew", include_in_schema=False, status_code=303)
async def renew_page(
    request: ActorRequest, mandate_id: FromPath[int], data: URLEncodedBody[RenewForm]
) -> Redirect:
    filiere_id = await renewals.renew(request.user, mandate_id, data.until)
    return await _back(filiere_id, AnswerForm(back="filiere"), "renewed")


async def _back(filiere_id: int, form: AnswerForm, done: str) -> Redirect:
    """To where the form was."""
    if form.back != "filiere":
        return Redirect(f"/mandates?done={done}", status_code=303)
    async with db.connection() as reader:
        slug = await reader.fetchval("SELECT slug FROM filiere WHERE id = $1", filiere_id)
    return Redirect(f"/filieres/{slug}/mandates?done={done}", status_code=303)


PAGES = [
    mine_page, wish_page, leave_page, leave, tended_page, ask_page, volunteer_page, accept_page,
    refuse_page, withdraw_page, renew_page,
]  # fmt: skip
