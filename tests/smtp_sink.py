"""A real SMTP server on the loopback, which keeps what it is given, or refuses it."""

import asyncio
import email
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import policy
from email.message import EmailMessage
from typing import Any

import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mail(msgspec.Struct, frozen=True):
    """One accepted mail: whom the envelope named, and the bytes that came."""

    recipient: str
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = email.message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        assert part is not None
        content: str = part.get_content()
        return content


class Sink:
    """`refuse` maps a recipient to the answer to RCPT. `refuse_data` answers after the dot.

    `hang_up_on` are recipients of whom the mail is kept, and the connection cut without a word.
    `pause` is how long it thinks, in seconds, between keeping a mail and saying so.
    """

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[Mail] = []
        self.refuse: dict[str, str] = {}
        self.refuse_data: dict[str, str] = {}
        self.refuse_sender = ""
        self.hang_up_on: set[str] = set()
        self.pause = 0.0
        self.arrived = asyncio.Condition()
        self.sessions = itertools.count()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def recipients(self) -> Counter[str]:
        return Counter(mail.recipient for mail in self.mails)

    def to(self, recipient: str) -> Mail:
        """The one mail that this person got."""
        (mail,) = [mail for mail in self.mails if mail.recipient == recipient]
        return mail

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(30), self.arrived:
            await self.arrived.wait_for(lambda: len(self.mails) >= count)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse_sender:
            return self.refuse_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.refuse.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        (recipient,) = envelope.rcpt_tos
        if answer := self.refuse_data.get(recipient):
            return answer
        assert isinstance(envelope.content, bytes)
        async with self.arrived:
            self.mails.append(Mail(recipient, envelope.content))
            self.arrived.notify_all()
        if recipient in self.hang_up_on:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        await asyncio.sleep(self.pause)
        return "250 2.0.0 OK"


@asynccontextmanager
async def listening() -> AsyncIterator[Sink]:
    sink = Sink()
    loop = asyncio.get_running_loop()

    def protocol() -> Any:
        return SMTP(sink, hostname="sink.test", loop=loop)

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        server.close()
        await server.wait_closed()
