"""The search documents of members: the same loader for one of them and for all."""

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import asyncpg
import msgspec

from directory.members import audiences, parlance, views
from directory.members.audiences import Field, Level
from search import normaliser, outbox
from search.documents import Audience, Document, Index, Source

INDEX = Index(
    name="members",
    facets=("trade", "sector", "filiere", "region", "language", "availability"),
)
EDITION = 3  # of what is made of a member: raise it, and everybody is indexed again
MOST_AT_ONCE = 5
MOST_GROUPS = 30  # of some 1,600 ROME codes
LEVELS: Mapping[Audience, Level] = {"public": Level.VISITOR, "members": Level.MEMBER}

_MEMBERS = """
    SELECT m.id, m.display_name, m.headline, m.biography, m.audiences,
        m.availability, m.available_until,
        coalesce(m.confirmed_at, m.created_at) AS fresh_at,
        p.region_code, p.label_fr AS place_fr, p.label_nl AS place_nl, p.municipality,
        p.postal_code, p.latitude, p.longitude, t.name AS territory,
        ARRAY(SELECT trade_id FROM member_trade WHERE member_id = m.id ORDER BY position) AS trades,
        ARRAY(SELECT sector_id FROM member_sector WHERE member_id = m.id) AS sectors,
        ARRAY(SELECT label FROM member_skill WHERE member_id = m.id AND kind = 'offered'
            ORDER BY position) AS skills_offered,
        ARRAY(SELECT label FROM member_skill WHERE member_id = m.id AND kind = 'wanted'
            ORDER BY position) AS skills_wanted,
        ARRAY(SELECT language FROM member_language WHERE member_id = m.id) AS languages,
        ARRAY(SELECT f.slug FROM membership ms JOIN filiere f ON f.id = ms.filiere_id
            WHERE ms.member_id = m.id AND ms.left_at IS NULL) AS memberships
    FROM member m LEFT JOIN place p ON p.id = m.place_id
    LEFT JOIN territory t ON t.id = m.territory_id
    WHERE m.id = ANY($1) AND m.left_on IS NULL
"""
# A trade that no other nomenclature names takes the labels of the one it is a kind of, beside
# its own: "Photographe de mode" those of "Photographe".
_TRADES = """
    SELECT t.id, t.code, t.label_fr, t.label_masculine, t.label_feminine, t.group_code,
        ARRAY[t.label_nl, t.label_en, kind.label_nl, kind.label_en] AS abroad,
        g.label AS group_label,
        ARRAY(SELECT label FROM trade_label WHERE trade_id IN (t.id, kind.id) AND is_exact
            ORDER BY label) AS same,
        ARRAY(SELECT label FROM trade_label WHERE trade_id IN (t.id, kind.id)
            AND NOT is_exact ORDER BY label) AS near
    FROM trade t JOIN trade_group g ON g.code = t.group_code
    LEFT JOIN LATERAL (
        SELECT k.id, k.label_nl, k.label_en FROM trade k
        WHERE k.group_code = t.group_code
            AND starts_with(t.label_masculine, k.label_masculine || ' ')
            AND k.label_nl IS NOT NULL
            AND NOT EXISTS (SELECT FROM trade_label WHERE trade_id = t.id AND is_exact)
        ORDER BY length(k.label_masculine) DESC LIMIT 1
    ) AS kind ON true
    WHERE t.id = ANY($1)
"""
_GROUPS = """
    SELECT group_code, label_masculine, label_nl, label_en
    FROM trade WHERE group_code = ANY($1) ORDER BY id
"""
_SECTORS = """
    WITH RECURSIVE line AS (
        SELECT id AS leaf, code, parent_code, label_fr, label_nl, label_en
        FROM sector WHERE id = ANY($1)
        UNION ALL
        SELECT line.leaf, s.code, s.parent_code, s.label_fr, s.label_nl, s.label_en
        FROM line JOIN sector s ON s.code = line.parent_code
    )
    SELECT leaf, code, label_fr, label_nl, label_en FROM line
"""


class TradeWords(NamedTuple):
    """names are shown as the trade's own; also are its names in Dutch and English, and those of
    what it is a kind of.

    same are its synonyms in the three languages and daily speech. kin are its ROME code and the
    trades of that in Dutch and English, near single words of what resembles it.
    """

    code: str
    names: tuple[str, ...]
    also: tuple[str, ...]
    same: tuple[str, ...]
    kin: tuple[str, ...]
    near: tuple[str, ...]


class GroupWords(NamedTuple):
    """Of all the trades of a ROME code: their names in Dutch and English, their French words."""

    abroad: tuple[str, ...]
    words: tuple[str, ...]


