"""Towns of Belgium and France, and their regions."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from directory.members.reference import files, forms

FILES = ("communes_be", "communes_fr")

DISTRICT = re.compile(r"^(Paris|Lyon|Marseille) (\d+e?r?) Arrondissement$")
NUMBERED = re.compile(r"-\d{4}$")
DISAMBIGUATED = re.compile(r" \([^)]+\)$")

# GeoNames 2988507: the file has no coordinates for Paris, nor for its districts.
PARIS = (48.85341, 2.3488)


class Region(NamedTuple):
    code: str
    country: str
    label_fr: str
    label_nl: str
    label_en: str


class Place(NamedTuple):
    code: str
    region_code: str
    postal_code: str
    label_fr: str
    label_nl: str
    municipality: str
    population: int | None
    latitude: float | None
    longitude: float | None


# By the province of Statbel (NIS).
BELGIAN = {
    "04000": Region("BE-BRU", "BE", "Bruxelles", "Brussel", "Brussels"),
    "10000": Region("BE-VAN", "BE", "Anvers", "Antwerpen", "Antwerp"),
    "20001": Region("BE-VBR", "BE", "Brabant flamand", "Vlaams-Brabant", "Flemish Brabant"),
    "20002": Region("BE-WBR", "BE", "Brabant wallon", "Waals-Brabant", "Walloon Brabant"),
    "30000": Region("BE-VWV", "BE", "Flandre-Occidentale", "West-Vlaanderen", "West Flanders"),
    "40000": Region("BE-VOV", "BE", "Flandre-Orientale", "Oost-Vlaanderen", "East Flanders"),
    "50000": Region("BE-WHT", "BE", "Hainaut", "Henegouwen", "Hainaut"),
    "60000": Region("BE-WLG", "BE", "Liège", "Luik", "Liège"),
    "70000": Region("BE-VLI", "BE", "Limbourg", "Limburg", "Limburg"),
    "80000": Region("BE-WLX", "BE", "Luxembourg", "Luxemburg", "Luxembourg"),
    "90000": Region("BE-WNA", "BE", "Namur", "Namen", "Namur"),
}

# By the region of INSEE.
FRENCH = {
    "01": Region("FR-971", "FR", "Guadeloupe", "Guadeloupe", "Guadeloupe"),
    "02": Region("FR-972", "FR", "Martinique", "Martinique", "Martinique"),
    "03": Region("FR-973", "FR", "Guyane", "Frans-Guyana", "French Guiana"),
    "04": Region("FR-974", "FR", "La Réunion", "Réunion", "Réunion"),
    "06": Region("FR-976", "FR", "Mayotte", "Mayotte", "Mayotte"),
    "11": Region("FR-IDF", "FR", "Île-de-France", "Île-de-France", "Île-de-France"),
    "24": Region(
        "FR-CVL", "FR", "Centre-Val de Loire", "Centre-Val de Loire", "Centre-Val de Loire"
    ),
    "27": Region(
        "FR-BFC",
        "FR",
        "Bourgogne-Franche-Comté",
        "Bourgondië-Franche-Comté",
        "Burgundy-Franche-Comté",
    ),
    "28": Region("FR-NOR", "FR", "Normandie", "Normandië", "Normandy"),
    "32": Region("FR-HDF", "FR", "Hauts-de-France", "Hauts-de-France", "Hauts-de-France"),
    "44": Region("FR-GES", "FR", "Grand Est", "Grand Est", "Grand Est"),
    "52": Region("FR-PDL", "FR", "Pays de la Loire", "Pays de la Loire", "Pays de la Loire"),
    "53": Region("FR-BRE", "FR", "Bretagne", "Bretagne", "Brittany"),
    "75": Region("FR-NAQ", "FR", "Nouvelle-Aquitaine", "Nouvelle-Aquitaine", "Nouvelle-Aquitaine"),
    "76": Region("FR-OCC", "FR", "Occitanie", "Occitanië", "Occitania"),
    "84": Region(
        "FR-ARA", "FR", "Auvergne-Rhône-Alpes", "Auvergne-Rhône-Alpes", "Auvergne-Rhône-Alpes"
    ),
    "93": Region(
        "FR-PAC",
        "FR",
        "Provence-Alpes-Côte d’Azur",
        "Provence-Alpes-Côte d’Azur",
        "Provence-Alpes-Côte d’Azur",
    ),
    "94": Region("FR-20R", "FR", "Corse", "Corsica", "Corsica"),
    "975": Region(
        "FR-PM",
        "FR",
        "Saint-Pierre-et-Miquelon",
        "Saint-Pierre en Miquelon",
        "Saint Pierre and Miquelon",
    ),
    "977": Region("FR-BL", "FR", "Saint-Barthélemy", "Saint-Barthélemy", "Saint Barthélemy"),
    "978": Region("FR-MF", "FR", "Saint-Martin", "Sint-Maarten", "Saint Martin"),
    "986": Region("FR-WF", "FR", "Wallis-et-Futuna", "Wallis en Futuna", "Wallis and Futuna"),
    "987": Region("FR-PF", "FR", "Polynésie française", "Frans-Polynesië", "French Polynesia"),
    "988": Region("FR-NC", "FR", "Nouvelle-Calédonie", "Nieuw-Caledonië", "New Caledonia"),
}


def read() -> tuple[list[Region], list[Place]]:
    places = [parse_belgian(row) for row in files.read("communes_be")]
    places += locate_districts(map(parse_french, files.read("communes_fr")))
    return [*BELGIAN.values(), *FRENCH.values()], places


def parse_belgian(row: Mapping[str, str]) -> Place:
    """A postal code and a municipality: 'be-1050-ixelles' and 'be-1050-bruxelles' are two."""
    municipality = row["municipality_fr"]
    french, dutch = _names(row)
    return Place(
        f"be-{row['postal_code']}-{slug(municipality)}",
        BELGIAN[row["province_nis"]].code,
        row["postal_code"],
        french,
        dutch,
        municipality,
        None,
        float(row["lat"]) if row["lat"] else None,
        float(row["lon"]) if row["lon"] else None,
    )


def parse_french(row: Mapping[str, str]) -> Place:
    """The postal code is the first of a town that has several."""
    district = DISTRICT.match(row["name"])
    name = f"{district[1]} {district[2]}" if district else row["name"]
    return Place(
        f"fr-{row['insee'].lower()}",
        FRENCH[row["region"]].code,
        row["postal_codes"].partition("|")[0],
        name,
        name,
        district[1] if district else name,
        int(row["population"]) if row["population"] else None,
        float(row["lat"]) if row["lat"] else None,
        float(row["lon"]) if row["lon"] else None,
    )


def locate_districts(places: Iterable[Place]) -> Iterator[Place]:
    """A district without coordinates takes those of its city."""
    known = list(places)
    cities = {
        place.label_fr: (place.latitude, place.longitude)
        for place in known
        if place.latitude is not None and place.label_fr in {"Lyon", "Marseille"}
    }
    cities["Paris"] = PARIS
    for place in known:
        if place.latitude is None and place.municipality in cities:
            latitude, longitude = cities[place.municipality]
            yield place._replace(latitude=latitude, longitude=longitude)
        else:
            yield place


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", forms.fold(text)).strip("-")


def _names(row: Mapping[str, str]) -> tuple[str, str]:
    """GeoNames has most localities in the region's language only, some with a number or a
    province behind; the municipality has both."""
    whole = row["municipality_fr"], row["municipality_nl"]
    french, dutch = (NUMBERED.sub("", row[f"locality_{language}"]) for language in ("fr", "nl"))
    if not french or {_key(french), _key(dutch)} & {_key(name) for name in whole}:
        return whole
    return DISAMBIGUATED.sub("", french), DISAMBIGUATED.sub("", dutch or french)


def _key(name: str) -> str:
    return slug(DISAMBIGUATED.sub("", name))
