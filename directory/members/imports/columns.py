"""The columns of an import, by their headers in French, Dutch and English."""

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from directory.languages import LANGUAGES, marked
from directory.members.imports.reading import Refused
from search import normaliser


class Column(enum.StrEnum):
    ID = "id"
    NUMBER = "number"
    EMAIL = "email"
    NAME = "name"
    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    DISPLAY_NAME = "display_name"
    HEADLINE = "headline"
    BIOGRAPHY = "biography"
    TRADES = "trades"
    SECTORS = "sectors"
    SKILLS_OFFERED = "skills_offered"
    SKILLS_WANTED = "skills_wanted"
    LANGUAGES = "languages"
    PLACE = "place"
    POSTAL_CODE = "postal_code"
    TOWN = "town"
    TERRITORY = "territory"
    PHONE = "phone"
    LINKS = "links"
    STAGE = "stage"
    TURNOVER = "turnover_band"
    MAIL_LANGUAGE = "mail_language"
    JOINED_ON = "joined_on"
    LEFT_ON = "left_on"


class Described(NamedTuple):
    """names: the header in French, Dutch and English; aliases: others that are understood too.

    words say what a cell holds: a marked text.
    """

    names: tuple[str, str, str]
    words: str
    aliases: tuple[str, ...] = ()
    example: str = ""


DESCRIBED: Mapping[Column, Described] = {
    Column.NUMBER: Described(
        ("numéro de membre", "lidnummer", "member number"),
        marked("Le numéro dans votre registre. Il reconnaît la personne d’un import à l’autre."),
        ("numéro", "n° de membre", "n° membre", "no membre", "numéro de sociétaire", "matricule",
         "n° sociétaire", "nummer", "lidnr", "number", "member no", "membership number"),
        "000123",
    ),
    Column.EMAIL: Described(
        ("adresse mail", "e-mailadres", "email"),
        marked("L’adresse pour entrer. Une personne qui a déjà confirmé la sienne la garde."),
        ("mail", "e-mail", "courriel", "adresse e-mail", "adresse électronique", "mailadres",
         "email address", "e-mail address"),
        "awa@lemaire.example",
    ),
    Column.NAME: Described(
        ("nom complet", "volledige naam", "full name"),
        marked("Prénom et nom. À la place, donnez une colonne « prénom » et une colonne « nom »."),
        ("nom", "naam", "name", "nom et prénom", "prénom et nom", "prénom nom"),
        "Awa Lemaire",
    ),
    Column.GIVEN_NAME: Described(
        ("prénom", "voornaam", "given name"), marked("Le prénom dans votre registre."),
        ("first name", "firstname"),
    ),
    Column.FAMILY_NAME: Described(
        ("nom de famille", "familienaam", "family name"),
        marked("Le nom dans votre registre. À côté d’un prénom, « nom » suffit."),
        ("achternaam", "last name", "lastname", "surname"),
    ),
    Column.DISPLAY_NAME: Described(
        ("nom affiché", "weergavenaam", "name to show"),
        marked("Le nom sur la fiche, quand il diffère du nom complet."),
        ("nom d'usage", "display name", "nom public"),
    ),
    Column.HEADLINE: Described(
        ("accroche", "slagzin", "headline"), marked("Une ligne, 200 signes au plus."),
        ("titre", "kop"), "Dessins pour la presse",
    ),
    Column.BIOGRAPHY: Described(
        ("parcours", "loopbaan", "biography"), marked("Un texte, 5 000 signes au plus."),
        ("biographie", "présentation", "voorstelling", "bio"),
    ),
    Column.TRADES: Described(
        ("métiers", "beroepen", "trades"),
        marked("Codes ou noms de la liste, séparés par « | ». Le premier est le principal."),
        ("métier", "activité", "beroep", "trade"), "Illustratrice | Graphiste",
    ),
    Column.SECTORS: Described(
        ("secteurs", "sectoren", "sectors"),
        marked("Codes NACE-BEL 2025 ou noms, séparés par « | »."),
        ("secteur", "sector"), "58 | 91",
    ),
    Column.SKILLS_OFFERED: Described(
        ("compétences offertes", "aangeboden vaardigheden", "skills offered"),
        marked("Des mots, séparés par « | », 20 au plus."),
        ("compétences", "vaardigheden", "skills"),
    ),
    Column.SKILLS_WANTED: Described(
        ("compétences cherchées", "gezochte vaardigheden", "skills wanted"),
        marked("Des mots, séparés par « | », 20 au plus."),
    ),
    Column.LANGUAGES: Described(
        ("langues", "talen", "languages"),
        marked("Codes ou noms, avec le niveau s’il est connu, séparés par « | »."),
        (), "fr:native | nl:b1",
    ),
    Column.PLACE: Described(
        ("code du lieu", "plaatscode", "place code"),
        marked("Le code de la ville dans l’annuaire. Il passe avant la ville et le code postal."),
        ("lieu", "place"),
    ),
    Column.POSTAL_CODE: Described(
        ("code postal", "postcode", "postal code"), marked("En Belgique ou en France."),
        ("cp", "zip", "zip code"), "5000",
    ),
    Column.TOWN: Described(
        ("ville", "gemeente", "town"), marked("Le nom, en français ou en néerlandais."),
        ("commune", "localité", "stad", "woonplaats", "city"), "Namur",
    ),
    Column.TERRITORY: Described(
        ("bureau", "kantoor", "office"), marked("Le nom ou le code du bureau."),
        ("territoire", "territory", "antenne", "regio"),
    ),
    Column.PHONE: Described(
        ("téléphone", "telefoon", "phone"), marked("Visible par la personne seule, au début."),
        ("tél", "gsm", "mobile", "portable", "telefoonnummer"), "+32 81 22 22 22",
    ),
    Column.LINKS: Described(
        ("liens", "links", "web links"), marked("Des adresses web, séparées par « | »."),
        ("site", "site web", "website", "lien"), "https://lemaire.example",
    ),
    Column.STAGE: Described(
        ("étape", "fase", "stage"),
        marked("starting, developing ou established ; ou : démarre, en développement, établie."),
        ("étape d'activité", "activity stage"), "established",
    ),
    Column.TURNOVER: Described(
        ("tranche de chiffre d'affaires", "omzetschijf", "turnover band"),
        marked("under_10k, 10k_25k, 25k_50k, 50k_100k ou over_100k, en euros par an. Sur aucune "
               "fiche, comptée pour les filières."),
        ("chiffre d'affaires", "ca", "omzet", "turnover"), "10k_25k",
    ),
    Column.MAIL_LANGUAGE: Described(
        ("langue des mails", "taal van de mails", "mail language"),
        marked("fr, nl ou en, pour une personne nouvelle."), ("langue", "taal", "language"), "fr",
    ),
    Column.JOINED_ON: Described(
        ("entrée le", "lid sinds", "joined on"), marked("Le jour de l’entrée. Vide : aujourd’hui."),
        ("date d'entrée", "entrée", "membre depuis", "instapdatum", "joined", "member since"),
        "2024-03-01",
    ),
    Column.LEFT_ON: Described(
        ("sortie le", "uitgetreden op", "left on"),
        marked("Le jour de la sortie, passé ou aujourd’hui : la personne quitte l’annuaire."),
        ("date de sortie", "sortie", "uitstapdatum", "left"),
    ),
    Column.ID: Described(
        ("fiche", "fiche-id", "id"),
        marked("Le numéro de la fiche, tel que l’export le donne. Rien à remplir pour vous."),
        ("numéro de fiche", "fichenummer", "profile id"),
    ),
}  # fmt: skip

