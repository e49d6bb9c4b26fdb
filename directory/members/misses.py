"""Searches that found nobody, kept without their author so that the vocabulary can learn."""

import re
from datetime import date

import msgspec

from directory import db, jobs
from directory.accounts import audit
from directory.accounts.actor import Actor, Permission
from directory.http.listing import Listing
from directory.members import views
from search import normaliser
from search.stopwords import STOPWORDS

LONGEST = 120
MOST_WORDS = 8
MOST_DIGITS = 5  # six may be a telephone number, a date of birth, a number of an enterprise
MOST_ROWS = 50_000

# Of a mailbox or a site, in folded text. No domain ends in .js, and node.js is what people do.
_ADDRESS = re.compile(r"@|://|\bwww\.|[^\W_][.\u3002](?!js\b)[^\W\d_]{2,}")


class MissView(msgspec.Struct, frozen=True):
    """text has no case and no accents; language is that of the last reader who searched it."""

    text: str
    count: int
    language: str
    first_on: date
    last_on: date


def readable(text: str) -> str | None:
    """The words of a search as they are kept; None for what is not kept.

    That is what may reach or identify a person, what is too long to be a trade, and what says
    nothing. Nothing is cut short: half a text may mean something else.
    """
    folded = normaliser.fold(text)
    digits = sum(character.isdigit() for character in folded)
    if len(folded) > LONGEST or digits > MOST_DIGITS or _ADDRESS.search(folded):
        return None
    words = [token.words[0].form for token in normaliser.tokens(text)]
    line = " ".join(words)
    if STOPWORDS.issuperset(words) or len(words) > MOST_WORDS or len(line) > LONGEST:
        return None
    return line


_COUNT = """
    UPDATE search_miss
    SET searches = searches + 1, language = $2, last_on = greatest(last_on, $3)
    WHERE text = $1 RETURNING true
"""
# Under the lock: whoever else adds a text has committed, so the count is exact.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('search_miss', 0))"
_MAKE_ROOM = f"""
    DELETE FROM search_miss WHERE text IN (
        SELECT text FROM search_miss ORDER BY searches, last_on, first_on, text
        LIMIT greatest((SELECT count(*) FROM search_miss) - {MOST_ROWS - 1}, 0)
    ) AND NOT EXISTS (SELECT FROM search_miss WHERE text = $1)
"""  # noqa: S608 - a number of ours
_ADD = """
    INSERT INTO search_miss (text, language, first_on, last_on) VALUES ($1, $2, $3, $3)
    ON CONFLICT (text) DO UPDATE
    SET searches = search_miss.searches + 1, language = excluded.language,
        last_on = greatest(search_miss.last_on, excluded.last_on)
"""


async def note(text: str, language: str) -> None:
    """Count one search that found nobody. A full table forgets the least searched, oldest text."""
    line = readable(text)
    if line is None:
        return
    row = (line, language, views.today())
    async with db.transaction() as opened:
        if not await opened.fetchval(_COUNT, *row):
            await opened.execute(_LOCK)
            await opened.execute(_MAKE_ROOM, line)
            await opened.execute(_ADD, *row)


async def list_misses(actor: Actor, page: int, limit: int) -> Listing[MissView]:
    """The most frequent first, then the newest."""
    actor.require(Permission.KEEP_VOCABULARY)
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT text, searches, language, first_on, last_on FROM search_miss"
            " ORDER BY searches DESC, last_on DESC, text LIMIT $1 OFFSET $2",
            limit,
            (page - 1) * limit,
        )
        total = await reader.fetchval("SELECT count(*) FROM search_miss")
    return Listing([MissView(*row) for row in rows], total, page, limit)


async def forget(actor: Actor, text: str) -> None:
    """The vocabulary has learned it, or need not. What is not there is forgotten already."""
    actor.require(Permission.KEEP_VOCABULARY)
    as_kept = text.replace("\0", "")  # also of a row that an older normaliser wrote
    async with db.transaction() as opened:
        gone = await opened.fetchval(
            "DELETE FROM search_miss WHERE text IN ($1, $2) RETURNING true",
            as_kept, readable(text),
        )  # fmt: skip
        if gone:
            await audit.record(actor, "miss.forgotten")


@jobs.every("7 4 * * *")
async def forget_old() -> None:
    """A year after its last search nobody misses it."""
    async with db.transaction() as opened:
        await opened.execute(
            "DELETE FROM search_miss WHERE last_on <= ($1::date - interval '1 year')::date",
            views.today(),
        )
