"""Memberships, the ledger of consents, and the consents that hold today, into their tables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from directory.demo.filieres import Joining
from directory.demo.people import Person
from directory.demo.rows import Codes, Ids, Writer

ACT = (
    "member_id", "filiere_id", "topic", "rhythm", "act", "actor_id", "screen", "wording_id", "at",
    "language",
)  # fmt: skip
Row = tuple[object, ...]


async def write(
    writer: Writer,
    chunk: Sequence[Person],
    joinings: Mapping[int, Iterable[Joining]],
    ids: Mapping[int, Ids],
    filiere_ids: Mapping[str, int],
    codes: Codes,
) -> None:
    joined = [
        (person, ids[person.position], filiere_ids[joining.slug], joining)
        for person in chunk
        for joining in joinings[person.position]
    ]
    await writer.copy(
        "membership", ("filiere_id", "member_id", "joined_at", "left_at"),
        ((f, own.member, joining.joined_at, joining.left_at) for _, own, f, joining in joined),
    )  # fmt: skip
    acts: list[Row] = []
    held: list[tuple[Row, int]] = []
    for person, own, filiere_id, joining in joined:
        for given, withdrawn in _acts(person, own, filiere_id, joining, codes):
            if withdrawn is None:
                held.append(((own.member, filiere_id, given[2], given[3]), len(acts)))
            acts += [given] if withdrawn is None else [given, withdrawn]
    numbers = await writer.reserve("consent_ledger", len(acts))
    await writer.copy(
        "consent_ledger",
        ("id", *ACT),
        ((number, *act) for act, number in zip(acts, numbers, strict=True)),
    )
    await writer.copy(
        "consent", ("member_id", "filiere_id", "topic", "rhythm", "ledger_id"),
        ((*row, numbers[act]) for row, act in held),
    )  # fmt: skip


def _acts(
    person: Person, own: Ids, filiere_id: int, joining: Joining, codes: Codes
) -> Iterator[tuple[Row, Row | None]]:
    """Each consent as it was given, and as it was withdrawn where it was."""
    for consent in joining.consents:
        key = (own.member, filiere_id, consent.topic)
        wording = codes.wordings[consent.topic, person.language]
        given = (
            *key, consent.rhythm, "given", own.account, "filiere", wording, consent.given_at,
            person.language,
        )  # fmt: skip
        withdrawn = (
            *key, None, "withdrawn", own.account, "preferences", None, consent.withdrawn_at,
            person.language,
        )  # fmt: skip
        yield given, None if consent.withdrawn_at is None else withdrawn
