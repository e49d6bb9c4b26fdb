"""What is held of a member's profile, and how a member disappears."""

import asyncpg
import msgspec

from directory import jobs
from directory.holdings import Person, Section
from directory.languages import marked
from directory.members import profiles

OWN = "t.member_id = p.member_id"
FOLDERS = ("photo", "portfolio")
"""Where the files of members are: <folder>/<member_id>/…"""

SECTIONS = (
    Section(
        name="profile",
        title=marked("Votre fiche"),
        table="member",
        columns=("id", "number", "display_name", "given_name", "family_name", "headline",
                 "biography", "availability", "available_until", "stage", "phone", "audiences",
                 "joined_on", "left_on", "confirmed_at", "created_at", "updated_at", "version",
                 "takes_messages", "takes_reminders", "reminded_at"),
        extra={
            "place": "(SELECT code || ' ' || label_fr FROM place WHERE place.id = t.place_id)",
            "territory": "(SELECT name FROM territory WHERE territory.id = t.territory_id)",
        },
        covers=("place_id", "territory_id", "account_id"),
        where="t.id = p.member_id",
    ),
    Section(
        name="trades",
        title=marked("Vos métiers"),
        table="member_trade",
        columns=("position",),
        extra={
            "code": "(SELECT code FROM trade WHERE trade.id = t.trade_id)",
            "label": "(SELECT label_fr FROM trade WHERE trade.id = t.trade_id)",
        },
        covers=("trade_id",),
        where=OWN,
        order="t.position",
    ),
    Section(
        name="sectors",
        title=marked("Vos secteurs"),
        table="member_sector",
        columns=(),
        extra={
            "code": "(SELECT code FROM sector WHERE sector.id = t.sector_id)",
            "label": "(SELECT label_fr FROM sector WHERE sector.id = t.sector_id)",
        },
        covers=("sector_id",),
        where=OWN,
        order="t.sector_id",
    ),
    Section(
        name="skills",
        title=marked("Vos compétences"),
        table="member_skill",
        columns=("kind", "position", "label"),
        where=OWN,
        order="t.kind, t.position",
    ),
    Section(
        name="languages",
        title=marked("Vos langues"),
        table="member_language",
        columns=("language", "level"),
        where=OWN,
        order="t.language",
    ),
    Section(
        name="links",
        title=marked("Vos liens"),
        table="member_link",
        columns=("kind", "position", "url"),
        where=OWN,
        order="t.position",
    ),
    Section(
        name="photo",
        title=marked("Votre photo"),
        table="member_photo",
        columns=("name", "changed_at"),
        where=OWN,
    ),
    Section(
        name="portfolio",
        title=marked("Vos réalisations"),
        table="portfolio_entry",
        columns=("id", "position", "title", "year", "text", "url", "picture", "width", "height"),
        where=OWN,
        order="t.position",
    ),
    Section(
        name="trade_proposals",
        title=marked("Les métiers que vous proposez"),
        table="trade_proposal",
        columns=("id", "label", "form", "note", "language", "proposed_at"),
        where=OWN,
        order="t.id",
    ),
    Section(
        name="messages",
        title=marked("Les messages écrits par l’annuaire, par vous et à vous"),
        table="contact_message",
        columns=("id", "body", "asked_at", "done_at", "reported_at"),
        extra={
            "is_own_act": "(t.sender_id = p.account_id)",
            # What became of it would tell who wrote something of another's address.
            "state": "CASE WHEN t.recipient_id = p.member_id OR t.done_at IS NULL"
            " THEN t.state::text END",
        },
        covers=("state", "key", "said"),
        where="(t.sender_id = p.account_id OR t.recipient_id = p.member_id)",
        order="t.id",
    ),
    Section(
        name="refusals",
        title=marked("Les personnes dont vous refusez les messages"),
        table="contact_refusal",
        columns=("refused_at",),
        extra={"is_own_act": "(t.member_id = p.member_id)"},
        where="(t.member_id = p.member_id)",
        covers=("sender_id",),
        order="t.refused_at",
    ),
    Section(
        name="merged_trades",
        title=marked("Vos métiers que l’équipe a réunis à d’autres"),
        table="trade_merge_member",
        columns=("position", "had_both"),
        extra={
            "label": "(SELECT label_fr FROM trade_merge g JOIN trade ON trade.id = g.from_id"
            " WHERE g.id = t.merge_id)",
        },
        covers=("merge_id",),
        where=OWN,
        order="t.merge_id",
    ),
    Section(
        name="invitation",
        title=marked("L’invitation reçue"),
        table="member_invitation",
        columns=("state", "attempts", "created_at", "next_at", "claimed_at", "sent_at",
                 "expires_at", "accepted_at"),
        covers=("import_id",),
        where=OWN,
        order="t.created_at",
    ),
    Section(
        name="declaration",
        title=marked("Ce que vous avez déclaré à la coopérative"),
        table="member_declaration",
        columns=("turnover_band", "declared_at"),
        where=OWN,
        order="t.declared_at",
    ),
    Section(
        name="imported_fields",
        title=marked("Les champs qu’un fichier de la coopérative a remplis"),
        table="member_source",
        columns=(),
        extra={"fields": "ARRAY(SELECT jsonb_object_keys(t.digests))"},
        covers=("digests",),
        where=OWN,
        order="t.member_id",
    ),
    Section(
        name="imports",
        title=marked("Les fichiers de membres que vous avez importés"),
        table="member_import",
        columns=("id", "file_name", "state", "created_at", "finished_at", "token_id"),
        covers=("file_key", "options", "step", "done", "total", "attempts", "findings", "counts",
                "refusal", "plan_hash", "is_moved", "invites", "touched_at"),
        where="t.account_id = p.account_id",
        order="t.id",
    ),
    Section(
        name="imported_rows",
        title=marked("Vos lignes dans les fichiers importés ces derniers jours"),
        table="import_row",
        columns=("line", "number", "email", "name", "place", "given", "faults"),
        covers=("id", "import_id", "ref"),
        where="(t.email = (SELECT a.email::text FROM account a WHERE a.id = p.account_id)"
        " OR t.number = (SELECT m.number FROM member m WHERE m.id = p.member_id))",
        order="t.id",
    ),
    Section(
        name="import_plans",
        title=marked("Ce que ces fichiers changent à votre fiche"),
        table="import_plan",
        columns=("action", "line", "name", "changes", "faults"),
        covers=("id", "import_id", "row_id", "likes"),
        where=OWN,
        order="t.id",
    ),
)  # fmt: skip


