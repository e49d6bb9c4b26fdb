"""vCards (RFC 6350, version 4.0) of what the reader sees of a member."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from babel import Locale

from directory import settings
from directory.languages import SOURCE
from directory.members.views import MemberView

MEDIA_TYPE = "text/vcard"
LINE_OCTETS = 75
# What some readers of lines break at, and what RFC 6350 has no character for.
_BREAKS = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_URI = ":/?#[]@!$&'()*+,;=%-._~"


def card(view: MemberView, language: str = SOURCE, photo: bytes | None = None) -> str:
    """A whole vCard, with CRLF at its end. It holds nothing that the view does not.

    photo: the JPEG of what the view shows; without it the vCard has the address of it.
    What a vCard has no property for (skills wanted, availability, stage) stays out of it.
    """
    lines = ["BEGIN:VCARD", "VERSION:4.0", "KIND:individual", *_properties(view, language)]
    return "".join(f"{fold(line)}\r\n" for line in (*lines, *_photo(view, photo), "END:VCARD"))


def _properties(view: MemberView, language: str) -> Iterator[str]:
    address = f"{settings.current().public_url}/members/{view.id}"
    yield f"UID:{uri(address)}"
    yield f"SOURCE:{uri(address + '/card.vcf')}"
    yield f"FN:{escaped(view.display_name)}"
    groups = [*(sector.label for sector in view.sectors), *(one.name for one in view.filieres)]
    lists: Mapping[str, Sequence[str | None]] = {
        "TITLE": [trade.label for trade in view.trades],
        "EMAIL": [view.email],
        "TEL": [view.phone],
        "EXPERTISE": view.skills_offered,  # RFC 6715
        "NOTE": [view.headline, view.biography],
    }
    for name, texts in lists.items():
        yield from (f"{name}:{escaped(text)}" for text in texts if text)
    if view.territory:
        yield f"ORG:{escaped(settings.current().name)};{escaped(view.territory.name)}"
    if view.place:
        country = Locale.parse(language).territories.get(view.place.region_code[:2], "")
        parts = ("", "", "", view.place.label, view.place.region, "", country)
        yield f"ADR:{';'.join(map(escaped, parts))}"
    if groups:
        yield f"CATEGORIES:{','.join(map(escaped, groups))}"
    for number, one in enumerate(view.languages, start=1):
        yield f"LANG;PREF={number}:{escaped(one.language)}"
    yield from (f"URL:{uri(link.url)}" for link in view.links)


def _photo(view: MemberView, photo: bytes | None) -> Iterator[str]:
    """RFC 6350, 6.2.4. In the card itself: an address book has no session to fetch it with."""
    if photo is not None:
        yield f"PHOTO:data:image/jpeg;base64,{base64.b64encode(photo).decode()}"
    elif view.photo:
        yield f"PHOTO;MEDIATYPE=image/webp:{uri(settings.current().public_url + view.photo.large)}"


def cards(views: Iterable[MemberView], language: str = SOURCE) -> Iterator[str]:
    return (card(view, language) for view in views)


def escaped(text: str) -> str:
    """Text as a value, or as one part of a value of several (section 3.4)."""
    text = _CONTROLS.sub("", _BREAKS.sub("\n", text))
    for character in "\\,;":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", "\\n")


def uri(address: str) -> str:
    """What no URI may hold, as octets: it is not escaped as text is."""
    return quote(address, safe=_URI)


def fold(line: str) -> str:
    """Lines of 75 octets at most; no character is cut in two (section 3.2)."""
    pieces, size = [""], 0
    for character in line:
        octets = len(character.encode(errors="replace"))
        if size + octets > LINE_OCTETS:
            pieces.append(" ")
            size = 1
        pieces[-1] += character
        size += octets
    return "\r\n".join(pieces)
