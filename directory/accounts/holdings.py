"""What accounts hold about a person. Of secrets there is only a hash, which nobody is given."""

import asyncpg

from directory import db
from directory.holdings import Person, Section
from directory.languages import marked

OWN = "t.account_id = p.account_id"

SECTIONS = (
    Section(
        name="account",
        title=marked("Votre compte"),
        table="account",
        columns=("id", "email_confirmed_at", "language", "created_at", "signed_in_at",
                 "disabled_at"),
        extra={"email": "t.email::text"},
        covers=("email",),
        where="t.id = p.account_id",
    ),
    Section(
        name="roles",
        title=marked("Vos rôles"),
        table="access_grant",
        columns=("id", "role", "scope", "starts_on", "ends_on"),
        where=OWN,
        order="t.id",
    ),
    Section(
        name="sessions",
        title=marked("Vos connexions ouvertes"),
        table="session",
        columns=("id", "user_agent", "created_at", "seen_at", "expires_at", "issuer"),
        where=OWN,
        order="t.created_at",
    ),
    Section(
        name="identities",
        title=marked("Votre compte chez un fournisseur d’identité"),
        table="identity",
        columns=("issuer", "subject", "created_at", "used_at"),
        where=OWN,
        order="t.created_at",
    ),
    Section(
        name="login_links",
        title=marked("Les liens pour entrer que vous avez demandés"),
        table="login_link",
        columns=("next_path", "created_at", "expires_at", "used_at"),
        where=OWN,
        order="t.created_at",
    ),
    Section(
        name="tokens",
        title=marked("Vos jetons pour d’autres programmes"),
        table="api_token",
        columns=("id", "name", "ending", "scopes", "created_at", "expires_at", "warned_at",
                 "used_at", "revoked_at"),
        where=OWN,
        order="t.id",
    ),
    Section(
        name="journal",
        title=marked("Le journal de ce qui a changé"),
        table="audit_entry",
        columns=("id", "at", "action", "subject", "fields", "token_id"),
        extra={"is_own_act": "coalesce(t.account_id = p.account_id, false)"},
        where="(t.member_id = p.member_id OR t.account_id = p.account_id)",
        order="t.id",
    ),
)  # fmt: skip


async def find(email: str) -> Person | None:
    """Who has this address, whether or not they are still a member."""
    async with db.connection() as reader:
        row = await reader.fetchrow(
            "SELECT a.id, m.id AS member_id FROM account a "
            "LEFT JOIN member m ON m.account_id = a.id WHERE a.email = $1",
            email,
        )
    return Person(row["id"], row["member_id"]) if row else None


async def person(account_id: int) -> Person:
    """The person behind an account, whether or not they are still a member."""
    async with db.connection() as reader:
        member_id = await reader.fetchval("SELECT id FROM member WHERE account_id = $1", account_id)
    return Person(account_id, member_id)


async def of_member(member_id: int) -> Person | None:
    async with db.connection() as reader:
        row = await reader.fetchrow("SELECT account_id FROM member WHERE id = $1", member_id)
    return Person(row["account_id"], member_id) if row else None


async def language(person: Person) -> str | None:
    """What the person reads; None without an account."""
    async with db.connection() as reader:
        chosen: str | None = await reader.fetchval(
            "SELECT language FROM account WHERE id = $1", person.account_id
        )
    return chosen


async def erase(opened: asyncpg.Connection, person: Person) -> None:
    """The account, and with it its sessions, links, tokens and roles. The journal stays."""
    await opened.execute("DELETE FROM account WHERE id = $1", person.account_id)
