"""What filières live on: method sheets, what was told, initiatives, links, into their tables."""

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from importlib import resources

import msgspec

from directory.demo import profiles
from directory.demo.rows import Writer
from directory.filieres import moments
from directory.filieres.method_texts import MethodTexts

# Who was there when a version came, and who came while it held, accepted it.
_ACCEPT = """
    INSERT INTO method_acceptance (filiere_id, member_id, version, through, accepted_at)
    SELECT k.filiere_id, k.member_id, s.version, CASE WHEN k.joined_at < s.at THEN 'page'
        ELSE 'joining' END::acceptance_way, greatest(k.joined_at, s.at + interval '3 days')
    FROM method_sheet s JOIN membership k ON k.filiere_id = s.filiere_id
    WHERE k.left_at IS NULL AND greatest(k.joined_at, s.at + interval '3 days') < now()
      AND NOT EXISTS (SELECT FROM method_sheet later WHERE later.filiere_id = s.filiere_id
        AND later.version > s.version AND later.at < k.joined_at)
      AND (s.version = 1 OR k.joined_at >= s.at OR k.member_id % 3 > 0)
"""
_CARRIER = """
    SELECT k.member_id FROM membership k JOIN filiere f ON f.id = k.filiere_id
    WHERE k.left_at IS NULL AND (f.slug = $1 OR $1 = '')
    ORDER BY md5($2 || k.member_id::text) LIMIT 1
"""


class Sheet(MethodTexts, frozen=True, kw_only=True):
    slug: str
    days: int
    change: str


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """item is a key of moments.ITEMS."""

    slug: str
    days: int
    item: str
    note: str


class Initiative(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str
    description: str
    seeking: str
    filiere: str
    days: int


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    target: str
    kind: str


class Life(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    method: list[Sheet]
    step: list[Step]
    initiative: list[Initiative]
    link: list[Link]


@cache
def known() -> Life:
    text = resources.files("directory.demo").joinpath("life.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Life)


async def write(
    writer: Writer, animators: Mapping[str, int], filiere_ids: Mapping[str, int], today: date
) -> None:
    """Once everybody is in their filières. animators: an account of each that has one."""
    await _write_sheets(writer, animators, filiere_ids, today)
    await _write_steps(writer, animators, filiere_ids, today)
    await _write_initiatives(writer, filiere_ids, today)
    await writer.copy(
        "filiere_link", ("from_id", "to_id", "kind"),
        (
            (*sorted((filiere_ids[link.source], filiere_ids[link.target])), link.kind)
            for link in known().link
        ),
    )  # fmt: skip


async def _write_sheets(
    writer: Writer, animators: Mapping[str, int], filiere_ids: Mapping[str, int], today: date
) -> None:
    versions: dict[str, int] = {}
    rows: list[tuple[object, ...]] = []
    for sheet in known().method:
        versions[sheet.slug] = version = versions.get(sheet.slug, 0) + 1
        french = {name: getattr(sheet, name) for name in MethodTexts.__struct_fields__}
        texts = msgspec.json.encode({"fr": french, "nl": {}, "en": {}}).decode()
        at = profiles.noon(today - timedelta(days=sheet.days))
        author = animators.get(sheet.slug)
        rows.append((filiere_ids[sheet.slug], version, texts, sheet.change, author, at))
    await writer.copy(
        "method_sheet", ("filiere_id", "version", "texts", "change", "author_id", "at"), rows
    )
    done = await writer.connection.execute(_ACCEPT)
    writer.count("method_acceptance", int(done.rpartition(" ")[2]))


async def _write_steps(
    writer: Writer, animators: Mapping[str, int], filiere_ids: Mapping[str, int], today: date
) -> None:
    items = {item.key: item for item in moments.ITEMS}
    rows = [
        (
            filiere_ids[step.slug], items[step.item].moment.value, step.item,
            items[step.item].audience.value, today - timedelta(days=step.days), step.note,
            animators.get(step.slug),
        )
        for step in known().step
    ]  # fmt: skip
    await writer.copy(
        "communication_step",
        ("filiere_id", "moment", "item", "audience", "done_on", "note", "changed_by"),
        rows,
    )


async def _write_initiatives(writer: Writer, filiere_ids: Mapping[str, int], today: date) -> None:
    rows = []
    for one in known().initiative:
        carrier = await writer.connection.fetchval(_CARRIER, one.filiere, one.title)
        if carrier is not None:
            at = profiles.noon(today - timedelta(days=one.days))
            filiere_id = filiere_ids.get(one.filiere)
            rows.append((carrier, filiere_id, one.title, one.description, one.seeking, at, at))
    await writer.copy(
        "initiative",
        ("member_id", "filiere_id", "title", "description", "seeking", "created_at", "updated_at"),
        rows,
    )
