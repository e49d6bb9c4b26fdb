"""Every route × every role: the table of tests/access_table.py against the running app."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest
from litestar.routes import HTTPRoute

from directory import db, piccolo_conf, settings
from directory.accounts import secrets, sessions, tokens
from directory.app import create_app
from directory.filieres import following
from directory.mailings import dispatch, drafts
from directory.mailings.drafts import MailingDraft
from directory.members import forms, proposals
from directory.members.imports import record, work
from directory.members.imports.plan import Options
from directory.members.imports.record import ImportAsked
from directory.members.proposals import ProposalDraft
from directory.members.views import PortfolioView
from directory.settings import Settings
from directory.subscriptions import consent, links, pauses
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.links import Holder
from directory.subscriptions.topics import Topic
from tests import people
from tests.access_row import COLUMNS, HOLDERS, PLACES, Row
from tests.access_table import ROWS
from tests.conftest import clone, database_url
from tests.mailing_scene import subscribes
from tests.people import Person

OF_THE_FRAMEWORK = ("/static/", "/schema")
LETTER = "20261201T120000000000-000001"
BASE = "http://testserver.local"


class Rollback(Exception):
    pass


@asynccontextmanager
async def rolled_back() -> AsyncIterator[None]:
    """What is done inside joins one transaction, of which nothing is left."""
    try:
        async with db.transaction():
            yield
            raise Rollback  # noqa: TRY301 - it is how one ends a transaction from within
    except Rollback:
        pass


class Scene(msgspec.Struct):
    """The app on one database. `values` fill the addresses and bodies, `own` those of each role."""

    app: Any
    people: dict[str, Person]
    values: dict[str, str]
    own: dict[str, dict[str, str]]
    cookies: dict[str, str]
    var_dir: Path
    database: str = ""

    def filled(self, part: Any, column: str) -> Any:
        if isinstance(part, str) and part.startswith("#"):  # a number
            return int(self.filled(part[1:], column))
        if isinstance(part, str):
            return part.format_map(self.values | self.own.get(column, {}))
        if isinstance(part, list):
            return [_number(self.filled(item, column)) for item in part]
        if isinstance(part, Mapping):
            return {name: self.filled(item, column) for name, item in part.items()}
        return part

    async def ask(self, row: Row, column: str) -> int:
        """The status, in a transaction that is rolled back: every request finds the same scene."""
        holder = row.holder or HOLDERS.get(row.scope, "member")
        who = holder if column.startswith("token") else column
        method, _, path = row.route.partition(" ")
        for place, name in PLACES.items():
            path = path.replace(place, name)
        transport = httpx.ASGITransport(app=self.app)
        async with rolled_back(), httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            if column.startswith("token"):
                scopes = [row.scope] if row.scope and column == "token" else []
                secret = await tokens.create(self.people[who].email, scopes)
                client.headers["authorization"] = f"Bearer {secret}"
            elif who in self.cookies:
                client.cookies.set(sessions.COOKIE, self.cookies[who])
            form = self.filled(row.form, who)
            parts = {name: (None, text) for name, text in (form or {}).items()}
            parts = parts if row.is_multipart else {}
            answer = await client.request(
                method, self.filled(row.at or path, who), json=self.filled(row.json, who),
                data=None if parts else form, files=parts or None,
            )  # fmt: skip
        return answer.status_code

    def put_letter(self) -> None:
        """In the mailbox, which a row of the table empties."""
        (self.var_dir / "mailbox").mkdir(exist_ok=True)
        (self.var_dir / "mailbox" / f"{LETTER}.eml").write_bytes(
            b"From: a@test.example\r\nTo: b@test.example\r\nSubject: x\r\n"
            b"Date: Tue, 01 Dec 2026 12:00:00 +0000\r\nContent-Type: text/html\r\n\r\n<p>x</p>"
        )


def _number(item: Any) -> Any:
    return int(item) if isinstance(item, str) and item.isdecimal() else item


@pytest.fixture(scope="module")
async def scene(
    template: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    name = f"access_{worker_id}"
    await clone(template, name)
    piccolo_conf.point_at(database_url(name))
    var_dir = tmp_path_factory.mktemp("access")
    chosen = Settings(demo=True, var_dir=var_dir, secret_key="x" * 40, base_url=BASE)
    app = create_app(chosen, database_url(name))
    connection = await asyncpg.connect(database_url(name))
    async with app.lifespan():
        made = await _set(connection, app, var_dir)
        yield msgspec.structs.replace(made, database=database_url(name))
    await connection.close()


async def _set(connection: asyncpg.Connection, app: Any, var_dir: Path) -> Scene:
    crowd = {role: await people.member(connection, role) for role in _MEMBERS}
    for role in ("coordinator", "administrator"):
        crowd[role] = await _staff(connection, role)
    web = await people.filiere(connection, "web")
    image = await people.filiere(connection, "image")
    garden = await people.filiere(connection, "garden")
    await connection.execute(
        "INSERT INTO filiere_trade SELECT $1, id FROM trade ORDER BY id LIMIT 1 OFFSET 99", garden
    )
    idea = await people.filiere(connection, "idea", "Fanfares de rue")
    await connection.execute("UPDATE filiere SET stage = 'proposed' WHERE id = $1", idea)
    await connection.execute(
        "INSERT INTO filiere_proposal (filiere_id, need, intentions) VALUES ($1, 'A', 'B')", idea
    )
    vetted = await people.filiere(connection, "vetted")
    await connection.execute("UPDATE filiere SET openness = 'approval' WHERE id = $1", vetted)
    await people.animates(connection, crowd["animator"], web)
    await people.animates(connection, crowd["other_animator"], image)
    await people.grants(connection, crowd["ambassador"], "ambassador", f"filiere:{web}")
    other = crowd["other"]
    values = {
        "web": "web", "web_id": str(web), "garden": "garden", "idea": "idea", "letter": LETTER,
        "year": str(datetime.now(UTC).year + 1), "other": str(other.member_id),
        "other_email": other.email, "self": str(other.member_id), "own_token": "0", "undo": "",
        "work": "0", "work_seen": "",
    }  # fmt: skip
    values |= await _objects(connection, crowd, web)
    values |= await _of_mails(connection, other, web)
    values |= await _of_mandates(connection, crowd, web)
    values |= await _at_the_door(connection, web)
    own = {role: await _own(connection, person, web) for role, person in crowd.items()}
    values["others_token"] = own["other"]["own_token"]
    values["link_undo"] = own["other"]["undo"]
    await connection.execute("INSERT INTO worker_heartbeat (name) VALUES ('test')")
    cookies = {
        role: await sessions.open_session(person.account_id, "test")
        for role, person in crowd.items()
    }
    return Scene(app, crowd, values, own, cookies, var_dir)


_MEMBERS = ("member", "animator", "other_animator", "ambassador", "other")


async def _staff(connection: asyncpg.Connection, role: str) -> Person:
    """An account without a member: what it may do comes from its role alone."""
    person = Person(
        await connection.fetchval(
            "INSERT INTO account (email) VALUES ($1) RETURNING id", f"{role}@test.example"
        ),
        0,
        f"{role}@test.example",
    )
    await people.grants(connection, person, role)
    return person


async def _objects(
    connection: asyncpg.Connection, crowd: Mapping[str, Person], web: int
) -> dict[str, str]:
    """A draft, a mailing under way, dates, a proposal, grants."""
    author = await _actor(crowd["animator"])
    for topic in ("news", "trainings"):
        await subscribes(connection, crowd["other"], web, topic)
    draft = MailingDraft(filiere_ids=[web], topic=Topic.NEWS, subject="Bonjour", body="Du neuf.")
    mailings = [await drafts.create(author, draft) for _ in range(2)]
    await dispatch.send(author, mailings[1])
    found = {"draft": mailings[0], "sending": mailings[1]}
    for name, audience in (("event", "public"), ("members_event", "members")):
        found[name] = await connection.fetchval(
            "INSERT INTO event (uid, kind, audience, title, starts_at, ends_at, timezone, location,"
            " language) VALUES ($1, 'meeting', $2::event_audience, 'Midi',"
            " now() + interval '9 days', now() + interval '10 days', 'Europe/Brussels', 'Namur',"
            " 'fr') RETURNING id",
            name, audience,
        )  # fmt: skip
        await connection.execute("INSERT INTO event_filiere VALUES ($1, $2)", found[name], web)
    proposed = ProposalDraft(label="Luthière")
    found["proposal"] = (await proposals.propose(await _actor(crowd["member"]), proposed, "fr")).id
    for name, role in (("grant", "other_animator"), ("staff_grant", "coordinator")):
        found[name] = await connection.fetchval(
            "SELECT id FROM access_grant WHERE account_id = $1", crowd[role].account_id
        )
    for name, side in (("trade", "min"), ("other_trade", "max")):
        found[name] = await connection.fetchval(f"SELECT {side}(code) FROM trade")
    staff = await _actor(crowd["coordinator"])
    file = BytesIO(b"number;name\n77;Zoe Martin")
    found["import"] = await record.receive(staff, file, "members.csv", Options())
    await work.read_and_plan(ImportAsked(found["import"]))
    plan = (await record.get(staff, found["import"])).hash
    return {name: str(number) for name, number in found.items()} | {"plan": plan or ""}


async def _of_mandates(
    connection: asyncpg.Connection, crowd: Mapping[str, Person], web: int
) -> dict[str, str]:
    """The animator's mandate, an offer to {other} and their candidacy for different roles."""
    found = {"later": str(date.today() + timedelta(days=500))}  # noqa: DTZ011 - far away enough
    found["mandate"] = await connection.fetchval(
        "SELECT id FROM mandate WHERE member_id = $1", crowd["animator"].member_id
    )
    found["fellow"] = str(crowd["other_animator"].member_id)
    for name, kind, role in (
        ("offer", "share", "ambassador"), ("candidacy", "candidacy", "animator"),
    ):  # fmt: skip
        found[name] = await connection.fetchval(
            "INSERT INTO mandate_offer (filiere_id, role, kind, to_member_id, starts_on, ends_on, "
            "expires_at) VALUES ($1, $4::mandate_role, $2::mandate_offer_kind, $3, current_date, "
            "current_date + 100, now() + interval '9 days') RETURNING id",
            web, kind, crowd["other"].member_id, role,
        )  # fmt: skip
    return {name: str(value) for name, value in found.items()}


