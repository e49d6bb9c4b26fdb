"""Random lives of members, on the real database: whatever they do, the promises hold.

Join, leave, swap, choose, be rarer, stop by a link, take it back, pause, come back, be imported,
leave by an import, be absent for years, be erased; filières close, mailings and digests go out.
"""

import asyncio
import itertools
from collections.abc import Awaitable
from datetime import date, timedelta
from typing import TypeVar

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from directory import errors, settings
from directory.accounts.actor import Actor, Grant, Role, filiere_scope
from directory.filieres import lifecycle
from directory.filieres.lifecycle import Stage, StageChanged
from directory.holdings import Person as Holding
from directory.mailings import delivery, digest_delivery, digests, dispatch, drafts
from directory.mailings.drafts import MailingDraft
from directory.privacy import erasing
from directory.subscriptions import (
    consent,
    expiry,
    imports,
    ledger,
    links,
    memberships,
    pauses,
    returns,
    wordings,
)
from directory.subscriptions.consent import Choice
from directory.subscriptions.ledger import Screen, Trace
from directory.subscriptions.links import Holder
from directory.subscriptions.topics import Rhythm, Topic
from tests import people
from tests.people import Person
from tests.test_consent_imports import file, row
from tests.test_filieres import COORDINATOR

Answer = TypeVar("Answer")
MEMBERS, FILIERES, QUOTA = 3, 5, 3
WHO, WHERE = st.integers(0, MEMBERS - 1), st.integers(0, FILIERES - 1)
# Few topics, so that acts meet.
WHAT = st.sampled_from([Topic.NEWS, Topic.TRAININGS])
HOW = st.sampled_from([None, *Rhythm])
_numbers = itertools.count()

# What must never be, each with the promise that it would break.
BROKEN = {
    "over the quota": f"""
        SELECT member_id FROM membership WHERE left_at IS NULL
        GROUP BY member_id HAVING count(*) > {QUOTA}
    """,
    "a choice without membership": """
        SELECT c.* FROM consent c WHERE NOT EXISTS (SELECT FROM membership k
            WHERE k.member_id = c.member_id AND k.filiere_id = c.filiere_id
            AND k.left_at IS NULL)
    """,
    "a choice without words": """
        SELECT c.* FROM consent c JOIN consent_ledger l ON l.id = c.ledger_id
        WHERE num_nonnulls(l.wording_id, l.evidence_id) <> 1
    """,
    "a mail that the ledger does not allow": """
        SELECT v.* FROM mailing_audience v JOIN mailing g ON g.id = v.mailing_id
        WHERE v.reason IS NULL AND NOT EXISTS (
            SELECT FROM consent_ledger l
            JOIN mailing_filiere f ON f.mailing_id = g.id AND f.filiere_id = l.filiere_id
            WHERE l.id = v.consent_id AND l.member_id = v.member_id AND l.topic = g.topic
              AND l.rhythm = 'at_once' AND NOT EXISTS (SELECT FROM consent_ledger x
                WHERE x.member_id = l.member_id AND x.filiere_id = l.filiere_id
                AND x.topic = l.topic AND x.id > l.id))
    """,
    "a mail to who pauses, left, or has no confirmed address": """
        SELECT x.* FROM (
            SELECT member_id FROM mailing_audience WHERE reason IS NULL
            UNION ALL SELECT member_id FROM digest_audience
        ) x JOIN member m ON m.id = x.member_id LEFT JOIN account a ON a.id = m.account_id
        LEFT JOIN mail_pause p ON p.member_id = m.id
        WHERE m.left_on IS NOT NULL OR a.email_confirmed_at IS NULL
          OR p.until > (now() AT TIME ZONE 'Europe/Brussels')::date
    """,
    "a digest that the ledger does not allow": """
        SELECT v.* FROM digest_audience v LEFT JOIN mailing g ON g.id = v.mailing_id
        WHERE NOT EXISTS (SELECT FROM consent_ledger l WHERE l.id = v.consent_id
            AND l.member_id = v.member_id AND l.topic = g.topic AND l.rhythm = v.rhythm
            AND NOT EXISTS (SELECT FROM consent_ledger x
                WHERE x.member_id = l.member_id AND x.filiere_id = l.filiere_id
                AND x.topic = l.topic AND x.id > l.id))
    """,
}
# Claimed now: the row of the ledger is the last word on that topic of that filière, and allows it.
CLAIMED = """
    SELECT d.member_id FROM delivery d JOIN mailing g ON g.id = d.mailing_id
    JOIN consent_ledger l ON l.id = d.consent_id
    WHERE d.mailing_id = $1 AND d.state = 'claimed' AND NOT (
        l.member_id = d.member_id AND l.topic = g.topic AND l.rhythm = 'at_once'
        AND EXISTS (SELECT FROM mailing_filiere f
            WHERE f.mailing_id = g.id AND f.filiere_id = l.filiere_id)
        AND NOT EXISTS (SELECT FROM consent_ledger x WHERE x.member_id = l.member_id
            AND x.filiere_id = l.filiere_id AND x.topic = l.topic AND x.id > l.id))
"""
CLAIMED_DIGEST = """
    SELECT e.member_id FROM digest_entry e JOIN digest_delivery d USING (member_id, rhythm, day)
    JOIN mailing g ON g.id = e.mailing_id JOIN consent_ledger l ON l.id = e.consent_id
    WHERE d.state = 'claimed' AND d.day = $1 AND NOT (
        l.member_id = e.member_id AND l.topic = g.topic AND l.rhythm = e.rhythm
        AND NOT EXISTS (SELECT FROM consent_ledger x WHERE x.member_id = l.member_id
            AND x.filiere_id = l.filiere_id AND x.topic = l.topic AND x.id > l.id))
"""


