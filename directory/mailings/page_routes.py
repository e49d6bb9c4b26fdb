"""Writing to a filière, on pages."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import errors, mail
from directory.accounts.authentication import ActorRequest
from directory.filieres import registry
from directory.http import pages
from directory.http.listing import PageNumber
from directory.languages import marked
from directory.mailings import audience, composition, dispatch, drafts, record
from directory.mailings.drafts import MailingDraft
from directory.mailings.record import State
from directory.subscriptions.topics import Topic

MAILINGS_A_PAGE = 20
Done = Annotated[str, QueryParameter(max_length=20)]
NOTICES = {
    "kept": marked("Le brouillon est gardé. Rien n’est parti."),
    "deleted": marked("Le brouillon est supprimé."),
    "trial": marked("Un essai part vers votre adresse, et vers aucune autre."),
    "cancelled": marked("L’envoi est annulé. Personne n’a reçu ce mail."),
}


class MailingForm(msgspec.Struct):
    """What was typed, as it was typed. `mailing_id` is empty for a new mailing."""

    filiere_ids: str | list[str] = []
    topic: str = ""
    subject: str = ""
    body: str = ""
    mailing_id: str = ""
    then: str = ""

    @property
    def chosen(self) -> list[str]:
        return [self.filiere_ids] if isinstance(self.filiere_ids, str) else self.filiere_ids

    def draft(self) -> MailingDraft:
        """:raises errors.Malformed: when the choices are none that the form offers."""
        if not all(word.isdecimal() and len(word) < 19 for word in self.chosen):
            raise errors.Malformed.field("filiere_ids", marked("Cette filière n’existe pas."))
        if self.topic not in {topic.value for topic in Topic}:
            raise errors.Malformed.field("topic", marked("Choisissez un sujet."))
        return MailingDraft(
            filiere_ids=[int(word) for word in self.chosen],
            topic=Topic(self.topic),
            subject=self.subject,
            body=self.body,
        )


@get("/mailings", include_in_schema=False)
async def list_page(request: ActorRequest, page: PageNumber = 1, done: Done = "") -> Response[str]:
    found = await record.list_mailings(
        request.user, pages.language(request), page=page, limit=MAILINGS_A_PAGE
    )
    return pages.page(
        request, "mailings/list.html",
        found=found, last=max(1, -(-found.total // MAILINGS_A_PAGE)), notice=NOTICES.get(done, ""),
        drafts=[card for card in found.items if card.state is State.DRAFT],
        others=[card for card in found.items if card.state is not State.DRAFT],
    )  # fmt: skip


@get("/mailings/new", include_in_schema=False)
async def new_page(
    request: ActorRequest,
    filiere: Annotated[str, QueryParameter(max_length=100, description="A filière's slug.")] = "",
) -> Response[str]:
    record.require_animator(request.user)
    mine = await registry.animated_by(request.user, pages.language(request))
    wanted = [str(entry.id) for entry in mine if entry.slug == filiere or len(mine) == 1]
    return await _composer(request, MailingForm(filiere_ids=wanted))


@post("/mailings", include_in_schema=False, status_code=303)
async def create(
    request: ActorRequest, data: URLEncodedBody[MailingForm]
) -> Response[str] | Redirect:
    record.require_animator(request.user)
    try:
        mailing_id = await drafts.create(request.user, data.draft())
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _composer(request, data, problem)
    return _after(data, mailing_id)


@post("/mailings/preview", include_in_schema=False, status_code=200)
async def preview(request: ActorRequest, data: URLEncodedBody[MailingForm]) -> Response[str]:
    record.require_animator(request.user)
    mail.header_text("subject", data.subject)
    return await _composer(request, data)


@get("/mailings/{mailing_id:int}", include_in_schema=False)
async def mailing_page(
    request: ActorRequest, mailing_id: FromPath[int], done: Done = ""
) -> Response[str]:
    mailing = await record.get_mailing(request.user, mailing_id, pages.language(request))
    counted = (
        await audience.count_audience(request.user, mailing_id)
        if mailing.state is State.DRAFT
        else None
    )
    return pages.page(
        request, "mailings/mailing.html", fragment="progress",
        mailing=mailing, audience=counted, reasons=audience.REASONS, skips=audience.SKIPS,
        body_html=composition.html(mailing.body), body_text=composition.text(mailing.body),
        names={filiere.id: filiere.name for filiere in mailing.filieres},
        sender=", ".join([mailing.author, *(f.name for f in mailing.filieres[:1])]),
        notice=NOTICES.get(done, ""),
    )  # fmt: skip


@get("/mailings/{mailing_id:int}/edit", include_in_schema=False)
async def edit_page(request: ActorRequest, mailing_id: FromPath[int]) -> Response[str]:
    mailing = await record.get_mailing(request.user, mailing_id, pages.language(request))
    drafts.require_draft(mailing.state)
    return await _composer(
        request,
        MailingForm(
            filiere_ids=[str(filiere.id) for filiere in mailing.filieres],
            topic=mailing.topic.value,
            subject=mailing.subject,
            body=mailing.body,
            mailing_id=str(mailing_id),
        ),
    )


@post("/mailings/{mailing_id:int}", include_in_schema=False, status_code=303)
async def edit(
    request: ActorRequest, mailing_id: FromPath[int], data: URLEncodedBody[MailingForm]
) -> Response[str] | Redirect:
    record.require_animator(request.user)
    data.mailing_id = str(mailing_id)
    try:
        await drafts.edit(request.user, mailing_id, data.draft())
    except errors.Malformed as problem:  # shown beside the field, with what was typed
        return await _composer(request, data, problem)
    return _after(data, mailing_id)


@post("/mailings/{mailing_id:int}/delete", include_in_schema=False, status_code=303)
async def discard(request: ActorRequest, mailing_id: FromPath[int]) -> Redirect:
    await drafts.discard(request.user, mailing_id)
    return Redirect("/mailings?done=deleted", status_code=303)


@post("/mailings/{mailing_id:int}/trial", include_in_schema=False, status_code=303)
async def send_trial(request: ActorRequest, mailing_id: FromPath[int]) -> Redirect:
    await dispatch.ask_trial(request.user, mailing_id)
    return Redirect(f"/mailings/{mailing_id}?done=trial", status_code=303)


@post("/mailings/{mailing_id:int}/send", include_in_schema=False, status_code=303)
async def send(request: ActorRequest, mailing_id: FromPath[int]) -> Redirect:
    await dispatch.send(request.user, mailing_id)
    return Redirect(f"/mailings/{mailing_id}", status_code=303)


@post("/mailings/{mailing_id:int}/cancel", include_in_schema=False, status_code=303)
async def cancel(request: ActorRequest, mailing_id: FromPath[int]) -> Redirect:
    await dispatch.cancel(request.user, mailing_id)
    return Redirect(f"/mailings/{mailing_id}?done=cancelled", status_code=303)


def _after(data: MailingForm, mailing_id: int) -> Redirect:
    path = "/mailings?done=kept" if data.then == "list" else f"/mailings/{mailing_id}"
    return Redirect(path, status_code=303)


async def _composer(
    request: ActorRequest, typed: MailingForm, problem: errors.Malformed | None = None
) -> Response[str]:
    """The form with what was typed, its preview, and the error beside its field."""
    filieres = await registry.animated_by(request.user, pages.language(request))
    chosen = [filiere for filiere in filieres if str(filiere.id) in typed.chosen]
    return pages.page(
        request, "mailings/composer.html", fragment="preview", status=400 if problem else 200,
        typed=typed, problem=problem, filieres=filieres, topics=list(Topic),
        action=f"/mailings/{typed.mailing_id}" if typed.mailing_id.isdecimal() else "/mailings",
        wrong={error.field: error for error in problem.fields} if problem else {},
        body_html=composition.html(typed.body[: composition.BODY_LENGTH]),
        sender=", ".join([request.user.name, *(filiere.name for filiere in chosen[:1])]),
    )  # fmt: skip


PAGES = [
    list_page, new_page, create, preview, mailing_page, edit_page, edit, discard, send_trial,
    send, cancel,
]  # fmt: skip
