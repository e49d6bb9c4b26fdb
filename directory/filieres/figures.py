"""How many members have some trades or sectors, where, and since when: never a small group.

Only members who show their name and that field to all members are counted, and the place, office
or filières of those alone who show them: whoever hides changes no figure. See docs/decisions/0014.
"""

import enum
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

import asyncpg
import msgspec

from directory import db, errors, limits, settings
from directory.accounts.actor import Actor, Permission
from directory.languages import marked
from directory.limits import Limit
from directory.members import audiences, views, vocabulary
from directory.members.audiences import Field, Level

SMALLEST = 5
"""Fewer people than this are never a number."""

MOST_PLACES = 10
MOST_WORDS = 50
STEP = 5
"""What the directory cannot be asked, the past, and what is asked about any words, is rounded to
this: two questions do not make one person."""

STEADY = 20  # people, from which a trend of rounded numbers says something
LIMIT = Limit("figures", 60, timedelta(hours=1))


class Bound(enum.Enum):
    """How a value is to be read: it, fewer than it, it or more, about it."""

    EXACT = "exact"
    UNDER = "under"
    LEAST = "least"
    ABOUT = "about"


class Figure(msgspec.Struct, frozen=True):
    """A number as it may be shown."""

    value: float
    bound: Bound = Bound.EXACT


class Group(msgspec.Struct, frozen=True):
    """The people of one place (its code) or of one office (its slug)."""

    code: str
    members: Figure


class Spread(msgspec.Struct, frozen=True):
    """The largest groups, and the others in one. `others` holds who shows none, too."""

    groups: list[Group] = []
    others: Figure | None = None


class Point(msgspec.Struct, frozen=True):
    """The members on the first day of a month, rounded; None for fewer than may be shown."""

    month: date
    members: int | None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """`share` is in percent of the members who do not hide such words; `trend` in percent since
    the same month of the year before, of rounded numbers; `offices` counts those with enough
    members. `potential` are in no living filière and show that. None: too few people to say.
    """

    members: Figure
    share: Figure | None
    trend: Figure | None
    offices: int
    potential: Figure | None
    places: Spread
    territories: Spread


class Named(msgspec.Struct, frozen=True):
    """What the code of a place or the slug of an office stands for."""

    code: str
    name: str


class Preview(Figures, frozen=True, kw_only=True):
    """The figures of words that nobody proposed yet, with the names of places and offices."""

    names: list[Named]

    @property
    def by_code(self) -> dict[str, str]:
        return {one.code: one.name for one in self.names}


class Words(msgspec.Struct, frozen=True):
    """What is counted: ids of trades, or of sectors, which stand for those below them too."""

    trades: list[int] = []
    sectors: list[int] = []

    @property
    def ids(self) -> list[int]:
        return sorted(self.trades or self.sectors)

    @property
    def field(self) -> Field:
        return Field.TRADES if self.trades else Field.SECTORS


_PICKED = {
    Field.TRADES: "SELECT member_id FROM member_trade WHERE trade_id = ANY($1::bigint[])",
    Field.SECTORS: """
        SELECT member_id FROM member_sector WHERE sector_id IN (
            WITH RECURSIVE kin AS (
                SELECT id, code FROM sector WHERE id = ANY($1::bigint[])
                UNION SELECT s.id, s.code FROM sector s JOIN kin ON s.parent_code = kin.code)
            SELECT id FROM kin)
    """,
}
_MEMBER = f"{Level.MEMBER:d}"


def sql_shown(*fields: Field) -> str:
    """SQL: whether the member m shows all members their name and these fields."""
    wanted = (Field.DISPLAY_NAME, *fields)
    return " AND ".join(audiences.sql_visible(one, "m.audiences", _MEMBER) for one in wanted)


def sql_there(day: str) -> str:
    """SQL: whether m was a member on a day."""
    return f"(m.joined_on <= {day} AND (m.left_on IS NULL OR m.left_on > {day}))"


