"""Mailings as their authors and the other animators of their filières read them."""

import enum
from collections.abc import Collection
from datetime import datetime

import asyncpg
import msgspec

from directory import db, errors
from directory.accounts.actor import Actor, Permission, Role, filiere_scope
from directory.filieres import registry
from directory.filieres.registry import FiliereRef
from directory.http.listing import Listing
from directory.languages import marked
from directory.subscriptions.topics import Topic

BIGGEST_ID = 2**63 - 1


class State(enum.Enum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    CANCELLED = "cancelled"

    @property
    def label(self) -> str:
        return _STATES[self]


_STATES = {
    State.DRAFT: marked("brouillon"),
    State.SCHEDULED: marked("programmé"),
    State.SENDING: marked("envoi en cours"),
    State.SENT: marked("envoyé"),
    State.CANCELLED: marked("annulé"),
}


class Skipped(msgspec.Struct, frozen=True):
    """People of the audience who were not written to in the end, for one reason."""

    reason: str
    count: int


class Deliveries(msgspec.Struct, frozen=True, kw_only=True):
    """The audience by what became of each mail: the figures add up to `audience_size`."""

    waiting: int = 0
    sent: int = 0
    deferred: int = 0
    failed: int = 0
    in_doubt: int = 0
    skipped: list[Skipped] = []

    @property
    def skipped_count(self) -> int:
        return sum(entry.count for entry in self.skipped)


class MailingCard(msgspec.Struct, frozen=True, kw_only=True):
    """A mailing in a list. `is_mine`: the reader wrote it.

    `digest_readers` are those to whom it went in a digest so far; they are in no other figure.
    """

    id: int
    state: State
    topic: Topic
    subject: str
    author: str
    is_mine: bool
    filieres: list[FiliereRef]
    audience_size: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deliveries: Deliveries
    digest_readers: int


class MailingView(MailingCard, frozen=True, kw_only=True):
    language: str
    body: str


# $1 is the reader's member id, $2 the filières that they may write to.
_VISIBLE = """
    FROM mailing g LEFT JOIN member m ON m.id = g.author_id
    WHERE (g.author_id = $1 OR g.state <> 'draft' AND EXISTS (
        SELECT FROM mailing_filiere f WHERE f.mailing_id = g.id AND f.filiere_id = ANY($2)))
"""
_COLUMNS = """
    SELECT g.id, g.state::text AS state, g.topic::text AS topic, g.subject, g.language, g.body,
        coalesce(m.display_name, '') AS author, g.author_id IS NOT DISTINCT FROM $1 AS is_mine,
        g.audience_size, g.created_at, g.started_at, g.finished_at
"""


async def list_mailings(
    actor: Actor, language: str, *, state: State | None = None, page: int, limit: int
) -> Listing[MailingCard]:
    """The actor's own, and what others sent to the filières that the actor runs. Newest first.

    :raises errors.Forbidden: for those who run no filière.
    """
    member_id, filiere_ids = await _reach(actor, language)
    wanted = state.value if state else None
    async with db.connection() as reader:
        total = await reader.fetchval(
            f"SELECT count(*) {_VISIBLE} AND ($3::text IS NULL OR g.state::text = $3)",
            member_id, filiere_ids, wanted,
        )  # fmt: skip
        rows = await reader.fetch(
            f"{_COLUMNS} {_VISIBLE} AND ($3::text IS NULL OR g.state::text = $3) "
            "ORDER BY coalesce(g.started_at, g.created_at) DESC, g.id DESC LIMIT $4 OFFSET $5",
            member_id, filiere_ids, wanted, limit, (page - 1) * limit,
        )  # fmt: skip
        items = [
            msgspec.convert(values, MailingCard) for values in await _whole(reader, rows, language)
        ]
    return Listing(items=items, total=total, page=page, limit=limit)


async def get_mailing(actor: Actor, mailing_id: int, language: str) -> MailingView:
    """:raises errors.NotFound: for one that the actor may not see, too."""
    member_id, filiere_ids = await _reach(actor, language)
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_COLUMNS} {_VISIBLE} AND g.id = $3", member_id, filiere_ids, _key(mailing_id)
        )
        if not rows:
            raise unknown()
        (values,) = await _whole(reader, rows, language)
    return msgspec.convert(values, MailingView)


