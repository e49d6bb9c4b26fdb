"""The tables of accounts."""

from piccolo.columns import (
    UUID,
    Array,
    BigInt,
    BigSerial,
    Bytea,
    Date,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from directory.columns import Enumerated


class Account(Table, tablename="account"):
    id = BigSerial(primary_key=True)
    email = Enumerated("citext")
    email_confirmed_at = Timestamptz(null=True, default=None)
    language = Text(null=False, default="fr")
    created_at = Timestamptz(null=False)
    disabled_at = Timestamptz(null=True, default=None)
    signed_in_at = Timestamptz(null=False)


class AccessGrant(Table, tablename="access_grant"):
    id = BigSerial(primary_key=True)
    account_id = BigInt(null=False)
    role = Enumerated("access_role")
    scope = Text(null=False, default="")
    starts_on = Date(null=False)
    ends_on = Date(null=True, default=None)


class Session(Table, tablename="session"):
    id = UUID(null=False)
    token_hash = Bytea(primary_key=True, null=False)
    account_id = BigInt(null=False)
    user_agent = Text(null=False, default="")
    created_at = Timestamptz(null=False)
    seen_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    issuer = Text(null=True, default=None)


class LoginLink(Table, tablename="login_link"):
    token_hash = Bytea(primary_key=True, null=False)
    account_id = BigInt(null=False)
    next_path = Text(null=False, default="/")
    created_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    used_at = Timestamptz(null=True, default=None)
    browser_hash = Bytea(null=False, default=b"")


class ApiToken(Table, tablename="api_token"):
    id = BigSerial(primary_key=True)
    account_id = BigInt(null=False)
    name = Text(null=False)
    token_hash = Bytea(null=False)
    ending = Text(null=False, default="")
    scopes = Array(base_column=Text(), null=False)
    created_at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    used_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)
    warned_at = Timestamptz(null=True, default=None)


class AuditEntry(Table, tablename="audit_entry"):
    id = BigSerial(primary_key=True)
    at = Timestamptz(null=False)
    account_id = BigInt(null=True, default=None)
    token_id = BigInt(null=True, default=None)
    action = Text(null=False)
    member_id = BigInt(null=True, default=None)
    subject = Text(null=False, default="")
    fields = Array(base_column=Text(), null=False)
