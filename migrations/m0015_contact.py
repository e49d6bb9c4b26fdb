"""Members are written to, asked whether their profile is still right; trades are merged."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:15:000000"
VERSION = "1.38.0"
DESCRIPTION = "messages between members, reminders of profiles, care for the vocabulary"

SQL = """
-- reminded_at: when their owner was last asked, by mail, whether the profile is still right.
ALTER TABLE member
    ADD COLUMN takes_messages boolean NOT NULL DEFAULT true,
    ADD COLUMN takes_reminders boolean NOT NULL DEFAULT true,
    ADD COLUMN reminded_at timestamptz;

-- Those whom a sitemap may hold.
CREATE INDEX member_public ON member (id)
    WHERE left_on IS NULL AND audiences ->> 'display_name' = 'public';

-- sending: handed to the relay, or about to be. Found like that by another run: in doubt, and
-- never sent again. dropped: its recipient closed the relay, or left, before it went out.
CREATE TYPE contact_state AS ENUM
    ('queued', 'sending', 'sent', 'failed', 'in_doubt', 'dropped');
-- Who wrote to whom, when. body is emptied as soon as the mail is out, or never will be.
CREATE TABLE contact_message (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    recipient_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    state contact_state NOT NULL DEFAULT 'queued',
    body text NOT NULL CHECK (length(body) <= 3000),
    asked_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    reported_at timestamptz
);
CREATE INDEX contact_message_sender ON contact_message (sender_id);
CREATE INDEX contact_message_recipient ON contact_message (recipient_id);
CREATE INDEX contact_message_asked ON contact_message (asked_at);
-- Whose messages a member refuses.
CREATE TABLE contact_refusal (
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    sender_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
    refused_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (member_id, sender_id)
);
CREATE INDEX contact_refusal_sender ON contact_refusal (sender_id);

-- is_kept: a coordinator chose its labels, and newer reference data leaves them alone.
-- merged_into: the trade that stands for it. Never one that is merged itself.
ALTER TABLE trade
    ADD COLUMN is_kept boolean NOT NULL DEFAULT false,
    ADD COLUMN merged_into bigint REFERENCES trade CHECK (merged_into <> id);
CREATE INDEX trade_merged_into ON trade (merged_into) WHERE merged_into IS NOT NULL;
-- 'ours': what the coordinators added.
ALTER TYPE trade_label_source ADD VALUE 'ours';
-- filiere_ids had the merged trade, both_ids of them the other as well.
-- A merge, and what undoing it gives back.
CREATE TABLE trade_merge (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_id bigint NOT NULL REFERENCES trade,
    into_id bigint NOT NULL REFERENCES trade,
    merged_at timestamptz NOT NULL DEFAULT now(),
    undone_at timestamptz,
    filiere_ids bigint[] NOT NULL DEFAULT '{}',
    both_ids bigint[] NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX trade_merge_standing ON trade_merge (from_id) WHERE undone_at IS NULL;
-- The members who had the merged trade. had_both: they had the other as well.
CREATE TABLE trade_merge_member (
    merge_id bigint NOT NULL REFERENCES trade_merge ON DELETE CASCADE,
    member_id bigint NOT NULL REFERENCES member ON DELETE CASCADE,
    position smallint NOT NULL,
    had_both boolean NOT NULL,
    PRIMARY KEY (merge_id, member_id)
);
CREATE INDEX trade_merge_member_member ON trade_merge_member (member_id);
CREATE SEQUENCE trade_number;
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
