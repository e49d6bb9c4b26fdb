"""What the opt-in needs beyond its ledger: evidence from elsewhere, notices, digests."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:23:000000"
VERSION = "1.38.0"
DESCRIPTION = "languages and evidence of consents, pauses, notices of expiry, digests"

SQL = """
-- What a cooperative's own proof says: the words that somebody agreed to elsewhere, where, when.
-- file_hash is the SHA-256 of the file that it came in, hash that of wording.
CREATE TABLE consent_evidence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_hash bytea NOT NULL,
    given_on date NOT NULL,
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 500),
    wording text NOT NULL CHECK (length(wording) BETWEEN 1 AND 2000),
    hash bytea NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (file_hash, given_on, source, hash)
);
CREATE TRIGGER consent_evidence_append_only BEFORE UPDATE OR DELETE ON consent_evidence
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER consent_evidence_no_truncate BEFORE TRUNCATE ON consent_evidence
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- language: of the page or mail where the act was done. Null for jobs, and before this column.
ALTER TABLE consent_ledger
    ADD COLUMN language text CHECK (language IN ('fr', 'nl', 'en')),
    ADD COLUMN evidence_id bigint REFERENCES consent_evidence,
    ADD CHECK (act <> 'imported' OR evidence_id IS NOT NULL);

ALTER TABLE mail_pause ADD COLUMN paused_at timestamptz NOT NULL DEFAULT now();

-- Whose consents end for want of any sign of life. mailed_at: when the mail about it went out.
CREATE TABLE consent_notice (
    member_id bigint PRIMARY KEY REFERENCES member ON DELETE CASCADE,
    announced_at timestamptz NOT NULL DEFAULT now(),
    mailed_at timestamptz
);
CREATE INDEX consent_notice_announced ON consent_notice (announced_at);

-- The digests of a rhythm and a day (in Brussels), once their contents are frozen.
CREATE TABLE digest_run (
    rhythm rhythm NOT NULL CHECK (rhythm <> 'at_once'),
    day date NOT NULL,
    frozen_at timestamptz NOT NULL DEFAULT now(),
    worked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rhythm, day)
);
-- One digest of one person: ledger and queue at once, with the states of `delivery`.
CREATE TABLE digest_delivery (
    member_id bigint NOT NULL,
    rhythm rhythm NOT NULL,
    day date NOT NULL,
    state delivery_state NOT NULL DEFAULT 'queued',
    reason text NOT NULL DEFAULT '',
    attempts smallint NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    worker text NOT NULL DEFAULT '',
    smtp_code smallint,
    smtp_text text NOT NULL DEFAULT '',
    sent_at timestamptz,
    PRIMARY KEY (member_id, rhythm, day),
    FOREIGN KEY (rhythm, day) REFERENCES digest_run ON DELETE CASCADE
);
CREATE INDEX digest_delivery_live ON digest_delivery (rhythm, day, next_at)
    WHERE state IN ('queued', 'claimed', 'sending', 'deferred');
-- What is in a digest, each with the row of the consent ledger that allows it. A mailing or an
-- event comes to somebody in one digest and no more.
CREATE TABLE digest_entry (
    member_id bigint NOT NULL,
    rhythm rhythm NOT NULL,
    day date NOT NULL,
    mailing_id bigint REFERENCES mailing ON DELETE CASCADE,
    event_id bigint REFERENCES event ON DELETE CASCADE,
    filiere_ids bigint[] NOT NULL,
    consent_id bigint NOT NULL REFERENCES consent_ledger,
    CHECK (num_nonnulls(mailing_id, event_id) = 1),
    FOREIGN KEY (member_id, rhythm, day) REFERENCES digest_delivery ON DELETE CASCADE
);
CREATE UNIQUE INDEX digest_entry_mailing ON digest_entry (mailing_id, member_id);
CREATE UNIQUE INDEX digest_entry_event ON digest_entry (event_id, member_id);
CREATE INDEX digest_entry_digest ON digest_entry (member_id, rhythm, day);

-- What may be in somebody's next digests: what was sent, or listed, in the last weeks and since
-- they chose to hear of it in that rhythm or another. One row a person and thing. filiere_ids are
-- those of the choice, consent_id the row that allows it in the first of them.
CREATE VIEW digest_audience AS
WITH item AS (
    SELECT g.id AS mailing_id, NULL::bigint AS event_id, g.topic, f.filiere_id, g.started_at AS at
    FROM mailing g JOIN mailing_filiere f ON f.mailing_id = g.id
    WHERE g.state IN ('sending', 'sent') AND g.started_at > now() - interval '20 days'
    UNION ALL
    SELECT NULL, e.id, CASE e.kind WHEN 'training' THEN 'trainings' ELSE 'meetings' END::topic,
        f.filiere_id, e.created_at
    FROM event e JOIN event_filiere f ON f.event_id = e.id
    WHERE e.cancelled_at IS NULL AND e.starts_at > now()
      AND e.created_at > now() - interval '20 days'
)
SELECT i.mailing_id, i.event_id, c.rhythm, m.id AS member_id, min(i.at) AS at,
    array_agg(c.filiere_id ORDER BY c.filiere_id) AS filiere_ids,
    (array_agg(c.ledger_id ORDER BY c.filiere_id))[1] AS consent_id
FROM item i
JOIN consent c ON c.filiere_id = i.filiere_id AND c.topic = i.topic AND c.rhythm <> 'at_once'
JOIN membership k
    ON k.filiere_id = c.filiere_id AND k.member_id = c.member_id AND k.left_at IS NULL
JOIN member m ON m.id = c.member_id AND m.left_on IS NULL
JOIN account a
    ON a.id = m.account_id AND a.disabled_at IS NULL AND a.email_confirmed_at IS NOT NULL
WHERE NOT EXISTS (SELECT FROM suppression s WHERE s.email = a.email)
  AND NOT EXISTS (SELECT FROM mail_pause p WHERE p.member_id = m.id
    AND p.until > (now() AT TIME ZONE 'Europe/Brussels')::date)
  AND i.at >= (
    SELECT max(l.at) FROM consent_ledger l
    WHERE l.member_id = c.member_id AND l.filiere_id = c.filiere_id AND l.topic = c.topic
      AND l.act IN ('given', 'imported'))
GROUP BY i.mailing_id, i.event_id, c.rhythm, m.id;

-- As in m0016, with the digests of those who were erased.
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
    DELETE FROM erasure WHERE state = 'done' AND done_at < before;
    GET DIAGNOSTICS count = ROW_COUNT;
    RETURN total + count;
END $$;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
