"""The forms in which a filière is proposed and edited: what is typed, as it is typed."""

from collections.abc import Collection
from typing import Any

import msgspec

from directory import db, errors
from directory.filieres.definitions import TERMS, TEXTS, Definition, DefinitionDraft, Faults
from directory.filieres.proposals import ProposalDraft
from directory.filieres.registry import Kind, Openness
from directory.languages import marked
from directory.members import vocabulary
from directory.members.views import Word

MATCHES = 8
Many = list[str] | str


def _many(values: Many) -> list[str]:
    """A form with one box ticked sends a text, with several a list."""
    given = [values] if isinstance(values, str) else values
    return [value for value in dict.fromkeys(given) if value]


class DefinitionForm(msgspec.Struct, kw_only=True):
    """find: a button that looks for words and saves nothing. trade_q, sector_q: what to find."""

    kind: str = "trade"
    name_fr: str = ""
    name_nl: str = ""
    name_en: str = ""
    purpose_fr: str = ""
    purpose_nl: str = ""
    purpose_en: str = ""
    openness: str = "open"
    territory: str = ""
    trades: Many = []
    sectors: Many = []
    trade_q: str = ""
    sector_q: str = ""
    version: str = ""
    find: str = ""

    def codes(self, field: str) -> list[str]:
        """Of the kind that is chosen: the other picker is out of sight."""
        shown = "trades" if self.kind == Kind.TRADE.value else "sectors"
        return _many(getattr(self, field)) if field == shown else []


class ProposalForm(DefinitionForm, kw_only=True):
    """seen: slugs of the filières that are alike and were shown."""

    need: str = ""
    intentions: str = ""
    wants_mails: str = ""
    seen: Many = []


class Picker(msgspec.Struct, frozen=True):
    """What is chosen in a vocabulary, and what else matches; None when nothing was typed."""

    chosen: list[Word]
    matches: list[Word] | None


def shown(definition: Definition) -> DefinitionForm:
    """The form of a filière that is there."""
    texts = {name: getattr(definition, name) for name in TEXTS}
    return DefinitionForm(
        kind=definition.kind.value,
        openness=definition.openness.value,
        territory=definition.territory or "",
        trades=definition.trades,
        sectors=definition.sectors,
        version=str(definition.version),
        **texts,
    )


def proposal(form: ProposalForm) -> ProposalDraft:
    """:raises errors.Malformed: for a choice that the form does not offer."""
    faults = Faults()
    kind = _choice(Kind, "kind", form.kind, faults)
    openness = _choice(Openness, "openness", form.openness, faults)
    faults.raise_any()
    return ProposalDraft(
        kind=kind,
        openness=openness,
        territory=form.territory or None,
        trades=form.codes("trades"),
        sectors=form.codes("sectors"),
        need=form.need,
        intentions=form.intentions,
        wants_mails=bool(form.wants_mails),
        despite=_many(form.seen),
        **{name: getattr(form, name) for name in TEXTS},
    )


def change(form: DefinitionForm, held: Definition, rights: Collection[str]) -> DefinitionDraft:
    """What differs from what is there, of the fields that its reader may change.

    :raises errors.Malformed: for a choice that the form does not offer.
    """
    faults = Faults()
    given: dict[str, Any] = {name: getattr(form, name) for name in TEXTS}
    given["openness"] = _choice(Openness, "openness", form.openness, faults)
    given["territory"] = form.territory or None
    given |= {name: form.codes(name) for name in ("trades", "sectors")}
    faults.raise_any()
    version = int(form.version) if form.version.isdecimal() and len(form.version) < 10 else 0
    changed = {
        name: given[name]
        for name in TEXTS + TERMS
        if name in rights and given[name] != getattr(held, name)
    }
    return DefinitionDraft(version=version, **changed)


def _choice(kind: type[Any], field: str, typed: str, faults: Faults) -> Any:
    with faults.gathered():
        try:
            return kind(typed)
        except ValueError as error:
            raise errors.Malformed.field(field, marked("Cette valeur n’existe pas.")) from error
    return None


async def pickers(form: DefinitionForm, language: str) -> dict[str, Picker]:
    """By the name of the field."""
    return {
        "trades": await _picker("trade", _many(form.trades), form.trade_q, language),
        "sectors": await _picker("sector", _many(form.sectors), form.sector_q, language),
    }


async def _picker(kind: str, codes: list[str], q: str, language: str) -> Picker:
    known = await vocabulary.names(kind, codes, language)
    chosen = [Word(code, known[code]) for code in codes if code in known]
    if not q.strip():
        return Picker(chosen, None)
    found = await _codes(kind, q[:500], language)
    names = await vocabulary.names(kind, found, language)
    # A sector and its only part are called the same: the wider one stands for both.
    by_name = {names[code]: code for code in reversed(found)}
    matches = [Word(code, names[code]) for code in found]
    return Picker(
        chosen,
        [word for word in matches if word.code not in known and by_name[word.label] == word.code][
            :MATCHES
        ],
    )


async def _codes(kind: str, q: str, language: str) -> list[str]:
    if kind == "trade":
        trades = await vocabulary.find_trades(q, language, 1, 3 * MATCHES)
        return [entry.code for entry in trades.items]
    sectors = await vocabulary.find_sectors(q, language, 1, 3 * MATCHES)
    return [entry.code for entry in sectors.items]


async def territories() -> list[Word]:
    async with db.connection() as reader:
        rows = await reader.fetch("SELECT slug, name FROM territory ORDER BY name")
    return [Word(row["slug"], row["name"]) for row in rows]
