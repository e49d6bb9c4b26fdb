"""A row of the table of access, and the words that rows are made of."""

from typing import Any

import msgspec

from directory.accounts.actor import Scope

COLUMNS = (
    "visitor", "member", "animator", "other_animator", "ambassador", "coordinator",
    "administrator", "token_without_scope", "token",
)  # fmt: skip


class Row(msgspec.Struct, frozen=True):
    route: str
    statuses: str
    at: str = ""
    json: Any = None
    form: dict[str, str] | None = None
    is_multipart: bool = False
    scope: Scope | None = None
    holder: str = ""
    """Whose tokens the last two columns are; without it, HOLDERS says."""
    nobody: str = ""


# What fills {…} of a route where the row does not say it with `at`.
PLACES = {
    "{slug:str}": "{web}", "{event_id:int}": "{event}", "{mailing_id:int}": "{draft}",
    "{member_id:int}": "{other}", "{proposal_id:int}": "{proposal}", "{grant_id:int}": "{grant}",
    "{token_id:int}": "{own_token}", "{facet:str}": "trade", "{name:str}": "headline",
    "{code:str}": "{trade}", "{import_id:int}": "{import}",
    "{request_id:int}": "{request}", "{invitation_id:int}": "{invitation}",
    "{secret:str}": "{login}", "{token:str}": "{link}",
}  # fmt: skip

MAILINGS, EVENTS = Scope.MAILINGS_WRITE, Scope.EVENTS_WRITE
FILIERES, VOCABULARY = Scope.FILIERES_WRITE, Scope.VOCABULARY_WRITE
IMPORT = Scope.MEMBERS_IMPORT
PROFILE, READ, OWN = Scope.PROFILE_WRITE, Scope.MEMBERS_READ, Scope.ACCOUNT_EXPORT
# Whose tokens of a scope do something.
HOLDERS: dict[Scope | None, str] = {
    MAILINGS: "animator", EVENTS: "animator", FILIERES: "coordinator", VOCABULARY: "coordinator",
    IMPORT: "coordinator",
}  # fmt: skip

OPEN = "200 200 200 200 200 200 200 200 200"
OPEN_POST = "303 303 303 303 303 303 303 303 303"
PERSONS = "401 200 200 200 200 200 200 403 403"  # at a screen, never a token
MEMBERS = "401 200 200 200 200 403 403 403 200"
MEMBERS_POST = "401 303 303 303 303 403 403 403 303"
STAFF = "401 403 403 403 403 200 200 403 200"
STAFF_POST = "401 403 403 403 403 303 303 403 303"
STAFF_PERSONS = "401 403 403 403 403 200 200 403 403"
ANIMATORS = "401 403 200 200 403 403 403 403 200"
AUTHOR = "401 403 200 404 403 403 403 403 200"  # the animator who wrote it
AUTHOR_POST = "401 403 303 404 403 403 403 403 303"
LISTERS = "401 403 200 403 200 200 200 403 200"  # who lists dates of the filière
LISTERS_POST = "401 403 303 403 303 303 303 403 303"

CARD = "404 200 200 200 200 200 200 404 200"
ACCOUNTS = "401 200 200 200 200 200 200 403 403"
ACCOUNTS_POST = "401 303 303 303 303 303 303 403 403"
NOT_THERE = "401 404 404 404 404 404 404 403 404"
NOT_MINE = "401 404 404 404 404 404 404 403 403"
OTHERS_SESSION = "it is nobody’s; one’s own are in the tests of sessions"
NO_LINK = "404 404 404 404 404 404 404 404 404"
OTHER_LINK = "the link of the scene is for another purpose"

ACCEPTED = "401 403 403 403 403 202 202 403 202"
GONE = "410 410 410 410 410 410 410 410 410"

OTHERS = "401 403 403 403 403 403 403 404 404"
ANOTHERS = "it is another's"
OWN_WORK, OWN_API_WORK = "/members/{self}/works/{work}", "/api/v1/members/{self}/portfolio/{work}"
WORK, API_WORK = "/members/{other}/works/1", "/api/v1/members/{other}/portfolio/1"

STAFF_ABSENT = "401 403 403 403 403 404 404 403 404"
LABELS = {
    "label_fr": "Fresquiste·eur", "label_masculine": "Fresqueur", "label_feminine": "Fresqueuse",
    "label_nl": "Muurschilder", "label_en": "Muralist",
}  # fmt: skip

EVENT = {
    "title": "Midi des devis", "kind": "meeting", "filieres": ["{web}"], "audience": "public",
    "starts_at": "{year}-03-04T12:00", "ends_at": "{year}-03-04T14:00", "location": "Namur",
}  # fmt: skip
EVENT_FORM = {
    "title": "Midi des devis", "kind": "meeting", "filieres": "{web}", "audience": "public",
    "starts_on": "{year}-03-04", "starts_time": "12:00", "ends_on": "{year}-03-04",
    "ends_time": "14:00", "location": "Namur",
}  # fmt: skip
MAILING = {
    "filiere_ids": ["{web_id}"], "topic": "news", "subject": "Bonjour", "body": "Du neuf.",
}  # fmt: skip
MAILING_FORM = {
    "filiere_ids": "{web_id}", "topic": "news", "subject": "Bonjour", "body": "Du neuf.",
}  # fmt: skip
HEADLINE = {"version": "1", "audience": "members", "value": "Bonjour"}
ROLE = {"who": "{other_email}", "role": "ambassador", "filiere": "{web}"}
STAFF_ROLE = {"who": "{other_email}", "role": "coordinator"}
TOKEN = {"name": "Tableur", "scopes": ["members:read"]}
TOKEN_FORM = {"name": "Tableur", "scopes": "members:read", "days": "30"}
DORMANT = {"to_stage": "dormant", "reason": "Pause."}
WHY = {"text": "Un besoin."}
PROPOSAL = {"label": "Souffleuse de verre"}
