"""What changed between two texts, as a reader would mark it: sentences first, then words."""

import enum
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

import msgspec

# A sentence with the space after it. A line is one too: lists have no full stops.
_SENTENCES = re.compile(r"[^.!?…\n]*(?:[.!?…]+(?=\s|$)|[.!?…]|\n|$)\s*")
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
ALIKE = 0.5
"""From here on, two sentences are one that was rewritten; below, one that was replaced."""


class Change(enum.Enum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


class Piece(msgspec.Struct, frozen=True):
    """Some words. Those that are not `added` make the old text, those not `removed` the new."""

    change: Change
    text: str


def compare(before: str, after: str) -> list[Piece]:
    """Nothing for two texts that are the same, but for which kind of space stands where."""
    if _key(before) == _key(after):
        return []
    return _joined(_sentences(_split(_SENTENCES, before), _split(_SENTENCES, after)))


def _key(text: str) -> str:
    """A space that keeps words together and one that does not look the same to a reader."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def _keys(parts: Sequence[str]) -> list[str]:
    return [_key(part) for part in parts]


def _split(pattern: re.Pattern[str], text: str) -> list[str]:
    return [part for part in pattern.findall(text) if part]


def _sentences(before: list[str], after: list[str]) -> Iterator[Piece]:
    for kind, i, j, k, m in SequenceMatcher(None, _keys(before), _keys(after)).get_opcodes():
        if kind == "equal":
            yield Piece(Change.SAME, "".join(after[k:m]))
        elif kind == "replace":
            yield from _rewritten("".join(before[i:j]), "".join(after[k:m]))
        else:
            yield from _replaced("".join(before[i:j]), "".join(after[k:m]))


def _rewritten(before: str, after: str) -> Iterator[Piece]:
    old, new = _split(_WORDS, before), _split(_WORDS, after)
    # It leaves out what is frequent: no text takes long.
    matcher = SequenceMatcher(None, _keys(old), _keys(new))
    if matcher.ratio() < ALIKE:
        yield from _replaced(before, after)
        return
    for kind, i, j, k, m in _without_lone_spaces(matcher.get_opcodes(), old):
        if kind == "equal":
            yield Piece(Change.SAME, "".join(new[k:m]))
        else:
            yield from _replaced("".join(old[i:j]), "".join(new[k:m]))


Opcode = tuple[str, int, int, int, int]


def _without_lone_spaces(opcodes: Sequence[Opcode], old: Sequence[str]) -> list[Opcode]:
    """A space that stayed between two words that did not is no help to a reader."""
    merged: list[Opcode] = []
    for number, opcode in enumerate(opcodes):
        kind, i, j, _, m = opcode
        is_between = 0 < number < len(opcodes) - 1
        is_lone = kind == "equal" and is_between and "".join(old[i:j]).isspace()
        if merged and merged[-1][0] != "equal" and (kind != "equal" or is_lone):
            _, start, _, new_start, _ = merged.pop()
            merged.append(("replace", start, j, new_start, m))
        else:
            merged.append(opcode)
    return merged


def _replaced(before: str, after: str) -> Iterator[Piece]:
    if before:
        yield Piece(Change.REMOVED, before)
    if after:
        yield Piece(Change.ADDED, after)


def _joined(pieces: Iterator[Piece]) -> list[Piece]:
    """Neighbours of one kind become one."""
    found: list[Piece] = []
    for piece in pieces:
        if found and found[-1].change is piece.change:
            found[-1] = Piece(piece.change, found[-1].text + piece.text)
        else:
            found.append(piece)
    return found
