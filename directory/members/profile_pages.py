"""The page of a profile: seen by anybody, edited part by part by its owner."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter, URLEncodedBody
from litestar.response import Redirect

from directory import db, errors
from directory.accounts.authentication import ActorRequest
from directory.http import pages
from directory.http.listing import Listing, SearchText
from directory.languages import marked
from directory.members import (
    audiences,
    contact,
    drafts,
    forms,
    labels,
    links,
    profiles,
    public_pages,
    views,
    vocabulary,
)
from directory.members.audiences import Audience, Field
from directory.members.forms import FieldForm
from directory.members.views import MemberView, Word

SECTIONS: tuple[tuple[str, tuple[Field, ...]], ...] = (
    (marked("Présentation"), (Field.DISPLAY_NAME, Field.PHOTO, Field.HEADLINE, Field.BIOGRAPHY)),
    (
        marked("Métier et compétences"),
        (
            Field.TRADES, Field.SECTORS, Field.SKILLS_OFFERED, Field.SKILLS_WANTED,
            Field.AVAILABILITY, Field.LANGUAGES, Field.STAGE,
        ),
    ),
    (marked("Réalisations"), (Field.PORTFOLIO,)),
    (
        marked("Lieu et contact"),
        (Field.PLACE, Field.TERRITORY, Field.EMAIL, Field.PHONE, Field.LINKS, Field.MEMBERSHIPS),
    ),
)  # fmt: skip
LABELS = {
    Field.DISPLAY_NAME: marked("Nom affiché"),
    Field.PHOTO: marked("Photo"),
    Field.HEADLINE: marked("Accroche"),
    Field.BIOGRAPHY: marked("Parcours"),
    Field.TRADES: marked("Métiers"),
    Field.SECTORS: marked("Secteurs"),
    Field.SKILLS_OFFERED: marked("Compétences offertes"),
    Field.SKILLS_WANTED: marked("Compétences cherchées"),
    Field.AVAILABILITY: marked("Disponibilité"),
    Field.LANGUAGES: marked("Langues"),
    Field.STAGE: marked("Étape"),
    Field.PLACE: marked("Ville"),
    Field.TERRITORY: marked("Bureau"),
    Field.EMAIL: marked("Adresse mail"),
    Field.PHONE: marked("Téléphone"),
    Field.LINKS: marked("Liens"),
    Field.MEMBERSHIPS: marked("Filières"),
    Field.PORTFOLIO: marked("Réalisations"),
}
VIEWERS = {
    Audience.ME: marked("vous"),
    Audience.FILIERES: marked("une personne de vos filières"),
    Audience.MEMBERS: marked("un membre"),
    Audience.PUBLIC: marked("tout le monde"),
}
VOCABULARIES: dict[Field, tuple[str, Callable[..., Awaitable[Listing[Any]]]]] = {
    Field.TRADES: ("trade", vocabulary.find_trades),
    Field.SECTORS: ("sector", vocabulary.find_sectors),
    Field.PLACE: ("place", vocabulary.find_places),
}
MATCHES = 8
BLANK_LANGUAGES = 2
Done = Literal["confirmed"]


@get("/members/{member_id:int}", include_in_schema=False)
async def show_member(
    request: ActorRequest,
    member_id: FromPath[int],
    seen_as: Annotated[Audience | None, QueryParameter(name="as")] = None,
    done: FromQuery[Done | None] = None,
    saved: FromQuery[Field | None] = None,
    lang: FromQuery[Literal["fr", "nl", "en"] | None] = None,
) -> Response[str]:
    if seen_as is None:
        view = await profiles.get(request.user, member_id, pages.language(request))
        may_write = await contact.is_open(request.user, member_id)
        public = None
        if request.user.is_visitor:
            public = public_pages.head(view, pages.language(request), is_asked=lang is not None)
        return _page(request, view, done=done, saved=saved, may_write=may_write, public=public)
    level = audiences.NEEDED[seen_as]
    seen = await profiles.preview(request.user, member_id, level, pages.language(request))
    if seen is None:
        return pages.page(
            request, "members/unseen.html",
            member_id=member_id, viewers=VIEWERS, seen_as=seen_as,
        )  # fmt: skip
    may_write = await contact.is_open_to_others(request.user, member_id, level)
    return _page(request, seen, seen_as=seen_as, may_write=may_write)


@get("/members/{member_id:int}/edit/{name:str}", include_in_schema=False)
async def edit_field(
    request: ActorRequest,
    member_id: FromPath[int],
    name: FromPath[str],
    version: FromQuery[int | None] = None,
    audience: FromQuery[Audience | None] = None,
    seen: Annotated[str, QueryParameter(max_length=16)] = "",
    q: SearchText = "",
    choice: FromQuery[list[str] | None] = None,
    main: Annotated[str, QueryParameter(max_length=40)] = "",
) -> Response[str]:
    """The profile with one field open. Typing in a vocabulary comes back here with the rest."""
    await profiles.require_own(request.user, member_id)
    field = _field(name)
    view = await profiles.get(request.user, member_id, pages.language(request))
    form = forms.filled(field, view)
    if version is not None:
        form = msgspec.structs.replace(
            form, version=version, audience=audience or form.audience, seen=seen,
            q=q, choice=choice or [], main=main,
        )  # fmt: skip
    return await form_page(request, view, field, form)


@post("/members/{member_id:int}/edit/{name:str}", include_in_schema=False, status_code=303)
async def save_field(
    request: ActorRequest,
    member_id: FromPath[int],
    name: FromPath[str],
    data: URLEncodedBody[FieldForm],
) -> Response[Any]:
    await profiles.require_own(request.user, member_id)
    field = _field(name)

    async def save(version: int) -> None:
        draft = forms.draft(field, msgspec.structs.replace(data, version=version))
        await profiles.edit(request.user, draft)

    return await save_part(request, member_id, field, data, save)


async def save_part(
    request: ActorRequest,
    member_id: int,
    field: Field,
    form: FieldForm,
    save: Callable[[int], Awaitable[None]],
) -> Response[Any]:
    """Save one field of a form; `save` takes the version that it changes. Where a script runs the
    answer is that field alone, to be swapped in.

    A change elsewhere in the profile is in nobody's way. One of the same field is shown, with both
    ways out, and what was typed stays in the form.
    """
    version = form.version
    while True:
        try:
            await save(version)
        except errors.Malformed as problem:  # shown beside the field, with what was typed
            view = await profiles.get(request.user, member_id, pages.language(request))
            return await form_page(request, view, field, form, problem)
        except profiles.StaleProfile as problem:
            view = await profiles.get(request.user, member_id, pages.language(request))
            held = forms.filled(field, view)
            if held.seen == form.seen and held.version != version:
                version = held.version
                continue
            mine = msgspec.structs.replace(form, version=held.version, seen=held.seen)
            return await form_page(request, view, field, mine, clash=problem)
        if pages.wants_part(request):
            return await _saved_part(request, member_id, field)
        return Redirect(f"/members/{member_id}?saved={field}#{field}", status_code=303)


async def _saved_part(request: ActorRequest, member_id: int, field: Field) -> Response[str]:
    view = await profiles.get(request.user, member_id, pages.language(request))
    answer = _page(request, view, saved=field)
    if "/edit/" in request.headers.get("hx-current-url", ""):  # reloading opens no form again
        answer.headers["HX-Replace-Url"] = f"/members/{member_id}"
    return answer


@post("/members/{member_id:int}/confirm", include_in_schema=False, status_code=303)
async def confirm(request: ActorRequest, member_id: FromPath[int]) -> Redirect:
    await profiles.require_own(request.user, member_id)
    await profiles.confirm(request.user)
    return Redirect(f"/members/{member_id}?done=confirmed", status_code=303)


def _field(name: str) -> Field:
    if name not in set(Field):
        raise errors.NotFound
    return Field(name)


async def form_page(
    request: ActorRequest,
    view: MemberView,
    field: Field,
    form: FieldForm,
    problem: errors.Problem | None = None,
    *,
    clash: errors.Problem | None = None,
) -> Response[str]:
    shown = problem or clash
    language = pages.language(request)
    chosen, matches = await _picked(field, form, language)
    spoken = labels.all_languages(language) if field is Field.LANGUAGES else []
    return _page(
        request, view, status=shown.status if shown else 200,
        editing=field, form=form, problem=problem, is_clash=clash is not None,
        chosen=chosen, matches=matches,
        all_languages=spoken, blank_languages=BLANK_LANGUAGES,
        territories=await _territories() if field is Field.TERRITORY else [],
        longest=drafts.LONGEST.get(field), most=drafts.MOST.get(field),
    )  # fmt: skip


async def _picked(
    field: Field, form: FieldForm, language: str
) -> tuple[list[Word], list[Word] | None]:
    """What is chosen in a vocabulary, and what else matches; None when nothing was typed."""
    if field not in VOCABULARIES:
        return [], None
    kind, find = VOCABULARIES[field]
    known = await vocabulary.names(kind, form.choices, language)
    chosen = [Word(code, known[code]) for code in form.choices if code in known]
    if not form.q.strip():
        return chosen, None
    found = (await find(form.q, language, 1, 3 * MATCHES)).items
    names = await vocabulary.names(kind, [entry.code for entry in found], language)
    # A sector and its only part are called the same: the wider one stands for both.
    by_name = {names[entry.code]: entry.code for entry in reversed(found)}
    matches = [Word(entry.code, names[entry.code]) for entry in found]
    return chosen, [
        word for word in matches if word.code not in known and by_name[word.label] == word.code
    ][:MATCHES]


async def _territories() -> list[Word]:
    async with db.connection() as reader:
        rows = await reader.fetch("SELECT slug, name FROM territory ORDER BY name")
    return [Word(row["slug"], row["name"]) for row in rows]


def _page(
    request: ActorRequest, view: MemberView, *, status: int = 200, **context: Any
) -> Response[str]:
    is_owner = view.audiences is not None
    shown = [
        (title, [field for field in fields if is_owner or _has_row(view, field)])
        for title, fields in SECTIONS
    ]
    values = {
        "seen_as": None, "done": None, "saved": None, "editing": None, "may_write": False,
        "public": None, **context,
    }  # fmt: skip
    is_part = bool(values["editing"] or values["saved"]) and pages.wants_part(request)
    template = "members/profile_part.html" if is_part else "members/profile.html"
    return pages.page(
        request, template, status=status,
        view=view, is_owner=is_owner,
        sections=[section for section in shown if section[1]],
        labels=LABELS, audience_names=audiences.NAMES, viewers=VIEWERS,
        counts=_counts(view), initials=views.initials(view.display_name), link_label=links.label,
        address_label=links.bare,
        **values,
    )  # fmt: skip


def _has_row(view: MemberView, field: Field) -> bool:
    """Whether others see it in the columns: the title and the rail show the rest."""
    elsewhere = {Field.DISPLAY_NAME, Field.PHOTO, Field.HEADLINE, Field.MEMBERSHIPS}
    return field not in elsewhere and bool(value(view, field))


def value(view: MemberView, field: Field) -> Any:
    return view.filieres if field is Field.MEMBERSHIPS else getattr(view, field)


def _counts(view: MemberView) -> dict[Audience, int]:
    """How many filled fields each audience sees, for the owner."""
    if view.audiences is None:
        return {}
    levels = [
        audiences.NEEDED[audience]
        for field, audience in view.audiences.items()
        if value(view, field)
    ]
    return {
        audience: sum(level <= audiences.NEEDED[audience] for level in levels)
        for audience in Audience
    }


PAGES = [show_member, edit_field, save_field, confirm]
