"""What is held of memberships and consents. The ledger of consents outlives the person."""

import asyncpg

from directory.holdings import Person, Section
from directory.languages import marked
from directory.subscriptions import ledger
from directory.subscriptions.ledger import Act, Entry, Screen, Trace
from directory.subscriptions.topics import Topic

OWN = "t.member_id = p.member_id"
FILIERE = "(SELECT slug FROM filiere WHERE filiere.id = t.filiere_id)"

SECTIONS = (
    Section(
        name="memberships",
        title=marked("Vos filières, présentes et passées"),
        table="membership",
        columns=("id", "joined_at", "left_at", "slot"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where=OWN,
        order="t.id",
    ),
    Section(
        name="requests",
        title=marked("Vos demandes d’entrée dans des filières"),
        table="membership_request",
        columns=("id", "message", "choices", "network", "state", "asked_at", "reminded_at",
                 "approved_at", "answered_at", "reason"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where=OWN,
        order="t.id",
    ),
    Section(
        name="answers",
        title=marked("Les demandes d’entrée auxquelles vous avez répondu"),
        table="membership_request",
        columns=("id", "state", "answered_at", "reason"),
        extra={"filiere": FILIERE},
        where="t.answered_by = p.account_id",
        order="t.id",
    ),
    Section(
        name="invitations",
        title=marked("Vos invitations dans des filières"),
        table="filiere_invitation",
        columns=("id", "message", "state", "invited_at", "answered_at"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where=OWN,
        order="t.id",
    ),
    Section(
        name="invitations_sent",
        title=marked("Les invitations que vous avez envoyées"),
        table="filiere_invitation",
        columns=("id", "message", "invited_at"),
        extra={"filiere": FILIERE},
        # Those by address would tell whether the address is a member's.
        where="t.invited_by = p.account_id AND NOT t.is_by_address",
        order="t.id",
    ),
    Section(
        name="dismissed_suggestions",
        title=marked("Les filières que vous ne voulez plus voir proposées"),
        table="suggestion_dismissed",
        columns=("dismissed_at",),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where=OWN,
        order="t.filiere_id",
    ),
    Section(
        name="choices",
        title=marked("Les mails que vous avez choisis"),
        table="consent",
        columns=("topic", "rhythm", "ledger_id"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where=OWN,
        order="t.filiere_id, t.topic",
    ),
    Section(
        name="consent_ledger",
        title=marked("Le registre de vos accords"),
        table="consent_ledger",
        columns=("id", "at", "topic", "rhythm", "act", "screen", "network", "language"),
        extra={
            "filiere": FILIERE,
            "is_own_act": "t.actor_id IS NOT DISTINCT FROM p.account_id",
            "wording": "(SELECT w.text FROM consent_wording w WHERE w.id = t.wording_id)",
            "wording_version":
                "(SELECT w.language || ' ' || w.version FROM consent_wording w"
                " WHERE w.id = t.wording_id)",
            "wording_sha256":
                "(SELECT encode(w.hash, 'hex') FROM consent_wording w WHERE w.id = t.wording_id)",
            "given_on": "(SELECT e.given_on FROM consent_evidence e WHERE e.id = t.evidence_id)",
            "given_where": "(SELECT e.source FROM consent_evidence e WHERE e.id = t.evidence_id)",
            "given_wording":
                "(SELECT e.wording FROM consent_evidence e WHERE e.id = t.evidence_id)",
        },
        covers=("filiere_id", "actor_id", "wording_id", "evidence_id"),
        where=OWN,
        order="t.id",
    ),
    Section(
        name="mail_pause",
        title=marked("Votre pause de mails"),
        table="mail_pause",
        columns=("until", "paused_at"),
        where=OWN,
    ),
    Section(
        name="consent_notice",
        title=marked("L’annonce que vos mails vont s’arrêter"),
        table="consent_notice",
        columns=("announced_at", "mailed_at"),
        where=OWN,
    ),
    Section(
        name="stage_mails",
        title=marked("Les mails sur les étapes de filières"),
        table="stage_mail",
        columns=("change_id", "reason", "sent_at"),
        extra={"filiere": "(SELECT f.slug FROM stage_change c JOIN filiere f "
                          "ON f.id = c.filiere_id WHERE c.id = t.change_id)"},
        where=OWN,
        order="t.change_id",
    ),
    Section(
        name="failing_address",
        title=marked("Votre adresse ne répond plus"),
        table="suppression",
        columns=("reason", "at"),
        extra={"email": "t.email::text"},
        covers=("email",),
        where="t.email = (SELECT a.email FROM account a WHERE a.id = p.account_id)",
    ),
)  # fmt: skip


async def erase(opened: asyncpg.Connection, person: Person) -> None:
    """What is consented to ends, and the ledger says so. Call `forget` when the member is gone."""
    await opened.execute(
        "DELETE FROM suppression WHERE email = (SELECT email FROM account WHERE id = $1)",
        person.account_id,
    )
    if person.member_id is None or not await ledger.lock(opened, person.member_id):
        return
    rows = await opened.fetch(
        "SELECT filiere_id, topic::text AS topic FROM consent WHERE member_id = $1 "
        "ORDER BY filiere_id, consent.topic",
        person.member_id,
    )
    entries = [Entry(row["filiere_id"], Topic(row["topic"]), Act.EXPIRED) for row in rows]
    await ledger.append(person.member_id, entries, Trace(Screen.ERASURE))


async def forget(opened: asyncpg.Connection, person: Person) -> None:
    """Empty what the ledger holds beside the number of a member who is gone."""
    await opened.execute("SELECT forget_networks($1)", person.member_id)
