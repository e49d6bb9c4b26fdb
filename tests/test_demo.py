import itertools
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from directory.demo import families, filieres, loading, names, network, people, programme, towns
from directory.demo.people import Person
from directory.filieres import lifecycle
from directory.members.audiences import Audience, Field
from directory.members.reference import files, places, sectors

TODAY = date(2026, 11, 22)
FICTION = re.compile(
    r"\+33 (1 99 00|2 61 91|3 53 01|4 65 71|6 39 98) \d\d \d\d|\+32 [2-9] 000 \d\d \d\d"
)


@pytest.fixture(scope="module")
def crowd() -> list[Person]:
    return list(people.generate(1_500, 7, TODAY))


def silent(_done: int, _total: int) -> None:
    pass


def test_the_same_seed_and_day_give_the_same_people_whatever_their_number(
    crowd: list[Person],
) -> None:
    assert list(people.generate(300, 7, TODAY)) == crowd[:300]
    others = list(people.generate(300, 8, TODAY))
    cast = len(people.cast())
    assert others[:cast] == crowd[:cast]
    assert [person.email for person in others] != [person.email for person in crowd[:300]]


def test_no_address_phone_or_link_of_the_demonstration_reaches_anybody(
    crowd: list[Person],
) -> None:
    addresses = [person.email for person in crowd] + list(network.STAFF)
    assert all(address.endswith(".example") for address in addresses)
    assert all(re.fullmatch(r"[a-z0-9.-]+@[a-z0-9.-]+", address) for address in addresses)
    assert len({address.lower() for address in addresses}) == len(addresses)
    assert all(FICTION.fullmatch(person.phone) for person in crowd if person.phone)
    urls = [url for person in crowd for _, url in person.links]
    assert urls
    assert all(re.match(r"https://[a-z0-9.-]+\.example(/|$)", url) for url in urls)


def test_every_text_is_whole(crowd: list[Person]) -> None:
    for person in crowd:
        assert person.headline
        for text in (person.headline, person.biography, *person.offered, *person.wanted):
            assert not set(text) & set("{}[]|"), text
        assert len(person.headline) <= 120


def test_the_gender_of_a_name_and_of_its_texts_agree() -> None:
    template = "[Formé|Formée] à Mons, [agriculteur|agricultrice]"
    assert families.say(template, "f", {}) == "Formée à Mons, agricultrice"
    assert families.say(template, "m", {}) == "Formé à Mons, agriculteur"
    assert families.say(template, "x", {}) == "Formé·e à Mons, agriculteur·rice"


def test_families_use_real_trades_and_sectors() -> None:
    known = {row["code_ogr"]: row["appellation_long"] for row in files.read("rome_appellations")}
    codes = {sector.code for sector in sectors.read()}
    assert len(families.by_key()) > 30
    keys = {filiere.key for filiere in filieres.known()}
    for key, family in families.by_key().items():
        assert {code: label for _, code, label in family.trades} == {
            code: known[code] for _, code, _ in family.trades
        }, key
        assert {*family.sectors, *family.clients} <= codes, key
        assert set(family.seconds) <= set(families.by_key()), key
        assert set(family.filieres) <= keys, key


@pytest.mark.parametrize("language", ["fr", "nl", "en"])
def test_every_trade_has_something_to_say_in_each_language(language: str) -> None:
    for key, family in families.by_key().items():
        for _, code, appellation in family.trades:
            for kind in ("headlines", "bios", "skills"):
                said = families.texts(key, kind, language, code)
                assert said, (key, appellation, kind)
                assert not [text for text in said if text.startswith("@")]


def test_marks_name_trades_of_their_family() -> None:
    for key, family in families.by_key().items():
        codes = {code for _, code, _ in family.trades}
        for text in (*family.headlines, *family.bios, *family.skills, *family.skills_nl):
            if text.startswith("@"):
                assert set(text[1:].partition(" ")[0].split(",")) <= codes, (key, text)


def test_towns_offices_and_events_stand_on_real_places() -> None:
    codes = {place.code for place in places.read()[1]}
    assert {place for rows in towns.atlas().towns.values() for _, place, _ in rows} <= codes
    assert {office.place for office in towns.atlas().office} <= codes
    assert {event.place for event in programme.planned() if event.place} <= codes


def test_the_community_is_varied_and_belgian(crowd: list[Person]) -> None:
    countries = Counter(person.place[:2] for person in crowd)
    assert countries["be"] > 5 * countries["fr"] > 0
    assert len({person.display_name for person in crowd}) > 0.95 * len(crowd)
    assert len({person.place for person in crowd}) > 80
    assert len({trade for person in crowd for trade in person.trades}) > 150
    assert {"fr", "nl", "en"} == {person.language for person in crowd}
    spoken = {language for person in crowd for language, _ in person.languages}
    assert {"ar", "ln", "it", "tr", "pl", "wo"} <= spoken
    assert set(names.MIXES) == set(towns.atlas().towns)


