"""Members go out: what the caller may see of everybody, as CSV, JSON lines or vCards."""

import enum
from collections.abc import AsyncIterator, Callable, Collection
from datetime import timedelta

import msgspec

from directory import db, limits
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission
from directory.limits import Limit
from directory.members import cards, profiles
from directory.members.imports import columns, escaping, sheets
from directory.members.imports.columns import Column
from directory.members.views import MemberView

A_PIECE = 200  # members
LIMIT = Limit("export", 20, timedelta(hours=1))
BOM = b"\xef\xbb\xbf"  # spreadsheets take a CSV without it for Windows-1252


class Format(enum.StrEnum):
    CSV = "csv"
    JSONL = "jsonl"
    VCF = "vcf"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.JSONL: "application/jsonl; charset=utf-8",
    Format.VCF: "text/vcard; charset=utf-8",
}


class Registered(msgspec.Struct, frozen=True):
    """What the cooperative's register says of a member: for who may import it."""

    number: str = ""
    joined_on: str = ""
    turnover_band: str = ""


NOT_TOLD = Registered()
Cell = Callable[[MemberView, Registered], str]
# The columns that an import reads back, then those that people read. An empty cell is one that
# the caller does not see, or that is empty: reading it back changes nothing either way.
CELLS: dict[str, Cell] = {
    Column.ID: lambda view, _: str(view.id),
    Column.NUMBER: lambda _, register: register.number,
    Column.DISPLAY_NAME: lambda view, _: view.display_name,
    Column.EMAIL: lambda view, _: view.email or "",
    Column.PHONE: lambda view, _: view.phone,
    Column.HEADLINE: lambda view, _: view.headline,
    Column.BIOGRAPHY: lambda view, _: view.biography,
    Column.TRADES: lambda view, _: escaping.joined([trade.code for trade in view.trades]),
    "trade_names": lambda view, _: escaping.joined([trade.label for trade in view.trades]),
    Column.SECTORS: lambda view, _: escaping.joined([sector.code for sector in view.sectors]),
    "sector_names": lambda view, _: escaping.joined([sector.label for sector in view.sectors]),
    Column.SKILLS_OFFERED: lambda view, _: escaping.joined(view.skills_offered),
    Column.SKILLS_WANTED: lambda view, _: escaping.joined(view.skills_wanted),
    Column.LANGUAGES: lambda view, _: escaping.joined(
        [f"{one.language}:{one.level}" for one in view.languages]
    ),
    Column.PLACE: lambda view, _: view.place.code if view.place else "",
    Column.TOWN: lambda view, _: view.place.label if view.place else "",
    "region": lambda view, _: view.place.region if view.place else "",
    Column.TERRITORY: lambda view, _: view.territory.slug if view.territory else "",
    "territory_name": lambda view, _: view.territory.name if view.territory else "",
    Column.STAGE: lambda view, _: view.stage or "",
    "availability": lambda view, _: view.availability or "",
    "available_until": lambda view, _: str(view.available_until or ""),
    Column.LINKS: lambda view, _: escaping.joined([link.url for link in view.links]),
    "filieres": lambda view, _: escaping.joined([one.name for one in view.filieres]),
    Column.TURNOVER: lambda _, register: register.turnover_band,
    Column.JOINED_ON: lambda _, register: register.joined_on,
    "confirmed_at": lambda view, _: view.confirmed_at.isoformat() if view.confirmed_at else "",
}


async def prepare(actor: Actor) -> None:
    """Let who may read members pass, so many times an hour, and note it.

    :raises errors.SignInNeeded: or Forbidden. :raises errors.TooMany:
    """
    actor.require(Permission.READ_MEMBERS)
    async with db.transaction():
        await limits.take(LIMIT, actor.account_id or 0)
        await audit.record(actor, "members.exported")


async def write(
    actor: Actor, form: Format, language: str, ids: Collection[int] | None = None
) -> AsyncIterator[bytes]:
    """The file, piece by piece; with ids, those of them whom the actor may see."""
    if form is Format.CSV:
        yield BOM + sheets.line([_title(name, language) for name in CELLS])
    async for views in _pieces(actor, language, ids):
        if form is Format.JSONL:
            yield b"".join(msgspec.json.encode(view) + b"\n" for view in views)
        elif form is Format.VCF:
            yield "".join(cards.card(view, language) for view in views).encode()
        else:
            register = await _register(actor, [view.id for view in views])
            yield b"".join(_line(view, register.get(view.id, NOT_TOLD)) for view in views)


def _line(view: MemberView, register: Registered) -> bytes:
    return sheets.line([cell(view, register) for cell in CELLS.values()])


def _title(name: str, language: str) -> str:
    """Columns for readers keep our names: an import knows by them that they are none of its own."""
    return columns.title(name, language)


async def _pieces(
    actor: Actor, language: str, ids: Collection[int] | None
) -> AsyncIterator[list[MemberView]]:
    piece: list[MemberView] = []
    async for view in profiles.stream(actor, language, ids=ids):
        piece.append(view)
        if len(piece) == A_PIECE:
            yield piece
            piece = []
    if piece:
        yield piece


async def _register(actor: Actor, ids: Collection[int]) -> dict[int, Registered]:
    """Nothing for who may not import it."""
    if not actor.may(Permission.IMPORT_MEMBERS):
        return {}
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT m.id, m.number, m.joined_on, d.turnover_band::text AS band FROM member m "
            "LEFT JOIN member_declaration d ON d.member_id = m.id WHERE m.id = ANY($1)",
            list(ids),
        )
    return {
        row["id"]: Registered(row["number"] or "", row["joined_on"].isoformat(), row["band"] or "")
        for row in rows
    }
