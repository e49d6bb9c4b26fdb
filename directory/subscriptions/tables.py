"""The tables of membership and consent."""

from piccolo.columns import (
    JSONB,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    Date,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from directory.columns import Enumerated


class Membership(Table, tablename="membership"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    member_id = BigInt(null=False)
    joined_at = Timestamptz(null=False)
    left_at = Timestamptz(null=True, default=None)
    slot = SmallInt(null=True, default=None)


class MembershipRequest(Table, tablename="membership_request"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    member_id = BigInt(null=False)
    message = Text(null=False)
    choices = JSONB(null=False)
    network = Text(null=False)
    state = Enumerated("request_state")
    asked_at = Timestamptz(null=False)
    reminded_at = Timestamptz(null=True, default=None)
    approved_at = Timestamptz(null=True, default=None)
    answered_by = BigInt(null=True, default=None)
    answered_at = Timestamptz(null=True, default=None)
    reason = Text(null=False)


class FiliereInvitation(Table, tablename="filiere_invitation"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    member_id = BigInt(null=False)
    invited_by = BigInt(null=True, default=None)
    is_by_address = Boolean(null=False)
    message = Text(null=False)
    state = Enumerated("filiere_invitation_state")
    invited_at = Timestamptz(null=False)
    answered_at = Timestamptz(null=True, default=None)


class ConsentWording(Table, tablename="consent_wording"):
    id = BigSerial(primary_key=True)
    topic = Enumerated("topic")
    language = Text(null=False)
    version = Integer(null=False)
    text = Text(null=False)
    hash = Bytea(null=False)


class ConsentLedger(Table, tablename="consent_ledger"):
    id = BigSerial(primary_key=True)
    member_id = BigInt(null=False)
    filiere_id = BigInt(null=False)
    topic = Enumerated("topic")
    rhythm = Enumerated("rhythm", null=True)
    act = Enumerated("consent_act")
    actor_id = BigInt(null=True, default=None)
    screen = Text(null=False)
    wording_id = BigInt(null=True, default=None)
    network = Text(null=False)
    at = Timestamptz(null=False)
    language = Text(null=True, default=None)
    evidence_id = BigInt(null=True, default=None)


class ConsentEvidence(Table, tablename="consent_evidence"):
    id = BigSerial(primary_key=True)
    file_hash = Bytea(null=False)
    given_on = Date(null=False)
    source = Text(null=False)
    wording = Text(null=False)
    hash = Bytea(null=False)
    imported_at = Timestamptz(null=False)


class ConsentNotice(Table, tablename="consent_notice"):
    member_id = BigInt(primary_key=True, null=False)
    announced_at = Timestamptz(null=False)
    mailed_at = Timestamptz(null=True, default=None)


class MailPause(Table, tablename="mail_pause"):
    member_id = BigInt(primary_key=True, null=False)
    until = Date(null=False)
    paused_at = Timestamptz(null=False)


class Suppression(Table, tablename="suppression"):
    email = Enumerated("citext", primary_key=True)
    reason = Enumerated("suppression_reason")
    at = Timestamptz(null=False)
