"""Who may do what with photos, portfolios and the shared words: rows of tests/access_table.py."""

from tests.access_row import (
    ANOTHERS,
    API_WORK,
    LABELS,
    MEMBERS,
    MEMBERS_POST,
    NO_LINK,
    OTHERS,
    PROFILE,
    PROPOSAL,
    STAFF,
    STAFF_ABSENT,
    STAFF_POST,
    VOCABULARY,
    WORK,
    Row,
)

MEMBER_ROWS = (
    # Photos and portfolios: what is sent with a picture is in the tests of photos
    Row(
        "GET /members/{member_id:int}/photo/{file:str}", NO_LINK, at="/members/{other}/photo/x",
        nobody="there is no such picture",
    ),
    Row(
        "GET /members/{member_id:int}/portfolio/{file:str}", NO_LINK,
        at="/members/{other}/portfolio/x", nobody="there is no such picture",
    ),
    Row("PUT /api/v1/members/{member_id:int}/photo", OTHERS, scope=PROFILE, nobody=ANOTHERS),
    Row("DELETE /api/v1/members/{member_id:int}/photo", OTHERS, scope=PROFILE, nobody=ANOTHERS),
    Row(
        "DELETE /api/v1/members/{member_id:int}/photo", "401 204 204 204 204 403 403 403 204",
        scope=PROFILE, at="/api/v1/members/{self}/photo",
    ),
    Row("GET /members/{member_id:int}/photo/remove", OTHERS, scope=PROFILE, nobody=ANOTHERS),
    Row("POST /members/{member_id:int}/photo/remove", OTHERS, scope=PROFILE, nobody=ANOTHERS),
    Row(
        "POST /members/{member_id:int}/photo/remove", MEMBERS_POST, scope=PROFILE,
        at="/members/{self}/photo/remove",
    ),
    Row(
        "POST /members/{member_id:int}/photo", OTHERS, scope=PROFILE, nobody=ANOTHERS,
        form={"version": "1", "audience": "members"}, is_multipart=True,
    ),
    Row(
        "GET /members/{member_id:int}/works/new", MEMBERS, scope=PROFILE,
        at="/members/{self}/works/new",
    ),
    Row("GET /members/{member_id:int}/works/new", OTHERS, scope=PROFILE, nobody=ANOTHERS),
    Row("GET /members/{member_id:int}/works/{entry_id:int}", OTHERS, scope=PROFILE, at=WORK,
        nobody=ANOTHERS),
    Row(
        "POST /members/{member_id:int}/works", OTHERS, scope=PROFILE, nobody=ANOTHERS,
        form={"title": "Affiche"}, is_multipart=True,
    ),
    Row("POST /members/{member_id:int}/works/{entry_id:int}", OTHERS, scope=PROFILE, at=WORK,
        form={"title": "Affiche"}, is_multipart=True, nobody=ANOTHERS),
    Row("POST /members/{member_id:int}/works/{entry_id:int}/move", OTHERS, scope=PROFILE,
        at=f"{WORK}/move", form={"towards": "up"}, nobody=ANOTHERS),
    Row("POST /members/{member_id:int}/works/{entry_id:int}/remove", OTHERS, scope=PROFILE,
        at=f"{WORK}/remove", nobody=ANOTHERS),
    Row(
        "POST /api/v1/members/{member_id:int}/portfolio", "401 201 201 201 201 403 403 403 201",
        scope=PROFILE, at="/api/v1/members/{self}/portfolio", json={"title": "Affiche"},
    ),
    Row("POST /api/v1/members/{member_id:int}/portfolio", OTHERS, scope=PROFILE,
        json={"title": "Affiche"}, nobody=ANOTHERS),
    Row("PUT /api/v1/members/{member_id:int}/portfolio/order", OTHERS, scope=PROFILE,
        json={"entries": []}, nobody=ANOTHERS),
    Row("PUT /api/v1/members/{member_id:int}/portfolio/{entry_id:int}", OTHERS, scope=PROFILE,
        at=API_WORK, json={"title": "Affiche"}, nobody=ANOTHERS),
    Row("PUT /api/v1/members/{member_id:int}/portfolio/{entry_id:int}/picture", OTHERS,
        scope=PROFILE, at=f"{API_WORK}/picture", nobody=ANOTHERS),
    Row("DELETE /api/v1/members/{member_id:int}/portfolio/{entry_id:int}", OTHERS, scope=PROFILE,
        at=API_WORK, nobody=ANOTHERS),
    # The shared words
    Row("GET /vocabulary/trades", STAFF, scope=VOCABULARY),
    Row("GET /vocabulary/trades/{code:str}", STAFF, scope=VOCABULARY),
    Row("POST /vocabulary/trades/{code:str}", STAFF_POST, scope=VOCABULARY, form=LABELS),
    Row(
        "POST /vocabulary/trades/{code:str}/merge", STAFF_POST, scope=VOCABULARY,
        form={"into": "{other_trade}"},
    ),
    Row(
        "POST /vocabulary/merges/{merge_id:int}/undo", STAFF_ABSENT, scope=VOCABULARY,
        at="/vocabulary/merges/999/undo", nobody="no trades were merged",
    ),
    Row("GET /vocabulary/proposals/{proposal_id:int}", STAFF, scope=VOCABULARY),
    Row(
        "POST /vocabulary/proposals/{proposal_id:int}", STAFF_POST, scope=VOCABULARY,
        at="/vocabulary/proposals/{proposal}?act=accept", form=LABELS,
    ),
    Row(
        "POST /api/v1/vocabulary/proposals/{proposal_id:int}/accept", STAFF, scope=VOCABULARY,
        json=LABELS,
    ),
    Row(
        "POST /api/v1/vocabulary/proposals/{proposal_id:int}/merge", STAFF, scope=VOCABULARY,
        json={"into": "{trade}"},
    ),
    Row(
        "POST /api/v1/vocabulary/proposals/{proposal_id:int}/refuse", STAFF, scope=VOCABULARY,
        json={"reason": "Trop rare."},
    ),
    Row("GET /api/v1/vocabulary/merges", STAFF, scope=VOCABULARY),
    Row(
        "DELETE /api/v1/vocabulary/merges/{merge_id:int}", STAFF_ABSENT, scope=VOCABULARY,
        at="/api/v1/vocabulary/merges/999", nobody="no trades were merged",
    ),
    Row("GET /api/v1/vocabulary/trades/{code:str}", STAFF, scope=VOCABULARY),
    Row("PUT /api/v1/vocabulary/trades/{code:str}", STAFF, scope=VOCABULARY, json=LABELS),
    Row(
        "GET /api/v1/vocabulary/trades/{code:str}/merge", STAFF, scope=VOCABULARY,
        at="/api/v1/vocabulary/trades/{trade}/merge?into={other_trade}",
    ),
    Row(
        "POST /api/v1/vocabulary/trades/{code:str}/merge", STAFF, scope=VOCABULARY,
        json={"into": "{other_trade}"},
    ),
    Row("GET /trades/propose", MEMBERS, scope=PROFILE),
    Row("POST /trades/propose", MEMBERS_POST, scope=PROFILE, form=PROPOSAL),
    Row(
        "POST /trades/proposals/{proposal_id:int}/withdraw", "401 303 404 404 404 403 403 403 303",
        scope=PROFILE,
    ),
    Row("GET /vocabulary", STAFF, scope=VOCABULARY),
    Row(
        "POST /vocabulary/misses/forget", STAFF_POST, form={"text": "luthier"},
        scope=VOCABULARY,
    ),
    Row("GET /api/v1/vocabulary/misses", STAFF, scope=VOCABULARY),
    Row(
        "DELETE /api/v1/vocabulary/misses", "401 403 403 403 403 204 204 403 204",
        at="/api/v1/vocabulary/misses?text=luthier", scope=VOCABULARY,
    ),
    Row("GET /api/v1/vocabulary/proposals", STAFF, scope=VOCABULARY),
    Row(
        "POST /api/v1/vocabulary/proposals", "401 201 201 201 201 403 403 403 201",
        scope=PROFILE, json=PROPOSAL,
    ),
    Row(
        "DELETE /api/v1/vocabulary/proposals/{proposal_id:int}",
        "401 204 404 404 404 403 403 403 204", scope=PROFILE,
    ),
)  # fmt: skip
