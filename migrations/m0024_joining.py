"""Asking to join, being invited, suggestions that were dismissed; the quota as the database's."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:24:000000"
VERSION = "1.38.0"
DESCRIPTION = "requests and invitations to join, slots of a member, dismissed suggestions"

SQL = """
-- The most filières of a member: one row, written from the settings.
CREATE TABLE membership_quota (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    most smallint NOT NULL CHECK (most BETWEEN 1 AND 20)
);
INSERT INTO membership_quota (most) VALUES (3);

-- An active membership takes one of its member's slots, and keeps its number when it ends. The
-- index below holds at every isolation level, whoever inserts; the trigger finds a free number.
ALTER TABLE membership ADD COLUMN slot smallint CHECK (slot BETWEEN 1 AND 20);
UPDATE membership m SET slot = n.slot FROM (
    SELECT id, row_number() OVER (PARTITION BY member_id ORDER BY joined_at, id) AS slot
    FROM membership WHERE left_at IS NULL
) AS n WHERE n.id = m.id;
ALTER TABLE membership ADD CHECK (slot IS NOT NULL OR left_at IS NOT NULL);
CREATE UNIQUE INDEX membership_slot ON membership (member_id, slot) WHERE left_at IS NULL;

CREATE FUNCTION take_slot() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    quota CONSTANT integer := (SELECT most FROM membership_quota);
    taken smallint[];
BEGIN
    -- One after the other: whoever waits here counts what the one before them did.
    PERFORM FROM member WHERE id = NEW.member_id FOR NO KEY UPDATE;
    SELECT coalesce(array_agg(m.slot), '{}') INTO taken FROM membership m
    WHERE m.member_id = NEW.member_id AND m.left_at IS NULL AND m.id <> NEW.id;
    IF cardinality(taken) >= quota THEN
        RAISE EXCEPTION 'member % is in as many filieres as one may be in', NEW.member_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'membership_quota';
    END IF;
    SELECT min(free) INTO NEW.slot FROM generate_series(1, quota) AS free
    WHERE free <> ALL (taken);
    RETURN NEW;
END $$;
CREATE TRIGGER membership_takes_slot BEFORE INSERT ON membership
    FOR EACH ROW WHEN (NEW.left_at IS NULL) EXECUTE FUNCTION take_slot();
CREATE TRIGGER membership_retakes_slot BEFORE UPDATE OF member_id, left_at, slot ON membership
    FOR EACH ROW WHEN (NEW.left_at IS NULL AND (OLD.left_at IS NOT NULL
        OR OLD.member_id <> NEW.member_id OR OLD.slot IS DISTINCT FROM NEW.slot))
    EXECUTE FUNCTION take_slot();

CREATE TYPE request_state AS ENUM ('open', 'accepted', 'refused', 'withdrawn', 'lapsed');
-- Somebody asks to join a filière on approval. choices are the mails to receive once they are in,
-- with the wording that was shown: [{topic, rhythm, wording_id}]. network is truncated.
-- approved_at on an open one: they may come in, and had no place left.
CREATE TABLE membership_request (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    filiere_id bigint NOT NULL REFERENCES filiere ON DELETE CASCADE,
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    message text NOT NULL DEFAULT '' CHECK (length(message) <= 500),
    choices jsonb NOT NULL DEFAULT '[]',
    network text NOT NULL DEFAULT '',
    state request_state NOT NULL DEFAULT 'open',
    asked_at timestamptz NOT NULL DEFAULT now(),
    reminded_at timestamptz,
    approved_at timestamptz,
    answered_by bigint REFERENCES account ON DELETE SET NULL,
    answered_at timestamptz CHECK (answered_at IS NOT NULL OR state = 'open'),
    reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 500)
);
CREATE UNIQUE INDEX membership_request_open ON membership_request (member_id, filiere_id)
    WHERE state = 'open';
CREATE INDEX membership_request_filiere ON membership_request (filiere_id, asked_at);
CREATE INDEX membership_request_answered_by ON membership_request (answered_by);

CREATE TYPE filiere_invitation_state AS ENUM
    ('open', 'accepted', 'declined', 'withdrawn', 'lapsed');
-- is_by_address: whoever invited does not know whether the address is a member's.
CREATE TABLE filiere_invitation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    filiere_id bigint NOT NULL REFERENCES filiere ON DELETE CASCADE,
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    invited_by bigint REFERENCES account ON DELETE SET NULL,
    is_by_address boolean NOT NULL DEFAULT false,
    message text NOT NULL DEFAULT '' CHECK (length(message) <= 500),
    state filiere_invitation_state NOT NULL DEFAULT 'open',
    invited_at timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz CHECK (answered_at IS NOT NULL OR state = 'open')
);
CREATE UNIQUE INDEX filiere_invitation_open ON filiere_invitation (member_id, filiere_id)
    WHERE state = 'open';
CREATE INDEX filiere_invitation_filiere ON filiere_invitation (filiere_id, invited_at);
CREATE INDEX filiere_invitation_invited_by ON filiere_invitation (invited_by);

CREATE TABLE suggestion_dismissed (
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    filiere_id bigint NOT NULL REFERENCES filiere ON DELETE CASCADE,
    dismissed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (member_id, filiere_id)
);
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
