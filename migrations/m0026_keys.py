"""A message that is sent twice is one; a session knows which provider let it in."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:26:000000"
VERSION = "1.38.0"
DESCRIPTION = "keys of messages, issuers of sessions"

SQL = """
-- key: hash of what the form or the program calls this message. said: keyed hash of its recipient
-- and text, which tells the same message sent again from another one under the same key.
ALTER TABLE contact_message
    ADD COLUMN key bytea,
    ADD COLUMN said bytea,
    ADD CHECK ((key IS NULL) = (said IS NULL));
CREATE UNIQUE INDEX contact_message_key ON contact_message (sender_id, key)
    WHERE key IS NOT NULL;

-- The OpenID Connect provider who let the person in: signing out there too is offered.
ALTER TABLE session ADD COLUMN issuer text;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
