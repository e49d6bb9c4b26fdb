"""The filières there are: by address, by number, as a list."""

import enum
from collections.abc import Collection, Iterable
from datetime import date, datetime

import msgspec

from directory import db, errors
from directory.accounts.actor import ALLOWED_BY_ROLE, Actor, Permission, Role
from directory.filieres import lifecycle, mandates
from directory.filieres.lifecycle import Stage, StageMove
from directory.filieres.mandates import Mandate
from directory.http.listing import Listing
from directory.languages import marked
from directory.members import audiences
from directory.members.audiences import Field, Level


class Kind(enum.Enum):
    TRADE = "trade"
    SECTOR = "sector"

    @property
    def label(self) -> str:
        return _KINDS[self][0]

    @property
    def plural(self) -> str:
        return _KINDS[self][1]


class Openness(enum.Enum):
    OPEN = "open"
    APPROVAL = "approval"
    INVITATION = "invitation"

    @property
    def label(self) -> str:
        return _OPENNESS[self]


_KINDS = {
    Kind.TRADE: (marked("Filière métier"), marked("Filières métier")),
    Kind.SECTOR: (marked("Filière secteur"), marked("Filières secteur")),
}
_OPENNESS = {
    Openness.OPEN: marked("ouverte"),
    Openness.APPROVAL: marked("sur accord"),
    Openness.INVITATION: marked("sur invitation"),
}


class Shown(enum.Enum):
    """A part of the list of filières."""

    OPEN = "open"
    PROPOSED = "proposed"
    DORMANT = "dormant"
    CLOSED = "closed"

    @property
    def stages(self) -> tuple[Stage, ...]:
        return _SHOWN[self]


_SHOWN = {
    Shown.OPEN: (Stage.FORMING, Stage.LAUNCHED, Stage.ACTIVE),
    Shown.PROPOSED: (Stage.PROPOSED, Stage.GATHERING),
    Shown.DORMANT: (Stage.DORMANT,),
    Shown.CLOSED: (Stage.CLOSED,),
}


class FiliereRef(msgspec.Struct, frozen=True, kw_only=True):
    """Enough to name a filière and to link to it."""

    id: int
    slug: str
    name: str
    kind: Kind
    stage: Stage


class FiliereCard(FiliereRef, frozen=True, kw_only=True):
    """A filière in a list. `next_event_at` is of an event that the reader may see.

    `member_count` has all members for those who run the filière. For others it has those who show
    them that they are in it; for visitors, those who show it to members. `support_count` is how
    many members support it, or supported it while it was a proposal.
    """

    purpose: str
    openness: Openness
    territory: str | None
    member_count: int
    support_count: int
    next_event_at: datetime | None

    @property
    def is_proposal(self) -> bool:
        return self.stage in Shown.PROPOSED.stages

    @property
    def next_event_on(self) -> date | None:
        return self.next_event_at.astimezone(lifecycle.ZONE).date() if self.next_event_at else None


class FiliereView(FiliereCard, frozen=True, kw_only=True):
    """A filière's page. `timeline` is oldest first; `version` is of what can be edited."""

    version: int
    trades: list[str]
    sectors: list[str]
    mandates: list[Mandate]
    timeline: list[StageMove]


