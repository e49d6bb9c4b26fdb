"""The moments of a filière's life that are told, and what is usually done for each.

Recommendation 7 of the working group of 2019: a plan of communication, inside and outside, for each
stage, with the cooperative's own means (networks, events, spaces) and the filière's (mails,
newsletters, tools to work together).
"""

import enum

import msgspec

from directory.filieres.lifecycle import Stage
from directory.languages import marked


class Moment(enum.Enum):
    BEFORE = "before"
    LAUNCH = "launch"
    EVENTS = "events"
    RESULTS = "results"
    DECLINE = "decline"

    @property
    def label(self) -> str:
        return _MOMENTS[self]


class StepAudience(enum.Enum):
    INTERNAL = "internal"
    EXTERNAL = "external"

    @property
    def label(self) -> str:
        return _AUDIENCES[self]


_MOMENTS = {
    Moment.BEFORE: marked("Avant la fondation"),
    Moment.LAUNCH: marked("Lancement"),
    Moment.EVENTS: marked("Rencontres"),
    Moment.RESULTS: marked("Premiers résultats"),
    Moment.DECLINE: marked("Déclin"),
}
_AUDIENCES = {
    StepAudience.INTERNAL: marked("dans la coopérative"),
    StepAudience.EXTERNAL: marked("hors de la coopérative"),
}
# What to look at first, at each stage.
NOW = {
    Stage.PROPOSED: (Moment.BEFORE,),
    Stage.GATHERING: (Moment.BEFORE,),
    Stage.FORMING: (Moment.BEFORE, Moment.LAUNCH),
    Stage.LAUNCHED: (Moment.LAUNCH, Moment.EVENTS),
    Stage.ACTIVE: (Moment.EVENTS, Moment.RESULTS),
    Stage.DORMANT: (Moment.DECLINE,),
    Stage.CLOSED: (Moment.DECLINE,),
}


class Item(msgspec.Struct, frozen=True):
    """A step that every filière has. `key` is kept in the database."""

    key: str
    moment: Moment
    audience: StepAudience
    label: str


_IN, _OUT = StepAudience.INTERNAL, StepAudience.EXTERNAL
ITEMS = (
    Item("before.plan", Moment.BEFORE, _IN,
         marked("Accorder le plan avec la communication de la coopérative")),
    Item("before.offices", Moment.BEFORE, _IN,
         marked("Présenter l’idée et la méthode aux permanent·es de chaque bureau")),
    Item("before.mailing", Moment.BEFORE, _IN,
         marked("Écrire aux membres de ces métiers qui ont choisi d’être prévenus")),
    Item("before.spaces", Moment.BEFORE, _IN,
         marked("Afficher l’idée dans les espaces de travail partagés")),
    Item("before.networks", Moment.BEFORE, _OUT,
         marked("Sonder l’envie sur les réseaux sociaux de la coopérative")),
    Item("launch.page", Moment.LAUNCH, _OUT,
         marked("Relire la page publique de la filière dans les trois langues")),
    Item("launch.newsletter", Moment.LAUNCH, _IN,
         marked("Annoncer le lancement dans la lettre de la coopérative")),
    Item("launch.tools", Moment.LAUNCH, _IN,
         marked("Ouvrir l’outil de travail à plusieurs, et dire qui l’administre")),
    Item("launch.networks", Moment.LAUNCH, _OUT,
         marked("Annoncer le lancement sur les réseaux sociaux de la coopérative")),
    Item("launch.community", Moment.LAUNCH, _OUT,
         marked("Décider si la filière ouvre sa communauté Facebook ou LinkedIn")),
    Item("launch.press", Moment.LAUNCH, _OUT,
         marked("Prévenir la presse locale et celle du secteur")),
    Item("events.agenda", Moment.EVENTS, _IN,
         marked("Inscrire chaque rencontre à l’agenda, un mois avant")),
    Item("events.mailing", Moment.EVENTS, _IN,
         marked("Inviter par mail les personnes abonnées aux rencontres")),
    Item("events.spaces", Moment.EVENTS, _IN,
         marked("Réserver un espace de la coopérative et y afficher la rencontre")),
    Item("events.networks", Moment.EVENTS, _OUT,
         marked("Relayer les rencontres ouvertes sur les réseaux sociaux")),
    Item("events.partners", Moment.EVENTS, _OUT,
         marked("Inviter les fédérations, les écoles et les lieux du métier")),
    Item("events.report", Moment.EVENTS, _IN,
         marked("Publier un compte rendu, et des photos avec l’accord des personnes")),
    Item("results.stories", Moment.RESULTS, _IN,
         marked("Raconter une collaboration née dans la filière")),
    Item("results.figures", Moment.RESULTS, _IN,
         marked("Donner les chiffres : membres, rencontres, travaux communs")),
    Item("results.assembly", Moment.RESULTS, _IN,
         marked("Présenter la filière à l’assemblée générale")),
    Item("results.networks", Moment.RESULTS, _OUT,
         marked("Montrer les résultats sur les réseaux sociaux")),
    Item("results.press", Moment.RESULTS, _OUT,
         marked("Proposer un sujet à la presse du secteur")),
    Item("decline.members", Moment.DECLINE, _IN,
         marked("Dire aux membres pourquoi la filière ralentit, et ce qui reste")),
    Item("decline.mailing", Moment.DECLINE, _IN,
         marked("Écrire un dernier mail, avec les filières voisines à rejoindre")),
    Item("decline.tools", Moment.DECLINE, _IN,
         marked("Archiver les documents et fermer les outils partagés")),
    Item("decline.networks", Moment.DECLINE, _OUT,
         marked("Fermer ou confier les comptes et les groupes sur les réseaux sociaux")),
    Item("decline.partners", Moment.DECLINE, _OUT,
         marked("Prévenir les partenaires et dire à qui s’adresser")),
)  # fmt: skip
BY_KEY = {item.key: item for item in ITEMS}
