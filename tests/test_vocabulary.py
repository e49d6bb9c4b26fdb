"""Trades, sectors and places, found by typing."""

import asyncpg
import httpx
import pytest

from directory.members import vocabulary


async def labels(client: httpx.AsyncClient, kind: str, text: str, **headers: str) -> list[str]:
    answer = await client.get(f"/api/v1/{kind}", params={"q": text}, headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["label"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    "typed",
    [
        "developpeuse web", "Développeur web",
        "développeur·se web", "developpeur(se) web", "web dév", "webontwikkelaar", "Web Developer",
    ],
)  # fmt: skip
async def test_a_trade_is_found_in_any_gender_language_and_word_order(
    client: httpx.AsyncClient, typed: str
) -> None:
    assert (await labels(client, "trades", typed))[0] == "Développeur·se web"


async def test_a_trade_is_named_in_the_readers_language(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    row = await connection.fetchrow(
        "SELECT label_nl, label_en FROM trade WHERE label_fr = 'Développeur·se web'"
    )
    assert row is not None
    for language in ("nl", "en"):
        headers = {"Accept-Language": language}
        found = await labels(client, "trades", "développeuse web", **headers)
        assert found[0] == row[f"label_{language}"]


async def test_a_trade_is_found_by_what_it_is_a_kind_of_after_that(
    client: httpx.AsyncClient,
) -> None:
    found = await labels(client, "trades", "loodgieter")
    assert found[0] == "Plombier·ère"
    assert {"Plombier·ère chauffagiste", "Plombier·ère sanitaire"} <= set(found)


async def test_a_synonym_stands_before_the_name_of_something_like_it(
    client: httpx.AsyncClient,
) -> None:
    found = await labels(client, "trades", "mediastrateeg")
    assert found[0] == "Acheteur·se d'espaces publicitaires"
    assert "Média acheteur·se" in found


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("lie", "Liège"),
        ("LUIK", "Liège"),
        ("4000", "Liège"),
        ("saint-gil", "Saint-Gilles"),
        ("saint gil", "Saint-Gilles"),
    ],
)
async def test_a_place_is_found_by_name_or_postal_code(
    client: httpx.AsyncClient, typed: str, first: str
) -> None:
    assert (await labels(client, "places", typed))[0] == first


async def test_a_sector_is_found_by_word_or_code(client: httpx.AsyncClient) -> None:
    assert "Activités d’édition" in await labels(client, "sectors", "uitgeverij")
    answer = await client.get("/api/v1/sectors", params={"q": "62.1", "limit": 1})
    assert answer.json()["items"][0]["code"] == "62.1"


async def test_pages_of_trades_follow_each_other(client: httpx.AsyncClient) -> None:
    whole = (await client.get("/api/v1/trades?q=graph&limit=20")).json()
    second = (await client.get("/api/v1/trades?q=graph&limit=10&page=2")).json()
    assert second["items"] == whole["items"][10:]
    assert whole["total"] == second["total"] > 100
    beyond = (await client.get("/api/v1/trades?q=graph&page=9999")).json()
    assert (beyond["items"], beyond["total"]) == ([], whole["total"])


@pytest.mark.parametrize("kind", ["trades", "sectors", "places"])
@pytest.mark.parametrize(
    "typed", ["\0", "🙂", "\u202eabc", "%", "'; --", "a " * 250, "中文", "مترجم"]
)
async def test_odd_words_find_little_and_break_nothing(
    client: httpx.AsyncClient, kind: str, typed: str
) -> None:
    await labels(client, kind, typed)


@pytest.mark.parametrize("query", ["q=" + "x" * 501, "page=0", "limit=51", "limit=x", "qq=web"])
async def test_a_malformed_parameter_is_named(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/api/v1/trades?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


async def test_words_loaded_meanwhile_are_found(
    client: httpx.AsyncClient, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "CHECKED_SECONDS", 0)
    assert await labels(client, "trades", "xylopyrographe") == []
    await connection.execute(
        "INSERT INTO trade (code, group_code, label_fr, label_masculine, label_feminine)"
        " VALUES ('x-1', 'B1101', 'Xylopyrographe', 'Xylopyrographe', 'Xylopyrographe')"
    )
    await connection.execute("UPDATE reference_version SET hash = 'new' WHERE part = 'trades'")
    assert await labels(client, "trades", "xylopyrographe") == ["Xylopyrographe"]