class SectorWords(NamedTuple):
    """codes: the sector's and those of what it is part of."""

    codes: list[str]
    labels: tuple[str, ...]


class Shared(NamedTuple):
    trades: dict[int, TradeWords]
    sectors: dict[int, SectorWords]
    today: date


async def keys(connection: Any) -> list[int]:
    """Everybody who may be in the index."""
    rows = await connection.fetch("SELECT id FROM member WHERE left_on IS NULL ORDER BY id")
    return [row["id"] for row in rows]


async def documents(connection: Any, ids: Sequence[int] | None) -> list[Document]:
    """What each audience may find of these members; of all of them for None."""
    rows = await connection.fetch(_MEMBERS, await keys(connection) if ids is None else list(ids))
    shared = Shared(
        await _trades(connection, {trade for row in rows for trade in row["trades"]}),
        await _sectors(connection, {sector for row in rows for sector in row["sectors"]}),
        views.today(),
    )
    return [
        document
        for row in rows
        for audience in LEVELS
        if (document := _document(row, audience, shared)) is not None
    ]


async def _trades(connection: Any, ids: set[int]) -> dict[int, TradeWords]:
    rows = await connection.fetch(_TRADES, list(ids))
    groups = await _groups(connection, {row["group_code"] for row in rows})
    known = {}
    for row in rows:
        group = groups[row["group_code"]]
        names = (row["label_fr"], row["label_masculine"], row["label_feminine"])
        said = parlance.said(names)
        kin = (row["group_label"], row["group_code"], *group.abroad)
        near = (*_single(row["near"]).values(), *group.words)
        known[row["id"]] = TradeWords(
            row["code"],
            tuple(dict.fromkeys(names)),
            tuple(dict.fromkeys(name for name in row["abroad"] if name)),
            (*said, *row["same"]),
            tuple(dict.fromkeys(kin)),
            tuple(dict.fromkeys(near)),
        )
    return known


async def _groups(connection: Any, codes: set[str]) -> dict[str, GroupWords]:
    names, abroad = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for row in await connection.fetch(_GROUPS, list(codes)):
        names[row["group_code"]].append(row["label_masculine"])
        abroad[row["group_code"]] += (row["label_nl"] or "", row["label_en"] or "")
    common = await _common_words(connection)
    return {
        code: GroupWords(tuple(filter(None, dict.fromkeys(abroad[code]))), _telling(words, common))
        for code, words in names.items()
    }


class CommonWords(NamedTuple):
    """Keys of the words that names of trades begin with, and of those that say too little:
    a technician is in too many families to be a neighbour."""

    heads: frozenset[str]
    vague: frozenset[str]


def _telling(names: Sequence[str], common: CommonWords) -> tuple[str, ...]:
    """The words of the names of a code, but those that name some other trade, and the vague ones.

    A plumber is no electrician because somebody is "Électricien plombier". What more than one name
    of the code says is its own.
    """
    seen, telling = set[str](), dict[str, str]()
    for name in names:
        for number, (key, word) in enumerate(_single([name]).items()):
            is_own = number == 0 or key in seen or key not in common.heads
            if is_own and key not in common.vague:
                telling.setdefault(key, word)
            seen.add(key)
    return tuple(telling.values())


_common: list[CommonWords] = []


async def _common_words(connection: Any) -> CommonWords:
    """A process works them out once, and again after `forget_words`."""
    if not _common:
        heads, groups = set[str](), defaultdict[str, set[str]](set)
        for row in await connection.fetch("SELECT group_code, label_masculine FROM trade"):
            keys = list(_single([row["label_masculine"]]))
            heads.update(keys[:1])
            for key in keys:
                groups[key].add(row["group_code"])
        vague = (key for key, codes in groups.items() if len(codes) > MOST_GROUPS)
        _common.append(CommonWords(frozenset(heads), frozenset(vague)))
    return _common[0]


def _single(texts: Iterable[str]) -> dict[str, str]:
    """A spelling for each word that differs by more than gender and number."""
    return {word.key: word.spelling for text in texts for word in _words(text)}


@functools.lru_cache(maxsize=20_000)
def _words(label: str) -> tuple[normaliser.Word, ...]:
    """Members share their trades."""
    return tuple(normaliser.words(label))


async def _sectors(connection: Any, ids: set[int]) -> dict[int, SectorWords]:
    lines = defaultdict(list)
    for row in await connection.fetch(_SECTORS, list(ids)):
        lines[row["leaf"]].append(row)
    return {
        leaf: SectorWords(
            [row["code"] for row in line],
            tuple(line[0][label] for label in ("label_fr", "label_nl", "label_en")),
        )
        for leaf, line in lines.items()
    }


