"""The form of one field of a profile: filled from the profile, read into a draft."""

import hashlib
import re
from datetime import date
from typing import Any

import msgspec
from babel import Locale

from directory import errors
from directory.languages import LANGUAGES, marked
from directory.members import drafts
from directory.members.audiences import Audience, Field
from directory.members.drafts import AvailabilityDraft, MemberDraft
from directory.members.views import (
    Availability,
    LanguageLevel,
    LanguageView,
    MemberView,
    Stage,
)

Many = list[str] | str
LINES = frozenset({Field.SKILLS_OFFERED, Field.SKILLS_WANTED, Field.LINKS})
PICKED = frozenset({Field.TRADES, Field.SECTORS, Field.PLACE})
AUDIENCE_ONLY = frozenset({Field.EMAIL, Field.MEMBERSHIPS, Field.PHOTO, Field.PORTFOLIO})
"""Kept elsewhere: their own values are not of this form."""

NUMERIC_DAY = re.compile(r"(\d{1,2})\s*[/. -]\s*(\d{1,2})\s*[/. -]\s*(\d{4})")
ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
NAMED_DAY = re.compile(r"(\d{1,2})(?:er)?\s+([^\W\d]+)\.?\s+(\d{4})")


class FieldForm(msgspec.Struct, kw_only=True):
    """As it is posted. value: a text, or one item a line. choice: codes; main: the main trade.
    seen: the print of what the field held when the form was opened.

    language and level stand side by side, an empty one for a line that was not used.
    """

    version: int
    audience: Audience
    seen: str = ""
    value: str = ""
    state: str = ""
    until: str = ""
    q: str = ""
    choice: Many = []
    main: str = ""
    language: Many = []
    level: Many = []

    @property
    def choices(self) -> list[str]:
        """Without doubles, the main one first."""
        chosen = list(dict.fromkeys(_many(self.choice)))
        return sorted(chosen, key=lambda code: code != self.main)

    @property
    def spoken(self) -> list[tuple[str, str]]:
        return [
            (language, level)
            for language, level in zip(_many(self.language), _many(self.level), strict=False)
            if language
        ]


def _many(values: Many) -> list[str]:
    return [values] if isinstance(values, str) else values


def filled(field: Field, view: MemberView) -> FieldForm:
    """With what the profile holds; for its owner, who alone has audiences and a version."""
    assert view.audiences is not None  # noqa: S101 - for mypy: the owner's view has both
    assert view.version is not None  # noqa: S101 - as above
    form = FieldForm(version=view.version, audience=view.audiences[field])
    value: Any = getattr(view, field, "")
    if field is Field.AVAILABILITY:
        form.state = view.availability or ""
        form.until = view.available_until.strftime("%d/%m/%Y") if view.available_until else ""
    elif field is Field.LINKS:
        form.value = "\n".join(link.url for link in view.links)
    elif field in LINES:
        form.value = "\n".join(value)
    elif field is Field.LANGUAGES:
        form.language = [one.language for one in view.languages]
        form.level = [one.level for one in view.languages]
    elif field is Field.PLACE:
        form.choice = [view.place.code] if view.place else []
    elif field in PICKED:
        form.choice = [word.code for word in value]
        form.main = form.choice[0] if form.choice else ""
    elif field is Field.STAGE:
        form.state = view.stage or ""
    elif field is Field.TERRITORY:
        form.state = view.territory.slug if view.territory else ""
    elif isinstance(value, str):
        form.value = value
    held = msgspec.structs.replace(form, version=0)  # in no language, whatever the version
    form.seen = print_of(held, view.photo if field is Field.PHOTO else None)
    return form


def print_of(*held: object) -> str:
    """Tells whether something is still what it was."""
    return hashlib.sha256(msgspec.json.encode(held)).hexdigest()[:16]


def draft(field: Field, form: FieldForm) -> MemberDraft:
    """:raises errors.Malformed: for what cannot be read; MemberDraft's own rules come later."""
    changed: dict[str, Any] = {"version": form.version, "audiences": {field: form.audience}}
    if field not in AUDIENCE_ONLY:
        changed[field] = _read(field, form)
    return MemberDraft(**changed)


def _read(field: Field, form: FieldForm) -> Any:
    read: Any = form.value
    if field is Field.AVAILABILITY:
        state = _choice(Availability, field, form.state)
        read = AvailabilityDraft(state, day(form.until) if state else None)
    elif field is Field.STAGE:
        read = _choice(Stage, field, form.state)
    elif field is Field.TERRITORY:
        read = form.state or None
    elif field is Field.PLACE:
        read = form.choices[0] if form.choices else None
    elif field in PICKED:
        read = form.choices
    elif field is Field.LANGUAGES:
        read = [
            LanguageView(language, _choice(LanguageLevel, field, level) or LanguageLevel.B1)
            for language, level in form.spoken
        ]
    elif field in LINES:
        parts = r"\n" if field is Field.LINKS else r"[\n,;]"
        read = [line.strip() for line in re.split(parts, form.value) if line.strip()]
    return read


def _choice(kind: type[Any], field: Field, value: str) -> Any:
    """A member of an enumeration, None for nothing."""
    if not value:
        return None
    try:
        return kind(value)
    except ValueError as error:
        raise errors.Malformed.field(field, marked("Cette valeur n’existe pas.")) from error


def day(typed: str) -> date | None:
    """'31/01/2027', '31 janvier 2027' (or in Dutch, in English), '2027-01-31'; None for nothing.

    :raises errors.Malformed: for anything else.
    """
    text = " ".join(typed.split())
    if not text:
        return None
    try:
        if found := ISO_DAY.fullmatch(text):
            return date(*map(int, found.groups()))
        if found := NUMERIC_DAY.fullmatch(text):
            return date(*map(int, reversed(found.groups())))
        if found := NAMED_DAY.fullmatch(text):
            return date(int(found[3]), _month(found[2]), int(found[1]))
    except ValueError:
        pass  # no such day: said below
    raise errors.Malformed.field(
        drafts.UNTIL,
        marked("« %(day)s » n’est pas une date. Écrivez-la par exemple %(example)s."),
        day=text[:40], example=drafts.example_day(),
    )  # fmt: skip


def _month(name: str) -> int:
    """1 to 12, or 0 for what is no month."""
    for language in LANGUAGES:
        for width in ("wide", "abbreviated"):
            months = Locale.parse(language).months["format"][width]
            for number, known in months.items():
                if known.strip(".").casefold() == name.casefold():
                    return int(number)
    return 0
