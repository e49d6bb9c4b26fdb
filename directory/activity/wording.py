"""What each action of the audit log is called. A new action is added here: a test looks."""

from collections.abc import Iterable

from directory.filieres import appointments, definitions
from directory.filieres.method_texts import Part
from directory.languages import marked, translate
from directory.members.profile_pages import LABELS
from directory.subscriptions.topics import Topic

ACTIONS = {
    "profile.changed": marked("Fiche modifiée"),
    "audience.changed": marked("Qui voit la fiche, modifié"),
    "profile.confirmed": marked("Fiche confirmée"),
    "membership.joined": marked("Entrée dans une filière"),
    "membership.left": marked("Sortie d’une filière"),
    "joining.asked": marked("Entrée demandée dans une filière"),
    "joining.withdrawn": marked("Demande d’entrée retirée"),
    "joining.accepted": marked("Demande d’entrée acceptée"),
    "joining.approved": marked("Demande d’entrée acceptée, place à libérer"),
    "joining.refused": marked("Demande d’entrée refusée"),
    "joining.lapsed": marked("Demande d’entrée échue"),
    "joining.invited": marked("Invitation dans une filière"),
    "joining.uninvited": marked("Invitation dans une filière retirée"),
    "joining.declined": marked("Invitation dans une filière déclinée"),
    "suggestion.dismissed": marked("Filière écartée des propositions"),
    "suggestion.restored": marked("Filière proposée à nouveau"),
    "filiere.moved": marked("Étape d’une filière changée"),
    "method.written": marked("Fiche de méthode écrite"),
    "method.accepted": marked("Fiche de méthode acceptée"),
    "communication.changed": marked("Plan de communication modifié"),
    "initiative.opened": marked("Initiative publiée"),
    "initiative.changed": marked("Initiative modifiée"),
    "initiative.removed": marked("Initiative retirée"),
    "filiere.linked": marked("Filières liées"),
    "filiere.unlinked": marked("Lien entre filières retiré"),
    "filiere.proposed": marked("Filière proposée"),
    "filiere.changed": marked("Filière modifiée"),
    "support.given": marked("Avis donné sur une filière proposée"),
    "support.changed": marked("Avis changé sur une filière proposée"),
    "support.withdrawn": marked("Avis retiré d’une filière proposée"),
    "dossier.written": marked("Raisons d’une filière écrites"),
    "dossier.counted": marked("Chiffres d’une filière recomptés"),
    "role.given": marked("Rôle donné"),
    "role.ended": marked("Rôle retiré"),
    "mandate.offered": marked("Mandat proposé"),
    "mandate.volunteered": marked("Proposition pour un mandat"),
    "mandate.accepted": marked("Mandat accepté"),
    "mandate.refused": marked("Mandat refusé"),
    "mandate.withdrawn": marked("Proposition de mandat retirée"),
    "mandate.handed_over": marked("Relais passé"),
    "mandate.left": marked("Mandat quitté"),
    "mandate.wished": marked("Souhait pour la fin d’un mandat"),
    "mandate.renewed": marked("Mandat renouvelé"),
    "address.confirmed": marked("Adresse confirmée"),
    "consents.imported": marked("Accords repris d’un fichier"),
    "mails.paused": marked("Mails mis en pause"),
    "mails.resumed": marked("Pause de mails finie"),
    "proof.read": marked("Preuve d’un envoi lue"),
    "mailing.sent": marked("Mail envoyé à une filière"),
    "mailing.cancelled": marked("Envoi d’un mail annulé"),
    "event.listed": marked("Date ajoutée à l’agenda"),
    "event.changed": marked("Date modifiée"),
    "event.cancelled": marked("Date annulée"),
    "session.opened": marked("Connexion"),
    "session.ended": marked("Session fermée"),
    "identity.joined": marked("Compte relié à un fournisseur d’identité"),
    "identity.parted": marked("Compte détaché de son fournisseur d’identité"),
    "message.written": marked("Message écrit à un membre"),
    "message.reported": marked("Message signalé à la coordination"),
    "sender.refused": marked("Messages d’une personne refusés"),
    "sender.accepted": marked("Messages d’une personne acceptés de nouveau"),
    "import.received": marked("Fichier de membres reçu"),
    "import.committed": marked("Fichier de membres importé"),
    "import.discarded": marked("Fichier de membres écarté"),
    "invitation.accepted": marked("Invitation acceptée"),
    "invitation.withdrawn": marked("Invitation retirée"),
    "members.exported": marked("Liste de membres exportée"),
    "photo.changed": marked("Photo changée"),
    "photo.removed": marked("Photo retirée"),
    "portfolio.changed": marked("Réalisations modifiées"),
    "trade.created": marked("Métier ajouté au vocabulaire"),
    "trade.named": marked("Métier renommé"),
    "trade.merged": marked("Métier réuni à un autre"),
    "trade.unmerged": marked("Métier séparé de nouveau"),
    "token.created": marked("Jeton d’API créé"),
    "token.revoked": marked("Jeton d’API révoqué"),
    "proposal.made": marked("Métier proposé"),
    "proposal.withdrawn": marked("Proposition de métier retirée"),
    "export.asked": marked("Copie de ses données demandée"),
    "erasure.asked": marked("Effacement demandé"),
    "erasure.confirmed": marked("Effacement confirmé"),
    "erasure.undone": marked("Effacement abandonné"),
    "erasure.announced": marked("Effacement annoncé"),
    "member.erased": marked("Personne effacée"),
    "miss.forgotten": marked("Recherche sans résultat oubliée"),
}
# Acts of the ledger of consents, shown beside the others and kept there alone.
CONSENTS = {
    "consent.given": marked("Mails choisis"),
    "consent.changed": marked("Rythme de mails changé"),
    "consent.confirmed": marked("Choix de mails confirmé"),
    "consent.withdrawn": marked("Mails arrêtés"),
    "consent.expired": marked("Choix de mails expiré"),
    "consent.imported": marked("Choix de mails importé"),
}
ROLES = {role.value: name for role, name in appointments.NAMES.items()}
_FIELDS = {
    **definitions.LABELS,
    **{field.value: label for field, label in LABELS.items()},
    **{part.value: part.label for part in Part},
    **{topic.value: topic.label for topic in Topic},
}
_ORDER = {name: place for place, name in enumerate(_FIELDS)}


def say(language: str, action: str, fields: Iterable[str], subject: str | None) -> str:
    """'Fiche modifiée : Ville, Liens'. An action or a field without words is shown as it is."""
    known = ACTIONS.get(action) or CONSENTS.get(action)
    words = translate(language, known) if known else action
    details = [
        translate(language, _FIELDS[name]) if name in _FIELDS else name
        for name in sorted(fields, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
    ]
    details += [subject] if subject else []
    return (
        words + translate(language, marked("\u00a0: ")) + ", ".join(details) if details else words
    )
