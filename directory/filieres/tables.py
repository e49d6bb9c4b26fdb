"""The tables of filières."""

from piccolo.columns import (
    JSONB,
    Array,
    BigInt,
    BigSerial,
    Date,
    Integer,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from directory.columns import Enumerated


class Filiere(Table, tablename="filiere"):
    id = BigSerial(primary_key=True)
    slug = Text(null=False)
    kind = Enumerated("filiere_kind")
    openness = Enumerated("filiere_openness")
    stage = Enumerated("filiere_stage")
    territory_id = BigInt(null=True, default=None)
    name_fr = Text(null=False)
    name_nl = Text(null=True, default=None)
    name_en = Text(null=True, default=None)
    purpose_fr = Text(null=False)
    purpose_nl = Text(null=True, default=None)
    purpose_en = Text(null=True, default=None)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)
    version = Integer(null=False)


class Proposal(Table, tablename="filiere_proposal"):
    filiere_id = BigInt(primary_key=True, null=False)
    proposed_by = BigInt(null=True, default=None)
    need = Text(null=False)
    intentions = Text(null=False)
    proposed_at = Timestamptz(null=False)
    told_at = Timestamptz(null=True, default=None)


class StageChange(Table, tablename="stage_change"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    from_stage = Enumerated("filiere_stage", null=True)
    to_stage = Enumerated("filiere_stage")
    reason = Text(null=False)
    decided_by = BigInt(null=True, default=None)
    decided_at = Timestamptz(null=False)
    decided_as = Enumerated("stage_voice")
    dossier = JSONB(null=True, default=None)


class Mandate(Table, tablename="mandate"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    member_id = BigInt(null=False)
    role = Enumerated("mandate_role")
    starts_on = Date(null=False)
    ends_on = Date(null=False)
    wish = Enumerated("mandate_wish", null=True)
    wished_at = Timestamptz(null=True, default=None)


class MandateOffer(Table, tablename="mandate_offer"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    role = Enumerated("mandate_role")
    kind = Enumerated("mandate_offer_kind")
    from_member_id = BigInt(null=True, default=None)
    to_member_id = BigInt(null=False)
    starts_on = Date(null=False)
    ends_on = Date(null=False)
    message = Text(null=False, default="")
    offered_by = BigInt(null=True, default=None)
    state = Enumerated("mandate_offer_state")
    at = Timestamptz(null=False)
    expires_at = Timestamptz(null=False)
    answered_at = Timestamptz(null=True, default=None)
    reason = Text(null=False, default="")


class MethodSheet(Table, tablename="method_sheet"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    version = Integer(null=False)
    texts = JSONB(null=False)
    change = Text(null=False)
    author_id = BigInt(null=True, default=None)
    at = Timestamptz(null=False)


class MethodAcceptance(Table, tablename="method_acceptance"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    member_id = BigInt(null=False)
    version = Integer(null=False)
    through = Enumerated("acceptance_way")
    accepted_at = Timestamptz(null=False)


class CommunicationStep(Table, tablename="communication_step"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    moment = Enumerated("communication_moment")
    item = Text(null=True, default=None)
    label = Text(null=True, default=None)
    audience = Enumerated("communication_audience")
    done_on = Date(null=True, default=None)
    note = Text(null=False)
    changed_by = BigInt(null=True, default=None)
    changed_at = Timestamptz(null=False)


class Initiative(Table, tablename="initiative"):
    id = BigSerial(primary_key=True)
    member_id = BigInt(null=False)
    filiere_id = BigInt(null=True, default=None)
    title = Text(null=False)
    description = Text(null=False)
    seeking = Text(null=False)
    trades = Array(base_column=Text(), null=False)
    url = Text(null=False)
    state = Enumerated("initiative_state")
    version = Integer(null=False)
    created_at = Timestamptz(null=False)
    updated_at = Timestamptz(null=False)
    finished_on = Date(null=True, default=None)


class FiliereLink(Table, tablename="filiere_link"):
    id = BigSerial(primary_key=True)
    from_id = BigInt(null=False)
    to_id = BigInt(null=False)
    kind = Enumerated("filiere_link_kind")
    linked_by = BigInt(null=True, default=None)
    linked_at = Timestamptz(null=False)


class DossierFigures(Table, tablename="dossier_figures"):
    filiere_id = BigInt(primary_key=True)
    words = Array(base_column=BigInt(), null=False)
    counted_on = Date(null=False)
    figures = JSONB(null=False)
    turnover_on = Date(null=True, default=None)
    turnover = JSONB(null=True, default=None)


class DossierReason(Table, tablename="dossier_reason"):
    id = BigSerial(primary_key=True)
    filiere_id = BigInt(null=False)
    body = Text(null=False)
    author_id = BigInt(null=True, default=None)
    author_role = Enumerated("access_role", null=True)
    written_at = Timestamptz(null=False)