async def _at_the_door(connection: asyncpg.Connection, web: int) -> dict[str, str]:
    """Somebody who asks to join {web}, and somebody who is invited."""
    asker = await people.member(connection, "asker")
    found = {}
    for name, table in (("request", "membership_request"), ("invitation", "filiere_invitation")):
        found[name] = await connection.fetchval(
            f"INSERT INTO {table} (filiere_id, member_id) VALUES ($1, $2) RETURNING id",
            web, asker.member_id,
        )  # fmt: skip
    return {name: str(number) for name, number in found.items()}


async def _actor(person: Person) -> Any:
    return await sessions.actor_of_session(await sessions.open_session(person.account_id, "test"))


async def _of_mails(connection: asyncpg.Connection, other: Person, web: int) -> dict[str, str]:
    """Links that stand in mails to {other}."""
    secret = settings.current().secret
    await connection.execute(
        "INSERT INTO login_link (token_hash, account_id, expires_at) "
        "VALUES ($1, $2, now() + interval '1 hour')",
        secrets.digest("login"), other.account_id,
    )  # fmt: skip
    preferences = links.preferences_path(secret, other.member_id)
    stop = links.unsubscribe_path(secret, other.member_id, "news", [web])
    announced_at = await connection.fetchval(
        "INSERT INTO consent_notice (member_id) VALUES ($1) RETURNING announced_at",
        other.member_id,
    )
    pause = await pauses.pause_by_link(Holder(other.member_id), pauses.today() + timedelta(days=9))
    await pauses.undo(pause)  # so that {other} still gets mails
    return {
        "pause": str(pauses.today() + timedelta(days=9)),
        "pause_undo": links.pause_token(secret, pause),
        "digest_link": links.digest_path(secret, other.member_id, "weekly").split("/")[2],
        "return_link": links.return_path(secret, other.member_id, other.email),
        "address_link": links.address_path(secret, other.account_id, other.email),
        "keep_link": links.keep_path(secret, other.member_id, announced_at),
        "login": "login",
        "session": "00000000-0000-4000-8000-000000000000",
        "link": preferences.removeprefix("/m/"),
        "follow": following.path(other.member_id, web).removeprefix("/follow/"),
        "follow_undo": following.undo_token(other.member_id, web),
        "stop_link": stop.removeprefix("/m/").removesuffix("/stop"),
    }


