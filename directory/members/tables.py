"""The tables of people and of the words they share."""

from piccolo.columns import (
    JSONB,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    Date,
    DoublePrecision,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from directory.columns import Enumerated


class TradeGroup(Table, tablename="trade_group"):
    code = Text(primary_key=True, null=False)
    label = Text(null=False)


class Trade(Table, tablename="trade"):
    id = BigSerial(primary_key=True)
    code = Text(null=False)
    group_code = Text(null=False)
    label_fr = Text(null=False)
    label_masculine = Text(null=False)
    label_feminine = Text(null=False)
    label_nl = Text(null=True, default=None)
    label_en = Text(null=True, default=None)
    is_common = Boolean(null=False)
    is_kept = Boolean(null=False)
    merged_into = BigInt(null=True, default=None)


class Sector(Table, tablename="sector"):
    id = BigSerial(primary_key=True)
    code = Text(null=False)
    level = SmallInt(null=False)
    parent_code = Text(null=True, default=None)
    label_fr = Text(null=False)
    label_nl = Text(null=False)
    label_de = Text(null=False)
    label_en = Text(null=False)


class Region(Table, tablename="region"):
    code = Text(primary_key=True, null=False)
    country = Text(null=False)
    label_fr = Text(null=False)
    label_nl = Text(null=False)
    label_en = Text(null=False)


class Place(Table, tablename="place"):
    id = BigSerial(primary_key=True)
    code = Text(null=False)
    region_code = Text(null=False)
    postal_code = Text(null=False)
    label_fr = Text(null=False)
    label_nl = Text(null=False)
    municipality = Text(null=False)
    population = Integer(null=True, default=None)
    latitude = DoublePrecision(null=True, default=None)
    longitude = DoublePrecision(null=True, default=None)


class Territory(Table, tablename="territory"):
    id = BigSerial(primary_key=True)
    slug = Text(null=False)
    name = Text(null=False)
    place_id = BigInt(null=True, default=None)


class Member(Table, tablename="member"):
    id = BigSerial(primary_key=True)
    account_id = BigInt(null=True, default=None)
    number = Text(null=True, default=None)
    display_name = Text(null=False)
    given_name = Text(null=False)
    family_name = Text(null=False)
    headline = Text(null=False)
    biography = Text(null=False)
    place_id = BigInt(null=True, default=None)
    territory_id = BigInt(null=True, default=None)
    availability = Enumerated("availability", null=True)
    available_until = Date(null=True, default=None)
    stage = Enumerated("activity_stage", null=True)
    phone = Text(null=False)
    audiences = JSONB(null=False)
    joined_on = Date(null=False)
    left_on = Date(null=True, default=None)
    confirmed_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)
    version = Integer(null=False)
    takes_messages = Boolean(null=False)
    takes_reminders = Boolean(null=False)
    reminded_at = Timestamptz(null=True, default=None)


class MemberPhoto(Table, tablename="member_photo"):
    member_id = BigInt(primary_key=True, null=False)
    name = Text(null=False)
    changed_at = Timestamptz(null=False)


class PortfolioEntry(Table, tablename="portfolio_entry"):
    id = BigSerial(primary_key=True)
    member_id = BigInt(null=False)
    position = SmallInt(null=False)
    title = Text(null=False)
    year = SmallInt(null=True, default=None)
    text = Text(null=False)
    url = Text(null=False)
    picture = Text(null=True, default=None)
    width = SmallInt(null=True, default=None)
    height = SmallInt(null=True, default=None)


class SearchMiss(Table, tablename="search_miss"):
    text = Text(primary_key=True, null=False)
    searches = BigInt(null=False)
    language = Text(null=False)
    first_on = Date(null=False)
    last_on = Date(null=False)


class TradeProposal(Table, tablename="trade_proposal"):
    id = BigSerial(primary_key=True)
    member_id = BigInt(null=False)
    label = Text(null=False)
    form = Text(null=False)
    note = Text(null=False)
    language = Text(null=False)
    proposed_at = Timestamptz(null=False)


class ContactMessage(Table, tablename="contact_message"):
    id = BigSerial(primary_key=True)
    sender_id = BigInt(null=False)
    recipient_id = BigInt(null=False)
    state = Enumerated("contact_state")
    body = Text(null=False)
    asked_at = Timestamptz(null=False)
    done_at = Timestamptz(null=True, default=None)
    reported_at = Timestamptz(null=True, default=None)
    key = Bytea(null=True, default=None)
    said = Bytea(null=True, default=None)


class MemberImport(Table, tablename="member_import"):
    id = BigSerial(primary_key=True)
    account_id = BigInt(null=True, default=None)
    token_id = BigInt(null=True, default=None)
    file_name = Text(null=False)
    file_key = Text(null=False)
    options = JSONB(null=False)
    state = Enumerated("import_state")
    step = Text(null=False)
    done = BigInt(null=False)
    total = BigInt(null=False)
    attempts = SmallInt(null=False)
    findings = JSONB(null=False)
    counts = JSONB(null=False)
    refusal = JSONB(null=True, default=None)
    plan_hash = Bytea(null=True, default=None)
    is_moved = Boolean(null=False)
    invites = Boolean(null=False)
    created_at = Timestamptz(null=False)
    touched_at = Timestamptz(null=False)
    finished_at = Timestamptz(null=True, default=None)


class MemberSource(Table, tablename="member_source"):
    member_id = BigInt(primary_key=True, null=False)
    digests = JSONB(null=False)


class MemberDeclaration(Table, tablename="member_declaration"):
    member_id = BigInt(primary_key=True, null=False)
    turnover_band = Enumerated("turnover_band")
    declared_at = Timestamptz(null=False)


class MemberInvitation(Table, tablename="member_invitation"):
    member_id = BigInt(primary_key=True, null=False)
    import_id = BigInt(null=True, default=None)
    state = Enumerated("invitation_state")
    token_hash = Bytea(null=True, default=None)
    attempts = SmallInt(null=False)
    created_at = Timestamptz(null=False)
    next_at = Timestamptz(null=False)
    claimed_at = Timestamptz(null=True, default=None)
    sent_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)
    accepted_at = Timestamptz(null=True, default=None)
