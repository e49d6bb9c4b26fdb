"""How a filière begins: a proposal, who supports it, and the decisions that nobody rewrites."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:19:000000"
VERSION = "1.38.0"
DESCRIPTION = "proposals of filieres, supports, an append-only timeline, mails about stages"

SQL = """
-- The version of what can be edited of a filière: see definitions.
ALTER TABLE filiere ADD COLUMN version integer NOT NULL DEFAULT 1;

-- What is the filière's stays with it when its proposer is erased.
CREATE TABLE filiere_proposal (
    filiere_id bigint PRIMARY KEY REFERENCES filiere ON DELETE CASCADE,
    proposed_by bigint REFERENCES member ON DELETE SET NULL,
    need text NOT NULL CHECK (length(need) <= 2000),
    intentions text NOT NULL CHECK (length(intentions) <= 2000),
    proposed_at timestamptz NOT NULL DEFAULT now(),
    told_at timestamptz
);
CREATE INDEX filiere_proposal_by ON filiere_proposal (proposed_by);
COMMENT ON COLUMN filiere_proposal.told_at IS 'when coordinators were told of enough supports';

CREATE TYPE support_stance AS ENUM ('favourable', 'reserve');
-- One row for each member who said something of a proposal; its proposer is the first.
CREATE TABLE filiere_support (
    filiere_id bigint NOT NULL REFERENCES filiere ON DELETE CASCADE,
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    stance support_stance NOT NULL,
    opinion text NOT NULL DEFAULT '' CHECK (length(opinion) <= 500),
    wants_mails boolean NOT NULL DEFAULT false,
    given_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (filiere_id, member_id)
);
CREATE INDEX filiere_support_member ON filiere_support (member_id);

-- In which part somebody decided: it stays when the account is emptied.
CREATE TYPE stage_voice AS ENUM ('coordination', 'animation', 'proposer', 'service');
ALTER TABLE stage_change ADD COLUMN decided_as stage_voice NOT NULL DEFAULT 'coordination';

-- A decision has its reason and its date for ever. Only the number of an account that is no more
-- goes: the foreign key empties it when the account is deleted, and nothing else can.
CREATE FUNCTION refuse_all_but_forgetting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) = to_jsonb(OLD) || '{"decided_by": null}'
            AND NOT EXISTS (SELECT FROM account WHERE id = OLD.decided_by)
        THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER stage_change_append_only BEFORE UPDATE OR DELETE ON stage_change
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_forgetting();
CREATE TRIGGER stage_change_no_truncate BEFORE TRUNCATE ON stage_change
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TYPE stage_mail_reason AS ENUM ('closed', 'chosen', 'followed');
-- Who is told of a move, once: noted before the mail goes out.
CREATE TABLE stage_mail (
    change_id bigint NOT NULL REFERENCES stage_change ON DELETE CASCADE,
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    reason stage_mail_reason NOT NULL,
    sent_at timestamptz,
    PRIMARY KEY (change_id, member_id)
);
CREATE INDEX stage_mail_member ON stage_mail (member_id);
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
