"""A plan, applied: all of it or nothing."""

from collections.abc import Sequence

import asyncpg

from directory import db
from directory.accounts import audit
from directory.accounts.actor import Actor
from directory.languages import marked
from directory.members import documents, links, profiles
from directory.members.audiences import Field
from directory.members.imports import held, plan, record
from directory.members.imports.plan import Tell
from search import outbox

TOLD_ONE_BY_ONE = 100
INDEXED_AT_ONCE = 200
CHUNK = 1_000
ANALYZED_FROM = 1_000  # people: what the planner knows of the tables is then wrong
STEPS = 6

# Everybody whom the plan changes, locked in one order, before it is compared once more.
_LOCK = """
    SELECT FROM member WHERE id IN (
        SELECT member_id FROM import_plan WHERE import_id = $1 AND action <> 'reject')
    ORDER BY id FOR UPDATE
"""
_TABLES = """
    CREATE TEMP TABLE IF NOT EXISTS written (
        member_id bigint PRIMARY KEY, is_new boolean, fields jsonb) ON COMMIT DROP;
    TRUNCATE written;
"""
_NUMBERED = """
    UPDATE import_plan SET member_id = nextval(pg_get_serial_sequence('member', 'id'))
    WHERE import_id = $1 AND action = 'add'
"""
_GATHER = """
    INSERT INTO written
    SELECT member_id, action = 'add', coalesce((
            SELECT jsonb_object_agg(c ->> 'field', c ->> 'new')
            FROM jsonb_array_elements(changes) AS c WHERE c ->> 'verdict' = 'change'), '{}')
        || CASE WHEN row_id IS NULL THEN jsonb_build_object('left_on', $2::date) ELSE '{}' END
    FROM import_plan WHERE import_id = $1 AND action IN ('add', 'change', 'leave')
"""
_ACCOUNTS = (
    # Of those who have none: one that has the address already is theirs, and stays as it is.
    """
    INSERT INTO account (email, language)
    SELECT w.fields ->> 'email', coalesce(w.fields ->> 'mail_language', 'fr')
    FROM written w LEFT JOIN member m ON m.id = w.member_id
    WHERE w.fields ? 'email' AND m.account_id IS NULL
    ON CONFLICT (email) DO NOTHING
    """,
    """
    UPDATE account a SET email = w.fields ->> 'email'
    FROM written w JOIN member m ON m.id = w.member_id
    WHERE a.id = m.account_id AND w.fields ? 'email'
    """,
)
_ADD = """
    INSERT INTO member (id, display_name)
    SELECT member_id, fields ->> 'display_name' FROM written WHERE is_new
"""
_TEXTS = ("number", "given_name", "family_name", "display_name", "headline", "biography", "phone")
_SET_TEXTS = ", ".join(
    f"{name} = CASE WHEN f ? '{name}' THEN f ->> '{name}' ELSE m.{name} END" for name in _TEXTS
)
_MEMBERS = f"""
    UPDATE member m SET version = m.version + CASE WHEN w.is_new THEN 0 ELSE 1 END,
        updated_at = now(),
        {_SET_TEXTS},
        account_id = CASE WHEN m.account_id IS NULL AND f ? 'email'
            THEN (SELECT id FROM account a WHERE a.email = (f ->> 'email')::citext)
            ELSE m.account_id END,
        place_id = CASE WHEN f ? 'place'
            THEN (SELECT id FROM place p WHERE p.code = f ->> 'place') ELSE m.place_id END,
        territory_id = CASE WHEN f ? 'territory'
            THEN (SELECT id FROM territory t WHERE t.slug = f ->> 'territory')
            ELSE m.territory_id END,
        stage = CASE WHEN f ? 'stage'
            THEN nullif(f ->> 'stage', '')::activity_stage ELSE m.stage END,
        joined_on = CASE WHEN f ? 'joined_on' THEN (f ->> 'joined_on')::date
            WHEN w.is_new THEN $1 ELSE m.joined_on END,
        left_on = CASE WHEN f ? 'left_on' THEN nullif(f ->> 'left_on', '')::date ELSE m.left_on END
    FROM (SELECT *, fields AS f FROM written) AS w WHERE m.id = w.member_id
"""  # noqa: S608 - own names
# Of each list: its rows are deleted and written again. part is an item, n its place from 1.
_LISTS = {
    "trades": ("member_trade", "", "(member_id, trade_id, position)",
        "SELECT i.member_id, t.id, i.n - 1 FROM item i JOIN trade t ON t.code = i.part"),
    "sectors": ("member_sector", "", "(member_id, sector_id)",
        "SELECT i.member_id, s.id FROM item i JOIN sector s ON s.code = i.part"),
    "skills_offered": ("member_skill", " AND kind = 'offered'",
        "(member_id, kind, position, label)",
        "SELECT i.member_id, 'offered'::skill_kind, i.n - 1, i.part FROM item i"),
    "skills_wanted": ("member_skill", " AND kind = 'wanted'", "(member_id, kind, position, label)",
        "SELECT i.member_id, 'wanted'::skill_kind, i.n - 1, i.part FROM item i"),
    "languages": ("member_language", "", "(member_id, language, level)",
        "SELECT member_id, p[1], p[2]::language_level FROM item, string_to_array(part, ':') AS p"),
}  # fmt: skip
_DECLARATIONS = (
    """
    DELETE FROM member_declaration WHERE member_id IN (
        SELECT member_id FROM written WHERE fields ->> 'turnover_band' = '')
    """,
    """
    INSERT INTO member_declaration (member_id, turnover_band)
    SELECT member_id, (fields ->> 'turnover_band')::turnover_band FROM written
    WHERE fields ->> 'turnover_band' <> ''
    ON CONFLICT (member_id) DO UPDATE
        SET turnover_band = excluded.turnover_band, declared_at = now()
    """,
)
_SOURCES = f"""
    INSERT INTO member_source (member_id, digests)
    SELECT w.member_id, jsonb_object_agg(f.key, {held.sql_digest("$1", "f.key", "f.value")})
    FROM written w, jsonb_each_text(w.fields) AS f WHERE f.key <> ALL ($2::text[])
    GROUP BY w.member_id
    ON CONFLICT (member_id) DO UPDATE SET digests = member_source.digests || excluded.digests
"""  # noqa: S608 - our own expression
# As audit.record does, for tens of thousands at once.
_AUDIT = """
    INSERT INTO audit_entry (account_id, token_id, action, member_id, subject, fields)
    SELECT $1, $2, CASE WHEN w.is_new THEN 'member.imported'
            WHEN coalesce(w.fields ->> 'left_on', '') <> '' THEN 'member.left'
            ELSE 'profile.imported' END, w.member_id, $3,
        ARRAY(SELECT jsonb_object_keys(w.fields) ORDER BY 1)
    FROM written w
"""
_INVITE = """
    INSERT INTO member_invitation (member_id, import_id)
    SELECT w.member_id, $1 FROM written w JOIN member m ON m.id = w.member_id
    JOIN account a ON a.id = m.account_id
    WHERE w.is_new AND a.email_confirmed_at IS NULL AND a.disabled_at IS NULL
        AND NOT EXISTS (SELECT FROM access_grant g WHERE g.account_id = a.id)
    ORDER BY w.member_id
    ON CONFLICT (member_id) DO NOTHING
"""


