"""What a filière's health is read from: figures of its members, dates, mails and mandates.

Events, mailings and memberships belong to domains above this one; their tables are only counted
here. No figure comes from a mail that was opened: nobody knows that.
"""

from collections.abc import Collection
from datetime import date

import asyncpg
import msgspec

from directory import db
from directory.filieres import registry, vacancies
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef

MONTHS = 12


# Who takes part: the traces that somebody leaves, with member_id, filiere_id, the instant, and
# whether it counts for anybody. Else it counts for who was a member then. One who supports a
# proposal is in nothing yet.
_TRACES = """
    SELECT member_id, filiere_id, joined_at, false FROM membership
    UNION ALL SELECT m.id, ef.filiere_id, e.created_at, false FROM event e
    JOIN event_filiere ef ON ef.event_id = e.id JOIN member m ON m.account_id = e.created_by
    UNION ALL SELECT g.author_id, gf.filiere_id, g.started_at, false FROM mailing g
    JOIN mailing_filiere gf ON gf.mailing_id = g.id WHERE g.state IN ('sending', 'sent')
    UNION ALL SELECT to_member_id, filiere_id, at, false FROM mandate_offer
    WHERE kind = 'candidacy'
    UNION ALL SELECT member_id, filiere_id, given_at, true FROM filiere_support
    UNION ALL SELECT member_id, filiere_id, created_at, false FROM initiative
"""


class Month(msgspec.Struct, frozen=True):
    """One of the last twelve months, each of which ends on the day of the month that today is."""

    first_on: date
    last_on: date
    active: int
    joins: int
    leaves: int


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of one filière today. `months` are oldest first.

    `mandate_ends_on` is the last day on which anybody animates it by a mandate that runs;
    `is_followed` says that another one is to begin. `vacant_since` is None while somebody
    animates it, and where nobody ever did. `candidacy_since` is of one that waits for an answer.
    `sheet_version` and `sheet_accepted` (members who accepted it) are None without a method sheet.
    """

    filiere: FiliereRef
    stage_since: date
    members: int
    months: list[Month]
    last_event_on: date | None = None
    next_event_on: date | None = None
    last_mailing_on: date | None = None
    animators: int = 0
    ambassadors: int = 0
    mandate_ends_on: date | None = None
    is_followed: bool = False
    vacant_since: date | None = None
    candidacy_since: date | None = None
    open_offers: int = 0
    sheet_version: int | None = None
    sheet_accepted: int | None = None

    @property
    def active(self) -> int:
        """In the month that ends today."""
        return self.months[-1].active

    def lately(self, months: int) -> list[Month]:
        return self.months[-months:]


_DAY = "AT TIME ZONE 'Europe/Brussels'"
_SHEETS = """
    SELECT v.filiere_id, v.version AS sheet_version, (
        SELECT count(DISTINCT k.member_id)::int FROM method_acceptance a
        JOIN membership k ON k.filiere_id = a.filiere_id AND k.member_id = a.member_id
            AND k.left_at IS NULL
        JOIN member m ON m.id = k.member_id AND m.left_on IS NULL
        WHERE a.filiere_id = v.filiere_id AND a.version = v.version) AS sheet_accepted
    FROM (SELECT filiere_id, max(version) AS version FROM method_sheet GROUP BY filiere_id) AS v
