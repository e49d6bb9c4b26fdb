"""Scanners open every link of every mail, before the person does. Nothing may come of it.

Every mail that the service can write is sent for real, and each address in it is opened by GET and
HEAD as a scanner does it, without a cookie. The whole database is compared before and after.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest

import directory
from directory import db, jobs, settings
from directory.accounts import sessions, token_mails
from directory.accounts.actor import Actor, Grant, Role
from directory.filieres import answers as mandate_answers
from directory.filieres import lifecycle, offers, renewals, supports
from directory.filieres.lifecycle import Stage
from directory.filieres.offers import Candidacy, OfferDraft
from directory.filieres.supports import SupportDraft, SupportReached
from directory.filieres.vacancies import FiliereVacated
from directory.mailings import digests
from directory.members import decisions, freshness, proposals, views
from directory.members.decisions import RefusalDraft
from directory.members.imports import invitations
from directory.members.proposals import ProposalDraft
from directory.privacy import retention
from directory.privacy.erasures import AdministratorLeaves
from directory.settings import Settings
from directory.subscriptions import answers, consent, expiry, links, notices, requests, wordings
from directory.subscriptions import invitations as filiere_invitations
from directory.subscriptions.answers import Answer, AnswerDraft
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.requests import RequestDraft
from directory.subscriptions.topics import Rhythm
from tests import job_runner, joining, mailing_scene, people, smtp_sink
from tests.access_row import PLACES
from tests.access_table import ROWS
from tests.mailing_scene import Scene, subscribes
from tests.people import Person
from tests.smtp_sink import Sink
from tests.test_access_table import Scene as AccessScene
from tests.test_access_table import scene as access_scene
from tests.test_digests import TODAY, at, sent
from tests.test_import_invitations import invited
from tests.test_preferences import everything
from tests.test_subscriptions import actor

__all__ = ["access_scene"]
SITE = "http://testserver.local"
FOLDERS = sorted(Path(directory.__file__).parent.glob("*/mails/*/subject.txt"))
FREE = "Chiffrer un site : le 4 février"  # the subject that an animator wrote


@pytest.fixture
async def sink(app: object, chosen: Settings) -> AsyncIterator[Sink]:
    async with smtp_sink.listening() as sink:
        settings.use(msgspec.structs.replace(chosen, smtp_url=sink.url, invitations_per_hour=6000))
        yield sink


@pytest.fixture
async def scene(client: httpx.AsyncClient, connection: asyncpg.Connection, sink: Sink) -> Scene:
    await wordings.load(connection)
    return await mailing_scene.build(client, connection)


async def all_mails(scene: Scene) -> None:
    """Every mail that the service can write, each for its own reason."""
    await _of_filieres(scene)
    await _of_founding(scene)
    await _of_accounts(scene)
    await _of_members(scene)
    await _of_joining(scene)
    await _of_mandates(scene)
    await _of_leaving(scene)


async def _of_filieres(scene: Scene) -> None:
    """An announcement, a digest, an address to confirm, a way back, an end of consents."""
    daily = await people.member(scene.connection)
    await subscribes(scene.connection, daily, scene.web, rhythm="daily")
    await sent(scene, at(TODAY))
    await digests.freeze(Rhythm.DAILY, TODAY)
    await consent.stop(links.Holder(scene.awa.member_id), Trace(Screen.MAIL))
    secret = settings.current().secret
    await scene.client.post(f"{links.preferences_path(secret, scene.awa.member_id)}/return")
    new = await people.member(scene.connection)
    await scene.connection.execute(
        "UPDATE account SET email_confirmed_at = NULL WHERE id = $1", new.account_id
    )
    await people.sign_in(scene.client, new)
    assert (await scene.client.post("/preferences/address")).status_code == 303
    await job_runner.run_all(scene.connection)
    await scene.connection.execute("UPDATE account SET signed_in_at = now() - interval '4 years'")
    await scene.connection.execute("ALTER TABLE consent_ledger DISABLE TRIGGER USER")
    await scene.connection.execute("UPDATE consent_ledger SET at = at - interval '4 years'")
    await scene.connection.execute("ALTER TABLE consent_ledger ENABLE TRIGGER USER")
    await expiry.work()
    await job_runner.run_all(scene.connection)


async def _of_founding(scene: Scene) -> None:
    """A filière that moves on and is closed, a proposal that is followed and has enough support."""
    connection, staff = scene.connection, Actor(grants=frozenset({Grant(Role.COORDINATOR)}))
    garden = await people.filiere(connection, "garden", "Jardins")
    await subscribes(connection, await people.member(connection), garden, "news")
    for stage in (Stage.DORMANT, Stage.CLOSED):
        await lifecycle.advance(staff, "garden", stage, "Plus personne.")
        await job_runner.run_all(connection)
    idea = await people.filiere(connection, "idea", "Fanfares de rue")
    await connection.execute("UPDATE filiere SET stage = 'proposed' WHERE id = $1", idea)
    draft = SupportDraft(wants_mails=True)
    await supports.give(actor(await people.member(connection)), "idea", draft)
    await lifecycle.advance(staff, "idea", Stage.FORMING, "Assez de soutiens.")
    async with db.transaction():
        await jobs.emit(SupportReached(idea, 0))
    await job_runner.run_all(connection)


async def _of_accounts(scene: Scene) -> None:
    """A link to enter, a token made, and one that ends."""
    await people.sign_in(scene.client, scene.bert)
    token = {"name": "Tableur", "scopes": ["members:read"]}
    assert (await scene.client.post("/api/v1/me/tokens", json=token)).status_code == 201
    await job_runner.run_all(scene.connection)
    await scene.connection.execute(
        "UPDATE api_token SET created_at = now() - interval '30 days', "
        "expires_at = now() + interval '3 days'"
    )
    await token_mails.warn()
    scene.client.cookies.clear()
    assert (await scene.client.post("/login", data={"email": scene.bert.email})).is_success
    await job_runner.run_all(scene.connection)


async def _of_members(scene: Scene) -> None:
    """A stale profile, an invitation, a message and its report, a trade decided on."""
    staff = await people.member(scene.connection, "Hélène", "helene@test.example")
    await people.grants(scene.connection, staff, "coordinator")
    await scene.connection.execute("UPDATE member SET created_at = now() - interval '900 days'")
    await freshness.remind()
    await people.sign_in(scene.client, staff)
    await invited(scene.client, 1)
    await scene.connection.execute("UPDATE account SET language = 'fr'")
    await invitations.send_some()
    written = await scene.client.post(
        f"/api/v1/members/{scene.chloe.member_id}/messages", json={"body": "Bonjour."}
    )
    assert written.status_code == 202, written.text
    proposed = await proposals.propose(actor(scene.bert), ProposalDraft(label="Luthière"), "fr")
    refused = RefusalDraft("Il existe déjà.")
    await decisions.refuse(await _staff(staff), proposed.id, refused)
    await job_runner.run_all(scene.connection)


async def _of_joining(scene: Scene) -> None:
    """A request to join, its recall and its answers, an invitation."""
    web, connection = scene.web, scene.connection
    await connection.execute("UPDATE filiere SET openness = 'approval' WHERE id = $1", web)
    slug = await connection.fetchval("SELECT slug FROM filiere WHERE id = $1", web)
    clemence = joining.animator(scene.clemence, web)
    wanted = [await people.member(connection, f"Wim {number}") for number in range(4)]
    full, refused, waiting, welcome = wanted
    await joining.fill_places(connection, full)
    for asker in (full, refused, waiting, welcome):
        draft, trace = RequestDraft("Bonjour."), Trace(Screen.REQUEST)
        asked = await requests.ask(joining.actor(asker), slug, "fr", draft, trace)
        if asker is not waiting:
            answer = Answer.REFUSE if asker is refused else Answer.ACCEPT
            await answers.answer(clemence, slug, asked.id, AnswerDraft(answer, "Voici."))
    invited_one = await people.member(connection)
    draft_of = filiere_invitations.InvitationDraft(member_id=invited_one.member_id)
    await filiere_invitations.invite(clemence, slug, draft_of)
    await job_runner.run_all(connection)
    await connection.execute("UPDATE membership_request SET asked_at = now() - interval '8 days'")
    await notices.remind()
    await job_runner.run_all(connection)


async def _of_mandates(scene: Scene) -> None:
    """One offered, accepted, volunteered for, near its end, asked for again and renewed."""
    runner, asked, keen = [await people.member(scene.connection) for _ in range(3)]
    await people.animates(scene.connection, runner, scene.web)
    for person in (asked, keen):
        await mailing_scene.joins(scene.connection, person, scene.web)
    slug = await scene.connection.fetchval("SELECT slug FROM filiere WHERE id = $1", scene.web)
    draft = OfferDraft(to_member=asked.member_id)
    made = await offers.offer(await _staff(runner), slug, draft, "fr")
    await offers.volunteer(await _staff(keen), slug, Candidacy(), "fr")
    await job_runner.run_all(scene.connection)
    await mandate_answers.accept(await _staff(asked), made.id)
    mandate_id = await scene.connection.fetchval(
        "UPDATE mandate SET starts_on = current_date - 300, ends_on = current_date + 20 "
        "WHERE member_id = $1 RETURNING id",
        runner.member_id,
    )
    await renewals.wish(await _staff(runner), mandate_id, renewals.Wish.RENEW)
    await renewals.remind()
    await job_runner.run_all(scene.connection)
    helene = await scene.connection.fetchval(
        "SELECT id FROM account WHERE email = 'helene@test.example'"
    )
    until = views.today() + timedelta(days=300)
    await renewals.renew(await _staff(Person(helene, 0, "")), mandate_id, until)
    await job_runner.run_all(scene.connection)


async def _staff(person: Person) -> Actor:
    return await sessions.actor_of_session(await sessions.open_session(person.account_id, "test"))


async def _of_leaving(scene: Scene) -> None:
    """A copy, an erasure asked for and confirmed, one by the rules, and what the staff is told."""
    await people.sign_in(scene.client, scene.chloe)
    assert (await scene.client.post("/api/v1/me/exports")).status_code == 202
    assert (await scene.client.post("/account/data/erasure")).status_code == 303
    staff_id = await scene.connection.fetchval(
        "SELECT id FROM account WHERE email = 'helene@test.example'"
    )
    async with db.transaction():
        await jobs.emit(FiliereVacated(scene.web, staff_id))
        await jobs.emit(AdministratorLeaves(staff_id))
    gone = await people.member(scene.connection)
    await scene.connection.execute(
        "UPDATE account SET signed_in_at = now() - interval '4 years' WHERE id = $1",
        gone.account_id,
    )
    await retention.work()
    await job_runner.run_all(scene.connection)
    await scene.connection.execute("UPDATE erasure SET due_at = now() + interval '6 days'")
    await retention.work()
    await job_runner.run_all(scene.connection)


def addresses(sink: Sink) -> dict[str, str]:
    """Each address of ours that stands in a mail: in its text, its HTML or a header."""
    found: dict[str, str] = {}
    for mail in sink.mails:
        header = str(mail.message["List-Unsubscribe"] or "")
        for text in (mail.text, mail.html, header):
            for path in re.findall(rf"{re.escape(SITE)}(/[^\s\"<>]*)?", text):
                found[path.replace("&amp;", "&") or "/"] = str(mail.message["Subject"])
    return found


async def test_opening_every_link_of_every_mail_changes_nothing(scene: Scene, sink: Sink) -> None:
    await all_mails(scene)
    await _follow(scene, sink, "/messages/report/")
    await _follow(scene, sink, "/erasure/", but="/erasure/keep/")
    subjects = [str(mail.message["Subject"]) for mail in sink.mails]
    lacking = [
        str(folder.parent.relative_to(folder.parents[3]))
        for folder in FOLDERS
        if not any(re.fullmatch(_pattern(folder), subject) for subject in subjects)
    ]
    assert not lacking, f"have {lacking} sent in all_mails of this file"

    scene.client.cookies.clear()
    before, opened = await everything(scene.connection), addresses(sink)
    assert len({path.split("/")[1] for path in opened}) >= 12
    statuses: Counter[int] = Counter()
    for path, subject in opened.items():
        for method in ("HEAD", "GET", "GET"):
            answer = await scene.client.request(method, path)
            # 401: its reader is to sign in. 404: Chloé is out of sight until she is erased.
            assert answer.status_code in {200, 401, 404}, (subject, path, answer.status_code)
        statuses[answer.status_code] += 1
    assert statuses[200] >= 15, statuses
    after = await everything(scene.connection)
    assert {name for name in after if after[name] != before[name]} == set()


async def _follow(scene: Scene, sink: Sink, folder: str, *, but: str = "/none/") -> None:
    """Press the button behind a link of a mail: another mail comes of it."""
    path = next(
        path for path in addresses(sink) if path.startswith(folder) and not path.startswith(but)
    )
    assert (await scene.client.post(path)).status_code == 303
    await job_runner.run_all(scene.connection)


def _pattern(folder: Path) -> str:
    """What its subjects look like in French. Without words of its own: what somebody wrote."""
    words = re.findall(r'_\("([^"]+)"', folder.read_text())
    shapes = [re.sub(r"%\\?\(\w+\\?\)s", ".+", re.escape(word)) for word in words]
    return "|".join(shapes) or re.escape(FREE)


async def test_no_page_changes_anything_for_who_only_opens_it(access_scene: AccessScene) -> None:
    """Whatever address a mail will hold one day: for each GET of the service, as a visitor."""
    scene = access_scene
    scene.put_letter()
    connection = await asyncpg.connect(scene.database)
    transport = httpx.ASGITransport(app=scene.app)
    before = await everything(connection)
    async with httpx.AsyncClient(transport=transport, base_url=SITE) as client:
        for row in ROWS:
            method, _, path = row.route.partition(" ")
            if method != "GET":
                continue
            for place, name in PLACES.items():
                path = path.replace(place, name)
            address = scene.filled(row.at or path, "visitor")
            for one in ("HEAD", "GET"):
                answer = await client.request(one, address)
                assert answer.status_code < 500, address
    after = await everything(connection)
    await connection.close()
    assert {name for name in after if after[name] != before[name]} == set()
