"""What is asked of a hit stands beside its words: a search reads one table."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:18:000000"
VERSION = "1.38.0"
DESCRIPTION = "search rows hold what is asked of them"

SQL = """
-- A copy of search_document with the words: joining the two took longer than finding the hits.
-- search_document stays, narrow, for what is browsed without words.
ALTER TABLE search_text
    ADD COLUMN fresh_on date,
    ADD COLUMN latitude double precision,
    ADD COLUMN longitude double precision,
    ADD COLUMN sort_name text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN facets integer[] NOT NULL DEFAULT '{}';
UPDATE search_text t
SET fresh_on = d.fresh_on, latitude = d.latitude, longitude = d.longitude,
    sort_name = d.sort_name, facets = d.facets
FROM search_document d
WHERE d.audience = t.audience AND d.index_name = t.index_name AND d.id = t.id;
ALTER TABLE search_text ALTER sort_name DROP DEFAULT, ALTER facets DROP DEFAULT;
DROP FUNCTION search_matching;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
