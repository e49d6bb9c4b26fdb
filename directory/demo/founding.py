"""Who proposed filières, and what members said of it, into their tables."""

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from importlib import resources

import msgspec

from directory.demo import filieres, profiles
from directory.demo.rows import Writer

ENOUGH = 10

# Members of the trades or sectors that define $1 who were there on $2, in an order of its own.
_CANDIDATES = """
    SELECT m.id, m.account_id FROM member m JOIN account a ON a.id = m.account_id
    WHERE m.left_on IS NULL AND m.joined_on <= $2 AND (
        EXISTS (SELECT FROM member_trade t JOIN filiere_trade f ON f.trade_id = t.trade_id
                WHERE t.member_id = m.id AND f.filiere_id = $1)
        OR EXISTS (SELECT FROM member_sector s JOIN filiere_sector f ON f.sector_id = s.sector_id
                   WHERE s.member_id = m.id AND f.filiere_id = $1))
    ORDER BY a.email = $4 DESC, md5($1::text || ' ' || m.id::text), m.id LIMIT $3
"""


class Founding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """opinions: days before today, the stance, the words. supports counts them too. by is the
    address of who proposed it, for one of the fixed cast."""

    slug: str
    by: str = ""
    need: str
    intentions: str
    supports: int
    opinions: list[tuple[int, str, str]]


@cache
def known() -> tuple[Founding, ...]:
    text = resources.files("directory.demo").joinpath("founding.toml").read_text("utf-8")
    return tuple(msgspec.convert(tomllib.loads(text)["founding"], list[Founding]))


async def write(
    writer: Writer, filiere_ids: Mapping[str, int], today: date
) -> Mapping[str, int | None]:
    """Once everybody is there. The accounts of those who proposed, by slug."""
    proposers: dict[str, int | None] = {}
    histories = {filiere.slug: filiere.history for filiere in filieres.known()}
    for founding in known():
        filiere_id = filiere_ids[founding.slug]
        proposed_on = today - timedelta(days=histories[founding.slug][0][0])
        people = await writer.connection.fetch(
            _CANDIDATES, filiere_id, proposed_on, founding.supports, founding.by
        )
        if not people:
            continue
        proposer, *supporters = people
        proposers[founding.slug] = proposer["account_id"]
        said = [*founding.opinions, *_silent(founding)][: len(supporters)]
        told_on = proposed_on + timedelta(days=30) if founding.supports >= ENOUGH else None
        await writer.copy(
            "filiere_proposal",
            ("filiere_id", "proposed_by", "need", "intentions", "proposed_at", "told_at"),
            [
                (
                    filiere_id, proposer["id"], founding.need, founding.intentions,
                    profiles.noon(proposed_on), profiles.noon(told_on) if told_on else None,
                )
            ],
        )  # fmt: skip
        rows = [(filiere_id, proposer["id"], "favourable", "", profiles.noon(proposed_on))]
        rows += [
            (filiere_id, person["id"], stance, words, profiles.noon(today - timedelta(days=days)))
            for person, (days, stance, words) in zip(supporters, said, strict=False)
        ]
        await writer.copy(
            "filiere_support", ("filiere_id", "member_id", "stance", "opinion", "given_at"), rows
        )
    return proposers


def _silent(founding: Founding) -> list[tuple[int, str, str]]:
    """Those who supported without a word, the last days of the support."""
    count = founding.supports - 1 - len(founding.opinions)
    return [(founding.opinions[-1][0], "favourable", "")] * max(count, 0)
