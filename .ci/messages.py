"""Collect every text that is shown into the Dutch and English catalogues, keeping what is there.

With --check: change nothing, and fail when a text is missing from a catalogue or not translated.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "directory" / "translations"
KEYWORDS = {"marked": None, "_": None, "_n": (1, 2)}
NAMES = {"nl": "Dutch", "en": "English"}
METHODS = [
    ("**.py", "python"),
    ("**/templates/**.html", "jinja2.ext.babel_extract"),
    ("**/mails/**.html", "jinja2.ext.babel_extract"),
    ("**/mails/**.txt", "jinja2.ext.babel_extract"),
]
OPTIONS = {pattern: {"trimmed": "true"} for pattern, method in METHODS if method != "python"}


def collect() -> Catalog:
    catalog = Catalog(project="filieres", charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        ROOT / "directory", METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=()
    )
    for path, _, message, _, _ in sorted(found, key=lambda entry: (entry[0], entry[1])):
        catalog.add(message, locations=[(path, 0)])
    return catalog


def main() -> int:
    texts, lacking = collect(), 0
    for language, name in NAMES.items():
        path = FOLDER / f"{language}.po"
        known = read_po(BytesIO(path.read_bytes()), locale=language)
        known.update(texts, no_fuzzy_matching=True)
        known.header_comment = f"# The texts of the service in {name}; the source is French."
        missing = [
            message.id for message in known if message.id and not _is_translated(message.string)
        ]
        broken = [
            message.id
            for message in known
            if message.id and _is_translated(message.string) and any(message.check(known))
        ]
        for text in broken:
            sys.stdout.write(f"{language}: its places differ from the source: {text!r}\n")
        lacking += len(missing) + len(broken)
        for message in missing:
            sys.stdout.write(f"{language}: not translated: {message!r}\n")
        if "--check" not in sys.argv:
            with path.open("wb") as file:
                write_po(
                    file, known, sort_output=True, ignore_obsolete=True, include_lineno=False,
                    width=100, omit_header=False,
                )  # fmt: skip
    return 1 if lacking and "--check" in sys.argv else 0


def _is_translated(text: str | tuple[str, ...] | list[str]) -> bool:
    return all(text) if isinstance(text, (tuple, list)) else bool(text)


if __name__ == "__main__":
    sys.exit(main())
