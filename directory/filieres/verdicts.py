"""How a filière is: good, to follow, or to decide; and why, in words. The rules are one table."""

import enum
from collections.abc import Callable
from datetime import date

import msgspec

from directory.filieres.lifecycle import Stage
from directory.filieres.vitals import Vitals
from directory.languages import marked, translate


class Level(enum.IntEnum):
    """The worst is the highest."""

    GOOD = 0
    WATCH = 1
    DECIDE = 2

    @property
    def word(self) -> str:
        return self.name.lower()

    @property
    def label(self) -> str:
        return _LEVELS[self]


_LEVELS = {
    Level.GOOD: marked("bonne"),
    Level.WATCH: marked("à suivre"),
    Level.DECIDE: marked("à décider"),
}
GOING = (Stage.LAUNCHED, Stage.ACTIVE)

Params = dict[str, object]


class Rule(msgspec.Struct, frozen=True):
    """One reason. `words` may say `params`, which are read from the figures and today."""

    reason: str
    level: Level
    stages: tuple[Stage, ...]
    holds: Callable[[Vitals, date], bool]
    words: str
    params: Callable[[Vitals, date], Params] = lambda _figures, _today: {}


class Remark(msgspec.Struct, frozen=True):
    """A reason that holds, in the reader's language."""

    reason: str
    level: str
    text: str


class Verdict(msgspec.Struct, frozen=True):
    """The worst level of the remarks, which come worst first."""

    level: Level
    remarks: list[Remark]


def _vacant(figures: Vitals, today: date) -> int:
    return (today - figures.vacant_since).days if figures.vacant_since else -1


def _ends_in(figures: Vitals, today: date) -> int:
    """Days until nobody animates it; far away where somebody follows, or no mandate says it."""
    if figures.mandate_ends_on is None or figures.is_followed:
        return 9999
    return (figures.mandate_ends_on - today).days


def _at_stage(figures: Vitals, today: date) -> int:
    return (today - figures.stage_since).days


def _months_since(day: date | None, figures: Vitals, today: date) -> int:
    """Whole months since a day; since its stage began, where that is later or there is none."""
    since = max(day, figures.stage_since) if day else figures.stage_since
    return (today - since).days * 12 // 365


def _quiet_dates(figures: Vitals, today: date) -> bool:
    if figures.next_event_on:
        return False
    return _months_since(figures.last_event_on, figures, today) >= 4


def _quiet_mails(figures: Vitals, today: date) -> bool:
    """A filière that meets need not write."""
    meets = figures.next_event_on or (
        figures.last_event_on and (today - figures.last_event_on).days <= 60
    )
    return not meets and _months_since(figures.last_mailing_on, figures, today) >= 6


def _never_ran(figures: Vitals) -> bool:
    return figures.animators == 0 and figures.vacant_since is None


def _active(figures: Vitals, first: int, last: int) -> float:
    """Active members a month, on average over months counted back from today."""
    window = figures.months[-last : len(figures.months) - first]
    return sum(month.active for month in window) / len(window)


def _sinking(figures: Vitals, today: date) -> bool:
    """Less than half of what the nine months before had, and those had somebody to lose."""
    before = _active(figures, 3, 12)
    return before >= 3 and _active(figures, 0, 3) < before / 2


