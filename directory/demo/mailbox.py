"""The demo's mailbox: an SMTP server on loopback whose mails can be read in the browser.

Each mail is one file of `var_dir`/mailbox, so that the server process and the web process share
them without talking.
"""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, cast

import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session
from litestar import MediaType, Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect

from directory import errors, settings
from directory.accounts.authentication import ActorRequest
from directory.http import pages
from directory.languages import marked

SHOWN = 100
LONGEST_NAME = 40
SIZE_LIMIT = 2 * 1024 * 1024
MAIL_SECURITY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class Letter(msgspec.Struct, frozen=True):
    """One mail as the list shows it. `name` is the file's, without its ending."""

    name: str
    to: str
    sender: str
    subject: str
    at: datetime


def folder() -> Path:
    return settings.current().var_dir / "mailbox"


class _Keep:
    """Puts each accepted mail in a file of its own, whole before it has its name."""

    def __init__(self, kept_in: Path) -> None:
        self.kept_in = kept_in
        self.count = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.count += 1
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{self.count:06}"
        head = f"X-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n".encode()
        partial = self.kept_in / f"{name}.part"
        partial.write_bytes(head + cast(bytes, envelope.content))
        partial.rename(self.kept_in / f"{name}.eml")
        return "250 kept"


@asynccontextmanager
async def listening(kept_in: Path) -> AsyncIterator[int]:
    """Receive on a free loopback port, which is given."""
    kept_in.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - once, at the start
    keep = _Keep(kept_in)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(keep, hostname="demo", data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True),
        host="127.0.0.1",
        port=0,
    )
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


def _read(path: Path) -> EmailMessage:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def _letter(path: Path) -> Letter:
    mail = _read(path)
    stamp = path.stem.partition("-")[0]
    return Letter(
        name=path.stem,
        to=str(mail["X-Envelope-To"]),
        sender=str(mail["From"]),
        subject=str(mail["Subject"]),
        at=datetime.strptime(stamp, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC),
    )


def list_letters(to: str = "") -> tuple[list[Letter], int]:
    """The newest letters, and how many there are; `to` keeps those whose address contains it."""
    paths = sorted(folder().glob("*.eml"), reverse=True)
    if not to:
        return [_letter(path) for path in paths[:SHOWN]], len(paths)
    kept = [letter for path in paths if to.lower() in (letter := _letter(path)).to.lower()]
    return kept[:SHOWN], len(kept)


def get_mail(name: str) -> EmailMessage:
    """:raises errors.NotFound: when there is no such file."""
    path = folder() / f"{name}.eml"
    is_name = len(name) <= LONGEST_NAME and name.replace("-", "").replace("T", "").isdecimal()
    if not is_name or not path.is_file():
        raise errors.NotFound(marked("Ce mail n’est plus dans la boîte."))
    return _read(path)


@get("/demo/mailbox", include_in_schema=False)
async def mailbox_page(
    request: ActorRequest, to: Annotated[str, QueryParameter(max_length=254)] = ""
) -> Response[str]:
    letters, total = list_letters(to.strip())
    return pages.page(
        request, "demo/mailbox.html", fragment="letters", letters=letters, total=total, to=to
    )


@get("/demo/mailbox/{name:str}", include_in_schema=False)
async def letter_page(request: ActorRequest, name: FromPath[str]) -> Response[str]:
    mail = get_mail(name)
    text = mail.get_body(("plain",))
    one_click = str(mail["List-Unsubscribe"] or "").strip("<> ")
    here = settings.current().public_url
    return pages.page(
        request, "demo/letter.html", name=name, mail=mail,
        text=text.get_content() if text else "", has_html=mail.get_body(("html",)) is not None,
        one_click=one_click.removeprefix(here) if one_click.startswith(here) else "",
    )  # fmt: skip


@get("/demo/mailbox/{name:str}/html", include_in_schema=False)
async def letter_html(name: FromPath[str]) -> Response[str]:
    """The mail as a mail program lays it out: its own styles, no script, no picture."""
    part = get_mail(name).get_body(("html",))
    return Response(
        part.get_content() if part else "",
        media_type=MediaType.HTML,
        headers={"Content-Security-Policy": MAIL_SECURITY},
    )


@post("/demo/mailbox/empty", include_in_schema=False, status_code=303)
async def empty() -> Redirect:
    for path in folder().glob("*.eml"):
        path.unlink(missing_ok=True)
    return Redirect("/demo/mailbox", status_code=303)


PAGES = [mailbox_page, letter_page, letter_html, empty]
