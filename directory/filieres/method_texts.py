"""What a method sheet says: seven parts, in French and, where somebody wrote them, in others."""

import enum

import msgspec

from directory import errors
from directory.errors import FieldError
from directory.languages import LANGUAGES, SOURCE, marked
from directory.members import drafts

LONGEST = 2_000


class Part(enum.StrEnum):
    OBJECTIVES = "objectives"
    COOPERATIVE_ROLE = "cooperative_role"
    MEMBER_ROLE = "member_role"
    MEANS = "means"
    OPENNESS = "openness"
    EVENT_KINDS = "event_kinds"
    RHYTHM = "rhythm"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def help(self) -> str:
        return _HELP[self]


_LABELS = {
    Part.OBJECTIVES: marked("Objectifs"),
    Part.COOPERATIVE_ROLE: marked("Rôle de la coopérative"),
    Part.MEMBER_ROLE: marked("Rôle des membres"),
    Part.MEANS: marked("Moyens"),
    Part.OPENNESS: marked("Ouverture"),
    Part.EVENT_KINDS: marked("Genres de rencontres"),
    Part.RHYTHM: marked("Rythme"),
}
_HELP = {
    Part.OBJECTIVES: marked("Ce que la filière veut changer pour ses membres, et comment le voir."),
    Part.COOPERATIVE_ROLE: marked("Ce que la coopérative fait, et ce qu’elle ne fait pas."),
    Part.MEMBER_ROLE: marked("Qui pilote, qui fait quoi, ce qu’on attend de chaque membre."),
    Part.MEANS: marked("Les heures, les salles, les outils, l’argent, et qui les donne."),
    Part.OPENNESS: marked("Qui peut entrer, et ce qu’on montre hors de la coopérative."),
    Part.EVENT_KINDS: marked("Ce que la filière organise, et ce qu’elle n’organise pas."),
    Part.RHYTHM: marked("Combien de rencontres et de mails, et quand on relit cette fiche."),
}


class MethodTexts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Plain texts; an empty line separates paragraphs. 2,000 characters each at most."""

    objectives: str = ""
    cooperative_role: str = ""
    member_role: str = ""
    means: str = ""
    openness: str = ""
    event_kinds: str = ""
    rhythm: str = ""

    def part(self, part: Part) -> str:
        text: str = getattr(self, part.value)
        return text

    @property
    def is_empty(self) -> bool:
        return not any(self.part(part) for part in Part)


Translations = dict[str, MethodTexts]
"""By language. French is there and whole."""


def read(texts: Translations) -> Translations:
    """As they are kept.

    :raises errors.Malformed: naming each part that is too long, or missing in French.
    """
    faults: list[FieldError] = []
    cleaned = {}
    for language in LANGUAGES:
        given = texts.get(language, MethodTexts())
        parts = {part.value: _part(language, part, given, faults) for part in Part}
        cleaned[language] = MethodTexts(**parts)
    if faults:
        raise errors.Malformed(faults[0].message, tuple(faults), **faults[0].params)
    return cleaned


def _part(language: str, part: Part, given: MethodTexts, faults: list[FieldError]) -> str:
    field = f"{language}.{part}"
    try:
        text = drafts.checked(field, drafts.paragraphs(given.part(part)), LONGEST)
    except errors.Malformed as problem:  # all of them are shown at once
        faults.extend(problem.fields)
        return ""
    if language == SOURCE and not text:
        faults.append(FieldError(field, marked("Écrivez cette partie, au moins en français.")))
    return text


def shown(texts: Translations, language: str) -> MethodTexts:
    """In the reader's language, each part that lacks there in French."""
    wanted, source = texts.get(language, MethodTexts()), texts[SOURCE]
    return MethodTexts(**{part.value: wanted.part(part) or source.part(part) for part in Part})


def changed(before: Translations, after: Translations) -> list[tuple[str, Part]]:
    """What differs, French first."""
    return [
        (language, part)
        for language in LANGUAGES
        for part in Part
        if before.get(language, MethodTexts()).part(part)
        != after.get(language, MethodTexts()).part(part)
    ]