def _shrinking(figures: Vitals, today: date) -> bool:
    joins = sum(month.joins for month in figures.lately(3))
    leaves = sum(month.leaves for month in figures.lately(3))
    return leaves - joins >= max(3, figures.members // 10)


RULES: tuple[Rule, ...] = (
    Rule(
        "vacant", Level.DECIDE, GOING, lambda f, t: _vacant(f, t) >= 30,
        marked("Sans animation depuis %(days)s jours"), lambda f, t: {"days": _vacant(f, t)},
    ),
    Rule(
        "never_run", Level.DECIDE, GOING, lambda f, t: _never_ran(f) and _at_stage(f, t) >= 30,
        marked("Personne ne l’a encore animée"),
    ),
    Rule(
        "last_mandate_now", Level.DECIDE, GOING, lambda f, t: 0 <= _ends_in(f, t) < 2,
        marked("Le dernier mandat finit aujourd’hui ou demain"),
    ),
    Rule(
        "last_mandate_soon", Level.DECIDE, GOING, lambda f, t: 2 <= _ends_in(f, t) <= 14,
        marked("Le dernier mandat finit dans %(days)s jours"),
        lambda f, t: {"days": _ends_in(f, t)},
    ),
    Rule(
        "nobody", Level.DECIDE, GOING, lambda f, t: f.members == 0 and _at_stage(f, t) >= 90,
        marked("Personne n’y est entré depuis %(days)s jours"),
        lambda f, t: {"days": _at_stage(f, t)},
    ),
    Rule(
        "asleep", Level.DECIDE, GOING,
        lambda f, t: f.members > 0 and _at_stage(f, t) >= 180
        and not any(month.active for month in f.lately(6)),
        marked("Aucun membre actif depuis six mois"),
    ),
    Rule(
        "waiting", Level.DECIDE, (Stage.PROPOSED, Stage.GATHERING),
        lambda f, t: _at_stage(f, t) >= 180,
        marked("À la même étape depuis %(days)s jours"), lambda f, t: {"days": _at_stage(f, t)},
    ),
    Rule(
        "dormant_long", Level.DECIDE, (Stage.DORMANT,), lambda f, t: _at_stage(f, t) >= 365,
        marked("En sommeil depuis plus d’un an : la réveiller ou la fermer"),
    ),
    Rule(
        "candidacy", Level.WATCH, (Stage.FORMING, *GOING, Stage.DORMANT),
        lambda f, t: f.candidacy_since is not None and (t - f.candidacy_since).days >= 7,
        marked("Une personne se propose depuis %(days)s jours, sans réponse"),
        lambda f, t: {"days": (t - f.candidacy_since).days if f.candidacy_since else 0},
    ),
    Rule(
        "vacant_lately", Level.WATCH, (Stage.FORMING, *GOING),
        lambda f, t: f.vacant_since is not None and (
            _vacant(f, t) < 30 or f.filiere.stage is Stage.FORMING),
        marked("Plus personne ne l’anime"),
    ),
    Rule(
        "not_run_yet", Level.WATCH, (Stage.FORMING, *GOING),
        lambda f, t: _never_ran(f) and (_at_stage(f, t) < 30 or f.filiere.stage is Stage.FORMING),
        marked("Personne ne l’anime encore"),
    ),
    Rule(
        "mandate_ends", Level.WATCH, GOING, lambda f, t: 14 < _ends_in(f, t) <= 60,
        marked("Le dernier mandat finit dans %(days)s jours"),
        lambda f, t: {"days": _ends_in(f, t)},
    ),
    Rule(
        "no_date", Level.WATCH, GOING, _quiet_dates,
        marked("Pas de date depuis %(months)s mois"),
        lambda f, t: {"months": _months_since(f.last_event_on, f, t)},
    ),
    Rule(
        "no_mailing", Level.WATCH, GOING,
        _quiet_mails,
        marked("Pas de mail depuis %(months)s mois"),
        lambda f, t: {"months": _months_since(f.last_mailing_on, f, t)},
    ),
    Rule(
        "sinking", Level.WATCH, GOING, _sinking,
        marked("Deux fois moins de membres actifs que les mois d’avant"),
    ),
    Rule(
        "shrinking", Level.WATCH, GOING, _shrinking,
        marked("Plus de départs que d’arrivées depuis trois mois"),
    ),
    Rule(
        "no_sheet", Level.WATCH, (Stage.FORMING,),
        lambda f, t: f.sheet_version is None and _at_stage(f, t) >= 30,
        marked("Fiche de méthode à écrire"),
    ),
    Rule(
        "forming_long", Level.WATCH, (Stage.FORMING,), lambda f, t: _at_stage(f, t) >= 180,
        marked("En construction depuis %(days)s jours"), lambda f, t: {"days": _at_stage(f, t)},
    ),
    Rule(
        "waits", Level.WATCH, (Stage.PROPOSED, Stage.GATHERING),
        lambda f, t: 90 <= _at_stage(f, t) < 180,
        marked("À la même étape depuis %(days)s jours"), lambda f, t: {"days": _at_stage(f, t)},
    ),
    Rule(
        "dormant", Level.WATCH, (Stage.DORMANT,), lambda f, t: 180 <= _at_stage(f, t) < 365,
        marked("En sommeil depuis %(days)s jours"), lambda f, t: {"days": _at_stage(f, t)},
    ),
)  # fmt: skip


def judge(figures: Vitals, today: date, language: str) -> Verdict:
    """By RULES, whose order stands within a level."""
    found = [
        rule
        for rule in RULES
        if figures.filiere.stage in rule.stages and rule.holds(figures, today)
    ]
    found.sort(key=lambda rule: -rule.level)
    remarks = [
        Remark(
            rule.reason, rule.level.word,
            translate(language, rule.words, **rule.params(figures, today)),
        )
        for rule in found
    ]  # fmt: skip
    return Verdict(found[0].level if found else Level.GOOD, remarks)
