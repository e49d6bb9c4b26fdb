"""What is held of a person in the agenda: the events that they listed, which stay."""

import asyncpg

from directory.holdings import Person, Section
from directory.languages import marked

SECTIONS = (
    Section(
        name="events",
        title=marked("Les rencontres que vous avez annoncées"),
        table="event",
        columns=("id", "uid", "kind", "audience", "title", "description", "starts_at", "ends_at",
                 "timezone", "location", "online_url", "language", "accessibility", "capacity",
                 "price_cents", "sequence", "created_at", "updated_at", "cancelled_at"),
        extra={"place": "(SELECT code || ' ' || label_fr FROM place WHERE place.id = t.place_id)"},
        covers=("place_id",),
        where="t.created_by = p.account_id",
        order="t.id",
    ),
)  # fmt: skip


async def erase(opened: asyncpg.Connection, person: Person) -> None:
    """What others came to, or will, stays in the agenda; nothing says who listed it."""
    await opened.execute(
        "UPDATE event SET created_by = NULL WHERE created_by = $1", person.account_id
    )
