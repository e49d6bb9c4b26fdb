"""The staff, the filières and who runs them, into their tables."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from directory.demo import filieres, profiles
from directory.demo.filieres import Filiere, Mandate
from directory.demo.rows import Codes, Ids, Writer

STAFF = {"helene@etabli.example": "coordinator", "admin@etabli.example": "administrator"}
OPENED = timedelta(days=2000)


async def found(writer: Writer, codes: Codes, today: date) -> Mapping[str, int]:
    """The staff, and the filières. Ids of filières by slug."""
    await _hire(writer, today)
    known = filieres.known()
    ids = dict(
        zip(
            (filiere.slug for filiere in known),
            await writer.reserve("filiere", len(known)),
            strict=True,
        )
    )
    await writer.copy(
        "filiere",
        (
            "id", "slug", "kind", "openness", "stage", "name_fr", "name_nl", "name_en",
            "purpose_fr", "purpose_nl", "purpose_en", "created_at", "updated_at",
        ),
        (_filiere(filiere, ids[filiere.slug], today) for filiere in known),
    )  # fmt: skip
    await writer.copy(
        "filiere_trade", ("filiere_id", "trade_id"),
        ((ids[f.slug], codes.trades[code]) for f in known for code in f.trades),
    )  # fmt: skip
    await writer.copy(
        "filiere_sector", ("filiere_id", "sector_id"),
        ((ids[f.slug], codes.sectors[code]) for f in known for code in f.sectors),
    )  # fmt: skip
    return ids


async def _hire(writer: Writer, today: date) -> None:
    since = profiles.noon(today - OPENED)
    for email, role in STAFF.items():
        account_id = await writer.connection.fetchval(
            "INSERT INTO account (email, email_confirmed_at, created_at) VALUES ($1, $2, $2)"
            " RETURNING id",
            email,
            since,
        )
        await writer.connection.execute(
            "INSERT INTO access_grant (account_id, role, starts_on) VALUES ($1, $2, $3)",
            account_id,
            role,
            since.date(),
        )
    writer.count("account", len(STAFF))
    writer.count("access_grant", len(STAFF))


def _filiere(filiere: Filiere, filiere_id: int, today: date) -> tuple[object, ...]:
    moves = [profiles.noon(today - timedelta(days=days)) for days, _, _ in filiere.history]
    return (
        filiere_id, filiere.slug, filiere.kind, filiere.openness, filiere.stage, filiere.name_fr,
        filiere.name_nl, filiere.name_en, filiere.purpose_fr, filiere.purpose_nl,
        filiere.purpose_en, moves[0], moves[-1],
    )  # fmt: skip


async def appoint(
    writer: Writer,
    mandates: Sequence[Mandate],
    ids: Mapping[int, Ids],
    filiere_ids: Mapping[str, int],
    today: date,
) -> Mapping[str, int]:
    """Mandates with the rights that go with them. An animator's account by slug."""
    await writer.copy(
        "mandate", ("filiere_id", "member_id", "starts_on", "ends_on"),
        ((filiere_ids[m.slug], ids[m.position].member, m.starts_on, m.ends_on) for m in mandates),
    )  # fmt: skip
    running = [mandate for mandate in mandates if mandate.ends_on >= today]
    await writer.copy(
        "access_grant", ("account_id", "role", "scope", "starts_on", "ends_on"),
        (
            (ids[m.position].account, "animator", f"filiere:{filiere_ids[m.slug]}", m.starts_on,
             m.ends_on)
            for m in running
        ),
    )  # fmt: skip
    return {mandate.slug: ids[mandate.position].account for mandate in reversed(running)}
