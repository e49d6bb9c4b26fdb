"""Accounts and profiles into their tables."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from random import Random

from directory.demo.people import Person
from directory.demo.rows import Codes, Ids, Writer
from directory.filieres.turnover import Band

DECLARED = 0.66
# How likely each band of turnover is, by the stage of an activity.
BANDS: Mapping[str, tuple[float, ...]] = {
    "starting": (0.7, 0.25, 0.05, 0, 0),
    "developing": (0.25, 0.45, 0.24, 0.05, 0.01),
    "established": (0.08, 0.3, 0.4, 0.17, 0.05),
}

MEMBER = (
    "id", "account_id", "number", "display_name", "given_name", "family_name", "headline",
    "biography", "place_id", "territory_id", "availability", "available_until", "stage", "phone",
    "audiences", "joined_on", "left_on", "confirmed_at", "created_at", "updated_at",
)  # fmt: skip


async def write(writer: Writer, chunk: Sequence[Person], codes: Codes) -> Mapping[int, Ids]:
    """The ids by position."""
    accounts = await writer.reserve("account", len(chunk))
    members = await writer.reserve("member", len(chunk))
    ids = {
        person.position: Ids(account, member)
        for person, account, member in zip(chunk, accounts, members, strict=True)
    }
    await _write_accounts(writer, chunk, ids)
    await writer.copy(
        "member", MEMBER, (_member(person, ids[person.position], codes) for person in chunk)
    )
    await _write_lists(writer, chunk, ids, codes)
    await writer.copy(
        "member_declaration", ("member_id", "turnover_band"),
        (
            (ids[person.position].member, band)
            for person in chunk
            if (band := _declared(person)) is not None
        ),
    )  # fmt: skip
    return ids


def _declared(person: Person) -> str | None:
    """What two of three told the cooperative; by the stage of their activity."""
    chance = Random(f"turnover:{person.position}")  # noqa: S311 - the same for the same person
    if chance.random() > DECLARED:
        return None
    likely = BANDS[person.stage or "developing"]
    return chance.choices([band.value for band in Band], likely)[0]


async def _write_accounts(writer: Writer, chunk: Sequence[Person], ids: Mapping[int, Ids]) -> None:
    """Not by COPY: citext has no binary form."""
    rows = [
        (
            ids[person.position].account, person.email,
            noon(person.joined_on) if person.has_confirmed_address else None, person.language,
            noon(person.joined_on), noon(person.left_on) if person.left_on else None,
        )
        for person in chunk
    ]  # fmt: skip
    await writer.connection.execute(
        "INSERT INTO account (id, email, email_confirmed_at, language, created_at, disabled_at)"
        " SELECT * FROM unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::text[],"
        " $5::timestamptz[], $6::timestamptz[])",
        *zip(*rows, strict=True),
    )
    writer.count("account", len(rows))


def _member(person: Person, ids: Ids, codes: Codes) -> tuple[object, ...]:
    changed_at = person.confirmed_at or noon(person.joined_on)
    return (
        ids.member, ids.account, f"{person.position + 1:06}", person.display_name,
        person.given_name, person.family_name, person.headline, person.biography,
        codes.places[person.place], codes.territories.get(person.office), person.availability,
        person.available_until, person.stage, person.phone, json.dumps(dict(person.audiences)),
        person.joined_on, person.left_on, person.confirmed_at, noon(person.joined_on), changed_at,
    )  # fmt: skip


async def _write_lists(
    writer: Writer, chunk: Sequence[Person], ids: Mapping[int, Ids], codes: Codes
) -> None:
    people = [(ids[person.position].member, person) for person in chunk]
    await writer.copy(
        "member_trade", ("member_id", "trade_id", "position"),
        ((m, codes.trades[code], n) for m, p in people for n, code in enumerate(p.trades)),
    )  # fmt: skip
    await writer.copy(
        "member_sector", ("member_id", "sector_id"),
        ((m, codes.sectors[code]) for m, p in people for code in p.sectors),
    )  # fmt: skip
    await writer.copy(
        "member_skill", ("member_id", "kind", "position", "label"),
        (
            (m, kind, n, label)
            for m, p in people
            for kind, labels in (("offered", p.offered), ("wanted", p.wanted))
            for n, label in enumerate(labels)
        ),
    )  # fmt: skip
    await writer.copy(
        "member_language", ("member_id", "language", "level"),
        ((m, language, level) for m, p in people for language, level in p.languages),
    )  # fmt: skip
    await writer.copy(
        "member_link", ("member_id", "position", "kind", "url"),
        ((m, n, kind, url) for m, p in people for n, (kind, url) in enumerate(p.links)),
    )  # fmt: skip


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)
