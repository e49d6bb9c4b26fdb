"""What a filière says of itself in three languages, and what defines it: written and edited.

Animators write its texts. For whom it is (openness, territory, trades or sectors) is a decision of
the coordinators, as members joined on its terms; and of its proposer, while nobody supports it.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import asyncpg
import msgspec
from msgspec import UNSET, UnsetType

from directory import db, errors
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.errors import FieldError
from directory.filieres import registry
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import Kind, Openness
from directory.languages import marked
from directory.members import drafts, vocabulary

NAME_LENGTH = 100
PURPOSE_LENGTH = 600
MOST_WORDS = 100
"""Trades or sectors of one filière."""

TEXTS = ("name_fr", "name_nl", "name_en", "purpose_fr", "purpose_nl", "purpose_en")
TERMS = ("openness", "territory", "trades", "sectors")
LABELS = {
    "name_fr": marked("Nom en français"),
    "name_nl": marked("Nom en néerlandais"),
    "name_en": marked("Nom en anglais"),
    "purpose_fr": marked("But en français"),
    "purpose_nl": marked("But en néerlandais"),
    "purpose_en": marked("But en anglais"),
    "openness": marked("Ouverture"),
}
TOO_OLD = marked("La filière a changé entre-temps. Relisez-la, puis recommencez.")

FrenchName = Annotated[str, msgspec.Meta(description="1 to 100 characters, on one line.")]
Name = Annotated[str, msgspec.Meta(description="As the French one; empty: French is shown.")]
FrenchPurpose = Annotated[str, msgspec.Meta(description="1 to 600 characters.")]
Purpose = Annotated[str, msgspec.Meta(description="As the French one; empty: French is shown.")]
Codes = Annotated[list[str], msgspec.Meta(description="Codes of the vocabulary; 100 at most.")]


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """All that is edited of a filière, in every language. A missing text is empty."""

    slug: str
    kind: Kind
    stage: Stage
    version: int
    name_fr: str
    name_nl: str
    name_en: str
    purpose_fr: str
    purpose_nl: str
    purpose_en: str
    openness: Openness
    territory: str | None
    trades: list[str]
    sectors: list[str]


class DefinitionDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; what is not given stays.

    version is the one that was read; If-Match may say it instead. territory is a slug, trades and
    sectors are codes: trades for the kind `trade`, sectors for the other.
    """

    version: int | UnsetType = UNSET
    name_fr: FrenchName | UnsetType = UNSET
    name_nl: Name | UnsetType = UNSET
    name_en: Name | UnsetType = UNSET
    purpose_fr: FrenchPurpose | UnsetType = UNSET
    purpose_nl: Purpose | UnsetType = UNSET
    purpose_en: Purpose | UnsetType = UNSET
    openness: Openness | UnsetType = UNSET
    territory: str | UnsetType | None = UNSET
    trades: Codes | UnsetType = UNSET
    sectors: Codes | UnsetType = UNSET


class StaleFiliere(errors.Conflict):
    """The filière is not as it was read."""

    kind = "stale-filiere"

    def __init__(self) -> None:
        super().__init__(TOO_OLD)


class FiliereClosed(errors.Conflict):
    """What a closed filière was stays as it was."""

    kind = "filiere-closed"

    def __init__(self) -> None:
        super().__init__(marked("Cette filière est fermée. Sa page reste telle quelle."))


