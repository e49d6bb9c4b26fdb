"""The command line. Exit codes: 0 done, 1 failed, 2 called wrongly, 3 the doctor says look."""

import argparse
import asyncio
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

import asyncpg
import uvicorn
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from directory import cluster, errors, indexing, jobs, local, operations, settings
from directory.accounts import tokens
from directory.accounts.actor import OPERATOR, Role, Scope
from directory.app import create_app
from directory.db import MigrationFailed
from directory.demo import loading as demo
from directory.filieres import appointments
from directory.filieres.appointments import RoleDraft
from directory.languages import SOURCE
from directory.members.imports import command as imports
from directory.members.imports.plan import Options
from directory.privacy import retention
from directory.settings import Settings, SettingsInvalid
from directory.subscriptions import imports as consent_imports
from directory.subscriptions import ledger
from search.server import Unavailable

FAILED, FOUND_SOMETHING = 1, 3
Done = TypeVar("Done")
EXPECTED = (
    SettingsInvalid, operations.DatabaseAway, cluster.ClusterFailed, MigrationFailed,
    local.RunFailed, operations.NotConfirmed, errors.Problem, demo.DemoRefused, Unavailable,
    asyncpg.PostgresError, asyncpg.InterfaceError, OSError,
)  # fmt: skip

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def main(words: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(words)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        chosen = settings.from_environment()
        settings.use(chosen)
        done: int | None = arguments.command(chosen, arguments)
    except EXPECTED as error:
        err.print(f"filieres {arguments.name}: {' '.join(str(error).split())}", markup=False)
        return FAILED
    except KeyboardInterrupt:
        return FAILED
    return done or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="filieres", description="Member directory and sector network of a cooperative.",
        epilog="Settings come from the environment: DATABASE_URL, PORT, VAR_DIR, SMTP_URL, …",
    )  # fmt: skip
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="name")

    def add(name: str, words: str, command: object) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, description=words)
        made.set_defaults(command=command)
        return made

    run = add("run", "Everything on this machine: database, demo community, API, worker.", _run)
    _add_demo_options(run)
    add("serve", "The API and the pages.", _serve)
    add("worker", "The jobs: mails, the search index. Start as many as you like.", _worker)
    add("migrate", "Bring the database and its reference data up to date.", _migrate)
    _add_demo_options(add("demo", "Fill an empty directory with an invented community.", _demo))
    reindex = add("reindex", "Build the search index again from the tables.", _reindex)
    reindex.add_argument(
        "--verify", action="store_true",
        help="only compare Meilisearch with Postgres, and repair what differs",
    )  # fmt: skip
    doctor = add("doctor", "Say what is configured, reachable, migrated and indexed.", _doctor)
    doctor.add_argument("--worker-here", action="store_true", help="only this host's worker")
    _add_import(add("import-members", "Plan a file of members, or commit its plan.", _import))
    _add_rights(add)
    _add_token_commands(commands.add_parser("token", help="API tokens."))
    _add_consent_commands(commands.add_parser("consents", help="The ledger of consents."))
    for name, words, command in (
        ("grant", "Give a role to an account, or give it another last day.", _grant),
        ("revoke", "End a role of an account at once.", _revoke),
    ):
        _add_role_options(add(name, words, command), has_end=name == "grant")
    return parser


def _add_token_commands(parser: argparse.ArgumentParser) -> None:
    token = parser.add_subparsers(required=True, metavar="COMMAND")
    create = token.add_parser("create", help="Make a token and print it, this once.")
    create.add_argument("--email", required=True, help="the address of the account")
    create.add_argument(
        "--scope", action="append", required=True, choices=[scope.value for scope in Scope],
        help="what it may be used for; may be given several times",
    )  # fmt: skip
    create.add_argument("--name", default="filieres token create", help="what it is for")
    create.add_argument(
        "--days", type=_token_days, default=tokens.LONGEST_DAYS, help="until it ends (365)"
    )
    create.set_defaults(command=_create_token)
    listed = token.add_parser("list", help="The tokens there are, without their secrets.")
    listed.add_argument("--email", default="", help="only those of this account")
    listed.set_defaults(command=_list_tokens)
    ended = token.add_parser("revoke", help="End a token at once.")
    ended.add_argument("token", help="its number in the list, or the token itself")
    ended.set_defaults(command=_revoke_token)


