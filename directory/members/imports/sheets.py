"""CSV as we write it: UTF-8 with ';', which the spreadsheets of Belgium and France open."""

import csv
import io
from collections.abc import Iterable

from directory.members.imports import escaping

SEPARATOR = ";"


def line(cells: Iterable[str]) -> bytes:
    """One line, each cell guarded against being taken for a formula."""
    written = io.StringIO()
    csv.writer(written, delimiter=SEPARATOR, lineterminator="\r\n").writerow(
        [escaping.guard(cell) for cell in cells]
    )
    return written.getvalue().encode()
