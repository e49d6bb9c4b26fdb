"""Care for the trades: new ones, their labels, one merged into another, and that undone.

A merged trade keeps its row and its code, which leads to the one that stands for it. Members keep
the trade in its place among theirs, and are found by both names.
"""

from datetime import datetime, timedelta
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission
from directory.languages import marked
from directory.members import documents, drafts, vocabulary
from directory.members.audiences import Field

LONGEST = 120
UNDO = timedelta(days=30)
MOST_TRADES = drafts.MOST[Field.TRADES]
OTHERS = ("X0000", marked("Autres métiers"))
Label = Annotated[str, msgspec.Meta(description="1 to 120 characters.")]


class TradeDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """label_fr is inclusive ('Luthier·ère'). like: a trade whose family the new one joins."""

    label_fr: Label
    label_masculine: Label
    label_feminine: Label
    label_nl: Label
    label_en: Label
    like: str | None = None


class TradeView(msgspec.Struct, frozen=True, kw_only=True):
    """code is that which stands for the one that was asked, if it was merged."""

    code: str
    label_fr: str
    label_masculine: str
    label_feminine: str
    label_nl: str
    label_en: str
    members: int


class MergePreview(msgspec.Struct, frozen=True, kw_only=True):
    """Who is concerned: members who have the trade, those of them who have both, and the filières
    that it defines."""

    source: TradeView
    target: TradeView
    members: int
    with_both: int
    filieres: list[str]


