"""Pages and their fragments: one context for both."""

import functools
import hashlib
import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jinja2
import msgspec
from babel import Locale, UnknownLocaleError, dates, numbers
from litestar import MediaType, Request, Response
from litestar.datastructures import State

from directory import errors, languages, settings

ROOT = Path(__file__).resolve().parent.parent
LANGUAGE_COOKIE = "language"
AnyRequest = Request[Any, Any, State]


@functools.cache
def _environment() -> jinja2.Environment:
    domains = {
        folder.parent.name: jinja2.FileSystemLoader(folder) for folder in ROOT.glob("*/templates")
    }
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.FileSystemLoader(ROOT / "templates"), jinja2.PrefixLoader(domains)]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset
    return environment


@functools.cache
def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    content = (ROOT / "web" / "static" / name).read_bytes()
    version = hashlib.sha256(content).hexdigest()[:8]
    return f"/static/{name}?v={version}"


def language(request: AnyRequest) -> str:
    """What the address says, the reader's own choice, their account's, their browser's."""
    accept = [
        part.split(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")
    ]
    return languages.negotiate(
        request.query_params.get("lang"),
        request.cookies.get(LANGUAGE_COOKIE),
        getattr(request.scope.get("user"), "language", None),
        accept=accept,
    )


def speak(request: AnyRequest) -> Callable[..., str]:
    return functools.partial(languages.translate, language(request))


def wants_part(request: AnyRequest) -> bool:
    """Whether htmx asks for a part of a page.

    The browser's back button makes htmx ask for a whole page again: it gets one.
    """
    is_asked = request.headers.get("hx-request") == "true"
    return is_asked and request.headers.get("hx-history-restore-request") != "true"


def page(
    request: AnyRequest,
    template: str,
    /,
    *,
    fragment: str = "",
    status: int = 200,
    **context: object,
) -> Response[str]:
    """The page; or only its block `fragment`, when htmx asks for a part."""
    chosen = language(request)
    values = {
        "request": request,
        "path": request.scope["path"],
        "actor": request.scope.get("user"),
        "language": chosen,
        "site": settings.current().name,
        "is_demo": settings.current().demo,
        "format": Format(chosen),
        **languages.speaker(chosen, html=True),
        **context,
    }
    source = _environment().get_template(template)
    if fragment and wants_part(request):
        text = "".join(source.blocks[fragment](source.new_context(values)))
    else:
        text = source.render(values)
    headers = {"Content-Language": chosen, "Vary": "HX-Request, Cookie, Accept-Language"}
    if not context.get("cacheable"):
        headers["Cache-Control"] = "no-store"
    return Response(text, media_type=MediaType.HTML, status_code=status, headers=headers)


def block(template: str, name: str, chosen: str, /, **context: object) -> str:
    """One block of a template, for text that answers no request."""
    values = {
        "language": chosen,
        "site": settings.current().name,
        "url": settings.current().public_url,
        "format": Format(chosen),
        **languages.speaker(chosen, html=True),
        **context,
    }
    source = _environment().get_template(template)
    return "".join(source.blocks[name](source.new_context(values)))


def error_page(request: AnyRequest, problem: errors.Problem) -> Response[Any]:
    answer = page(request, "error.html", fragment="brief", status=problem.status, problem=problem)
    if request.headers.get("hx-request") == "true":
        answer.headers["HX-Retarget"] = "#notice"
        answer.headers["HX-Reswap"] = "innerHTML"
        answer.headers["HX-Push-Url"] = "false"  # the rest of the page is still where it was
    return answer


FIRST_DAY = re.compile(r"(?<!\S)1 (?=[^\W\d])")


class Format(msgspec.Struct, frozen=True):
    """Dates and figures as the reader's language writes them. Instants are shown in a zone."""

    language: str

    def day(self, day: date, pattern: str = "") -> str:
        """'3 décembre 2026', '1er janvier 2027'; a pattern is one of CLDR's, such as 'd MMM'."""
        return self._first(dates.format_date(day, pattern or "d MMMM y", locale=self.language))

    def _first(self, written: str) -> str:
        """French alone counts the first day of a month: CLDR has no pattern for it."""
        return FIRST_DAY.sub("1er ", written) if self.language == "fr" else written

    def instant(self, at: datetime, zone: str = "Europe/Brussels") -> str:
        """'jeudi 3 décembre 2026, 18 h 30' in French, '18:30' elsewhere."""
        local = at.astimezone(ZoneInfo(zone))
        day = self.day(local, "EEEE d MMMM y")
        return f"{day}, {self.hour(at, zone)}"

    def hour(self, at: datetime, zone: str = "Europe/Brussels") -> str:
        local = at.astimezone(ZoneInfo(zone))
        pattern = "H'\u00a0h\u00a0'mm" if self.language == "fr" else "HH:mm"
        return dates.format_time(local, pattern, locale=self.language)

    def number(self, number: int | float) -> str:
        return numbers.format_decimal(number, locale=self.language)

    def language_name(self, code: str) -> str:
        """'néerlandais' for 'nl'."""

        try:
            return Locale.parse(code).get_language_name(self.language) or code
        except (UnknownLocaleError, ValueError):
            return code
