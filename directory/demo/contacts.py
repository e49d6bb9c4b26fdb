"""Ways to reach invented people: none of them leads to anybody."""

from collections import Counter
from random import Random

from directory.demo import names
from directory.demo.names import Name
from directory.members.reference import places

HOSTS = ("courriel.example", "poste.example", "boite.example", "mail.example")

# France keeps these ranges for fiction (ARCEP). Belgium keeps none: no subscriber's number starts
# with a zero there.
FRENCH = ("+33 1 99 00", "+33 2 61 91", "+33 3 53 01", "+33 4 65 71", "+33 6 39 98")
BELGIAN = ("+32 2 000", "+32 4 000", "+32 9 000", "+32 3 000")

# What everybody may see, for those who open their profile.
SHOWN = ("display_name", "headline", "trades", "place", "skills_offered")
OFTEN_SHOWN = {
    "biography": 0.6,
    "links": 0.7,
    "sectors": 0.5,
    "availability": 0.4,
    "languages": 0.5,
    "territory": 0.5,
    "memberships": 0.3,
}
CLOSED = 0.17
"""Of all: those who show nothing outside the cooperative."""


def email(chance: Random, name: Name, seen: Counter[str]) -> str:
    """An address that nobody before had; `seen` counts them."""
    given, family = _slug(name.given), _slug(name.family)
    local, host = f"{given}.{family}", chance.choice(HOSTS)
    if chance.random() < 0.2:
        local, host = given, f"{family}.example"
    address = f"{local}@{host}"
    seen[address] += 1
    while seen[address] > 1:
        address = f"{local}{seen[address]}@{host}"
        seen[address] += 1
    return address


def _slug(name: str) -> str:
    """In the letters of an address, also of those that do not decompose."""
    return places.slug(name.replace("ı", "i").replace("ł", "l").replace("’", ""))


def phone(chance: Random, place: str) -> str:
    if place.startswith("fr-"):
        return f"{chance.choice(FRENCH)} {chance.randrange(100):02} {chance.randrange(100):02}"
    return f"{chance.choice(BELGIAN)} {chance.randrange(100):02} {chance.randrange(100):02}"


def links(chance: Random, name: Name) -> tuple[tuple[str, str], ...]:
    """(kind, address)"""
    slug = f"{_slug(name.given)}-{_slug(name.family)}"
    known = (
        ("site", f"https://{slug}.example", 0.45),
        ("linkedin", f"https://linkedin.example/in/{slug}", 0.3),
        ("instagram", f"https://instagram.example/{slug.replace('-', '.')}", 0.22),
        ("facebook", f"https://facebook.example/{slug}", 0.12),
        ("mastodon", f"https://social.example/@{slug.replace('-', '_')}", 0.14),
    )
    return tuple((kind, url) for kind, url, share in known if chance.random() < share)


def audiences(chance: Random) -> dict[str, str]:
    """By field; a field that is not named keeps its default."""
    chosen: dict[str, str] = {}
    if chance.random() >= CLOSED:
        chosen = dict.fromkeys(SHOWN, "public")
        chosen |= {
            field: "public" for field, share in OFTEN_SHOWN.items() if chance.random() < share
        }
    if chance.random() < 0.35:
        chosen["phone"] = names.draw_key(chance, {"filieres": 50, "members": 40, "public": 10})
    if chance.random() < 0.25:
        chosen["email"] = names.draw_key(chance, {"filieres": 50, "members": 40, "public": 10})
    if chance.random() < 0.3:
        chosen["stage"] = "me"
    if chance.random() < 0.15:
        chosen["skills_wanted"] = "filieres"
    if chance.random() < 0.08:
        chosen["availability"] = chance.choice(("me", "filieres"))
    if chance.random() < 0.05:
        chosen["biography"] = chance.choice(("me", "filieres"))
    return chosen
