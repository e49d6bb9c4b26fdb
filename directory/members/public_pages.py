"""What search engines and other sites read of members who are public: all that visitors see."""

from typing import Any

import msgspec
from litestar import MediaType, Response, get
from litestar.params import FromPath
from markupsafe import Markup

from directory import db, errors, settings
from directory.members import audiences
from directory.members.audiences import Field, Level
from directory.members.views import MemberView

PER_PART = 50_000  # addresses in one file: the most that sitemaps.org allows
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"  # a name, not an address
# Whoever a visitor sees at all.
_PUBLIC = f"""
    FROM member m WHERE m.left_on IS NULL
    AND {audiences.sql_visible(Field.DISPLAY_NAME, "m.audiences", f"{Level.VISITOR:d}")}
"""


def person(view: MemberView) -> Markup:
    """schema.org/Person as JSON-LD, for a script element: nothing in it can end the element."""
    address = (
        {"addressLocality": view.place.label, "addressRegion": view.place.region}
        if view.place
        else {}
    )
    said: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Person",
        "@id": permanent(view.id),
        "url": permanent(view.id),
        "name": view.display_name,
        "description": view.headline or view.biography,
        "jobTitle": [trade.label for trade in view.trades],
        "knowsAbout": view.skills_offered,
        "knowsLanguage": [spoken.language for spoken in view.languages],
        "address": {"@type": "PostalAddress", **address} if address else None,
        "email": view.email,
        "telephone": view.phone,
        "sameAs": [link.url for link in view.links],
        "memberOf": {"@type": "Organization", "name": settings.current().name},
    }
    text = msgspec.json.encode({name: value for name, value in said.items() if value}).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - escaped for a script element, three lines above


def permanent(member_id: int) -> str:
    """The address of a profile: it has no name in it that could change."""
    return f"{settings.current().public_url}/members/{member_id}"


@get("/sitemap.xml", include_in_schema=False)
async def sitemap() -> Response[str]:
    """The parts of the map. What is not public any more is not in it: nothing is cached."""
    async with db.connection() as reader:
        count = await reader.fetchval(f"SELECT count(*) {_PUBLIC}")
    url = settings.current().public_url
    parts = range(1, max(1, -(-count // PER_PART)) + 1)
    found = "".join(f"<sitemap><loc>{url}/sitemap/{part}</loc></sitemap>" for part in parts)
    return _xml("sitemapindex", found)


@get("/sitemap/{part:int}", include_in_schema=False)
async def sitemap_part(part: FromPath[int]) -> Response[str]:
    if not 1 <= part <= PER_PART:
        raise errors.NotFound
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"SELECT m.id, coalesce(m.confirmed_at, m.updated_at) AS at {_PUBLIC}"
            " ORDER BY m.id LIMIT $1 OFFSET $2",
            PER_PART, (part - 1) * PER_PART,
        )  # fmt: skip
    if not rows and part > 1:
        raise errors.NotFound
    home = f"<url><loc>{settings.current().public_url}/</loc></url>" if part == 1 else ""
    return _xml(
        "urlset",
        home
        + "".join(
            f"<url><loc>{permanent(row['id'])}</loc><lastmod>{row['at']:%Y-%m-%d}</lastmod></url>"
            for row in rows
        ),
    )


def _xml(root: str, inside: str) -> Response[str]:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">{inside}</{root}>'
    return Response(text, media_type="application/xml; charset=utf-8")


@get("/robots.txt", include_in_schema=False)
async def robots() -> Response[str]:
    """Searches and forms are for people; profiles that are public may be indexed."""
    lines = [
        "User-agent: *",
        "Disallow: /*?",
        "Disallow: /api/",
        "Disallow: /login",
        f"Sitemap: {settings.current().public_url}/sitemap.xml",
    ]
    return Response("\n".join(lines) + "\n", media_type=MediaType.TEXT)


PAGES = [sitemap, sitemap_part, robots]
