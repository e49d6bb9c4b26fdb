"""Somebody who wants to be gone is gone: from tables, index, files and queue, but for numbers."""

import asyncpg
import httpx
import pytest

from directory import db, files, indexing, settings, signing
from directory.accounts import tokens
from directory.accounts.actor import Scope
from directory.members import profiles
from directory.privacy import erasing, erasures
from directory.privacy.erasing import ErasureDue
from directory.subscriptions import ledger
from search import normaliser
from tests import known_person, people
from tests.known_person import ACCOUNT, MEMBER, WORDS
from tests.people import Person

# Where the number of somebody who is gone may stand: it names nobody.
PSEUDONYMS = {
    "audit_entry.account_id", "audit_entry.member_id", "consent_ledger.member_id",
    "consent_ledger.actor_id", "delivery.member_id", "digest_delivery.member_id",
    "digest_entry.member_id", "erasure.account_id", "erasure.member_id",
}  # fmt: skip
HEARD = {
    "directory.indexing.follow_member", "directory.privacy.erasures.write_asked",
    "directory.privacy.erasures.write_confirmed", "directory.privacy.erasing.erase",
    "directory.filieres.vacancies.write",
}  # fmt: skip
WHAT_TO_DO = (
    "this column still names an erased person. Let `erase` of its domain's holdings empty it; or, "
    "where the number alone must stay, say so in PSEUDONYMS and in privacy/keeping.py"
)
COLUMNS = """
    SELECT c.relname AS table, a.attname AS column, t.typname AS type
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
      AND NOT a.attisdropped ORDER BY 1, 2
"""


async def traces(connection: asyncpg.Connection) -> set[str]:
    """Each column of the database that holds a word or a number of the known person."""
    keys = [word.key for text in WORDS[:1] for word in normaliser.words(text)]
    words = [*(word.lower() for word in WORDS), *keys]
    found = set()
    for row in await connection.fetch(COLUMNS):
        table, column = row["table"], row["column"]
        text = f'"{column}"::text'
        if row["type"] == "bytea":
            text = f"encode(\"{column}\", 'escape')"
        has = await connection.fetchval(
            f'SELECT EXISTS (SELECT FROM "{table}", unnest($1::text[]) AS word '
            f"WHERE strpos(lower({text}), word) > 0 "
            f"OR strpos(lower({text}), encode(convert_to(word, 'UTF8'), 'escape')) > 0)",
            words,
        )
        if has:
            found.add(f"{table}.{column}")
    return found


async def file_keys() -> list[str]:
    return [
        key
        for folder in (f"photo/{MEMBER}", f"portfolio/{MEMBER}", f"export/{ACCOUNT}")
        for key in await files.list_keys(folder)
    ]


