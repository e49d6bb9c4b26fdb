"""What stands in a copy, in words: the names of columns, and the values that are codes."""

from collections.abc import Mapping
from datetime import date, datetime

from directory.events import captions
from directory.filieres import offers
from directory.filieres.lifecycle import Stage
from directory.filieres.method import Way
from directory.filieres.moments import Moment, StepAudience
from directory.filieres.turnover import Band
from directory.http import pages
from directory.languages import marked, translate
from directory.mailings import record
from directory.members import audiences
from directory.subscriptions.ledger import SCREEN_WORDS
from directory.subscriptions.topics import Rhythm, Topic

COLUMNS = {
    "id": marked("Numéro"),
    "email": marked("Adresse mail"),
    "email_confirmed_at": marked("Adresse confirmée"),
    "language": marked("Langue"),
    "created_at": marked("Création"),
    "signed_in_at": marked("Dernière connexion"),
    "disabled_at": marked("Fermeture"),
    "role": marked("Rôle"),
    "scope": marked("Portée"),
    "starts_on": marked("Début"),
    "ends_on": marked("Fin"),
    "user_agent": marked("Navigateur"),
    "seen_at": marked("Dernière activité"),
    "expires_at": marked("Expiration"),
    "next_path": marked("Page demandée"),
    "issuer": marked("Fournisseur"),
    "claimed_at": marked("Prise en charge"),
    "accepted_at": marked("Acceptation"),
    "turnover_band": marked("Tranche de chiffre d’affaires"),
    "declared_at": marked("Déclaration"),
    "file_name": marked("Fichier"),
    "line": marked("Ligne"),
    "given": marked("Valeurs"),
    "faults": marked("Ce qui ne va pas"),
    "changes": marked("Changements"),
    "ending": marked("Derniers caractères"),
    "warned_at": marked("Fin annoncée"),
    "used_at": marked("Utilisation"),
    "name": marked("Nom"),
    "scopes": marked("Droits"),
    "revoked_at": marked("Révocation"),
    "at": marked("Date"),
    "action": marked("Action"),
    "subject": marked("Objet"),
    "fields": marked("Champs"),
    "token_id": marked("Jeton"),
    "is_own_act": marked("Fait par vous"),
    "number": marked("Numéro de membre"),
    "display_name": marked("Nom affiché"),
    "given_name": marked("Prénom"),
    "family_name": marked("Nom de famille"),
    "headline": marked("Accroche"),
    "biography": marked("Parcours"),
    "availability": marked("Disponibilité"),
    "available_until": marked("Disponible jusqu’au"),
    "stage": marked("Étape"),
    "phone": marked("Téléphone"),
    "audiences": marked("Qui voit quoi"),
    "joined_on": marked("Arrivée"),
    "left_on": marked("Départ"),
    "confirmed_at": marked("Confirmation"),
    "updated_at": marked("Modification"),
    "version": marked("Version"),
    "place": marked("Ville"),
    "territory": marked("Bureau"),
    "position": marked("Rang"),
    "code": marked("Code"),
    "label": marked("Libellé"),
    "kind": marked("Genre"),
    "level": marked("Niveau"),
    "url": marked("Adresse web"),
    "changed_at": marked("Changement"),
    "year": marked("Année"),
    "text": marked("Texte"),
    "picture": marked("Fichier de l’image"),
    "width": marked("Largeur"),
    "height": marked("Hauteur"),
    "form": marked("Forme cherchée"),
    "note": marked("Note"),
    "proposed_at": marked("Proposition"),
    "filiere": marked("Filière"),
    "change": marked("Ce qui change"),
    "seeking": marked("Ce qui est cherché"),
    "trades": marked("Métiers"),
    "finished_on": marked("Terminée le"),
    "linked_at": marked("Noté le"),
    "other_filiere": marked("Autre filière"),
    "through": marked("Par"),
    "moment": marked("Moment"),
    "item": marked("Étape"),
    "done_on": marked("Fait le"),
    "from_stage": marked("Étape d’avant"),
    "to_stage": marked("Étape d’après"),
    "reason": marked("Raison"),
    "decided_at": marked("Décision"),
    "author_role": marked("Au titre de"),
    "written_at": marked("Écriture"),
    "joined_at": marked("Entrée"),
    "left_at": marked("Sortie"),
    "slot": marked("Place"),
    "choices": marked("Mails choisis"),
    "approved_at": marked("Accord"),
    "answered_at": marked("Réponse"),
    "message": marked("Message"),
    "invited_at": marked("Invitation"),
    "dismissed_at": marked("Écartée"),
    "topic": marked("Sujet"),
    "rhythm": marked("Rythme"),
    "ledger_id": marked("Ligne du registre"),
    "act": marked("Acte"),
    "screen": marked("Écran"),
    "network": marked("Réseau, tronqué"),
    "wording": marked("Texte accepté"),
    "wording_version": marked("Version du texte"),
    "wording_sha256": marked("Empreinte du texte"),
    "given_on": marked("Accord donné le"),
    "given_where": marked("Accord donné où"),
    "given_wording": marked("Texte accepté ailleurs"),
    "until": marked("Jusqu’au"),
    "paused_at": marked("Début de la pause"),
    "announced_at": marked("Annonce"),
    "mailed_at": marked("Mail envoyé"),
    "day": marked("Jour"),
    "event_id": marked("Date de l’agenda"),
    "uid": marked("Identifiant"),
    "audience": marked("Public"),
    "title": marked("Titre"),
    "description": marked("Description"),
    "starts_at": marked("Commence"),
    "ends_at": marked("Finit"),
    "timezone": marked("Fuseau horaire"),
    "location": marked("Lieu"),
    "online_url": marked("Lien en ligne"),
    "accessibility": marked("Accessibilité"),
    "capacity": marked("Places"),
    "price_cents": marked("Prix, en centimes"),
    "sequence": marked("Révision"),
    "cancelled_at": marked("Annulation"),
    "policy": marked("En cas de doute"),
    "state": marked("État"),
    "body": marked("Texte"),
    "audience_size": marked("Destinataires"),
    "send_at": marked("Envoi prévu"),
    "started_at": marked("Début de l’envoi"),
    "worked_at": marked("Dernier travail"),
    "finished_at": marked("Fin de l’envoi"),
    "mailing_id": marked("Mail"),
    "consent_id": marked("Ligne du registre"),
    "attempts": marked("Essais"),
    "next_at": marked("Prochain essai"),
    "lease_until": marked("Pris jusqu’à"),
    "worker": marked("Processus"),
    "smtp_code": marked("Code du serveur"),
    "smtp_text": marked("Réponse du serveur"),
    "sent_at": marked("Envoi"),
    "need": marked("Besoin"),
    "intentions": marked("Premières intentions"),
    "told_at": marked("Coordination prévenue"),
    "decided_as": marked("Décidée en tant que"),
    "stance": marked("Avis"),
    "opinion": marked("Texte de l’avis"),
    "wants_mails": marked("Suivi par mail"),
    "given_at": marked("Date"),
    "change_id": marked("Étape"),
    "done": marked("Parties écrites"),
    "total": marked("Parties en tout"),
    "size": marked("Octets"),
    "asked_at": marked("Demande"),
    "takes_messages": marked("Reçoit des messages"),
    "takes_reminders": marked("Reçoit des rappels"),
    "reported_at": marked("Signalement"),
    "refused_at": marked("Refus"),
    "had_both": marked("Avait les deux"),
    "ready_at": marked("Prête"),
    "is_hidden": marked("Mise hors de vue"),
    "due_at": marked("Date prévue"),
    "reminded_at": marked("Rappel"),
    "done_at": marked("Fait"),
    "wish": marked("Souhait"),
    "wished_at": marked("Souhait exprimé"),
    "mandate_id": marked("Mandat"),
    "days": marked("Jours avant la fin"),
}
# The fields of a profile, as the log and the audiences name them.
FIELDS = COLUMNS | {
    "sectors": marked("Secteurs"),
    "skills_offered": marked("Compétences offertes"),
    "skills_wanted": marked("Compétences cherchées"),
    "languages": marked("Langues"),
    "links": marked("Liens"),
    "memberships": marked("Filières"),
}
_AUDIENCES: dict[str, str] = {audience.value: label for audience, label in audiences.NAMES.items()}
YES, NO = marked("oui"), marked("non")
_STAGES = {stage.value: stage.label for stage in Stage}
_ROLES = {
    "administrator": marked("administration"),
    "coordinator": marked("coordination"),
    "ambassador": marked("ambassade"),
    "animator": marked("animation"),
}
VALUES: Mapping[str, Mapping[str, str]] = {
    "topic": {topic.value: topic.label for topic in Topic},
    "rhythm": {rhythm.value: rhythm.label for rhythm in Rhythm},
    "screen": SCREEN_WORDS,
    "kind": {
        "offered": marked("offerte"),
        "wanted": marked("cherchée"),
        "complementary": marked("complète"),
        "part_of": marked("fait partie de"),
        **{kind.value: label for kind, label in captions.KINDS.items()},
        "hand_over": marked("relais"),
        "share": marked("aux côtés de l’équipe"),
        "candidacy": marked("proposition d’un membre"),
    },
    "audience": {
        **{audience.value: label for audience, label in captions.AUDIENCES.items()},
        **{audience.value: audience.label for audience in StepAudience},
    },
    "availability": {
        "available": marked("disponible"),
        "soon": marked("bientôt disponible"),
        "busy": marked("pas disponible"),
    },
    "wish": {"renew": marked("continuer"), "end": marked("laisser finir")},
    "state": {
        **{state.value: state.label for state in offers.State},
        **{state.value: state.label for state in record.State},
        "open": marked("en cours"),
        "finished": marked("terminée"),
        "queued": marked("en attente"),
        "claimed": marked("en attente"),
        "deferred": marked("remis à plus tard"),
        "failed": marked("échec"),
        "skipped": marked("pas envoyé"),
        "in_doubt": marked("en doute"),
        "asked": marked("demandé"),
        "making": marked("en cours"),
        "ready": marked("prêt"),
        "announced": marked("annoncé"),
        "confirmed": marked("confirmé"),
        "erasing": marked("en cours"),
        "done": marked("fait"),
        "undone": marked("annulé"),
    },
    "stance": {"favourable": marked("avis favorable"), "reserve": marked("réserve")},
    "decided_as": {
        "coordination": marked("coordination"),
        "animation": marked("animation"),
        "proposer": marked("personne qui propose"),
        "service": marked("le service"),
    },
    "reason": {
        "closed": marked("la filière ferme"),
        "chosen": marked("vous avez choisi ses actualités"),
        "followed": marked("vous avez demandé à la suivre"),
        "asked": marked("à votre demande"),
        "operator": marked("par la coopérative"),
        "dormant": marked("sans connexion depuis longtemps"),
        "left": marked("après un départ"),
        "hard_bounce": marked("adresse refusée par son serveur"),
        "complaint": marked("plainte"),
    },
    "from_stage": _STAGES,
    "to_stage": _STAGES,
    "act": {
        "given": marked("accord donné"),
        "changed": marked("accord changé"),
        "confirmed": marked("accord confirmé"),
        "withdrawn": marked("accord retiré"),
        "expired": marked("accord échu"),
        "imported": marked("accord repris d’ailleurs"),
    },
    "through": {way.value: way.label for way in Way},
    "moment": {moment.value: moment.label for moment in Moment},
    "role": _ROLES,
    "author_role": _ROLES,
    "turnover_band": {band.value: band.label for band in Band},
}
"""Codes that are said in words, by column. Others stand as they are."""


def value(name: str, found: object, language: str) -> str:
    """A value of a column, for a person."""
    if isinstance(found, bool):
        return translate(language, YES if found else NO)
    if isinstance(found, datetime):
        return pages.Format(language).instant(found)
    if isinstance(found, date):
        return pages.Format(language).day(found)
    if isinstance(found, dict | list):
        return _listed(found, language)
    if name == "language":
        return pages.Format(language).language_name(str(found))
    words = VALUES.get(name, {}).get(str(found))
    return translate(language, words) if words else str(found)


def _listed(found: dict[str, object] | list[object], language: str) -> str:
    """Names of fields, and who sees them where that is said."""

    def say(words: Mapping[str, str], code: object) -> str:
        return translate(language, words.get(str(code), str(code)))

    if isinstance(found, list):
        return ", ".join(say(FIELDS, each) for each in found)
    pairs = found.items()
    return ", ".join(f"{say(FIELDS, key)} : {say(_AUDIENCES, each)}" for key, each in pairs)
