"""Collective projects of members, and how filières are linked."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:25:000000"
VERSION = "1.38.0"
DESCRIPTION = "initiatives, links between filieres"

SQL = """
CREATE TYPE initiative_state AS ENUM ('open', 'finished');

-- trades: codes of the trades that it looks for; one that was merged since stands as it was.
CREATE TABLE initiative (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    filiere_id bigint REFERENCES filiere ON DELETE SET NULL,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 120),
    description text NOT NULL CHECK (length(description) BETWEEN 1 AND 3000),
    seeking text NOT NULL DEFAULT '' CHECK (length(seeking) <= 500),
    trades text[] NOT NULL DEFAULT '{}',
    url text NOT NULL DEFAULT '' CHECK (length(url) <= 300),
    state initiative_state NOT NULL DEFAULT 'open',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_on date,
    CHECK ((state = 'finished') = (finished_on IS NOT NULL))
);
CREATE INDEX initiative_member ON initiative (member_id);
CREATE INDEX initiative_filiere ON initiative (filiere_id);

CREATE TYPE filiere_link_kind AS ENUM ('complementary', 'part_of');

-- part_of: the first is a part of the second. complementary says the same both ways: it stands
-- once, the smaller number first.
CREATE TABLE filiere_link (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_id bigint NOT NULL REFERENCES filiere ON DELETE CASCADE,
    to_id bigint NOT NULL REFERENCES filiere ON DELETE CASCADE,
    kind filiere_link_kind NOT NULL,
    linked_by bigint REFERENCES account ON DELETE SET NULL,
    linked_at timestamptz NOT NULL DEFAULT now(),
    CHECK (from_id <> to_id),
    CHECK (kind <> 'complementary' OR from_id < to_id)
);
CREATE UNIQUE INDEX filiere_link_pair
    ON filiere_link (least(from_id, to_id), greatest(from_id, to_id));
CREATE INDEX filiere_link_to ON filiere_link (to_id);
CREATE INDEX filiere_link_from ON filiere_link (from_id);
CREATE INDEX filiere_link_linked_by ON filiere_link (linked_by);
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