async def lock_own(opened: asyncpg.Connection, actor: Actor, mailing_id: int) -> State:
    """Hold a mailing of the actor's own until the transaction ends.

    :raises errors.NotFound: for a draft of somebody else, as for none.
    :raises errors.Forbidden: when the actor may not write to each of its filières.
    """
    member_id = require_animator(actor)  # also for a mailing whose filières are gone
    row = await opened.fetchrow(
        "SELECT state::text AS state FROM mailing WHERE id = $1 AND author_id = $2 FOR UPDATE",
        _key(mailing_id), member_id,
    )  # fmt: skip
    if row is None:
        raise unknown()
    filieres = await opened.fetch(
        "SELECT filiere_id FROM mailing_filiere WHERE mailing_id = $1", mailing_id
    )
    require_all(actor, [entry["filiere_id"] for entry in filieres])
    return State(row["state"])


def require_all(actor: Actor, filiere_ids: Collection[int]) -> None:
    """:raises errors.Forbidden: unless the actor may write to each of these filières."""
    for filiere_id in filiere_ids:
        actor.require(Permission.WRITE_TO_FILIERE, filiere_scope(filiere_id))


def require_animator(actor: Actor) -> int:
    """The member id of somebody who runs a filière.

    :raises errors.SignInNeeded: or errors.Forbidden, for all others.
    """
    scopes = actor.scopes(Role.ANIMATOR)
    actor.require(Permission.WRITE_TO_FILIERE, min(scopes, default=""))
    return actor.require_member()


def unknown() -> errors.NotFound:
    return errors.NotFound(marked("Ce mail n’existe pas, ou n’est pas à vous."))


async def _reach(actor: Actor, language: str) -> tuple[int, list[int]]:
    member_id = require_animator(actor)
    return member_id, [filiere.id for filiere in await registry.animated_by(actor, language)]


def _key(mailing_id: int) -> int:
    if not 0 < mailing_id <= BIGGEST_ID:
        raise unknown()
    return mailing_id


async def _whole(
    reader: asyncpg.Connection, rows: list[asyncpg.Record], language: str
) -> list[dict[str, object]]:
    """The rows with their filières and the figures of their deliveries."""
    ids = [row["id"] for row in rows]
    links = await reader.fetch(
        "SELECT mailing_id, filiere_id FROM mailing_filiere WHERE mailing_id = ANY($1) "
        "ORDER BY filiere_id",
        ids,
    )
    counts = await reader.fetch(
        "SELECT mailing_id, state::text AS state, reason, count(*) AS count FROM delivery "
        "WHERE mailing_id = ANY($1) GROUP BY mailing_id, state, reason ORDER BY reason",
        ids,
    )
    read = await reader.fetch(
        "SELECT e.mailing_id, count(*) AS count FROM digest_entry e "
        "JOIN digest_delivery d USING (member_id, rhythm, day) "
        "WHERE e.mailing_id = ANY($1) AND d.state = 'sent' GROUP BY e.mailing_id",
        ids,
    )
    readers = {entry["mailing_id"]: entry["count"] for entry in read}
    names = await registry.refs({link["filiere_id"] for link in links}, language)
    return [
        {
            **row,
            "filieres": [names[e["filiere_id"]] for e in links if e["mailing_id"] == row["id"]],
            "digest_readers": readers.get(row["id"], 0),
            "deliveries": _deliveries([e for e in counts if e["mailing_id"] == row["id"]]),
        }
        for row in rows
    ]


def _deliveries(counts: list[asyncpg.Record]) -> Deliveries:
    figures = dict.fromkeys(("waiting", "sent", "deferred", "failed", "in_doubt"), 0)
    skipped = []
    for entry in counts:
        if entry["state"] == "skipped":
            skipped.append(Skipped(entry["reason"], entry["count"]))
        else:
            name = entry["state"] if entry["state"] in figures else "waiting"
            figures[name] += entry["count"]
    return Deliveries(**figures, skipped=skipped)