async def apply(actor: Actor, import_id: int, tell: Tell) -> bool:
    """Apply the plan that was asked for. False: it has moved meanwhile, and was made anew.

    actor is who asked, for the audit log: they were let in when they asked.
    """
    async with db.transaction() as opened:
        await tell(marked("Vérifier le plan"), 0, STEPS)
        if not await _is_current(opened, import_id):
            return False
        await opened.execute(_TABLES)
        await opened.execute(_NUMBERED, import_id)
        today = await opened.fetchval("SELECT (now() AT TIME ZONE 'Europe/Brussels')::date")
        await opened.execute(_GATHER, import_id, today)
        await opened.execute("ANALYZE written")
        await tell(marked("Écrire les comptes et les fiches"), 1, STEPS)
        await opened.execute(_ACCOUNTS[0])
        await opened.execute(_ACCOUNTS[1])
        await opened.execute(_ADD)
        await opened.execute(_MEMBERS, today)
        await tell(marked("Écrire les métiers et les langues"), 2, STEPS)
        await _write_lists(opened)
        await tell(marked("Noter ce qui a changé"), 3, STEPS)
        await _note(opened, actor, import_id)
        await tell(marked("Mettre la recherche à jour"), 4, STEPS)
        await _index(opened)
        await opened.execute("DELETE FROM import_row WHERE import_id = $1", import_id)
        await opened.execute(
            "UPDATE member_import SET state = 'done', finished_at = now(), step = '', done = 0,"
            " total = 0 WHERE id = $1",
            import_id,
        )
    return True


