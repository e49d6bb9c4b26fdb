"""Profiles for tests: two different values for each field, and who is in which filière."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import msgspec

from directory.members.audiences import Audience, Field
from tests.people import Person

COLUMNS: Mapping[Field, tuple[str, tuple[object, object]]] = {
    Field.DISPLAY_NAME: ("display_name", ("Awa Lemaire", "Zoé Quispe")),
    Field.HEADLINE: ("headline", ("Des choses simples", "Des affiches peintes")),
    Field.BIOGRAPHY: ("biography", ("Née à Dakar.\n\nVit à Namur.", "Gravure et letterpress")),
    Field.STAGE: ("stage", ("established", "starting")),
    Field.PHONE: ("phone", ("+32 81 22 22 22", "+32 4 333 33 33")),
}


async def join(connection: asyncpg.Connection, filiere_id: int, *who: Person) -> None:
    await connection.executemany(
        "INSERT INTO membership (filiere_id, member_id) VALUES ($1, $2)",
        [(filiere_id, person.member_id) for person in who],
    )


async def fill(connection: asyncpg.Connection, person: Person, variant: int = 0) -> None:
    """Everything that a profile can hold."""
    for field in Field:
        await write(connection, person, field, variant)


async def choose(
    connection: asyncpg.Connection, person: Person, audiences: Mapping[Any, Audience]
) -> None:
    await connection.execute(
        "UPDATE member SET audiences = $2::jsonb WHERE id = $1",
        person.member_id,
        msgspec.json.encode(audiences).decode(),
    )


async def write(connection: asyncpg.Connection, person: Person, field: Field, variant: int) -> None:
    """One field's first or second value."""
    member_id = person.member_id
    if field in COLUMNS:
        column, values = COLUMNS[field]
        await connection.execute(
            f"UPDATE member SET {column} = $2 WHERE id = $1", member_id, values[variant]
        )
    elif field in LISTS:
        table, rows = LISTS[field]
        await connection.execute(
            f"DELETE FROM {table[0]} WHERE member_id = $1{table[1]}", member_id
        )
        await connection.execute(f"INSERT INTO {table[0]} {rows[variant]}", member_id)
    else:
        await connection.execute(SINGLES[field][variant], member_id)


SKILL = "(member_id, kind, position, label) VALUES"
LISTS: Mapping[Field, tuple[tuple[str, str], tuple[str, str]]] = {
    Field.TRADES: (
        ("member_trade", ""),
        (
            (
                "SELECT $1, id, row_number() OVER (ORDER BY id) - 1 FROM trade"
                " WHERE label_feminine IN ('Illustratrice', 'Développeuse web')"
            ),
            "SELECT $1, id, 0 FROM trade WHERE label_feminine = 'Comédienne'",
        ),
    ),
    Field.SECTORS: (
        ("member_sector", ""),
        (
            "SELECT $1, id FROM sector WHERE code LIKE '62.1%'",
            "SELECT $1, id FROM sector WHERE code LIKE '90.1%'",
        ),
    ),
    Field.SKILLS_OFFERED: (
        ("member_skill", " AND kind = 'offered'"),
        (f"{SKILL} ($1, 'offered', 0, 'Plume')", f"{SKILL} ($1, 'offered', 0, 'Affiche')"),
    ),
    Field.SKILLS_WANTED: (
        ("member_skill", " AND kind = 'wanted'"),
        (f"{SKILL} ($1, 'wanted', 0, 'Relecture')", f"{SKILL} ($1, 'wanted', 0, 'Riso')"),
    ),
    Field.LANGUAGES: (
        ("member_language", ""),
        ("VALUES ($1, 'fr', 'native'), ($1, 'nl', 'b1')", "VALUES ($1, 'wo', 'native')"),
    ),
    Field.PHOTO: (
        ("member_photo", ""),
        (
            "(member_id, name) SELECT $1::bigint, rpad('one' || $1::bigint, 22, 'x')",
            "(member_id, name) SELECT $1::bigint, rpad('two' || $1::bigint, 22, 'x')",
        ),
    ),
    Field.PORTFOLIO: (
        ("portfolio_entry", ""),
        (
            "(member_id, position, title) VALUES ($1, 0, 'Une affiche')",
            "(member_id, position, title) VALUES ($1, 0, 'Un livre')",
        ),
    ),
    Field.LINKS: (
        ("member_link", ""),
        (
            "VALUES ($1, 0, 'site', 'https://lemaire.example')",
            "VALUES ($1, 0, 'mastodon', 'https://social.example/@awa')",
        ),
    ),
}
SINGLES: Mapping[Field, tuple[str, str]] = {
    Field.AVAILABILITY: (
        (
            "UPDATE member SET availability = 'available', available_until = current_date + 40"
            " WHERE id = $1"
        ),
        (
            "UPDATE member SET availability = 'soon', available_until = current_date + 90"
            " WHERE id = $1"
        ),
    ),
    Field.PLACE: (
        (
            "UPDATE member SET place_id = (SELECT min(id) FROM place WHERE label_fr = 'Namur')"
            " WHERE id = $1"
        ),
        (
            "UPDATE member SET place_id = (SELECT min(id) FROM place WHERE label_fr = 'Liège')"
            " WHERE id = $1"
        ),
    ),
    Field.TERRITORY: (
        (
            "WITH made AS (INSERT INTO territory (slug, name) VALUES ('namur', 'Bureau de Namur')"
            " ON CONFLICT (slug) DO UPDATE SET name = excluded.name RETURNING id)"
            " UPDATE member SET territory_id = made.id FROM made WHERE member.id = $1"
        ),
        (
            "WITH made AS (INSERT INTO territory (slug, name) VALUES ('gand', 'Bureau de Gand')"
            " ON CONFLICT (slug) DO UPDATE SET name = excluded.name RETURNING id)"
            " UPDATE member SET territory_id = made.id FROM made WHERE member.id = $1"
        ),
    ),
    Field.EMAIL: (
        (
            "UPDATE account SET email = 'awa' || id || '@lemaire.example'"
            " WHERE id = (SELECT account_id FROM member WHERE id = $1)"
        ),
        (
            "UPDATE account SET email = 'zoe' || id || '@quispe.example'"
            " WHERE id = (SELECT account_id FROM member WHERE id = $1)"
        ),
    ),
    Field.MEMBERSHIPS: (
        (
            "WITH gone AS (DELETE FROM membership WHERE member_id = $1 AND filiere_id IN"
            " (SELECT id FROM filiere WHERE slug LIKE 'only-%')), made AS"
            " (INSERT INTO filiere (slug, kind, stage, name_fr, purpose_fr) VALUES"
            " ('only-' || gen_random_uuid(), 'trade', 'active', 'Presse', 'Parler de presse.')"
            " RETURNING id) INSERT INTO membership (filiere_id, member_id) SELECT id, $1 FROM made"
        ),
        (
            "WITH gone AS (DELETE FROM membership WHERE member_id = $1 AND filiere_id IN"
            " (SELECT id FROM filiere WHERE slug LIKE 'only-%')), made AS"
            " (INSERT INTO filiere (slug, kind, stage, name_fr, purpose_fr) VALUES"
            " ('only-' || gen_random_uuid(), 'sector', 'active', 'Musées', 'Parler de musées.')"
            " RETURNING id) INSERT INTO membership (filiere_id, member_id) SELECT id, $1 FROM made"
        ),
    ),
}
