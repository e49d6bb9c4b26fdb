"""Mailings that are being written."""

from typing import Annotated

import asyncpg
import msgspec

from directory import db, errors
from directory.accounts.actor import Actor
from directory.filieres import registry
from directory.languages import LANGUAGES, SOURCE, marked
from directory.mailings import composition, record
from directory.mailings.record import State
from directory.subscriptions.topics import Topic

FiliereId = Annotated[int, msgspec.Meta(ge=1, le=record.BIGGEST_ID)]


class MailingDraft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mailing as its author writes it. `body` is Markdown, `language` what it is written in."""

    filiere_ids: list[FiliereId]
    topic: Topic
    subject: str
    body: str
    language: str = SOURCE


async def create(actor: Actor, draft: MailingDraft) -> int:
    """Keep a new draft; its id.

    :raises errors.Forbidden: unless the actor runs each of its filières.
    """
    member_id = record.require_animator(actor)
    checked = await _checked(actor, draft)
    async with db.transaction() as opened:
        mailing_id: int = await opened.fetchval(
            "INSERT INTO mailing (author_id, topic, language, subject, body) "
            "VALUES ($1, $2::topic, $3, $4, $5) RETURNING id",
            member_id, checked.topic.value, checked.language, checked.subject, checked.body,
        )  # fmt: skip
        await _choose(opened, mailing_id, checked.filiere_ids)
    return mailing_id


async def edit(actor: Actor, mailing_id: int, draft: MailingDraft) -> None:
    """:raises errors.Conflict: once it was sent."""
    record.require_animator(actor)
    checked = await _checked(actor, draft)
    async with db.transaction() as opened:
        require_draft(await record.lock_own(opened, actor, mailing_id))
        await opened.execute(
            "UPDATE mailing SET topic = $2::topic, language = $3, subject = $4, body = $5 "
            "WHERE id = $1",
            mailing_id, checked.topic.value, checked.language, checked.subject, checked.body,
        )  # fmt: skip
        await _choose(opened, mailing_id, checked.filiere_ids)


async def discard(actor: Actor, mailing_id: int) -> None:
    """:raises errors.Conflict: once it was sent."""
    async with db.transaction() as opened:
        require_draft(await record.lock_own(opened, actor, mailing_id))
        await opened.execute("DELETE FROM mailing WHERE id = $1", mailing_id)


def require_draft(state: State) -> None:
    """:raises errors.Conflict: for a mailing that is no draft any more."""
    if state is not State.DRAFT:
        raise errors.Conflict(marked("Ce mail n’est plus un brouillon : il ne change plus."))


async def _checked(actor: Actor, draft: MailingDraft) -> MailingDraft:
    filiere_ids = sorted(set(draft.filiere_ids))
    if not filiere_ids:
        raise errors.Malformed.field("filiere_ids", marked("Choisissez au moins une filière."))
    record.require_all(actor, filiere_ids)
    if len(await registry.refs(filiere_ids, SOURCE)) < len(filiere_ids):
        raise errors.Malformed.field("filiere_ids", marked("Cette filière n’existe pas."))
    if draft.language not in LANGUAGES:
        raise errors.Malformed.field("language", marked("Cette valeur n’existe pas."))
    return msgspec.structs.replace(
        draft,
        filiere_ids=filiere_ids,
        subject=composition.check_subject(draft.subject),
        body=composition.check_body(draft.body),
    )


async def _choose(opened: asyncpg.Connection, mailing_id: int, filiere_ids: list[int]) -> None:
    await opened.execute(
        "DELETE FROM mailing_filiere WHERE mailing_id = $1 AND filiere_id <> ALL($2)",
        mailing_id, filiere_ids,
    )  # fmt: skip
    await opened.execute(
        "INSERT INTO mailing_filiere (mailing_id, filiere_id) SELECT $1, unnest($2::bigint[]) "
        "ON CONFLICT DO NOTHING",
        mailing_id, filiere_ids,
    )  # fmt: skip
