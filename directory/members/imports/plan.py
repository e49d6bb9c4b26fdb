"""The plan of an import: what of its rows and of the members would be done, compared in sets.

A comparison may be made any number of times, and gives the same plan and hash for the same file,
options and members.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import asyncpg
import msgspec

from directory.languages import marked
from directory.members import audiences
from directory.members.audiences import Field, Level
from directory.members.imports import held
from directory.members.imports.columns import Column

Tell = Callable[[str, int, int], Awaitable[None]]
"""Told which step is begun, how much is done, and of how much."""


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """is_complete: who is not in the file leaves. overwrites: also what members wrote themselves.
    omits_lookalikes: who resembles somebody there is not added.
    """

    is_complete: bool = False
    overwrites: bool = False
    omits_lookalikes: bool = False


class Plan(NamedTuple):
    """counts: of added, changed, left, unchanged, rejected, kept, alike; hash: what to commit."""

    counts: dict[str, int]
    hash: bytes


# What is wrong with rows beside their cells: marked texts, with places for `params`.
NO_ID = marked("La fiche %(id)s n’existe pas.")
SEVERAL = marked("Le numéro, l’adresse ou la fiche de cette ligne sont ceux de plusieurs membres.")
OTHER_NUMBER = marked("Cette personne a le numéro %(number)s. Un import ne change pas de numéro.")
REPEATED_NUMBER = marked("Le même numéro est à la ligne %(other)s. Gardez une seule ligne.")
REPEATED_EMAIL = marked("La même adresse est à la ligne %(other)s. Gardez une seule ligne.")
REPEATED_MEMBER = marked("La même personne est à la ligne %(other)s. Gardez une seule ligne.")
NO_NAME = marked("Le nom manque, pour une personne nouvelle.")
TAKEN = marked("Cette adresse est déjà celle d’un autre compte.")
ALIKE = marked("Ressemble à une personne qui est déjà là. Vous avez choisi de ne pas l’ajouter.")

ALIKE_ENOUGH = 0.6  # trigram similarity of the whole names
MOST_SHARING = 80  # people of a town; a beginning that more share is no reason to compare
MOST_LIKES = 3

_TABLES = """
    CREATE TEMP TABLE IF NOT EXISTS found (
        id bigint, line integer, ref bigint, number text, email text, name text, place text,
        given jsonb, faults jsonb, by_ref bigint, by_number bigint, by_email bigint,
        account_id bigint, member_id bigint) ON COMMIT DROP;
    CREATE TEMP TABLE IF NOT EXISTS difference (
        row_id bigint, field text, old text, new text, verdict text) ON COMMIT DROP;
    CREATE TEMP TABLE IF NOT EXISTS alike (
        row_id bigint, member_id bigint, line integer, name text, score real) ON COMMIT DROP;
    CREATE TEMP TABLE IF NOT EXISTS wrong (
        row_id bigint, field text, message text, params jsonb) ON COMMIT DROP;
    TRUNCATE found, difference, alike, wrong;
"""
_FIND = """
    INSERT INTO found
    SELECT r.id, r.line, r.ref, r.number, r.email, r.name, r.place, r.given, r.faults,
        i.id, n.id, e.id, a.id, coalesce(n.id, e.id, i.id)
    FROM import_row r
    LEFT JOIN member n ON n.number = r.number
    LEFT JOIN account a ON a.email = r.email::citext
    LEFT JOIN member e ON e.account_id = a.id
    LEFT JOIN member i ON i.id = r.ref
    WHERE r.import_id = $1
