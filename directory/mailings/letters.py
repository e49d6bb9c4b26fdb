"""The mail that a mailing is for its readers: by language, and by the filières they chose it in."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup

from directory import db, mail, signing
from directory.filieres.registry import FiliereRef
from directory.http import pages
from directory.languages import marked, translate
from directory.mailings import composition, prepared, record
from directory.mailings.prepared import Prepared
from directory.settings import Settings
from directory.subscriptions import links
from directory.subscriptions.topics import Topic

FOLDER = Path(__file__).parent / "mails" / "announcement"
MESSAGE_ID = "message-id"
ZONE = ZoneInfo("Europe/Brussels")
PERSONAL = ("to", "date", "message_id", "unsubscribe", "day", "stop", "preferences")


class Letter(msgspec.Struct, frozen=True):
    """What an animator wrote. Replies go to `author_email`, which is their account's address."""

    id: int
    topic: Topic
    language: str
    subject: str
    body: str
    author: str
    author_email: str


class Reader(msgspec.Struct, frozen=True):
    """Whom a mail goes to. `filiere_ids` are those in which they chose its topic."""

    member_id: int
    email: str
    language: str
    filiere_ids: tuple[int, ...]
    chosen_at: datetime


async def load(mailing_id: int) -> Letter:
    """:raises errors.NotFound: when there is no such mailing."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            """
            SELECT g.id, g.topic::text AS topic, g.language, g.subject, g.body,
                coalesce(m.display_name, '') AS author,
                coalesce(a.email::text, '') AS author_email
            FROM mailing g LEFT JOIN member m ON m.id = g.author_id
            LEFT JOIN account a ON a.id = m.account_id WHERE g.id = $1
            """,
            mailing_id,
        )
    if row is None:
        raise record.unknown()
    return msgspec.convert(dict(row), Letter)


def prepare(
    letter: Letter, settings: Settings, language: str, filieres: Sequence[FiliereRef]
) -> Prepared:
    """The bytes for all readers of one language who chose the topic in the same filières."""
    marks = prepared.Marks(PERSONAL)
    message = _render(
        letter, settings, language, filieres,
        **{name: marks[name] for name in ("day", "stop", "preferences")},
    )  # fmt: skip
    first = filieres[0]
    return prepared.prepare(
        {
            "From": str(_sender(letter, settings, first.name)),
            "Reply-To": letter.author_email or settings.mail_from,
            "Subject": message.subject,
            "List-Id": f"<{first.slug}.{_domain(settings)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",  # RFC 8058
            "Precedence": "list",
        },
        {
            "To": marks["to"],
            "Date": marks["date"],
            "Message-ID": f"<{marks['message_id']}>",
            "List-Unsubscribe": f"<{marks['unsubscribe']}>",
        },
        message.text,
        message.html,
        marks,
    )


def personal(letter: Letter, settings: Settings, reader: Reader) -> dict[str, str]:
    """What a prepared mail needs to become this reader's."""
    stop = settings.public_url + links.unsubscribe_path(
        settings.secret, reader.member_id, letter.topic.value, reader.filiere_ids
    )
    return {
        "to": reader.email,
        "date": format_datetime(datetime.now(UTC)),
        "message_id": message_id(letter.id, reader.member_id, settings),
        "unsubscribe": stop,
        "day": pages.Format(reader.language).day(reader.chosen_at.astimezone(ZONE).date()),
        "stop": stop,
        "preferences": settings.public_url
        + links.preferences_path(settings.secret, reader.member_id),
    }


def message_id(mailing_id: int, member_id: int, settings: Settings) -> str:
    """The same for each attempt at one delivery, so that a second copy is known as one."""
    return f"{signing.sign(settings.secret, MESSAGE_ID, mailing_id, member_id)}@{_domain(settings)}"


def trial(
    letter: Letter, settings: Settings, language: str, filieres: Sequence[FiliereRef]
) -> mail.Message:
    """The mail for its author's eyes, to their own address."""
    message = _render(
        letter, settings, language, filieres,
        is_trial=True,
        subject=translate(language, marked("Essai : %(subject)s"), subject=letter.subject),
    )  # fmt: skip
    return msgspec.structs.replace(message, to=letter.author_email, reply_to=letter.author_email)


def sender(letter: Letter, filiere: str) -> str:
    """'Clémence Wauters, Métiers du web'."""
    return composition.one_line(f"{letter.author}, {filiere}" if letter.author else filiere)


def _sender(letter: Letter, settings: Settings, filiere: str) -> Address:
    user, _, domain = settings.mail_from.partition("@")
    return Address(sender(letter, filiere), user, domain)


def _domain(settings: Settings) -> str:
    return settings.mail_from.rpartition("@")[2]


def _render(
    letter: Letter,
    settings: Settings,
    language: str,
    filieres: Sequence[FiliereRef],
    **context: object,
) -> mail.Message:
    first, *others = [composition.one_line(filiere.name) for filiere in filieres]
    values = {
        "is_trial": False,
        "subject": letter.subject,
        "topic": letter.topic.label,
        "filiere": first,
        "others": others,
        "author": composition.one_line(letter.author) or first,
        "written_in": letter.language,
        "preheader": composition.preheader(letter.body),
        "body_text": composition.text(letter.body),
        "body_html": Markup(composition.html(letter.body)),  # noqa: S704 - cleaned by nh3
    }
    return mail.render(FOLDER, settings, to="", language=language, **values | context)
