"""Who may do what: one row for each route of the service, with the status that each role gets.

To add a route, add a row:

    Row("POST /filieres/{slug:str}/stage", "401 403 403 403 403 303 303 403 303",
        form={"to_stage": "dormant", "reason": "Pause."}, scope=FILIERES),

- The route is the method and the path as the app knows it: the failing test prints it.
- The statuses stand in the order of COLUMNS. The last two are tokens: one without any
  scope, and one with `scope`. OPEN, MEMBERS and STAFF are the usual lines.
- `at` is the address asked for; without it the places of the route are filled from PLACES, which
  are names of the scene in tests/test_access_table.py: {web} is the filière of the animator and
  the ambassador, {other} a member whom nobody is, {self} the member who asks.
- `json` or `form` is a body that is right: who may must be let through (2xx or 3xx), so that who
  may not is refused by the permission and by nothing else. Texts in it are filled like `at`.
- `is_multipart` sends the form as one that may hold a file.
- A route may have several rows: one's own thing, another's thing.
- `holder` is who has the tokens; without it, HOLDERS says it by the scope, or it is the member.
- `nobody` says why no column is let through, where that is meant.
"""

from tests.access_founding_rows import FOUNDING_ROWS
from tests.access_joining_rows import JOINING_ROWS
from tests.access_mandate_rows import MANDATE_ROWS
from tests.access_member_rows import MEMBER_ROWS
from tests.access_method_rows import METHOD_ROWS
from tests.access_row import (
    ACCEPTED,
    ACCOUNTS,
    ACCOUNTS_POST,
    ANIMATORS,
    AUTHOR,
    AUTHOR_POST,
    CARD,
    DORMANT,
    EVENT,
    EVENT_FORM,
    EVENTS,
    FILIERES,
    GONE,
    HEADLINE,
    IMPORT,
    LISTERS,
    LISTERS_POST,
    MAILING,
    MAILING_FORM,
    MAILINGS,
    MEMBERS,
    MEMBERS_POST,
    NO_LINK,
    NOT_MINE,
    NOT_THERE,
    OPEN,
    OPEN_POST,
    OTHER_LINK,
    OTHERS_SESSION,
    OWN,
    PERSONS,
    PROFILE,
    READ,
    ROLE,
    STAFF,
    STAFF_PERSONS,
    STAFF_POST,
    STAFF_ROLE,
    TOKEN,
    TOKEN_FORM,
    WHY,
    Row,
)

