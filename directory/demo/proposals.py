"""What members of the demonstration propose, and what others say of it, into their tables."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from directory.demo import filieres, profiles
from directory.demo.filieres import Filiere
from directory.demo.people import Person
from directory.demo.rows import Ids, Writer

SUPPORT = ("filiere_id", "member_id", "stance", "opinion", "given_at")


async def write(
    writer: Writer,
    crowd: Sequence[Person],
    ids: Mapping[int, Ids],
    filiere_ids: Mapping[str, int],
    today: date,
) -> None:
    """Of those who are still there and are no cast: each opinion has its own author."""
    there = [p for p in crowd if p.left_on is None and p.filieres is None and not p.animates]
    members = [ids[person.position].member for person in there]
    for filiere in filieres.known():
        if filiere.need and len(members) > len(filiere.opinions):
            await _propose(writer, filiere, filiere_ids[filiere.slug], members, today)


async def _propose(
    writer: Writer, filiere: Filiere, filiere_id: int, members: Sequence[int], today: date
) -> None:
    proposed_at = profiles.noon(today - timedelta(days=filiere.history[0][0]))
    await writer.copy(
        "filiere_proposal", ("filiere_id", "proposed_by", "need", "intentions", "proposed_at"),
        [(filiere_id, members[0], filiere.need.strip(), filiere.intentions.strip(), proposed_at)],
    )  # fmt: skip
    said = [("favourable", ""), *filiere.opinions]
    await writer.copy(
        "filiere_support", SUPPORT,
        (
            (filiere_id, member_id, stance, words, proposed_at + timedelta(days=3 * number))
            for number, (member_id, (stance, words)) in enumerate(zip(members, said, strict=False))
        ),
    )  # fmt: skip
