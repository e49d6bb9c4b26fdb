"""The tables of copies and erasures."""

from piccolo.columns import BigInt, BigSerial, Boolean, Integer, Text, Timestamptz
from piccolo.table import Table

from directory.columns import Enumerated


class PersonalExport(Table, tablename="personal_export"):
    id = BigSerial(primary_key=True)
    account_id = BigInt(null=False)
    language = Text(null=False)
    state = Enumerated("export_state")
    done = Integer(null=False)
    total = Integer(null=False)
    size = BigInt(null=True, default=None)
    asked_at = Timestamptz(null=False)
    ready_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)


class Erasure(Table, tablename="erasure"):
    id = BigSerial(primary_key=True)
    account_id = BigInt(null=True, default=None)
    member_id = BigInt(null=True, default=None)
    reason = Enumerated("erasure_reason")
    state = Enumerated("erasure_state")
    is_hidden = Boolean(null=False)
    asked_at = Timestamptz(null=False)
    due_at = Timestamptz(null=True, default=None)
    reminded_at = Timestamptz(null=True, default=None)
    worked_at = Timestamptz(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)