# $1 is the reader's language. A text that is missing in it is shown in French.
_REF = """
    SELECT f.id, f.slug, f.kind::text AS kind, f.stage::text AS stage, coalesce(
        CASE $1::text WHEN 'nl' THEN f.name_nl WHEN 'en' THEN f.name_en END, f.name_fr) AS name
"""
# A visitor counts as a member of the cooperative does who is in no filière: a figure, no names.
_NEAR = f"""
    (CASE WHEN p.id = $3::bigint THEN {Level.SELF:d} WHEN p.id IN (
        SELECT theirs.member_id FROM membership mine
        JOIN membership theirs ON theirs.filiere_id = mine.filiere_id AND theirs.left_at IS NULL
        WHERE mine.member_id = $3::bigint AND mine.left_at IS NULL
    ) THEN {Level.FELLOW:d} ELSE {Level.MEMBER:d} END)
"""  # noqa: S608 - no value in it
# Looked for once, not once for each filière.
_UNSEEN = f"""
    SELECT p.id FROM member p
    WHERE NOT ({audiences.sql_visible(Field.DISPLAY_NAME, "p.audiences", _NEAR)}
        AND {audiences.sql_visible(Field.MEMBERSHIPS, "p.audiences", _NEAR)})
"""  # noqa: S608 - no value in it
# $2 says whether the reader is a member; $3 is their number, $4 whether they run every filière, or
# $5 which.
_CARD = f"""
    {_REF},
    coalesce(CASE $1::text WHEN 'nl' THEN f.purpose_nl WHEN 'en' THEN f.purpose_en END,
        f.purpose_fr) AS purpose,
    f.openness::text AS openness, f.version, t.name AS territory,
    (SELECT count(*) FROM filiere_support s JOIN member p ON p.id = s.member_id
     WHERE s.filiere_id = f.id AND s.stance = 'favourable' AND p.left_on IS NULL) AS support_count,
    (SELECT count(*) FROM membership m
     WHERE m.filiere_id = f.id AND m.left_at IS NULL
       AND m.member_id NOT IN (SELECT p.id FROM member p WHERE p.left_on IS NOT NULL)
       AND ($4::boolean OR f.id = ANY($5::bigint[]) OR m.member_id NOT IN ({_UNSEEN}))
    ) AS member_count,
    (SELECT min(e.starts_at) FROM event_filiere ef JOIN event e ON e.id = ef.event_id
     WHERE ef.filiere_id = f.id AND e.starts_at > now() AND e.cancelled_at IS NULL
       AND (e.audience = 'public' OR $2::boolean AND e.audience = 'members')) AS next_event_at
    FROM filiere f LEFT JOIN territory t ON t.id = f.territory_id
"""  # noqa: S608 - no value in it


def _reader(actor: Actor) -> tuple[bool, int | None, bool, list[int]]:
    """$2 to $5 of _CARD."""
    is_member = actor.may(Permission.READ_MEMBERS)
    roles = ALLOWED_BY_ROLE[Permission.TEND_FILIERE]
    scopes = [grant.scope for grant in actor.grants if grant.role in roles]
    own = [scope for scope in scopes if actor.may(Permission.TEND_FILIERE, scope)]
    return (
        is_member,
        audiences.own_id(actor) if is_member else None,
        actor.may(Permission.TEND_FILIERE),
        [int(scope.partition(":")[2]) for scope in own if scope],
    )


async def find(slug: str, language: str) -> FiliereRef | None:
    async with db.connection() as reader:
        row = await reader.fetchrow(
            f"{_REF} FROM filiere f WHERE f.slug = $2", language, slug.replace("\0", "")
        )
    return msgspec.convert(dict(row), FiliereRef) if row else None


async def get(slug: str, language: str) -> FiliereRef:
    """:raises errors.NotFound: when no filière has this address."""
    if (found := await find(slug, language)) is None:
        raise unknown()
    return found


def unknown() -> errors.NotFound:
    return errors.NotFound(marked("Cette filière n’existe pas."))


async def refs(ids: Iterable[int], language: str) -> dict[int, FiliereRef]:
    """By number. One that does not exist is left out."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_REF} FROM filiere f WHERE f.id = ANY($2::bigint[])", language, list(ids)
        )
    return {row["id"]: msgspec.convert(dict(row), FiliereRef) for row in rows}


async def names(slugs: Iterable[str], language: str) -> dict[str, str]:
    """By slug. One that does not exist is left out."""
    wanted = [slug.replace("\0", "") for slug in slugs]
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_REF} FROM filiere f WHERE f.slug = ANY($2::text[])", language, wanted
        )
    return {row["slug"]: row["name"] for row in rows}


async def animated_by(
    actor: Actor, language: str, *, roles: Collection[Role] = (Role.ANIMATOR,)
) -> list[FiliereRef]:
    """The filières that the actor runs in these roles, by name. A closed one is run by nobody."""
    scopes = {scope for role in roles for scope in actor.scopes(role)}
    ids = [int(scope.partition(":")[2]) for scope in scopes if scope.startswith("filiere:")]
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_REF} FROM filiere f WHERE (f.id = ANY($2::bigint[]) OR $3::boolean) "
            "AND f.stage <> 'closed' ORDER BY unaccent(lower(f.name_fr)), f.id",
            language, ids, "" in scopes,
        )  # fmt: skip
    return [msgspec.convert(dict(row), FiliereRef) for row in rows]


# Each word of $2 is in a name or a purpose; $1 is the kind, or null.
_MATCHES = r"""
    ($1::text IS NULL OR f.kind::text = $1) AND NOT EXISTS (
        SELECT FROM regexp_split_to_table(unaccent(lower($2)), '\s+') AS word
        WHERE strpos(unaccent(lower(concat_ws(' ', f.name_fr, f.name_nl, f.name_en,
            f.purpose_fr, f.purpose_nl, f.purpose_en))), word) = 0)