def test_profiles_keep_the_rules_of_profiles(crowd: list[Person]) -> None:
    for person in crowd:
        assert 1 <= len(person.trades) == len(set(person.trades)) <= 5
        assert person.sectors
        assert len(dict(person.languages)) == len(person.languages) <= 5
        assert all(len(label) <= 80 for label in (*person.offered, *person.wanted))
        assert set(person.audiences) <= {field.value for field in Field}
        assert set(person.audiences.values()) <= {audience.value for audience in Audience}
        assert person.joined_on <= (person.left_on or TODAY) <= TODAY
        if person.confirmed_at:
            assert person.confirmed_at.date() <= TODAY
    closed = sum("display_name" not in person.audiences for person in crowd) / len(crowd)
    left = sum(person.left_on is not None for person in crowd) / len(crowd)
    assert 0.1 < closed < 0.3
    assert 0.005 < left < 0.03


def test_nobody_is_in_more_than_three_filieres_and_nobody_gone_is_in_one(
    crowd: list[Person],
) -> None:
    joined = 0
    for person in crowd:
        active = [j for j in filieres.join(person, 7, TODAY) if j.left_at is None]
        joined += bool(active)
        assert len({joining.slug for joining in active}) == len(active) <= filieres.QUOTA
        assert not (person.left_on and active)
    assert 0.25 < joined / len(crowd) < 0.8


def test_the_story_of_each_filiere_follows_the_allowed_moves() -> None:
    assert {filiere.kind for filiere in filieres.known()} == {"trade", "sector"}
    for filiere in filieres.known():
        days = [day for day, _, _ in filiere.history]
        stages = [lifecycle.Stage(stage) for _, stage, _ in filiere.history]
        assert days == sorted(days, reverse=True)
        assert stages[0] is lifecycle.Stage.PROPOSED
        assert stages[-1].value == filiere.stage
        assert all(b in lifecycle.MOVES[a] for a, b in itertools.pairwise(stages))
        assert bool(filiere.trades) != bool(filiere.sectors)


def test_an_animator_stays_in_the_filiere(crowd: list[Person]) -> None:
    for seed in range(40):
        joinings = {person.position: filieres.join(person, seed, TODAY) for person in crowd}
        mandates, added = filieres.appoint(crowd, joinings, seed, TODAY)
        active = {
            (joining.position, joining.slug)
            for joining in itertools.chain(added, *joinings.values())
            if joining.left_at is None
        }
        assert {(mandate.position, mandate.slug) for mandate in mandates} <= active
        running = Counter(mandate.slug for mandate in mandates if mandate.ends_on >= TODAY)
        assert running == {f.slug: f.animators for f in filieres.known() if f.animators}
        assert all(m.starts_on <= min(TODAY, m.ends_on) for m in mandates)


@pytest.fixture
async def loaded(connection: asyncpg.Connection) -> loading.DemoReport:
    return await loading.load(connection, members=600, seed=7, today=TODAY, progress=silent)


async def test_the_demonstration_fills_the_tables(
    connection: asyncpg.Connection, loaded: loading.DemoReport
) -> None:
    for table, rows in loaded.rows.items():
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == rows > 0, table
    assert loaded.rows["member"] == 600
    for account in loaded.accounts:
        assert await connection.fetchval(
            "SELECT email_confirmed_at IS NOT NULL FROM account WHERE email = $1", account.email
        )
    without_main_trade = await connection.fetchval(
        "SELECT count(*) FROM member m WHERE NOT EXISTS"
        " (SELECT FROM member_trade t WHERE t.member_id = m.id AND t.position = 0)"
    )
    assert without_main_trade == 0


async def test_each_consent_has_its_row_in_the_ledger_and_no_other_state_follows_from_it(
    connection: asyncpg.Connection, loaded: loading.DemoReport
) -> None:
    derived = await connection.fetch(
        "SELECT member_id, filiere_id, topic::text, rhythm::text, id FROM ("
        " SELECT DISTINCT ON (member_id, filiere_id, topic) * FROM consent_ledger"
        " ORDER BY member_id, filiere_id, topic, id DESC) l WHERE rhythm IS NOT NULL"
    )
    kept = await connection.fetch(
        "SELECT member_id, filiere_id, topic::text, rhythm::text, ledger_id FROM consent"
    )
    assert {tuple(row) for row in kept} == {tuple(row) for row in derived}
    assert await connection.fetchval(
        "SELECT bool_and((wording_id IS NULL) = (act = 'withdrawn')) FROM consent_ledger"
    )
    assert not await connection.fetchval(
        "SELECT count(*) FROM consent c JOIN member m ON m.id = c.member_id"
        " JOIN account a ON a.id = m.account_id WHERE a.email_confirmed_at IS NULL"
        " OR NOT EXISTS (SELECT FROM membership s WHERE s.member_id = c.member_id"
        " AND s.filiere_id = c.filiere_id AND s.left_at IS NULL)"
    )