def _add_consent_commands(parser: argparse.ArgumentParser) -> None:
    consents = parser.add_subparsers(required=True, metavar="COMMAND")
    verify = consents.add_parser(
        "verify", help="Compare today's choices with the ledger; exit code 1 where they differ."
    )
    verify.add_argument("--repair", action="store_true", help="make them again from the ledger")
    verify.set_defaults(command=_verify_consents)
    brought = consents.add_parser("import", help="Consents given elsewhere, with their proof.")
    brought.add_argument("file", type=Path, metavar="FILE", help="a CSV; see docs/import.md")
    way = brought.add_mutually_exclusive_group(required=True)
    way.add_argument("--plan", action="store_true", help="print what it would do, and its hash")
    way.add_argument("--commit", metavar="HASH", help="apply the plan of this hash, and no other")
    brought.add_argument(
        "--ask", action="store_true", help="write to those whose address is not confirmed"
    )
    brought.set_defaults(command=_import_consents)


def _add_role_options(parser: argparse.ArgumentParser, *, has_end: bool) -> None:
    parser.add_argument("role", choices=[role.value for role in Role])
    parser.add_argument("--email", required=True, help="the address of the account")
    parser.add_argument("--filiere", default="", help="for an animator or an ambassador: the slug")
    if has_end:
        parser.add_argument("--until", type=date.fromisoformat, help="the last day: 2027-01-31")


def _add_rights(add: Callable[..., argparse.ArgumentParser]) -> None:
    who = "the address of the account, or member:12 for a member without one"
    copied = add("export", "Write the copy of all that is held about a person.", _export)
    copied.add_argument("who", metavar="EMAIL", help=who)
    copied.add_argument("--output", type=Path, help="the ZIP to write; it must not be there yet")
    erased = add("erase", "Erase a person: hidden at once, gone after the delay.", _erase)
    erased.add_argument("who", metavar="EMAIL", help=who)
    erased.add_argument("--now", action="store_true", help="without the delay to change one's mind")
    erased.add_argument("--yes", action="store_true", help="do not ask to type it again")
    kept = add("retention", "Do now what the night does with those long gone.", _retention)
    kept.add_argument("--plan", action="store_true", help="only say what comes, and when")


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a CSV; docs/import.md says more")
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--plan", action="store_true", help="print the plan and its hash")
    way.add_argument("--commit", metavar="HASH", help="apply the plan of this hash, and no other")
    for name, words in (
        ("--complete", "members who are not in the file leave"),
        ("--overwrite", "also replace what members wrote themselves"),
        ("--omit-lookalikes", "do not add who resembles somebody there"),
        ("--invite", "with --commit: write to the new members"),
    ):
        parser.add_argument(name, action="store_true", help=words)


