"""What an owner writes in their profile, and what of it can be kept."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec
from babel import Locale, dates
from msgspec import UNSET, UnsetType

from directory import errors
from directory.languages import SOURCE, marked
from directory.members import links, views
from directory.members.audiences import Audience, Field
from directory.members.views import Availability, LanguageView, LinkView, Stage

LONGEST = {
    Field.DISPLAY_NAME: 200,
    Field.HEADLINE: 200,
    Field.BIOGRAPHY: 5_000,
    Field.PHONE: 40,
    Field.SKILLS_OFFERED: 80,
    Field.SKILLS_WANTED: 80,
}
MOST = {
    Field.TRADES: 5,
    Field.SECTORS: 10,
    Field.SKILLS_OFFERED: 20,
    Field.SKILLS_WANTED: 20,
    Field.LANGUAGES: 20,
    Field.LINKS: 10,
}
TOO_MANY = {
    Field.TRADES: marked("Gardez %(most)s métiers au plus. Vous en avez choisi %(count)s."),
    Field.SECTORS: marked("Gardez %(most)s secteurs au plus. Vous en avez choisi %(count)s."),
    Field.SKILLS_OFFERED: marked("Gardez %(most)s compétences au plus. Il y en a %(count)s."),
    Field.SKILLS_WANTED: marked("Gardez %(most)s compétences au plus. Il y en a %(count)s."),
    Field.LANGUAGES: marked("Gardez %(most)s langues au plus. Il y en a %(count)s."),
    Field.LINKS: marked("Gardez %(most)s liens au plus. Il y en a %(count)s."),
}
UNTIL = "available_until"
PHONE = re.compile(r"\+?[0-9 ()./\u00a0\u202f-]+")
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates (UAX 9): a name could be made to read as another."""

FEWEST_DIGITS = 4
FURTHEST_YEARS = 5
Item = TypeVar("Item")


class AvailabilityDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """state null: nothing is said. Without `until` it stays until it is changed."""

    state: Availability | None = None
    until: date | None = None


class MemberDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parts of a profile that are to change; what is not given stays.

    version is that of the profile that was read; If-Match may say it instead. trades, sectors and
    place are codes, the main trade first; territory is a slug. audiences are changed one by one.
    """

    version: int | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    headline: str | UnsetType = UNSET
    biography: str | UnsetType = UNSET
    trades: list[str] | UnsetType = UNSET
    sectors: list[str] | UnsetType = UNSET
    skills_offered: list[str] | UnsetType = UNSET
    skills_wanted: list[str] | UnsetType = UNSET
    availability: AvailabilityDraft | UnsetType = UNSET
    languages: list[LanguageView] | UnsetType = UNSET
    stage: Stage | UnsetType | None = UNSET
    place: str | UnsetType | None = UNSET
    territory: str | UnsetType | None = UNSET
    phone: str | UnsetType = UNSET
    links: list[str] | UnsetType = UNSET
    audiences: dict[Field, Audience] | UnsetType = UNSET


def columns(draft: MemberDraft, language: str) -> dict[str, object]:
    """The columns of the member's own row that are to change; language is for messages."""
    changed: dict[str, object] = {}
    if draft.display_name is not UNSET:
        changed["display_name"] = name(draft.display_name)
    if draft.headline is not UNSET:
        changed["headline"] = line(Field.HEADLINE, draft.headline)
    if draft.biography is not UNSET:
        changed["biography"] = text(Field.BIOGRAPHY, draft.biography)
    if draft.phone is not UNSET:
        changed["phone"] = phone(draft.phone)
    if draft.stage is not UNSET:
        changed["stage"] = draft.stage
    if draft.availability is not UNSET:
        said = availability(draft.availability, language)
        changed |= {"availability": said.state, "available_until": said.until}
    return changed


def lists(draft: MemberDraft) -> dict[Field, list[tuple[Any, ...]]]:
    """The rows, without the member, of the lists that are to change. Words are still codes."""
    changed: dict[Field, list[tuple[Any, ...]]] = {}
    if draft.trades is not UNSET:
        changed[Field.TRADES] = [(code,) for code in codes(Field.TRADES, draft.trades)]
    if draft.sectors is not UNSET:
        changed[Field.SECTORS] = [(code,) for code in codes(Field.SECTORS, draft.sectors)]
    for field, kind, typed in (
        (Field.SKILLS_OFFERED, "offered", draft.skills_offered),
        (Field.SKILLS_WANTED, "wanted", draft.skills_wanted),
    ):
        if typed is not UNSET:
            cleaned = enumerate(skills(field, typed))
            changed[field] = [(kind, position, skill) for position, skill in cleaned]
    if draft.languages is not UNSET:
        spoken = language_views(draft.languages)
        changed[Field.LANGUAGES] = [(one.language, one.level) for one in spoken]
    if draft.links is not UNSET:
        given = enumerate(link_views(draft.links))
        changed[Field.LINKS] = [(position, link.kind, link.url) for position, link in given]
    return changed


