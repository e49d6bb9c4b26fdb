"""The cooperative's file becomes a plan, and the plan becomes members."""

import asyncpg
import httpx
import pytest

from directory.http import pages
from tests import importing, people
from tests.importing import table
from tests.people import Person

HEADER = (
    "numéro de membre;adresse mail;nom complet;accroche;métiers;code postal;ville;langues;téléphone"
)
AWA = (
    "000123;Awa@Lemaire.example;Awa Lemaire;Des dessins;Illustratrice | Graphiste;5000;Namur;"
    "fr:native|nl;'+32 81 22 22 22"
)
NOE = "000124;noe@quispe.example;Noé Quispe;;;;;;"


@pytest.fixture
async def helene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    return await importing.coordinator(client, connection)


async def test_a_file_is_planned_and_then_makes_members(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    found = await importing.planned(client, table(HEADER, AWA, NOE))
    assert found["state"] == "planned", found
    assert found["counts"]["added"] == 2, await importing.rows(client, found["id"])
    assert await connection.fetchval("SELECT count(*) FROM member") == 1
    done = await importing.committed(client, found)
    assert done["state"] == "done"
    awa = await connection.fetchrow(
        "SELECT m.*, a.email, a.email_confirmed_at FROM member m JOIN account a"
        " ON a.id = m.account_id WHERE number = '000123'"
    )
    assert awa is not None
    assert awa["display_name"] == "Awa Lemaire"
    assert awa["email"] == "awa@lemaire.example"
    assert awa["email_confirmed_at"] is None
    seen = (await client.get(f"/api/v1/members/{awa['id']}")).json()
    assert [trade["label"] for trade in seen["trades"]] == ["Illustrateur·rice", "Graphiste"]
    assert seen["place"]["code"] == "be-5000-namur"
    assert seen["phone"] == ""
    assert awa["phone"] == "+32 81 22 22 22"
    again = await importing.planned(client, table(HEADER, AWA, NOE))
    assert again["counts"] | {"unchanged": 0} == dict.fromkeys(again["counts"], 0)
    assert again["counts"]["unchanged"] == 2


NAMES = [
    ("numéro de membre;nom complet", ";"),
    ("NUMERO DE MEMBRE;Nom", ";"),
    ("Lidnummer,Volledige naam", ","),
    ("member number\tfull name", "\t"),
    ("n° de membre;prénom;nom", ";"),
]


@pytest.mark.parametrize(("header", "separator"), NAMES)
async def test_columns_are_known_by_their_headers_in_three_languages(
    client: httpx.AsyncClient, helene: Person, header: str, separator: str
) -> None:
    cells = ["7", *(["Awa", "Lemaire"] if header.count(separator) == 2 else ["Awa Lemaire"])]
    found = await importing.planned(client, table(header, separator.join(cells)))
    assert found["counts"]["added"] == 1
    assert found["findings"]["separator"] == separator
    assert (await importing.rows(client, found["id"]))[0]["name"] == "Awa Lemaire"


@pytest.mark.parametrize(
    ("encoding", "said", "is_guessed"),
    [("utf-8", "UTF-8", False), ("utf-8-sig", "UTF-8", False), ("utf-16", "UTF-16", False),
     ("utf-16-le", "UTF-16", True), ("latin-1", "Windows-1252", True)],
)  # fmt: skip
async def test_the_encoding_is_recognised_and_said(
    client: httpx.AsyncClient, helene: Person, encoding: str, said: str, is_guessed: bool
) -> None:
    text = 'numéro;nom complet;parcours\r\n7;Zoé Crêpe;"Née à Liège.\r\n\r\nVit à Huy."\r\n'
    found = await importing.planned(client, text.encode(encoding))
    assert (found["findings"]["encoding"], found["findings"]["is_guessed"]) == (said, is_guessed)
    row = (await importing.rows(client, found["id"]))[0]
    assert row["name"] == "Zoé Crêpe"
    assert {one["new"] for one in row["changes"]} >= {"Née à Liège.\n\nVit à Huy."}


REFUSED = [
    (b"PK\x03\x04anything", "classeur"),
    (b"nom complet;ville\nAwa;Namur", "numéro de membre"),
    ("numéro de membre;ville\n7;Namur".encode(), "nom complet"),
    ("numéro;numéro de membre;nom\n7;7;Awa".encode(), "Deux colonnes"),
    ("numéro;nom\n7;Zoé\n8;No\n".encode() + b"\xff\n", "Ligne 4"),
    (b'number;name\n7;Awa\n8;"open\n9;Zoe\n', "Ligne 3"),
    (b"\n\n\n", "vide"),
    (b"number;name\n" + b"x" * 900_000, "Ligne 2"),
    (b";".join([b"c"] * 101) + b"\n", "100 colonnes"),
    (b"\xff\xfe\x00", "Ligne 1"),
]


@pytest.mark.parametrize(("content", "words"), REFUSED)
async def test_a_file_without_rows_is_refused_with_what_to_do(
    client: httpx.AsyncClient, helene: Person, content: bytes, words: str
) -> None:
    client.headers["accept-language"] = "fr"
    found = await importing.planned(client, content)
    assert found["state"] == "refused"
    assert words in found["refusal"]["message"] % found["refusal"]["params"]


async def test_an_empty_body_and_a_form_without_a_file_are_refused(
    client: httpx.AsyncClient, helene: Person
) -> None:
    answer = await client.post("/api/v1/members/imports", content=b"", headers=importing.CSV)
    assert answer.status_code == 400
    answer = await client.post("/api/v1/members/imports", files={"other": b"x"})
    assert answer.status_code == 400
    answer = await client.post("/api/v1/members/imports", files={"file": ("a.csv", table(HEADER))})
    assert answer.status_code == 202
    assert answer.json()["file_name"] == "a.csv"


BAD = [
    ("1;pas une adresse;Awa;;;;;;", "email", "n’est pas une adresse"),
    ("1;;Awa;;Licornier;;;;", "trades", "« Licornier » n’est pas dans la liste"),
    ("1;;Awa;;;9999;Nulle-Part;;", "town", "« 9999 Nulle-Part » n’existe pas"),
    ("1;;Awa;;;;;martien;", "languages", "« martien » n’existe pas"),
    ("1;;Awa;;;;;fr:z9;", "languages", "« z9 » n’est pas un niveau"),
    ("1;;Awa;;;;;;douze", "phone", "n’est pas un numéro"),
    ("1;;;;;;;;", "name", "Le nom manque"),
    (";;Awa;;;;;;", "", "ni numéro de membre ni adresse"),
    ("1;;A\x00wa;;;;;;", "display_name", "signe invisible"),
    ("1;;Awa;;;;;;;trop", "", "plus de cases"),
    ('1;;"A"wa;;;;;;', "", "guillemets"),
    ("-;;Awa;;;;;;", "number", "ne se vide pas"),
    ("1;;" + "A" * 201 + ";;;;;;", "display_name", "200 signes au plus"),
]


@pytest.mark.parametrize(("line", "column", "words"), BAD)
async def test_one_bad_row_is_said_with_its_line_and_loses_no_other(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person,
    line: str, column: str, words: str,
) -> None:  # fmt: skip
    client.headers["accept-language"] = "fr"
    done = await importing.imported(client, table(HEADER, AWA, line, NOE))
    assert (done["counts"]["added"], done["counts"]["rejected"]) == (2, 1)
    (row,) = await importing.rows(client, done["id"], action="reject")
    assert row["line"] == 3
    assert [fault["column"] for fault in row["faults"]] == [column]
    assert words in row["faults"][0]["message"]
    assert await connection.fetchval("SELECT count(*) FROM member") == 3


async def test_reasons_are_in_the_language_of_the_reader(
    client: httpx.AsyncClient, helene: Person
) -> None:
    found = await importing.planned(client, table(HEADER, BAD[1][0]))
    said = set()
    for language in ("fr", "nl", "en"):
        client.cookies.set(pages.LANGUAGE_COOKIE, language)
        said.add((await importing.rows(client, found["id"]))[0]["faults"][0]["message"])
    assert len(said) == 3


async def test_an_empty_cell_changes_nothing_and_a_dash_empties(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    await importing.imported(client, table(HEADER, AWA))
    found = await importing.planned(client, table(HEADER, "000123;;Awa Lemaire;-;;;;-;"))
    (row,) = await importing.rows(client, found["id"])
    assert [(one["field"], one["old"], one["new"]) for one in row["changes"]] == [
        ("headline", "Des dessins", ""), ("languages", "fr:native\nnl:b1", ""),
    ]  # fmt: skip
    await importing.committed(client, found)
    kept = await connection.fetchrow("SELECT headline, phone FROM member WHERE number = '000123'")
    assert dict(kept or {}) == {"headline": "", "phone": "+32 81 22 22 22"}
    assert await connection.fetchval("SELECT count(*) FROM member_language") == 0
    assert await connection.fetchval("SELECT count(*) FROM member_trade") == 2


async def test_doubles_in_the_file_are_shown_and_never_merged(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    client.headers["accept-language"] = "fr"
    found = await importing.planned(
        client,
        table(
            HEADER,
            AWA,
            "000123;;Awa L.;;;;;;",
            "9;noe@quispe.example;Noé;;;;;;",
            NOE,
            "10;;Zoé;;;;;;",
        ),
    )
    assert (found["counts"]["added"], found["counts"]["rejected"]) == (1, 4)
    rows = await importing.rows(client, found["id"], action="reject")
    assert [row["faults"][0]["message"].split(".")[0] for row in rows] == [
        "Le même numéro est à la ligne 3", "Le même numéro est à la ligne 2",
        "La même adresse est à la ligne 5", "La même adresse est à la ligne 4",
    ]  # fmt: skip


async def test_a_row_of_two_members_is_rejected(client: httpx.AsyncClient, helene: Person) -> None:
    await importing.imported(client, table(HEADER, AWA, NOE))
    found = await importing.planned(
        client,
        table(
            HEADER, "000123;noe@quispe.example;Awa;;;;;;", "000999;awa@lemaire.example;Awa;;;;;;",
            ";awa@lemaire.example;Awa Lemaire;;;;;;",
        ),
    )  # fmt: skip
    client.headers["accept-language"] = "en"
    assert found["counts"]["rejected"] == 3
    columns = [
        [f["column"] for f in row["faults"]] for row in await importing.rows(client, found["id"])
    ]
    assert "" in columns[0]
    assert "number" in columns[1]


async def test_almost_the_same_name_in_the_same_town_is_shown(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    await importing.imported(client, table(HEADER, AWA))
    content = table(
        HEADER, "5;;Awa Lemaîre;;;5000;Namur;;", "6;;Awa Lemaire;;;4000;Liège;;",
        "7;;Bram Peeters;;;4000;Liège;;", "8;;Bram Peters;;;4000;Liège;;",
    )  # fmt: skip
    found = await importing.planned(client, content)
    assert (found["counts"]["added"], found["counts"]["alike"]) == (4, 2)
    rows = await importing.rows(client, found["id"], alike=True)
    assert [(row["line"], row["likes"][0]["name"]) for row in rows] == [
        (2, "Awa Lemaire"), (5, "Bram Peeters"),
    ]  # fmt: skip
    left_out = await importing.planned(client, content, omit_lookalikes=True)
    assert (left_out["counts"]["added"], left_out["counts"]["rejected"]) == (2, 2)
    # Nobody learns of whom they do not see.
    await connection.execute('UPDATE member SET audiences = \'{"display_name": "me"}\'')
    again = await importing.planned(client, content)
    assert again["counts"]["alike"] == 1


async def test_who_may_not_import_may_nothing(
    client: httpx.AsyncClient, connection: asyncpg.Connection, helene: Person
) -> None:
    found = await importing.planned(client, table(HEADER, AWA))
    member = await people.member(connection)
    calls = [
        ("POST", "/api/v1/members/imports"), ("GET", "/api/v1/members/imports"),
        ("GET", f"/api/v1/members/imports/{found['id']}"),
        ("GET", f"/api/v1/members/imports/{found['id']}/rows"),
        ("POST", f"/api/v1/members/imports/{found['id']}/commit"),
        ("POST", f"/api/v1/members/imports/{found['id']}/discard"),
        ("GET", "/members/import"), ("POST", "/members/import"),
        ("GET", "/members/import/template.csv"), ("GET", f"/members/import/{found['id']}"),
        ("GET", f"/members/import/{found['id']}/plan.csv"),
        ("POST", f"/members/import/{found['id']}/discard"),
        ("GET", f"/members/import/{found['id']}/invitations"),
    ]  # fmt: skip
    for person, status in ((member, 403), (None, 401)):
        client.cookies.clear()
        if person:
            await people.sign_in(client, person)
        for method, path in calls:
            body = {"hash": found["hash"]} if path.endswith("/commit") else None
            answer = await client.request(method, path, json=body)
            assert answer.status_code == status, (method, path, answer.text)
