"""What nobody needs as a proof any more goes; a version's author stays until they are gone."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:27:000000"
VERSION = "1.38.0"
DESCRIPTION = "evidence of consents that is of nobody any more, authors of method sheets"

SQL = """
-- The words of a proof may name the person: they go with the last row of the ledger that needs
-- them, and by no other way.
DROP TRIGGER consent_evidence_append_only ON consent_evidence;
CREATE TRIGGER consent_evidence_append_only BEFORE UPDATE OR DELETE ON consent_evidence
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_purge();
CREATE INDEX consent_ledger_evidence ON consent_ledger (evidence_id)
    WHERE evidence_id IS NOT NULL;

-- As in m0023, with the evidence that no row of the ledger needs any more.
CREATE OR REPLACE FUNCTION purge_proofs(years integer) RETURNS bigint
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
    DELETE FROM digest_delivery WHERE member_id = ANY (gone);
    GET DIAGNOSTICS count = ROW_COUNT;
    total := total + count;
    DELETE FROM consent_ledger WHERE member_id = ANY (gone);
    GET DIAGNOSTICS count = ROW_COUNT;
    total := total + count;
    DELETE FROM consent_evidence e WHERE e.imported_at < before
        AND NOT EXISTS (SELECT FROM consent_ledger l WHERE l.evidence_id = e.id);
    GET DIAGNOSTICS count = ROW_COUNT;
    total := total + count;
    DELETE FROM erasure WHERE state = 'done' AND done_at < before;
    GET DIAGNOSTICS count = ROW_COUNT;
    RETURN total + count;
END $$;

-- As in m0021, but the author of a version is forgotten only once the account is no more.
CREATE OR REPLACE FUNCTION keep_method_sheet() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.author_id IS NULL
        AND to_jsonb(NEW) - 'author_id' = to_jsonb(OLD) - 'author_id'
        AND NOT EXISTS (SELECT FROM account WHERE id = OLD.author_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'method_sheet is append-only' USING ERRCODE = 'restrict_violation';
END $$;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
