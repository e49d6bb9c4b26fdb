"""What the list of tokens shows, and whose owner was told that they end."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:13:000000"
VERSION = "1.38.0"
DESCRIPTION = "tokens: their last characters, the warning before they end"

SQL = """
-- ending: the last characters of the secret, which tell two tokens apart. '' for older ones.
ALTER TABLE api_token
    ADD COLUMN ending text NOT NULL DEFAULT '' CHECK (length(ending) <= 4),
    ADD COLUMN warned_at timestamptz;
CREATE INDEX api_token_expires ON api_token (expires_at);
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