"""
# The faults that take two rows, or a row and a member. $1 to $7 are their texts.
_JUDGE = """
    INSERT INTO wrong (row_id, field, message, params)
    WITH seen AS (
        SELECT f.*, m.number AS has_number, m.account_id AS has_account,
            count(*) OVER number AS numbers, min(f.line) OVER number AS first_number,
            max(f.line) OVER number AS last_number,
            count(*) OVER email AS emails, min(f.line) OVER email AS first_email,
            max(f.line) OVER email AS last_email,
            count(*) OVER member AS members, min(f.line) OVER member AS first_member,
            max(f.line) OVER member AS last_member
        FROM found f LEFT JOIN member m ON m.id = f.member_id
        WINDOW number AS (PARTITION BY f.number), email AS (PARTITION BY f.email),
            member AS (PARTITION BY f.member_id)
    )
    SELECT id, 'id', $1, jsonb_build_object('id', ref) FROM seen
        WHERE ref IS NOT NULL AND by_ref IS NULL
    UNION ALL SELECT id, '', $2, '{}' FROM seen
        WHERE by_number <> by_email OR by_number <> by_ref OR by_email <> by_ref
    UNION ALL SELECT id, 'number', $3, jsonb_build_object('number', has_number) FROM seen
        WHERE by_number IS NULL AND number <> has_number
    UNION ALL SELECT id, 'number', $4, jsonb_build_object('other',
            CASE WHEN line = first_number THEN last_number ELSE first_number END) FROM seen
        WHERE number IS NOT NULL AND numbers > 1
    UNION ALL SELECT id, 'email', $5, jsonb_build_object('other',
            CASE WHEN line = first_email THEN last_email ELSE first_email END) FROM seen
        WHERE email IS NOT NULL AND emails > 1
    UNION ALL SELECT id, '', $6, jsonb_build_object('other',
            CASE WHEN line = first_member THEN last_member ELSE first_member END) FROM seen
        WHERE member_id IS NOT NULL AND members > 1
            AND NOT (number IS NOT NULL AND numbers > 1) AND NOT (email IS NOT NULL AND emails > 1)
    UNION ALL SELECT id, 'name', $7, '{}' FROM seen
        WHERE member_id IS NULL AND name = '' AND faults = '[]'
    UNION ALL SELECT id, 'email', $8, '{}' FROM seen
        WHERE member_id IS NOT NULL AND by_email IS NULL AND account_id IS NOT NULL
            AND account_id IS DISTINCT FROM has_account
"""
_FAULTS = """
    UPDATE found f SET faults = f.faults || w.faults
    FROM (SELECT row_id, jsonb_agg(jsonb_build_object(
            'column', field, 'message', message, 'params', params) ORDER BY message) AS faults
        FROM wrong GROUP BY row_id) AS w
    WHERE w.row_id = f.id
"""


def _differ(columns: list[Column]) -> str:
    """What is not there, but in the file. $1 salt, $2 the member's fields, $3 overwrites.

    What the member wrote and coordinators do not see is not compared: that would tell it.
    """
    return f"""
    INSERT INTO difference
    WITH pair AS MATERIALIZED (
        SELECT f.id, f.given, {held.sql_values(columns)} AS held, {held.sql_seen(columns)} AS seen,
            coalesce(s.digests, '{{}}') AS digests, {held.OWNS_ADDRESS} AS owns_address
        FROM found f JOIN member m ON m.id = f.member_id {held.JOINS}
        LEFT JOIN member_source s ON s.member_id = m.id
        WHERE f.faults = '[]'
    ), field AS (
        SELECT pair.id, g.key, g.value AS new, held ->> g.key AS old,
            g.key = ANY($2::text[]) AS is_own, (seen ->> g.key)::boolean AS is_seen,
            digests ->> g.key AS digest, owns_address AND g.key = 'email' AS is_fixed
        FROM pair, jsonb_each_text(given) AS g WHERE held ? g.key
    ), judged AS (
        SELECT *, CASE WHEN digest IS NULL THEN old = ''
            ELSE digest = {held.sql_digest("$1", "key", "old")} END AS is_ours
        FROM field
    )
    SELECT id, key, CASE WHEN NOT is_own OR is_seen OR is_ours THEN old END, new,
        CASE WHEN is_fixed OR (is_own AND NOT is_ours AND NOT $3) THEN 'kept' ELSE 'change' END
    FROM judged
    WHERE new <> old OR (is_own AND NOT is_seen AND NOT is_ours)
    """  # noqa: S608 - own names of fields


# Who would be added resembles somebody: members whom coordinators see, or other new rows. Compared
# is who shares a town and the beginnings of two words of the name, or a rarer one of one word.
_STARTS = """
    SELECT id, place, left(word, 3) AS letters FROM {people}, unnest(words) AS word
    UNION SELECT id, place, left(one, 2) || ' ' || left(other, 2)
    FROM {people}, unnest(words) AS one, unnest(words) AS other WHERE one < other
