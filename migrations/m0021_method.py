"""How a filière works, in versions that its members accept; what was said of it, and when."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:21:000000"
VERSION = "1.38.0"
DESCRIPTION = "method sheets, their acceptance, steps of communication"

SQL = """
-- texts: {"fr": {"objectives": "…"}, "nl": {}, "en": {}}. French is whole; what lacks in another
-- language is shown in French. change: what this version changes, in a line.
CREATE TABLE method_sheet (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    filiere_id bigint NOT NULL REFERENCES filiere,
    version integer NOT NULL CHECK (version > 0),
    texts jsonb NOT NULL,
    change text NOT NULL CHECK (length(change) BETWEEN 1 AND 200),
    author_id bigint REFERENCES account ON DELETE SET NULL,
    at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (filiere_id, version)
);
CREATE INDEX method_sheet_author ON method_sheet (author_id);

-- A version that members accepted stays as it was. Only its author may be forgotten.
CREATE FUNCTION keep_method_sheet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.author_id IS NULL
        AND to_jsonb(NEW) - 'author_id' = to_jsonb(OLD) - 'author_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'method_sheet is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER method_sheet_append_only BEFORE UPDATE OR DELETE ON method_sheet
    FOR EACH ROW EXECUTE FUNCTION keep_method_sheet();
CREATE TRIGGER method_sheet_no_truncate BEFORE TRUNCATE ON method_sheet
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TYPE acceptance_way AS ENUM ('joining', 'page', 'api');

CREATE TABLE method_acceptance (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    filiere_id bigint NOT NULL,
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    version integer NOT NULL,
    through acceptance_way NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (member_id, filiere_id, version),
    FOREIGN KEY (filiere_id, version) REFERENCES method_sheet (filiere_id, version)
);
CREATE INDEX method_acceptance_sheet ON method_acceptance (filiere_id, version);

CREATE TYPE communication_moment AS ENUM ('before', 'launch', 'events', 'results', 'decline');
CREATE TYPE communication_audience AS ENUM ('internal', 'external');

-- item: the key of a step that the code knows; label: the words of one that was added. One of both.
CREATE TABLE communication_step (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    filiere_id bigint NOT NULL REFERENCES filiere ON DELETE CASCADE,
    moment communication_moment NOT NULL,
    item text,
    label text CHECK (length(label) BETWEEN 1 AND 200),
    audience communication_audience NOT NULL,
    done_on date,
    note text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    changed_by bigint REFERENCES account ON DELETE SET NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (filiere_id, item),
    CHECK ((item IS NULL) <> (label IS NULL))
);
CREATE INDEX communication_step_changed_by ON communication_step (changed_by);
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
