"""One connection to the relay, and what its answers mean."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosmtplib

from directory import mail
from directory.mailings.delivery import Outcome, Result
from directory.settings import Settings

DATA_SECONDS = 60  # a relay that reads the whole mail before it answers takes longer
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")  # RFC 3463
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+\Z")
UNREACHED = Outcome(result=Result.DEFERRED, reason="relay_away", is_attempt=False)
UNUSABLE = Outcome(result=Result.FAILED, reason="unusable_address")


class Line:
    """A connection that is opened when it is needed, and again after it broke."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._smtp = mail.connection(settings)
        self.refusal = ""

    async def open(self) -> bool:
        """False when the relay does not let us in: nothing has been said then."""
        if self._smtp.is_connected:
            return True
        self._smtp.close()
        self._smtp = mail.connection(self._settings)
        try:
            await self._smtp.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            self.refusal = str(error)
            self._smtp.close()
            return False
        return True

    async def attempt(self, recipient: str, message: bytes) -> Outcome:
        """Hand one message over. Never raises for what a relay or a network does."""
        if not is_usable(recipient):
            return UNUSABLE
        if not await self.open():
            return UNREACHED
        try:
            await self._smtp.mail(self._settings.mail_from)
            await self._smtp.rcpt(recipient)
        except aiosmtplib.SMTPSenderRefused as refusal:  # our fault: no recipient pays for it
            outcome = Outcome(result=Result.DEFERRED, code=refusal.code, text=refusal.message)
        except aiosmtplib.SMTPResponseException as refusal:
            outcome = of_recipient(refusal.code, refusal.message)
        except (aiosmtplib.SMTPException, OSError):
            return UNREACHED
        else:
            return await self._data(message)
        await self._reset()
        return outcome

    async def _data(self, message: bytes) -> Outcome:
        try:
            answer = await self._smtp.data(message, timeout=DATA_SECONDS)
        except aiosmtplib.SMTPDataError as refusal:
            return of_message(refusal.code, refusal.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            self._smtp.close()
            return Outcome(result=Result.IN_DOUBT, text=str(error), reason="no_answer")
        return Outcome(result=Result.SENT, code=answer.code, text=answer.message)

    async def _reset(self) -> None:
        try:
            await self._smtp.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._smtp.close()

    async def close(self) -> None:
        if self._smtp.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.quit()
        self._smtp.close()


def is_usable(address: str) -> bool:
    """Whether the address can stand in an envelope and a header as it is."""
    return _ADDRESS.match(address) is not None


@asynccontextmanager
async def lines(settings: Settings, count: int) -> AsyncIterator[list[Line]]:
    opened = [Line(settings) for _ in range(count)]
    try:
        yield opened
    finally:
        await asyncio.gather(*(line.close() for line in opened))


def of_recipient(code: int, text: str) -> Outcome:
    """What a refusal of RCPT means. The enhanced status is believed before the code.

    A full mailbox (5.2.2) empties again. An address bounces for good with 5.1.x, or with a 550
    that says nothing finer: 550 5.7.1 is about us or the message.
    """
    status = _STATUS.search(text)
    if 400 <= code < 500 or (status and status.group() == "5.2.2") or (code == 552 and not status):
        return Outcome(result=Result.DEFERRED, code=code, text=text)
    if status:
        is_bounce = status.group(1) == "5" and status.group(2) == "1"
    else:
        is_bounce = code in {550, 551, 553}
    return Outcome(
        result=Result.FAILED, code=code, text=text, is_bounce=is_bounce, reason="refused"
    )


def of_message(code: int, text: str) -> Outcome:
    """What an answer other than 250 to DATA, or to the final dot, means."""
    if 200 <= code < 300:
        return Outcome(result=Result.SENT, code=code, text=text)
    if 400 <= code < 500:
        return Outcome(result=Result.DEFERRED, code=code, text=text)
    if 500 <= code < 600:
        return Outcome(result=Result.FAILED, code=code, text=text, reason="refused")
    return Outcome(result=Result.IN_DOUBT, code=code, text=text, reason="no_answer")