async def _own(connection: asyncpg.Connection, person: Person, web: int) -> dict[str, str]:
    """What belongs to who asks: a token, and for members a choice that was just stopped."""
    await tokens.create(person.email, [])
    own = {
        "own_token": str(
            await connection.fetchval(
                "SELECT id FROM api_token WHERE account_id = $1", person.account_id
            )
        )
    }
    if person.member_id:
        await subscribes(connection, person, web, "calls")
        stop = await consent.stop(Holder(person.member_id, Topic.CALLS), Trace(Screen.MAIL))
        assert stop
        await connection.execute(
            "INSERT INTO membership_request (filiere_id, member_id) "
            "SELECT id, $1 FROM filiere WHERE slug = 'vetted'",
            person.member_id,
        )
        work = await connection.fetchval(
            "INSERT INTO portfolio_entry (member_id, position, title) VALUES ($1, 0, 'Affiche')"
            " RETURNING id",
            person.member_id,
        )
        own |= {
            "self": str(person.member_id),
            "undo": links.undo_token(settings.current().secret, stop),
            "work": str(work),
            "work_seen": forms.print_of(PortfolioView(id=work, title="Affiche")),
        }
    return own


def routes(app: Any) -> set[str]:
    """'GET /members/{member_id:int}' for each that is ours."""
    return {
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, HTTPRoute) and not route.path.startswith(OF_THE_FRAMEWORK)
        for handler in route.route_handlers
        for method in handler.http_methods - {"OPTIONS"}
    }


