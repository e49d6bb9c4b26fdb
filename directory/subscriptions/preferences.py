"""Every choice of a member on one sheet: their filières, the topics, what was said."""

from datetime import date

import msgspec

from directory import db
from directory.filieres.registry import FiliereRef
from directory.languages import SOURCE
from directory.subscriptions import confirmations, memberships, pauses, wordings
from directory.subscriptions.topics import OFFERED, Rhythm, Topic
from directory.subscriptions.wordings import Wording


class TopicChoice(msgspec.Struct, frozen=True):
    """`rhythm` None: nothing is received. `wording` is what one agrees to by choosing."""

    topic: Topic
    rhythm: Rhythm | None
    wording: Wording

    def is_less(self, rhythm: Rhythm) -> bool:
        """Whether it brings no more than what is received now."""
        return rhythm == self.rhythm or rhythm.is_rarer_than(self.rhythm)


class FiliereChoices(msgspec.Struct, frozen=True):
    filiere: FiliereRef
    topics: list[TopicChoice]

    @property
    def offered(self) -> tuple[Rhythm, ...]:
        return OFFERED

    @property
    def is_on(self) -> bool:
        return any(topic.rhythm for topic in self.topics)


class Consents(msgspec.Struct, frozen=True):
    """`rhythms` are those that can be chosen, beside none.

    `paused_until` is the day on which mails come again. Nothing comes to an address before it is
    confirmed.
    """

    filieres: list[FiliereChoices]
    rhythms: list[Rhythm]
    paused_until: date | None
    is_address_confirmed: bool


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
        paused_until=await pauses.until(member_id),
        is_address_confirmed=not await confirmations.is_needed(member_id),
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


async def mail_language(member_id: int) -> str:
    """The language in which a member is written to."""
    async with db.connection() as reader:
        language: str | None = await reader.fetchval(
            "SELECT a.language FROM member m JOIN account a ON a.id = m.account_id WHERE m.id = $1",
            member_id,
        )
    return language or SOURCE
