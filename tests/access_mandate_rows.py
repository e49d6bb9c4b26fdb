"""Rows of the table of access: who runs filières, who is asked to, and how they are."""

from tests.access_row import FILIERES, MEMBERS, MEMBERS_POST, PROFILE, STAFF, STAFF_POST, Row

# Who runs the filière of the scene, and the staff.
TENDERS = "401 403 200 403 403 200 200 403 200"
ASKED = {"to_member": "{fellow}", "role": "animator"}

MANDATE_ROWS = (
    Row("GET /mandates", MEMBERS, scope=PROFILE),
    Row("GET /api/v1/me/mandates", MEMBERS, scope=PROFILE),
    Row("GET /filieres/{slug:str}/mandates", TENDERS, scope=FILIERES),
    Row("GET /api/v1/filieres/{slug:str}/mandates", TENDERS, scope=FILIERES),
    Row(
        "POST /filieres/{slug:str}/mandates", "401 403 303 403 403 303 303 403 403", form=ASKED,
        scope=FILIERES,
    ),
    Row(
        "POST /api/v1/filieres/{slug:str}/mandate-offers", "401 403 201 403 403 201 201 403 403",
        json={"to_member": "#{fellow}", "role": "animator"}, scope=FILIERES,
    ),
    Row("POST /filieres/{slug:str}/volunteer", MEMBERS_POST, form={"role": "ambassador"},
        scope=PROFILE),
    Row(
        "POST /api/v1/filieres/{slug:str}/candidacies", "401 201 201 201 201 403 403 403 201",
        json={"role": "ambassador"}, scope=PROFILE,
    ),
    # A candidacy of {other}
    Row(
        "POST /mandate-offers/{offer_id:int}/accept", "401 404 303 404 404 303 303 403 403",
        at="/mandate-offers/{candidacy}/accept", form={"back": "filiere"}, scope=FILIERES,
    ),
    Row(
        "POST /mandate-offers/{offer_id:int}/refuse", "401 404 303 404 404 303 303 403 403",
        at="/mandate-offers/{candidacy}/refuse", form={}, scope=FILIERES,
    ),
    Row(
        "POST /api/v1/mandate-offers/{offer_id:int}/answer", "401 404 204 404 404 204 204 403 403",
        at="/api/v1/mandate-offers/{candidacy}/answer", json={"accept": True}, scope=FILIERES,
    ),
    # An offer to {other}
    Row(
        "POST /mandate-offers/{offer_id:int}/withdraw", "401 404 303 404 404 303 303 403 303",
        at="/mandate-offers/{offer}/withdraw", form={"back": "filiere"}, scope=FILIERES,
    ),
    Row(
        "DELETE /api/v1/mandate-offers/{offer_id:int}", "401 404 204 404 404 204 204 403 204",
        at="/api/v1/mandate-offers/{offer}", scope=FILIERES,
    ),
    # The mandate of the animator, whom others do not leave alone
    Row(
        "POST /mandates/{mandate_id:int}/wish", "401 404 303 404 404 403 403 403 303",
        at="/mandates/{mandate}/wish", form={"wish": "end"}, scope=PROFILE, holder="animator",
    ),
    Row(
        "PUT /api/v1/me/mandates/{mandate_id:int}/wish", "401 404 204 404 404 403 403 403 204",
        at="/api/v1/me/mandates/{mandate}/wish", json={"wish": "end"}, scope=PROFILE,
        holder="animator",
    ),
    Row(
        "GET /mandates/{mandate_id:int}/leave", "401 404 200 404 404 403 403 403 200",
        at="/mandates/{mandate}/leave", scope=PROFILE, holder="animator",
    ),
    Row(
        "POST /mandates/{mandate_id:int}/leave", "401 404 303 404 404 403 403 403 403",
        at="/mandates/{mandate}/leave", form={"rest": "yes", "reason": "Pause."}, scope=PROFILE,
        holder="animator",
    ),
    Row(
        "POST /api/v1/me/mandates/{mandate_id:int}/leave", "401 404 204 404 404 403 403 403 403",
        at="/api/v1/me/mandates/{mandate}/leave", json={"rest_because": "Pause."}, scope=PROFILE,
        holder="animator",
    ),
    Row(
        "POST /mandates/{mandate_id:int}/renew", STAFF_POST, at="/mandates/{mandate}/renew",
        form={"until": "{later}"}, scope=FILIERES,
    ),
    Row(
        "PUT /api/v1/mandates/{mandate_id:int}/end", "401 403 403 403 403 204 204 403 204",
        at="/api/v1/mandates/{mandate}/end", json={"until": "{later}"}, scope=FILIERES,
    ),
    Row("GET /filieres/{slug:str}/health", TENDERS, scope=FILIERES),
    Row("GET /api/v1/filieres/{slug:str}/health", TENDERS, scope=FILIERES),
    Row("GET /filieres/health", STAFF, scope=FILIERES),
    Row("GET /filieres/health.csv", STAFF, scope=FILIERES),
    Row("GET /api/v1/filieres/health", STAFF, scope=FILIERES),
)  # fmt: skip
