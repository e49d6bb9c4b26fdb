"""Every choice of a member on one sheet: their filières, the topics, what was said."""

import msgspec

from directory import db
from directory.filieres.registry import FiliereRef
from directory.subscriptions import memberships, wordings
from directory.subscriptions.topics import OFFERED, Rhythm, Topic
from directory.subscriptions.wordings import Wording


class TopicChoice(msgspec.Struct, frozen=True):
    """`rhythm` None: nothing is received. `wording` is what one agrees to by choosing."""

    topic: Topic
    rhythm: Rhythm | None
    wording: Wording


class FiliereChoices(msgspec.Struct, frozen=True):
    filiere: FiliereRef
    topics: list[TopicChoice]


class Consents(msgspec.Struct, frozen=True):
    """`rhythms` are those that can be chosen, beside none."""

    filieres: list[FiliereChoices]
    rhythms: list[Rhythm]


async def of(member_id: int, language: str) -> Consents:
    """The choices in each filière of a member, by name of the filière."""
    shown = await wordings.list_latest(language)
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT filiere_id, topic::text AS topic, rhythm::text AS rhythm FROM consent "
            "WHERE member_id = $1",
            member_id,
        )
    chosen = {(row["filiere_id"], Topic(row["topic"])): Rhythm(row["rhythm"]) for row in rows}
    return Consents(
        filieres=[
            FiliereChoices(
                membership.filiere,
                [
                    TopicChoice(topic, chosen.get((membership.filiere.id, topic)), shown[topic])
                    for topic in Topic
                    if topic in shown  # without words there is nothing to agree to
                ],
            )
            for membership in await memberships.list_of(member_id, language)
        ],
        rhythms=list(OFFERED),
    )


async def blank(language: str) -> list[TopicChoice]:
    """The topics of a filière that one is not in yet: nothing is chosen."""
    shown = await wordings.list_latest(language)
    return [TopicChoice(topic, None, shown[topic]) for topic in Topic if topic in shown]


async def address(member_id: int) -> str | None:
    """Where a member's mails go; None when they have no account."""
    async with db.connection() as reader:
        email: str | None = await reader.fetchval(
            "SELECT a.email::text FROM member m JOIN account a ON a.id = m.account_id "
            "WHERE m.id = $1",
            member_id,
        )
    return email