def _add_demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--members", type=_member_count, default=2000, help="how many (2000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same people (1)")


def _member_count(text: str) -> int:
    number = int(text)
    if not 20 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError("from 20 to 1000000")
    return number


def _token_days(text: str) -> int:
    number = int(text)
    if not 1 <= number <= tokens.LONGEST_DAYS:
        raise argparse.ArgumentTypeError(f"from 1 to {tokens.LONGEST_DAYS}")
    return number


def _on_database(chosen: Settings, work: Callable[[], Awaitable[Done]]) -> Done:
    async def connected(url: str) -> Done:
        async with operations.connected(url):
            return await work()

    with operations.postgres(chosen) as url:
        return asyncio.run(connected(url))


def _run(chosen: Settings, arguments: argparse.Namespace) -> int:
    return local.run(chosen, members=arguments.members, seed=arguments.seed, out=out)


def _serve(chosen: Settings, _: argparse.Namespace) -> None:
    chosen.secret  # noqa: B018 - refuses to start without one
    with operations.postgres(chosen) as url:
        uvicorn.run(
            create_app(chosen, url), host=chosen.host, port=chosen.port, log_level="warning",
            server_header=False, timeout_graceful_shutdown=jobs.GRACE_SECONDS,
            proxy_headers=True, forwarded_allow_ips=chosen.trusted_proxies,
        )  # fmt: skip


def _worker(chosen: Settings, _: argparse.Namespace) -> None:
    chosen.secret  # noqa: B018 - refuses to start without one
    with operations.postgres(chosen) as url:
        create_app(chosen, url)  # every domain's handlers are heard once it is put together

        async def work() -> None:
            async with operations.connected(url):
                await jobs.run_worker(url)

        asyncio.run(work())


def _migrate(chosen: Settings, _: argparse.Namespace) -> None:
    with out.status("Migrating"):
        _on_database(chosen, operations.migrate)
    out.print("The database is up to date.")


def _bars(console: Console = out) -> Progress:
    columns = TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn()
    return Progress(*columns, TimeElapsedColumn(), console=console)


def _demo(chosen: Settings, arguments: argparse.Namespace) -> None:
    with _bars() as bars:
        accounts = _on_database(
            chosen,
            lambda: operations.fill(arguments.members, arguments.seed, operations.shown_on(bars)),
        )
    for account in accounts:
        out.print(f"{account.email:<26} {account.words}", markup=False)


def _reindex(chosen: Settings, arguments: argparse.Namespace) -> None:
    if arguments.verify:
        if not chosen.meili_url:
            raise SettingsInvalid("MEILI_URL is not set: there is nothing to compare Postgres with")
        different = _on_database(chosen, indexing.verify)
        out.print(f"{different} documents differed and were sent again.")
        return
    with _bars() as bars:
        tell = partial(operations.shown_on(bars), "Search index")
        count = _on_database(chosen, lambda: indexing.rebuild(tell))
    out.print(f"{count} members are indexed.")


def _import(chosen: Settings, arguments: argparse.Namespace) -> None:
    options = Options(
        is_complete=arguments.complete, overwrites=arguments.overwrite,
        omits_lookalikes=arguments.omit_lookalikes,
    )  # fmt: skip
    with _bars(err) as bars:
        tell = operations.shown_on(bars)
        if arguments.plan:
            lines = _on_database(chosen, lambda: imports.plan(arguments.file, options, tell))
        else:
            work = partial(imports.commit, arguments.file, options, arguments.commit, tell)
            lines = _on_database(chosen, lambda: work(invites=arguments.invite))
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)


def _doctor(chosen: Settings, arguments: argparse.Namespace) -> int:
    if arguments.worker_here:
        host = socket.gethostname()
        findings = [_on_database(chosen, lambda: operations.examine_worker(host))]
    else:
        with operations.postgres(chosen) as url:
            findings = asyncio.run(operations.examine(chosen, url))
    for finding in findings:
        sign = "[green]well[/green] " if finding.is_well else "[red]look [/red]"
        out.print(f"{sign} {finding.subject:<14} {escape(finding.words)}")
    return 0 if all(finding.is_well for finding in findings) else FOUND_SOMETHING


def _create_token(chosen: Settings, arguments: argparse.Namespace) -> None:
    scopes = [Scope(scope) for scope in arguments.scope]
    made = _on_database(
        chosen,
        lambda: tokens.create(arguments.email, scopes, arguments.name, arguments.days),
    )
    print(made)  # noqa: T201 - for a pipe


def _list_tokens(chosen: Settings, arguments: argparse.Namespace) -> None:
    table = Table("number", "account", "name", "ends in", "scopes", "until", "last use", box=None)
    for one in _on_database(chosen, lambda: tokens.list_all(arguments.email)):
        until = f"{one.expires_at:%Y-%m-%d}" if one.is_live else "ended"
        used = f"{one.used_at:%Y-%m-%d}" if one.used_at else "never"
        table.add_row(
            str(one.id), escape(one.email), escape(one.name), one.ending, " ".join(one.scopes),
            until, used,
        )  # fmt: skip
    out.print(table)


