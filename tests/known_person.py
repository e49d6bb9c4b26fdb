"""Somebody of whom everything is held: a row in each table that knows people.

Every text of theirs has a word of WORDS in it, and their numbers are like no other's.
"""

import asyncpg

from directory import files
from tests import people
from tests.people import Person

ACCOUNT, MEMBER = 7_700_000_001, 7_700_000_002
EMAIL = "zelie.quintefeuille@courrier.test"
NAME = "Zélie Quintefeuille"
PHONE = "+32 470 77 88 99"
WORDS = (
    "quintefeuille",
    "zélie",
    "zelie.",
    "470 77 88 99",
    "escamoteuse",
    str(ACCOUNT),
    str(MEMBER),
)
NUMBERS = (ACCOUNT, MEMBER)
PICTURE = b"\x89PNG escamoteuse" * 100

_ROWS = f"""
INSERT INTO access_grant (account_id, role, scope) VALUES ({ACCOUNT}, 'ambassador', '');
INSERT INTO login_link (token_hash, account_id, next_path, expires_at)
    VALUES ('\\x01', {ACCOUNT}, '/?q=escamoteuse', now() + interval '1 hour');
INSERT INTO session (token_hash, account_id, user_agent, expires_at)
    VALUES ('\\x02', {ACCOUNT}, 'Escamoteuse/5.0', now() + interval '1 hour');
INSERT INTO identity (issuer, subject, account_id)
    VALUES ('https://id.coop.example', 'quintefeuille', {ACCOUNT});
INSERT INTO api_token (account_id, name, token_hash, scopes, expires_at)
    VALUES ({ACCOUNT}, 'tableur escamoteuse', '\\x03', ARRAY['members:read'],
        now() + interval '1 hour');
INSERT INTO member_trade (member_id, trade_id, position)
    SELECT {MEMBER}, min(id), 0 FROM trade;
INSERT INTO member_sector (member_id, sector_id) SELECT {MEMBER}, min(id) FROM sector;
INSERT INTO member_skill (member_id, kind, position, label)
    VALUES ({MEMBER}, 'offered', 0, 'escamoteuse de cartes');
INSERT INTO member_language (member_id, language, level) VALUES ({MEMBER}, 'nl', 'b2');
INSERT INTO member_link (member_id, position, kind, url)
    VALUES ({MEMBER}, 0, 'site', 'https://quintefeuille.example/');
INSERT INTO member_photo (member_id, name) VALUES ({MEMBER}, 'zelie-escamoteuse-9999');
INSERT INTO portfolio_entry (member_id, position, title, year, text, url)
    VALUES ({MEMBER}, 0, 'Le foulard', 2024, 'Zélie, escamoteuse', 'https://quintefeuille.example/1');
INSERT INTO trade_proposal (member_id, label, form, note, language)
    VALUES ({MEMBER}, 'Escamoteuse', 'escamoteuse', 'Zélie fait des tours', 'fr');
INSERT INTO contact_message (sender_id, recipient_id, body)
    VALUES ({ACCOUNT}, {MEMBER}, 'Une escamoteuse écrit');
WITH other AS (
    INSERT INTO account (id, email) VALUES (8800000001, 'autre@courrier.test') RETURNING id)
INSERT INTO contact_refusal (member_id, sender_id) SELECT {MEMBER}, id FROM other;
WITH merge AS (
    INSERT INTO trade_merge (from_id, into_id) SELECT min(id), max(id) FROM trade RETURNING id)
INSERT INTO trade_merge_member (merge_id, member_id, position, had_both)
    SELECT id, {MEMBER}, 0, false FROM merge;
INSERT INTO member_import (id, account_id, file_name, options, state)
    VALUES (7700, {ACCOUNT}, 'membres escamoteuse.csv', '{{}}', 'done');
INSERT INTO import_row (import_id, line, number, email, name, given, faults) VALUES
    (7700, 2, NULL, '{EMAIL}', 'Zélie Quintefeuille', '{{"headline": "Escamoteuse"}}', '[]'),
    (7700, 3, 'Z-escamoteuse', NULL, 'Zélie Quintefeuille', '{{}}', '[]');
INSERT INTO import_plan (import_id, row_id, line, member_id, action, name, changes, faults, likes)
    SELECT 7700, id, line, {MEMBER}, 'change', 'Zélie Quintefeuille', '[]', '[]', '[]'
    FROM import_row WHERE line = 2;
INSERT INTO member_source (member_id, digests) VALUES ({MEMBER}, '{{"headline": "00"}}');
INSERT INTO member_declaration (member_id, turnover_band) VALUES ({MEMBER}, 'under_10k');
INSERT INTO member_invitation (member_id, import_id) VALUES ({MEMBER}, 7700);
INSERT INTO membership (filiere_id, member_id) SELECT min(id), {MEMBER} FROM filiere;
INSERT INTO membership_request (filiere_id, member_id, message)
    SELECT min(id), {MEMBER}, 'Une escamoteuse demande' FROM filiere;
INSERT INTO membership_request (filiere_id, member_id, state, answered_by, answered_at, reason)
    SELECT min(id), {MEMBER}, 'refused', {ACCOUNT}, now(), 'Zélie ne répond pas à Zélie'
    FROM filiere;
INSERT INTO filiere_invitation (filiere_id, member_id, invited_by, message)
    SELECT min(id), {MEMBER}, {ACCOUNT}, 'Viens, escamoteuse' FROM filiere;
INSERT INTO suggestion_dismissed (member_id, filiere_id) SELECT {MEMBER}, min(id) FROM filiere;
INSERT INTO mandate (filiere_id, member_id, role, starts_on, ends_on)
    SELECT min(id), {MEMBER}, 'animator', current_date, current_date + 100 FROM filiere;
INSERT INTO mandate_reminder (mandate_id, ends_on, days, account_id)
    SELECT id, ends_on, 60, {ACCOUNT} FROM mandate WHERE member_id = {MEMBER};
INSERT INTO mandate_offer (filiere_id, role, kind, to_member_id, starts_on, ends_on, message,
        offered_by, expires_at)
    SELECT min(id), 'ambassador', 'candidacy', {MEMBER}, current_date, current_date + 100,
        'Zélie se propose', {ACCOUNT}, now() + interval '9 days' FROM filiere;
INSERT INTO stage_change (filiere_id, to_stage, reason, decided_by)
    SELECT min(id), 'active', 'Assez de monde', {ACCOUNT} FROM filiere;
INSERT INTO method_sheet (filiere_id, version, texts, change, author_id)
    SELECT min(id), 1, '{{"fr": {{"means": "Deux salles."}}}}', 'Les salles', {ACCOUNT}
    FROM filiere;
INSERT INTO method_acceptance (filiere_id, member_id, version, through)
    SELECT min(id), {MEMBER}, 1, 'joining' FROM filiere;
INSERT INTO communication_step (filiere_id, moment, item, audience, done_on, note, changed_by)
    SELECT min(id), 'launch', 'launch.press', 'external', '2026-01-05', 'Un quotidien', {ACCOUNT}
    FROM filiere;
INSERT INTO initiative (member_id, title, description, trades)
    VALUES ({MEMBER}, 'Un cirque de poche', 'Escamoteuse cherche caravane', '{{11111}}');
INSERT INTO filiere (slug, kind, name_fr, purpose_fr)
    VALUES ('cirque', 'sector', 'Cirque', 'Jouer');
INSERT INTO filiere_link (from_id, to_id, kind, linked_by)
    SELECT min(id), max(id), 'complementary', {ACCOUNT} FROM filiere;
INSERT INTO filiere_proposal (filiere_id, proposed_by, need, intentions)
    SELECT min(id), {MEMBER}, 'Se retrouver entre artistes', 'Une rencontre' FROM filiere;
INSERT INTO filiere_support (filiere_id, member_id, stance, opinion)
    SELECT min(id), {MEMBER}, 'reserve', 'Zélie veut des tours' FROM filiere;
INSERT INTO stage_mail (change_id, member_id, reason)
    SELECT id, {MEMBER}, 'followed' FROM stage_change LIMIT 1;
INSERT INTO dossier_reason (filiere_id, body, author_id, author_role)
    SELECT min(id), 'Un besoin de la coopérative', {ACCOUNT}, 'coordinator' FROM filiere;
WITH said AS (
    INSERT INTO consent_ledger
        (member_id, filiere_id, topic, rhythm, act, actor_id, screen, wording_id, network)
    SELECT {MEMBER}, (SELECT min(id) FROM filiere), 'news', 'at_once', 'given', {ACCOUNT},
        'filiere', w.id, '198.51.100.0/24'
    FROM consent_wording w WHERE w.topic = 'news' AND w.language = 'fr' LIMIT 1
    RETURNING id, filiere_id)
INSERT INTO consent (member_id, filiere_id, topic, rhythm, ledger_id)
    SELECT {MEMBER}, filiere_id, 'news', 'at_once', id FROM said;
INSERT INTO mail_pause (member_id, until) VALUES ({MEMBER}, current_date + 10);
INSERT INTO consent_notice (member_id) VALUES ({MEMBER});
INSERT INTO suppression (email, reason) VALUES ('{EMAIL}', 'hard_bounce');
INSERT INTO event (uid, kind, title, starts_at, ends_at, created_by)
    VALUES ('uid-1', 'meeting', 'Un tour de table', now(), now() + interval '1 hour', {ACCOUNT});
INSERT INTO mailing (author_id, topic, state, subject, body)
    VALUES ({MEMBER}, 'news', 'draft', 'Brouillon', 'De Zélie');
INSERT INTO mailing (author_id, topic, state, subject, body, audience_size)
    VALUES ({MEMBER}, 'news', 'sent', 'Des nouvelles', 'Bonjour à tout le monde', 1);
INSERT INTO delivery (mailing_id, member_id, consent_id, state, smtp_code, smtp_text)
    SELECT g.id, {MEMBER}, l.id, 'sent', 250, '250 <{EMAIL}> accepted'
    FROM mailing g, consent_ledger l WHERE g.state = 'sent' AND l.member_id = {MEMBER};
INSERT INTO digest_run (rhythm, day) VALUES ('weekly', '2026-11-02');
INSERT INTO digest_delivery (member_id, rhythm, day, state, smtp_text)
    VALUES ({MEMBER}, 'weekly', '2026-11-02', 'sent', '250 <{EMAIL}> accepted');
INSERT INTO digest_entry (member_id, rhythm, day, mailing_id, filiere_ids, consent_id)
    SELECT {MEMBER}, 'weekly', '2026-11-02', g.id, ARRAY[l.filiere_id], l.id
    FROM mailing g, consent_ledger l WHERE g.state = 'sent' AND l.member_id = {MEMBER};
INSERT INTO audit_entry (account_id, action, member_id, fields)
    VALUES ({ACCOUNT}, 'profile.changed', {MEMBER}, ARRAY['headline']);
INSERT INTO personal_export (account_id, language, state, size, ready_at, expires_at)
    VALUES ({ACCOUNT}, 'fr', 'ready', 3, now(), now() + interval '7 days');
INSERT INTO erasure (account_id, member_id, reason, state, asked_at, done_at)
    VALUES ({ACCOUNT}, {MEMBER}, 'dormant', 'undone', now(), now());
INSERT INTO pgqueuer (priority, status, entrypoint, payload) VALUES
    (0, 'queued', 'x', convert_to('{{"email":"{EMAIL}","next_path":"/"}}', 'UTF8')),
    (0, 'failed', 'x', convert_to('{{"member_id":{MEMBER}}}', 'UTF8')),
    (0, 'queued', 'x', convert_to('{{"a":{{"account_id":{ACCOUNT},"b":1}}}}', 'UTF8')),
    (0, 'queued', 'x', convert_to('{{"member_ids":[1,{MEMBER},3]}}', 'UTF8')),
    (0, 'queued', 'kept', convert_to('{{"member_id":{MEMBER}1}}', 'UTF8'));
INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback)
    VALUES (1, 'exception', 0, 'x', '{{"message": "refused: {EMAIL}"}}');
"""