def sql_picked(words: Words) -> str:
    """SQL of the members, m, who show that they have the words ($1)."""
    return f"FROM member m WHERE m.id IN ({_PICKED[words.field]}) AND {sql_shown(words.field)}"


def _sql_counts(words: Words) -> str:
    free = f"""{sql_shown(Field.MEMBERSHIPS)} AND NOT EXISTS (
        SELECT FROM membership s JOIN filiere f ON f.id = s.filiere_id
        WHERE s.member_id = m.id AND s.joined_at::date <= $2
          AND (s.left_at IS NULL OR s.left_at::date > $2) AND f.stage NOT IN ('dormant', 'closed'))
    """
    return f"""
        WITH m AS MATERIALIZED (SELECT m.* {sql_picked(words)} AND {sql_there("$2::date")})
        SELECT (SELECT count(*) FROM m) AS members,
            (SELECT count(*) FROM member m WHERE {sql_there("$2::date")}
             AND {sql_shown(words.field)}) AS community,
            (SELECT count(*) FROM m WHERE {free}) AS potential,
            (SELECT coalesce(json_object_agg(code, n), '{{}}') FROM (
                SELECT p.code, count(*) AS n FROM m JOIN place p ON p.id = m.place_id
                WHERE {sql_shown(Field.PLACE)} GROUP BY 1) AS g) AS places,
            (SELECT coalesce(json_object_agg(slug, n), '{{}}') FROM (
                SELECT t.slug, count(*) AS n FROM m JOIN territory t ON t.id = m.territory_id
                WHERE {sql_shown(Field.TERRITORY)} GROUP BY 1) AS g) AS territories
    """  # noqa: S608 - own words


async def count(
    reader: asyncpg.Connection, words: Words, day: date, enough_in_office: int
) -> Figures:
    """The figures of a day, with the trades and sectors of today."""
    row = await reader.fetchrow(_sql_counts(words), words.ids, day)
    if row is None:
        raise RuntimeError("an aggregate has a row")
    members: int = row["members"]
    before, *_ = await count_months(reader, words, [year_before(day)])
    territories: dict[str, int] = msgspec.json.decode(row["territories"])
    is_small = members < SMALLEST
    share = 100 * members / max(row["community"], 1)
    return Figures(
        members=floored(members),
        share=None if is_small else Figure(round(share, 1)),
        trend=_trend(members, before.members),
        offices=0 if is_small else sum(n >= enough_in_office for n in territories.values()),
        potential=_part(row["potential"], members),
        places=_spread(msgspec.json.decode(row["places"]), members, MOST_PLACES),
        territories=_spread(territories, members, len(territories)),
    )


async def count_months(
    reader: asyncpg.Connection, words: Words, months: Sequence[date]
) -> list[Point]:
    """The members at each month's first day, oldest first, rounded, with the trades of today.

    Who was erased since is in none.
    """
    rows = await reader.fetch(
        f"""
        WITH m AS MATERIALIZED (SELECT m.joined_on, m.left_on {sql_picked(words)})
        SELECT month, (SELECT count(*) FROM m WHERE {sql_there("month")}) AS members
        FROM unnest($2::date[]) AS month ORDER BY month
        """,  # noqa: S608 - own words
        words.ids, list(months),
    )  # fmt: skip
    return [
        Point(row["month"], _stepped(row["members"]) if row["members"] >= SMALLEST else None)
        for row in rows
    ]


def year_before(day: date) -> date:
    """The first day of the same month, a year ago."""
    return day.replace(year=day.year - 1, day=1)


def year_of_months(day: date) -> list[date]:
    """From the same month a year ago to this one: thirteen first days."""
    first = day.year * 12 + day.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(first - 12, first + 1)]


def floored(people: int) -> Figure:
    return Figure(people) if people >= SMALLEST else Figure(SMALLEST, Bound.UNDER)


