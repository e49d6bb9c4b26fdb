"""The table of events."""

from piccolo.columns import BigInt, BigSerial, Integer, Text, Timestamptz
from piccolo.table import Table

from directory.columns import Enumerated


class Event(Table, tablename="event"):
    id = BigSerial(primary_key=True)
    uid = Text(null=False)
    kind = Enumerated("event_kind")
    audience = Enumerated("event_audience")
    title = Text(null=False)
    description = Text(null=False)
    starts_at = Timestamptz(null=False)
    ends_at = Timestamptz(null=False)
    timezone = Text(null=False)
    location = Text(null=False)
    place_id = BigInt(null=True, default=None)
    online_url = Text(null=False)
    language = Text(null=False)
    accessibility = Text(null=False)
    capacity = Integer(null=True, default=None)
    price_cents = Integer(null=False)
    sequence = Integer(null=False)
    created_by = BigInt(null=True, default=None)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)
    cancelled_at = Timestamptz(null=True, default=None)