async def is_there(connection: asyncpg.Connection) -> Person:
    """Make them, in a filière of their own, with a photo; other people are not touched."""
    await people.filiere(connection, "tours")
    await connection.execute(
        "INSERT INTO account (id, email, email_confirmed_at, language) "
        "VALUES ($1, $2, now(), 'fr')",
        ACCOUNT, EMAIL,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO member (id, account_id, number, display_name, given_name, family_name, "
        "headline, biography, place_id, phone, audiences, availability, confirmed_at) VALUES "
        "($1, $2, 'Z-escamoteuse', $3, 'Zélie', 'Quintefeuille', 'Escamoteuse & <b>magie</b>', "
        "'Escamoteuse depuis 2012.', (SELECT min(id) FROM place), $4, "
        """'{"phone": "members", "biography": "public", "display_name": "public"}', """
        "'available', now())",
        MEMBER, ACCOUNT, NAME, PHONE,
    )  # fmt: skip
    await connection.execute(_ROWS)
    await files.put(f"photo/{MEMBER}/large.png", PICTURE)
    await files.put(f"portfolio/{MEMBER}/one.png", PICTURE)
    await files.put(f"export/{ACCOUNT}/1.zip", b"zip")
    return Person(ACCOUNT, MEMBER, EMAIL)
