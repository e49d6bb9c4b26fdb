"""What is held of members, in SQL, in the form in which an import compares it.

The cooperative's own fields always follow its file. A field of the member follows it only while it
is as an import left it, or empty: see docs/decisions/0009.
"""

from collections.abc import Collection, Mapping

from directory import settings
from directory.members import audiences
from directory.members.audiences import Field, Level
from directory.members.imports.columns import Column

REGISTER = (
    Column.NUMBER, Column.GIVEN_NAME, Column.FAMILY_NAME, Column.TURNOVER, Column.JOINED_ON,
    Column.LEFT_ON,
)  # fmt: skip
_SKILLS = (
    "(SELECT string_agg(label, E'\\n' ORDER BY position) FROM member_skill"
    " WHERE member_id = m.id AND kind = '{kind}')"
)
# From m, its account a, place p, territory t, and declaration d.
VALUES: Mapping[Column, str] = {
    Column.NUMBER: "m.number",
    Column.EMAIL: "lower(a.email::text)",
    Column.GIVEN_NAME: "m.given_name",
    Column.FAMILY_NAME: "m.family_name",
    Column.DISPLAY_NAME: "m.display_name",
    Column.HEADLINE: "m.headline",
    Column.BIOGRAPHY: "m.biography",
    Column.TRADES: "(SELECT string_agg(w.code, E'\\n' ORDER BY mt.position) FROM member_trade mt"
    " JOIN trade w ON w.id = mt.trade_id WHERE mt.member_id = m.id)",
    Column.SECTORS: "(SELECT string_agg(w.code, E'\\n' ORDER BY w.code COLLATE \"C\")"
    " FROM member_sector ms JOIN sector w ON w.id = ms.sector_id WHERE ms.member_id = m.id)",
    Column.SKILLS_OFFERED: _SKILLS.format(kind="offered"),
    Column.SKILLS_WANTED: _SKILLS.format(kind="wanted"),
    Column.LANGUAGES: "(SELECT string_agg(language || ':' || level, E'\\n' ORDER BY language"
    ' COLLATE "C") FROM member_language WHERE member_id = m.id)',
    Column.PLACE: "p.code",
    Column.TERRITORY: "t.slug",
    Column.PHONE: "m.phone",
    Column.LINKS: "(SELECT string_agg(url, E'\\n' ORDER BY position) FROM member_link"
    " WHERE member_id = m.id)",
    Column.STAGE: "m.stage",
    Column.TURNOVER: "d.turnover_band",
    Column.JOINED_ON: "m.joined_on",
    Column.LEFT_ON: "m.left_on",
}
JOINS = (
    "LEFT JOIN account a ON a.id = m.account_id LEFT JOIN place p ON p.id = m.place_id"
    " LEFT JOIN territory t ON t.id = m.territory_id"
    " LEFT JOIN member_declaration d ON d.member_id = m.id"
)
# An address that somebody confirmed is theirs, and so is that of whoever has a role: an import
# that could change it could sign in as them.
OWNS_ADDRESS = (
    "(a.email_confirmed_at IS NOT NULL"
    " OR EXISTS (SELECT FROM access_grant g WHERE g.account_id = a.id))"
)


def own(columns: Collection[Column]) -> list[Column]:
    """Those that are the member's to write."""
    return [column for column in columns if column in VALUES and column not in REGISTER]


def sql_values(columns: Collection[Column]) -> str:
    """SQL: a JSON object of the texts of these fields of m, '' for nothing."""
    return _object(
        {column: f"coalesce({VALUES[column]}::text, '')" for column in columns if column in VALUES}
    )


def sql_seen(columns: Collection[Column]) -> str:
    """SQL: a JSON object of whether members see these fields of m; coordinators see the same."""
    return _object(
        {
            column: audiences.sql_visible(Field(column), "m.audiences", f"{Level.MEMBER:d}")
            for column in own(columns)
        }
    )


def _object(pairs: Mapping[Column, str]) -> str:
    inner = ", ".join(f"'{name}', {sql}" for name, sql in pairs.items())
    return f"jsonb_build_object({inner})"


def sql_digest(salt: str, field: str, value: str) -> str:
    """SQL: the keyed digest of a value, from expressions. Without the salt it tells nothing."""
    return f"encode(sha256(convert_to({salt} || {field} || E'\\x1f' || {value}, 'UTF8')), 'hex')"


def salt() -> str:
    return f"import {settings.current().secret.hex()}"
