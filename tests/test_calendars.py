"""What calendar programs read."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest

from directory.accounts.actor import VISITOR
from directory.events import calendar, zones
from tests import people, towns
from tests.towns import Town

BRUSSELS = ZoneInfo("Europe/Brussels")


def last_sunday(month: int) -> date:
    """Of a month of 31 days, next year: when clocks change in Europe."""
    last = date(datetime.now(UTC).year + 1, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)


def instant(moment: date) -> datetime:
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)


@pytest.fixture
async def town(connection: asyncpg.Connection) -> Town:
    return await towns.build(connection)


async def test_a_past_event_leaves_the_agenda_and_stays_90_days_in_the_calendar(
    client: httpx.AsyncClient, town: Town, connection: asyncpg.Connection
) -> None:
    event = await towns.listed(client, town)
    for days, stays in ((89, 1), (91, 0)):
        await connection.execute(
            "UPDATE event SET starts_at = now() - make_interval(days => $1, hours => 2), "
            "ends_at = now() - make_interval(days => $1)",
            days,
        )
        assert (await client.get("/api/v1/events")).json()["total"] == 0
        feed = towns.parsed(await client.get("/filieres/web/calendar.ics"))
        assert len(feed.events) == stays
    await people.sign_in(client, town.animator)
    assert (await client.get(f"/events/{event['id']}/edit")).status_code == 409
    assert (await client.post(f"/api/v1/events/{event['id']}/cancel")).status_code == 409


async def test_the_calendar_says_all_that_a_program_needs(
    client: httpx.AsyncClient, town: Town, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "UPDATE filiere SET name_fr = 'Web, image; édition' WHERE slug = 'web'"
    )
    event = await towns.listed(
        client, town, description="Un; deux, trois\\\nquatre", place="be-4000-liege"
    )
    feed = towns.parsed(await client.get("/filieres/web/calendar.ics"))
    for name in ("NAME", "X-WR-CALNAME"):  # icalendar reads neither as text
        assert f"{name}:Web\\, image\\; édition\\, L’Établi" in feed.to_ical().decode()
    component = feed.events[0]
    assert component["UID"] == event["uid"]
    assert str(component["DESCRIPTION"]).startswith("Un; deux, trois\\\nquatre\n\n")
    assert component["LOCATION"] == "La Filature, 14 quai des Tanneurs, 4000 Liège"
    assert component["URL"] == f"http://testserver.local/events/{event['id']}"
    assert component.categories == ["Formation", "Web, image; édition"]
    assert component["STATUS"] == "CONFIRMED"
    updated = datetime.fromisoformat(event["updated_at"]).replace(microsecond=0)
    assert component.DTSTAMP == component.LAST_MODIFIED == updated
    assert component.start == datetime.fromisoformat(event["starts_at"])
    assert [zone["TZID"] for zone in feed.timezones] == ["Europe/Brussels"]
    assert "DTSTART;TZID=Europe/Brussels:" in feed.to_ical().decode()


async def test_the_calendar_is_sent_again_only_when_it_changes(
    client: httpx.AsyncClient, town: Town
) -> None:
    event = await towns.listed(client, town)
    for address in ("/filieres/web/calendar.ics", f"/events/{event['id']}/event.ics"):
        first = await client.get(address)
        assert first.headers["last-modified"].endswith("GMT")
        for tag in (first.headers["etag"], f'"x", W/{first.headers["etag"]}'):
            again = await client.get(address, headers={"If-None-Match": tag})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == first.headers["etag"]
    tag = (await client.get("/filieres/web/calendar.ics")).headers["etag"]
    await people.sign_in(client, town.animator)
    await client.post(f"/api/v1/events/{event['id']}/cancel")
    changed = await client.get("/filieres/web/calendar.ics", headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert (await client.get("/filieres/nulle-part/calendar.ics")).status_code == 404
    assert towns.parsed(await client.get("/filieres/image/calendar.ics")).events == []


async def test_a_weekend_over_the_change_of_clock_keeps_its_hours(
    client: httpx.AsyncClient, town: Town
) -> None:
    sunday = last_sunday(3)
    saturday = sunday - timedelta(days=1)
    event = await towns.listed(
        client, town, starts_at=f"{saturday}T18:30", ends_at=f"{sunday}T18:30"
    )
    assert event["starts_at"] == f"{saturday}T17:30:00Z"
    assert event["ends_at"] == f"{sunday}T16:30:00Z"
    feed = towns.parsed(await client.get("/filieres/web/calendar.ics"))
    component = feed.events[0]
    text = feed.to_ical().decode()
    assert f"DTSTART;TZID=Europe/Brussels:{saturday:%Y%m%d}T183000" in text
    assert f"DTEND;TZID=Europe/Brussels:{sunday:%Y%m%d}T183000" in text
    assert component.end - component.start == timedelta(hours=24)  # on the wall
    assert instant(component.end) - instant(component.start) == timedelta(hours=23)
    # What a program that knows no zone by name reads from the VTIMEZONE alone.
    described = feed.timezones[0].to_tz(lookup_tzid=False)
    for hour in {*range(24)} - {2}:
        wall = datetime.combine(sunday, time(hour, 30))
        offset = wall.replace(tzinfo=described).utcoffset()
        assert offset == wall.replace(tzinfo=BRUSSELS).utcoffset(), hour
    onset = feed.timezones[0].daylight[0]
    assert onset["DTSTART"].to_ical() == f"{sunday:%Y%m%d}T020000".encode()  # on the old clock


async def test_an_hour_that_the_clock_skips_is_refused_and_one_it_repeats_is_the_first(
    client: httpx.AsyncClient, town: Town
) -> None:
    spring, autumn = last_sunday(3), last_sunday(10)
    messages = await towns.refused(
        client, town, starts_at=f"{spring}T02:30", ends_at=f"{spring}T12:00"
    )
    assert f"Le {spring.day} mars {spring.year}, 02:30 n’existe pas" in messages["starts_at"]
    assert "Bruxelles" in messages["starts_at"]
    assert f"{spring:%d/%m/%Y} 03:30" in messages["starts_at"]
    first = await towns.listed(client, town, starts_at=f"{autumn}T02:30", ends_at=f"{autumn}T12:00")
    assert first["starts_at"] == f"{autumn}T00:30:00Z"
    second = await towns.listed(
        client, town, starts_at=f"{autumn}T01:30:00Z", ends_at=f"{autumn}T12:00+01:00"
    )
    assert second["starts_at"] == f"{autumn}T01:30:00Z"
    for event in (first, second):  # both are 02:30 on the wall
        read = towns.parsed(await client.get(f"/events/{event['id']}/event.ics")).events[0]
        assert instant(read.start) == datetime.fromisoformat(event["starts_at"])


@pytest.mark.parametrize(
    "name", ["Europe/Brussels", "Europe/Dublin", "America/Sao_Paulo", "Australia/Lord_Howe",
             "Africa/Casablanca", "Asia/Kathmandu"],
)  # fmt: skip
def test_a_described_zone_has_the_offsets_of_the_real_one(name: str) -> None:
    zone = ZoneInfo(name)
    first, last = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    described = zones.component(zone, first, last).to_tz(lookup_tzid=False)
    wall = datetime(2026, 1, 1)  # noqa: DTZ001 - a wall clock
    while wall.year < 2028:
        real = wall.replace(tzinfo=zone)
        is_plain = real.utcoffset() == real.replace(fold=1).utcoffset()
        if is_plain:
            assert wall.replace(tzinfo=described).utcoffset() == real.utcoffset(), wall
        wall += timedelta(minutes=30)


async def test_a_feed_of_an_empty_filiere_has_no_date(
    client: httpx.AsyncClient, town: Town
) -> None:
    feed = await calendar.of_filiere(VISITOR, "image", "nl")
    assert feed.changed_at is None
    assert b"VTIMEZONE" not in feed.content
