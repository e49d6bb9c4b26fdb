"""Errors to answers: a problem document (RFC 9457) for the API, a page for people."""

import difflib
import logging
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec

from directory import errors
from directory.errors import FieldError
from directory.http import pages
from directory.languages import marked

log = logging.getLogger(__name__)

MOST_UNKNOWN = 10  # parameters that an error names
PROBLEM_JSON = "application/problem+json"
TITLES = {
    400: marked("Une valeur ne convient pas"),
    401: marked("Connectez-vous pour continuer"),
    403: marked("Vous n’avez pas accès à cette action"),
    404: marked("Cette page n’existe pas"),
    405: marked("Cette adresse ne répond pas à cette méthode"),
    412: marked("Cela a changé entre-temps"),
    413: marked("C’est trop gros"),
    415: marked("Ce format n’est pas lu ici"),
    428: marked("Dites quelle version vous avez lue"),
    429: marked("Trop de demandes à la suite"),
}


class ProblemDocument(msgspec.Struct, omit_defaults=True):
    """RFC 9457. `errors` names each value that is wrong, `options` each way out there is."""

    type: str
    title: str
    status: int
    detail: str = ""
    errors: list[dict[str, str]] = []
    options: list[dict[str, str]] = []


class PlainProblem(errors.Problem):
    """A problem that the framework found."""

    def __init__(self, status: int, message: str, fields: tuple[FieldError, ...] = ()) -> None:
        self.status = status
        self.title = TITLES.get(status, errors.Problem.title)
        self.kind = {400: "malformed", 404: "not-found"}.get(status, f"http-{status}")
        super().__init__("", fields)
        self.message = message


def responses(*statuses: int) -> Mapping[int, ResponseSpec]:
    """For a route's `responses=`: the problem documents that it can answer."""
    return {
        status: ResponseSpec(
            data_container=ProblemDocument,
            generate_examples=False,
            description=TITLES.get(status, errors.Problem.title),
            media_type=PROBLEM_JSON,
        )
        for status in sorted({400, *statuses})
    }


def from_problem(request: pages.AnyRequest, problem: errors.Problem) -> Response[Any]:
    if not _wants_document(request):
        return pages.error_page(request, problem)
    say = pages.speak(request)
    document = ProblemDocument(
        type=f"urn:filieres:problem:{problem.kind}",
        title=say(problem.title),
        status=problem.status,
        detail=say(problem.message, **problem.params) if problem.message != problem.title else "",
        errors=[
            {"field": error.field, "message": say(error.message, **error.params)}
            for error in problem.fields
        ],
        options=list(problem.options),
    )
    return Response(
        document, media_type=PROBLEM_JSON, status_code=problem.status, headers=_headers(problem)
    )


def from_http(request: pages.AnyRequest, error: HTTPException) -> Response[Any]:
    status = error.status_code
    fields = _fields(error) if isinstance(error, ValidationException) else ()
    message = fields[0].message if fields else TITLES.get(status, errors.Problem.title)
    problem = PlainProblem(status, message, fields)
    if fields:
        problem.params = fields[0].params
    answer = from_problem(request, problem)
    for name in ("allow", "retry-after", "www-authenticate"):
        if value := (error.headers or {}).get(name):
            answer.headers[name] = value
    return answer


def from_unreadable(request: pages.AnyRequest, error: UnicodeDecodeError) -> Response[Any]:
    """A body that is not UTF-8: Litestar lets the decoder's error through."""
    return from_problem(
        request, PlainProblem(400, marked("Le texte envoyé n’est pas de l’UTF-8 valide."))
    )


def from_nested(request: pages.AnyRequest, fault: RecursionError) -> Response[Any]:
    """A body of brackets in brackets without end: Litestar lets the decoder's error through."""
    if "deserializing" not in str(fault):
        return from_fault(request, fault)
    return from_problem(request, PlainProblem(400, TITLES[400]))


def from_fault(request: pages.AnyRequest, fault: Exception) -> Response[Any]:
    """Anything unforeseen: logged, and the answer tells nothing of it."""
    log.error("%s %s", request.method, request.scope["path"], exc_info=fault)
    return from_problem(request, errors.Problem())


def _headers(problem: errors.Problem) -> dict[str, str]:
    return {"WWW-Authenticate": "Bearer"} if problem.status == errors.SignInNeeded.status else {}


def _wants_document(request: pages.AnyRequest) -> bool:
    path = request.scope["path"]
    return path.startswith(("/api/", "/health/", "/schema"))


_IN_BODY = re.compile(r"(?:required|unknown) field `([^`]+)`|at `\$\.([^`]+)`")
_MISSING = re.compile(r"Missing required \w+ parameter '([^']+)'")  # has no `extra`
_KNOWN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"`int` >= (\S+)$"), marked("Donnez un nombre à partir de %(bound)s.")),
    (re.compile(r"`int` <= (\S+)$"), marked("Donnez un nombre jusqu’à %(bound)s.")),
    (re.compile(r"length <= (\S+)$"), marked("Écrivez %(bound)s signes au plus.")),
    (re.compile(r"length >= (\S+)$"), marked("Écrivez au moins %(bound)s signes.")),
    (re.compile(r"Expected `(int|float)`"), marked("Donnez un nombre.")),
    (re.compile(r"Invalid enum value"), marked("Cette valeur n’existe pas.")),
    (re.compile(r"[Mm]issing required"), marked("Cette valeur manque.")),
    (re.compile(r"contains unknown field `(\w+)`"), marked("Le champ « %(bound)s » n’existe pas.")),
)


def _fields(error: ValidationException) -> tuple[FieldError, ...]:
    extra = error.extra if isinstance(error.extra, list) else []
    if missing := _MISSING.match(error.detail):
        extra = [{"key": missing.group(1), "message": error.detail}]
    found = [_field(entry) for entry in extra if isinstance(entry, dict)]
    return tuple(found) or (FieldError("", marked("Une valeur ne convient pas")),)


def _field(entry: Mapping[str, object]) -> FieldError:
    name, message = str(entry.get("key", "")), str(entry.get("message", ""))
    if inner := _IN_BODY.search(message):
        name = inner.group(1) or inner.group(2)
    params = entry.get("params")
    if isinstance(params, dict):
        return FieldError(name, message, params)
    for pattern, ours in _KNOWN:
        if found := pattern.search(message):
            return FieldError(name, ours, {"bound": found.group(1)} if found.groups() else {})
    return FieldError(name, marked("Cette valeur ne convient pas."))


def unknown_parameters(unknown: set[str], known: frozenset[str]) -> ValidationException:
    """The error of a query string with names that the route does not know."""
    extra: list[dict[str, object]] = []
    for name in sorted(unknown)[:MOST_UNKNOWN]:
        near = difflib.get_close_matches(name, known, n=1)
        message = (
            marked("Le filtre « %(name)s » n’existe pas. Vouliez-vous « %(near)s » ?")
            if near
            else marked("Le filtre « %(name)s » n’existe pas.")
        )
        params = {"name": name, **({"near": near[0]} if near else {})}
        extra.append({"key": name, "source": "query", "message": message, "params": params})
    return ValidationException("Unknown query parameter", extra=extra)
