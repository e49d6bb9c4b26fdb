"""vCard 4.0 (RFC 6350) of what is visible of a member, and of nothing else."""

from directory import settings
from directory.members.views import MemberView

LINE_OCTETS = 75
BREAK = "\r\n"
_ESCAPES = str.maketrans({"\\": "\\\\", ",": "\\,", ";": "\\;", "\n": "\\n", "\r": ""})


def card(view: MemberView) -> str:
    lines = [
        "BEGIN:VCARD",
        "VERSION:4.0",
        f"UID:{settings.current().public_url}/members/{view.id}",
        f"FN:{_text(view.display_name)}",
    ]
    if view.headline:
        lines.append(f"TITLE:{_text(view.headline)}")
    if view.biography:
        lines.append(f"NOTE:{_text(view.biography)}")
    if view.trades:
        lines.append(f"ROLE:{_text(view.trades[0].label)}")
    if view.email:
        lines.append(f"EMAIL:{_text(view.email)}")
    if view.phone:
        lines.append(f"TEL:{_text(view.phone)}")
    if view.place:
        lines.append(f"ADR:;;;{_text(view.place.label)};{_text(view.place.region)};;")
    lines += [f"LANG:{one.language}" for one in view.languages]
    lines += [f"URL:{link.url}" for link in view.links]
    lines.append("END:VCARD")
    return "".join(_folded(line) + BREAK for line in lines)


def _text(value: str) -> str:
    return value.translate(_ESCAPES)


def _folded(line: str) -> str:
    """At most 75 octets a line; a letter of several octets stays whole."""
    pieces, piece, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LINE_OCTETS:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += octets
    return BREAK.join([*pieces, piece])
