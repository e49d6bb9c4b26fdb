"""Coordinators keep the trades: proposals decided, labels changed, trades merged and separated."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from directory import indexing, settings
from directory.members import decisions, vocabulary
from directory.members.decisions import ProposalDecided
from directory.members.reference import loading
from directory.settings import Settings
from tests import people, smtp_sink
from tests.people import Person
from tests.smtp_sink import Sink

LABELS = {
    "label_fr": "Fresquiste·eur", "label_masculine": "Fresqueur", "label_feminine": "Fresqueuse",
    "label_nl": "Muurschilder", "label_en": "Fresco painter",
}  # fmt: skip


@pytest.fixture
async def sink(client: httpx.AsyncClient, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink
    vocabulary.look_again()


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    return await people.member(connection, "Awa Lemaire", "awa@lemaire.example", language="nl")


@pytest.fixture
async def cleo(client: httpx.AsyncClient, connection: asyncpg.Connection) -> AsyncIterator[Person]:
    """A coordinator, signed in."""
    person = await people.member(connection, "Cléo")
    await people.grants(connection, person, "coordinator")
    await people.sign_in(client, person)
    vocabulary.look_again()
    yield person
    vocabulary.look_again()


async def code(connection: asyncpg.Connection, feminine: str) -> str:
    found: str = await connection.fetchval(
        "SELECT code FROM trade WHERE label_feminine = $1", feminine
    )
    return found


async def has(connection: asyncpg.Connection, person: Person, *feminine: str) -> None:
    for position, label in enumerate(feminine):
        await connection.execute(
            "INSERT INTO member_trade (member_id, trade_id, position)"
            " SELECT $1, id, $3 FROM trade WHERE label_feminine = $2",
            person.member_id, label, position,
        )  # fmt: skip


async def trades(client: httpx.AsyncClient, person: Person) -> list[str]:
    answer = (await client.get(f"/api/v1/members/{person.member_id}")).json()
    return [one["label"] for one in answer["trades"]]


async def proposed(connection: asyncpg.Connection, person: Person) -> int:
    found: int = await connection.fetchval(
        "INSERT INTO trade_proposal (member_id, label, form, language)"
        " VALUES ($1, 'Fresquiste', 'fresquiste', 'fr') RETURNING id",
        person.member_id,
    )
    return found


async def decided(connection: asyncpg.Connection) -> ProposalDecided:
    payload = await connection.fetchval(
        "SELECT payload FROM pgqueuer WHERE entrypoint LIKE '%decisions.write'"
    )
    return msgspec.json.decode(payload, type=ProposalDecided)


async def test_an_accepted_proposal_is_a_trade_that_its_proposer_has(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, cleo: Person, sink: Sink
) -> None:
    number = await proposed(connection, awa)
    path = f"/api/v1/vocabulary/proposals/{number}"
    like = await code(connection, "Comédienne")
    wrong = await client.post(f"{path}/accept", json=LABELS | {"label_nl": " "})
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["field"] == "label_nl"
    wrong = await client.post(f"{path}/accept", json=LABELS | {"like": "no"})
    assert wrong.json()["errors"][0]["field"] == "like"
    answer = await client.post(f"{path}/accept", json=LABELS | {"like": like})
    assert answer.status_code == 200, answer.text
    assert await trades(client, awa) == ["Fresquiste·eur"]
    listed = (await client.get("/api/v1/trades", params={"q": "muurschil"})).json()
    assert [one["code"] for one in listed["items"]] == [answer.json()["trade"]]
    await indexing.rebuild()
    found = (await client.get("/api/v1/members", params={"q": "fresqueuse"})).json()
    assert [one["id"] for one in found["items"]] == [awa.member_id]
    assert (await client.post(f"{path}/accept", json=LABELS)).status_code == 404
    await decisions.write(await decided(connection))
    mail = sink.to("awa@lemaire.example")
    assert "Muurschilder" in mail.text
    actions = await connection.fetch(
        "SELECT action FROM audit_entry WHERE action NOT LIKE 'session.%' ORDER BY action"
    )
    assert [row["action"] for row in actions] == ["proposal.accepted", "trade.created"]


async def test_a_proposal_joins_a_trade_or_is_refused_with_the_reason(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, cleo: Person, sink: Sink
) -> None:
    number = await proposed(connection, awa)
    into = await code(connection, "Illustratrice")
    path = f"/api/v1/vocabulary/proposals/{number}/merge"
    assert (await client.post(path, json={"into": "no"})).status_code == 400
    assert await connection.fetchval("SELECT count(*) FROM trade_proposal") == 1
    assert (await client.post(path, json={"into": into})).status_code == 200
    assert await trades(client, awa) == ["Illustrateur·rice"]
    listed = (await client.get("/api/v1/trades", params={"q": "fresquiste"})).json()
    assert into in [one["code"] for one in listed["items"]]
    await connection.execute("DELETE FROM pgqueuer")
    number = await proposed(connection, awa)
    path = f"/api/v1/vocabulary/proposals/{number}/refuse"
    assert (await client.post(path, json={"reason": " "})).status_code == 400
    assert (await client.post(path, json={"reason": "Trop rare."})).status_code == 200
    await decisions.write(await decided(connection))
    assert "Trop rare." in sink.to("awa@lemaire.example").text


async def test_a_merge_loses_nobody_and_is_undone(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, cleo: Person
) -> None:
    both, other = await people.member(connection), await people.member(connection)
    await has(connection, awa, "Comédienne", "Illustratrice")
    await has(connection, both, "Illustratrice", "Comédienne", "Graphiste")
    await has(connection, other, "Graphiste")
    filiere_id = await people.filiere(connection, "image", "Image")
    await connection.execute(
        "INSERT INTO filiere_trade (filiere_id, trade_id) SELECT $1, id FROM trade"
        " WHERE label_feminine = 'Illustratrice'",
        filiere_id,
    )
    await indexing.rebuild()
    old, new = await code(connection, "Illustratrice"), await code(connection, "Graphiste")
    before = {one.member_id: await trades(client, one) for one in (awa, both, other)}
    path = f"/api/v1/vocabulary/trades/{old}/merge"
    shown = (await client.get(path, params={"into": new})).json()
    assert (shown["members"], shown["with_both"], shown["filieres"]) == (2, 1, ["Image"])
    assert (await client.post(path, json={"into": old})).status_code == 400
    merged = await client.post(path, json={"into": new})
    assert merged.status_code == 200, merged.text
    assert await trades(client, awa) == ["Comédien·ne", "Graphiste"]
    assert await trades(client, both) == ["Graphiste", "Comédien·ne"]
    for query in ({"trade": old}, {"trade": new}, {"q": "illustratrice"}):
        found = (await client.get("/api/v1/members", params=query)).json()
        assert {awa.member_id, both.member_id} <= {one["id"] for one in found["items"]}, query
    listed = (await client.get("/api/v1/trades", params={"q": "illustratrice"})).json()["items"]
    assert old not in [one["code"] for one in listed]
    assert new in [one["code"] for one in listed]
    assert (await client.get(f"/api/v1/vocabulary/trades/{old}")).json()["code"] == new
    moved = await client.get(f"/vocabulary/trades/{old}")
    assert (moved.status_code, moved.headers["location"]) == (301, f"/vocabulary/trades/{new}")
    assert await of_filiere(connection, filiere_id) == [new]
    undo = f"/api/v1/vocabulary/merges/{merged.json()['id']}"
    assert (await client.delete(undo)).status_code == 204
    assert (await client.delete(undo)).status_code == 404
    after = {one.member_id: await trades(client, one) for one in (awa, both, other)}
    assert {number: set(names) for number, names in after.items()} == {
        number: set(names) for number, names in before.items()
    }
    assert after[awa.member_id] == before[awa.member_id]
    assert await of_filiere(connection, filiere_id) == [old]
    found = (await client.get("/api/v1/members", params={"trade": old})).json()
    assert {one["id"] for one in found["items"]} == {awa.member_id, both.member_id}


async def of_filiere(connection: asyncpg.Connection, filiere_id: int) -> list[str]:
    rows = await connection.fetch(
        "SELECT code FROM filiere_trade JOIN trade ON id = trade_id WHERE filiere_id = $1",
        filiere_id,
    )
    return [row["code"] for row in rows]


async def test_merges_follow_one_another_and_an_old_one_stands(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, cleo: Person
) -> None:
    await has(connection, awa, "Illustratrice")
    names = ("Illustratrice", "Graphiste", "Comédienne")
    a, b, c = [await code(connection, name) for name in names]

    async def merge(source: str, target: str) -> Any:
        answer = await client.post(
            f"/api/v1/vocabulary/trades/{source}/merge", json={"into": target}
        )
        return answer.json()

    await merge(a, b)
    second = await merge(b, c)
    assert (await client.get(f"/api/v1/vocabulary/trades/{a}")).json()["code"] == c
    assert await trades(client, awa) == ["Comédien·ne"]
    await client.delete(f"/api/v1/vocabulary/merges/{second['id']}")
    assert (await client.get(f"/api/v1/vocabulary/trades/{a}")).json()["code"] == b
    assert await trades(client, awa) == ["Graphiste"]
    await connection.execute("UPDATE trade_merge SET merged_at = now() - interval '31 days'")
    (first,) = (await client.get("/api/v1/vocabulary/merges")).json()
    assert not first["can_be_undone"]
    assert (await client.delete(f"/api/v1/vocabulary/merges/{first['id']}")).status_code == 409


async def test_newer_reference_data_leaves_decisions_alone(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, cleo: Person
) -> None:
    a, b = await code(connection, "Illustratrice"), await code(connection, "Graphiste")
    labels = {**LABELS, "label_fr": "Dessinateur·rice de presse"}
    answer = await client.put(f"/api/v1/vocabulary/trades/{b}", json=labels)
    assert answer.status_code == 200, answer.text
    await client.post(f"/api/v1/vocabulary/trades/{a}/merge", json={"into": b})
    await connection.execute("UPDATE reference_version SET hash = 'old' WHERE part = 'trades'")
    await loading.load(connection)
    row = await connection.fetchrow(
        "SELECT label_fr, label_nl, (SELECT count(*) FROM trade_label l WHERE l.trade_id = trade.id"
        " AND source = 'ours') AS ours, (SELECT o.merged_into = trade.id FROM trade o"
        " WHERE o.code = $2) AS stands FROM trade WHERE code = $1",
        b, a,
    )  # fmt: skip
    assert row is not None
    assert row["label_fr"] == "Dessinateur·rice de presse"
    assert row["ours"] >= 2
    assert row["stands"]


async def test_only_coordinators_keep_the_vocabulary(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person
) -> None:
    await people.sign_in(client, awa)
    number = await proposed(connection, awa)
    old = await code(connection, "Illustratrice")
    new = await code(connection, "Graphiste")
    api = "/api/v1/vocabulary"
    asked = [
        await client.post(f"{api}/proposals/{number}/accept", json=LABELS),
        await client.post(f"{api}/proposals/{number}/merge", json={"into": new}),
        await client.post(f"{api}/proposals/{number}/refuse", json={"reason": "x"}),
        await client.get(f"{api}/trades/{old}"),
        await client.put(f"{api}/trades/{old}", json=LABELS),
        await client.get(f"{api}/trades/{old}/merge", params={"into": new}),
        await client.post(f"{api}/trades/{old}/merge", json={"into": new}),
        await client.get(f"{api}/merges"),
        await client.delete(f"{api}/merges/1"),
        await client.get("/vocabulary/trades"),
        await client.get(f"/vocabulary/trades/{old}"),
        await client.get(f"/vocabulary/proposals/{number}"),
        await client.post(f"/vocabulary/trades/{old}/merge", data={"into": new}),
    ]
    assert {answer.status_code for answer in asked} == {403}
    client.cookies.clear()
    assert (await client.get(f"{api}/merges")).status_code == 401


async def test_the_pages_of_a_coordinator(
    client: httpx.AsyncClient, connection: asyncpg.Connection, awa: Person, cleo: Person
) -> None:
    number = await proposed(connection, awa)
    assert f"/vocabulary/proposals/{number}" in (await client.get("/vocabulary")).text
    page = await client.get(f"/vocabulary/proposals/{number}", params={"q": "illustratrice"})
    assert "Illustrateur·rice" in page.text
    wrong = await client.post(f"/vocabulary/proposals/{number}?act=accept", data={"label_fr": "F"})
    assert wrong.status_code == 400
    assert 'aria-describedby="label_masculine-error"' in wrong.text
    wrong = await client.post(f"/vocabulary/proposals/{number}?act=merge", data={})
    assert wrong.status_code == 400
    done = await client.post(f"/vocabulary/proposals/{number}?act=accept", data=LABELS)
    assert done.status_code == 303
    listed = await client.get(done.headers["location"], params={"q": "fresq"})
    assert "Fresquiste·eur" in listed.text
    made = await code(connection, "Fresqueuse")
    into = await code(connection, "Graphiste")
    shown = await client.get(f"/vocabulary/trades/{made}", params={"into": into})
    assert "Réunir ces deux métiers" in shown.text
    await client.post(f"/vocabulary/trades/{made}/merge", data={"into": into})
    assert "désormais Graphiste" in (await client.get("/vocabulary/trades")).text
    merge_id = await connection.fetchval("SELECT id FROM trade_merge")
    await client.post(f"/vocabulary/merges/{merge_id}/undo")
    saved = await client.post(f"/vocabulary/trades/{made}", data=LABELS | {"label_en": "Muralist"})
    assert saved.status_code == 303
    assert (await client.get("/vocabulary/trades/nothing")).status_code == 404