"""
_WORDS = "array_remove(regexp_split_to_array({text}, '[^[:alnum:]]+'), '')"
_ALIKE = f"""
    INSERT INTO alike
    WITH fresh AS MATERIALIZED (
        SELECT id, line, name, place, folded, {_WORDS.format(text="folded")} AS words
        FROM found, lower(unaccent(name)) AS folded
        WHERE member_id IS NULL AND faults = '[]' AND place IS NOT NULL
            AND coalesce(given ->> 'left_on', '') = ''
    ), known AS MATERIALIZED (
        SELECT m.id, m.display_name AS name, p.code AS place, folded,
            {_WORDS.format(text="folded")} AS words
        FROM member m JOIN place p ON p.id = m.place_id, lower(unaccent(m.display_name)) AS folded
        WHERE m.left_on IS NULL AND p.code IN (SELECT place FROM fresh)
            AND {audiences.sql_visible(Field.DISPLAY_NAME, "m.audiences", f"{Level.MEMBER:d}")}
            AND {audiences.sql_visible(Field.PLACE, "m.audiences", f"{Level.MEMBER:d}")}
    ), start AS MATERIALIZED ({_STARTS.format(people="fresh")}
    ), known_start AS MATERIALIZED ({_STARTS.format(people="known")}
    ), rare AS MATERIALIZED (
        SELECT place, letters FROM (SELECT * FROM start UNION ALL SELECT * FROM known_start) AS e
        GROUP BY place, letters HAVING count(*) BETWEEN 2 AND {MOST_SHARING}
    ), near AS (
        SELECT s.id AS row_id, k.id AS member_id, NULL::bigint AS other_id
        FROM rare JOIN start s USING (place, letters) JOIN known_start k USING (place, letters)
        UNION
        SELECT s.id, NULL, o.id
        FROM rare JOIN start s USING (place, letters) JOIN start o USING (place, letters)
        WHERE o.id < s.id
    )
    SELECT n.row_id, n.member_id, o.line, coalesce(k.name, o.name),
        similarity(f.folded, coalesce(k.folded, o.folded))
    FROM near n JOIN fresh f ON f.id = n.row_id
    LEFT JOIN known k ON k.id = n.member_id LEFT JOIN fresh o ON o.id = n.other_id
    WHERE similarity(f.folded, coalesce(k.folded, o.folded)) >= {ALIKE_ENOUGH}
"""  # noqa: S608 - our own expressions
_OMIT = """
    UPDATE found SET faults = jsonb_build_array(
        jsonb_build_object('column', '', 'message', $1::text, 'params', '{}'::jsonb))
    WHERE id IN (SELECT row_id FROM alike)
"""
_WRITE = f"""
    INSERT INTO import_plan
        (import_id, row_id, line, member_id, action, name, changes, faults, likes)
    SELECT $1, f.id, f.line, f.member_id,
        CASE WHEN f.faults <> '[]' THEN 'reject'
            WHEN f.member_id IS NULL AND coalesce(f.given ->> 'left_on', '') = '' THEN 'add'
            WHEN f.member_id IS NULL OR d.changes IS NULL THEN 'same'
            WHEN d.leaves THEN 'leave' WHEN d.changed THEN 'change' ELSE 'same'
        END::import_action,
        coalesce(nullif(f.name, ''), f.number, f.email, ''),
        CASE WHEN f.faults <> '[]' THEN '[]'
            WHEN f.member_id IS NULL THEN coalesce((
                SELECT jsonb_agg(jsonb_build_object('field', g.key, 'old', '', 'new', g.value,
                    'verdict', 'change') ORDER BY g.key)
                FROM jsonb_each_text(f.given) AS g WHERE g.value <> ''), '[]')
            ELSE coalesce(d.changes, '[]') END,
        f.faults, coalesce(l.likes, '[]')
    FROM found f LEFT JOIN (
        SELECT row_id, jsonb_agg(jsonb_build_object('member_id', member_id, 'line', line,
            'name', name) ORDER BY n) AS likes
        FROM (SELECT *, row_number() OVER (PARTITION BY row_id
            ORDER BY score DESC, member_id, line) AS n FROM alike) AS ranked
        WHERE n <= {MOST_LIKES} GROUP BY row_id) AS l ON l.row_id = f.id
    LEFT JOIN (
        SELECT row_id, bool_or(verdict = 'change') AS changed,
            bool_or(verdict = 'change' AND field = 'left_on' AND new <> '') AS leaves,
            jsonb_agg(jsonb_build_object('field', field, 'old', old, 'new', new,
                'verdict', verdict) ORDER BY field) AS changes
        FROM difference GROUP BY row_id) AS d ON d.row_id = f.id
    ORDER BY f.line
