"""What is held, why and how long, in words: the page, the copy and docs/privacy.md say the same."""

import msgspec

from directory import settings
from directory.languages import marked


class Kept(msgspec.Struct, frozen=True):
    """Marked texts with their parameters. `after`: what is left of it once a person is erased."""

    what: str
    why: str
    how_long: str
    params: dict[str, object] = {}
    after: str = ""


ROWS = (
    Kept(
        marked("Compte, rôles"),
        marked("Vous laisser entrer"),
        marked("Tant que le compte existe"),
    ),
    Kept(
        marked("Connexions, liens pour entrer, jetons"),
        marked("Vous reconnaître d’une page à l’autre"),
        marked("Jusqu’à leur fin : 15 minutes, 30 jours ou la date choisie"),
    ),
    Kept(
        marked("Fiche, photo, portfolio, propositions de métiers"),
        marked("Être trouvé·e par les autres, selon vos choix"),
        marked("Tant que le compte existe"),
    ),
    Kept(
        marked("Lignes des fichiers de membres importés, invitation"),
        marked("Vérifier ce qu’un fichier change avant de l’appliquer"),
        marked("7 jours sans suite, 30 jours après l’import"),
    ),
    Kept(
        marked("Tranche de chiffre d’affaires déclarée à la coopérative"),
        marked("Compter les filières, sans montrer la vôtre"),
        marked("Tant que le compte existe"),
    ),
    Kept(
        marked("Décisions et raisons écrites pour une filière"),
        marked("Que chacun sache pourquoi elle existe"),
        marked("Sans limite"),
        after=marked("Le texte et la date, sans votre nom"),
    ),
    Kept(
        marked("Filières, mandats, choix de mails"),
        marked("Vous écrire ce que vous avez choisi"),
        marked("Tant que le compte existe"),
    ),
    Kept(
        marked("Avis sur des filières proposées"),
        marked("Aider la coopérative à décider"),
        marked("Tant que le compte existe"),
    ),
    Kept(
        marked("Filières que vous avez proposées"),
        marked("Elles appartiennent aussi aux membres qui les soutiennent"),
        marked("Sans limite"),
        after=marked("Elles restent, sans votre nom"),
    ),
    Kept(
        marked("Demandes d’entrée dans une filière, invitations"),
        marked("Y répondre, et se souvenir de la réponse"),
        marked("Un an après la réponse"),
    ),
    Kept(
        marked("Messages écrits par l’annuaire : qui, à qui, quand"),
        marked("Limiter les abus, et suivre un signalement"),
        marked("Six mois ; le texte, jusqu’à son envoi"),
    ),
    Kept(
        marked("Mails et rencontres que vous avez publiés"),
        marked("Ils appartiennent aussi aux personnes qui les ont lus"),
        marked("Sans limite"),
        after=marked("Ils restent, signés « ancien membre »"),
    ),
    Kept(
        marked("Registre de vos accords"),
        marked("Prouver que chaque mail était voulu"),
        marked("%(years)s ans après l’effacement"),
        after=marked("Un numéro, la filière, le sujet, la date, le texte accepté"),
    ),
    Kept(
        marked("Registre des mails qui vous ont été adressés"),
        marked("Prouver ce qui a été envoyé, et à combien de personnes"),
        marked("%(years)s ans après l’effacement"),
        after=marked("Un numéro, le mail, la date, le résultat"),
    ),
    Kept(
        marked("Journal des changements"),
        marked("Savoir qui a changé quoi, en cas de litige ou d’intrusion"),
        marked("%(years)s ans"),
        after=marked("Un numéro, le nom de ce qui a changé, la date"),
    ),
    Kept(
        marked("Demande d’effacement"),
        marked("Prouver que votre demande a été suivie"),
        marked("%(years)s ans après l’effacement"),
        after=marked("Un numéro et les dates"),
    ),
    Kept(
        marked("Sauvegardes"),
        marked("Réparer une panne"),
        marked("Jusqu’à leur remplacement, selon la coopérative"),
        after=marked("Tout, avec votre nom, jusqu’à leur remplacement"),
    ),
)


def table() -> tuple[Kept, ...]:
    """With the delays of this installation."""
    params: dict[str, object] = {"years": settings.current().proof_years}
    return tuple(msgspec.structs.replace(row, params=params) for row in ROWS)