def _document(row: asyncpg.Record, audience: Audience, shared: Shared) -> Document | None:
    chosen: dict[str, object] = msgspec.json.decode(row["audiences"])
    visible = audiences.visible_to(LEVELS[audience], chosen)
    if Field.DISPLAY_NAME not in visible:
        return None
    trades = [shared.trades[trade] for trade in row["trades"] if Field.TRADES in visible]
    sectors = [shared.sectors[sector] for sector in row["sectors"] if Field.SECTORS in visible]
    has_place = Field.PLACE in visible and row["region_code"] is not None
    return Document(
        id=row["id"],
        audience=audience,
        title=(row["display_name"], *(name for trade in trades for name in trade.names)),
        summary=(
            *(name for trade in trades for name in trade.also),
            *((row["headline"],) if Field.HEADLINE in visible else ()),
            *(row["skills_offered"] if Field.SKILLS_OFFERED in visible else ()),
        ),
        vocabulary=tuple(name for trade in trades for name in trade.same),
        body=(*(label for sector in sectors for label in sector.labels), *_body(row, visible)),
        related=tuple(word for trade in trades for word in (*trade.kin, *trade.near)),
        facets=_facets(row, visible, trades, sectors, shared.today),
        latitude=row["latitude"] if has_place else None,
        longitude=row["longitude"] if has_place else None,
        fresh_on=row["fresh_at"].astimezone(views.ZONE).date(),
        sort_name=row["display_name"],
    )


def _body(row: asyncpg.Record, visible: frozenset[Field]) -> tuple[str, ...]:
    parts = {
        Field.PLACE: ("place_fr", "place_nl", "municipality", "postal_code"),
        Field.TERRITORY: ("territory",),
        Field.BIOGRAPHY: ("biography",),
    }
    texts = [row[name] for field, names in parts.items() if field in visible for name in names]
    wanted = row["skills_wanted"] if Field.SKILLS_WANTED in visible else ()
    return tuple(dict.fromkeys(text for text in (*texts, *wanted) if text))


def _facets(
    row: asyncpg.Record,
    visible: frozenset[Field],
    trades: Sequence[TradeWords],
    sectors: Sequence[SectorWords],
    today: date,
) -> dict[str, list[str]]:
    until = row["available_until"]
    is_over = until is not None and until < today
    held = {
        "trade": [trade.code for trade in trades],
        "sector": sorted({code for sector in sectors for code in sector.codes}),
        "filiere": row["memberships"] if Field.MEMBERSHIPS in visible else [],
        "region": [row["region_code"]] if Field.PLACE in visible else [],
        "language": row["languages"] if Field.LANGUAGES in visible else [],
        "availability": (
            [row["availability"]] if Field.AVAILABILITY in visible and not is_over else []
        ),
    }
    values = {name: [value for value in found if value] for name, found in held.items()}
    return {name: found for name, found in values.items() if found}


SOURCE = Source(keys=keys, documents=documents)


async def refresh(connection: Any, ids: Sequence[int]) -> None:
    """Say, in the transaction that changes them, that these members' documents have changed.

    A few are indexed at once: what somebody hides is found no more from the commit on, and what
    they write is in their own next search. The worker does the rest.
    """
    await outbox.mark(connection, INDEX, ids)
    if 0 < len(ids) <= MOST_AT_ONCE:
        await outbox.index_now(connection, INDEX, SOURCE, ids)


class TradeKeys(NamedTuple):
    """The keys of what a trade is called: by its own names in three languages and daily speech,
    and by what widens a search to it."""

    own: frozenset[str]
    wider: frozenset[str]


_known: dict[str, TradeKeys] = {}
MOST_KNOWN = 20_000


async def trade_keys(connection: Any, codes: Iterable[str]) -> dict[str, TradeKeys]:
    """By code. A process remembers them until `forget_words`."""
    wanted = set(codes)
    if missing := wanted - _known.keys():
        rows = await connection.fetch("SELECT id FROM trade WHERE code = ANY($1)", list(missing))
        if len(_known) > MOST_KNOWN:
            _known.clear()
        for trade in (await _trades(connection, {row["id"] for row in rows})).values():
            own = frozenset(_single((*trade.names, *trade.also, *trade.same)))
            wider = frozenset(_single((*trade.kin, *trade.near)))
            _known[trade.code] = TradeKeys(own, wider - own)
    return {code: _known[code] for code in wanted if code in _known}


def forget_words() -> None:
    """Trades have other names: what the process remembers of them is old."""
    _known.clear()
    _common.clear()