class MemberErased(msgspec.Struct, frozen=True):
    """A member is no more: the number means nobody from now on."""

    member_id: int


async def hide(opened: asyncpg.Connection, person: Person) -> bool:
    """Put a member out of everybody's sight, as one who left. False: they were already."""
    hidden = await opened.fetchval(
        "UPDATE member SET left_on = current_date WHERE id = $1 AND left_on IS NULL RETURNING true",
        person.member_id,
    )
    if hidden:
        await profiles.tell([person.member_id or 0])
    return bool(hidden)


async def show_again(opened: asyncpg.Connection, person: Person) -> None:
    """Take back what `hide` did."""
    await opened.execute("UPDATE member SET left_on = NULL WHERE id = $1", person.member_id)
    await profiles.tell([person.member_id or 0])


_ROWS = """
    DELETE FROM import_row r
    WHERE r.email = (SELECT lower(email::text) FROM account WHERE id = $1)
       OR r.email = (SELECT email::text FROM account WHERE id = $1)
       OR r.number = (SELECT number FROM member WHERE id = $2)
       OR EXISTS (SELECT FROM import_plan p WHERE p.member_id = $2
                  AND p.import_id = r.import_id AND p.row_id = r.id)
"""


async def erase(opened: asyncpg.Connection, person: Person) -> None:
    """The profile, all that hangs on it, and its documents in the index.

    The rows of files are known by what they say: nothing points from them to the member.
    """
    await opened.execute(_ROWS, person.account_id, person.member_id)
    await opened.execute(
        "UPDATE member_import SET file_name = '' WHERE account_id = $1", person.account_id
    )
    gone = await opened.fetchval(
        "DELETE FROM member WHERE id = $1 RETURNING true", person.member_id
    )
    if gone and person.member_id is not None:
        await profiles.tell([person.member_id])
        await jobs.emit(MemberErased(person.member_id))
