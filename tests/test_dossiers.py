"""Why a filière exists: who reads which figures, and what a decision keeps for ever."""

from datetime import date
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from directory import settings
from directory.accounts import tokens
from directory.accounts.actor import Scope
from directory.filieres import evidence
from directory.members import views
from tests import crowd, people
from tests.crowd import TRADES
from tests.dossier import API, MOVE, PAGE, awa, criterion, helene, read, web
from tests.people import Person

__all__ = ["awa", "helene", "web"]


async def test_a_member_reads_which_criteria_are_met(
    client: httpx.AsyncClient, web: int, awa: Person
) -> None:
    await people.sign_in(client, awa)
    found = await read(client)
    members = criterion(found, "members")
    assert members["value"] == {"value": 40, "bound": "exact"}
    assert (members["threshold"], members["is_met"]) == (150, False)
    assert members["source"] == "directory"
    assert members["counted_on"] == views.today().isoformat() == found["counted_on"]
    assert criterion(found, "trend")["is_met"] is True
    offices = criterion(found, "offices")
    assert (offices["value"]["value"], offices["is_met"]) == (2, False)
    assert criterion(found, "turnover")["is_met"] is None
    assert criterion(found, "potential")["value"] == {"value": 36, "bound": "least"}
    assert [point["members"] for point in found["details"]["points"]] == [40] * 13
    names = {one["code"]: one["name"] for one in found["details"]["names"]}
    assert names["be-4000-liege"] == "4000 Liège"
    assert names["namur"] == "Namur"

    page = (await client.get(PAGE)).text
    assert "non atteint" in page
    assert "4000 Liège" in page
    section = (await client.get("/filieres/web")).text
    assert "Pourquoi cette filière" in section
    assert "Membres de ces métiers" in section
    assert ">40<" in section


async def test_a_visitor_reads_the_thresholds_and_no_figure_of_today(
    client: httpx.AsyncClient, web: int
) -> None:
    found = await read(client)
    assert found["details"] is None
    assert found["opinions"] is None
    assert found["counted_on"] is None
    assert criterion(found, "members") == {
        "name": "members", "value": None, "threshold": 150, "band": None, "band_threshold": None,
        "members_each": None, "is_met": None, "source": "directory", "counted_on": None,
    }  # fmt: skip
    for path in ("/filieres/web", PAGE):
        page = (await client.get(path)).text
        assert "150" in page
        assert ">40<" not in page
        assert "Liège" not in page


async def test_a_visitor_cannot_tell_whether_anybody_is_there(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int
) -> None:
    seen = [(await client.get(path)).text for path in (API, PAGE, "/filieres/web")]
    await crowd.of(connection, 500, trade=TRADES[0])
    await connection.execute("DELETE FROM dossier_figures")
    await evidence.refresh_due()
    assert [(await client.get(path)).text for path in (API, PAGE, "/filieres/web")] == seen


async def test_a_token_reads_figures_only_with_the_scope_of_members(
    client: httpx.AsyncClient, web: int, awa: Person
) -> None:
    for scopes, is_told in (([], False), ([Scope.MEMBERS_READ], True)):
        secret = await tokens.create(awa.email, scopes)
        answer = await client.get(API, headers={"authorization": f"Bearer {secret}"})
        assert answer.status_code == 200
        assert (answer.json()["details"] is not None) is is_told