ROWS = (
    *MEMBER_ROWS,
    *METHOD_ROWS,
    *FOUNDING_ROWS,
    *MANDATE_ROWS,
    *JOINING_ROWS,
    # Anybody
    Row("GET /sitemap.xml", OPEN),
    Row("GET /sitemaps/{number:int}", NO_LINK, at="/sitemaps/1", nobody="nobody is public"),
    Row("GET /robots.txt", OPEN),
    Row("GET /members/{member_id:int}/card.vcf", CARD, scope=READ),
    Row("GET /api/v1/members/{member_id:int}/card", CARD, scope=READ),
    Row("GET /", OPEN),
    Row("GET /about", OPEN),
    Row("GET /facets/{facet:str}", OPEN),
    Row("GET /places", OPEN),
    Row("GET /health/live", OPEN),
    Row("GET /health/ready", OPEN),
    Row("GET /login", OPEN),
    Row("POST /login", OPEN, form={"email": "rien@test.example"}),
    Row("GET /login/{secret:str}", OPEN),
    Row("POST /login/{secret:str}", OPEN_POST, form={"address": "{other_email}"}),
    Row("GET /login/oidc", NO_LINK, nobody="the scene names no provider"),
    Row("GET /login/oidc/callback", NO_LINK, nobody="the scene names no provider"),
    Row("GET /logout/oidc", NO_LINK, nobody="the scene names no provider"),
    Row("GET /account/sessions", PERSONS),
    Row("POST /account/sessions/end-others", ACCOUNTS_POST),
    Row(
        "POST /account/sessions/{session_id:uuid}/end", NOT_MINE,
        at="/account/sessions/{session}/end", nobody=OTHERS_SESSION,
    ),
    Row("GET /api/v1/sessions", PERSONS),
    Row(
        "DELETE /api/v1/sessions/{session_id:uuid}", NOT_MINE, at="/api/v1/sessions/{session}",
        nobody=OTHERS_SESSION,
    ),
    Row("POST /account/identity/part", NOT_MINE, nobody="no account is joined to a provider"),
    Row("POST /logout", OPEN_POST),
    Row("POST /language", OPEN_POST, form={"language": "nl"}),
    Row("GET /demo/mailbox", OPEN),
    Row("GET /demo/mailbox/{name:str}", OPEN, at="/demo/mailbox/{letter}"),
    Row("GET /demo/mailbox/{name:str}/html", OPEN, at="/demo/mailbox/{letter}/html"),
    Row("GET /api/v1/members", OPEN),
    Row("GET /api/v1/members/facets/{facet:str}", OPEN),
    Row("GET /api/v1/trades", OPEN),
    Row("GET /api/v1/sectors", OPEN),
    Row("GET /api/v1/places", OPEN),
    # One's account
    Row("GET /account", PERSONS),
    Row("GET /account/tokens", PERSONS),
    Row("POST /account/tokens", "401 201 201 201 201 201 201 403 403", form=TOKEN_FORM),
    Row("POST /account/tokens/{token_id:int}/revoke", "401 303 303 303 303 303 303 403 403"),
    Row(
        "POST /account/tokens/{token_id:int}/revoke", "401 404 404 404 404 404 404 403 403",
        at="/account/tokens/{others_token}/revoke", nobody="it is another's",
    ),
    Row("GET /api/v1/me", "401 200 200 200 200 200 200 200 200"),
    Row("GET /api/v1/me/tokens", PERSONS),
    Row("POST /api/v1/me/tokens", "401 201 201 201 201 201 201 403 403", json=TOKEN),
    Row("DELETE /api/v1/me/tokens/{token_id:int}", "401 204 204 204 204 204 204 403 403"),
    Row(
        "DELETE /api/v1/me/tokens/{token_id:int}", "401 404 404 404 404 404 404 403 403",
        at="/api/v1/me/tokens/{others_token}", nobody="it is another's",
    ),
    # What was changed
    Row("GET /account/activity", "401 200 200 200 200 200 200 403 200", scope=READ),
    Row("GET /api/v1/me/activity", "401 200 200 200 200 200 200 403 200", scope=READ),
    Row("GET /audit", STAFF, scope=READ, holder="coordinator"),
    Row("GET /api/v1/audit", STAFF, scope=READ, holder="coordinator"),
    # Roles
    Row("GET /roles", STAFF_PERSONS, holder="administrator"),
    Row(
        "POST /roles", "401 403 403 403 403 303 303 403 403", form=ROLE, holder="administrator",
    ),
    Row(
        "POST /roles", "401 403 403 403 403 403 303 403 403", form=STAFF_ROLE,
        holder="administrator",
    ),
    Row(
        "POST /roles/{grant_id:int}/end", "401 403 403 403 403 303 303 403 403",
        holder="administrator",
    ),
    Row(
        "POST /roles/{grant_id:int}/end", "401 403 403 403 403 404 303 403 403",
        at="/roles/{staff_grant}/end", holder="administrator",
    ),
    Row("GET /api/v1/roles", STAFF_PERSONS, holder="administrator"),
    Row(
        "POST /api/v1/roles", "401 403 403 403 403 201 201 403 403", json=ROLE,
        holder="administrator",
    ),
    Row(
        "POST /api/v1/roles", "401 403 403 403 403 403 201 403 403", json=STAFF_ROLE,
        holder="administrator",
    ),
    Row(
        "DELETE /api/v1/roles/{grant_id:int}", "401 403 403 403 403 204 204 403 403",
        holder="administrator",
    ),
    Row(
        "DELETE /api/v1/roles/{grant_id:int}", "401 403 403 403 403 404 204 403 403",
        at="/api/v1/roles/{staff_grant}", holder="administrator",
    ),
    # Profiles: those of others are read as they chose, one's own is edited
    Row("GET /members/{member_id:int}", "404 200 200 200 200 200 200 404 200", scope=READ),
    Row(
        "GET /members/{member_id:int}/edit/{name:str}", MEMBERS, scope=PROFILE,
        at="/members/{self}/edit/headline",
    ),
    Row(
        "GET /members/{member_id:int}/edit/{name:str}", "401 403 403 403 403 403 403 404 403",
        scope=READ, nobody="it is another's",
    ),
    Row(
        "POST /members/{member_id:int}/edit/{name:str}", MEMBERS_POST, scope=PROFILE,
        at="/members/{self}/edit/headline", form=HEADLINE,
    ),
    Row(
        "POST /members/{member_id:int}/edit/{name:str}", "401 403 403 403 403 403 403 404 404",
        scope=PROFILE, form=HEADLINE, nobody="it is another's",
    ),
    Row(
        "POST /members/{member_id:int}/confirm", MEMBERS_POST, scope=PROFILE,
        at="/members/{self}/confirm",
    ),
    Row(
        "POST /members/{member_id:int}/confirm", "401 403 403 403 403 403 403 404 404",
        scope=PROFILE, nobody="it is another's",
    ),
    Row(
        "GET /api/v1/members/{member_id:int}", "404 200 200 200 200 200 200 404 200",
        scope=READ,
    ),
    Row(
        "PATCH /api/v1/members/{member_id:int}", MEMBERS, scope=PROFILE,
        at="/api/v1/members/{self}", json={"version": 1, "headline": "Bonjour"},
    ),
    Row(
        "PATCH /api/v1/members/{member_id:int}", "401 403 403 403 403 403 403 404 404",
        scope=PROFILE, json={"version": 1, "headline": "x"}, nobody="it is another's",
    ),
    # Filières
    Row("GET /filieres", OPEN),
    Row("GET /filieres/{slug:str}", OPEN),
    Row("GET /filieres/{slug:str}/calendar.ics", OPEN),
    Row("GET /api/v1/filieres", OPEN),
    Row("GET /api/v1/filieres/{slug:str}", OPEN),
    Row("POST /filieres/{slug:str}/stage", STAFF_POST, scope=FILIERES, form=DORMANT),
    Row(
        "POST /api/v1/filieres/{slug:str}/timeline", "401 403 403 403 403 201 201 403 201",
        scope=FILIERES,
        json=DORMANT,
    ),
    # Why one exists, or not
    Row("GET /filieres/{slug:str}/dossier", OPEN),
    Row("POST /filieres/{slug:str}/dossier/reasons", STAFF_POST, form=WHY, scope=FILIERES),
    Row("POST /filieres/{slug:str}/dossier/figures", STAFF_POST, scope=FILIERES),
    Row("GET /api/v1/filieres/{slug:str}/dossier", OPEN),
    Row("PUT /api/v1/filieres/{slug:str}/dossier/reasons", STAFF, json=WHY, scope=FILIERES),
    Row("POST /api/v1/filieres/{slug:str}/dossier/figures", STAFF, scope=FILIERES),
    Row(
        "GET /api/v1/filieres/figures", "401 200 200 200 200 200 200 403 200", scope=READ,
        at="/api/v1/filieres/figures?trade={trade}",
    ),
    # Being in one, and what one receives
    Row(
        "POST /filieres/{slug:str}/join", MEMBERS_POST, at="/filieres/{garden}/join", form={},
        scope=PROFILE,
    ),
    Row("POST /filieres/{slug:str}/leave", MEMBERS_POST, scope=PROFILE),
    Row("POST /filieres/{slug:str}/consents", MEMBERS_POST, form={}, scope=PROFILE),
    Row(
        "PUT /api/v1/filieres/{slug:str}/membership", MEMBERS, scope=PROFILE,
        at="/api/v1/filieres/{garden}/membership",
    ),
    Row(
        "DELETE /api/v1/filieres/{slug:str}/membership", "401 204 204 204 204 403 403 403 204",
        scope=PROFILE,
    ),
    Row("GET /preferences", MEMBERS, scope=PROFILE),
    Row("POST /preferences", MEMBERS_POST, form={}, scope=PROFILE),
    Row("POST /preferences/stop-all", MEMBERS_POST, scope=PROFILE),
    Row(
        "POST /preferences/stop-filiere", MEMBERS_POST, form={"filiere": "{web}"},
        scope=PROFILE,
    ),
    Row("POST /preferences/pause", MEMBERS_POST, form={"until": "{pause}"}, scope=PROFILE),
    Row("POST /preferences/resume", MEMBERS_POST, scope=PROFILE),
    Row("POST /preferences/address", MEMBERS_POST, scope=PROFILE),
    Row("GET /preferences/history", MEMBERS, scope=PROFILE),
    Row("GET /preferences/history/export", MEMBERS, scope=PROFILE),
    Row("POST /preferences/undo", MEMBERS_POST, form={"undo": "{undo}"}, scope=PROFILE),
    Row("GET /api/v1/me/consents", MEMBERS, scope=PROFILE),
    Row("PUT /api/v1/me/consents", MEMBERS, json={"choices": []}, scope=PROFILE),
    Row("GET /api/v1/me/consents/history", MEMBERS, scope=PROFILE),
    Row("GET /api/v1/me/consents/history/export", MEMBERS, scope=PROFILE),
    Row("PUT /api/v1/me/consents/pause", MEMBERS, json={"until": "{pause}"}, scope=PROFILE),
    Row("DELETE /api/v1/me/consents/pause", "401 204 204 204 204 403 403 403 204", scope=PROFILE),
    Row("POST /api/v1/me/consents/address", "401 202 202 202 202 403 403 403 202", scope=PROFILE),
    # Whoever holds a link from a mail of {other}
    Row("GET /m/{token:str}", OPEN),
    Row("POST /m/{token:str}", OPEN_POST, form={}),
    Row("POST /m/{token:str}/stop-all", OPEN_POST),
    Row("POST /m/{token:str}/undo", OPEN_POST, form={"undo": "{link_undo}"}),
    Row("POST /m/{token:str}/stop-filiere", OPEN_POST, form={"filiere": "web"}),
    Row("POST /m/{token:str}/pause", OPEN_POST, form={"until": "{pause}"}),
    Row("POST /m/{token:str}/pause/undo", OPEN_POST, form={"undo": "{pause_undo}"}),
    Row("POST /m/{token:str}/return", OPEN_POST),
    Row("GET /m/{token:str}/digest", OPEN, at="/m/{digest_link}/digest"),
    Row("POST /m/{token:str}/digest", OPEN_POST, at="/m/{digest_link}/digest"),
    Row(
        "POST /m/{token:str}/digest/undo", OPEN_POST, at="/m/{digest_link}/digest/undo",
        form={"undo": "{link_undo}"},
    ),
    Row("GET /return/{token:str}", OPEN, at="{return_link}"),
    Row("POST /return/{token:str}", OPEN_POST, at="{return_link}"),
    Row("GET /address/{token:str}", OPEN, at="{address_link}"),
    Row("POST /address/{token:str}", OPEN_POST, at="{address_link}"),
    Row("GET /keep/{token:str}", OPEN, at="{keep_link}"),
    Row("POST /keep/{token:str}", OPEN_POST, at="{keep_link}"),
    Row("GET /m/{token:str}/stop", OPEN, at="/m/{stop_link}/stop"),
    Row("POST /m/{token:str}/stop", OPEN_POST, at="/m/{stop_link}/stop"),
    Row(
        "POST /m/{token:str}/stop/undo", OPEN_POST, at="/m/{stop_link}/stop/undo",
        form={"undo": "{link_undo}"},
    ),
    # The agenda
    Row("GET /events", OPEN),
    Row("GET /events/{event_id:int}", OPEN),
    Row("GET /events/{event_id:int}/event.ics", OPEN),
    Row("GET /api/v1/events", OPEN),
    Row("GET /api/v1/events/{event_id:int}", OPEN),
    Row(
        "GET /api/v1/events/{event_id:int}", "404 200 200 200 200 200 200 404 200",
        at="/api/v1/events/{members_event}", scope=READ,
    ),
    Row(
        "GET /events/new", "401 403 200 200 200 200 200 403 200", scope=EVENTS,
        holder="ambassador",
    ),
    Row("POST /events/new", LISTERS_POST, form=EVENT_FORM, scope=EVENTS, holder="ambassador"),
    Row("GET /events/{event_id:int}/edit", LISTERS, scope=EVENTS),
    Row("POST /events/{event_id:int}/edit", LISTERS_POST, form=EVENT_FORM, scope=EVENTS),
    Row("GET /events/{event_id:int}/cancel", LISTERS, scope=EVENTS),
    Row("POST /events/{event_id:int}/cancel", LISTERS_POST, scope=EVENTS),
    Row("POST /api/v1/events", "401 403 201 403 201 201 201 403 201", json=EVENT, scope=EVENTS),
    Row("PUT /api/v1/events/{event_id:int}", LISTERS, json=EVENT, scope=EVENTS),
    Row("POST /api/v1/events/{event_id:int}/cancel", LISTERS, scope=EVENTS),
    # Mailings
    Row("GET /mailings", ANIMATORS, scope=MAILINGS),
    Row("GET /mailings/new", ANIMATORS, scope=MAILINGS),
    Row(
        "POST /mailings", "401 403 303 403 403 403 403 403 303", form=MAILING_FORM,
        scope=MAILINGS,
    ),
    Row("POST /mailings/preview", ANIMATORS, form=MAILING_FORM, scope=MAILINGS),
    Row("GET /mailings/{mailing_id:int}", AUTHOR, scope=MAILINGS),
    Row("GET /mailings/{mailing_id:int}/edit", AUTHOR, scope=MAILINGS),
    Row(
        "POST /mailings/{mailing_id:int}", "401 403 303 403 403 403 403 403 303",
        form=MAILING_FORM, scope=MAILINGS,
    ),
    Row("POST /mailings/{mailing_id:int}/delete", AUTHOR_POST, scope=MAILINGS),
    Row("POST /mailings/{mailing_id:int}/trial", AUTHOR_POST, scope=MAILINGS),
    Row("POST /mailings/{mailing_id:int}/send", AUTHOR_POST, scope=MAILINGS),
    Row(
        "POST /mailings/{mailing_id:int}/cancel", AUTHOR_POST, at="/mailings/{sending}/cancel",
        scope=MAILINGS,
    ),
    Row("GET /api/v1/mailings", ANIMATORS, scope=MAILINGS),
    Row(
        "POST /api/v1/mailings", "401 403 201 403 403 403 403 403 201", json=MAILING,
        scope=MAILINGS,
    ),
    Row("GET /api/v1/mailings/{mailing_id:int}", AUTHOR, scope=MAILINGS),
    Row(
        "PUT /api/v1/mailings/{mailing_id:int}", "401 403 200 403 403 403 403 403 200",
        json=MAILING, scope=MAILINGS,
    ),
    Row(
        "DELETE /api/v1/mailings/{mailing_id:int}", "401 403 204 404 403 403 403 403 204",
        scope=MAILINGS,
    ),
    Row("GET /api/v1/mailings/{mailing_id:int}/audience", AUTHOR, scope=MAILINGS),
    Row("POST /api/v1/mailings/{mailing_id:int}/send", AUTHOR, scope=MAILINGS),
    Row(
        "POST /api/v1/mailings/{mailing_id:int}/cancel", AUTHOR, scope=MAILINGS,
        at="/api/v1/mailings/{sending}/cancel",
    ),
    # Why somebody got a mail: the coordination reads it, and can change nothing of it
    Row("GET /proofs", STAFF, scope=READ, holder="coordinator"),
    Row(
        "GET /mailings/{mailing_id:int}/proofs", STAFF, scope=READ, holder="coordinator",
        at="/mailings/{sending}/proofs?member={other}",
    ),
    Row(
        "GET /api/v1/mailings/{mailing_id:int}/proofs", STAFF, scope=READ, holder="coordinator",
        at="/api/v1/mailings/{sending}/proofs?member={other}",
    ),
    # Messages between members, and reminders
    # A token needs members:read beside profile:write: whom it may not see is not there.
    Row(
        "GET /members/{member_id:int}/message", "401 200 200 200 200 200 200 403 404",
        scope=PROFILE,
    ),
    Row(
        "POST /members/{member_id:int}/message", "401 303 303 303 303 303 303 403 404",
        form={"body": "Bonjour."}, scope=PROFILE,
    ),
    Row(
        "POST /api/v1/members/{member_id:int}/messages", "401 202 202 202 202 202 202 403 404",
        json={"body": "Bonjour."}, scope=PROFILE,
    ),
    Row("GET /me/contact", MEMBERS, scope=PROFILE),
    Row("POST /me/contact", MEMBERS_POST, form={"takes_messages": "on"}, scope=PROFILE),
    Row("POST /me/contact/accept", MEMBERS_POST, form={"account_id": "1"}, scope=PROFILE),
    Row("GET /messages/refuse/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("POST /messages/refuse/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("POST /messages/refuse/{token:str}/undo", NO_LINK, nobody=OTHER_LINK),
    Row("GET /messages/report/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("POST /messages/report/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("GET /fresh/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("POST /fresh/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("GET /reminders/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("POST /reminders/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("POST /reminders/{token:str}/again", NO_LINK, nobody=OTHER_LINK),
    # Members come in and go out by files
    Row("GET /members/import", STAFF, scope=IMPORT),
    Row("GET /members/import/template.csv", STAFF, scope=IMPORT),
    Row("POST /members/import", STAFF_POST, form={"file": "a"}, scope=IMPORT),
    Row("GET /members/import/{import_id:int}", STAFF, scope=IMPORT),
    Row("GET /members/import/{import_id:int}/plan.csv", STAFF, scope=IMPORT),
    Row("GET /members/import/{import_id:int}/invitations", STAFF, scope=IMPORT),
    Row("POST /members/import/{import_id:int}/invitations/resend", STAFF_POST, scope=IMPORT),
    Row("POST /members/import/{import_id:int}/invitations/withdraw", STAFF_POST, scope=IMPORT),
    Row(
        "POST /members/import/{import_id:int}/commit", STAFF_POST, form={"hash": "{plan}"},
        scope=IMPORT,
    ),
    Row("POST /members/import/{import_id:int}/discard", STAFF_POST, scope=IMPORT),
    Row("GET /api/v1/members/imports", STAFF, scope=IMPORT),
    Row("POST /api/v1/members/imports", ACCEPTED, form={"file": "a"}, scope=IMPORT),
    Row("GET /api/v1/members/imports/{import_id:int}", STAFF, scope=IMPORT),
    Row("GET /api/v1/members/imports/{import_id:int}/rows", STAFF, scope=IMPORT),
    Row(
        "POST /api/v1/members/imports/{import_id:int}/commit", ACCEPTED, json={"hash": "{plan}"},
        scope=IMPORT,
    ),
    Row("POST /api/v1/members/imports/{import_id:int}/discard", STAFF, scope=IMPORT),
    Row("GET /api/v1/members/export", "401 200 200 200 200 200 200 403 200", scope=READ),
    Row("GET /invitation/{secret:str}", GONE, nobody="nobody is invited"),
    Row("POST /invitation/{secret:str}", GONE, nobody="nobody is invited"),
    # One's own data, and the end of it
    Row("GET /account/data", ACCOUNTS),
    Row("POST /account/data/exports", ACCOUNTS_POST),
    Row(
        "GET /account/data/exports/{export_id:int}", "401 404 404 404 404 404 404 403 403",
        at="/account/data/exports/1", nobody="nobody has asked for a copy",
    ),
    Row("GET /api/v1/me/exports", "401 200 200 200 200 200 200 403 200", scope=OWN),
    Row("POST /api/v1/me/exports", "401 202 202 202 202 202 202 403 202", scope=OWN),
    Row(
        "GET /api/v1/me/exports/{export_id:int}", NOT_THERE, at="/api/v1/me/exports/999",
        scope=OWN, nobody="no copy has this number",
    ),
    Row(
        "GET /api/v1/me/exports/{export_id:int}/file", NOT_THERE,
        at="/api/v1/me/exports/999/file", scope=OWN, nobody="no copy has this number",
    ),
    Row("POST /account/data/erasure", ACCOUNTS_POST),
    Row("POST /account/data/erasure/keep", ACCOUNTS_POST),
    Row("GET /erasure/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("POST /erasure/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("GET /erasure/keep/{token:str}", NO_LINK, nobody=OTHER_LINK),
    Row("POST /erasure/keep/{token:str}", NO_LINK, nobody=OTHER_LINK),
    # Last: it empties the mailbox that others read from
    Row("POST /demo/mailbox/empty", OPEN_POST),
)  # fmt: skip
