"""The tables of membership and consent."""

from piccolo.columns import BigInt, BigSerial, Bytea, Date, Integer, Text, Timestamptz
from piccolo.table import Table

from directory.columns import Enumerated


class Membership(Table, tablename="membership"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    member_id = BigInt(null=False)
    joined_at = Timestamptz(null=False)
    left_at = Timestamptz(null=True, default=None)


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
