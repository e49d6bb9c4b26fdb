"""What is held of a person in filières: mandates, proposals, opinions, and what they decided."""

import asyncpg

from directory.filieres import vacancies
from directory.holdings import Person, Section
from directory.languages import marked

FILIERE = "(SELECT slug FROM filiere WHERE filiere.id = t.filiere_id)"
TEXTS = (
    "(SELECT string_agg(said.key || ' ' || part.key || ': ' || part.value, E'\\n')"
    " FROM jsonb_each(t.texts) AS said, jsonb_each_text(said.value) AS part"
    " WHERE part.value <> '')"
)

SECTIONS = (
    Section(
        name="mandates",
        title=marked("Vos mandats dans des filières"),
        table="mandate",
        columns=("id", "role", "starts_on", "ends_on", "wish", "wished_at"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where="t.member_id = p.member_id",
        order="t.id",
    ),
    Section(
        name="mandate_offers",
        title=marked("Les mandats que l’on vous a proposés, et ceux que vous avez proposés"),
        table="mandate_offer",
        columns=("id", "role", "kind", "starts_on", "ends_on", "message", "state", "at",
                 "expires_at", "answered_at", "reason"),
        extra={"filiere": FILIERE, "is_own_act": "t.offered_by IS NOT DISTINCT FROM p.account_id"},
        covers=("filiere_id", "offered_by"),
        where="(t.to_member_id = p.member_id OR t.from_member_id = p.member_id"
              " OR t.offered_by = p.account_id)",
        order="t.id",
    ),
    Section(
        name="mandate_reminders",
        title=marked("Les rappels de fin de mandat que vous avez reçus"),
        table="mandate_reminder",
        columns=("mandate_id", "ends_on", "days", "at"),
        where="t.account_id = p.account_id",
        order="t.at",
    ),
    Section(
        name="decisions",
        title=marked("Les étapes de filières que vous avez décidées"),
        table="stage_change",
        columns=("id", "from_stage", "to_stage", "reason", "decided_at", "decided_as"),
        extra={"filiere": FILIERE},
        covers=("filiere_id", "dossier"),  # the figures published with the reason: of no person
        where="t.decided_by = p.account_id",
        order="t.id",
    ),
    Section(
        name="proposals",
        title=marked("Les filières que vous avez proposées"),
        table="filiere_proposal",
        columns=("need", "intentions", "proposed_at", "told_at"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where="t.proposed_by = p.member_id",
        order="t.filiere_id",
    ),
    Section(
        name="opinions",
        title=marked("Vos avis sur des filières proposées"),
        table="filiere_support",
        columns=("stance", "opinion", "wants_mails", "given_at"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where="t.member_id = p.member_id",
        order="t.filiere_id",
    ),
    Section(
        name="dossier_reasons",
        title=marked("Ce que vous avez écrit dans des dossiers de filières"),
        table="dossier_reason",
        columns=("id", "body", "author_role", "written_at"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where="t.author_id = p.account_id",
        order="t.id",
    ),
    Section(
        name="method_sheets",
        title=marked("Les fiches de méthode que vous avez écrites"),
        table="method_sheet",
        columns=("id", "version", "change", "at"),
        extra={"filiere": FILIERE, "text": TEXTS},
        covers=("filiere_id", "texts"),
        where="t.author_id = p.account_id",
        order="t.id",
    ),
    Section(
        name="accepted_methods",
        title=marked("Les fiches de méthode que vous avez acceptées"),
        table="method_acceptance",
        columns=("id", "version", "through", "accepted_at"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where="t.member_id = p.member_id",
        order="t.id",
    ),
    Section(
        name="communication",
        title=marked("Les étapes de communication que vous avez notées"),
        table="communication_step",
        columns=("id", "moment", "item", "label", "audience", "done_on", "note", "changed_at"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where="t.changed_by = p.account_id",
        order="t.id",
    ),
    Section(
        name="initiatives",
        title=marked("Les initiatives que vous portez"),
        table="initiative",
        columns=("id", "title", "description", "seeking", "trades", "url", "state", "version",
                 "created_at", "updated_at", "finished_on"),
        extra={"filiere": FILIERE},
        covers=("filiere_id",),
        where="t.member_id = p.member_id",
        order="t.id",
    ),
    Section(
        name="links",
        title=marked("Les liens entre filières que vous avez notés"),
        table="filiere_link",
        columns=("id", "kind", "linked_at"),
        extra={
            "filiere": "(SELECT slug FROM filiere WHERE filiere.id = t.from_id)",
            "other_filiere": "(SELECT slug FROM filiere WHERE filiere.id = t.to_id)",
        },
        covers=("from_id", "to_id"),
        where="t.linked_by = p.account_id",
        order="t.id",
    ),
)  # fmt: skip


async def erase(opened: asyncpg.Connection, person: Person) -> None:
    """Mandates and opinions go with the person; a filière that nobody runs says so to the staff.

    What was proposed and decided stays. Whose it was is emptied by the database, when it deletes
    the member and the account: nothing else may touch a decision.
    """
    await vacancies.tell(opened, person)
    for table in ("mandate", "filiere_support", "method_acceptance", "initiative"):
        await opened.execute(
            f"DELETE FROM {table} WHERE member_id = $1",  # noqa: S608 - own names
            person.member_id,
        )
    await opened.execute(
        "UPDATE filiere_link SET linked_by = NULL WHERE linked_by = $1", person.account_id
    )
    await opened.execute(
        "UPDATE communication_step SET changed_by = NULL WHERE changed_by = $1", person.account_id
    )
    await opened.execute(
        "UPDATE dossier_reason SET author_id = NULL WHERE author_id = $1", person.account_id
    )
    await _erase_offers(opened, person)


async def _erase_offers(opened: asyncpg.Connection, person: Person) -> None:
    """What was offered to them goes; what they offered stands, without their words."""
    await opened.execute("DELETE FROM mandate_reminder WHERE account_id = $1", person.account_id)
    await opened.execute("DELETE FROM mandate_offer WHERE to_member_id = $1", person.member_id)
    await opened.execute(
        "UPDATE mandate_offer SET message = '', offered_by = NULL WHERE offered_by = $1",
        person.account_id,
    )