async def test_every_route_has_its_row(scene: Scene) -> None:
    there, told = routes(scene.app), {row.route for row in ROWS}
    lacking = "".join(
        f'\n    Row("{route}", "<status of each of: {" ".join(COLUMNS)}>"),'
        for route in sorted(there - told)
    )
    assert not lacking, f"add to ROWS of tests/access_table.py, which says how:{lacking}"
    assert told - there == set(), "rows of routes that are gone"


def test_each_row_is_whole_and_lets_somebody_through() -> None:
    for row in ROWS:
        statuses = row.statuses.split()
        assert len(statuses) == len(COLUMNS), row
        assert all(re.fullmatch("20[0-4]|303|401|403|404|410", status) for status in statuses), row
        passes = any(status[0] in "23" for status in statuses)
        assert passes is not bool(row.nobody), f"that who may pass shows that it is right: {row}"


@pytest.mark.parametrize("column", COLUMNS)
async def test_everybody_gets_the_status_of_their_column(scene: Scene, column: str) -> None:
    scene.put_letter()
    wrong = []
    for row in ROWS:
        expected = int(row.statuses.split()[COLUMNS.index(column)])
        if (status := await scene.ask(row, column)) != expected:
            wrong.append(f"{row.route} {row.at}: {status}, not {expected}")
    assert wrong == []