def name(typed: str) -> str:
    """:raises errors.Malformed: for a name without a letter of any script."""
    cleaned = line(Field.DISPLAY_NAME, typed)
    if not any(character.isalpha() for character in cleaned):
        raise errors.Malformed.field(
            Field.DISPLAY_NAME, marked("Écrivez un nom, par exemple Awa Lemaire.")
        )
    return cleaned


def line(field: Field, typed: str) -> str:
    """A text of one line. Line breaks and doubled spaces become one space."""
    return checked(field, one_line(typed), LONGEST[field])


def text(field: Field, typed: str) -> str:
    return checked(field, paragraphs(typed), LONGEST[field])


def one_line(typed: str) -> str:
    """As it is kept: in NFC, so that an accent is found however it was typed, and trimmed."""
    return " ".join(unicodedata.normalize("NFC", typed).split())


def paragraphs(typed: str) -> str:
    """The same, with its line breaks."""
    return unicodedata.normalize("NFC", typed.replace("\r\n", "\n").replace("\r", "\n")).strip()


def checked(field: str, cleaned: str, most: int) -> str:
    """:raises errors.Malformed: for characters that nobody sees, and for more than `most`."""
    if any(_is_unseen(character) for character in cleaned):
        raise errors.Malformed.field(
            field, marked("Un signe invisible s’est glissé dans ce texte. Écrivez-le à nouveau.")
        )
    if len(cleaned) > most:
        raise errors.Malformed.field(
            field,
            marked("Écrivez %(most)s signes au plus. Il y en a %(count)s."),
            most=most, count=len(cleaned),
        )  # fmt: skip
    return cleaned


def _is_unseen(character: str) -> bool:
    """A control character, half of a pair, or one that turns the text around it the other way.

    The marks and joiners that names need (ZWJ, ZWNJ, LRM, RLM) are none of those.
    """
    is_control = unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t"
    return is_control or character in TURNING


def phone(typed: str) -> str:
    cleaned = line(Field.PHONE, typed)
    digits = sum(character in "0123456789" for character in cleaned)
    if cleaned and (not PHONE.fullmatch(cleaned) or digits < FEWEST_DIGITS):
        raise errors.Malformed.field(
            Field.PHONE,
            marked("« %(phone)s » n’est pas un numéro. Écrivez-le par exemple +32 81 22 22 22."),
            phone=cleaned,
        )
    return cleaned


def skills(field: Field, typed: Sequence[str]) -> list[str]:
    shown = [one_line(skill) for skill in typed]
    distinct = {skill.casefold(): skill for skill in reversed(shown) if skill}
    return [line(field, skill) for skill in _few(field, list(reversed(distinct.values())))]


def codes(field: Field, typed: Sequence[str]) -> list[str]:
    return _few(field, list(dict.fromkeys(typed)))


def link_views(typed: Sequence[str]) -> list[LinkView]:
    cleaned = list(dict.fromkeys(url.strip() for url in typed if url.strip()))
    return [links.read(Field.LINKS, url) for url in _few(Field.LINKS, cleaned)]


def language_views(typed: Sequence[LanguageView]) -> list[LanguageView]:
    known = Locale.parse(SOURCE).languages
    for one in typed:
        if not re.fullmatch("[a-z]{2,3}", one.language) or one.language not in known:
            raise errors.Malformed.field(
                Field.LANGUAGES,
                marked("La langue « %(code)s » n’existe pas."), code=one.language[:20],
            )  # fmt: skip
    return _few(Field.LANGUAGES, list({one.language: one for one in typed}.values()))


def availability(draft: AvailabilityDraft, language: str) -> AvailabilityDraft:
    """:raises errors.Malformed: for a last day that is over, or years away."""
    if draft.state is None or draft.until is None:
        return AvailabilityDraft(draft.state)
    today = views.today()
    example = example_day()
    day = dates.format_date(draft.until, "d MMMM y", locale=language)
    if draft.until < today:
        raise errors.Malformed.field(
            UNTIL,
            marked("Le %(day)s est passé. Indiquez une date à venir, par exemple %(example)s."),
            day=day, example=example,
        )  # fmt: skip
    if draft.until.year > today.year + FURTHEST_YEARS:
        raise errors.Malformed.field(
            UNTIL,
            marked("Le %(day)s est trop loin. Indiquez une date proche, par exemple %(example)s."),
            day=day, example=example,
        )  # fmt: skip
    return draft


def example_day() -> str:
    """A day to come, as one may type it."""
    return date(views.today().year + 1, 1, 31).strftime("%d/%m/%Y")


def _few(field: Field, items: list[Item]) -> list[Item]:
    if len(items) > MOST[field]:
        raise errors.Malformed.field(field, TOO_MANY[field], most=MOST[field], count=len(items))
    return items
