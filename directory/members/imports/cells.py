"""One row of a file to values in the form in which they are compared with what is there.

A value is a text; a list has a line for each item; '' empties the field. An empty cell is no value:
nothing changes.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from babel import Locale

from directory import errors
from directory.accounts import login
from directory.languages import LANGUAGES, marked
from directory.members import drafts, forms, views
from directory.members.audiences import Field
from directory.members.imports import escaping
from directory.members.imports.columns import Column, Layout
from directory.members.imports.reading import Row, shown
from directory.members.imports.words import Words
from directory.members.views import LanguageLevel, LanguageView, Stage
from search import normaliser

LONGEST_NUMBER = 40
LONGEST_REFERENCE = 18  # digits
FIRST_YEAR = 1900
STAGES: Mapping[str, str] = {
    **{stage.value: stage.value for stage in Stage},
    **dict.fromkeys(("demarre", "activite qui demarre", "startend", "opstartend"), "starting"),
    **dict.fromkeys(("en developpement", "activite en developpement", "groeiend"), "developing"),
    **dict.fromkeys(("etablie", "activite etablie", "gevestigd"), "established"),
}
BANDS = {band: band for band in ("under_10k", "10k_25k", "25k_50k", "50k_100k", "over_100k")}
SPOKEN = {language: language for language in LANGUAGES}
KEPT_FILLED = frozenset(
    {Column.NUMBER, Column.EMAIL, Column.NAME, Column.DISPLAY_NAME, Column.GIVEN_NAME,
     Column.FAMILY_NAME, Column.JOINED_ON, Column.ID, Column.MAIL_LANGUAGE}
)  # fmt: skip
_SPOKEN = re.compile(r"(.+?)\s*(?:[:(]\s*([^):]+)\)?)?")
NATIVE = ("native", "langue maternelle", "moedertaal", "maternelle")


class Fault(NamedTuple):
    """What is wrong with one cell, or with the row where column is ''. message is a marked text."""

    column: str
    message: str
    params: dict[str, object]


class Given(NamedTuple):
    """One row. name is what to call the person by; place is a code, to find namesakes near."""

    line: int
    ref: int | None
    number: str | None
    email: str | None
    name: str
    place: str | None
    values: dict[str, str]
    faults: list[Fault]

    def record(self, import_id: int) -> tuple[object, ...]:
        return (
            import_id, self.line, self.ref, self.number, self.email, self.name, self.place,
            json.dumps(self.values), json.dumps([fault._asdict() for fault in self.faults]),
        )  # fmt: skip


class Reader:
    """Reads rows of one layout; remembers the words that it met."""

    def __init__(self, layout: Layout, words: Words) -> None:
        self._layout = layout
        self._words = words
        self._code = lru_cache(maxsize=20_000)(self._look_up)

    def read(self, row: Row) -> Given:
        faults: list[Fault] = []
        values: dict[str, str] = {}
        if row.fault:
            fault = Fault("", row.fault, {})
            return Given(row.line, None, None, None, "", None, {}, [fault])
        cells = {
            column: stripped
            for column, cell in zip(self._layout.columns, row.cells, strict=True)
            if column is not None and (stripped := cell.strip(" \u00a0"))
        }
        for column, cell in self._joined(cells).items():
            try:
                values[column] = self._value(column, cell)
            except errors.Malformed as problem:
                faults.append(_fault(column, problem))
        self._settle(cells, values, faults)
        ref = values.pop(Column.ID, None)
        return Given(
            row.line, int(ref) if ref else None, values.get(Column.NUMBER),
            values.get(Column.EMAIL), values.get(Column.DISPLAY_NAME, ""),
            values.get(Column.PLACE) or None, values, faults,
        )  # fmt: skip

    def _joined(self, cells: dict[Column, str]) -> dict[Column, str]:
        """Without the columns that make one field together: they are settled after."""
        together = {Column.PLACE, Column.POSTAL_CODE, Column.TOWN, Column.NAME}
        return {column: cell for column, cell in cells.items() if column not in together}

    def _settle(
        self, cells: Mapping[Column, str], values: dict[str, str], faults: list[Fault]
    ) -> None:
        """The place, the name, and whether the row says who it is about."""
        try:
            self._settle_place(cells, values)
            self._settle_name(cells, values)
        except errors.Malformed as problem:
            faults.append(_fault(problem.fields[0].field, problem))
        if not faults and not values.keys() & {Column.NUMBER, Column.EMAIL, Column.ID}:
            faults.append(Fault("", NOBODY, {}))

    def _settle_place(self, cells: Mapping[Column, str], values: dict[str, str]) -> None:
        code, postal, town = (
            escaping.unguard(cells.get(column, ""))
            for column in (Column.PLACE, Column.POSTAL_CODE, Column.TOWN)
        )
        if escaping.CLEAR in {cells.get(Column.PLACE), cells.get(Column.TOWN)}:
            values[Column.PLACE] = ""
        elif code or postal or town:
            values[Column.PLACE] = self._words.place(code, postal, town)

    def _settle_name(self, cells: Mapping[Column, str], values: dict[str, str]) -> None:
        """The name to show is the full one, where the file does not say another."""
        whole = escaping.unguard(cells.get(Column.NAME, ""))
        parts = [values.get(part, "") for part in (Column.GIVEN_NAME, Column.FAMILY_NAME)]
        if Column.DISPLAY_NAME in values:
            return
        if whole:
            values[Column.DISPLAY_NAME] = drafts.name(whole)
        elif all(parts):
            values[Column.DISPLAY_NAME] = drafts.name(" ".join(parts))

    def _value(self, column: Column, cell: str) -> str:
        if cell == escaping.CLEAR:
            if column in KEPT_FILLED:
                raise errors.Malformed.field(column, NEVER_EMPTY)
            return ""
        text = escaping.unguard(cell)
        if column in WORDS:
            codes = [self._code(column, part) for part in escaping.parted(text)]
            codes = drafts.codes(WORDS[column], codes)
            return "\n".join(codes if column is Column.TRADES else sorted(codes))
        if column is Column.TERRITORY:
            return self._code(column, text)
        return _READ[column](text)

    def _look_up(self, column: Column, word: str) -> str:
        return self._words.names[column].code(column, word)


def _fault(column: str, problem: errors.Malformed) -> Fault:
    """With what was typed as it can be kept: it may be any bytes."""
    params = {
        name: shown(value) if isinstance(value, str) else value
        for name, value in problem.params.items()
    }
    return Fault(column, problem.message, params)


WORDS = {Column.TRADES: Field.TRADES, Column.SECTORS: Field.SECTORS}
NOBODY = marked("Cette ligne n’a ni numéro de membre ni adresse mail.")
NEVER_EMPTY = marked("Cette valeur ne se vide pas. Laissez la case vide pour ne rien changer.")


def _number(text: str) -> str:
    return drafts.checked(Column.NUMBER, " ".join(text.split()), LONGEST_NUMBER)


def _reference(text: str) -> str:
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_REFERENCE):
        raise errors.Malformed.field(
            Column.ID, marked("« %(text)s » n’est pas un numéro de fiche."), text=text[:40]
        )
    return text


def _email(text: str) -> str:
    if not login.looks_like_address(text):
        raise errors.Malformed.field(
            Column.EMAIL,
            marked("« %(email)s » n’est pas une adresse. Écrivez-la comme prenom@coop.example."),
            email=text[:80],
        )
    return text.lower()


def _register_name(column: Column) -> Callable[[str], str]:
    """Any writing of a name, also without a letter: it is the register's."""
    return lambda text: drafts.checked(column, " ".join(text.split()), 200)


