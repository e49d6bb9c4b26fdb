"""Time zones as calendars carry them (VTIMEZONE, RFC 5545).

icalendar 7.3 makes them too, but writes the onset of summer time in the new offset instead of the
old one: an hour late for a reader that believes it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def component(zone: ZoneInfo, first: datetime, last: datetime) -> Timezone:
    """The zone from `first` to `last`, instants in UTC: each change of clock, one by one."""
    timezone = Timezone()
    timezone.add("TZID", zone.key)
    begin = first - 2 * DAY
    timezone.add_component(_observance(begin, begin, zone))
    for before, after in _changes(zone, begin, last + 2 * DAY):
        timezone.add_component(_observance(before, after, zone))
    return timezone


def _observance(
    before: datetime, after: datetime, zone: ZoneInfo
) -> TimezoneStandard | TimezoneDaylight:
    old, new = before.astimezone(zone), after.astimezone(zone)
    observance = TimezoneDaylight() if new.dst() else TimezoneStandard()
    observance.add("TZOFFSETFROM", old.utcoffset())
    observance.add("TZOFFSETTO", new.utcoffset())
    observance.add("TZNAME", new.tzname())
    onset = after + (old.utcoffset() or timedelta())  # on the old clock
    observance.add("DTSTART", onset.replace(tzinfo=None, second=0, microsecond=0))
    return observance


def _changes(
    zone: ZoneInfo, first: datetime, last: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The minute before each change of offset, and the minute of it. At most one a day."""
    at = first.astimezone(UTC).replace(second=0, microsecond=0)
    while at < last:
        if _offset(at, zone) != _offset(at + DAY, zone):
            before, after = at, at + DAY
            while after - before > MINUTE:
                middle = before + (after - before) // MINUTE // 2 * MINUTE
                if _offset(middle, zone) == _offset(at, zone):
                    before = middle
                else:
                    after = middle
            yield before, after
        at += DAY


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()
