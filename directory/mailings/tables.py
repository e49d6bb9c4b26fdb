"""The table of mailings."""

from piccolo.columns import BigInt, BigSerial, Integer, Text, Timestamptz
from piccolo.table import Table

from directory.columns import Enumerated


class Mailing(Table, tablename="mailing"):
    id = BigSerial(primary_key=True)
    author_id = BigInt(null=True, default=None)
    topic = Enumerated("topic")
    policy = Enumerated("mailing_policy")
    state = Enumerated("mailing_state")
    language = Text(null=False)
    subject = Text(null=False)
    body = Text(null=False)
    audience_size = Integer(null=True, default=None)
    created_at = Timestamptz(null=False)
    send_at = Timestamptz(null=True, default=None)
    started_at = Timestamptz(null=True, default=None)
    worked_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)
