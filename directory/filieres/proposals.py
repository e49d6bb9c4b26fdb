"""Filières that members propose: with the need they see, and what they would do first."""

import itertools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, limits
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission, filiere_scope
from directory.errors import FieldError
from directory.filieres import definitions, evidence, lifecycle, likenesses, registry, signatures
from directory.filieres.definitions import (
    TERMS,
    TEXTS,
    Codes,
    DefinitionDraft,
    Faults,
    FrenchName,
    FrenchPurpose,
    Name,
    Purpose,
)
from directory.filieres.lifecycle import Stage, Voice
from directory.filieres.likenesses import Likeness
from directory.filieres.registry import Kind, Openness
from directory.filieres.signatures import Signature
from directory.languages import marked
from directory.limits import Limit
from directory.members import audiences, drafts

TEXT_LENGTH = 2000
MOST_OPEN = 3
DAILY = Limit("propose-filiere", 5, timedelta(days=1))
SLUG_LENGTH = 60
# Other pages and addresses of the API stand beside those of filières.
TAKEN = frozenset({"alike", "figures", "health", "new", "overlap", "propose"})
_LETTERS = str.maketrans({"’": "-", "œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l"})
Text = Annotated[str, msgspec.Meta(description="1 to 2,000 characters.")]


class ProposalDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody proposes. Trades define the kind `trade`, sectors the kind `sector`."""

    kind: Kind
    name_fr: FrenchName
    name_nl: Name = ""
    name_en: Name = ""
    purpose_fr: FrenchPurpose
    purpose_nl: Purpose = ""
    purpose_en: Purpose = ""
    openness: Openness = Openness.OPEN
    territory: Annotated[str | None, msgspec.Meta(description="A slug; null: everywhere.")] = None
    trades: Codes = []
    sectors: Codes = []
    need: Text
    intentions: Text
    wants_mails: Annotated[
        bool, msgspec.Meta(description="Tell me by mail what becomes of it.")
    ] = False
    despite: Annotated[
        list[str],
        msgspec.Meta(description="Slugs of filières that are alike, which were looked at."),
    ] = []


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """What was proposed. `proposed_by` is unsigned for who is gone or does not show their name."""

    need: str
    intentions: str
    proposed_at: datetime
    proposed_by: Signature

    @property
    def proposed_on(self) -> date:
        return self.proposed_at.astimezone(lifecycle.ZONE).date()


class LooksAlike(errors.Conflict):
    """There are such filières already, that the proposer did not say they looked at."""

    kind = "filiere-looks-alike"

    def __init__(self, found: Sequence[Likeness]) -> None:
        self.found = found
        super().__init__(
            marked(
                "Des filières ressemblent à celle-là : %(names)s. Soutenez-en une, ou confirmez."
            ),
            tuple(
                FieldError(
                    "despite", marked("« %(name)s » : %(slug)s"),
                    {"name": one.name, "slug": one.slug},
                )
                for one in found
            ),
            names=", ".join(one.name for one in found),
        )  # fmt: skip


class TooManyOpen(errors.Conflict):
    """A member has as many proposals that gather support as one may have."""

    kind = "proposals-full"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            marked(
                "Vous avez déjà %(most)s propositions en cours : %(names)s. "
                "Attendez que l’une avance, ou retirez-la."
            ),
            most=MOST_OPEN, names=", ".join(names),
        )  # fmt: skip


async def propose(actor: Actor, draft: ProposalDraft, language: str) -> str:
    """Open a page for a filière that does not exist yet. Its slug.

    :raises errors.Malformed: naming every field that is wrong. :raises LooksAlike: unless
        `despite` names all that are alike. :raises TooManyOpen: with MOST_OPEN others.
    """
    actor.require(Permission.PROPOSE_FILIERE)
    member_id = actor.require_member()
    faults = Faults()
    given = {name: getattr(draft, name) for name in TEXTS + TERMS}
    wanted = await definitions.checked(DefinitionDraft(**given), draft.kind, faults)
    texts = _texts(draft, faults)
    faults.raise_any()
    async with db.transaction() as opened:
        # One after the other: of two clicks the second finds what the first proposed.
        await opened.execute("SELECT FROM member WHERE id = $1 FOR UPDATE", member_id)
        await _refuse_more(opened, member_id, language)
        found = await likenesses.find(
            language,
            names=[draft.name_fr, draft.name_nl, draft.name_en],
            trades=draft.trades,
            sectors=draft.sectors,
        )
        if {one.slug for one in found} - set(draft.despite):
            raise LooksAlike(found)
        await limits.take(DAILY, member_id)
        filiere_id, slug = await _open(opened, draft.kind, wanted.columns)
        for word, ids in wanted.words.items():
            await definitions.replace_words(opened, filiere_id, word, ids)
        await _note(opened, actor, filiere_id, texts, wants_mails=draft.wants_mails)
    return slug


def _texts(draft: ProposalDraft, faults: Faults) -> dict[str, str]:
    cleaned: dict[str, str] = {}
    for field, empty in (
        ("need", marked("Écrivez le besoin, en quelques phrases.")),
        ("intentions", marked("Écrivez ce que vous feriez d’abord, en quelques phrases.")),
    ):
        with faults.gathered():
            text = drafts.paragraphs(getattr(draft, field))
            if not any(character.isalpha() for character in text):
                raise errors.Malformed.field(field, empty)
            cleaned[field] = drafts.checked(field, text, TEXT_LENGTH)
    return cleaned


async def _refuse_more(opened: asyncpg.Connection, member_id: int, language: str) -> None:
    rows = await opened.fetch(
        "SELECT f.id FROM filiere_proposal p JOIN filiere f ON f.id = p.filiere_id "
        "WHERE p.proposed_by = $1 AND f.stage IN ('proposed', 'gathering') ORDER BY f.id",
        member_id,
    )
    if len(rows) >= MOST_OPEN:
        named = await registry.refs([row["id"] for row in rows], language)
        raise TooManyOpen([ref.name for ref in named.values()])


async def _open(
    opened: asyncpg.Connection, kind: Kind, columns: Mapping[str, object]
) -> tuple[int, str]:
    """The number and the slug of a new filière."""
    base = slug_of(str(columns["name_fr"]))
    numbered = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
    for slug in numbered:
        if slug in TAKEN:
            continue
        filiere_id = await opened.fetchval(
            "INSERT INTO filiere (slug, kind, openness, territory_id, name_fr, name_nl, name_en, "
            "purpose_fr, purpose_nl, purpose_en) VALUES ($1, $2::filiere_kind, "
            "$3::filiere_openness, $4, $5, $6, $7, $8, $9, $10) "
            "ON CONFLICT (slug) DO NOTHING RETURNING id",
            slug, kind.value, columns["openness"], columns["territory_id"],
            *(columns[name] for name in TEXTS),
        )  # fmt: skip
        if filiere_id is not None:
            return filiere_id, slug
    raise AssertionError  # the numbers never end


def slug_of(name: str) -> str:
    """'metiers-du-bois'; 'filiere' for a name without a letter of the Latin alphabet."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    ascii_only = plain.encode("ascii", "ignore").decode()
    joined = re.sub(r"[^a-z0-9]+", "-", ascii_only)
    return joined.strip("-")[:SLUG_LENGTH].strip("-") or "filiere"


