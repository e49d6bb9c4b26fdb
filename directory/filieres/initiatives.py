"""Collective projects of members, before or beside a filière: who carries them, whom they seek."""

import enum
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors, limits
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission
from directory.errors import FieldError
from directory.filieres import registry
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef
from directory.http.listing import Listing
from directory.languages import marked
from directory.members import drafts, links, profiles, views, vocabulary
from directory.members.views import Word

LONGEST_TITLE, LONGEST_TEXT, LONGEST_SEEKING = 120, 3_000, 500
MOST_TRADES = 10
MOST_OPEN = 20
OPENED = limits.Limit("initiative.open", 20, timedelta(days=1))


class State(enum.Enum):
    OPEN = "open"
    FINISHED = "finished"

    @property
    def label(self) -> str:
        return _STATES[self]


_STATES = {State.OPEN: marked("en cours"), State.FINISHED: marked("terminée")}


class InitiativeDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An initiative as its carrier writes it."""

    title: Annotated[str, msgspec.Meta(description="1 to 120 characters.")]
    description: Annotated[str, msgspec.Meta(description="1 to 3,000 characters, plain text.")]
    seeking: Annotated[str, msgspec.Meta(description="Who or what is looked for, in words.")] = ""
    trades: Annotated[list[str], msgspec.Meta(description="Codes; at most 10.")] = []
    filiere: Annotated[str, msgspec.Meta(description="A slug, or nothing.")] = ""
    url: Annotated[str, msgspec.Meta(description="http or https.")] = ""
    state: State = State.OPEN
    version: Annotated[
        int | None, msgspec.Meta(description="The one you read. If it has changed since: 409.")
    ] = None


class Carrier(msgspec.Struct, frozen=True):
    """A member who shows their name to the reader."""

    member_id: int
    name: str


class InitiativeView(msgspec.Struct, frozen=True, kw_only=True):
    """`carried_by` is null for a member who does not show the reader their name."""

    id: int
    title: str
    description: str
    seeking: str
    trades: list[Word]
    filiere: FiliereRef | None
    url: str
    state: State
    carried_by: Carrier | None
    is_own: bool
    version: int
    created_at: datetime
    updated_at: datetime
    finished_on: date | None

    @property
    def created_on(self) -> date:
        return self.created_at.astimezone(views.ZONE).date()


class Prefill(msgspec.Struct, frozen=True, kw_only=True):
    """What an initiative gives to the proposal of a filière. `trades` are codes."""

    title: str
    need: str
    intentions: str
    trades: list[str]


class InitiativeChanged(errors.Conflict):
    """Somebody else saved it meanwhile."""

    kind = "initiative-changed"


def unknown() -> errors.NotFound:
    return errors.NotFound(marked("Cette initiative n’existe pas, ou plus."))


_VIEW = """
    SELECT i.id, i.title, i.description, i.seeking, i.trades, i.filiere_id, i.url,
        i.state::text AS state, i.member_id, i.version, i.created_at, i.updated_at, i.finished_on
    FROM initiative i JOIN member p ON p.id = i.member_id AND p.left_on IS NULL
