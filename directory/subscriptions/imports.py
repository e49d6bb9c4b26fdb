"""Consents that members gave elsewhere, with the cooperative's own proof, from a CSV.

A row never overrules a member: where they have ever said something here about that topic of that
filière, their word stands. It joins nobody to a filière, and no mail goes to an address that is
not confirmed. docs/import.md says what a file holds.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import asyncpg
import msgspec

from directory import db, errors, settings
from directory.accounts import audit
from directory.accounts.actor import OPERATOR
from directory.languages import marked
from directory.subscriptions import confirmations, ledger, pauses
from directory.subscriptions.ledger import Act, Entry, Screen, Trace
from directory.subscriptions.topics import Rhythm, Topic

COLUMNS = ("who", "filiere", "topic", "rhythm", "given_on", "source", "wording")
MOST_BYTES = 20_000_000
LONGEST = {"source": 500, "wording": 2000}


class Row(msgspec.Struct, frozen=True):
    """`fault` says why it is not taken; '' when it is. `who` is as it stands in the file."""

    line: int
    who: str
    filiere: str
    topic: Topic | None
    rhythm: Rhythm | None
    given_on: date | None
    source: str
    wording: str
    member_id: int = 0
    filiere_id: int = 0
    fault: str = ""


class Plan(msgspec.Struct, frozen=True):
    """`hash` is of the file and of what would become of each row: another file, or members who
    said something meanwhile, give another."""

    rows: list[Row]
    hash: str
    file_hash: bytes

    @property
    def counts(self) -> Counter[str]:
        return Counter(row.fault or "taken" for row in self.rows)


async def plan(content: bytes) -> Plan:
    """What a file would do, row by row. Nothing is changed.

    :raises errors.Malformed: for a file that is none of these.
    """
    async with db.connection() as reader:
        seen: set[tuple[int, int, Topic | None]] = set()
        rows: list[Row] = []
        for row in _read(content):
            judged = await _judge(reader, row)
            key = (judged.member_id, judged.filiere_id, judged.topic)
            if not judged.fault and key in seen:
                judged = msgspec.structs.replace(judged, fault="twice in the file")
            seen |= {key}
            rows.append(judged)
    file_hash = hashlib.sha256(content).digest()
    verdicts = "\n".join(f"{r.line} {r.member_id} {r.filiere_id} {r.fault}" for r in rows)
    made = hashlib.sha256(file_hash + verdicts.encode()).hexdigest()[:16]
    return Plan(rows, made, file_hash)


async def commit(content: bytes, hash_given: str, *, asks: bool) -> Plan:
    """Apply the plan of this hash, and no other: all of it or nothing.

    `asks`: write to those whose address is not confirmed, so that they confirm it.

    :raises errors.Conflict: when the plan is another one by now.
    """
    async with db.transaction() as opened:
        await opened.execute("SELECT pg_advisory_xact_lock(hashtext('consent_import'))")
        made = await plan(content)
        taken = [row for row in made.rows if not row.fault]
        for member_id in sorted({row.member_id for row in taken}):
            await ledger.lock(opened, member_id)
        made = await plan(content)  # once more, now that nobody in it can act
        if made.hash != hash_given:
            raise errors.Conflict(marked("Le plan a changé. Relisez-le avec --plan."))
        trace = Trace(Screen.IMPORT)
        for row in taken:
            await ledger.append(row.member_id, [await _entry(opened, row, made)], trace)
        for member_id in sorted({row.member_id for row in taken}) if asks else ():
            await confirmations.ask(member_id)
        await audit.record(OPERATOR, "consents.imported", subject=f"file:{made.file_hash.hex()}")
    return made


async def _entry(opened: asyncpg.Connection, row: Row, made: Plan) -> Entry:
    if row.topic is None or row.rhythm is None:
        raise ValueError("a row with a fault")
    evidence_id = await opened.fetchval(
        """
        WITH added AS (
            INSERT INTO consent_evidence (file_hash, given_on, source, wording, hash)
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING RETURNING id
        )
        SELECT id FROM added UNION ALL SELECT id FROM consent_evidence
        WHERE file_hash = $1 AND given_on = $2 AND source = $3 AND hash = $5 LIMIT 1
        """,
        made.file_hash, row.given_on, row.source, row.wording,
        hashlib.sha256(row.wording.encode()).digest(),
    )  # fmt: skip
    return Entry(row.filiere_id, row.topic, Act.IMPORTED, row.rhythm, evidence_id=evidence_id)


def _read(content: bytes) -> Iterator[Row]:
    if len(content) > MOST_BYTES:
        raise errors.Malformed(marked("Le fichier est trop gros."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise errors.Malformed(marked("Le fichier n’est pas en UTF-8.")) from error
    first = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text.replace("\0", " ")), delimiter=";" if ";" in first else ","
    )
    lacking = set(COLUMNS) - set(reader.fieldnames or ())
    if lacking:
        raise errors.Malformed(
            marked("Il manque des colonnes : %(names)s."), names=", ".join(sorted(lacking))
        )
    try:
        for values in reader:
            cells = {name: " ".join((values[name] or "").split()) for name in COLUMNS}
            yield _row(reader.line_num, cells)
    except csv.Error as error:
        raise errors.Malformed(marked("Le fichier n’est pas un CSV.")) from error


def _row(line: int, cells: dict[str, str]) -> Row:
    faults: list[str] = []
    topic = next((one for one in Topic if one.value == cells["topic"]), None)
    rhythm = next((one for one in Rhythm if one.value == cells["rhythm"]), None)
    try:
        given_on: date | None = date.fromisoformat(cells["given_on"])
    except ValueError:
        given_on = None
    for name, value in (("topic", topic), ("rhythm", rhythm), ("given_on", given_on)):
        if value is None:
            faults.append(f"{name}: not understood")
    for name, most in LONGEST.items():
        if not 0 < len(cells[name]) <= most:
            faults.append(f"{name}: needed, at most {most} characters")
    return Row(
        line, cells["who"], cells["filiere"], topic, rhythm, given_on, cells["source"],
        cells["wording"], fault=", ".join(faults) or _age(given_on),
    )  # fmt: skip


def _age(given_on: date | None) -> str:
    years, today = settings.current().consent_years, pauses.today()
    if given_on is None or given_on > today:
        return "given_on: not past"
    if years and given_on < today - timedelta(days=365.25 * years):
        return f"given_on: more than {years} years ago"
    return ""


async def _judge(reader: asyncpg.Connection, row: Row) -> Row:
    member = await reader.fetchrow(
        "SELECT m.id, m.left_on IS NOT NULL AS has_left FROM member m "
        "LEFT JOIN account a ON a.id = m.account_id WHERE m.number = $1 OR a.email = $1::citext "
        "ORDER BY m.number = $1 DESC NULLS LAST LIMIT 1",
        row.who,
    )
    filiere_id = await reader.fetchval("SELECT id FROM filiere WHERE slug = $1", row.filiere)
    found = msgspec.structs.replace(
        row, member_id=member["id"] if member else 0, filiere_id=filiere_id or 0
    )
    if row.fault:
        return found
    if member is None:
        return msgspec.structs.replace(found, fault="no member has this number or address")
    if filiere_id is None:
        return msgspec.structs.replace(found, fault="no such filière")
    if member["has_left"]:
        return msgspec.structs.replace(found, fault="has left the cooperative")
    return msgspec.structs.replace(found, fault=await _standing(reader, found))


async def _standing(reader: asyncpg.Connection, row: Row) -> str:
    (known,) = await reader.fetch(
        "SELECT EXISTS (SELECT FROM membership k WHERE k.member_id = $1 AND k.filiere_id = $2 "
        "AND k.left_at IS NULL) AS is_in, EXISTS (SELECT FROM consent_ledger l "
        "WHERE l.member_id = $1 AND l.filiere_id = $2 AND l.topic::text = $3) AS has_spoken",
        row.member_id, row.filiere_id, row.topic.value if row.topic else "",
    )  # fmt: skip
    if not known["is_in"]:
        return "is not in the filière"
    return "has chosen here themselves" if known["has_spoken"] else ""


def lines(made: Plan, most: int = 50) -> list[str]:
    """The plan in lines to print: the rows that are not taken, then how many of each."""
    refused = [row for row in made.rows if row.fault]
    shown = [f"line {row.line:<6} {row.who}  {row.fault}" for row in refused[:most]]
    if len(refused) > most:
        shown.append(f"… and {len(refused) - most} more")
    shown += [f"{count:>7} {what}" for what, count in sorted(made.counts.items())]
    return [*shown, f"hash {made.hash}"]
