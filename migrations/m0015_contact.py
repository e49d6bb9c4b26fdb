"""Members are written to, and asked whether their profile is still right."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from directory.db import sql_migration

ID = "2026-11-25T00:00:15:000000"
VERSION = "1.38.0"
DESCRIPTION = "messages between members, reminders of profiles"

SQL = """
-- reminded_at: when their owner was last asked, by mail, whether the profile is still right.
ALTER TABLE member
    ADD COLUMN takes_messages boolean NOT NULL DEFAULT true,
    ADD COLUMN takes_reminders boolean NOT NULL DEFAULT true,
    ADD COLUMN reminded_at timestamptz;

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
"""


async def forwards() -> MigrationManager:
    return sql_migration(ID, DESCRIPTION, SQL)
