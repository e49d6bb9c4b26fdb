"""The audit log as people read it. Names are looked up now: the log itself holds none."""

import enum
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from directory import db
from directory.accounts.actor import Actor, Permission, Scope
from directory.activity import subjects, wording
from directory.http.listing import Listing
from directory.members import audiences, profiles
from directory.members.audiences import Field, Level
from directory.subscriptions.ledger import SCREEN_WORDS, Screen

OF_MAILS = {Screen.MAIL.value, Screen.ONE_CLICK.value}


class By(enum.Enum):
    """Who acted, as far as the reader may know it."""

    SELF = "self"
    COORDINATION = "coordination"
    PERSON = "person"
    HIDDEN = "hidden"
    FORMER = "former"
    SERVICE = "service"
    """A job, or the command line."""
    LINK = "link"
    """Whoever held a link from a mail to the member: often they themselves."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """`member_id` and `name` are null where the reader may not know them."""

    by: By
    member_id: int | None = None
    name: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One act. `words` say it in the reader's language; `fields` are names, never values.

    `concerns` is the member whom it is about, null for nobody. `token_id` is the token that was
    used. `screen` says where a choice of mails was made.
    """

    at: datetime
    action: str
    words: str
    fields: list[str]
    subject: str
    actor: Person
    concerns: Person | None
    token_id: int | None
    screen: str

    @property
    def screen_words(self) -> str:
        return SCREEN_WORDS.get(self.screen, "")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries: by or about this person, of this action, on these days in Brussels."""

    person: str = ""
    action: str | None = None
    since: date | None = None
    until: date | None = None


_ENTRY = """
    SELECT e.at, e.id, e.account_id, e.token_id, e.action, e.member_id, e.subject, e.fields,
        '' AS screen
    FROM audit_entry e
"""
# $1 the account, $2 the members that it is or was.
_OWN = f"""
    {_ENTRY} WHERE e.account_id = $1 OR e.member_id = ANY($2::bigint[])
    UNION ALL
    SELECT l.at, l.id, l.actor_id, NULL, 'consent.' || l.act, l.member_id,
        'filiere:' || l.filiere_id, ARRAY[l.topic::text], l.screen
    FROM consent_ledger l WHERE l.member_id = ANY($2::bigint[])
"""  # noqa: S608 - own words
# $1 and $2 as above, null for everybody; $3 the action, $4 and $5 the days.
_ALL = f"""
    {_ENTRY}
    WHERE ($1::bigint[] IS NULL OR e.account_id = ANY($1) OR e.member_id = ANY($2::bigint[]))
      AND ($3::text IS NULL OR e.action = $3)
      AND ($4::date IS NULL OR e.at >= $4::timestamp AT TIME ZONE 'Europe/Brussels')
      AND ($5::date IS NULL OR e.at < ($5 + 1)::timestamp AT TIME ZONE 'Europe/Brussels')
"""


async def list_own(actor: Actor, language: str, *, page: int, limit: int) -> Listing[Entry]:
    """What one did and what others did about one, with one's choices of mails; the newest first."""
    account_id = actor.require_account(Scope.MEMBERS_READ)
    async with db.connection() as reader:
        own = await reader.fetch("SELECT id FROM member WHERE account_id = $1", account_id)
        asked: list[Any] = [account_id, [row["id"] for row in own]]
        total, rows = await _page(reader, _OWN, asked, page, limit)
    entries = await _entries(actor, rows, language, is_own=True)
    return Listing(items=entries, total=total, page=page, limit=limit)


async def list_all(
    actor: Actor, language: str, wanted: Wanted, *, page: int, limit: int
) -> Listing[Entry]:
    """Everybody's, the newest first. Choices of mails are in their own ledger."""
    actor.require(Permission.READ_AUDIT)
    async with db.connection() as reader:
        accounts, members = await _meant(reader, wanted.person)
        asked = [accounts, members, wanted.action, wanted.since, wanted.until]
        total, rows = await _page(reader, _ALL, asked, page, limit)
    entries = await _entries(actor, rows, language, is_own=False)
    return Listing(items=entries, total=total, page=page, limit=limit)


async def _page(
    reader: asyncpg.Connection, query: str, asked: list[Any], page: int, limit: int
) -> tuple[int, list[asyncpg.Record]]:
    total = await reader.fetchval(f"SELECT count(*) FROM ({query}) AS entry", *asked)  # noqa: S608 - own queries
    number = len(asked)
    rows = await reader.fetch(
        f"{query} ORDER BY at DESC, id DESC LIMIT ${number + 1} OFFSET ${number + 2}",
        *asked, limit, (page - 1) * limit,
    )  # fmt: skip
    return total, rows


