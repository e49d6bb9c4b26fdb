"""Whether a key waits to be indexed is asked at each search of a member."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:11:000000"
VERSION = "1.38.0"
DESCRIPTION = "the outboxes of the index are read by key"

SQL = """
CREATE INDEX search_outbox_key ON search_outbox (index_name, id);
CREATE INDEX search_mirror_outbox_key ON search_mirror_outbox (index_name, id);
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
