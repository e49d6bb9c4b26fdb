"""The proof of every consent: one row for each act, and today's state derived from the rows.

Every write locks the member first, so that the rows of one person are in the order of their acts.
"""

import enum
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from directory import db, errors
from directory.http.listing import Listing
from directory.languages import marked
from directory.subscriptions.topics import Rhythm, Topic

ZONE = ZoneInfo("Europe/Brussels")


class Act(enum.Enum):
    GIVEN = "given"
    CHANGED = "changed"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    IMPORTED = "imported"


class Screen(enum.Enum):
    """Where an act was done."""

    FILIERE = "filiere"
    REQUEST = "request"
    """Ticked while asking to join; it counts from the day the answer let them in."""
    PREFERENCES = "preferences"
    MAIL = "mail"
    ONE_CLICK = "one_click"
    API = "api"
    RETURN = "return"
    KEEP = "keep"
    IMPORT = "import"
    CLOSING = "closing"
    DEPARTURE = "departure"
    EXPIRY = "expiry"
    ERASURE = "erasure"


SCREEN_WORDS = {
    Screen.FILIERE.value: marked("depuis la page de la filière"),
    Screen.REQUEST.value: marked("avec votre demande d’entrée, à son acceptation"),
    Screen.PREFERENCES.value: marked("depuis la page de vos mails"),
    Screen.MAIL.value: marked("depuis un mail"),
    Screen.ONE_CLICK.value: marked("depuis le bouton de votre messagerie"),
    Screen.API.value: marked("depuis un autre programme"),
    Screen.RETURN.value: marked("depuis un mail que vous avez demandé pour revenir"),
    Screen.KEEP.value: marked("depuis le mail qui annonçait leur fin"),
    Screen.IMPORT.value: marked("repris d’un fichier de la coopérative"),
    Screen.CLOSING.value: marked("à la fermeture de la filière"),
    Screen.DEPARTURE.value: marked("au départ de la coopérative"),
    Screen.EXPIRY.value: marked("après une longue absence"),
    Screen.ERASURE.value: marked("à l’effacement du compte"),
}


class Trace(msgspec.Struct, frozen=True):
    """How an act came to us. `network` is truncated, `actor_id` the account that acted.

    `language` is that of the page or the mail; None where nobody read any. What is given takes it
    from the words that were shown, where it is not said.
    """

    screen: Screen
    network: str = ""
    actor_id: int | None = None
    language: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """What is to be written. Without a rhythm, nothing is received any more.

    What was agreed to is a wording of ours or, where it was agreed to elsewhere, evidence.
    """

    filiere_id: int
    topic: Topic
    act: Act
    rhythm: Rhythm | None = None
    wording_id: int | None = None
    evidence_id: int | None = None


class LedgerWording(msgspec.Struct, frozen=True):
    """The words agreed to. `hash` is the SHA-256 of the text, in hexadecimal."""

    language: str
    version: int
    text: str
    hash: str


class LedgerEvidence(msgspec.Struct, frozen=True):
    """A consent that was given elsewhere. `hash` is the SHA-256 of the text, in hexadecimal."""

    given_on: date
    source: str
    text: str
    hash: str


class LedgerRow(msgspec.Struct, frozen=True):
    """One act, as its member reads it. `filiere` is the slug, None when it was erased."""

    id: int
    at: datetime
    act: Act
    filiere: str | None
    filiere_name: str | None
    topic: Topic
    rhythm: Rhythm | None
    screen: str
    network: str
    actor_id: int | None
    language: str | None
    wording: LedgerWording | None
    evidence: LedgerEvidence | None

    @property
    def on(self) -> date:
        return self.at.astimezone(ZONE).date()

    @property
    def screen_words(self) -> str:
        return SCREEN_WORDS.get(self.screen, "")


class Difference(msgspec.Struct, frozen=True):
    """Where today's state is not what the ledger says. None: no consent."""

    member_id: int
    filiere_id: int
    topic: Topic
    ledger: str | None
    projection: str | None


async def lock(opened: asyncpg.Connection, member_id: int) -> bool:
    """Let one act at a time change this member's choices. False: the member is erased."""
    found = await opened.fetchval(
        "SELECT true FROM member WHERE id = $1 FOR NO KEY UPDATE", member_id
    )
    return bool(found)


async def append(member_id: int, entries: Sequence[Entry], trace: Trace) -> list[int]:
    """Write acts of a member who is locked, and today's state with them. The rows' ids."""
    opened = db.current()
    ids: list[int] = []
    for entry in entries:
        rhythm = entry.rhythm.value if entry.rhythm else None
        ledger_id = await opened.fetchval(
            """
            INSERT INTO consent_ledger
                (member_id, filiere_id, topic, rhythm, act, actor_id, screen, wording_id, network,
                    language, evidence_id, at)
            VALUES ($1, $2, $3::topic, $4::rhythm, $5::consent_act, $6, $7, $8, $9,
                coalesce($10, (SELECT language FROM consent_wording WHERE id = $8)), $11,
                clock_timestamp())
            RETURNING id
            """,
            member_id, entry.filiere_id, entry.topic.value, rhythm, entry.act.value,
            trace.actor_id, trace.screen.value, entry.wording_id, trace.network,
            trace.language, entry.evidence_id,
        )  # fmt: skip
        if rhythm is None:
            await opened.execute(
                "DELETE FROM consent "
                "WHERE member_id = $1 AND filiere_id = $2 AND topic = $3::topic",
                member_id, entry.filiere_id, entry.topic.value,
            )  # fmt: skip
        else:
            await opened.execute(
                """
                INSERT INTO consent (member_id, filiere_id, topic, rhythm, ledger_id)
                VALUES ($1, $2, $3::topic, $4::rhythm, $5)
                ON CONFLICT (member_id, filiere_id, topic)
                DO UPDATE SET rhythm = excluded.rhythm, ledger_id = excluded.ledger_id
                """,
                member_id, entry.filiere_id, entry.topic.value, rhythm, ledger_id,
            )  # fmt: skip
        ids.append(ledger_id)
    return ids


