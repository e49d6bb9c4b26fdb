"""How filières are linked: complementary, or one a part of the other. And whom they share."""

import enum
from collections.abc import Mapping

import asyncpg
import msgspec

from directory import db, errors
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.filieres import registry
from directory.filieres.figures import SMALLEST
from directory.filieres.registry import FiliereRef
from directory.languages import marked

LOCK = 25_001  # pg_advisory_xact_lock: two links at once could close a ring


class Relation(enum.Enum):
    """What one filière is to another."""

    COMPLEMENTARY = "complementary"
    PART_OF = "part_of"
    INCLUDES = "includes"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Relation.COMPLEMENTARY: marked("complète"),
    Relation.PART_OF: marked("fait partie de"),
    Relation.INCLUDES: marked("comprend"),
}


class FiliereLink(msgspec.Struct, frozen=True):
    """What the filière is to `other`: `part_of` says that `other` includes it."""

    relation: Relation
    other: FiliereRef


class LinkDraft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the filière is to the other one."""

    relation: Relation


class LinkRefused(errors.Conflict):
    """A filière would be a part of itself. The message says through which."""

    kind = "link-refused"


class Overlap(msgspec.Struct, frozen=True):
    """Two filières and the members who are in both. Shares are of the members of each, 0 to 1."""

    first: FiliereRef
    second: FiliereRef
    shared: int
    first_members: int
    second_members: int

    @property
    def first_share(self) -> float:
        return self.shared / self.first_members

    @property
    def second_share(self) -> float:
        return self.shared / self.second_members


async def list_links(slug: str, language: str) -> list[FiliereLink]:
    """Both ways: what includes it first, then its parts, then those that complement it."""
    filiere = await registry.get(slug, language)
    return await of(filiere.id, language)


async def of(filiere_id: int, language: str) -> list[FiliereLink]:
    async with db.connection() as reader:
        rows = await reader.fetch(
            """
            SELECT to_id AS other_id, CASE kind WHEN 'part_of' THEN 'part_of'
                ELSE 'complementary' END AS relation FROM filiere_link WHERE from_id = $1
            UNION ALL
            SELECT from_id, CASE kind WHEN 'part_of' THEN 'includes' ELSE 'complementary' END
            FROM filiere_link WHERE to_id = $1
            """,
            filiere_id,
        )
    named = await registry.refs([row["other_id"] for row in rows], language) if rows else {}
    found = [FiliereLink(Relation(row["relation"]), named[row["other_id"]]) for row in rows]
    order = [Relation.PART_OF, Relation.INCLUDES, Relation.COMPLEMENTARY]
    return sorted(found, key=lambda link: (order.index(link.relation), link.other.name.casefold()))


def may_link(actor: Actor, filiere_id: int) -> bool:
    """Who tends both links them; this says it of one."""
    return actor.may(Permission.TEND_FILIERE, filiere_scope(filiere_id))


async def put(
    actor: Actor, slug: str, other: str, relation: Relation, language: str
) -> list[FiliereLink]:
    """Link two filières, in place of the link that they have. For who tends both.

    :raises LinkRefused: when one would be a part of itself.
    :raises errors.Malformed: for a filière and itself.
    """
    ours, theirs = await _both(actor, slug, other, language)
    if ours.id == theirs.id:
        raise errors.Malformed.field("other", marked("Choisissez une autre filière."))
    async with db.transaction() as opened:
        await opened.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        before = await _kind(opened, ours.id, theirs.id)
        kind, from_id, to_id = _row(relation, ours.id, theirs.id)
        await _delete(opened, ours.id, theirs.id)
        if kind == "part_of":
            await _refuse_ring(opened, from_id, to_id, language)
        await opened.execute(
            "INSERT INTO filiere_link (from_id, to_id, kind, linked_by) "
            "VALUES ($1, $2, $3::filiere_link_kind, $4)",
            from_id, to_id, kind, actor.account_id,
        )  # fmt: skip
        if before != (kind, from_id, to_id):
            await _record(actor, "filiere.linked", ours, theirs)
        return await of(ours.id, language)


async def remove(actor: Actor, slug: str, other: str, language: str) -> None:
    """Whatever the link is. Where there is none, nothing changes."""
    ours, theirs = await _both(actor, slug, other, language)
    async with db.transaction() as opened:
        await opened.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        if await _delete(opened, ours.id, theirs.id):
            await _record(actor, "filiere.unlinked", ours, theirs)


async def require_linking(actor: Actor, slug: str, language: str) -> FiliereRef:
    """Who tends a filière may link it, to another one that they tend.

    :raises errors.NotFound: for no filière. :raises errors.Forbidden: for who does not tend it.
    """
    filiere = await registry.get(slug, language)
    actor.require(Permission.TEND_FILIERE, filiere_scope(filiere.id))
    return filiere


async def _both(
    actor: Actor, slug: str, other: str, language: str
) -> tuple[FiliereRef, FiliereRef]:
    ours = await require_linking(actor, slug, language)
    theirs = await registry.find(other, language)
    if theirs is None:
        raise errors.NotFound(marked("L’autre filière n’existe pas."))
    actor.require(Permission.TEND_FILIERE, filiere_scope(theirs.id))
    return ours, theirs


def _row(relation: Relation, ours: int, theirs: int) -> tuple[str, int, int]:
    if relation is Relation.PART_OF:
        return "part_of", ours, theirs
    if relation is Relation.INCLUDES:
        return "part_of", theirs, ours
    return "complementary", min(ours, theirs), max(ours, theirs)


async def _kind(opened: asyncpg.Connection, one: int, other: int) -> tuple[str, int, int] | None:
    row = await opened.fetchrow(
        "SELECT kind::text, from_id, to_id FROM filiere_link "
        "WHERE (from_id, to_id) IN (($1, $2), ($2, $1))",
        one, other,
    )  # fmt: skip
    return (row["kind"], row["from_id"], row["to_id"]) if row else None


async def _delete(opened: asyncpg.Connection, one: int, other: int) -> bool:
    deleted = await opened.fetchval(
        "DELETE FROM filiere_link WHERE (from_id, to_id) IN (($1, $2), ($2, $1)) RETURNING true",
        one, other,
    )  # fmt: skip
    return bool(deleted)


async def _refuse_ring(
    opened: asyncpg.Connection, part_id: int, whole_id: int, language: str
) -> None:
    is_ring = await opened.fetchval(
        """
        WITH RECURSIVE above AS (
            SELECT to_id FROM filiere_link WHERE from_id = $2 AND kind = 'part_of'
            UNION
            SELECT l.to_id FROM filiere_link l JOIN above a ON l.from_id = a.to_id
            WHERE l.kind = 'part_of'
        )
        SELECT EXISTS (SELECT FROM above WHERE to_id = $1)
        """,
        part_id, whole_id,
    )  # fmt: skip
    if is_ring:
        named = await registry.refs([part_id, whole_id], language)
        raise LinkRefused(
            marked("« %(whole)s » fait déjà partie de « %(part)s », directement ou par une autre."),
            whole=named[whole_id].name, part=named[part_id].name,
        )  # fmt: skip


async def _record(actor: Actor, action: str, ours: FiliereRef, theirs: FiliereRef) -> None:
    for one in (ours, theirs):
        await audit.record(actor, action, subject=filiere_scope(one.id))


async def list_overlaps(actor: Actor, language: str) -> list[Overlap]:
    """Pairs of filières by the members they share, the most first. For coordinators.

    A pair is told only when SMALLEST or more are in both, in the first alone and in the second
    alone: so that no figure, and no difference of two, speaks of a few people.
    """
    actor.require(Permission.RUN_FILIERES)
    async with db.connection() as reader:
        rows = await reader.fetch(
            """
            WITH active AS (
                SELECT DISTINCT m.filiere_id, m.member_id FROM membership m
                JOIN member p ON p.id = m.member_id AND p.left_on IS NULL WHERE m.left_at IS NULL
            ), sizes AS (SELECT filiere_id, count(*) AS members FROM active GROUP BY 1),
            pairs AS (
                SELECT a.filiere_id AS first_id, b.filiere_id AS second_id, count(*) AS shared
                FROM active a JOIN active b USING (member_id)
                WHERE a.filiere_id < b.filiere_id GROUP BY 1, 2
            )
            SELECT p.first_id, p.second_id, p.shared, f.members AS first_members,
                s.members AS second_members
            FROM pairs p JOIN sizes f ON f.filiere_id = p.first_id
            JOIN sizes s ON s.filiere_id = p.second_id
            WHERE p.shared >= $1 AND f.members - p.shared >= $1 AND s.members - p.shared >= $1
            ORDER BY p.shared DESC, p.first_id, p.second_id
            """,
            SMALLEST,
        )
    ids = {row[name] for row in rows for name in ("first_id", "second_id")}
    named: Mapping[int, FiliereRef] = await registry.refs(ids, language)
    return [
        Overlap(
            named[row["first_id"]], named[row["second_id"]], row["shared"], row["first_members"],
            row["second_members"],
        )
        for row in rows
    ]  # fmt: skip
