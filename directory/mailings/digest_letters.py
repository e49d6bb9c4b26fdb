"""The mail of a digest: what each filière sent, whole, and why it is there."""

from datetime import UTC, date, datetime
from email import policy
from email.utils import format_datetime
from pathlib import Path

import msgspec
from markupsafe import Markup

from directory import db, mail, settings, signing
from directory.filieres import registry
from directory.filieres.registry import FiliereRef
from directory.http.pages import Format
from directory.languages import SOURCE
from directory.mailings import composition, relay
from directory.mailings.digest_delivery import Claim
from directory.subscriptions import links
from directory.subscriptions.ledger import ZONE
from directory.subscriptions.topics import Rhythm, Topic

FOLDER = Path(__file__).parent / "mails" / "digest"
MESSAGE_ID = "digest-message-id"


class Item(msgspec.Struct, frozen=True):
    """One mailing or one date in a digest, as its reader sees it. A date has a `link`.

    `why` names the choice: the topic, the filières it was made in, the day.
    """

    title: str
    filieres: str
    topic: str
    chosen_on: str
    stop: str
    author: str = ""
    written_in: str = SOURCE
    text: str = ""
    html: Markup = Markup("")
    when: str = ""
    where: str = ""
    link: str = ""


async def write(claim: Claim, day: date) -> bytes:
    """The bytes of somebody's digest."""
    if not relay.is_usable(claim.email):
        return b""  # the attempt will say so
    chosen, language = settings.current(), claim.language or SOURCE
    stop = chosen.public_url + links.digest_path(chosen.secret, claim.member_id, claim.rhythm.value)
    message = mail.render(
        FOLDER, chosen, to=claim.email, language=language,
        is_weekly=claim.rhythm is Rhythm.WEEKLY, rhythm=claim.rhythm.label,
        day=Format(language).day(day), items=await _items(claim, day, language), stop=stop,
        preferences=chosen.public_url + links.preferences_path(chosen.secret, claim.member_id),
    )  # fmt: skip
    headers = {
        "Date": format_datetime(datetime.now(UTC)),
        "Message-ID": f"<{message_id(claim.member_id, claim.rhythm, day)}>",
        "List-Id": f"<{claim.rhythm.value}.{_domain()}>",
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
        "Precedence": "list",
    }
    composed = mail.compose(msgspec.structs.replace(message, headers=headers), chosen)
    return composed.as_bytes(policy=policy.SMTP)


def message_id(member_id: int, rhythm: Rhythm, day: date) -> str:
    """The same for each attempt, so that a second copy is known as one."""
    secret = settings.current().secret
    return f"{signing.sign(secret, MESSAGE_ID, member_id, rhythm.value, str(day))}@{_domain()}"


def _domain() -> str:
    return settings.current().mail_from.rpartition("@")[2]


_ITEMS = """
    SELECT e.filiere_ids, l.at AS chosen_at, l.topic::text AS topic, g.id AS mailing_id,
        coalesce(g.subject, v.title) AS title, g.body, g.language, v.id AS event_id,
        v.starts_at, v.timezone, v.location, coalesce(m.display_name, '') AS author
    FROM digest_entry e JOIN consent_ledger l ON l.id = e.consent_id
    LEFT JOIN mailing g ON g.id = e.mailing_id LEFT JOIN member m ON m.id = g.author_id
    LEFT JOIN event v ON v.id = e.event_id
    WHERE e.member_id = $1 AND e.rhythm = $2::rhythm AND e.day = $3
    ORDER BY v.starts_at NULLS FIRST, g.started_at, g.id, v.id
"""


async def _items(claim: Claim, day: date, language: str) -> list[Item]:
    async with db.connection() as reader:
        rows = await reader.fetch(_ITEMS, claim.member_id, claim.rhythm.value, day)
        named = await registry.refs(
            {filiere_id for row in rows for filiere_id in row["filiere_ids"]}, language
        )
    return [_item(claim, dict(row), named, language) for row in rows]


def _item(
    claim: Claim, row: dict[str, object], named: dict[int, FiliereRef], language: str
) -> Item:
    chosen, speak = settings.current(), Format(language)
    entry = msgspec.convert(row, _Row)
    names = [composition.one_line(named[filiere_id].name) for filiere_id in entry.filiere_ids]
    stop = links.unsubscribe_path(
        chosen.secret, claim.member_id, entry.topic.value, entry.filiere_ids
    )
    item = Item(
        title=composition.one_line(entry.title), filieres=", ".join(names),
        topic=entry.topic.label, stop=chosen.public_url + stop,
        chosen_on=speak.day(entry.chosen_at.astimezone(ZONE).date()),
    )  # fmt: skip
    if entry.starts_at is not None:
        return msgspec.structs.replace(
            item, when=speak.instant(entry.starts_at, entry.timezone or "Europe/Brussels"),
            where=composition.one_line(entry.location or ""),
            link=f"{chosen.public_url}/events/{entry.event_id}",
        )  # fmt: skip
    return msgspec.structs.replace(
        item, author=composition.one_line(entry.author), written_in=entry.language or SOURCE,
        text=composition.text(entry.body or ""),
        html=Markup(composition.html(entry.body or "")),  # noqa: S704 - cleaned by nh3
    )  # fmt: skip


class _Row(msgspec.Struct):
    filiere_ids: list[int]
    chosen_at: datetime
    topic: Topic
    title: str
    body: str | None
    language: str | None
    event_id: int | None
    starts_at: datetime | None
    timezone: str | None
    location: str | None
    author: str