def _trend(now: int, before: int | None) -> Figure | None:
    if before is None or min(now, before) < STEADY:
        return None
    return Figure(round(100 * (_stepped(now) - before) / before), Bound.ABOUT)


def _stepped(people: float) -> int:
    return STEP * round(people / STEP)


def _part(part: int, whole: int) -> Figure | None:
    """A part of a whole that is shown: what is left must not be a small number either."""
    if whole < 2 * SMALLEST:
        return None
    if part < SMALLEST:
        return Figure(SMALLEST, Bound.UNDER)
    if whole - part < SMALLEST:
        return Figure(whole - SMALLEST + 1, Bound.LEAST)
    return Figure(part)


def _spread(counts: Mapping[str, int], whole: int, most: int) -> Spread:
    """Groups of which no small one can be worked out, of those shown or of the rest."""
    if whole < SMALLEST:
        return Spread()
    ordered = sorted(counts.items(), key=lambda group: (-group[1], group[0]))
    shown = [group for group in ordered if group[1] >= SMALLEST][:most]
    others = whole - sum(n for _, n in shown)
    while 0 < others < SMALLEST and shown:
        others += shown.pop()[1]
    groups = [Group(code, Figure(n)) for code, n in shown]
    return Spread(groups, Figure(others) if others else None)


async def names(reader: asyncpg.Connection, found: Figures, language: str) -> list[Named]:
    """Of the places and offices that are shown."""
    towns = await vocabulary.names("place", [one.code for one in found.places.groups], language)
    offices = await reader.fetch(
        "SELECT slug, name FROM territory WHERE slug = ANY($1)",
        [one.code for one in found.territories.groups],
    )
    return [
        *(Named(code, name) for code, name in towns.items()),
        *(Named(row["slug"], row["name"]) for row in offices),
    ]


async def of(
    actor: Actor, language: str, *, trades: Collection[str] = (), sectors: Collection[str] = ()
) -> Preview:
    """The figures of any trades or sectors, by their codes: today's, rounded, for members.

    :raises errors.Malformed: naming `trade` or `sector`. :raises errors.TooMany:
    """
    actor.require(Permission.READ_MEMBERS)
    if bool(trades) == bool(sectors):
        raise errors.Malformed.field(
            "trade", marked("Choisissez des métiers, ou bien des secteurs : les uns ou les autres.")
        )
    if len(trades) + len(sectors) > MOST_WORDS:
        raise errors.Malformed.field(
            "trade" if trades else "sector", marked("Gardez %(most)s mots au plus."),
            most=MOST_WORDS,
        )  # fmt: skip
    words = Words(
        await vocabulary.ids("trade", list(trades), "trade"),
        await vocabulary.ids("sector", list(sectors), "sector"),
    )
    await limits.take(LIMIT, actor.account_id or 0)
    async with db.connection() as reader:
        enough = settings.current().dossier_office_members
        exact = await count(reader, words, views.today(), enough)
        return _rounded(exact, await names(reader, exact, language))


def _rounded(exact: Figures, named: list[Named]) -> Preview:
    about = _about(exact.members)
    share = None
    if exact.share is not None:
        rounded = round(exact.share.value * about.value / exact.members.value, 1)
        share = Figure(rounded, Bound.ABOUT)
    return Preview(
        names=named,
        members=about,
        share=share,
        trend=exact.trend,
        offices=exact.offices,
        potential=_about(exact.potential) if exact.potential else None,
        places=_rounded_spread(exact.places),
        territories=_rounded_spread(exact.territories),
    )


def _rounded_spread(exact: Spread) -> Spread:
    groups = [Group(group.code, _about(group.members)) for group in exact.groups]
    return Spread(groups, _about(exact.others) if exact.others else None)


def _about(figure: Figure) -> Figure:
    if figure.bound is Bound.UNDER:
        return figure
    return Figure(_stepped(figure.value), Bound.ABOUT)
