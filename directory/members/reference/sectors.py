"""Economic sectors: NACE-BEL 2025, which is NACE Rev. 2.1 with a fifth level."""

from collections.abc import Mapping
from typing import NamedTuple

from directory.members.reference import files

FILES = ("nacebel2025_fr_nl_de_en",)

# The first and last division of each section (NACE Rev. 2.1).
SECTIONS = {
    "A": (1, 3),
    "B": (5, 9),
    "C": (10, 33),
    "D": (35, 35),
    "E": (36, 39),
    "F": (41, 43),
    "G": (46, 47),
    "H": (49, 53),
    "I": (55, 56),
    "J": (58, 60),
    "K": (61, 63),
    "L": (64, 66),
    "M": (68, 68),
    "N": (69, 75),
    "O": (77, 82),
    "P": (84, 84),
    "Q": (85, 85),
    "R": (86, 88),
    "S": (90, 93),
    "T": (94, 96),
    "U": (97, 98),
    "V": (99, 99),
}

# The source has the sections in upper case, and German needs its nouns.
GERMAN = {
    "A": "Land- und Forstwirtschaft, Fischerei",
    "B": "Bergbau und Gewinnung von Steinen und Erden",
    "C": "Verarbeitendes Gewerbe/Herstellung von Waren",
    "D": "Energieversorgung",
    "E": "Wasserversorgung; Abwasser- und Abfallentsorgung und Beseitigung von "
    "Umweltverschmutzungen",
    "F": "Baugewerbe/Bau",
    "G": "Handel",
    "H": "Verkehr und Lagerei",
    "I": "Gastgewerbe/Beherbergung und Gastronomie",
    "J": "Verlagswesen, Rundfunk sowie Erstellung und Verbreitung von Medieninhalten",
    "K": "Telekommunikation, Softwareentwicklung, IT-Beratung und Erbringung sonstiger "
    "Dienstleistungen der Informationstechnologie und der Computerinfrastruktur",
    "L": "Erbringung von Finanz- und Versicherungsdienstleistungen",
    "M": "Grundstücks- und Wohnungswesen",
    "N": "Erbringung von freiberuflichen, wissenschaftlichen und technischen Dienstleistungen",
    "O": "Erbringung von sonstigen wirtschaftlichen Dienstleistungen",
    "P": "Öffentliche Verwaltung, Verteidigung; Sozialversicherung",
    "Q": "Erziehung und Unterricht",
    "R": "Gesundheits- und Sozialwesen",
    "S": "Kunst, Sport und Erholung",
    "T": "Erbringung von sonstigen Dienstleistungen",
    "U": "Private Haushalte mit Hauspersonal sowie Herstellung von Waren und Erbringung von "
    "Dienstleistungen durch private Haushalte für den Eigenbedarf ohne ausgeprägten Schwerpunkt",
    "V": "Exterritoriale Organisationen und Körperschaften",
}


class Sector(NamedTuple):
    code: str
    level: int
    parent_code: str | None
    label_fr: str
    label_nl: str
    label_de: str
    label_en: str


def read() -> list[Sector]:
    return [parse(row) for row in files.read(FILES[0])]


def parse(row: Mapping[str, str]) -> Sector:
    code, level = row["code_dot"], int(row["level"])
    french, dutch, german, english = (
        row[f"label_{language}"].strip(" ;") for language in ("fr", "nl", "de", "en")
    )
    if level == 1:
        french, dutch, english = map(str.capitalize, (french, dutch, english))
        german = GERMAN[code]
    parent = section_of(code) if level == 2 else row["parent"] or None
    return Sector(code, level, parent, french, dutch, german, english)


def section_of(division: str) -> str:
    """The letter of the section of a code such as '62' or '62.010'."""
    number = int(division[:2])
    for letter, (first, last) in SECTIONS.items():
        if first <= number <= last:
            return letter
    raise LookupError(f"no NACE section holds {division}")
