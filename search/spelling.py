"""Which of the words an audience can find were meant by one that it cannot."""

from collections.abc import Iterable
from typing import NamedTuple

MOST_SHOWN = 3
MOST_USED = 20


class Candidate(NamedTuple):
    spelling: str
    form: str
    key: str
    documents: int


def distance(typed: str, word: str, *, is_start: bool = False) -> int:
    """Edits between two words; two neighbouring letters that changed places are one edit.

    With is_start, between typed and the nearest beginning of word.
    """
    before: list[int] = []
    row = list(range(len(word) + 1))
    for i, letter in enumerate(typed, 1):
        earlier, before = before, row
        row = [i]
        for j, other in enumerate(word, 1):
            edits = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == word[j - 2] and typed[i - 2] == other:
                edits = min(edits, earlier[j - 2] + 1)
            row.append(edits)
    return min(row) if is_start else row[-1]


def nearest(
    typed: str, candidates: Iterable[Candidate], edits: int, *, is_start: bool = False
) -> list[Candidate]:
    """The candidates at the least distance, if that is forgiven, most used first."""
    best: list[Candidate] = []
    least = edits
    for candidate in candidates:
        edited = distance(typed, candidate.form, is_start=is_start)
        if edited < least:
            least, best = edited, [candidate]
        elif edited == least:
            best.append(candidate)
    return sorted(best, key=lambda c: (-c.documents, c.spelling))[:MOST_USED]