class MergeView(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    source: str
    target: str
    members: int
    merged_at: datetime
    can_be_undone: bool


_TRADE = """
    SELECT t.id, t.code, t.label_fr, t.label_masculine, t.label_feminine, t.label_nl, t.label_en,
        (SELECT count(*) FROM member_trade mt JOIN member m ON m.id = mt.member_id
         WHERE mt.trade_id = t.id AND m.left_on IS NULL) AS members
    FROM trade o JOIN trade t ON t.id = coalesce(o.merged_into, o.id) WHERE o.code = $1
"""


async def _trade(field: str, code: str) -> asyncpg.Record:
    """:raises errors.Malformed: naming the field, for a code that does not exist."""
    async with db.connection() as reader:
        row = None if "\0" in code else await reader.fetchrow(_TRADE, code)
    if row is None:
        code = code.replace("\0", "")[:40]
        raise errors.Malformed.field(field, vocabulary.UNKNOWN["trade"], code=code)
    return row


def _view(row: asyncpg.Record) -> TradeView:
    held = {name: "" if row[name] is None else row[name] for name in TradeView.__struct_fields__}
    return msgspec.convert(held, TradeView)


async def get(actor: Actor, code: str) -> TradeView:
    actor.require(Permission.KEEP_VOCABULARY)
    async with db.connection() as reader:
        row = None if "\0" in code else await reader.fetchrow(_TRADE, code)
    if row is None:
        raise errors.NotFound(marked("Ce métier n’existe pas."))
    return _view(row)


def checked(draft: TradeDraft) -> dict[str, str]:
    """:raises errors.Malformed: for a label without a letter, or too long."""
    labels = {}
    for name in ("label_fr", "label_masculine", "label_feminine", "label_nl", "label_en"):
        label = drafts.checked(name, " ".join(getattr(draft, name).split()), LONGEST)
        if not any(character.isalpha() for character in label):
            raise errors.Malformed.field(
                name, marked("Écrivez le nom du métier, par exemple luthière.")
            )
        labels[name] = label
    return labels


async def create(opened: asyncpg.Connection, actor: Actor, draft: TradeDraft) -> tuple[int, str]:
    """A trade of our own: its id and code. In the caller's transaction."""
    labels = checked(draft)
    if draft.like:
        like = await _trade("like", draft.like)
        group = await opened.fetchval("SELECT group_code FROM trade WHERE id = $1", like["id"])
    else:
        group = OTHERS[0]
        await opened.execute(
            "INSERT INTO trade_group (code, label) VALUES ($1, $2) ON CONFLICT DO NOTHING", *OTHERS
        )
    row = await opened.fetchrow(
        "INSERT INTO trade (code, group_code, label_fr, label_masculine, label_feminine, label_nl,"
        " label_en, is_kept) VALUES ('x-' || nextval('trade_number'), $1, $2, $3, $4, $5, $6, true)"
        " RETURNING id, code",
        group, *labels.values(),
    )  # fmt: skip
    assert row is not None  # noqa: S101 - for mypy: an insert returns its row
    await audit.record(actor, "trade.created", subject=f"trade:{row['code']}", fields=labels)
    await changed(opened)
    return row["id"], row["code"]


async def name(actor: Actor, code: str, draft: TradeDraft) -> TradeView:
    """Give a trade other labels. Newer reference data leaves them alone from now on."""
    actor.require(Permission.KEEP_VOCABULARY)
    labels = checked(draft)
    trade = await get(actor, code)
    async with db.transaction() as opened:
        trade_id = await opened.fetchval(
            "UPDATE trade SET label_fr = $2, label_masculine = $3, label_feminine = $4,"
            " label_nl = $5, label_en = $6, is_kept = true WHERE code = $1 RETURNING id",
            trade.code, *labels.values(),
        )  # fmt: skip
        fields = [name for name, label in labels.items() if label != getattr(trade, name)]
        await audit.record(actor, "trade.named", subject=f"trade:{trade.code}", fields=fields)
        await documents.refresh(opened, await _having(opened, trade_id))
        await changed(opened)
    vocabulary.look_again()
    return await get(actor, trade.code)


async def preview(actor: Actor, source: str, target: str) -> MergePreview:
    """:raises errors.Malformed: for a trade into itself, or one that does not exist."""
    actor.require(Permission.KEEP_VOCABULARY)
    one, other = await _pair(source, target)
    async with db.connection() as reader:
        both = await reader.fetchval(
            "SELECT count(*) FROM member_trade a JOIN member_trade b USING (member_id)"
            " JOIN member m ON m.id = a.member_id AND m.left_on IS NULL"
            " WHERE a.trade_id = $1 AND b.trade_id = $2",
            one["id"],
            other["id"],
        )
        rows = await reader.fetch(
            "SELECT f.name_fr FROM filiere_trade ft JOIN filiere f ON f.id = ft.filiere_id"
            " WHERE ft.trade_id = $1 ORDER BY f.name_fr",
            one["id"],
        )
    return MergePreview(
        source=_view(one), target=_view(other), members=one["members"], with_both=both,
        filieres=[row["name_fr"] for row in rows],
    )  # fmt: skip


async def _pair(source: str, target: str) -> tuple[asyncpg.Record, asyncpg.Record]:
    one, other = await _trade("code", source), await _trade("into", target)
    if one["id"] == other["id"]:
        raise errors.Malformed.field(
            "into", marked("C’est déjà ce métier. Choisissez-en un autre.")
        )
    return one, other


async def merge(actor: Actor, source: str, target: str) -> MergeView:
    """Let one trade stand for another, with its members, its filières and its names."""
    actor.require(Permission.KEEP_VOCABULARY)
    async with db.transaction() as opened:
        await opened.execute("LOCK TABLE trade_merge IN EXCLUSIVE MODE")
        one, other = await _pair(source, target)
        pair = (one["id"], other["id"])
        merge_id = await opened.fetchval(_NOTE, *pair)
        await opened.execute(_NOTE_MEMBERS, merge_id, *pair)
        for step in _MOVE:
            await opened.execute(step, *pair)
        members = await _of_merge(opened, merge_id)
        for member_id in members:
            await audit.record(
                actor, "trade.merged", member_id=member_id, subject=f"trade:{one['code']}",
                fields=["trades"],
            )  # fmt: skip
        await audit.record(actor, "trade.merged", subject=f"trade:{one['code']}")
        await documents.refresh(opened, await _having(opened, other["id"]))
        await changed(opened)
    vocabulary.look_again()
    (view,) = [each for each in await list_merges(actor) if each.id == merge_id]
    return view


_NOTE = """
    INSERT INTO trade_merge (from_id, into_id, filiere_ids, both_ids) SELECT $1, $2,
        ARRAY(SELECT filiere_id FROM filiere_trade WHERE trade_id = $1),
        ARRAY(SELECT a.filiere_id FROM filiere_trade a JOIN filiere_trade b USING (filiere_id)
              WHERE a.trade_id = $1 AND b.trade_id = $2)
    RETURNING id
"""
_NOTE_MEMBERS = """
    INSERT INTO trade_merge_member (merge_id, member_id, position, had_both)
    SELECT $1, a.member_id, a.position, b.member_id IS NOT NULL
    FROM member_trade a LEFT JOIN member_trade b ON b.member_id = a.member_id AND b.trade_id = $3
    WHERE a.trade_id = $2
"""
_NAMES = """
    SELECT 'fr' AS language, label_masculine AS label FROM trade WHERE id = $1
    UNION SELECT 'fr', label_feminine FROM trade WHERE id = $1
    UNION SELECT 'nl', label_nl FROM trade WHERE id = $1 AND label_nl IS NOT NULL
    UNION SELECT 'en', label_en FROM trade WHERE id = $1 AND label_en IS NOT NULL
"""
# $1 is merged into $2. Who has both keeps the better place of the two: it may be the main trade.
_MOVE = (
    (
        "UPDATE member_trade b SET position = least(a.position, b.position) FROM member_trade a"
        " WHERE a.member_id = b.member_id AND a.trade_id = $1 AND b.trade_id = $2"
    ),
    (
        "DELETE FROM member_trade a USING member_trade b"
        " WHERE a.member_id = b.member_id AND a.trade_id = $1 AND b.trade_id = $2"
    ),
    "UPDATE member_trade SET trade_id = $2 WHERE trade_id = $1",
    (
        "INSERT INTO filiere_trade (filiere_id, trade_id) SELECT filiere_id, $2 FROM filiere_trade"
        " WHERE trade_id = $1 ON CONFLICT DO NOTHING"
    ),
    "DELETE FROM filiere_trade WHERE trade_id = $1 AND $2::bigint IS NOT NULL",
    (
        "INSERT INTO trade_label (trade_id, language, label, source, is_exact)"  # noqa: S608 - own words
        f" SELECT $2, language, label, 'ours', true FROM ({_NAMES}) AS n ON CONFLICT DO NOTHING"
    ),
    "UPDATE trade SET merged_into = $2 WHERE id = $1 OR merged_into = $1",
)


async def list_merges(actor: Actor) -> list[MergeView]:
    """Those that stand, the newest first."""
    actor.require(Permission.KEEP_VOCABULARY)
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT g.id, s.label_fr AS source, t.label_fr AS target, g.merged_at,"
            " (SELECT count(*) FROM trade_merge_member m WHERE m.merge_id = g.id) AS members,"
            " g.merged_at > now() - $1::interval AS can_be_undone FROM trade_merge g"
            " JOIN trade s ON s.id = g.from_id JOIN trade t ON t.id = g.into_id"
            " WHERE g.undone_at IS NULL ORDER BY g.merged_at DESC, g.id DESC LIMIT 100",
            UNDO,
        )
    return [MergeView(**dict(row)) for row in rows]