async def _is_current(opened: asyncpg.Connection, import_id: int) -> bool:
    row = await opened.fetchrow(
        "SELECT plan_hash, options, findings FROM member_import WHERE id = $1", import_id
    )
    if row is None:
        return False
    options, findings, wanted = record.inputs(row)
    await opened.execute(_LOCK, import_id)
    made = await plan.compare(
        opened, import_id, findings.columns, options, bytes.fromhex(findings.digest), _silent
    )
    if made.hash == wanted:
        return True
    await record.keep_plan(opened, import_id, made, is_moved=True)
    return False


async def _write_lists(opened: asyncpg.Connection) -> None:
    for field, (table, condition, columns, select) in _LISTS.items():
        await opened.execute(
            f"DELETE FROM {table} WHERE member_id IN ("  # noqa: S608 - own names
            f"SELECT member_id FROM written WHERE fields ? '{field}'){condition}"
        )
        await opened.execute(
            "WITH item AS (SELECT w.member_id, i.part, i.n FROM written w,"  # noqa: S608 - as above
            f" unnest(string_to_array(nullif(w.fields ->> '{field}', ''), E'\\n'))"
            f" WITH ORDINALITY AS i (part, n)) INSERT INTO {table} {columns} {select}"
        )
    await _write_links(opened)
    for statement in _DECLARATIONS:
        await opened.execute(statement)


async def _write_links(opened: asyncpg.Connection) -> None:
    """By Python: which network an address is of is not for SQL to tell."""
    await opened.execute(
        "DELETE FROM member_link WHERE member_id IN ("
        "SELECT member_id FROM written WHERE fields ? 'links')"
    )
    cursor = await opened.cursor(
        "SELECT member_id, fields ->> 'links' AS urls FROM written WHERE fields ->> 'links' <> ''"
    )
    while rows := await cursor.fetch(CHUNK):
        await opened.copy_records_to_table(
            "member_link", columns=("member_id", "position", "kind", "url"),
            records=[
                (row["member_id"], position, links.read(Field.LINKS, url).kind, url)
                for row in rows
                for position, url in enumerate(row["urls"].split("\n"))
            ],
        )  # fmt: skip


async def _note(opened: asyncpg.Connection, actor: Actor, import_id: int) -> None:
    subject = f"import:{import_id}"
    register = [*held.REGISTER, "mail_language"]
    await opened.execute(_SOURCES, held.salt(), register)
    await opened.execute(_AUDIT, actor.account_id, actor.token_id, subject)
    await audit.record(actor, "import.committed", subject=subject)
    if await opened.fetchval("SELECT invites FROM member_import WHERE id = $1", import_id):
        await opened.execute(_INVITE, import_id)


async def _index(opened: asyncpg.Connection) -> None:
    """Who left is found no more from the commit on, however many they are; the worker indexes
    the others."""
    rows = await opened.fetch(
        "SELECT member_id, coalesce(fields ->> 'left_on', '') <> '' AS has_left FROM written"
        " ORDER BY member_id"
    )
    ids = [row["member_id"] for row in rows]
    if len(ids) <= TOLD_ONE_BY_ONE:
        await profiles.tell(ids)
    else:
        await documents.refresh(opened, ids)
    if len(ids) >= ANALYZED_FROM:
        tables = {table for table, *_ in _LISTS.values()} | {"member", "account", "member_source"}
        await opened.execute(f"ANALYZE {', '.join(sorted(tables))}")
    gone = [row["member_id"] for row in rows if row["has_left"]]
    for start in range(0, len(gone), INDEXED_AT_ONCE):
        await _remove(opened, gone[start : start + INDEXED_AT_ONCE])


async def _remove(opened: asyncpg.Connection, ids: Sequence[int]) -> None:
    await outbox.index_now(opened, documents.INDEX, documents.SOURCE, ids)


async def _silent(step: str, done: int, total: int) -> None:
    """The steps of applying are told, not those of comparing in it."""
