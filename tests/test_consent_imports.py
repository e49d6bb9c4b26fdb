"""Consents given elsewhere come in with their proof, and never over somebody's own word."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest

from directory import errors, settings
from directory.settings import Settings
from directory.subscriptions import consent, imports, ledger, links, pauses, wordings
from directory.subscriptions.ledger import Screen, Trace
from tests import job_runner, mailing_scene, people, smtp_sink
from tests.mailing_scene import Scene
from tests.people import Person
from tests.smtp_sink import Sink
from tests.test_command_line import filieres

GIVEN = (pauses.today() - timedelta(days=200)).isoformat()
HEADER = ";".join(imports.COLUMNS)
WORDING = "J’accepte de recevoir les formations de la filière."


def file(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines]).encode()


def row(who: str, topic: str = "trainings", **changes: str) -> str:
    values = {
        "filiere": "metiers-du-web", "rhythm": "at_once", "given_on": GIVEN,
        "source": "formulaire d’adhésion 2026", "wording": WORDING, **changes,
    }  # fmt: skip
    return ";".join([who, values["filiere"], topic, *[
        values[name] for name in ("rhythm", "given_on", "source", "wording")
    ]])  # fmt: skip


@pytest.fixture
async def sink(app: object, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url))
        yield sink


@pytest.fixture
async def scene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Scene:
    await wordings.load(connection)
    return await mailing_scene.build(client, connection)


@pytest.fixture
async def zoe(scene: Scene) -> Person:
    """In 'web', where she never chose anything; her address is not confirmed."""
    zoe = await people.member(scene.connection, "Zoé", "zoe@test.example")
    await mailing_scene.joins(scene.connection, zoe, scene.web)
    await scene.connection.execute(
        "UPDATE account SET email_confirmed_at = NULL WHERE id = $1", zoe.account_id
    )
    return zoe


async def test_an_imported_consent_has_its_proof_and_waits_for_the_address(
    scene: Scene, zoe: Person, sink: Sink
) -> None:
    content = file(row(zoe.email), row(zoe.email, "news", rhythm="weekly"))
    made = await imports.plan(content)
    assert made.counts == {"taken": 2}
    assert await scene.connection.fetchval("SELECT count(*) FROM consent_evidence") == 0
    await imports.commit(content, made.hash, asks=True)
    rows = await scene.connection.fetch(
        "SELECT l.act::text, l.screen, l.rhythm::text, l.actor_id, e.wording, e.given_on::text, "
        "encode(e.hash, 'hex') AS hash FROM consent_ledger l "
        "JOIN consent_evidence e ON e.id = l.evidence_id ORDER BY l.id"
    )
    assert [tuple(one)[:6] for one in rows] == [
        ("imported", "import", rhythm, None, WORDING, GIVEN) for rhythm in ("at_once", "weekly")
    ]
    assert await scene.connection.fetchval("SELECT count(*) FROM consent_evidence") == 1
    assert await ledger.verify() == []
    await scene.send(await scene.draft())
    await scene.work()
    assert zoe.email not in sink.recipients
    await job_runner.run_all(scene.connection)
    assert sink.recipients[zoe.email] == 1, "the mail that asks to confirm the address"
    secret = settings.current().secret
    await scene.client.post(links.address_path(secret, zoe.account_id, zoe.email))
    await scene.send(await scene.draft())
    await scene.work()
    assert sink.recipients[zoe.email] == 2
    history = await ledger.list_history(zoe.member_id, "fr")
    assert history.items[0].evidence is not None
    await people.sign_in(scene.client, zoe)
    page = (await scene.client.get("/preferences/history")).text
    assert "formulaire d’adhésion 2026" in page
    assert WORDING in page


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"who": "nobody@test.example"}, "no member has this number or address"),
        ({"who": ""}, "no member has this number or address"),
        ({"filiere": "nowhere"}, "no such filière"),
        ({"filiere": "image"}, "is not in the filière"),
        ({"topic": "gossip"}, "topic: not understood"),
        ({"rhythm": "hourly"}, "rhythm: not understood"),
        ({"given_on": "hier"}, "given_on: not understood"),
        ({"given_on": "2999-01-01"}, "given_on: not past"),
        ({"given_on": "2001-01-01"}, "given_on: more than 3 years ago"),
        ({"source": ""}, "source: needed, at most 500 characters"),
        ({"wording": "x" * 2001}, "wording: needed, at most 2000 characters"),
    ],
)
async def test_a_row_that_is_not_taken_says_why(
    scene: Scene, zoe: Person, changes: dict[str, str], fault: str
) -> None:
    made = await imports.plan(file(row(**({"who": zoe.email} | changes))))
    assert [one.fault for one in made.rows] == [fault]
    await imports.commit(file(row(**({"who": zoe.email} | changes))), made.hash, asks=False)
    assert await scene.connection.fetchval(
        "SELECT count(*) FROM consent_ledger WHERE act = 'imported'"
    ) == 0  # fmt: skip


async def test_a_file_never_overrules_what_somebody_said(scene: Scene, zoe: Person) -> None:
    trace = Trace(Screen.MAIL)
    await consent.stop(links.Holder(scene.awa.member_id), trace)
    content = file(
        row(scene.awa.email),  # withdrew it
        row(scene.bert.email),  # chose it here
        row(zoe.email), row(zoe.email),
    )  # fmt: skip
    made = await imports.plan(content)
    assert [one.fault for one in made.rows] == [
        "has chosen here themselves", "has chosen here themselves", "", "twice in the file",
    ]  # fmt: skip
    await scene.connection.execute(
        "INSERT INTO consent_ledger (member_id, filiere_id, topic, act, screen) "
        "VALUES ($1, $2, 'trainings', 'withdrawn', 'mail')",
        zoe.member_id, scene.web,
    )  # fmt: skip
    with pytest.raises(errors.Conflict):
        await imports.commit(content, made.hash, asks=False)
    with pytest.raises(errors.Conflict):
        await imports.commit(content + b" ", made.hash, asks=False)


@pytest.mark.parametrize("content", [b"", b"who;filiere\n", b"\xff\xfe", b"a" * 20_000_001])
async def test_another_kind_of_file_is_refused(scene: Scene, content: bytes) -> None:
    with pytest.raises(errors.Malformed):
        await imports.plan(content)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_evidence SET wording = 'x'",
        "DELETE FROM consent_evidence",
        "TRUNCATE consent_evidence CASCADE",
    ],
)
async def test_the_evidence_refuses_every_change(scene: Scene, zoe: Person, statement: str) -> None:
    content = file(row(zoe.email))
    await imports.commit(content, (await imports.plan(content)).hash, asks=False)
    with pytest.raises(asyncpg.RestrictViolationError):
        await scene.connection.execute(statement)


async def test_the_command_line_imports_verifies_and_repairs(
    scene: Scene, zoe: Person, database: str, tmp_path: Path
) -> None:
    path = tmp_path / "consents.csv"
    path.write_bytes(file(row(zoe.email), row("nobody@test.example")))

    async def run(*words: str) -> tuple[int, str, str]:
        return await filieres("consents", *words, DATABASE_URL=database)

    code, said, _ = await run("import", str(path), "--plan")
    assert code == 0, said
    assert "no member has this number or address" in said
    made = said.split()[-1]
    code, _, error = await run("import", str(path), "--commit", "0")
    assert code == 1, error
    code, said, _ = await run("import", str(path), "--commit", made)
    assert code == 0
    code, said, _ = await run("verify")
    assert (code, said.strip()) == (0, "0 differences between the ledger and today's state.")
    await scene.connection.execute("DELETE FROM consent WHERE member_id = $1", zoe.member_id)
    code, said, _ = await run("verify")
    assert code == 1
    assert f"member {zoe.member_id}" in said
    code, _, _ = await run("verify", "--repair")
    assert code == 0
    assert await ledger.verify() == []
