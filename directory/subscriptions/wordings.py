"""The exact words that a person agrees to. A text is never changed: it gets a next version."""

import hashlib
from collections.abc import Sequence

import asyncpg
import msgspec

from directory import db
from directory.subscriptions.topics import Topic

# Each is a topic, a language, a version and its text.
WORDINGS: tuple[tuple[str, str, int, str], ...] = (
    ("news", "fr", 1, "Par mail, ce qui se passe dans la filière."),
    ("news", "nl", 1, "Per mail, wat er in de groep gebeurt."),
    ("news", "en", 1, "By email, what happens in the group."),
    ("meetings", "fr", 1, "Par mail, les réunions, visites et stands communs de la filière."),
    ("meetings", "nl", 1, "Per mail, de bijeenkomsten, bezoeken en gedeelde stands van de groep."),
    ("meetings", "en", 1, "By email, the meetings, visits and shared stands of the group."),
    ("trainings", "fr", 1, "Par mail, les formations et ateliers de la filière."),
    ("trainings", "nl", 1, "Per mail, de opleidingen en workshops van de groep."),
    ("trainings", "en", 1, "By email, the training sessions and workshops of the group."),
    (
        "legal", "fr", 1,
        "Par mail, les changements de loi qui touchent la filière, avec la source et la date.",
    ),
    ("legal", "nl", 1, "Per mail, de wetswijzigingen voor de groep, met de bron en de datum."),
    ("legal", "en", 1, "By email, the legal changes that concern the group, with source and date."),
    ("calls", "fr", 1, "Par mail, les appels : une personne de la filière cherche une compétence."),
    ("calls", "nl", 1, "Per mail, de oproepen: iemand van de groep zoekt een vaardigheid."),
    ("calls", "en", 1, "By email, the calls: somebody in the group looks for a skill."),
)  # fmt: skip


class Wording(msgspec.Struct, frozen=True):
    id: int
    topic: Topic
    language: str
    version: int
    text: str


class WordingChanged(Exception):
    """A text differs from the one that people agreed to under the same version."""


async def load(connection: asyncpg.Connection) -> None:
    """Put the texts into the table. Loading them again changes nothing.

    :raises WordingChanged: when a text was changed without a new version.
    """
    for topic, language, version, text in WORDINGS:
        kept = await connection.fetchval(
            """
            WITH added AS (
                INSERT INTO consent_wording (topic, language, version, text, hash)
                VALUES ($1::topic, $2, $3, $4, $5)
                ON CONFLICT (topic, language, version) DO NOTHING RETURNING text
            )
            SELECT text FROM added UNION ALL
            SELECT text FROM consent_wording
            WHERE topic = $1::topic AND language = $2 AND version = $3 LIMIT 1
            """,
            topic, language, version, text, hashlib.sha256(text.encode()).digest(),
        )  # fmt: skip
        if kept != text:
            raise WordingChanged(f"{topic} {language} {version}: {kept!r}")


async def list_latest(language: str) -> dict[Topic, Wording]:
    """The words to show today, in this language or in French."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT DISTINCT ON (topic) id, topic::text AS topic, language, version, text "
            "FROM consent_wording WHERE language IN ($1, 'fr') "
            "ORDER BY topic, language = $1 DESC, version DESC",
            language,
        )
    found = [msgspec.convert(dict(row), Wording) for row in rows]
    return {wording.topic: wording for wording in found}


async def list_by_id(ids: Sequence[int]) -> dict[Topic, Wording]:
    """The wordings that a form was drawn with, by topic."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT id, topic::text AS topic, language, version, text FROM consent_wording "
            "WHERE id = ANY($1::bigint[])",
            list(ids),
        )
    found = [msgspec.convert(dict(row), Wording) for row in rows]
    return {wording.topic: wording for wording in found}
