"""The texts that a method sheet starts from, in the three languages: to be rewritten."""

from directory.filieres.method_texts import MethodTexts
from directory.filieres.registry import Kind, Openness
from directory.languages import LANGUAGES, marked, translate

_OBJECTIVES = {
    Kind.TRADE: marked(
        "Se connaître entre personnes du même métier, partout où la coopérative est présente. "
        "Comparer nos prix, nos devis et nos contrats. "
        "Se passer le travail qu’une personne seule ne peut pas prendre.\n\n"
        "Dans un an : trois rencontres tenues, et dix membres qui ont travaillé ensemble."
    ),
    Kind.SECTOR: marked(
        "Réunir des métiers différents qui travaillent dans le même secteur. "
        "Répondre ensemble à des demandes qu’aucun de nos métiers ne couvre seul. "
        "Faire connaître la coopérative dans ce secteur.\n\n"
        "Dans un an : trois rencontres tenues, et deux réponses communes à des appels."
    ),
}
_COOPERATIVE = marked(
    "La coopérative nomme une personne de contact parmi les permanent·es. "
    "Elle prête ses espaces et ses outils de mail, et relit ce qui engage son nom. "
    "Elle répond aux demandes de l’équipe d’animation dans les dix jours. "
    "Elle ne décide ni des sujets ni du rythme."
)
_MEMBERS = marked(
    "Les membres pilotent la filière. Ils choisissent les sujets et se répartissent les tâches : "
    "inviter, accueillir, écrire le compte rendu. "
    "Deux personnes au moins animent, avec un mandat d’un an. "
    "Chaque membre vient à une rencontre par an au moins, ou dit pourquoi ce n’est pas possible."
)
_MEANS = marked(
    "Une salle de la coopérative pour chaque rencontre. Un mail par mois aux personnes abonnées. "
    "Les heures de la personne de contact : deux par mois. "
    "Pas de budget propre : une dépense se demande à la coordination, avec un devis."
)
_OPENNESS = {
    Openness.OPEN: marked(
        "Tout membre de la coopérative entre sans demander. "
        "Des personnes extérieures viennent à une rencontre sur invitation, "
        "deux fois avant d’entrer dans la coopérative."
    ),
    Openness.APPROVAL: marked(
        "On entre avec l’accord de l’équipe d’animation, qui répond dans les dix jours "
        "et donne la raison d’un refus. Il suffit d’exercer un des métiers de la filière, "
        "ou de vouloir s’y former."
    ),
    Openness.INVITATION: marked(
        "On entre sur invitation d’un membre, avec l’accord de l’équipe d’animation. "
        "Qui veut être invité·e écrit à l’équipe : une réponse vient dans les dix jours."
    ),
}
_EVENTS = marked(
    "Des rencontres pour échanger sur le métier. Une formation par an, donnée par un membre. "
    "Une visite d’atelier ou de chantier. Un stand commun à un salon, si cinq membres le veulent."
)
_RHYTHM = marked(
    "Une rencontre tous les trois mois, en alternant les bureaux et la visioconférence. "
    "Les dates sont connues deux mois avant. "
    "Une fois par an, la filière relit cette fiche et la corrige."
)


def texts(kind: Kind, openness: Openness) -> dict[str, MethodTexts]:
    """By language."""
    said = {
        "objectives": _OBJECTIVES[kind],
        "cooperative_role": _COOPERATIVE,
        "member_role": _MEMBERS,
        "means": _MEANS,
        "openness": _OPENNESS[openness],
        "event_kinds": _EVENTS,
        "rhythm": _RHYTHM,
    }
    return {
        language: MethodTexts(**{name: translate(language, text) for name, text in said.items()})
        for language in LANGUAGES
    }