"""  # noqa: S608 - a number of ours
# Whoever a row may be about stays, be the row refused or not.
_LEAVE = f"""
    INSERT INTO import_plan (import_id, member_id, action, name, changes, faults, likes)
    SELECT $1, m.id, 'leave', CASE
            WHEN {audiences.sql_visible(Field.DISPLAY_NAME, "m.audiences", f"{Level.MEMBER:d}")}
            THEN m.display_name ELSE coalesce(m.number, '') END, '[]', '[]', '[]'
    FROM member m WHERE m.left_on IS NULL
        AND NOT EXISTS (SELECT FROM found f WHERE f.by_number = m.id)
        AND NOT EXISTS (SELECT FROM found f WHERE f.by_email = m.id)
        AND NOT EXISTS (SELECT FROM found f WHERE f.by_ref = m.id)
    ORDER BY m.id
"""  # noqa: S608 - our own expressions
_COUNT = """
    SELECT count(*) FILTER (WHERE action = 'add') AS added,
        count(*) FILTER (WHERE action = 'change') AS changed,
        count(*) FILTER (WHERE action = 'leave') AS left,
        count(*) FILTER (WHERE action = 'same') AS unchanged,
        count(*) FILTER (WHERE action = 'reject') AS rejected,
        count(*) FILTER (WHERE jsonb_path_exists(changes, '$[*] ? (@.verdict == "kept")')) AS kept,
        count(*) FILTER (WHERE likes <> '[]') AS alike
    FROM import_plan WHERE import_id = $1
"""
_HASH = """
    SELECT sha256(convert_to($2 || coalesce(string_agg(md5(concat_ws('|', coalesce(line, 0), action,
        CASE WHEN row_id IS NULL OR action IN ('change', 'leave') THEN member_id END,
        changes, faults, likes)), '' ORDER BY line NULLS LAST, member_id), ''), 'UTF8'))
    FROM import_plan WHERE import_id = $1
"""


async def compare(
    opened: asyncpg.Connection, import_id: int, columns: list[Column], options: Options,
    content: bytes, tell: Tell,
) -> Plan:  # fmt: skip
    """Work the plan out anew, in the open transaction. content is the digest of the file."""
    await opened.execute(_TABLES)
    await opened.execute("DELETE FROM import_plan WHERE import_id = $1", import_id)
    await tell(marked("Reconnaître les personnes"), 0, 5)
    await opened.execute(_FIND, import_id)
    await opened.execute("ANALYZE found")
    await opened.execute(
        _JUDGE, NO_ID, SEVERAL, OTHER_NUMBER, REPEATED_NUMBER, REPEATED_EMAIL, REPEATED_MEMBER,
        NO_NAME, TAKEN,
    )  # fmt: skip
    await opened.execute(_FAULTS)
    await tell(marked("Comparer les fiches"), 1, 5)
    compared = [column for column in columns if column in held.VALUES]
    if Column.NAME in columns or {Column.GIVEN_NAME, Column.FAMILY_NAME} <= set(columns):
        compared.append(Column.DISPLAY_NAME)
    if {Column.TOWN, Column.POSTAL_CODE} & set(columns):
        compared.append(Column.PLACE)
    own = [column.value for column in held.own(set(compared))]
    await opened.execute(
        _differ(list(dict.fromkeys(compared))), held.salt(), own, options.overwrites
    )
    await opened.execute("ANALYZE difference")
    await tell(marked("Chercher les doublons possibles"), 2, 5)
    await opened.execute(_ALIKE)
    await opened.execute("ANALYZE alike")
    if options.omits_lookalikes:
        await opened.execute(_OMIT, ALIKE)
    await tell(marked("Écrire le plan"), 3, 5)
    await opened.execute(_WRITE, import_id)
    if options.is_complete:
        await opened.execute(_LEAVE, import_id)
    await tell(marked("Compter"), 4, 5)
    row = await opened.fetchrow(_COUNT, import_id)
    head = f"{content.hex()} {msgspec.json.encode(options, order='sorted').decode()} "
    digest = await opened.fetchval(_HASH, import_id, head)
    return Plan(dict(row or {}), digest)
