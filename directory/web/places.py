"""The places that may be meant by what is typed on the search page."""

from directory.members import vocabulary
from directory.members.vocabulary import PlaceEntry

MOST_SUGGESTED = 10


async def suggest(text: str, language: str) -> list[PlaceEntry]:
    """Those whose position is known, the nearest to what is typed first."""
    if not text.strip():
        return []
    points = await vocabulary.points()
    found = await vocabulary.find_places(text, language, 1, 3 * MOST_SUGGESTED)
    return [entry for entry in found.items if points[entry.code]][:MOST_SUGGESTED]
