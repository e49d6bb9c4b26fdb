"""Who may do what with methods, communication, links and initiatives: rows of access_table.py."""

from tests.access_row import (
    FILIERES,
    NOT_THERE,
    OPEN,
    PROFILE,
    READ,
    STAFF,
    Row,
)

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
READERS = "401 200 200 200 200 200 200 403 200"
# One's own: staff are no members, and a token that only writes does not read.
WRITERS = "401 201 201 201 201 403 403 403 403"
WRITERS_POST = "401 303 303 303 303 403 403 403 303"
NO_INITIATIVE = "there is no such initiative: one's own are in the tests of initiatives"
INITIATIVE = {"title": "Un atelier", "description": "Louer à plusieurs."}
NOT_BOTH = "401 403 403 403 403 200 200 403 200"

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
    # Links of filières, and whom they share
    Row("GET /filieres/{slug:str}/links", TENDERS, scope=FILIERES),
    Row("POST /filieres/{slug:str}/links", "401 403 403 403 403 303 303 403 303", scope=FILIERES,
        form={"other": "{garden}", "relation": "part_of"}),
    Row("POST /filieres/{slug:str}/links/remove", "401 403 403 403 403 303 303 403 303",
        scope=FILIERES, form={"other": "{garden}"}),
    Row("GET /api/v1/filieres/{slug:str}/links", OPEN),
    Row("PUT /api/v1/filieres/{slug:str}/links/{other:str}", NOT_BOTH, scope=FILIERES,
        at="/api/v1/filieres/web/links/garden", json={"relation": "part_of"}),
    Row("DELETE /api/v1/filieres/{slug:str}/links/{other:str}",
        "401 403 403 403 403 204 204 403 204", scope=FILIERES,
        at="/api/v1/filieres/web/links/garden"),
    Row("GET /filieres/overlap", STAFF, scope=FILIERES),
    Row("GET /api/v1/filieres/overlap", STAFF, scope=FILIERES),
    # Initiatives
    Row("GET /initiatives", READERS, scope=READ),
    Row("GET /initiatives/new", "401 200 200 200 200 403 403 403 200", scope=FILIERES,
        holder="member"),
    Row("POST /initiatives", WRITERS_POST, form=INITIATIVE, scope=FILIERES, holder="member"),
    Row("GET /initiatives/{initiative_id:int}", NOT_THERE, at="/initiatives/999", scope=READ,
        nobody=NO_INITIATIVE),
    Row("GET /initiatives/{initiative_id:int}/edit", NOT_THERE, at="/initiatives/999/edit",
        scope=FILIERES, nobody=NO_INITIATIVE),
    Row("POST /initiatives/{initiative_id:int}", NOT_THERE, at="/initiatives/999",
        form=INITIATIVE, scope=FILIERES, nobody=NO_INITIATIVE),
    Row("POST /initiatives/{initiative_id:int}/remove", NOT_THERE, at="/initiatives/999/remove",
        scope=FILIERES, nobody=NO_INITIATIVE),
    Row("GET /api/v1/initiatives", READERS, scope=READ),
    Row("POST /api/v1/initiatives", WRITERS, json=INITIATIVE, scope=FILIERES, holder="member"),
    Row("GET /api/v1/initiatives/{initiative_id:int}", NOT_THERE, at="/api/v1/initiatives/999",
        scope=READ, nobody=NO_INITIATIVE),
    Row("PUT /api/v1/initiatives/{initiative_id:int}", NOT_THERE, at="/api/v1/initiatives/999",
        json=INITIATIVE, scope=FILIERES, nobody=NO_INITIATIVE),
    Row("DELETE /api/v1/initiatives/{initiative_id:int}", NOT_THERE, scope=FILIERES,
        at="/api/v1/initiatives/999", nobody=NO_INITIATIVE),
)  # fmt: skip
