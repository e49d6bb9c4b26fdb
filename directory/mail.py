"""Mail: a message from a folder of templates, and the way out by SMTP.

A folder `mails/<name>/` holds subject.txt, body.txt and body.html. Mailings to many render their
own bytes; they share the connection made here.
"""

import functools
import re
from datetime import UTC, datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import make_msgid
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiosmtplib
import css_inline
import jinja2
import msgspec

from directory import errors, languages
from directory.languages import marked
from directory.settings import Settings, SettingsInvalid

SMTP_SECONDS = 20
SCHEMES = {"smtp": (False, False), "smtp+starttls": (False, True), "smtps": (True, False)}
SHARED = Path(__file__).parent / "templates"
_ENCODED = re.compile(r"=(?=\?)")
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Message(msgspec.Struct, frozen=True):
    """One mail to one address. `headers` come on top of the usual ones."""

    to: str
    subject: str
    text: str
    html: str
    reply_to: str = ""
    headers: dict[str, str] = {}


class _Verbatim(UnstructuredHeader, BaseHeader):
    """A long address would be put into encoded words (RFC 2047), which nobody undoes here."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Verbatim)
_POLICY = EmailPolicy(header_factory=_HEADERS)


def header_text(field: str, text: str) -> str:
    """The text, if it can stand in a header.

    :raises errors.Malformed: when it holds a line break or another control character.
    """
    if _BREAKS.search(text):
        raise errors.Malformed.field(
            field, marked("Écrivez ce texte sur une seule ligne, sans caractère invisible.")
        )
    return text


def literal(text: str) -> str:
    """A text that no reader of the header takes for an encoded word (RFC 2047).

    "=?utf-8?q?Eve?=" as a name would be shown as "Eve"; it is kept apart, and seen as it is.
    """
    return _ENCODED.sub("= ", text)


@functools.cache
def _templates(folder: Path) -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, SHARED]),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(
    folder: Path, settings: Settings, *, to: str, language: str, **context: object
) -> Message:
    """Write the mail of a template folder in the reader's language."""

    def write(file: str) -> str:
        speak = languages.speaker(language, html=file.endswith(".html"))
        return (
            _templates(folder)
            .get_template(file)
            .render(
                {"site": settings.name, "url": settings.public_url, "language": language}
                | speak
                | context
            )
        )

    return Message(
        to=to,
        subject=header_text("subject", write("subject.txt").strip()),
        text=write("body.txt").strip() + "\n",
        html=css_inline.inline(write("body.html")),
    )


def compose(message: Message, settings: Settings, *, sender: str = "") -> EmailMessage:
    """The mail as RFC 5322 wants it, from the cooperative's one address."""
    mail = EmailMessage(_POLICY)
    user, _, domain = settings.mail_from.partition("@")
    mail["From"] = Address(literal(header_text("from", sender or settings.name)), user, domain)
    mail["To"] = header_text("to", message.to)
    mail["Subject"] = literal(header_text("subject", message.subject))
    mail["Date"] = datetime.now(UTC)
    mail["Message-ID"] = make_msgid(domain=domain)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834
    if message.reply_to:
        mail["Reply-To"] = header_text("reply_to", message.reply_to)
    for name, text in message.headers.items():
        del mail[name]
        mail[name] = header_text(name, text)
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    return mail


def connection(settings: Settings) -> aiosmtplib.SMTP:
    """A connection to the relay, to be entered with `async with`.

    :raises SettingsInvalid: when SMTP_URL is not one of the three schemes.
    """
    url = urlsplit(settings.smtp_url)
    if url.scheme not in SCHEMES or not url.hostname:
        raise SettingsInvalid(f"SMTP_URL={settings.smtp_url!r}: one of {', '.join(SCHEMES)}://host")
    use_tls, start_tls = SCHEMES[url.scheme]
    return aiosmtplib.SMTP(
        hostname=url.hostname,
        port=url.port or {"smtps": 465, "smtp+starttls": 587}.get(url.scheme, 25),
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        use_tls=use_tls,
        start_tls=start_tls,
        timeout=SMTP_SECONDS,
    )


async def send(message: Message, settings: Settings) -> None:
    """:raises aiosmtplib.SMTPException: when the relay refuses or is away."""
    async with connection(settings) as relay:
        await relay.send_message(compose(message, settings))