class Faults:
    """Gathers what is wrong, so that a form shows it all at once."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    @contextmanager
    def gathered(self) -> Iterator[None]:
        try:
            yield
        except errors.Malformed as problem:
            self.found.extend(problem.fields)

    def raise_any(self) -> None:
        """:raises errors.Malformed: naming every field that is wrong."""
        if self.found:
            first = self.found[0]
            raise errors.Malformed(first.message, tuple(self.found), **first.params)


class Checked(msgspec.Struct, frozen=True):
    """Columns of the row, and the ids of trades or sectors that are to be its only ones."""

    columns: dict[str, object]
    words: dict[str, list[int]]


async def checked(draft: DefinitionDraft, kind: Kind, faults: Faults) -> Checked:
    """What a draft asks for, where it holds; the rest is in `faults`."""
    columns: dict[str, object] = {}
    for field in TEXTS:
        typed = getattr(draft, field)
        if typed is not UNSET:
            with faults.gathered():
                columns[field] = _text(field, typed)
    if draft.openness is not UNSET:
        columns["openness"] = draft.openness.value
    if draft.territory is not UNSET:
        with faults.gathered():
            given = [draft.territory] if draft.territory else []
            ids = await vocabulary.ids("territory", given, "territory")
            columns["territory_id"] = ids[0] if ids else None
    words: dict[str, list[int]] = {}
    for field in ("trades", "sectors"):
        codes = getattr(draft, field)
        if codes is not UNSET:
            with faults.gathered():
                words |= await _words(field, codes, kind)
    return Checked(columns, words)


def _text(field: str, typed: str) -> str | None:
    """:raises errors.Malformed: for what cannot be kept, and for no French."""
    is_name = field.startswith("name")
    cleaned = drafts.one_line(typed) if is_name else drafts.paragraphs(typed)
    cleaned = drafts.checked(field, cleaned, NAME_LENGTH if is_name else PURPOSE_LENGTH)
    has_words = any(character.isalpha() for character in cleaned)
    if field == "name_fr" and not has_words:
        raise errors.Malformed.field(
            field, marked("Écrivez un nom en français, par exemple Métiers du bois.")
        )
    if field == "purpose_fr" and not has_words:
        raise errors.Malformed.field(
            field, marked("Écrivez en français à quoi sert la filière, en une ou deux phrases.")
        )
    return cleaned or None


async def _words(field: str, codes: list[str], kind: Kind) -> dict[str, list[int]]:
    wanted = "trades" if kind is Kind.TRADE else "sectors"
    if field != wanted:
        if codes:
            raise errors.Malformed.field(
                field,
                marked("Une filière métier se définit par des métiers. Laissez les secteurs vides.")
                if kind is Kind.TRADE
                else marked(
                    "Une filière secteur se définit par des secteurs. Laissez les métiers vides."
                ),
            )
        return {}
    if not codes:
        raise errors.Malformed.field(
            field,
            marked("Choisissez au moins un métier.")
            if kind is Kind.TRADE
            else marked("Choisissez au moins un secteur."),
        )
    if len(codes) > MOST_WORDS:
        raise errors.Malformed.field(
            field, marked("Gardez-en %(most)s au plus. Vous en avez choisi %(count)s."),
            most=MOST_WORDS, count=len(codes),
        )  # fmt: skip
    name = "trade" if kind is Kind.TRADE else "sector"
    found = await vocabulary.ids("trade" if kind is Kind.TRADE else "sector", codes, field)
    return {name: list(dict.fromkeys(found))}


async def get(slug: str) -> Definition:
    """:raises errors.NotFound: when no filière has this address."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            """
            SELECT f.slug, f.kind::text AS kind, f.stage::text AS stage, f.version, f.name_fr,
                coalesce(f.name_nl, '') AS name_nl, coalesce(f.name_en, '') AS name_en,
                f.purpose_fr, coalesce(f.purpose_nl, '') AS purpose_nl,
                coalesce(f.purpose_en, '') AS purpose_en, f.openness::text AS openness,
                (SELECT t.slug FROM territory t WHERE t.id = f.territory_id) AS territory,
                ARRAY(SELECT t.code FROM filiere_trade ft JOIN trade t ON t.id = ft.trade_id
                    WHERE ft.filiere_id = f.id ORDER BY t.label_fr, t.code) AS trades,
                ARRAY(SELECT s.code FROM filiere_sector fs JOIN sector s ON s.id = fs.sector_id
                    WHERE fs.filiere_id = f.id ORDER BY s.code) AS sectors
            FROM filiere f WHERE f.slug = $1
            """,
            slug.replace("\0", ""),
        )
    if row is None:
        raise registry.unknown()
    return msgspec.convert(dict(row), Definition)


async def editable(actor: Actor, slug: str) -> frozenset[str]:
    """The fields that this actor may edit today; none of a closed filière."""
    async with db.connection() as reader:
        row = await reader.fetchrow(f"{_ROW} WHERE f.slug = $1", slug.replace("\0", ""))
    if row is None:
        raise registry.unknown()
    return frozenset() if row["stage"] == Stage.CLOSED.value else _rights(actor, row)


_ROW = """
    SELECT f.id, f.kind::text AS kind, f.stage::text AS stage, f.version, f.territory_id,
        f.openness::text AS openness, f.name_fr, f.name_nl, f.name_en, f.purpose_fr,
        f.purpose_nl, f.purpose_en, p.proposed_by
    FROM filiere f LEFT JOIN filiere_proposal p ON p.filiere_id = f.id
