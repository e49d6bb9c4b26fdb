"""Links to one's site and networks: which are taken, and which network they are of."""

import re
from urllib.parse import urlsplit

from directory import errors
from directory.languages import marked
from directory.members.views import LinkView

LONGEST = 300
MAIL = marked(
    "« %(link)s » est une adresse mail. Sa place est le champ « Adresse mail » de votre fiche : "
    "vous y choisissez qui la voit."
)
NUMBER = marked(
    "« %(link)s » est un numéro. Sa place est le champ « Téléphone » de votre fiche : "
    "vous y choisissez qui le voit."
)
REACHED = {"mailto": MAIL, "tel": NUMBER, "sms": NUMBER, "callto": NUMBER}
ADDRESS = re.compile(r"[^\s@/:]+@[^\s@/:]+\.[^\s@/:]+")
NETWORKS = {
    "linkedin.com": "linkedin",
    "facebook.com": "facebook",
    "fb.com": "facebook",
    "instagram.com": "instagram",
}
# Other places where an address may be /@name.
NO_MASTODON = (
    "medium.com",
    "tiktok.com",
    "youtube.com",
    "threads.net",
    "threads.com",
    "flickr.com",
)


def read(field: str, typed: str) -> LinkView:
    """A link from what was typed; https:// is added where no scheme is.

    :raises errors.Malformed: for anything but an http(s) address of a named host. What reaches a
        person has fields of its own, with an audience of their own.
    """
    _refuse_reach(field, typed)
    url = typed if "://" in typed or _scheme(typed) else f"https://{typed}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    is_plain = url.isprintable() and " " not in url and "\\" not in url and len(url) <= LONGEST
    has_name = "." in host.strip(".") and "@" not in (parts.netloc if host else "")
    if not (is_plain and has_name and parts.scheme in {"http", "https"}):
        raise errors.Malformed.field(
            field,
            marked(
                "« %(link)s » n’est pas une adresse web. "
                "Donnez-en une qui commence par https://, par exemple https://atelier.example."
            ),
            link=typed[:80],
        )
    return LinkView(network(host, parts.path), url)


def _refuse_reach(field: str, typed: str) -> None:
    scheme, colon, rest = typed.partition(":")
    if colon and scheme.strip().lower() in REACHED:
        raise errors.Malformed.field(field, REACHED[scheme.strip().lower()], link=rest.strip()[:80])
    if ADDRESS.fullmatch(typed.strip()):
        raise errors.Malformed.field(field, MAIL, link=typed.strip()[:80])


def _scheme(typed: str) -> bool:
    """Whether it starts as 'mailto:' does, and not as 'atelier.example:8080'."""
    before, colon, after = typed.partition(":")
    return bool(colon) and "." not in before and not after[:1].isdigit()


def network(host: str, path: str) -> str:
    """The kind of a link: a known network, 'mastodon' for any server of it, or 'site'."""
    host = host.lower().strip(".")
    for domain, kind in NETWORKS.items():
        if host == domain or host.endswith(f".{domain}"):
            return kind
    is_elsewhere = any(host == name or host.endswith(f".{name}") for name in NO_MASTODON)
    name = path.strip("/")
    if name.startswith("@") and "/" not in name and len(name) > 1 and not is_elsewhere:
        return "mastodon"
    return "site"


def label(link: LinkView) -> str:
    """What is shown of it: '@awa@social.example', or the address without its scheme."""
    parts = urlsplit(link.url)
    if link.kind == "mastodon":
        return f"{parts.path.strip('/')}@{parts.hostname}"
    return bare(link.url)


def bare(url: str) -> str:
    """An address without its scheme."""
    parts = urlsplit(url)
    return (parts.netloc.removeprefix("www.") + parts.path).rstrip("/")