class Lives(RuleBasedStateMachine):
    """Its steps run in the loop of the test, one after the other."""

    loop: asyncio.AbstractEventLoop
    connection: asyncpg.Connection

    def run(self, work: Awaitable[Answer]) -> Answer:
        async def step() -> Answer:
            return await work

        return asyncio.run_coroutine_threadsafe(step(), self.loop).result(60)

    def may(self, work: Awaitable[Answer]) -> Answer | None:
        """A refusal is an answer like another; whatever it left behind is looked at."""
        try:
            return self.run(work)
        except errors.Problem:
            return None

    @initialize()
    def begin(self) -> None:
        self.members = [self.run(people.member(self.connection)) for _ in range(MEMBERS)]
        self.first = self.members[0].member_id
        self.slugs = [f"f{next(_numbers)}" for _ in range(FILIERES)]
        self.ids = [self.run(people.filiere(self.connection, slug, slug)) for slug in self.slugs]
        self.latest = self.run(wordings.list_latest("fr"))
        self.stops: list[links.Stop] = []
        self.animator = self.run(people.member(self.connection))

    def actor(self, who: int) -> Actor:
        person = self.members[who]
        return Actor(account_id=person.account_id, member_id=person.member_id)

    def trace(self, who: int) -> Trace:
        return Trace(Screen.PREFERENCES, "192.0.2.0/24", self.members[who].account_id, "fr")

    def choice(self, where: int, what: Topic, how: Rhythm | None) -> Choice:
        return Choice(self.slugs[where], what, how, self.latest[what].id)

    @rule(who=WHO, where=WHERE, leaving=st.none() | WHERE, what=WHAT, how=HOW)
    def join(
        self, who: int, where: int, leaving: int | None, what: Topic, how: Rhythm | None
    ) -> None:
        left = "" if leaving is None else self.slugs[leaving]
        choices = [self.choice(where, what, how)]
        actor, slug = self.actor(who), self.slugs[where]
        self.may(
            memberships.join(actor, slug, "fr", self.trace(who), choices=choices, leaving=left)
        )

    @rule(who=WHO, where=WHERE)
    def join_again(self, who: int, where: int) -> None:
        self.join(who, where, None, Topic.NEWS, Rhythm.AT_ONCE)

    @rule(who=WHO, where=WHERE)
    def leave(self, who: int, where: int) -> None:
        self.may(memberships.leave(self.actor(who), self.slugs[where], self.trace(who)))

    @rule(who=WHO, where=WHERE, what=WHAT, how=HOW)
    def choose(self, who: int, where: int, what: Topic, how: Rhythm | None) -> None:
        choices = [self.choice(where, what, how)]
        self.may(consent.choose(self.actor(who), choices, self.trace(who)))

    @rule(who=WHO, where=WHERE, what=WHAT, how=HOW)
    def be_rarer_by_link(self, who: int, where: int, what: Topic, how: Rhythm | None) -> None:
        holder, choices = Holder(self.members[who].member_id), [self.choice(where, what, how)]
        before = self.count_on(who)
        stop = self.may(consent.adjust(holder, choices, Trace(Screen.MAIL)))
        assert self.count_on(who) <= before, "a link starts nothing"
        self.stops += [stop] if stop else []

    @rule(who=WHO, what=st.none() | WHAT)
    def stop_by_link(self, who: int, what: Topic | None) -> None:
        holder = Holder(self.members[who].member_id, what)
        stop = self.run(consent.stop(holder, Trace(Screen.ONE_CLICK)))
        self.stops += [stop] if stop else []

    @rule(which=st.integers(0, 9))
    def take_it_back(self, which: int) -> None:
        if self.stops:
            self.may(consent.restore(self.stops[which % len(self.stops)], Trace(Screen.MAIL)))

    @rule(who=WHO, days=st.integers(-1, 400), by_link=st.booleans())
    def pause(self, who: int, days: int, by_link: bool) -> None:
        until = pauses.today() + timedelta(days=days)
        if by_link:
            self.may(pauses.pause_by_link(Holder(self.members[who].member_id), until))
        else:
            self.may(pauses.pause(self.actor(who), until))

    @rule(who=WHO)
    def resume(self, who: int) -> None:
        self.run(pauses.resume(self.actor(who)))

    @rule(who=WHO)
    def come_back(self, who: int) -> None:
        person = self.members[who]
        path = links.return_path(settings.current().secret, person.member_id, person.email)
        token = path.removeprefix("/return/")
        self.may(returns.come_back(token, Trace(Screen.RETURN)))

    @rule(who=WHO, where=WHERE, what=WHAT, how=st.sampled_from(Rhythm))
    def import_consent(self, who: int, where: int, what: Topic, how: Rhythm) -> None:
        line = row(self.members[who].email, what.value, filiere=self.slugs[where], rhythm=how.value)
        made = self.run(imports.plan(file(line)))
        self.run(imports.commit(file(line), made.hash, asks=False))

    @rule(who=WHO, is_back=st.booleans())
    def leave_by_import(self, who: int, is_back: bool) -> None:
        """A file says that somebody left; perhaps another one, the same day, that they did not."""
        member_id = self.members[who].member_id
        leaves = "UPDATE member SET left_on = current_date, updated_at = now() WHERE id = $1"
        self.run(self.connection.execute(leaves, member_id))
        self.nothing_is_broken()
        self.run(memberships.end_departed())
        if is_back:
            returned = "UPDATE member SET left_on = NULL WHERE id = $1"
            self.run(self.connection.execute(returned, member_id))
        later = "UPDATE member SET updated_at = now() - interval '2 days' WHERE id = $1"
        self.run(self.connection.execute(later, member_id))
        before = self.count_on(who)
        self.run(memberships.end_departed())
        assert not is_back or self.count_on(who) == before
        if not is_back:
            assert self.count_on(who) == 0
            self.members[who] = self.run(people.member(self.connection))

    @rule(who=WHO, keeps=st.booleans())
    def be_absent(self, who: int, keeps: bool) -> None:
        """Four years go by without a sign, then a month, perhaps with the button of the mail."""
        person = self.members[who]
        self.run(self.age(person, 4 * 366))
        self.run(expiry.work())
        announced_at = self.run(
            self.connection.fetchval(
                "SELECT announced_at FROM consent_notice WHERE member_id = $1", person.member_id
            )
        )
        if announced_at and keeps:
            path = links.keep_path(settings.current().secret, person.member_id, announced_at)
            self.run(expiry.keep(path.removeprefix("/keep/"), Trace(Screen.KEEP)))
        self.run(
            self.connection.execute(
                "UPDATE consent_notice SET announced_at = now() - interval '31 days', "
                "mailed_at = now() - interval '31 days' WHERE member_id = $1",
                person.member_id,
            )
        )
        before = self.count_on(who)
        self.run(expiry.work())
        assert self.count_on(who) == (before if keeps else 0)

    async def age(self, person: Person, days: int) -> None:
        async with self.connection.transaction():
            await self.connection.execute("ALTER TABLE consent_ledger DISABLE TRIGGER USER")
            await self.connection.execute(
                "UPDATE consent_ledger SET at = at - make_interval(days => $2) "
                "WHERE member_id = $1",
                person.member_id, days,
            )  # fmt: skip
            await self.connection.execute("ALTER TABLE consent_ledger ENABLE TRIGGER USER")
            await self.connection.execute(
                "UPDATE account SET signed_in_at = now() - make_interval(days => $2) "
                "WHERE id = $1",
                person.account_id, days,
            )  # fmt: skip
            # What came from a file was given on a day, which stays: it must be older as well.
            await self.connection.execute(
                "ALTER TABLE consent_evidence DISABLE TRIGGER USER;"
                "UPDATE consent_evidence SET given_on = given_on - 1500;"
                "ALTER TABLE consent_evidence ENABLE TRIGGER USER"
            )

    @rule(who=WHO)
    def erase(self, who: int) -> None:
        person = self.members[who]
        assert self.run(erasing.erase_now(Holding(person.account_id, person.member_id)))
        assert self.count_on(who) == 0
        self.members[who] = self.run(people.member(self.connection))

    @rule(where=WHERE)
    def close(self, where: int) -> None:
        self.run(lifecycle.advance(COORDINATOR, self.slugs[where], Stage.CLOSED, "Plus personne"))
        changed = StageChanged(self.ids[where], Stage.ACTIVE, Stage.CLOSED)
        self.run(memberships.end_with_filiere(changed))
        self.slugs[where] = f"f{next(_numbers)}"
        self.ids[where] = self.run(
            people.filiere(self.connection, self.slugs[where], self.slugs[where])
        )

    @rule(where=st.sets(WHERE, min_size=1, max_size=2), what=WHAT, then=st.none() | WHO)
    def send(self, where: set[int], what: Topic, then: int | None) -> None:
        """A mailing goes out; perhaps somebody stops everything between freezing and sending."""
        ids = [self.ids[one] for one in sorted(where)]
        grants = frozenset(Grant(Role.ANIMATOR, filiere_scope(one)) for one in ids)
        author = Actor(
            account_id=self.animator.account_id, member_id=self.animator.member_id, grants=grants
        )
        draft = MailingDraft(filiere_ids=ids, topic=what, subject="Bonjour", body="Du neuf.")
        mailing_id = self.run(drafts.create(author, draft))
        self.nothing_is_broken()
        self.may(dispatch.send(author, mailing_id))
        if then is not None:
            self.stop_by_link(then, None)
        self.run(delivery.claim(mailing_id, "test", 50))
        assert not self.run(self.connection.fetch(CLAIMED, mailing_id))

    @rule(how=st.sampled_from([Rhythm.DAILY, Rhythm.WEEKLY]), then=st.none() | WHO)
    def send_digests(self, how: Rhythm, then: int | None) -> None:
        day: date = pauses.today() + timedelta(days=1)
        self.run(self.connection.execute("DELETE FROM digest_run WHERE day = $1", day))
        self.run(digests.freeze(how, day))
        if then is not None:
            self.stop_by_link(then, None)
        self.run(digest_delivery.claim(how, day, "test", 50))
        assert not self.run(self.connection.fetch(CLAIMED_DIGEST, day))

    def count_on(self, who: int) -> int:
        count: int = self.run(
            self.connection.fetchval(
                "SELECT count(*) FROM consent WHERE member_id = $1", self.members[who].member_id
            )
        )
        return count

    @invariant()
    def nothing_is_broken(self) -> None:
        """Of those of this example: what an earlier one broke is not to be found again."""
        for promise, query in BROKEN.items():
            mine = f"SELECT * FROM ({query}) AS broken WHERE member_id >= $1"
            assert self.run(self.connection.fetch(mine, self.first)) == [], promise
        wrong = [one for one in self.run(ledger.verify()) if one.member_id >= self.first]
        assert wrong == []


@pytest.fixture
async def loop(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> asyncio.AbstractEventLoop:
    await wordings.load(connection)
    return asyncio.get_running_loop()


async def test_whatever_members_do_the_promises_hold(
    loop: asyncio.AbstractEventLoop, connection: asyncpg.Connection
) -> None:
    Lives.loop, Lives.connection = loop, connection
    bounded = examples(
        max_examples=8, stateful_step_count=25, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), database=None,
    )  # fmt: skip
    await asyncio.to_thread(run_state_machine_as_test, Lives, settings=bounded)
