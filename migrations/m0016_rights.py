"""What a person may ask of what is held about them: a copy, and its end."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:16:000000"
VERSION = "1.38.0"
DESCRIPTION = "copies and erasures of a person's data, the way out of append-only tables"

SQL = """
-- When somebody of this account was last there. Sessions are forgotten, this is not.
ALTER TABLE account ADD COLUMN signed_in_at timestamptz NOT NULL DEFAULT now();
UPDATE account a SET signed_in_at = greatest(a.created_at,
    (SELECT max(s.seen_at) FROM session s WHERE s.account_id = a.id),
    (SELECT max(t.used_at) FROM api_token t WHERE t.account_id = a.id));
-- By triggers, so that no way in can forget it: an account that looks unused is erased.
CREATE FUNCTION note_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account SET signed_in_at = greatest(signed_in_at, NEW.seen_at)
    WHERE id = NEW.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER session_noted AFTER INSERT OR UPDATE OF seen_at ON session
    FOR EACH ROW EXECUTE FUNCTION note_session();
CREATE FUNCTION note_token() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE account SET signed_in_at = greatest(signed_in_at, NEW.used_at)
    WHERE id = NEW.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER api_token_noted AFTER UPDATE OF used_at ON api_token
    FOR EACH ROW EXECUTE FUNCTION note_token();

-- 'expired': the file is being deleted, then the row is.
CREATE TYPE export_state AS ENUM ('asked', 'making', 'ready', 'failed', 'expired');
-- A copy of all that is held about a person. done of total parts are written.
CREATE TABLE personal_export (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    language text NOT NULL CHECK (language IN ('fr', 'nl', 'en')),
    state export_state NOT NULL DEFAULT 'asked',
    done integer NOT NULL DEFAULT 0 CHECK (done >= 0),
    total integer NOT NULL DEFAULT 0 CHECK (total >= done),
    size bigint,
    asked_at timestamptz NOT NULL DEFAULT now(),
    ready_at timestamptz,
    expires_at timestamptz
);
CREATE UNIQUE INDEX personal_export_running ON personal_export (account_id)
    WHERE state IN ('asked', 'making');
CREATE INDEX personal_export_account ON personal_export (account_id);

CREATE TYPE erasure_reason AS ENUM ('asked', 'operator', 'dormant', 'left');
-- asked: a mail wants confirming; announced: by the rules of retention, any sign-in stops it;
-- confirmed: out of sight until due_at; erasing: a worker is at it.
CREATE TYPE erasure_state AS ENUM
    ('asked', 'announced', 'confirmed', 'erasing', 'done', 'undone');
-- No foreign keys: the row outlives the person, whose numbers are then pseudonyms.
-- is_hidden: member.left_on was set by this erasure, and undoing it takes that back.
CREATE TABLE erasure (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint,
    member_id bigint,
    reason erasure_reason NOT NULL,
    state erasure_state NOT NULL,
    is_hidden boolean NOT NULL DEFAULT false,
    asked_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz,
    reminded_at timestamptz,
    worked_at timestamptz,
    done_at timestamptz,
    CHECK (num_nonnulls(account_id, member_id) > 0)
);
CREATE UNIQUE INDEX erasure_open_account ON erasure (account_id)
    WHERE state IN ('asked', 'announced', 'confirmed', 'erasing');
CREATE UNIQUE INDEX erasure_open_member ON erasure (member_id)
    WHERE state IN ('asked', 'announced', 'confirmed', 'erasing');
CREATE INDEX erasure_due ON erasure (due_at)
    WHERE state IN ('announced', 'confirmed', 'erasing');

-- Nothing, such as an import that finds the person in a list again, brings somebody back into
-- sight who is being erased.
CREATE FUNCTION keep_out_of_sight() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.left_on IS NULL AND EXISTS (
        SELECT FROM erasure e WHERE e.member_id = NEW.id AND e.state IN ('confirmed', 'erasing')
    ) THEN
        NEW.left_on := OLD.left_on;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER member_out_of_sight BEFORE UPDATE OF left_on ON member
    FOR EACH ROW EXECUTE FUNCTION keep_out_of_sight();

-- The only two ways to change an append-only table. Each function says so to the triggers, for
-- the length of its call: forget_networks empties networks, purge_proofs deletes old rows.
CREATE FUNCTION refuse_all_but_purge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('directory.purging', true) = 'proofs' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND current_setting('directory.purging', true) = 'networks' THEN
        IF to_jsonb(NEW) = to_jsonb(OLD) || '{"network": ""}' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER consent_ledger_append_only ON consent_ledger;
CREATE TRIGGER consent_ledger_append_only BEFORE UPDATE OR DELETE ON consent_ledger
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_purge();
DROP TRIGGER audit_entry_append_only ON audit_entry;
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_purge();

-- Of a member who is no more: what the ledger says stays, from where they said it goes.
CREATE FUNCTION forget_networks(of_member bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET directory.purging = 'networks' AS $$
BEGIN
    IF EXISTS (SELECT FROM member WHERE id = of_member) THEN
        RAISE EXCEPTION 'member % is still there', of_member
            USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE consent_ledger SET network = '' WHERE member_id = of_member AND network <> '';
END $$;

-- Audit entries older than so many years; and the consents, deliveries and erasures of people
-- who were erased as long ago. Returns how many rows went.
CREATE FUNCTION purge_proofs(years integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public SET directory.purging = 'proofs' AS $$
DECLARE
    before timestamptz := now() - make_interval(years => years);
    gone bigint[];
    count bigint;
    total bigint := 0;
BEGIN
    IF years IS NULL OR years < 1 THEN
        RAISE EXCEPTION 'proofs are kept for a year or more' USING ERRCODE = 'restrict_violation';
    END IF;
    DELETE FROM audit_entry WHERE at < before;
    GET DIAGNOSTICS count = ROW_COUNT;
    total := total + count;
    gone := ARRAY(SELECT e.member_id FROM erasure e
        WHERE e.state = 'done' AND e.done_at < before
          AND NOT EXISTS (SELECT FROM member m WHERE m.id = e.member_id));
    DELETE FROM delivery WHERE member_id = ANY (gone);
    GET DIAGNOSTICS count = ROW_COUNT;
    total := total + count;
    DELETE FROM consent_ledger WHERE member_id = ANY (gone);
    GET DIAGNOSTICS count = ROW_COUNT;
    total := total + count;
    DELETE FROM erasure WHERE state = 'done' AND done_at < before;
    GET DIAGNOSTICS count = ROW_COUNT;
    RETURN total + count;
END $$;
REVOKE ALL ON FUNCTION forget_networks(bigint), purge_proofs(integer) FROM PUBLIC;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