async def undo(actor: Actor, merge_id: int) -> None:
    """Give the trade back to those who had it and still have the other. What they changed since
    stays as they want it.

    :raises errors.NotFound: for a merge that does not stand. :raises errors.Conflict: too late.
    """
    actor.require(Permission.KEEP_VOCABULARY)
    async with db.transaction() as opened:
        await opened.execute("LOCK TABLE trade_merge IN EXCLUSIVE MODE")
        row = await opened.fetchrow(
            "UPDATE trade_merge SET undone_at = now() WHERE id = $1 AND undone_at IS NULL"
            " RETURNING from_id, into_id, merged_at > now() - $2::interval AS is_in_time",
            merge_id if 0 < merge_id < 2**63 else 0,
            UNDO,
        )
        if row is None:
            raise errors.NotFound(marked("Cette réunion de métiers n’est plus là."))
        if not row["is_in_time"]:
            raise errors.Conflict(
                marked("Ces métiers sont réunis depuis plus de %(days)s jours."), days=UNDO.days
            )
        members = await _having(opened, row["into_id"])
        for step in _BACK:
            await opened.execute(step, merge_id)
        for member_id in await _of_merge(opened, merge_id):
            await audit.record(
                actor, "trade.unmerged", member_id=member_id, subject=f"merge:{merge_id}",
                fields=["trades"],
            )  # fmt: skip
        await audit.record(actor, "trade.unmerged", subject=f"merge:{merge_id}")
        await documents.refresh(opened, members)
        await changed(opened)
    vocabulary.look_again()