"""
# $1 the stages, $2 one filière or null.
_FIGURES = f"""
    WITH shown AS (
        SELECT f.id FROM filiere f
        WHERE f.stage::text = ANY($1) AND ($2::bigint IS NULL OR f.id = $2)
    ),
    periods AS (
        SELECT n AS place, first_on, end_on, first_on::timestamp {_DAY} AS starts_at,
            end_on::timestamp {_DAY} AS ends_at
        FROM generate_series(0, {MONTHS} - 1) AS n, LATERAL (SELECT
            ((now() {_DAY})::date + 1 - make_interval(months => n + 1))::date AS first_on,
            ((now() {_DAY})::date + 1 - make_interval(months => n))::date AS end_on) AS days
    ),
    acts AS (
        SELECT a.filiere_id, p.place, count(DISTINCT a.member_id)::int AS active
        FROM ({_TRACES}) AS a (member_id, filiere_id, at, of_anybody)
        JOIN shown s ON s.id = a.filiere_id
        JOIN periods p ON a.at >= p.starts_at AND a.at < p.ends_at
        WHERE a.of_anybody OR EXISTS (
            SELECT FROM membership k WHERE k.filiere_id = a.filiere_id
              AND k.member_id = a.member_id AND k.joined_at <= a.at
              AND (k.left_at IS NULL OR k.left_at >= a.at))
        GROUP BY a.filiere_id, p.place
    ),
    joined AS (
        SELECT k.filiere_id, p.place, count(*)::int AS joins FROM membership k
        JOIN shown s ON s.id = k.filiere_id
        JOIN periods p ON k.joined_at >= p.starts_at AND k.joined_at < p.ends_at
        GROUP BY k.filiere_id, p.place
    ),
    parted AS (
        SELECT k.filiere_id, p.place, count(*)::int AS leaves FROM membership k
        JOIN shown s ON s.id = k.filiere_id
        JOIN periods p ON k.left_at >= p.starts_at AND k.left_at < p.ends_at
        GROUP BY k.filiere_id, p.place
    ),
    by_month AS (
        SELECT s.id, jsonb_agg(jsonb_build_object('first_on', p.first_on,
            'last_on', p.end_on - 1, 'active', coalesce(a.active, 0),
            'joins', coalesce(j.joins, 0), 'leaves', coalesce(l.leaves, 0))
            ORDER BY p.place DESC) AS months
        FROM shown s CROSS JOIN periods p
        LEFT JOIN acts a ON a.filiere_id = s.id AND a.place = p.place
        LEFT JOIN joined j ON j.filiere_id = s.id AND j.place = p.place
        LEFT JOIN parted l ON l.filiere_id = s.id AND l.place = p.place
        GROUP BY s.id
    ),
    members AS (
        SELECT k.filiere_id, count(*)::int AS members FROM membership k
        JOIN shown s ON s.id = k.filiere_id
        JOIN member m ON m.id = k.member_id AND m.left_on IS NULL
        WHERE k.left_at IS NULL GROUP BY k.filiere_id
    ),
    dates AS (
        SELECT ef.filiere_id,
            max(e.starts_at) FILTER (WHERE e.starts_at <= now()) AS last_event_at,
            min(e.starts_at) FILTER (WHERE e.starts_at > now()) AS next_event_at
        FROM event_filiere ef JOIN event e ON e.id = ef.event_id AND e.cancelled_at IS NULL
        GROUP BY ef.filiere_id
    ),
    mails AS (
        SELECT gf.filiere_id, max(g.started_at) AS last_mailing_at
        FROM mailing_filiere gf JOIN mailing g ON g.id = gf.mailing_id
        WHERE g.state IN ('sending', 'sent') GROUP BY gf.filiere_id
    ),
    running AS (
        SELECT d.filiere_id,
            count(DISTINCT d.member_id) FILTER (WHERE d.role = 'ambassador'
                AND d.starts_on <= current_date)::int AS ambassadors,
            max(d.ends_on) FILTER (WHERE d.role = 'animator' AND d.starts_on <= current_date)
                AS mandate_ends_on,
            coalesce(bool_or(d.role = 'animator' AND d.starts_on > current_date), false)
                AS is_followed
        FROM mandate d JOIN member m ON m.id = d.member_id AND m.left_on IS NULL
        WHERE d.ends_on >= current_date GROUP BY d.filiere_id
    ),
    animators AS (
        SELECT filiere_id, count(*)::int AS animators FROM running_animator GROUP BY filiere_id
    ),
    asked AS (
        SELECT filiere_id, count(*) FILTER (WHERE kind <> 'candidacy')::int AS open_offers,
            min(at) FILTER (WHERE kind = 'candidacy') AS candidacy_at
        FROM mandate_offer WHERE state = 'open' AND expires_at > now() GROUP BY filiere_id
    ),
    moved AS (
        SELECT filiere_id, max(decided_at) AS moved_at FROM stage_change GROUP BY filiere_id
    ),
    vacant AS ({vacancies.SINCE}),
    sheets AS ({_SHEETS})
    SELECT f.id, (coalesce(moved.moved_at, f.created_at) {_DAY})::date AS stage_since,
        coalesce(members.members, 0) AS members, by_month.months,
        (dates.last_event_at {_DAY})::date AS last_event_on,
        (dates.next_event_at {_DAY})::date AS next_event_on,
        (mails.last_mailing_at {_DAY})::date AS last_mailing_on,
        coalesce(animators.animators, 0) AS animators,
        coalesce(running.ambassadors, 0) AS ambassadors, running.mandate_ends_on,
        coalesce(running.is_followed, false) AS is_followed, vacant.since AS vacant_since,
        (asked.candidacy_at {_DAY})::date AS candidacy_since,
        coalesce(asked.open_offers, 0) AS open_offers, sheets.sheet_version, sheets.sheet_accepted
    FROM shown JOIN filiere f ON f.id = shown.id JOIN by_month ON by_month.id = f.id
    LEFT JOIN members ON members.filiere_id = f.id LEFT JOIN dates ON dates.filiere_id = f.id
    LEFT JOIN mails ON mails.filiere_id = f.id LEFT JOIN running ON running.filiere_id = f.id
    LEFT JOIN animators ON animators.filiere_id = f.id LEFT JOIN asked ON asked.filiere_id = f.id
    LEFT JOIN moved ON moved.filiere_id = f.id LEFT JOIN vacant ON vacant.filiere_id = f.id
    LEFT JOIN sheets ON sheets.filiere_id = f.id
    ORDER BY f.id
"""  # noqa: S608 - own words


async def count(
    language: str, *, stages: Collection[Stage] = tuple(Stage), filiere_id: int | None = None
) -> list[Vitals]:
    """Of the filières at these stages, or of one, by number. The caller checks who may read it."""
    async with db.connection() as reader:
        rows = await reader.fetch(_FIGURES, [stage.value for stage in stages], filiere_id)
        named = await registry.refs([row["id"] for row in rows], language)
    return [_vitals(row, named[row["id"]]) for row in rows]


def _vitals(row: asyncpg.Record, filiere: FiliereRef) -> Vitals:
    months = msgspec.json.decode(row["months"], type=list[Month])
    return msgspec.convert(
        {**row, "months": months, "filiere": filiere}, Vitals, from_attributes=True
    )
