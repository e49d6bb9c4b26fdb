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

# What can be chosen today: nothing sends a digest.
OFFERED = (Rhythm.AT_ONCE,)