"""
# A trade that was merged is found by the one that stands for it.
_SEEKS = """EXISTS (SELECT FROM trade o JOIN trade t ON t.id = coalesce(o.merged_into, o.id)
    WHERE o.code = ANY(i.trades) AND t.code = ANY($4::text[]))"""
_WORDS = """NOT EXISTS (SELECT FROM regexp_split_to_table(unaccent(lower($1)), '\\s+') AS word
    WHERE strpos(unaccent(lower(concat_ws(' ', i.title, i.description, i.seeking))), word) = 0)"""


async def list_initiatives(
    actor: Actor,
    language: str,
    *,
    q: str = "",
    state: State | None = None,
    filiere: str = "",
    trade: str = "",
    mine: bool = False,
    page: int,
    limit: int,
) -> Listing[InitiativeView]:
    """The newest first. Each word of `q` is in the title or the texts.

    :raises errors.Malformed: for a filière or a trade that does not exist.
    """
    actor.require(Permission.READ_MEMBERS)
    filiere_id = (await _filiere(filiere, language)).id if filiere else None
    codes = await _codes("trade", [trade]) if trade else []
    condition = f"""
        WHERE {_WORDS} AND ($2::text IS NULL OR i.state::text = $2)
        AND ($3::bigint IS NULL OR i.filiere_id = $3)
        AND (cardinality($4::text[]) = 0 OR {_SEEKS})
        AND (NOT $5::boolean OR i.member_id = $6)
    """
    given = (
        q.replace("\0", " ").strip(), state.value if state else None, filiere_id, codes, mine,
        actor.member_id,
    )  # fmt: skip
    async with db.connection() as reader:
        total = await reader.fetchval(
            f"SELECT count(*) FROM ({_VIEW} {condition}) AS found",  # noqa: S608 - no value in it
            *given,
        )
        rows = await reader.fetch(
            f"{_VIEW} {condition} ORDER BY i.created_at DESC, i.id DESC LIMIT $7 OFFSET $8",
            *given, limit, (page - 1) * limit,
        )  # fmt: skip
    return Listing(items=await _views(actor, rows, language), total=total, page=page, limit=limit)


async def get(actor: Actor, initiative_id: int, language: str) -> InitiativeView:
    """:raises errors.NotFound: for none, or one whose carrier left."""
    actor.require(Permission.READ_MEMBERS)
    async with db.connection() as reader:
        row = await reader.fetchrow(f"{_VIEW} WHERE i.id = $1", _id(initiative_id))
    if row is None:
        raise unknown()
    return (await _views(actor, [row], language))[0]


async def _views(
    actor: Actor, rows: Iterable[asyncpg.Record], language: str
) -> list[InitiativeView]:
    rows = list(rows)
    cards = await profiles.cards(actor, list({row["member_id"] for row in rows}))
    named = {card.id: Carrier(card.id, card.display_name) for card in cards}
    ids = [row["filiere_id"] for row in rows if row["filiere_id"]]
    filieres = await registry.refs(ids, language) if ids else {}
    codes = {code for row in rows for code in row["trades"]}
    labels = await vocabulary.names("trade", codes, language) if codes else {}
    return [
        msgspec.convert(
            {
                **row,
                "trades": [Word(code, labels[code]) for code in row["trades"] if code in labels],
                "filiere": filieres.get(row["filiere_id"]),
                "carried_by": named.get(row["member_id"]),
                "is_own": row["member_id"] == actor.member_id,
            },
            InitiativeView,
        )
        for row in rows
    ]


async def create(actor: Actor, draft: InitiativeDraft, language: str) -> int:
    """Returns its number.

    :raises errors.Malformed: naming each field. :raises errors.Conflict: beyond MOST_OPEN.
    """
    actor.require(Permission.PROPOSE_FILIERE)
    member_id = actor.require_member()
    values = await _columns(draft, language)
    await limits.take(OPENED, member_id)
    async with db.transaction() as opened:
        if draft.state is State.OPEN:
            await _require_room(opened, member_id)
        initiative_id: int = await opened.fetchval(
            "INSERT INTO initiative (member_id, title, description, seeking, trades, filiere_id, "
            "url, state, finished_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::initiative_state, "
            "CASE WHEN $8 = 'finished' THEN $9::date END) RETURNING id",
            member_id, *values.values(), draft.state.value, views.today(),
        )  # fmt: skip
        await _record(actor, "initiative.opened", initiative_id, member_id)
    return initiative_id


async def change(
    actor: Actor, initiative_id: int, draft: InitiativeDraft, language: str
) -> InitiativeView:
    """Write one's own anew; coordinators may, any.

    :raises InitiativeChanged: for another version than the one that was read.
    :raises errors.Conflict: for one that is open again beyond MOST_OPEN.
    """
    async with db.transaction() as opened:
        row = await _editable(opened, actor, initiative_id)
        if draft.version not in {None, row["version"]}:
            raise InitiativeChanged(
                marked("Cette initiative a changé entre-temps. Relisez-la avant de l’enregistrer.")
            )
        values = await _columns(draft, language, held=row["filiere_id"])
        if draft.state is State.OPEN:
            await _require_room(opened, row["member_id"], but=initiative_id)
        await opened.execute(
            "UPDATE initiative SET title = $2, description = $3, seeking = $4, trades = $5, "
            "filiere_id = $6, url = $7, state = $8::initiative_state, version = version + 1, "
            "updated_at = now(), finished_on = CASE WHEN $8 = 'finished' "
            "THEN coalesce(finished_on, $9::date) END WHERE id = $1",
            initiative_id, *values.values(), draft.state.value, views.today(),
        )  # fmt: skip
        await _record(actor, "initiative.changed", initiative_id, row["member_id"])
        return await get(actor, initiative_id, language)


async def _require_room(opened: asyncpg.Connection, member_id: int, *, but: int = 0) -> None:
    # Two at once wait for each other: the second counts what the first wrote.
    await opened.execute("SELECT FROM member WHERE id = $1 FOR NO KEY UPDATE", member_id)
    count = await opened.fetchval(
        "SELECT count(*) FROM initiative WHERE member_id = $1 AND state = 'open' AND id <> $2",
        member_id, but,
    )  # fmt: skip
    if count >= MOST_OPEN:
        raise errors.Conflict(
            marked("Vous portez déjà %(most)s initiatives. Terminez-en une d’abord."),
            most=MOST_OPEN,
        )


async def remove(actor: Actor, initiative_id: int) -> None:
    """One's own; coordinators may, any."""
    async with db.transaction() as opened:
        row = await _editable(opened, actor, initiative_id)
        await opened.execute("DELETE FROM initiative WHERE id = $1", initiative_id)
        await _record(actor, "initiative.removed", initiative_id, row["member_id"])