def _revoke_token(chosen: Settings, arguments: argparse.Namespace) -> None:
    number = _on_database(chosen, lambda: tokens.revoke_any(arguments.token))
    out.print(f"Token {number} is revoked.")


def _verify_consents(chosen: Settings, arguments: argparse.Namespace) -> int:
    found = _on_database(chosen, ledger.verify)
    for one in found:
        out.print(
            f"member {one.member_id}, filiere {one.filiere_id}, {one.topic.value}: "
            f"the ledger says {one.ledger or 'nothing'}, "
            f"today's state {one.projection or 'nothing'}"
        )
    if found and arguments.repair:
        _on_database(chosen, ledger.rebuild)
        out.print(f"{len(found)} differences; today's state is made again from the ledger.")
        return FAILED if _on_database(chosen, ledger.verify) else 0
    out.print(f"{len(found)} differences between the ledger and today's state.")
    return FAILED if found else 0


def _import_consents(chosen: Settings, arguments: argparse.Namespace) -> None:
    content = arguments.file.read_bytes()
    if arguments.plan:
        made = _on_database(chosen, lambda: consent_imports.plan(content))
    else:
        commit = partial(consent_imports.commit, content, arguments.commit, asks=arguments.ask)
        made = _on_database(chosen, commit)
    for line in consent_imports.lines(made):
        out.print(line, markup=False, soft_wrap=True)


def _grant(chosen: Settings, arguments: argparse.Namespace) -> None:
    draft = RoleDraft(
        who=arguments.email, role=Role(arguments.role), filiere=arguments.filiere,
        ends_on=arguments.until,
    )  # fmt: skip
    given = _on_database(chosen, lambda: appointments.give(OPERATOR, draft, SOURCE))
    until = f" until {given.ends_on}" if given.ends_on else ""
    out.print(f"{arguments.email} is {arguments.role}{until}.", markup=False)


def _revoke(chosen: Settings, arguments: argparse.Namespace) -> None:
    draft = RoleDraft(
        who=arguments.email, role=Role(arguments.role), filiere=arguments.filiere
    )  # fmt: skip
    _on_database(chosen, lambda: appointments.end_by_name(OPERATOR, draft, SOURCE))
    out.print(f"{arguments.email} is no {arguments.role} any more.", markup=False)


def _export(chosen: Settings, arguments: argparse.Namespace) -> None:
    path = arguments.output or Path(f"{arguments.who.replace(':', '-')}.zip")
    size = _on_database(chosen, lambda: operations.export_person(arguments.who, path))
    out.print(f"{path}: {size} bytes", markup=False)


def _erase(chosen: Settings, arguments: argparse.Namespace) -> None:
    person = _on_database(chosen, lambda: operations.find_person(arguments.who))
    when = "now" if arguments.now else f"in {chosen.erasure_days} days, out of sight at once"
    err.print(f"{arguments.who}: erased {when}. {operations.STAYS}", markup=False)
    if not arguments.yes and _typed("Type it again to go on: ") != arguments.who:
        raise operations.NotConfirmed("nothing was changed: what was typed is not the same")
    erased = _on_database(chosen, lambda: operations.erase_person(person, now=arguments.now))
    out.print(erased, markup=False)


def _typed(question: str) -> str:
    """'' where nobody can answer."""
    try:
        return err.input(question).strip()
    except EOFError:
        return ""


def _retention(chosen: Settings, arguments: argparse.Namespace) -> None:
    if not arguments.plan:
        night = _on_database(chosen, retention.work)
        out.print(
            f"{night.announced} announced, {night.reminded} reminded, {night.stopped} stopped by "
            f"a sign-in, {night.begun} begun to be erased, {night.purged} old proofs deleted."
        )
        return
    steps = _on_database(chosen, retention.plan)
    for step in steps:
        out.print(
            f"{step.on:%Y-%m-%d}  {step.what:<9} {step.reason.value:<8} {step.who}", markup=False
        )
    out.print(f"{len(steps)} steps; a night takes {chosen.retention_per_night} of each kind.")


if __name__ == "__main__":
    sys.exit(main())
