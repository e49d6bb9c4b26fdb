"""What a member said of their mails, to be taken along: the whole ledger of one person."""

import enum
from collections.abc import AsyncIterator

import msgspec

from directory import db, languages
from directory.accounts.actor import Actor, Permission
from directory.languages import marked
from directory.members.imports import sheets
from directory.subscriptions import ledger
from directory.subscriptions.ledger import Act, LedgerRow

A_PIECE = 500
BOM = b"\xef\xbb\xbf"  # spreadsheets take a CSV without it for Windows-1252

ACTS = {
    Act.GIVEN: marked("oui"),
    Act.CHANGED: marked("rythme changé"),
    Act.CONFIRMED: marked("gardé"),
    Act.WITHDRAWN: marked("non"),
    Act.EXPIRED: marked("échu"),
    Act.IMPORTED: marked("accord repris d’ailleurs"),
}
TITLES = (
    marked("Numéro"), marked("Date"), marked("Acte"), marked("Filière"), marked("Sujet"),
    marked("Rythme"), marked("Où"), marked("Langue"), marked("Réseau"),
    marked("Texte accepté"), marked("Version"), marked("SHA-256"), marked("Donné le"),
    marked("Origine"),
)  # fmt: skip


class Format(enum.StrEnum):
    CSV = "csv"
    JSON = "json"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.JSON: "application/json",
}


async def export(actor: Actor, form: Format, language: str) -> AsyncIterator[bytes]:
    """One's own ledger, oldest first, piece by piece.

    :raises errors.SignInNeeded: or Forbidden, before anything is written.
    """
    actor.require(Permission.JOIN_FILIERE)
    return _write(actor.require_member(), form, language)


async def _write(member_id: int, form: Format, language: str) -> AsyncIterator[bytes]:
    if form is Format.CSV:
        yield BOM + sheets.line([languages.translate(language, title) for title in TITLES])
        async for rows in _pieces(member_id, language):
            yield b"".join(sheets.line(_cells(row, language)) for row in rows)
        return
    mark = b"["
    async for rows in _pieces(member_id, language):
        for row in rows:
            yield mark + b"\n" + msgspec.json.encode(row)
            mark = b","
    yield (b"[" if mark == b"[" else b"") + b"\n]\n"


async def _pieces(member_id: int, language: str) -> AsyncIterator[list[LedgerRow]]:
    last = 0
    while True:
        async with db.connection() as reader:
            found = await reader.fetch(
                f"{ledger.ROWS} WHERE l.member_id = $2 AND l.id > $3 ORDER BY l.id LIMIT $4",
                language, member_id, last, A_PIECE,
            )  # fmt: skip
        if not found:
            return
        rows = [ledger.read(row) for row in found]
        last = rows[-1].id
        yield rows


def _cells(row: LedgerRow, language: str) -> list[str]:
    def say(text: str) -> str:
        return languages.translate(language, text)

    wording, evidence = row.wording, row.evidence
    return [
        str(row.id), row.at.isoformat(timespec="seconds"), say(ACTS[row.act]),
        row.filiere_name or "", say(row.topic.label), say(row.rhythm.label) if row.rhythm else "",
        say(row.screen_words), row.language or "", row.network,
        wording.text if wording else evidence.text if evidence else "",
        f"{wording.language} {wording.version}" if wording else "",
        wording.hash if wording else evidence.hash if evidence else "",
        evidence.given_on.isoformat() if evidence else "", evidence.source if evidence else "",
    ]  # fmt: skip