# Of the merge $1. Who had both gets the first back in a free place, if one is left.
_BACK = (
    """
    UPDATE member_trade mt SET trade_id = g.from_id
    FROM trade_merge g JOIN trade_merge_member m ON m.merge_id = g.id
    WHERE g.id = $1 AND NOT m.had_both AND mt.member_id = m.member_id AND mt.trade_id = g.into_id
    """,
    """
    INSERT INTO member_trade (member_id, trade_id, position)
    SELECT m.member_id, g.from_id, free.position
    FROM trade_merge g JOIN trade_merge_member m ON m.merge_id = g.id
    JOIN member_trade kept ON kept.member_id = m.member_id AND kept.trade_id = g.into_id
    CROSS JOIN LATERAL (
        SELECT p AS position FROM generate_series(0, 4) p WHERE NOT EXISTS (
            SELECT FROM member_trade o WHERE o.member_id = m.member_id AND o.position = p)
        ORDER BY p <> m.position, p LIMIT 1
    ) AS free
    WHERE g.id = $1 AND m.had_both
    ON CONFLICT (member_id, trade_id) DO NOTHING
    """,
    """
    DELETE FROM filiere_trade ft USING trade_merge g WHERE g.id = $1 AND ft.trade_id = g.into_id
        AND ft.filiere_id = ANY (g.filiere_ids) AND ft.filiere_id <> ALL (g.both_ids)
    """,
    """
    INSERT INTO filiere_trade (filiere_id, trade_id) SELECT f.id, g.from_id
    FROM trade_merge g JOIN filiere f ON f.id = ANY (g.filiere_ids) WHERE g.id = $1
    ON CONFLICT DO NOTHING
    """,
    """
    DELETE FROM trade_label l USING trade_merge g JOIN trade t ON t.id = g.from_id
    WHERE g.id = $1 AND l.trade_id = g.into_id AND l.source = 'ours'
        AND l.label IN (t.label_masculine, t.label_feminine, t.label_nl, t.label_en)
    """,
    "UPDATE trade t SET merged_into = NULL FROM trade_merge g WHERE g.id = $1 AND t.id = g.from_id",
    """
    UPDATE trade t SET merged_into = g.from_id FROM trade_merge g JOIN trade_merge older
        ON older.into_id = g.from_id AND older.undone_at IS NULL
    WHERE g.id = $1 AND t.id = older.from_id
    """,
)


async def give(opened: asyncpg.Connection, member_id: int, trade_id: int) -> bool:
    """A trade after those that a member has. False: they have as many as one may have."""
    held = await opened.fetch(
        "SELECT trade_id, position FROM member_trade WHERE member_id = $1", member_id
    )
    if any(row["trade_id"] == trade_id for row in held):
        return True
    if len(held) >= MOST_TRADES:
        return False
    free = min(set(range(MOST_TRADES)) - {row["position"] for row in held})
    await opened.execute(
        "INSERT INTO member_trade (member_id, trade_id, position) VALUES ($1, $2, $3)",
        member_id, trade_id, free,
    )  # fmt: skip
    await documents.refresh(opened, [member_id])
    return True


async def changed(opened: asyncpg.Connection) -> None:
    """Other processes read the words again within seconds."""
    await opened.execute(
        "INSERT INTO reference_version (part, hash) VALUES ('care', gen_random_uuid()::text)"
        " ON CONFLICT (part) DO UPDATE SET hash = excluded.hash, loaded_at = now()"
    )


async def _having(opened: asyncpg.Connection, trade_id: int) -> list[int]:
    rows = await opened.fetch("SELECT member_id FROM member_trade WHERE trade_id = $1", trade_id)
    return [row["member_id"] for row in rows]


async def _of_merge(opened: asyncpg.Connection, merge_id: int) -> list[int]:
    rows = await opened.fetch(
        "SELECT member_id FROM trade_merge_member WHERE merge_id = $1", merge_id
    )
    return [row["member_id"] for row in rows]