def _skills(field: Field) -> Callable[[str], str]:
    return lambda text: "\n".join(drafts.skills(field, escaping.parted(text)))


def _links(text: str) -> str:
    return "\n".join(link.url for link in drafts.link_views(escaping.parted(text)))


def _languages(text: str) -> str:
    spoken = [_spoken(part) for part in escaping.parted(text)]
    kept = drafts.language_views(spoken)
    return "\n".join(sorted(f"{one.language}:{one.level}" for one in kept))


def _spoken(text: str) -> LanguageView:
    """'nl:b2', 'néerlandais (b2)', 'nl'. Without a level it is B1, as on the page."""
    match = _SPOKEN.fullmatch(text)
    name, level = (match[1], match[2] or "b1") if match else (text, "b1")
    code = _language_codes().get(normaliser.fold(name), name.lower())
    level = "native" if normaliser.fold(level) in NATIVE else level.strip().lower()
    if level not in set(LanguageLevel):
        raise errors.Malformed.field(
            Column.LANGUAGES,
            marked("« %(level)s » n’est pas un niveau. Prenez a1, a2, b1, b2, c1, c2 ou native."),
            level=level[:40],
        )
    return LanguageView(code, LanguageLevel(level))


@lru_cache(maxsize=1)
def _language_codes() -> dict[str, str]:
    """By name in our three languages. A short code goes before a long one."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        names = Locale.parse(language).languages
        for code in sorted(names, key=len, reverse=True):
            if code.isalpha() and len(code) <= 3:
                found[normaliser.fold(names[code])] = code
    return found


def _choice(column: Column, known: Mapping[str, str], text: str) -> str:
    found = known.get(text) or known.get(normaliser.fold(text))
    if found is None:
        raise errors.Malformed.field(
            column,
            marked("« %(text)s » n’est pas un choix. Prenez un de ceux-ci : %(known)s."),
            text=text[:40], known=", ".join(dict.fromkeys(known.values())),
        )  # fmt: skip
    return found


def _day(column: Column, *, may_come: bool) -> Callable[[str], str]:
    def read(text: str) -> str:
        day = forms.day(text) or views.today()
        if day.year < FIRST_YEAR:
            raise errors.Malformed.field(
                column, marked("%(day)s est trop loin dans le passé."), day=day.isoformat()
            )
        if day > views.today() and not may_come:
            raise errors.Malformed.field(
                column,
                marked("Le %(day)s est à venir. Importez cette ligne ce jour-là."),
                day=day.isoformat(),
            )
        return day.isoformat()

    return read


_READ: Mapping[Column, Callable[[str], str]] = {
    Column.ID: _reference,
    Column.NUMBER: _number,
    Column.EMAIL: _email,
    Column.GIVEN_NAME: _register_name(Column.GIVEN_NAME),
    Column.FAMILY_NAME: _register_name(Column.FAMILY_NAME),
    Column.DISPLAY_NAME: drafts.name,
    Column.HEADLINE: lambda text: drafts.line(Field.HEADLINE, text),
    Column.BIOGRAPHY: lambda text: drafts.text(Field.BIOGRAPHY, text),
    Column.SKILLS_OFFERED: _skills(Field.SKILLS_OFFERED),
    Column.SKILLS_WANTED: _skills(Field.SKILLS_WANTED),
    Column.LANGUAGES: _languages,
    Column.PHONE: drafts.phone,
    Column.LINKS: _links,
    Column.STAGE: lambda text: _choice(Column.STAGE, STAGES, text),
    Column.TURNOVER: lambda text: _choice(Column.TURNOVER, BANDS, text),
    Column.MAIL_LANGUAGE: lambda text: _choice(Column.MAIL_LANGUAGE, SPOKEN, text.lower()[:2]),
    Column.JOINED_ON: _day(Column.JOINED_ON, may_come=True),
    Column.LEFT_ON: _day(Column.LEFT_ON, may_come=False),
}  # fmt: skip