# Of our own export, for people to read: the codes beside them are what is imported.
FOR_READERS = (
    "trade_names", "sector_names", "region", "territory_name", "availability", "available_until",
    "filieres", "confirmed_at",
)  # fmt: skip
_NO_WORD = re.compile(r"[\W_]+")


class Layout(NamedTuple):
    """Which column stands where; None for what is not imported: `unknown` headers, and `ignored`
    ones, which are known and for readers only."""

    columns: tuple[Column | None, ...]
    unknown: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def known(self) -> list[Column]:
        return [column for column in self.columns if column is not None]


def key(header: str) -> str:
    """Of a header: without case, accents, and signs."""
    return _NO_WORD.sub(" ", normaliser.fold(header)).strip()


def _by_key() -> dict[str, Column]:
    known: dict[str, Column] = {}
    for column, described in DESCRIBED.items():
        for name in (column.value, *described.names, *described.aliases):
            known.setdefault(key(name), column)
    return known


_KNOWN = _by_key()
_IGNORED = frozenset(key(name) for name in FOR_READERS)


def layout(header: Sequence[str]) -> Layout:
    """:raises Refused: for a header without what an import needs, or with a column twice."""
    found = [_KNOWN.get(key(name)) for name in header]
    if Column.GIVEN_NAME in found and Column.FAMILY_NAME not in found:
        # Beside a given name, "nom" is the family name.
        found = [Column.FAMILY_NAME if one is Column.NAME else one for one in found]
    for column in set(found) - {None}:
        if found.count(column) > 1:
            twice = [name for name, one in zip(header, found, strict=True) if one is column]
            raise Refused(
                marked("Deux colonnes disent la même chose : %(names)s. Gardez-en une."),
                names=listed(twice),
            )
    missing = [(name, one) for name, one in zip(header, found, strict=True) if one is None and name]
    ignored = tuple(name for name, _ in missing if key(name) in _IGNORED)
    unknown = tuple(name for name, _ in missing if key(name) not in _IGNORED)
    chosen = Layout(tuple(found), unknown, ignored)
    _require(chosen, header)
    return chosen


def _require(chosen: Layout, header: Sequence[str]) -> None:
    known = set(chosen.known)
    if not known & {Column.NUMBER, Column.EMAIL, Column.ID}:
        raise Refused(NO_KEY, names=listed(header))
    has_name = {Column.GIVEN_NAME, Column.FAMILY_NAME} <= known
    if not has_name and not known & {Column.NAME, Column.DISPLAY_NAME}:
        raise Refused(NO_NAME, names=listed(header))


NO_KEY = marked(
    "Il manque une colonne « numéro de membre » ou « adresse mail », pour reconnaître chacun. "
    "La première ligne du fichier dit : %(names)s."
)
NO_NAME = marked(
    "Il manque une colonne « nom complet », ou « prénom » et « nom ». "
    "La première ligne du fichier dit : %(names)s."
)
MOST_NAMED = 12


def listed(names: Iterable[str]) -> str:
    """Some names of a file, short enough to be read in a sentence."""
    shown = [f"« {name[:40]} »" for name in names if name]
    rest = ["…"] if len(shown) > MOST_NAMED else []
    return ", ".join([*shown[:MOST_NAMED], *rest])


def title(column: str, language: str) -> str:
    """The header of a column in the reader's language; what is none, as it is."""
    if column not in set(Column):
        return column
    return DESCRIBED[Column(column)].names[LANGUAGES.index(language)]
