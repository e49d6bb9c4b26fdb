"""The shipped tables: gzipped CSV in UTF-8 with a header, beside this module."""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterable, Iterator
from importlib import resources


def read(name: str) -> Iterator[dict[str, str]]:
    raw = (resources.files(__package__) / f"{name}.csv.gz").read_bytes()
    yield from csv.DictReader(io.StringIO(gzip.decompress(raw).decode()))


def digest(names: Iterable[str], edition: str) -> str:
    """A hash of the files and of the edition of the code that reads them."""
    whole = hashlib.sha256(edition.encode())
    for name in names:
        whole.update((resources.files(__package__) / f"{name}.csv.gz").read_bytes())
    return whole.hexdigest()
