"""Who may do what with methods and communication: rows of tests/access_table.py."""

from tests.access_row import FILIERES, OPEN, PROFILE, Row

PARTS = (
    "objectives", "cooperative_role", "member_role", "means", "openness", "event_kinds", "rhythm",
)  # fmt: skip
TEXTS = dict.fromkeys(PARTS, "Texte.")
SHEET = {"version": "0"} | {f"fr.{name}": text for name, text in TEXTS.items()}
TENDERS = "401 403 200 403 403 200 200 403 200"
TENDERS_POST = "401 403 303 403 403 303 303 403 303"
NO_SHEET = "the filière of the scene has no sheet"
NO_MEMBER = "401 404 404 404 404 403 403 403 404"
NO_STEP = "401 403 404 403 403 404 404 403 404"
STEPS = {"steps": [{"item": "launch.press", "note": "Le Soir"}]}
STEP = {"moment": "events", "label": "Radio locale"}

METHOD_ROWS = (
    Row("GET /filieres/{slug:str}/method", OPEN),
    Row(
        "GET /filieres/{slug:str}/method/changes", "404 404 404 404 404 404 404 404 404",
        nobody=NO_SHEET,
    ),
    Row("GET /filieres/{slug:str}/method/edit", TENDERS, scope=FILIERES),
    Row("POST /filieres/{slug:str}/method/edit", TENDERS_POST, form=SHEET, scope=FILIERES),
    Row(
        "POST /filieres/{slug:str}/method/accept", NO_MEMBER, form={"version": "1"},
        scope=PROFILE, nobody=NO_SHEET,
    ),
    Row("GET /api/v1/filieres/{slug:str}/method", "404 404 404 404 404 404 404 404 404",
        nobody=NO_SHEET),
    Row("PUT /api/v1/filieres/{slug:str}/method", TENDERS, json={"version": 0, "fr": TEXTS},
        scope=FILIERES),
    Row("GET /api/v1/filieres/{slug:str}/method/versions", OPEN),
    Row(
        "GET /api/v1/filieres/{slug:str}/method/changes", "404 404 404 404 404 404 404 404 404",
        nobody=NO_SHEET,
    ),
    Row(
        "POST /api/v1/filieres/{slug:str}/method/acceptance", NO_MEMBER, json={"version": 1},
        scope=PROFILE, nobody=NO_SHEET,
    ),
    Row("GET /api/v1/filieres/{slug:str}/method/acceptance", NO_STEP, scope=FILIERES,
        nobody=NO_SHEET),
    Row("GET /filieres/{slug:str}/communication", TENDERS, scope=FILIERES),
    Row("POST /filieres/{slug:str}/communication", TENDERS_POST, scope=FILIERES,
        form={"item": "launch.press", "is_done": "yes"}),
    Row("POST /filieres/{slug:str}/communication/add", TENDERS_POST, form=STEP, scope=FILIERES),
    Row("POST /filieres/{slug:str}/communication/{step_id:int}/remove", NO_STEP, scope=FILIERES,
        at="/filieres/web/communication/999/remove", nobody="there is no such step"),
    Row("GET /api/v1/filieres/{slug:str}/communication", TENDERS, scope=FILIERES),
    Row("PUT /api/v1/filieres/{slug:str}/communication", TENDERS, json=STEPS, scope=FILIERES),
    Row("POST /api/v1/filieres/{slug:str}/communication", "401 403 201 403 403 201 201 403 201",
        json=STEP, scope=FILIERES),
    Row("DELETE /api/v1/filieres/{slug:str}/communication/{step_id:int}", NO_STEP, scope=FILIERES,
        at="/api/v1/filieres/web/communication/999", nobody="there is no such step"),
)  # fmt: skip
