"""Every column of every table is in the copy of a person, or on a list here that says why not."""

from pathlib import Path

import asyncpg

from directory import languages
from directory.privacy import inventory, keeping, labels
from tests import known_person

# Tables in which nothing is about a person.
WITHOUT_PEOPLE = {
    "consent_evidence": "words agreed to elsewhere; a person's own are in their copy",
    "consent_wording": "the words, the same for everybody; those agreed to are in the copy",
    "dossier_figures": "counts of members, none of a small group",
    "dossier_point": "counts of members by month, none of a small group",
    "digest_run": "the days on which digests were made",
    "event_filiere": "which filières an event is of",
    "filiere": "its name and purpose",
    "filiere_sector": "what a filière is about",
    "filiere_trade": "what a filière is about",
    "filiere_vacancy": "since when nobody runs a filière",
    "mailing_filiere": "which filières a mailing is for",
    "membership_quota": "one figure",
    "migration": "versions of the tables",
    "pgqueuer": "work of the next seconds; what fails stays until an operator looks",
    "pgqueuer_log": "names of jobs; tracebacks are deleted after a week",
    "pgqueuer_schedules": "hours of jobs",
    "pgqueuer_statistics": "counts of jobs",
    "place": "towns",
    "rate_count": "keyed hashes of who asked, deleted after two days: nobody can be found by them",
    "reference_version": "versions of words",
    "region": "regions",
    "spent_state": "hashes of random words, deleted after a day: nobody can be found by them",
    "search_miss": "words without who searched them",
    "sector": "sectors",
    "territory": "offices",
    "trade": "trades",
    "trade_group": "trades",
    "trade_label": "trades",
    "trade_merge": "trades",
    "worker_heartbeat": "processes",
}
# The index is made of the profile, which is in the copy, and is deleted with it.
DERIVED = {
    "search_document", "search_facet", "search_mirror_outbox", "search_outbox", "search_source",
    "search_term", "search_text", "search_version",
}  # fmt: skip
LEFT_OUT = {
    "api_token.token_hash": "a secret: whoever has it may not even know its hash",
    "login_link.browser_hash": "a secret",
    "login_link.token_hash": "a secret",
    "member_invitation.token_hash": "a secret",
    "session.token_hash": "a secret",
}
COLUMNS = """
    SELECT c.relname AS table, a.attname AS column
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2
"""
WHAT_TO_DO = """
is neither in the copy that a person may ask for nor on a list with a reason. If it is about people:
 - add it to a Section in directory/<domain>/holdings.py, with its name in privacy/labels.py;
 - let `erase` there remove it, or have it go with the account or the member (ON DELETE CASCADE);
 - give the known person a row of it in tests/known_person.py;
 - add it to privacy/keeping.py and docs/privacy.md if it is kept for another reason or time.
If it is not: add it to WITHOUT_PEOPLE or LEFT_OUT in this file, with the reason.
"""


def exported() -> set[str]:
    """Columns that are shown, said in words, or known to be the person's own number."""
    found = set()
    for sections in inventory.DOMAINS.values():
        for section in sections:
            names = {*section.columns, *section.covers}
            names |= {
                word.removeprefix("t.").rstrip(",)")
                for word in section.where.replace("(", " ").split()
                if word.startswith("t.")
            }
            found |= {f"{section.table}.{name}" for name in names}
    return found


async def columns(connection: asyncpg.Connection) -> set[str]:
    rows = await connection.fetch(COLUMNS)
    return {f"{row['table']}.{row['column']}" for row in rows if row["table"] not in DERIVED}


async def test_every_column_is_in_the_copy_or_on_a_list_with_a_reason(
    connection: asyncpg.Connection,
) -> None:
    unknown = {
        column
        for column in await columns(connection) - exported() - LEFT_OUT.keys()
        if column.partition(".")[0] not in WITHOUT_PEOPLE
    }
    assert not unknown, f"{sorted(unknown)} {WHAT_TO_DO}"


async def test_the_lists_name_nothing_that_is_not_there(connection: asyncpg.Connection) -> None:
    there = await columns(connection)
    tables = {column.partition(".")[0] for column in there}
    assert exported() | LEFT_OUT.keys() <= there
    assert WITHOUT_PEOPLE.keys() <= tables
    assert not {column.partition(".")[0] for column in exported()} & WITHOUT_PEOPLE.keys()


async def test_a_table_that_points_at_people_is_not_said_to_be_without_them(
    connection: asyncpg.Connection,
) -> None:
    rows = await connection.fetch(
        "SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint "
        "WHERE contype = 'f' AND confrelid IN ('account'::regclass, 'member'::regclass)"
    )
    assert {row["name"] for row in rows} & WITHOUT_PEOPLE.keys() == set()


async def test_every_section_has_a_row_of_the_known_person(
    connection: asyncpg.Connection, client: object
) -> None:
    await known_person.is_there(connection)
    for sections in inventory.DOMAINS.values():
        for section in sections:
            rows = await connection.fetch(section.sql, known_person.ACCOUNT, known_person.MEMBER)
            assert rows, f"give the known person a row of {section.table}"
            assert {*rows[0].keys()} <= labels.COLUMNS.keys()


async def test_nobody_else_is_in_the_copy(connection: asyncpg.Connection, client: object) -> None:
    await known_person.is_there(connection)
    for sections in inventory.DOMAINS.values():
        for section in sections:
            assert not await connection.fetch(section.sql, 1, 1), section.name
            assert not await connection.fetch(section.sql, None, None), section.name


def test_the_record_says_what_the_page_says() -> None:
    record = (Path(__file__).parent.parent / "docs" / "privacy.md").read_text()
    for row in keeping.ROWS:
        words = [row.what, row.why, row.how_long, row.after]
        said = [languages.translate("en", text, years=5) for text in words]
        assert f"| {' | '.join(said[:3])} | {said[3] or 'nothing'} |" in record