async def test_a_filiere_of_sectors_counts_those_who_show_their_sectors(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await people.filiere(connection, "web", kind="sector")
    await connection.execute(
        "INSERT INTO filiere_sector SELECT f.id, s.id FROM filiere f, sector s WHERE s.code = '62'"
    )
    await crowd.of(connection, 9, sector="62")
    await crowd.of(connection, 9, sector="62", audiences={"sectors": "me"})
    await crowd.of(connection, 9, trade=TRADES[0])
    await evidence.refresh_due()
    await people.sign_in(client, awa)
    assert criterion(await read(client), "members")["value"] == {"value": 9, "bound": "exact"}
    assert "Membres de ces secteurs" in (await client.get("/filieres/web")).text


async def test_figures_stand_still_until_they_are_counted_again(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int, awa: Person
) -> None:
    await people.sign_in(client, awa)
    before = (await read(client), (await client.get(PAGE)).text)
    await crowd.of(connection, 7, trade=TRADES[0])
    await evidence.refresh_due()  # as the job does, many times a day
    assert (await read(client), (await client.get(PAGE)).text) == before
    await connection.execute("UPDATE dossier_figures SET counted_on = counted_on - 40")
    await evidence.refresh_due()
    assert criterion(await read(client), "members")["value"]["value"] == 47


async def test_months_that_were_counted_stay_as_they_were(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int, awa: Person
) -> None:
    await people.sign_in(client, awa)
    await crowd.of(connection, 7, trade=TRADES[0], joined_on=date(2020, 1, 1))
    await connection.execute("UPDATE dossier_figures SET counted_on = counted_on - 40")
    await evidence.refresh_due()
    points = (await read(client))["details"]["points"]
    assert [point["members"] for point in points] == [40] * 13


async def test_other_trades_begin_another_year(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int, awa: Person
) -> None:
    await people.sign_in(client, awa)
    await crowd.of(connection, 9, trade=TRADES[1])
    await connection.execute(
        "INSERT INTO filiere_trade SELECT $1, id FROM trade WHERE code = $2", web, TRADES[1]
    )
    await connection.execute("UPDATE dossier_figures SET counted_on = counted_on - 40")
    await evidence.refresh_due()
    points = (await read(client))["details"]["points"]
    assert [point["members"] for point in points] == [50] * 13


@pytest.mark.parametrize("field", ["display_name", "trades"])
async def test_who_hides_changes_nothing_in_a_dossier(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    web: int,
    awa: Person,
    field: str,
) -> None:
    await people.sign_in(client, awa)
    await connection.execute("DELETE FROM dossier_figures")
    await evidence.refresh_due()
    before = (await read(client), (await client.get(PAGE)).text)
    await crowd.of(
        connection, 50, trade=TRADES[0], place="be-4000-liege", territory="gand",
        band="over_100k", audiences={field: "filieres"},
    )  # fmt: skip
    await connection.execute("DELETE FROM dossier_point")
    await connection.execute("DELETE FROM dossier_figures")
    await evidence.refresh_due()
    assert (await read(client), (await client.get(PAGE)).text) == before


async def test_the_staff_count_again_once_a_day(
    client: httpx.AsyncClient,
    connection: asyncpg.Connection,
    web: int,
    awa: Person,
    helene: Person,
) -> None:
    path = f"{API}/figures"
    assert (await client.post(path)).status_code == 401
    await people.sign_in(client, awa)
    assert (await client.post(path)).status_code == 403
    await people.sign_in(client, helene)
    answer = await client.post(path)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:filieres:problem:counted-today"
    await crowd.of(connection, 7, trade=TRADES[0])
    await connection.execute("UPDATE dossier_figures SET counted_on = counted_on - 1")
    answer = await client.post(path)
    assert answer.status_code == 200
    assert criterion(answer.json(), "members")["value"]["value"] == 47
    assert (await client.post(f"{PAGE}/figures")).status_code == 409
    await connection.execute("UPDATE dossier_figures SET counted_on = counted_on - 1")
    assert (await client.post(f"{PAGE}/figures")).status_code == 303


async def test_turnovers_are_counted_once_a_quarter(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int, helene: Person
) -> None:
    await people.sign_in(client, helene)

    async def recounted(days: int) -> dict[str, Any]:
        await connection.execute(
            "UPDATE dossier_figures SET counted_on = counted_on - 40, turnover_on = turnover_on"
            " - $1::integer",
            days,
        )
        await evidence.refresh_due()
        return await read(client)

    await crowd.of(connection, 8, trade=TRADES[0], band="25k_50k")
    await crowd.of(connection, 21, trade=TRADES[0], band="10k_25k")
    assert criterion(await recounted(89), "turnover")["band"] is None
    found = await recounted(1)
    median = criterion(found, "turnover")
    assert (median["band"], median["band_threshold"], median["is_met"]) == (
        "10k_25k", "10k_25k", True,
    )  # fmt: skip
    assert median["source"] == "declarations"
    told = found["details"]["turnover"]
    assert told["declared"] == {"value": 30, "bound": "about"}
    assert [one["members"]["value"] for one in told["bands"]] == [5, 20, 10, 5, 5]
    assert [one["members"]["bound"] for one in told["bands"]] == [
        "under", "about", "about", "under", "under",
    ]  # fmt: skip
    page = (await client.get(PAGE)).text
    assert "10\u00a0000 à 25\u00a0000\u00a0€" in page
    assert "environ 20" in page


async def test_members_read_turnovers_once_the_staff_opened_the_filiere(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, helene: Person
) -> None:
    for band in ("25k_50k", "10k_25k"):
        await crowd.of(connection, 20, trade=TRADES[0], band=band)
    await crowd.filiere(connection, "web")
    await evidence.refresh_due()
    await people.sign_in(client, awa)
    found = await read(client)
    assert found["details"]["turnover"] is None
    assert criterion(found, "turnover")["band"] is None
    assert "quand la filière est ouverte" in (await client.get(PAGE)).text
    await people.sign_in(client, helene)
    assert criterion(await read(client), "turnover")["band"] == "10k_25k"
    body = {"to_stage": "forming", "reason": "Oui."}
    assert (await client.post(MOVE, json=body)).status_code == 201
    await people.sign_in(client, awa)
    assert criterion(await read(client), "turnover")["band"] == "10k_25k"


async def test_a_filiere_without_words_has_a_dossier_without_figures(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    await people.filiere(connection, "web")
    await evidence.refresh_due()
    await people.sign_in(client, helene)
    assert criterion(await read(client), "members")["value"] is None
    assert (await client.get(PAGE)).status_code == 200
    assert (await client.post(f"{API}/figures")).status_code == 409
    body = {"to_stage": "dormant", "reason": "Pause."}
    assert (await client.post(MOVE, json=body)).status_code == 201
    assert (await client.get(PAGE)).status_code == 200


async def test_thresholds_come_from_the_settings(
    client: httpx.AsyncClient, web: int, awa: Person
) -> None:
    chosen = msgspec.structs.replace(
        settings.current(),
        dossier_members=40, dossier_share=99.5, dossier_trend=1, dossier_offices=2,
        dossier_office_members=20, dossier_turnover="over_100k",
    )  # fmt: skip
    settings.use(chosen)
    await people.sign_in(client, awa)
    found = await read(client)
    told = {one["name"]: (one["threshold"], one["is_met"]) for one in found["criteria"]}
    assert told == {
        "members": (40, True), "share": (99.5, True), "trend": (1, False), "offices": (2, True),
        "turnover": (None, None), "potential": (None, None),
    }  # fmt: skip
    assert criterion(found, "turnover")["band_threshold"] == "over_100k"


@pytest.mark.parametrize(
    ("name", "text"),
    [("DOSSIER_MEMBERS", "4"), ("DOSSIER_OFFICE_MEMBERS", "1"), ("DOSSIER_TURNOVER", "rich")],
)
def test_a_threshold_that_would_tell_of_few_people_is_refused(name: str, text: str) -> None:
    with pytest.raises(settings.SettingsInvalid, match=name):
        settings.from_environment({name: text})


@pytest.mark.parametrize("language", ["nl", "en"])
async def test_the_dossier_speaks_the_readers_language(
    client: httpx.AsyncClient, connection: asyncpg.Connection, web: int, language: str
) -> None:
    await people.sign_in(client, await people.member(connection, language=language))
    page = (await client.get(PAGE)).text
    assert "Critère" not in page
    assert "atteint" not in page


async def test_an_unknown_filiere_has_no_dossier(client: httpx.AsyncClient) -> None:
    for path in ("/filieres/nowhere/dossier", "/api/v1/filieres/nowhere/dossier"):
        assert (await client.get(path)).status_code == 404
