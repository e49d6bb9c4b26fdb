"""A file of a table, of whatever bytes, to rows: its encoding, its separator, its lines.

Nothing here needs more memory than one row, and no bytes make anything but rows or a Refused.
"""

import codecs
import csv
import hashlib
import io
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, NamedTuple

from directory import errors
from directory.languages import marked

LARGEST_BYTES = 64 * 1024 * 1024
LONGEST_ROW = 400_000  # characters, of all its cells
LONGEST_CELL = 100_000
MOST_COLUMNS = 100
MOST_ROWS = 200_000
PIECE = 1 << 16
SEPARATORS = (";", ",", "\t")
SEPARATOR_LINE = "sep="  # some spreadsheets write 'sep=;' before the header
UTF8, UTF8_BOM, WINDOWS = "utf-8", "utf-8-sig", "cp1252"
# Bytes that no text begins with, and what begins so.
OTHERS = (
    (b"PK\x03\x04", marked("C’est un classeur, pas un fichier CSV. Enregistrez-le en CSV UTF-8.")),
    (b"\xd0\xcf\x11\xe0", marked("C’est un ancien classeur. Enregistrez-le en CSV UTF-8.")),
    (b"%PDF", marked("C’est un PDF. Exportez le tableau en CSV UTF-8.")),
    (b"\x1f\x8b", marked("C’est un fichier compressé. Envoyez le CSV lui-même.")),
)
BOMS = (
    (codecs.BOM_UTF8, UTF8_BOM),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Where Windows-1252 has no character, ISO 8859-1 has an invisible one: the row is refused for it.
_UNDEFINED = {byte: chr(byte) for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}


class Refused(errors.Problem):
    """A file that no rows can be read from. The message says where and what to do."""

    status = 400
    kind = "file-refused"
    title = marked("Ce fichier ne se lit pas")


class Row(NamedTuple):
    """cells: those of the header, in its order. fault: what is wrong with the row as a whole."""

    line: int
    cells: list[str]
    fault: str = ""


class Encoding(NamedTuple):
    """name is Python's. is_guessed: the file does not say it, and it is not UTF-8."""

    name: str
    is_guessed: bool


class Sheet(NamedTuple):
    """An opened table: how it is written, its header, and the rows that follow."""

    encoding: Encoding
    separator: str
    header: list[str]
    rows: Iterator[Row]


def shown(text: str) -> str:
    """A text of the file as it may be told and kept, with a sign for what cannot be seen."""
    unseen = {"Cc", "Cs"}
    return "".join("\ufffd" if unicodedata.category(c) in unseen else c for c in text)


def digest(file: IO[bytes]) -> bytes:
    """The SHA-256 of the whole file, from its beginning."""
    file.seek(0)
    made = hashlib.sha256()
    while piece := file.read(PIECE):
        made.update(piece)
    return made.digest()


@contextmanager
def opened(file: IO[bytes]) -> Iterator[Sheet]:
    """:raises Refused: at once for what is no table, or later, from the rows, at their line."""
    encoding = encoding_of(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding.name, errors="filieres_latin1", newline="")
    try:
        yield _sheet(encoding, _Lines(text))
    finally:
        text.detach()  # the file is the caller's to close


def _sheet(encoding: Encoding, lines: "_Lines") -> Sheet:
    first = lines.first()
    separator = separator_of(first)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        header = [shown(cell).strip() for cell in next(reader, [])]
    except csv.Error:
        raise Refused(marked("La première ligne doit avoir les noms des colonnes.")) from None
    while header and not header[-1]:
        header.pop()
    if not header:
        raise Refused(marked("Le fichier est vide. La première ligne a les noms des colonnes."))
    if len(header) > MOST_COLUMNS:
        raise Refused(marked("Le fichier a plus de %(most)s colonnes."), most=MOST_COLUMNS)
    return Sheet(encoding, separator, header, _rows(reader, lines, len(header)))


def separator_of(header: str) -> str:
    """The one that stands most often in the header, outside of quotes; ';' where none does."""
    outside = "".join(header.split('"')[::2])
    counts = Counter({separator: outside.count(separator) for separator in SEPARATORS})
    return max(SEPARATORS, key=lambda separator: counts[separator])


def encoding_of(file: IO[bytes]) -> Encoding:
    """By its first bytes, or by whether all of it is UTF-8.

    :raises Refused: for other kinds of files, and for UTF-8 that is broken somewhere.
    """
    file.seek(0)
    start = file.read(PIECE)
    for magic, message in OTHERS:
        if start.startswith(magic):
            raise Refused(message)
    for bom, name in BOMS:
        if start.startswith(bom):
            return Encoding(name, is_guessed=False)
    # Text in UTF-16 has an empty byte beside each letter of ours, always on the same side.
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 4 > len(start):
        return Encoding("utf-16-be" if even > odd else "utf-16-le", is_guessed=True)
    good, bad, line = _count_utf8(file)
    if not bad:
        return Encoding(UTF8, is_guessed=False)
    if good >= bad:  # far too many for chance: accents of another encoding never look like UTF-8
        raise Refused(
            marked(
                "Ligne %(line)s : un signe n’est pas de l’UTF-8, comme le reste du fichier. "
                "Corrigez-le, ou enregistrez à nouveau en CSV UTF-8."
            ),
            line=line,
        )
    return Encoding(WINDOWS, is_guessed=True)


def _count_utf8(file: IO[bytes]) -> tuple[int, int, int]:
    """How many letters beyond ASCII are UTF-8, how many bytes are not, the line of the first."""
    decode = codecs.getincrementaldecoder(UTF8)("surrogateescape").decode
    file.seek(0)
    good = bad = 0
    line, first = 1, 0
    while True:
        piece = file.read(PIECE)
        text = decode(piece, final=not piece)
        if not text.isascii():
            for character in text:
                if character == "\n":
                    line += 1
                elif "\udc80" <= character <= "\udcff":
                    bad += 1
                    first = first or line
                elif character > "\x7f":
                    good += 1
        else:
            line += text.count("\n")
        if not piece:
            return good, bad, first


class _Lines:
    """The lines of a text for the csv module, which would read one without end."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._ahead: str | None = None
        self._in_row = 0
        self.number = 0

    def first(self) -> str:
        """The header's line, to look at; it is read again."""
        line = self._read()
        if line.lower().startswith(SEPARATOR_LINE) and len(line.strip()) <= 5:
            self.number += 1
            line = self._read()
        self._ahead = line
        return line

    def next_row(self) -> None:
        self._in_row = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line, self._ahead = self._ahead if self._ahead is not None else self._read(), None
        if not line:
            raise StopIteration
        self.number += 1
        self._in_row += len(line)
        if self._in_row > LONGEST_ROW:
            raise Refused(TOO_LONG, line=self.number)
        return line

    def _read(self) -> str:
        try:
            return self._text.readline(LONGEST_ROW + 1)
        except UnicodeError:
            raise Refused(
                marked("Ligne %(line)s : le texte est abîmé. Enregistrez à nouveau en CSV UTF-8."),
                line=self.number + 1,
            ) from None


TOO_LONG = marked(
    "Ligne %(line)s : la ligne est trop longue. "
    "Un guillemet ouvert avant n’est sans doute pas fermé."
)


TOO_LARGE = marked("Une case de cette ligne est beaucoup trop longue.")
BAD_QUOTES = marked("Les guillemets de cette ligne ne vont pas ensemble.")


def _rows(reader: Iterator[list[str]], lines: _Lines, width: int) -> Iterator[Row]:
    """Rows of cells; a row that is not well formed has a fault, and the next one is read."""
    count = 0
    while True:
        lines.next_row()
        line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                raise Refused(
                    marked("Ligne %(line)s : un guillemet s’ouvre et ne se ferme jamais."),
                    line=line,
                ) from None
            yield Row(line, [], TOO_LARGE if "larger than" in str(error) else BAD_QUOTES)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        count += 1
        if count > MOST_ROWS:
            raise Refused(marked("Le fichier a plus de %(most)s lignes."), most=MOST_ROWS)
        if any(cell.strip() for cell in cells[width:]):
            yield Row(line, cells, marked("Cette ligne a plus de cases que la première."))
        else:
            yield Row(line, cells[:width] + [""] * (width - len(cells)))


def _latin1(error: UnicodeError) -> tuple[str, int]:
    """Of Windows-1252 only: other encodings are strict."""
    if isinstance(error, UnicodeDecodeError) and error.encoding in {"charmap", WINDOWS}:
        piece = error.object[error.start : error.end]
        return "".join(_UNDEFINED.get(byte, "\x00") for byte in piece), error.end
    raise error


codecs.register_error("filieres_latin1", _latin1)
csv.field_size_limit(LONGEST_CELL)
