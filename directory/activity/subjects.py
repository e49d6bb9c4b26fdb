"""The names of the things that the log tells of: 'filiere:12', 'event:5', 'role:animator:…'."""

from collections.abc import Iterable

from directory import db
from directory.accounts.actor import Actor
from directory.activity import wording
from directory.events import listings
from directory.filieres import registry
from directory.languages import translate


async def names(actor: Actor, found: Iterable[str], language: str) -> dict[str, str]:
    """By subject. What is gone, and what the reader may not see, has none."""
    subjects = {subject for subject in found if subject}
    filieres = await registry.refs(
        {_number(one) for one in subjects if one.startswith(("filiere:", "role:"))}, language
    )
    titles = await listings.titles(actor, [_number(s) for s in subjects if s.startswith("event:")])
    named = {f"event:{number}": title for number, title in titles.items()}
    named |= {f"filiere:{number}": ref.name for number, ref in filieres.items()}
    named |= await _mailings([_number(s) for s in subjects if s.startswith("mailing:")], language)
    named |= await _tokens(actor, [_number(s) for s in subjects if s.startswith("token:")])
    for subject in subjects:
        if subject.startswith("role:"):
            _, role, where = subject.split(":", 2)
            words = translate(language, wording.ROLES.get(role, role))
            place = named.get(where)
            named[subject] = f"{words}, {place}" if place else words
    return named


async def _mailings(ids: list[int], language: str) -> dict[str, str]:
    """By the filières they went to: their words are for those who got them."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT mailing_id, filiere_id FROM mailing_filiere "
            "WHERE mailing_id = ANY($1::bigint[]) ORDER BY filiere_id",
            ids,
        )
    refs = await registry.refs({row["filiere_id"] for row in rows}, language)
    named: dict[str, list[str]] = {}
    for row in rows:
        named.setdefault(f"mailing:{row['mailing_id']}", []).append(refs[row["filiere_id"]].name)
    return {subject: ", ".join(filieres) for subject, filieres in named.items()}


async def _tokens(actor: Actor, ids: list[int]) -> dict[str, str]:
    """One's own only: what others call theirs is their affair."""
    async with db.connection() as reader:
        rows = await reader.fetch(
            "SELECT id, name FROM api_token WHERE id = ANY($1::bigint[]) AND account_id = $2",
            ids, actor.account_id,
        )  # fmt: skip
    return {f"token:{row['id']}": row["name"] for row in rows}


def _number(subject: str) -> int:
    last = subject.rpartition(":")[2]
    return int(last) if last.isdecimal() and len(last) < 19 else 0
