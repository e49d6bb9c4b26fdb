"""Cells that a spreadsheet would take for a formula, and lists in one cell.

A cell that begins with one of FORMULAS is written behind an apostrophe, and so is one that already
looks so; reading takes exactly that apostrophe off. So the round trip changes nothing, whatever the
value ('=1+1', '-', "'=x"), and "'t Hooft" stays as it is both ways.
"""

import re

FORMULAS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
CLEAR = "-"
"""A cell of this alone empties the field. The value '-' itself is written with its apostrophe."""

_GUARDED = re.compile(rf"'[{re.escape(FORMULAS)}']")
_PARTS = re.compile(r"(?:[^|\\]|\\.)+|\\\Z", re.DOTALL)


def guard(text: str) -> str:
    return f"'{text}" if text[:1] and (text[0] in FORMULAS or _GUARDED.match(text)) else text


def unguard(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell


def joined(items: list[str]) -> str:
    """Several in one cell, '|' between them, a backslash before one that belongs to an item."""
    return " | ".join(item.replace("\\", "\\\\").replace("|", "\\|") for item in items)


def parted(cell: str) -> list[str]:
    found = (
        re.sub(r"\\(.)", r"\1", part.strip(), flags=re.DOTALL) for part in _PARTS.findall(cell)
    )
    return [part.strip() for part in found if part.strip()]
