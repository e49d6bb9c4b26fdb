"""The names of codes, in the reader's language. A code that is none is left out."""

from collections.abc import Collection

from babel import Locale

from directory import db
from directory.languages import LANGUAGES
from search import normaliser

_BY_CODE = {
    "trade": "SELECT code, CASE $2 WHEN 'nl' THEN coalesce(label_nl, label_fr) "
    "WHEN 'en' THEN coalesce(label_en, label_fr) ELSE label_fr END AS label "
    "FROM trade WHERE code = ANY($1)",
    "sector": "SELECT code, CASE $2 WHEN 'nl' THEN label_nl WHEN 'en' THEN label_en "
    "ELSE label_fr END AS label FROM sector WHERE code = ANY($1)",
    "region": "SELECT code, CASE $2 WHEN 'nl' THEN label_nl WHEN 'en' THEN label_en "
    "ELSE label_fr END AS label FROM region WHERE code = ANY($1)",
    "place": "SELECT code, postal_code || ' ' || CASE $2 WHEN 'nl' THEN label_nl ELSE label_fr END "
    "AS label FROM place WHERE code = ANY($1)",
}


async def of(kind: str, codes: Collection[str], language: str) -> dict[str, str]:
    """kind is 'trade', 'sector', 'region' or 'place'."""
    if not codes:
        return {}
    async with db.connection() as reader:
        wanted = [code.replace("\0", "") for code in codes]
        rows = await reader.fetch(_BY_CODE[kind], wanted, language)
    return {row["code"]: row["label"] for row in rows}


def of_languages(codes: Collection[str], language: str) -> dict[str, str]:
    """'nl' is 'néerlandais' for a French reader. Codes are ISO 639."""
    names = Locale.parse(language if language in LANGUAGES else "fr").languages
    return {code: names[code] for code in codes if code in names}


def all_languages(language: str) -> list[tuple[str, str]]:
    """Codes of two letters with their names, by name."""
    names = Locale.parse(language if language in LANGUAGES else "fr").languages
    found = [(code, name) for code, name in names.items() if len(code) == 2]
    return sorted(found, key=lambda pair: normaliser.fold(pair[1]))