@pytest.fixture
async def zelie(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    person = await known_person.is_there(connection)
    await people.sign_in(client, person)
    async with db.transaction():
        await profiles.tell([person.member_id])
    return person


async def link(connection: asyncpg.Connection) -> str:
    row = await connection.fetchrow("SELECT id, asked_at FROM erasure WHERE state = 'asked'")
    assert row is not None
    return erasures.confirm_path(row["id"], row["asked_at"])


async def confirmed(client: httpx.AsyncClient, connection: asyncpg.Connection) -> int:
    assert (await client.post("/account/data/erasure")).status_code == 303
    assert (await client.post(await link(connection))).status_code == 303
    erasure_id: int = await connection.fetchval("SELECT id FROM erasure WHERE state = 'confirmed'")
    return erasure_id


async def time_passes(connection: asyncpg.Connection) -> None:
    await connection.execute("UPDATE erasure SET due_at = now() WHERE state = 'confirmed'")
    await erasing.wake()


async def test_nothing_of_an_erased_person_is_left_but_numbers_that_name_nobody(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    before = await traces(connection)
    assert {"search_text.vector", "pgqueuer.payload", "pgqueuer_log.traceback"} <= before
    erasure_id = await confirmed(client, connection)
    await time_passes(connection)
    await erasing.erase(ErasureDue(erasure_id))
    await indexing.drain()
    # What the worker does next, and the job of somebody whose number begins the same.
    left = await connection.fetch("DELETE FROM pgqueuer RETURNING entrypoint")
    assert {row["entrypoint"] for row in left} - HEARD == {"kept"}
    found = await traces(connection)
    assert found <= PSEUDONYMS, f"{found - PSEUDONYMS}: {WHAT_TO_DO}"
    assert await file_keys() == []
    state = await connection.fetchval("SELECT state::text FROM erasure WHERE id = $1", erasure_id)
    assert state == "done"


async def hidden(client: httpx.AsyncClient, connection: asyncpg.Connection) -> bool:
    """Whether a fellow member sees nothing of the known person: page, search, audience of mails."""
    other = await people.member(connection)
    headers = {"Authorization": f"Bearer {await tokens.create(other.email, [Scope.MEMBERS_READ])}"}
    page = await client.get(f"/api/v1/members/{MEMBER}", headers=headers)
    hits = await client.get("/api/v1/members", params={"q": "escamoteuse"}, headers=headers)
    assert {page.status_code, hits.status_code} <= {200, 404}
    return page.status_code == 404 and hits.json()["total"] == 0


async def test_asking_changes_nothing_until_the_mail_is_confirmed(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    assert (await client.post("/account/data/erasure")).status_code == 303
    address = await link(connection)
    client.cookies.clear()  # the mail is opened on another device
    page = await client.get(address)
    assert page.status_code == 200
    assert "Effacer mon compte dans 14 jours" in page.text
    assert not await hidden(client, connection)
    assert (await client.post(address)).status_code == 303
    assert await hidden(client, connection)
    assert "C’est confirmé" in (await client.get(address)).text
    assert (await client.post(address)).status_code == 303


async def test_an_erasure_is_undone_by_the_link_or_on_the_page_and_all_is_as_before(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    for undo in ("link", "page"):
        erasure_id = await confirmed(client, connection)
        assert await hidden(client, connection)
        assert "Effacement prévu" in (await client.get("/account/data")).text
        if undo == "link":
            address = erasures.keep_path(erasure_id)
            assert "Garder mon compte" in (await client.get(address)).text
            assert await hidden(client, connection)
            answer = await client.post(address)
            assert "Aucun effacement" in (await client.get(address)).text
        else:
            answer = await client.post("/account/data/erasure/keep")
        assert answer.status_code == 303
        assert not await hidden(client, connection)
        assert await connection.fetchval("SELECT left_on FROM member WHERE id = $1", MEMBER) is None
        await time_passes(connection)
        await erasing.erase(ErasureDue(erasure_id))
        assert await connection.fetchval("SELECT true FROM member WHERE id = $1", MEMBER)


async def test_an_import_does_not_bring_back_into_sight_who_is_being_erased(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await confirmed(client, connection)
    await connection.execute("UPDATE member SET left_on = NULL WHERE id = $1", MEMBER)
    assert await connection.fetchval("SELECT left_on FROM member WHERE id = $1", MEMBER)
    assert await hidden(client, connection)


@pytest.mark.parametrize("purpose", [erasures.CONFIRM, erasures.KEEP, "preferences"])
async def test_a_link_serves_its_one_purpose(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection, purpose: str
) -> None:
    await client.post("/account/data/erasure")
    row = await connection.fetchrow("SELECT id, asked_at FROM erasure WHERE state = 'asked'")
    assert row is not None
    stamp = int(row["asked_at"].timestamp())
    token = signing.sign(settings.current().secret, purpose, row["id"], stamp)
    wanted = 200 if purpose == erasures.CONFIRM else 404
    assert (await client.get(f"/erasure/{token}")).status_code == wanted
    assert (await client.get(f"/erasure/{token}x")).status_code == 404
    assert (await client.get(f"/erasure/keep/{erasures.CONFIRM}")).status_code == 404


async def test_a_link_ends_after_two_days_and_when_another_is_asked_for(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await client.post("/account/data/erasure")
    await connection.execute("UPDATE erasure SET asked_at = now() - interval '1 hour'")
    first = await link(connection)
    await client.post("/account/data/erasure")
    assert (await client.get(first)).status_code == 410
    assert (await client.post(first)).status_code == 410
    await connection.execute("UPDATE erasure SET asked_at = now() - interval '49 hours'")
    assert (await client.get(await link(connection))).status_code == 410
    await client.post("/account/data/erasure")
    assert (await client.post("/account/data/erasure")).status_code == 429


async def test_a_token_neither_asks_for_an_erasure_nor_undoes_one(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    client.cookies.clear()
    headers = {"Authorization": f"Bearer {await tokens.create(zelie.email, list(Scope))}"}
    for path in ("/account/data/erasure", "/account/data/erasure/keep", "/account/data/exports"):
        assert (await client.post(path, headers=headers)).status_code == 403
    assert (await client.get("/account/data", headers=headers)).status_code == 403
    assert (await client.get("/account/data")).status_code == 401


async def test_what_others_read_stays_and_is_signed_by_a_former_member(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        "INSERT INTO mailing_filiere SELECT g.id, f.id FROM mailing g, filiere f"
    )
    erasure_id = await confirmed(client, connection)
    await time_passes(connection)
    await erasing.erase(ErasureDue(erasure_id))
    assert await connection.fetchval("SELECT title FROM event") == "Un tour de table"
    assert [row["subject"] for row in await connection.fetch("SELECT subject FROM mailing")] == [
        "Des nouvelles"
    ]
    awa = await people.member(connection)
    filiere_id = await connection.fetchval("SELECT id FROM filiere")
    await people.animates(connection, awa, filiere_id)
    await people.sign_in(client, awa)
    assert "ancien membre" in (await client.get("/mailings")).text
    assert await ledger.verify() == []
    acts = await connection.fetch(
        "SELECT act::text, network, screen FROM consent_ledger WHERE member_id = $1 ORDER BY id",
        MEMBER,
    )
    assert [tuple(act) for act in acts] == [
        ("given", "", "filiere"), ("expired", "", "erasure"),
    ]  # fmt: skip


async def test_an_erasure_waits_for_a_job_of_the_person_that_is_running(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    erasure_id = await confirmed(client, connection)
    await time_passes(connection)
    await connection.execute("UPDATE pgqueuer SET status = 'picked' WHERE status = 'failed'")
    await erasing.erase(ErasureDue(erasure_id))
    assert await connection.fetchval("SELECT true FROM member WHERE id = $1", MEMBER)
    waiting = await connection.fetchval(
        "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'directory.privacy.erasing.erase' "
        "AND execute_after > now()"
    )
    assert waiting == 1
    await connection.execute("DELETE FROM pgqueuer WHERE status = 'picked'")
    await erasing.erase(ErasureDue(erasure_id))
    assert not await connection.fetchval("SELECT true FROM member WHERE id = $1", MEMBER)
    await erasing.erase(ErasureDue(erasure_id))


async def test_who_leaves_something_without_anybody_is_told_and_so_is_the_staff(
    zelie: Person, client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.grants(connection, zelie, "administrator")
    boss = await people.member(connection)
    await people.grants(connection, boss, "coordinator")
    page = (await client.get("/account/data")).text
    assert "Vous animez seul·e Métiers du web." in page
    assert "Personne d’autre n’administre" in page
    await confirmed(client, connection)
    told = await connection.fetch(
        "SELECT entrypoint, convert_from(payload, 'UTF8') AS payload FROM pgqueuer "
        "WHERE entrypoint LIKE 'directory.%.write%'"
    )
    assert f'"staff_id":{boss.account_id}' in next(
        row["payload"] for row in told if "vacancies" in row["entrypoint"]
    )
    assert any("write_administrator" in row["entrypoint"] for row in told)
    # Somebody else animates: nothing to say.
    await people.animates(connection, boss, await connection.fetchval("SELECT id FROM filiere"))
    page = (await client.get("/account/data")).text
    assert "Vous animez seul·e" not in page


async def test_append_only_tables_stay_so_but_for_their_two_functions(
    zelie: Person, connection: asyncpg.Connection
) -> None:
    for words in (
        "DELETE FROM consent_ledger", "UPDATE consent_ledger SET network = ''",
        "UPDATE consent_ledger SET screen = 'x'", "DELETE FROM audit_entry",
        "TRUNCATE audit_entry", "SELECT forget_networks(7700000002)", "SELECT purge_proofs(0)",
    ):  # fmt: skip
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(words)
    assert await connection.fetchval("SELECT purge_proofs(1)") == 0
    assert await connection.fetchval("SELECT count(*) FROM consent_ledger") == 1


async def test_evidence_of_consents_goes_with_the_last_row_that_needs_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await connection.execute(
        """
        INSERT INTO consent_evidence (file_hash, given_on, source, wording, hash, imported_at)
        SELECT '\\x00', '2020-01-01', 'papier ' || n, 'oui', '\\x00', now() - interval '3 years'
        FROM generate_series(1, 2) AS n;
        INSERT INTO consent_ledger (member_id, filiere_id, topic, rhythm, act, screen, evidence_id)
        SELECT 1, 1, 'news', 'weekly', 'imported', 'import', min(id) FROM consent_evidence;
        """
    )
    for words in ("DELETE FROM consent_evidence", "UPDATE consent_evidence SET source = ''"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(words)
    assert await connection.fetchval("SELECT purge_proofs(5)") == 0
    assert await connection.fetchval("SELECT purge_proofs(2)") == 1
    assert await connection.fetchval("SELECT source FROM consent_evidence") == "papier 1"
