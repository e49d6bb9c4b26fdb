"""What was found, as it is shown: the cards, why each was found, how far away it is."""

from collections.abc import Iterable, Sequence

import msgspec

from directory import db
from directory.members import documents, vocabulary
from directory.members.documents import TradeKeys
from directory.members.views import MemberCard, Word
from search import highlight
from search.documents import Near, Sought

MOST_WIDENED = 5


class Highlight(msgspec.Struct, frozen=True):
    """What the search was for, in one text of a hit: pairs [start, end) of code points.

    position is the place in the list where the field is one. A trade is lit whole when it is found
    by its name in another language.
    """

    field: str
    position: int
    ranges: list[tuple[int, int]]


class MemberHit(MemberCard, frozen=True, kw_only=True):
    """A member who was found. distance_km is to their town, as the crow flies."""

    highlights: list[Highlight]
    distance_km: float | None


class _Reading:
    """The cards of a page, looked at for the words of the query."""

    def __init__(self, sought: Sequence[Sought], trades: dict[str, TradeKeys]) -> None:
        self._sought = sought
        self._trades = trades
        self.widened: dict[str, Word] = {}

    def highlights(self, card: MemberCard) -> list[Highlight]:
        lit: dict[tuple[str, int], Highlight] = {}
        missing = set(range(len(self._sought)))
        for field, position, text in _texts(card):
            if matches := highlight.matches(text, self._sought):
                ranges = [(match.start, match.end) for match in matches]
                lit[field, position] = Highlight(field, position, ranges)
                missing.difference_update(*(match.words for match in matches))
        for position, trade in enumerate(card.trades):
            keys = self._trades.get(trade.code)
            if keys and (own := self._among(missing, keys.own)):
                whole = Highlight("trades", position, [(0, len(trade.label))])
                lit["trades", position] = whole
                missing -= own
        for trade in card.trades:
            keys = self._trades.get(trade.code)
            if keys and (wider := self._among(missing, keys.wider)):
                self.widened.setdefault(trade.code, trade)
                missing -= wider
        return list(lit.values())

    def _among(self, words: set[int], keys: frozenset[str]) -> set[int]:
        return {number for number in words if any(self._sought[number].is_key(key) for key in keys)}


def _texts(card: MemberCard) -> Iterable[tuple[str, int, str]]:
    yield "display_name", 0, card.display_name
    yield "headline", 0, card.headline
    for position, trade in enumerate(card.trades):
        yield "trades", position, trade.label
    for position, skill in enumerate(card.skills_offered):
        yield "skills_offered", position, skill
    if card.place:
        yield "place", 0, card.place.label


async def read(
    cards: Sequence[MemberCard], sought: Sequence[Sought], around: Near | None
) -> tuple[list[MemberHit], list[Word]]:
    """The hits of a page, and the trades that were searched although nobody typed their names."""
    trades: dict[str, TradeKeys] = {}
    if sought:
        async with db.connection() as reader:
            codes = {trade.code for card in cards for trade in card.trades}
            trades = await documents.trade_keys(reader, codes)
    points = await vocabulary.points() if around else {}
    reading = _Reading(sought, trades)
    hits = []
    for card in cards:
        point = points.get(card.place.code) if card.place else None
        hits.append(
            MemberHit(
                **msgspec.structs.asdict(card),
                highlights=reading.highlights(card),
                distance_km=round(around.distance_km(*point), 1) if around and point else None,
            )
        )
    return hits, list(reading.widened.values())[:MOST_WIDENED]