async def _meant(
    reader: asyncpg.Connection, person: str
) -> tuple[list[int] | None, list[int] | None]:
    """The accounts and members that are meant: by the number of a profile, by the words of a name
    that members see, or by the address of an account that is no member's."""
    typed = " ".join(person.replace("\0", " ").split())
    if not typed:
        return None, None
    number = int(typed) if typed.isdecimal() and len(typed) < 19 else 0
    seen = audiences.sql_visible(Field.DISPLAY_NAME, "m.audiences", f"{Level.MEMBER:d}")
    rows = await reader.fetch(
        f"""
        SELECT a.id AS account_id, m.id AS member_id
        FROM account a FULL JOIN member m ON m.account_id = a.id
        WHERE m.id = $1 OR (m.id IS NULL AND a.email = $2) OR ({seen} AND m.left_on IS NULL
            AND NOT EXISTS (SELECT FROM regexp_split_to_table(unaccent(lower($2)), ' ') AS word
                WHERE strpos(unaccent(lower(m.display_name)), word) = 0))
        """,  # noqa: S608 - own words
        number, typed,
    )  # fmt: skip
    members = [row["member_id"] for row in rows if row["member_id"]]
    # Of who was erased, the number alone is left.
    return [row["account_id"] for row in rows if row["account_id"]], [*members, number]


class _Names(msgspec.Struct, frozen=True):
    """`accounts` that are still there, with their member, address and whether they are staff."""

    actor: Actor
    accounts: dict[int, asyncpg.Record]
    seen: dict[int, str]
    hidden: frozenset[int]
    is_own: bool

    def of_account(self, account_id: int | None, screen: str) -> Person:
        if account_id is None:
            return Person(by=By.LINK if screen in OF_MAILS else By.SERVICE)
        if account_id == self.actor.account_id:
            return Person(by=By.SELF, member_id=self.actor.member_id)
        row = self.accounts.get(account_id)
        if row is None:
            return Person(by=By.FORMER)
        if self.is_own and row["is_staff"]:
            return Person(by=By.COORDINATION)
        if row["member_id"] is None:
            is_shown = row["is_staff"] and not self.is_own
            return Person(by=By.PERSON, name=row["email"]) if is_shown else Person(by=By.FORMER)
        return self.of_member(row["member_id"])

    def of_member(self, member_id: int) -> Person:
        if member_id == self.actor.member_id:
            return Person(by=By.SELF, member_id=member_id)
        if member_id in self.seen:
            return Person(by=By.PERSON, member_id=member_id, name=self.seen[member_id])
        return Person(by=By.HIDDEN if member_id in self.hidden else By.FORMER)


async def _names(actor: Actor, rows: list[asyncpg.Record], *, is_own: bool) -> _Names:
    async with db.connection() as reader:
        found = await reader.fetch(
            """
            SELECT a.id, a.email::text AS email, m.id AS member_id, EXISTS (
                SELECT FROM access_grant g WHERE g.account_id = a.id
                AND g.role IN ('coordinator', 'administrator')
                AND (g.ends_on IS NULL OR g.ends_on >= current_date)) AS is_staff
            FROM account a LEFT JOIN member m ON m.account_id = a.id AND m.left_on IS NULL
            WHERE a.id = ANY($1::bigint[])
            """,
            list({row["account_id"] for row in rows if row["account_id"]}),
        )
        wanted = {row["member_id"] for row in [*rows, *found] if row["member_id"]}
        there = await reader.fetch(
            "SELECT id FROM member WHERE id = ANY($1::bigint[]) AND left_on IS NULL", list(wanted)
        )
    cards = await profiles.cards(actor, list(wanted))
    return _Names(
        actor,
        {row["id"]: row for row in found},
        {card.id: card.display_name for card in cards},
        frozenset(row["id"] for row in there),
        is_own,
    )


async def _entries(
    actor: Actor, rows: list[asyncpg.Record], language: str, *, is_own: bool
) -> list[Entry]:
    names = await _names(actor, rows, is_own=is_own)
    things = await subjects.names(actor, [row["subject"] for row in rows], language)
    return [
        Entry(
            at=row["at"],
            action=row["action"],
            words=wording.say(language, row["action"], row["fields"], things.get(row["subject"])),
            fields=row["fields"],
            subject=row["subject"],
            actor=names.of_account(row["account_id"], row["screen"]),
            concerns=names.of_member(row["member_id"]) if row["member_id"] else None,
            token_id=row["token_id"],
            screen=row["screen"],
        )
        for row in rows
    ]
