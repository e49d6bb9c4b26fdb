"""How people sign in: links that know their browser, sessions with a name, another provider."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:12:000000"
VERSION = "1.38.0"
DESCRIPTION = "browsers of login links, public ids of sessions, OpenID Connect"

SQL = """
-- id names a session where its secret must not appear.
ALTER TABLE session ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE;
CREATE INDEX session_seen ON session (seen_at);

-- The SHA-256 of a cookie of the browser that asked; empty where there was none.
ALTER TABLE login_link ADD COLUMN browser_hash bytea NOT NULL DEFAULT '';

-- Who an account is at an OpenID Connect provider. sub never changes there, an address may.
CREATE TABLE identity (
    issuer text NOT NULL CHECK (length(issuer) <= 500),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject),
    UNIQUE (account_id, issuer)
);

-- The SHA-256 of states that came back from the provider: each comes back once.
CREATE TABLE spent_state (
    state_hash bytea PRIMARY KEY,
    spent_at timestamptz NOT NULL DEFAULT now()
);
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
