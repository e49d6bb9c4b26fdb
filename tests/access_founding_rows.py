"""Who may propose, support and edit a filière: rows of tests/access_table.py."""

from tests.access_row import FILIERES, MEMBERS, MEMBERS_POST, OPEN, OPEN_POST, Row

# {idea} is proposed, by nobody of the scene. Its animator and the staff tend {web}.
TENDERS = "401 403 200 403 403 200 200 403 200"
TENDERS_POST = "401 403 303 403 403 303 303 403 303"
MEMBERS_DELETE = "401 204 204 204 204 403 403 403 204"
NOT_OWN = "401 403 403 403 403 403 403 403 403"
BY_NOBODY = "nobody of the scene proposed it"
PROPOSED = {
    "kind": "sector", "name_fr": "Souffleuses de verre", "purpose_fr": "Partager un four.",
    "sectors": ["01.1"], "need": "Un four coûte cher.", "intentions": "En louer un.",
}  # fmt: skip
PROPOSED_FORM = {
    "kind": "sector", "name_fr": "Souffleuses de verre", "purpose_fr": "Partager un four.",
    "sectors": "01.1", "need": "Un four coûte cher.", "intentions": "En louer un.",
}  # fmt: skip
SUPPORT, API_SUPPORT = "/filieres/{idea}/support", "/api/v1/filieres/{idea}/support"

FOUNDING_ROWS = (
    Row("GET /filieres/propose", MEMBERS, scope=FILIERES, holder="member"),
    Row(
        "POST /filieres/propose",
        MEMBERS_POST,
        scope=FILIERES,
        holder="member",
        form=PROPOSED_FORM,
    ),
    Row(
        "POST /api/v1/filieres",
        "401 201 201 201 201 403 403 403 201",
        scope=FILIERES,
        holder="member",
        json=PROPOSED,
    ),
    Row("GET /api/v1/filieres/alike", OPEN),
    Row("GET /api/v1/filieres/{slug:str}/proposal", OPEN, at="/api/v1/filieres/{idea}/proposal"),
    Row(
        "DELETE /api/v1/filieres/{slug:str}/proposal",
        NOT_OWN,
        scope=FILIERES,
        holder="member",
        at="/api/v1/filieres/{idea}/proposal",
        nobody=BY_NOBODY,
    ),
    Row(
        "POST /filieres/{slug:str}/withdraw",
        NOT_OWN,
        scope=FILIERES,
        holder="member",
        at="/filieres/{idea}/withdraw",
        nobody=BY_NOBODY,
    ),
    Row("GET /api/v1/filieres/{slug:str}/definition", OPEN),
    Row(
        "PATCH /api/v1/filieres/{slug:str}",
        TENDERS,
        scope=FILIERES,
        json={"version": 1, "name_fr": "Web"},
    ),
    Row(
        "PATCH /api/v1/filieres/{slug:str}",
        "401 403 403 403 403 200 200 403 200",
        scope=FILIERES,
        json={"version": 1, "openness": "approval"},
    ),
    Row("GET /filieres/{slug:str}/edit", TENDERS, scope=FILIERES),
    Row(
        "POST /filieres/{slug:str}/edit",
        TENDERS_POST,
        scope=FILIERES,
        form={
            "version": "1",
            "name_fr": "Web",
            "purpose_fr": "Comparer.",
            "trades": "{trade}",
        },
    ),
    Row("GET /api/v1/filieres/{slug:str}/timeline", OPEN),
    Row("GET /filieres/{slug:str}/support", OPEN, at=SUPPORT),
    Row(
        "POST /filieres/{slug:str}/support",
        MEMBERS_POST,
        scope=FILIERES,
        holder="member",
        at=SUPPORT,
        form={"stance": "favourable"},
    ),
    Row(
        "POST /filieres/{slug:str}/support/withdraw",
        MEMBERS_POST,
        scope=FILIERES,
        holder="member",
        at=f"{SUPPORT}/withdraw",
    ),
    Row("GET /api/v1/filieres/{slug:str}/support", OPEN, at=API_SUPPORT),
    Row(
        "PUT /api/v1/filieres/{slug:str}/support",
        MEMBERS,
        scope=FILIERES,
        holder="member",
        at=API_SUPPORT,
        json={"stance": "reserve", "opinion": "Trop large."},
    ),
    Row(
        "DELETE /api/v1/filieres/{slug:str}/support",
        MEMBERS_DELETE,
        scope=FILIERES,
        holder="member",
        at=API_SUPPORT,
    ),
    Row("GET /api/v1/filieres/{slug:str}/opinions", OPEN, at="/api/v1/filieres/{idea}/opinions"),
    # Whoever holds the link of a mail about a proposal, to {other}
    Row("GET /follow/{token:str}", OPEN, at="/follow/{follow}"),
    Row("POST /follow/{token:str}", OPEN_POST, at="/follow/{follow}"),
    Row(
        "POST /follow/{token:str}/again",
        OPEN_POST,
        at="/follow/{follow}/again",
        form={"undo": "{follow_undo}"},
    ),
)