"""
_ORDER = """
    kind DESC, array_position(ARRAY['dormant', 'closed'], stage) NULLS FIRST,
    stage IN ('proposed', 'gathering'), unaccent(lower(name)), id
"""


async def list_filieres(
    actor: Actor,
    language: str,
    *,
    kind: Kind | None = None,
    q: str = "",
    stages: Collection[Stage] = (),
    page: int,
    limit: int,
) -> Listing[FiliereCard]:
    """By kind and name: the open ones, the proposed ones, those asleep, the closed ones."""
    matches = _MATCHES.replace("$2", "$7").replace("$1", "$6")
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"""
            WITH found AS (
                {_CARD} WHERE {matches}
                AND (cardinality($10::text[]) = 0 OR f.stage::text = ANY($10))
            )
            SELECT (SELECT count(*) FROM found) AS total, shown.*
            FROM (SELECT) AS always LEFT JOIN (
                SELECT * FROM found ORDER BY {_ORDER} LIMIT $8 OFFSET $9
            ) AS shown ON true
            ORDER BY {_ORDER}
            """,  # noqa: S608 - no value in it
            language, *_reader(actor), kind.value if kind else None,
            _words(q), limit, (page - 1) * limit, [stage.value for stage in stages],
        )  # fmt: skip
    cards = [msgspec.convert(dict(row), FiliereCard) for row in rows if row["id"] is not None]
    return Listing(items=cards, total=rows[0]["total"], page=page, limit=limit)


async def count_shown(*, kind: Kind | None = None, q: str = "") -> dict[Shown, int]:
    """How many there are in each part of the list."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"SELECT f.stage::text AS stage, count(*) AS count FROM filiere f "  # noqa: S608 - no value in it
            f"WHERE {_MATCHES} GROUP BY f.stage",
            kind.value if kind else None, _words(q),
        )  # fmt: skip
    counts = {Stage(row["stage"]): row["count"] for row in rows}
    return {one: sum(counts.get(stage, 0) for stage in one.stages) for one in Shown}


def _words(q: str) -> str:
    return q.replace("\0", " ").strip()


async def view(actor: Actor, slug: str, language: str) -> FiliereView:
    """What this reader may see of a filière.

    :raises errors.NotFound: when no filière has this address.
    """
    async with db.connection() as reader:
        row = await reader.fetchrow(
            f"{_CARD} WHERE f.slug = $6",
            language, *_reader(actor), slug.replace("\0", ""),
        )  # fmt: skip
        if row is None:
            raise unknown()
        words = await reader.fetch(
            """
            SELECT true AS is_trade, coalesce(CASE $2::text WHEN 'nl' THEN t.label_nl
                WHEN 'en' THEN t.label_en END, t.label_fr) AS label
            FROM filiere_trade ft JOIN trade t ON t.id = ft.trade_id WHERE ft.filiere_id = $1
            UNION ALL
            SELECT false, CASE $2::text WHEN 'nl' THEN s.label_nl WHEN 'en' THEN s.label_en
                ELSE s.label_fr END
            FROM filiere_sector fs JOIN sector s ON s.id = fs.sector_id WHERE fs.filiere_id = $1
            ORDER BY 1, 2
            """,
            row["id"], language,
        )  # fmt: skip
    return msgspec.convert(
        {
            **row,
            "trades": [word["label"] for word in words if word["is_trade"]],
            "sectors": [word["label"] for word in words if not word["is_trade"]],
            "mandates": await mandates.list_current(actor, row["id"]),
            "timeline": await lifecycle.list_moves(actor, row["id"], language),
        },
        FiliereView,
    )
