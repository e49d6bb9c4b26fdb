"""Occupations that bear the very name of a trade, which no official link joins to them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from directory.members.reference import forms
from directory.members.reference.occupations import Entry

# The same name, but another trade: ESCO's tuyauteur drains, ROME's fits pipes.
OTHERS_OF_ESCO = {
    "Agent de piste",
    "Animateur sportif polyvalent",
    "Assembleur d'ouvrages en bois",
    "Auxiliaire de Vie Sociale (AVS)",
    "Avitailleur",
    "Chasseur",
    "Chef d'équipe animation",
    "Conseiller environnement (industrie)",
    "Conseiller environnement (protection de l'environnement)",
    "Directeur de collection",
    "Huissier (menuisier)",
    "Opérateur de conduite en raffinerie",
    "Technicien monteur moteur",
    "Technicien prompteur",
    "Tuyauteur",
    "Veilleur de nuit",
}
OTHERS_OF_COMPETENT = {
    "Conducteur d'engin de damage",
    "Conseiller environnement (industrie)",
    "Conseiller environnement (protection de l'environnement)",
    "Jointoyeur",
}

ASIDE = re.compile(r"\([^)]*\)|-[A-Z]{2,}-")
WORD = re.compile(r"[^\W_]+")
LINKING = {
    "de", "du", "des", "d", "en", "la", "le", "les", "l", "a", "au", "aux", "et", "pour", "sur",
    "par", "dans",
}  # fmt: skip
Key = tuple[str, ...]


class Namesakes(NamedTuple):
    """By the words of a name. Of ESCO only the names that one occupation alone has.

    french are preferred labels; english too, and only those of several words: a "groom" is
    another thing in French. also are the other French labels, which are looser.
    """

    competent: Mapping[Key, list[str]]
    french: Mapping[Key, str]
    english: Mapping[Key, str]
    also: Mapping[Key, str]

    def belgian(self, name: str) -> list[str]:
        """Numbers of Competent."""
        return [] if name in OTHERS_OF_COMPETENT else self.competent.get(words(name), [])

    def same(self, name: str) -> list[str]:
        """URIs of ESCO. The French words decide before the English ones."""
        if name in OTHERS_OF_ESCO:
            return []
        key = words(name)
        found = self.french.get(key) or self.english.get(key)
        return [found] if found else []

    def close(self, name: str) -> list[str]:
        """A label of one word means too much: ESCO's pasteur is a shepherd."""
        key = words(name)
        return [self.also[key]] if len(key) > 1 and key in self.also else []


def index(esco: Mapping[str, Entry], competent: Mapping[str, Entry]) -> Namesakes:
    belgian = defaultdict[Key, list[str]](list)
    for number, entry in competent.items():
        belgian[words(entry.exact.main["fr"])].append(number)
    english = _alone((entry.exact.main["en"], uri) for uri, entry in esco.items())
    return Namesakes(
        belgian,
        _alone((name, uri) for uri, entry in esco.items() for name in entry.named),
        {key: uri for key, uri in english.items() if len(key) > 1},
        _alone((name, uri) for uri, entry in esco.items() for name in entry.also),
    )


def words(name: str) -> Key:
    """Without what is set aside, small linking words and plurals.

    >>> words("Directeur des systèmes d'information -DSI-")
    ('directeur', 'systeme', 'information')
    """
    said = WORD.findall(forms.fold(ASIDE.sub(" ", name)))
    return tuple(word.rstrip("sx") for word in said if word not in LINKING)


def _alone(named: Iterable[tuple[str, str]]) -> dict[Key, str]:
    uris = defaultdict[Key, set[str]](set)
    for name, uri in named:
        uris[words(name)].add(uri)
    return {key: next(iter(found)) for key, found in uris.items() if len(found) == 1}