async def list_history(
    member_id: int,
    language: str,
    *,
    page: int = 1,
    limit: int = 20,
    filiere_ids: Sequence[int] | None = None,
) -> Listing[LedgerRow]:
    """What a member said, the newest first; in these filières only, if any are named."""
    ids = None if filiere_ids is None else list(filiere_ids)
    async with db.connection() as reader:
        total: int = await reader.fetchval(
            "SELECT count(*) FROM consent_ledger "
            "WHERE member_id = $1 AND ($2::bigint[] IS NULL OR filiere_id = ANY($2))",
            member_id, ids,
        )  # fmt: skip
        rows = await reader.fetch(
            f"""
            {ROWS} WHERE l.member_id = $2 AND ($3::bigint[] IS NULL OR l.filiere_id = ANY($3))
            ORDER BY l.id DESC LIMIT $4 OFFSET $5
            """,
            language, member_id, ids, limit, (page - 1) * limit,
        )  # fmt: skip
    return Listing(items=[read(row) for row in rows], total=total, page=page, limit=limit)


async def get(row_id: int, language: str) -> LedgerRow:
    """One act by its number. :raises errors.NotFound:"""
    async with db.connection() as reader:
        row = await reader.fetchrow(f"{ROWS} WHERE l.id = $2", language, row_id)
    if row is None:
        raise errors.NotFound
    return read(row)


# The columns of a LedgerRow; $1 is the reader's language.
ROWS = """
    SELECT l.id, l.at, l.act::text AS act, f.slug AS filiere, coalesce(CASE $1::text
            WHEN 'nl' THEN f.name_nl WHEN 'en' THEN f.name_en END, f.name_fr
        ) AS filiere_name,
        l.topic::text AS topic, l.rhythm::text AS rhythm, l.screen, l.network, l.actor_id,
        l.language, CASE WHEN w.id IS NOT NULL THEN jsonb_build_object(
            'language', w.language, 'version', w.version, 'text', w.text,
            'hash', encode(w.hash, 'hex')) END::text AS wording,
        CASE WHEN e.id IS NOT NULL THEN jsonb_build_object(
            'given_on', e.given_on, 'source', e.source, 'text', e.wording,
            'hash', encode(e.hash, 'hex')) END::text AS evidence
    FROM consent_ledger l LEFT JOIN filiere f ON f.id = l.filiere_id
    LEFT JOIN consent_wording w ON w.id = l.wording_id
    LEFT JOIN consent_evidence e ON e.id = l.evidence_id
"""


def read(row: asyncpg.Record) -> LedgerRow:
    parts = {
        name: msgspec.json.decode(row[name]) if row[name] else None
        for name in ("wording", "evidence")
    }
    return msgspec.convert({**row, **parts}, LedgerRow)


# The last act for each person, filière and topic, of those who are still there.
_LAST = """
    SELECT DISTINCT ON (l.member_id, l.filiere_id, l.topic)
        l.member_id, l.filiere_id, l.topic, l.rhythm, l.id AS ledger_id
    FROM consent_ledger l JOIN member m ON m.id = l.member_id JOIN filiere f ON f.id = l.filiere_id
    ORDER BY l.member_id, l.filiere_id, l.topic, l.id DESC
"""


async def verify() -> list[Difference]:
    """Compare today's state with the one that the ledger gives. Nothing is changed."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"""
            WITH said AS (SELECT * FROM ({_LAST}) AS last WHERE rhythm IS NOT NULL)
            SELECT coalesce(s.member_id, c.member_id) AS member_id,
                coalesce(s.filiere_id, c.filiere_id) AS filiere_id,
                coalesce(s.topic, c.topic)::text AS topic,
                s.rhythm || ' ' || s.ledger_id AS ledger,
                c.rhythm || ' ' || c.ledger_id AS projection
            FROM said s FULL JOIN consent c ON c.member_id = s.member_id
                AND c.filiere_id = s.filiere_id AND c.topic = s.topic
            WHERE (s.rhythm, s.ledger_id) IS DISTINCT FROM (c.rhythm, c.ledger_id)
            ORDER BY 1, 2, 3
            """  # noqa: S608 - no value in it
        )
    return [msgspec.convert(dict(row), Difference) for row in rows]


async def rebuild() -> None:
    """Make today's state again from the ledger alone."""
    async with db.transaction() as opened:
        await opened.execute("LOCK TABLE consent_ledger, consent IN SHARE ROW EXCLUSIVE MODE")
        await opened.execute("DELETE FROM consent")
        await opened.execute(
            f"""
            INSERT INTO consent (member_id, filiere_id, topic, rhythm, ledger_id)
            SELECT * FROM ({_LAST}) AS last WHERE rhythm IS NOT NULL
            """  # noqa: S608 - no value in it
        )
