"""Who changed what, and how often somebody asked."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:11:000000"
VERSION = "1.38.0"
DESCRIPTION = "audit log, rate limits"

SQL = """
-- Append-only. No foreign keys: the entry outlives the account and the member, whose numbers are
-- then pseudonyms. No values of fields: their names alone.
CREATE TABLE audit_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    account_id bigint,
    token_id bigint,
    action text NOT NULL CHECK (action ~ '^[a-z_]+[.][a-z_]+$'),
    member_id bigint,
    subject text NOT NULL DEFAULT '' CHECK (length(subject) <= 200),
    fields text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_entry_member ON audit_entry (member_id, id);
CREATE INDEX audit_entry_account ON audit_entry (account_id, id);
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- key is a keyed hash: neither addresses nor networks stand here. A crash may lose the counts.
CREATE UNLOGGED TABLE rate_count (
    bucket text NOT NULL,
    key bytea NOT NULL,
    starts_at timestamptz NOT NULL,
    taken integer NOT NULL CHECK (taken > 0),
    PRIMARY KEY (bucket, key, starts_at)
);
CREATE INDEX rate_count_starts ON rate_count (starts_at);
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