async def _note(
    opened: asyncpg.Connection,
    actor: Actor,
    filiere_id: int,
    texts: Mapping[str, str],
    *,
    wants_mails: bool,
) -> None:
    """Who proposes it is the first to support it."""
    member_id = actor.require_member()
    await opened.execute(
        "INSERT INTO filiere_proposal (filiere_id, proposed_by, need, intentions) "
        "VALUES ($1, $2, $3, $4)",
        filiere_id, member_id, texts["need"], texts["intentions"],
    )  # fmt: skip
    await opened.execute(
        "INSERT INTO filiere_support (filiere_id, member_id, stance, wants_mails) "
        "VALUES ($1, $2, 'favourable', $3)",
        filiere_id, member_id, wants_mails,
    )  # fmt: skip
    await lifecycle.note(
        opened, actor, filiere_id, None, Stage.PROPOSED, lifecycle.PROPOSED, Voice.PROPOSER
    )
    await evidence.refresh(filiere_id)  # its figures, at once
    subject = filiere_scope(filiere_id)
    await audit.record(actor, "filiere.proposed", member_id=member_id, subject=subject)


async def find(actor: Actor, filiere_id: int) -> ProposalView | None:
    """None for a filière that nobody proposed here."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            f"""
            SELECT p.need, p.intentions, p.proposed_at, {signatures.columns("m", "$2::bigint")}
            FROM filiere_proposal p
            LEFT JOIN member m ON m.id = p.proposed_by AND m.left_on IS NULL
            WHERE p.filiere_id = $1
            """,  # noqa: S608 - no value in it
            filiere_id, audiences.own_id(actor),
        )  # fmt: skip
    if row is None:
        return None
    return ProposalView(
        need=row["need"],
        intentions=row["intentions"],
        proposed_at=row["proposed_at"],
        proposed_by=signatures.read(actor, row),
    )


async def is_own(actor: Actor, filiere_id: int) -> bool:
    """Whether the actor proposed it."""
    async with db.connection() as reader:
        found: bool = await reader.fetchval(
            "SELECT EXISTS (SELECT FROM filiere_proposal "
            "WHERE filiere_id = $1 AND proposed_by = $2)",
            filiere_id, actor.member_id,
        )  # fmt: skip
    return found


async def withdraw(actor: Actor, slug: str) -> None:
    """Take one's own proposal back, as long as nobody else supports it. Its page stays, closed.

    :raises errors.Forbidden: for another's. :raises lifecycle.MoveRefused: when others support it.
    """
    actor.require(Permission.PROPOSE_FILIERE)
    actor.require_member()
    async with db.transaction() as opened:
        filiere_id, stage = await lifecycle.lock(opened, slug)
        if not await is_own(actor, filiere_id):
            raise errors.Forbidden(marked("Vous n’avez pas proposé cette filière."))
        if stage is not Stage.PROPOSED:
            raise lifecycle.MoveRefused(
                marked("D’autres la soutiennent déjà. La coordination peut la fermer.")
            )
        await lifecycle.move(
            opened, actor, filiere_id, stage, Stage.CLOSED, lifecycle.WITHDRAWN, Voice.PROPOSER
        )
