"""All that is held about a person: one file of the copy for each domain, under names that stay."""

from directory.accounts import holdings as accounts
from directory.events import holdings as events
from directory.filieres import holdings as filieres
from directory.holdings import Person, Section
from directory.languages import marked
from directory.mailings import holdings as mailings
from directory.members import holdings as members
from directory.subscriptions import holdings as subscriptions

OWN = (
    Section(
        name="exports",
        title=marked("Les copies de vos données que vous avez demandées"),
        table="personal_export",
        columns=("id", "language", "state", "done", "total", "size", "asked_at", "ready_at",
                 "expires_at"),
        where="t.account_id = p.account_id",
        order="t.id",
    ),
    Section(
        name="erasures",
        title=marked("Les effacements demandés ou annoncés"),
        table="erasure",
        columns=("id", "reason", "state", "is_hidden", "asked_at", "due_at", "reminded_at",
                 "worked_at", "done_at"),
        where="(t.account_id = p.account_id OR t.member_id = p.member_id)",
        order="t.id",
    ),
)  # fmt: skip

DOMAINS: dict[str, tuple[Section, ...]] = {
    "accounts": accounts.SECTIONS,
    "members": members.SECTIONS,
    "filieres": filieres.SECTIONS,
    "subscriptions": subscriptions.SECTIONS,
    "events": events.SECTIONS,
    "mailings": mailings.SECTIONS,
    "privacy": OWN,
}
"""By the name of their file: data/<domain>.json."""


def folders(person: Person) -> list[str]:
    """Where their files are, under the same names in the copy."""
    if person.member_id is None:
        return []
    return [f"{folder}/{person.member_id}" for folder in members.FOLDERS]
