"""What an operator does to an installation: bring it up to date, index it, ask how it is."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiosmtplib
import asyncpg
from rich.progress import Progress, TaskID

from directory import cluster, db, errors, indexing, jobs, mail, piccolo_conf
from directory.accounts import holdings, provider
from directory.accounts.provider import ProviderUnreadable, SignInFailed
from directory.demo import gallery
from directory.demo import loading as demo
from directory.filieres import evidence
from directory.holdings import Person
from directory.languages import SOURCE, marked
from directory.members.reference import loading
from directory.privacy import archive, erasing, retention
from directory.settings import Settings, SettingsInvalid, is_loopback
from directory.subscriptions import wordings
from search import server
from search.server import WRITE_SECONDS, Server, Unavailable

Tell = Callable[[str, int, int], None]
"""Told what goes on, how much is done, and of how much."""

POSTGRES_WANTED = 17_00_00
HEARTBEAT_SECONDS = 60
LAG_SECONDS = 60
STAYS = "The ledgers of consents and deliveries and the audit log keep the number alone."


class DatabaseAway(Exception):
    """No connection to Postgres. The message says what to look at."""


class NotConfirmed(Exception):
    """The operator did not mean it, or not this."""


class Finding(NamedTuple):
    """One line of the doctor's report."""

    is_well: bool
    subject: str
    words: str


@contextlib.contextmanager
def postgres(settings: Settings) -> Iterator[str]:
    """The URL of the database: the one that the settings name, or the embedded one, started."""
    if settings.database_url:
        yield settings.database_url
        return
    with cluster.running(settings.var_dir / "postgres") as url:
        yield url


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[None]:
    """:raises DatabaseAway: when no connection can be made."""
    try:
        await (await asyncpg.connect(url, timeout=10)).close()
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        raise DatabaseAway(
            f"the database does not answer, look at DATABASE_URL: {error}"
        ) from error
    piccolo_conf.point_at(url)
    async with db.pool():
        yield


async def migrate() -> None:
    """Bring tables, reference data and wordings up to date. A second run changes nothing.

    Where the search has other rules or words than before, everybody is marked to be indexed again.
    """
    await db.migrate()
    async with db.transaction() as opened:
        counts = await loading.load(opened)
        await indexing.follow_rules(opened, has_new_words=counts.total > 0)
        await wordings.load(opened)


async def is_empty() -> bool:
    async with db.connection() as reader:
        return not await reader.fetchval("SELECT EXISTS (SELECT FROM member)")


async def fill(members: int, seed: int, tell: Tell) -> tuple[demo.Account, ...]:
    """Invent a community in an empty directory, and index it.

    :raises demo.DemoRefused: when there are members already.
    """
    today = datetime.now(UTC).date()
    async with db.transaction() as opened:
        await demo.load(
            opened, members=members, seed=seed, today=today,
            progress=partial(tell, "Demo community"),
        )  # fmt: skip
        await evidence.refresh_due()
        tell("Portraits", 0, 1)
        await gallery.hang(opened, seed=seed, today=today)
        tell("Portraits", 1, 1)
    await indexing.rebuild(partial(tell, "Search index"))
    return demo.CAST


def shown_on(bars: Progress) -> Tell:
    """Tell progress to bars on the terminal, one for each description."""
    tasks: dict[str, TaskID] = {}

    def tell(words: str, done: int, total: int) -> None:
        if words not in tasks:
            tasks[words] = bars.add_task(words, total=total)
        bars.update(tasks[words], completed=done, total=total)

    return tell


async def examine(settings: Settings, url: str) -> list[Finding]:
    """Everything that the service leans on, each with a verdict and a sentence."""
    findings = [await _examine_postgres(settings, url)]
    if findings[0].is_well:
        async with connected(url):
            findings += [await _examine_migrations()]
            if findings[-1].is_well:
                findings += [await _examine_index(), *await _examine_meilisearch(settings)]
                findings += [await examine_worker(), await _examine_retention()]
    findings += [await _examine_relay(settings), *await _examine_provider(settings)]
    return [*findings, _examine_secret(settings), *_examine_address(settings)]


async def _examine_postgres(settings: Settings, url: str) -> Finding:
    where = "DATABASE_URL" if settings.database_url else f"embedded, in {settings.var_dir}"
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return Finding(False, "Postgres", f"{where}: not reached ({error})")
    version = connection.get_server_version()
    number = await connection.fetchval("SELECT current_setting('server_version_num')::int")
    await connection.close()
    words = f"{where}: version {version.major}.{version.minor}"
    if number < POSTGRES_WANTED:
        return Finding(False, "Postgres", f"{words}, and 17 or later is needed")
    return Finding(True, "Postgres", words)


async def _examine_migrations() -> Finding:
    pending = await db.pending_migrations()
    if pending:
        words = f"{len(pending)} to run: filieres migrate"
        return Finding(False, "Migrations", words)
    return Finding(True, "Migrations", "up to date")


