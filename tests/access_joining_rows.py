"""Who may ask, invite, answer and read the members of a filière: rows of tests/access_table.py."""

from tests.access_row import FILIERES, MEMBERS, MEMBERS_POST, PROFILE, READ, Row

TENDERS = "401 403 200 403 403 200 200 403 200"  # who runs the filière
TENDERS_POST = "401 403 303 403 403 303 303 403 303"
TENDERS_DELETE = "401 403 204 403 403 204 204 403 204"
MEMBERS_DELETE = "401 204 204 204 204 403 403 403 204"
READERS = "401 200 200 200 200 200 200 403 200"
VETTED, API_VETTED = "/filieres/vetted/request", "/api/v1/filieres/vetted/request"
REFUSAL = {"answer": "refuse", "reason": "Pas tout de suite."}

JOINING_ROWS = (
    # One's own request, invitation, suggestions
    Row("POST /filieres/{slug:str}/request", MEMBERS_POST, at=VETTED, form={}, scope=PROFILE),
    Row(
        "POST /filieres/{slug:str}/request/withdraw",
        MEMBERS_POST,
        at=f"{VETTED}/withdraw",
        scope=PROFILE,
    ),
    Row("PUT /api/v1/filieres/{slug:str}/request", MEMBERS, at=API_VETTED, json={}, scope=PROFILE),
    Row("GET /api/v1/filieres/{slug:str}/request", MEMBERS, at=API_VETTED, scope=PROFILE),
    Row("DELETE /api/v1/filieres/{slug:str}/request", MEMBERS_DELETE, scope=PROFILE),
    Row("GET /api/v1/me/requests", MEMBERS, scope=PROFILE),
    Row("POST /filieres/{slug:str}/invitation/decline", MEMBERS_POST, scope=PROFILE),
    Row("DELETE /api/v1/filieres/{slug:str}/invitation", MEMBERS_DELETE, scope=PROFILE),
    Row("GET /api/v1/me/invitations", MEMBERS, scope=PROFILE),
    Row("POST /filieres/{slug:str}/suggestion/dismiss", MEMBERS_POST, scope=PROFILE),
    Row("POST /filieres/{slug:str}/suggestion/restore", MEMBERS_POST, scope=PROFILE),
    Row("GET /api/v1/me/suggestions", MEMBERS, scope=PROFILE),
    Row("DELETE /api/v1/me/suggestions/{slug:str}", MEMBERS_DELETE, scope=PROFILE),
    Row("PUT /api/v1/me/suggestions/{slug:str}", MEMBERS_DELETE, scope=PROFILE),
    # Answering, inviting
    Row("GET /filieres/{slug:str}/requests", TENDERS, scope=FILIERES),
    Row(
        "POST /filieres/{slug:str}/requests/{request_id:int}/answer",
        TENDERS_POST,
        form=REFUSAL,
        scope=FILIERES,
    ),
    Row("GET /api/v1/filieres/{slug:str}/requests", TENDERS, scope=FILIERES),
    Row(
        "POST /api/v1/filieres/{slug:str}/requests/{request_id:int}/answer",
        TENDERS,
        json=REFUSAL,
        scope=FILIERES,
    ),
    Row("GET /filieres/{slug:str}/invitations", TENDERS, scope=FILIERES),
    Row(
        "POST /filieres/{slug:str}/invitations",
        TENDERS_POST,
        scope=FILIERES,
        form={"email": "{other_email}"},
    ),
    Row(
        "POST /filieres/{slug:str}/invitations/{invitation_id:int}/withdraw",
        TENDERS_POST,
        scope=FILIERES,
    ),
    Row("GET /api/v1/filieres/{slug:str}/invitations", TENDERS, scope=FILIERES),
    Row(
        "POST /api/v1/filieres/{slug:str}/invitations",
        "401 403 202 403 403 202 202 403 202",
        json={"email": "{other_email}"},
        scope=FILIERES,
    ),
    Row(
        "DELETE /api/v1/filieres/{slug:str}/invitations/{invitation_id:int}",
        TENDERS_DELETE,
        scope=FILIERES,
    ),
    # Who is in it
    Row("GET /filieres/{slug:str}/members", READERS, scope=READ),
    Row("GET /api/v1/filieres/{slug:str}/members", READERS, scope=READ),
)