"""


def _rights(actor: Actor, row: asyncpg.Record) -> frozenset[str]:
    is_own = actor.member_id is not None and actor.member_id == row["proposed_by"]
    may_shape = is_own and row["stage"] == Stage.PROPOSED.value
    if actor.may(Permission.RUN_FILIERES) or (may_shape and actor.may(Permission.PROPOSE_FILIERE)):
        return frozenset(TEXTS + TERMS)
    if actor.may(Permission.TEND_FILIERE, filiere_scope(row["id"])):
        return frozenset(TEXTS)
    return frozenset()


def require_any(actor: Actor, rights: frozenset[str], filiere_id: int) -> None:
    """:raises errors.SignInNeeded: for a visitor. :raises errors.Forbidden: without a right."""
    if not rights:
        actor.require(Permission.TEND_FILIERE, filiere_scope(filiere_id))


async def edit(
    actor: Actor, slug: str, draft: DefinitionDraft, versions: Collection[int] | None = None
) -> None:
    """Change parts of a filière: all of them or none.

    :raises errors.Malformed: naming every field that is wrong. :raises FiliereClosed: for a closed
        one. :raises StaleFiliere: for an old version in the draft. :raises errors.Outdated: for
        another version than one of `versions`.
    """
    async with db.transaction() as opened:
        row = await opened.fetchrow(
            f"{_ROW} WHERE f.slug = $1 FOR UPDATE OF f", slug.replace("\0", "")
        )
        if row is None:
            raise registry.unknown()
        rights = _rights(actor, row)
        require_any(actor, rights, row["id"])
        if row["stage"] == Stage.CLOSED.value:
            raise FiliereClosed
        if versions is not None and row["version"] not in versions:
            raise errors.Outdated(TOO_OLD)
        if draft.version not in {UNSET, row["version"]}:
            raise StaleFiliere
        given = {name for name in TEXTS + TERMS if getattr(draft, name) is not UNSET}
        if not given <= rights:
            raise errors.Forbidden(
                marked("L’ouverture, le territoire et les métiers se changent à la coordination.")
            )
        faults = Faults()
        wanted = await checked(draft, Kind(row["kind"]), faults)
        faults.raise_any()
        changed = await _keep(opened, row, wanted)
        if changed:
            subject = filiere_scope(row["id"])
            await audit.record(actor, "filiere.changed", subject=subject, fields=changed)


async def _keep(opened: asyncpg.Connection, row: asyncpg.Record, wanted: Checked) -> set[str]:
    """The names of what has changed; nothing is written when nothing has."""
    columns = {name: value for name, value in wanted.columns.items() if row[name] != value}
    changed = {name.removesuffix("_id") for name in columns}
    for word, ids in wanted.words.items():
        if await replace_words(opened, row["id"], word, ids):
            changed.add(f"{word}s")
    if changed:
        await write(opened, row["id"], columns)
    return changed


_CASTS: Mapping[str, str] = {"openness": "::filiere_openness"}


async def write(opened: asyncpg.Connection, filiere_id: int, columns: Mapping[str, object]) -> None:
    """Write the columns, and count the version on."""
    places = [f"{name} = ${n}{_CASTS.get(name, '')}" for n, name in enumerate(columns, start=2)]
    await opened.execute(
        f"UPDATE filiere SET {', '.join([*places, 'version = version + 1'])}, "  # noqa: S608 - own names
        "updated_at = now() WHERE id = $1",
        filiere_id,
        *columns.values(),
    )


async def replace_words(
    opened: asyncpg.Connection, filiere_id: int, word: str, ids: Collection[int]
) -> bool:
    """Make these the trades, or the sectors, of a filière. False: they are."""
    table, column = f"filiere_{word}", f"{word}_id"
    rows = await opened.fetch(
        f"SELECT {column} AS id FROM {table} WHERE filiere_id = $1",  # noqa: S608 - own names
        filiere_id,
    )
    if {row["id"] for row in rows} == set(ids):
        return False
    await opened.execute(
        f"DELETE FROM {table} WHERE filiere_id = $1",  # noqa: S608 - own names
        filiere_id,
    )
    await opened.execute(
        f"INSERT INTO {table} (filiere_id, {column}) SELECT $1, unnest($2::bigint[])",
        filiere_id, list(ids),
    )  # fmt: skip
    return True