async def _examine_index() -> Finding:
    status = await indexing.status()
    words = (
        f"{status.documents} members in the Postgres index, "
        f"{status.waiting} waiting, the oldest for {status.lag_seconds:.0f} s"
    )
    return Finding(status.lag_seconds < LAG_SECONDS, "Search index", words)


async def _examine_meilisearch(settings: Settings) -> list[Finding]:
    """Nothing to say where none is set: Postgres searches."""
    address = indexing.meilisearch(settings)
    if address is None:
        return []
    async with Server(address, seconds=WRITE_SECONDS) as reached:
        try:
            version = await reached.version()
            missing = await indexing.missing(reached)
        except Unavailable as error:
            words = f"{address.url}: {error}; Postgres answers meanwhile"
            return [Finding(False, "Meilisearch", words)]
    waiting = (await indexing.status()).waiting_mirror
    words = f"{address.url}: version {version}, {waiting} changes waiting"
    if server.is_faulty(version):
        words = f"{words}; 1.41 and 1.42 lose hits: take another"
    if missing:
        words = f"{words}; not built yet: {', '.join(missing)} (filieres reindex)"
    return [Finding(not missing and not server.is_faulty(version), "Meilisearch", words)]


async def examine_worker(host: str = "") -> Finding:
    age = await jobs.heartbeat_age(host)
    if age is None:
        return Finding(False, "Worker", "none was ever started: filieres worker")
    return Finding(age < HEARTBEAT_SECONDS, "Worker", f"last alive {age:.0f} s ago")


async def _examine_retention() -> Finding:
    steps = await retention.plan()
    counts = {what: sum(step.what == what for step in steps) for what in retention.STEPS}
    late = await erasing.count_late()
    words = (
        f"{counts['announce']} to announce, {counts['remind']} announced, "
        f"{counts['erase']} reminded; {late} erasures are late"
    )
    return Finding(late == 0, "Retention", words)


async def find_person(who: str) -> Person:
    """By the address of the account, or by the number of a member: 'member:12'.

    :raises errors.NotFound:
    """
    kind, _, number = who.partition(":")
    if kind == "member" and number.isdecimal() and len(number) < 19:
        found = await holdings.of_member(int(number))
    else:
        found = await holdings.find(who)
    if found is None:
        raise errors.NotFound(marked("Aucun compte n’a l’adresse %(email)s."), email=who)
    return found


async def export_person(who: str, path: Path) -> int:
    """Write the copy of a person's data. Returns its size.

    :raises errors.NotFound: :raises FileExistsError: nothing is written over.
    """
    person = await find_person(who)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        await archive.write(person, await holdings.language(person) or SOURCE, file)
        return file.tell()


async def erase_person(person: Person, *, now: bool) -> str:
    """Returns what was done, in a sentence."""
    if now:
        done = await erasing.erase_now(person)
        return "Erased." if done else "Begun; a job of theirs was running: the worker goes on."
    view = await erasing.schedule(person)
    return f"Out of sight. Erased on {view.due_at:%Y-%m-%d}; a mail says so."


async def _examine_relay(settings: Settings) -> Finding:
    where = settings.smtp_url.rpartition("@")[2]
    try:
        async with mail.connection(settings):
            return Finding(True, "Mail relay", f"{where}: answers")
    except SettingsInvalid as error:
        return Finding(False, "Mail relay", str(error))
    except (aiosmtplib.SMTPException, OSError) as error:
        return Finding(False, "Mail relay", f"{where}: not reached ({error})")


async def _examine_provider(settings: Settings) -> list[Finding]:
    """Nothing to say where none is set: the link by mail is the way in."""
    if not settings.has_oidc:
        return []
    where = settings.oidc_issuer
    try:
        metadata = (await provider.read(settings)).metadata
    except ProviderUnreadable as unreadable:
        return [Finding(False, "OpenID Connect", f"{where}: {unreadable.reason}")]
    except SignInFailed:
        return [Finding(False, "OpenID Connect", f"{where}: not reached")]
    if "S256" not in metadata.code_challenge_methods_supported:
        words = "does not say that it checks PKCE with S256"
        return [Finding(False, "OpenID Connect", f"{where}: {words}")]
    words = f"answers; it must send browsers back to {provider.redirect_uri(settings)}"
    return [Finding(True, "OpenID Connect", f"{where}: {words}")]


def _examine_address(settings: Settings) -> list[Finding]:
    """Browsers keep our cookies over https and on their own machine, and nowhere else."""
    host = urlsplit(settings.public_url).hostname or ""
    if settings.is_https or settings.demo or is_loopback(host):
        return []
    words = f"{settings.public_url}: nobody can sign in without https://"
    return [Finding(False, "BASE_URL", words)]


def _examine_secret(settings: Settings) -> Finding:
    try:
        length = len(settings.secret)
    except SettingsInvalid as error:
        return Finding(False, "Secret key", str(error))
    return Finding(True, "Secret key", f"{length} bytes")
