"""The shipped tables beside this module: CSV in UTF-8 with a header, gzipped but for our own."""

import csv
import gzip
import hashlib
import io
from collections.abc import Iterable, Iterator
from importlib import resources


def read(name: str) -> Iterator[dict[str, str]]:
    raw = _raw(name)
    plain = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    yield from csv.DictReader(io.StringIO(plain.decode()))


def digest(names: Iterable[str], edition: str) -> str:
    """A hash of the files and of the edition of the code that reads them."""
    whole = hashlib.sha256(edition.encode())
    for name in names:
        whole.update(_raw(name))
    return whole.hexdigest()


def _raw(name: str) -> bytes:
    folder = resources.files(__package__)
    packed = folder / f"{name}.csv.gz"
    return (packed if packed.is_file() else folder / f"{name}.csv").read_bytes()
