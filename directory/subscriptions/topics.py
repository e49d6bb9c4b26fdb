"""What a mail may be about, and how often it may come."""

import enum

from directory.languages import marked


class Topic(enum.Enum):
    NEWS = "news"
    MEETINGS = "meetings"
    TRAININGS = "trainings"
    LEGAL = "legal"
    CALLS = "calls"

    @property
    def label(self) -> str:
        """Its French name, for the catalogues."""
        return _TOPICS[self]


class Rhythm(enum.Enum):
    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"

    @property
    def label(self) -> str:
        return _RHYTHMS[self]

    def is_rarer_than(self, other: "Rhythm | None") -> bool:
        """Whether it brings less mail; than none at all, no rhythm does."""
        return other is not None and _RARITY[self] > _RARITY[other]


_TOPICS = {
    Topic.NEWS: marked("Actualités"),
    Topic.MEETINGS: marked("Rencontres"),
    Topic.TRAININGS: marked("Formations"),
    Topic.LEGAL: marked("Changements de loi"),
    Topic.CALLS: marked("Appels"),
}
_RHYTHMS = {
    Rhythm.AT_ONCE: marked("tout de suite"),
    Rhythm.DAILY: marked("résumé du jour"),
    Rhythm.WEEKLY: marked("résumé du lundi"),
}

_RARITY = {rhythm: place for place, rhythm in enumerate(Rhythm)}

OFFERED = tuple(Rhythm)