async def require_editing(actor: Actor, initiative_id: int) -> None:
    """:raises errors.NotFound: for none. :raises errors.Forbidden: for another's."""
    async with db.transaction() as opened:
        await _editable(opened, actor, initiative_id)


def may_edit(actor: Actor, view: InitiativeView) -> bool:
    return (view.is_own and actor.may(Permission.PROPOSE_FILIERE)) or actor.may(
        Permission.RUN_FILIERES
    )


async def prefill(actor: Actor, initiative_id: int) -> Prefill:
    """What becomes of an initiative in the form that proposes a filière.

    :raises errors.NotFound: for none that the actor may read.
    """
    view = await get(actor, initiative_id, "fr")
    return Prefill(
        title=view.title, need=view.description, intentions=view.seeking,
        trades=await vocabulary.standing([word.code for word in view.trades]),
    )  # fmt: skip


async def _editable(opened: asyncpg.Connection, actor: Actor, initiative_id: int) -> asyncpg.Record:
    if not actor.may(Permission.RUN_FILIERES):
        actor.require(Permission.PROPOSE_FILIERE)
    row = await opened.fetchrow(
        "SELECT i.member_id, i.version, i.filiere_id FROM initiative i JOIN member p "
        "ON p.id = i.member_id AND p.left_on IS NULL WHERE i.id = $1 FOR UPDATE OF i",
        _id(initiative_id),
    )
    if row is None:
        raise unknown()
    if row["member_id"] != actor.member_id:
        actor.require(Permission.RUN_FILIERES)
    return row


async def _columns(
    draft: InitiativeDraft, language: str, held: int | None = None
) -> dict[str, object]:
    """The columns that are written, in their order.

    :raises errors.Malformed: naming each field that is wrong.
    """
    faults: list[FieldError] = []
    values: dict[str, object] = {
        "title": _text("title", drafts.one_line(draft.title), LONGEST_TITLE, faults),
        "description": _text(
            "description", drafts.paragraphs(draft.description), LONGEST_TEXT, faults
        ),
        "seeking": _text("seeking", drafts.one_line(draft.seeking), LONGEST_SEEKING, faults),
        "trades": [], "filiere_id": None, "url": "",
    }  # fmt: skip
    for field, message in _NEEDED.items():
        if not values[field] and not any(fault.field == field for fault in faults):
            faults.append(FieldError(field, message))
    try:
        values["trades"] = await _codes("trades", draft.trades)
        if draft.filiere:
            values["filiere_id"] = await _open_filiere(draft.filiere, language, held)
        if draft.url.strip():
            values["url"] = links.read("url", draft.url.strip()).url
    except errors.Malformed as problem:  # shown with the others
        faults.extend(problem.fields)
    if faults:
        raise errors.Malformed(faults[0].message, tuple(faults), **faults[0].params)
    return values


_NEEDED: Mapping[str, str] = {
    "title": marked("Donnez un titre."),
    "description": marked("Dites en quelques lignes de quoi il s’agit."),
}


def _text(field: str, cleaned: str, most: int, faults: list[FieldError]) -> str:
    try:
        return drafts.checked(field, cleaned, most)
    except errors.Malformed as problem:  # all of them are shown at once
        faults.extend(problem.fields)
        return ""


async def _codes(field: str, codes: list[str]) -> list[str]:
    """Those of merged trades replaced by what stands for them."""
    distinct = list(dict.fromkeys(codes))
    if len(distinct) > MOST_TRADES:
        raise errors.Malformed.field(
            field, marked("Gardez %(most)s métiers au plus. Vous en avez choisi %(count)s."),
            most=MOST_TRADES, count=len(distinct),
        )  # fmt: skip
    await vocabulary.ids("trade", distinct, field)
    return await vocabulary.standing(distinct)


async def _filiere(slug: str, language: str) -> FiliereRef:
    found = await registry.find(slug, language)
    if found is None:
        raise errors.Malformed.field("filiere", marked("Cette filière n’existe pas."))
    return found


async def _open_filiere(slug: str, language: str, held: int | None) -> int:
    """One that was chosen before it closed stays."""
    found = await _filiere(slug, language)
    if found.stage is Stage.CLOSED and found.id != held:
        raise errors.Malformed.field(
            "filiere", marked("Cette filière est fermée. Choisissez-en une autre, ou aucune.")
        )
    return found.id


def _id(initiative_id: int) -> int:
    return max(0, min(initiative_id, profiles.LARGEST_ID))


async def _record(actor: Actor, action: str, initiative_id: int, member_id: int) -> None:
    await audit.record(actor, action, member_id=member_id, subject=f"initiative:{initiative_id}")
