"""One mail to one member, and whether it went out."""

import enum

import aiosmtplib

from directory import mail, settings
from directory.mail import Message


class Outcome(enum.Enum):
    """LATER: it surely did not go out, and may the next time. IN_DOUBT: nobody knows."""

    SENT = "sent"
    LATER = "later"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"


class RelayAway(Exception):
    """The mail relay took nothing. The job that says so is tried again."""


async def post(message: Message) -> Outcome:
    """Hand a mail to the relay. Raises for nothing that the relay or the network does."""
    current = settings.current()
    relay = mail.connection(current)
    try:
        await relay.connect()
    except (aiosmtplib.SMTPException, OSError):
        relay.close()
        return Outcome.LATER
    try:
        await relay.send_message(mail.compose(message, current))
    except aiosmtplib.SMTPRecipientsRefused as refusal:
        return _refused(refusal.recipients[0].code)
    except aiosmtplib.SMTPResponseException as refusal:
        return _refused(refusal.code)
    except (aiosmtplib.SMTPException, OSError):
        return Outcome.IN_DOUBT
    finally:
        relay.close()
    return Outcome.SENT


def _refused(code: int) -> Outcome:
    if 400 <= code < 500:
        return Outcome.LATER
    return Outcome.FAILED if 500 <= code < 600 else Outcome.IN_DOUBT