async def test_members_of_the_cast_are_what_their_words_say(
    connection: asyncpg.Connection, loaded: loading.DemoReport
) -> None:
    counts = dict(
        map(
            tuple,
            await connection.fetch(
                "SELECT a.email::text, count(*) FROM account a JOIN member m ON m.account_id = a.id"
                " JOIN membership s ON s.member_id = m.id AND s.left_at IS NULL GROUP BY 1"
            ),
        )
    )
    assert counts["awa@etabli.example"] == 2
    assert counts["noe@etabli.example"] == 3
    grants = {
        (row["email"], row["role"], row["slug"])
        for row in await connection.fetch(
            "SELECT a.email::text AS email, g.role::text AS role, f.slug FROM access_grant g"
            " JOIN account a ON a.id = g.account_id"
            " LEFT JOIN filiere f ON g.scope = 'filiere:' || f.id"
        )
    }
    assert ("clemence@etabli.example", "animator", "metiers-du-web") in grants
    assert ("lotte@etabli.example", "animator", "image-et-edition") in grants
    assert ("helene@etabli.example", "coordinator", None) in grants
    assert ("admin@etabli.example", "administrator", None) in grants


async def test_each_animator_is_a_member_with_the_right_to_write(
    connection: asyncpg.Connection, loaded: loading.DemoReport
) -> None:
    rows = await connection.fetch(
        "SELECT f.slug, count(*) AS mandates, bool_and(EXISTS (SELECT FROM membership s"
        " WHERE s.member_id = d.member_id AND s.filiere_id = f.id AND s.left_at IS NULL))"
        " AS are_in, bool_and(EXISTS (SELECT FROM access_grant g WHERE g.account_id = m.account_id"
        " AND g.scope = 'filiere:' || f.id AND g.ends_on = d.ends_on)) AS may"
        " FROM mandate d JOIN filiere f ON f.id = d.filiere_id JOIN member m ON m.id = d.member_id"
        " WHERE d.starts_on <= $1 AND d.ends_on >= $1 GROUP BY 1",
        TODAY,
    )
    assert all(row["are_in"] and row["may"] for row in rows)
    found = {row["slug"]: row["mandates"] for row in rows}
    wanted = {filiere.slug: filiere.animators for filiere in filieres.known() if filiere.animators}
    assert found == wanted
    most = await connection.fetchval(
        "SELECT max(n) FROM (SELECT count(*) AS n FROM membership WHERE left_at IS NULL"
        " GROUP BY member_id) counted"
    )
    assert most == filieres.QUOTA


async def test_the_mailing_reached_each_consenting_member_once(
    connection: asyncpg.Connection, loaded: loading.DemoReport
) -> None:
    row = await connection.fetchrow(
        "SELECT g.audience_size, g.state::text AS state, g.subject, count(d.*) AS deliveries,"
        " bool_and(d.state = 'sent' AND d.sent_at >= g.started_at AND d.sent_at <= g.finished_at)"
        " AS are_sent FROM mailing g JOIN delivery d ON d.mailing_id = g.id GROUP BY g.id"
    )
    assert row is not None
    assert row["audience_size"] == row["deliveries"] > 5
    assert (row["state"], row["are_sent"]) == ("sent", True)
    assert row["subject"] == "Chiffrer un site : une deuxième session le 7 janvier"


async def test_events_are_past_and_to_come_and_one_is_cancelled(
    connection: asyncpg.Connection, loaded: loading.DemoReport
) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    rows = await connection.fetch("SELECT * FROM event")
    assert sum(row["starts_at"] < now for row in rows) >= 5
    assert sum(row["starts_at"] > now for row in rows) >= 15
    assert sum(row["cancelled_at"] is not None for row in rows) == 1
    assert {row["audience"] for row in rows} == {"public", "members", "filieres"}
    assert all(row["created_at"] < now + timedelta(days=1) for row in rows)
    assert all(bool(row["online_url"]) != bool(row["place_id"]) for row in rows)


async def test_a_directory_with_somebody_in_it_refuses_the_demonstration(
    connection: asyncpg.Connection, loaded: loading.DemoReport
) -> None:
    with pytest.raises(loading.DemoRefused, match="members already"):
        await loading.load(connection, members=30, seed=1, today=TODAY, progress=silent)


async def test_twenty_members_are_enough_for_a_demonstration(
    connection: asyncpg.Connection,
) -> None:
    told: list[tuple[int, int]] = []
    report = await loading.load(
        connection, members=20, seed=1, today=TODAY, progress=lambda *seen: told.append(seen)
    )
    assert report.rows["member"] == 20
    assert told == [(20, 20)]
