"""The headers that every answer carries, errors and files too."""

from typing import Any

from directory import settings

CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
OVER_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
UNCACHED = {"Cache-Control": "no-store"}
PUBLIC = ("/static/",)
# RapiDoc writes its styles into its page.
INTERACTIVE = "/schema"
STYLED = CONTENT_SECURITY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


async def complete(message: Any, scope: Any) -> None:
    """Add what the answer does not say itself. Litestar leaves its own headers off errors."""
    if message["type"] != "http.response.start":
        return
    wanted = ALWAYS | (OVER_HTTPS if settings.current().is_https else {})
    if not scope["path"].startswith(PUBLIC):
        wanted |= UNCACHED
    if scope["path"] == INTERACTIVE:
        wanted["Content-Security-Policy"] = STYLED
    given = {name.lower() for name, _ in message["headers"]}
    message["headers"] = [
        *message["headers"],
        *(
            (name.lower().encode(), text.encode())
            for name, text in wanted.items()
            if name.lower().encode() not in given
        ),
    ]
