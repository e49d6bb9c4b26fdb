"""Who gets a mailing and who does not: numbers, never names or addresses."""

from collections import Counter

import msgspec

from directory import db
from directory.accounts.actor import Actor
from directory.languages import marked
from directory.mailings import drafts, record

# Why somebody of the filières is left out. The first that holds counts; the view
# mailing_audience asks them in this order.
REASONS = {
    "not_chosen": marked("n’ont pas choisi « %(topic)s »"),
    "digest": marked("le liront dans leur résumé"),
    "paused": marked("en pause"),
    "no_account": marked("sans compte ouvert"),
    "unconfirmed": marked("adresse jamais confirmée"),
    "failing": marked("adresse en échec"),
}

# Why somebody of a frozen audience was not written to in the end.
SKIPS = REASONS | {
    "not_chosen": marked("ont retiré ce choix"),
    "left": marked("ont quitté la filière"),
    "cancelled": marked("envoi annulé"),
}


class LeftOut(msgspec.Struct, frozen=True):
    reason: str
    count: int


class Share(msgspec.Struct, frozen=True):
    """Recipients who chose the topic in one filière, whether or not in another one too."""

    filiere_id: int
    count: int


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """`recipients` and `left_out` add up to the people in the filières.

    The shares add up to `recipients` and `repeated`. `other_language` are the recipients who
    read another language than the mailing's.
    """

    recipients: int
    shares: list[Share]
    repeated: int
    left_out: list[LeftOut]
    other_language: int

    @property
    def left_out_count(self) -> int:
        return sum(entry.count for entry in self.left_out)

    @property
    def digest_count(self) -> int:
        return sum(entry.count for entry in self.left_out if entry.reason == "digest")


async def count_audience(actor: Actor, mailing_id: int) -> Audience:
    """Who would get a draft of the actor's own if it were sent now.

    :raises errors.Conflict: once it was sent: its audience is frozen.
    """
    async with db.transaction() as opened:
        drafts.require_draft(await record.lock_own(opened, actor, mailing_id))
        chosen = await opened.fetch(
            "SELECT f.filiere_id, g.language FROM mailing g "
            "JOIN mailing_filiere f ON f.mailing_id = g.id WHERE g.id = $1 ORDER BY f.filiere_id",
            mailing_id,
        )
        rows = await opened.fetch(
            "SELECT reason, filiere_ids, language, count(*) AS count FROM mailing_audience "
            "WHERE mailing_id = $1 GROUP BY reason, filiere_ids, language",
            mailing_id,
        )
    recipients = [row for row in rows if row["reason"] is None]
    reasons: Counter[str] = Counter()
    shares = {row["filiere_id"]: 0 for row in chosen}
    for row in rows:
        if row["reason"] is not None:
            reasons[row["reason"]] += row["count"]
    for row in recipients:
        for filiere_id in row["filiere_ids"]:
            shares[filiere_id] += row["count"]
    total = sum(row["count"] for row in recipients)
    return Audience(
        recipients=total,
        shares=[Share(filiere_id, count) for filiere_id, count in shares.items()],
        repeated=sum(shares.values()) - total,
        left_out=[LeftOut(reason, reasons[reason]) for reason in REASONS],
        other_language=sum(
            row["count"] for row in recipients if row["language"] != chosen[0]["language"]
        ),
    )
