"""What search engines are told of profiles that their owners made public. Nothing is cached: who
hides or leaves is gone from here with the commit.

A profile's permanent address is its number, which is never given to anybody else.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import MediaType, Response, get
from litestar.params import FromPath
from litestar.response import Stream
from markupsafe import Markup

from directory import db, errors, settings
from directory.http.pages import AnyRequest
from directory.languages import LANGUAGES
from directory.members import audiences
from directory.members.audiences import Field, Level
from directory.members.views import MemberView

PER_FILE = 50_000  # the most that a sitemap may hold
PER_READ = 1_000
XML = "application/xml"
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
LOCALES = {"fr": "fr_BE", "nl": "nl_BE", "en": "en_GB"}
CLOSED = (
    "/api/", "/m/", "/me/", "/fresh/", "/reminders/", "/messages/", "/login", "/facets/", "/places",
    "/demo/",
)  # fmt: skip
# The first condition is that of an index; the second is what decides.
_PUBLIC = f"""
    FROM member m WHERE m.left_on IS NULL AND m.audiences ->> 'display_name' = 'public'
    AND {audiences.sql_visible(Field.DISPLAY_NAME, "m.audiences", f"{Level.VISITOR:d}")}
"""


class Head(msgspec.Struct, frozen=True):
    """For the head of a public page. other: addresses by language. data: JSON-LD."""

    url: str
    locale: str
    description: str
    other: dict[str, str]
    data: Markup


def address(member_id: int) -> str:
    return f"{settings.current().public_url}/members/{member_id}"


def head(view: MemberView, language: str, *, is_asked: bool) -> Head:
    """Of what a visitor sees. is_asked: the address names the language."""
    url = address(view.id)
    return Head(
        url=f"{url}?lang={language}" if is_asked else url,
        locale=LOCALES[language],
        description=view.headline or ", ".join(trade.label for trade in view.trades),
        other={code: f"{url}?lang={code}" for code in LANGUAGES} | {"x-default": url},
        data=script(person(view)),
    )


def person(view: MemberView) -> dict[str, Any]:
    """schema.org/Person: what the view holds, and nothing else."""
    place = view.place
    said = {
        "jobTitle": [trade.label for trade in view.trades],
        "description": view.headline,
        "knowsAbout": view.skills_offered,
        "knowsLanguage": [one.language for one in view.languages],
        "email": view.email,
        "telephone": view.phone,
        "sameAs": [link.url for link in view.links],
        "address": place
        and {
            "@type": "PostalAddress",
            "addressLocality": place.label,
            "addressRegion": place.region,
            "addressCountry": place.region_code[:2],
        },
    }
    return {
        "@context": "https://schema.org",
        "@type": "Person",
        "@id": address(view.id),
        "url": address(view.id),
        "name": view.display_name,
        "memberOf": {"@type": "Organization", "name": settings.current().name},
    } | {name: value for name, value in said.items() if value}


def script(data: object) -> Markup:
    """JSON that cannot end the script element that it stands in."""
    text = msgspec.json.encode(data).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - no character of it means anything to HTML


@get("/robots.txt", include_in_schema=False, media_type=MediaType.TEXT)
async def robots() -> str:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in CLOSED)]
    return "\n".join([*lines, f"Sitemap: {settings.current().public_url}/sitemap.xml", ""])


@get("/sitemap.xml", include_in_schema=False)
async def sitemap(request: AnyRequest) -> Response[Any]:
    """The profiles; past 50,000 of them, the list of the files that hold them."""
    async with db.connection() as reader:
        total = await reader.fetchval(f"SELECT count(*) {_PUBLIC}")
    if total <= PER_FILE:
        return Stream(_entries(0), media_type=XML)
    files = -(-total // PER_FILE)
    base = settings.current().public_url
    places = "".join(
        f"<sitemap><loc>{base}/sitemaps/{number}</loc></sitemap>\n"
        for number in range(1, files + 1)
    )
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex xmlns="{NAMESPACE}">\n'
    return Response(f"{text}{places}</sitemapindex>\n", media_type=XML)


@get("/sitemaps/{number:int}", include_in_schema=False)
async def sitemap_file(number: FromPath[int]) -> Stream:
    """:raises errors.NotFound: for a file past the last one."""
    skipped = (number - 1) * PER_FILE
    async with db.connection() as reader:
        first = 0 < number < 10_000 and await reader.fetchval(
            f"SELECT m.id {_PUBLIC} ORDER BY m.id LIMIT 1 OFFSET $1",
            skipped,
        )
    if not first:
        raise errors.NotFound
    return Stream(_entries(first - 1), media_type=XML)


async def _entries(after: int) -> AsyncIterator[str]:
    """A file of those after this id, read a part at a time.

    lastmod is the day of the last confirmation, which the page says too: a change of what is
    hidden leaves no other trace here.
    """
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{NAMESPACE}">\n'
    left = PER_FILE
    while left:
        async with db.connection() as reader:
            rows = await reader.fetch(
                "SELECT m.id, (coalesce(m.confirmed_at, m.created_at) AT TIME ZONE 'UTC')::date"
                f" AS day {_PUBLIC} AND m.id > $1 ORDER BY m.id LIMIT $2",
                after,
                min(PER_READ, left),
            )
        if not rows:
            break
        yield "".join(
            f"<url><loc>{address(row['id'])}</loc><lastmod>{row['day']}</lastmod></url>\n"
            for row in rows
        )
        after, left = rows[-1]["id"], left - len(rows)
    yield "</urlset>\n"


PAGES = [robots, sitemap, sitemap_file]
