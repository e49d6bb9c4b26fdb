"""Any bytes are rows or a refusal; what we write is read back as it was."""

import io

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from directory import errors
from directory.members import drafts
from directory.members.audiences import Field
from directory.members.imports import cells, columns, escaping, reading, sheets, words
from directory.members.imports.reading import Refused, Row
from directory.members.imports.words import Words
from tests import importing
from tests.people import Person

OFTEN = settings(max_examples=150, deadline=None)
IN_DATABASE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
NO_WORDS = Words({}, frozenset(), {})
PIECES = st.lists(
    st.sampled_from(
        [b"number", b"e-mail", b"nom", b"full name", b";", b",", b"\t", b'"', b'""', b"\n", b"\r\n",
         b"\r", b"\0", b"-", b"=", b"'", b"|", b"\\", b"\xe9", b"\xc3\xa9", b"\xef\xbb\xbf", b"7",
         b"\xff\xfe", b"A\0w\0a\0", b"sep=;\n", b"a@b.example", b"\xe2\x80\xa8", b"\x81", b"Awa"]
    ),
    max_size=60,
).map(b"".join)  # fmt: skip
ANY = st.one_of(st.binary(max_size=300), PIECES)
LINE = st.text(max_size=60).map(lambda text: " ".join(text.split()))


def read(content: bytes) -> list[Row]:
    with reading.opened(io.BytesIO(content)) as sheet:
        return list(sheet.rows)


@OFTEN
@given(ANY)
def test_any_bytes_are_rows_or_a_refusal(content: bytes) -> None:
    try:
        with reading.opened(io.BytesIO(content)) as sheet:
            layout = columns.layout(sheet.header)
            reader = cells.Reader(layout, NO_WORDS)
            lines = [reader.read(row).line for row in sheet.rows]
    except Refused as refused:
        event(refused.message)
    else:
        assert lines == sorted(set(lines))


@pytest.fixture
async def helene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    return await importing.coordinator(client, connection)


@IN_DATABASE
@given(head=st.sampled_from([b"", b"number;full name;headline;biography\n"]), content=ANY)
async def test_any_bytes_are_planned_or_refused(
    client: httpx.AsyncClient, helene: Person, head: bytes, content: bytes
) -> None:
    if not head + content:
        return
    found = await importing.planned(client, head + content)
    assert found["state"] in {"planned", "refused"}
    page = await client.get(f"/members/import/{found['id']}")
    assert page.status_code == 200
    assert (await client.get(f"/members/import/{found['id']}/plan.csv")).status_code == 200


@OFTEN
@given(st.text())
def test_a_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    written = escaping.guard(text)
    assert not written.startswith(tuple(escaping.FORMULAS))
    assert escaping.unguard(written) == text


@OFTEN
@given(st.lists(LINE.filter(bool), max_size=6))
def test_a_list_in_a_cell_comes_back(items: list[str]) -> None:
    assert escaping.parted(escaping.joined(items)) == items


@OFTEN
@given(LINE, st.text(max_size=200), st.lists(LINE, max_size=5))
def test_what_a_profile_holds_comes_back_from_a_sheet(
    headline: str, biography: str, skills: list[str]
) -> None:
    try:
        kept = {
            "headline": drafts.line(Field.HEADLINE, headline),
            "biography": drafts.text(Field.BIOGRAPHY, biography),
            "skills_offered": "\n".join(drafts.skills(Field.SKILLS_OFFERED, skills)),
        }
    except errors.Malformed:
        return
    header = ["number", "name", *kept]
    cells_written = ["1", "Awa", kept["headline"], kept["biography"]]
    cells_written.append(escaping.joined(kept["skills_offered"].split("\n")))
    content = sheets.line(header) + sheets.line(cells_written)
    (row,) = read(content)
    found = cells.Reader(columns.layout(header), NO_WORDS).read(row)
    assert found.faults == []
    wanted = {name: value for name, value in kept.items() if value}
    assert {name: found.values[name] for name in kept if name in found.values} == wanted


def test_every_header_of_every_language_is_one_column() -> None:
    for column, described in columns.DESCRIBED.items():
        for name in (*described.names, *described.aliases):
            found = columns._KNOWN[columns.key(name)]
            assert found is column, name


async def test_words_of_the_lists_are_found_in_three_languages(
    connection: asyncpg.Connection,
) -> None:
    known = await words.read(connection)
    trades = known.names[columns.Column.TRADES]
    code = trades.code(columns.Column.TRADES, "Développeur·se web")
    for typed in ("développeuse web", "DEVELOPPEUR WEB", "développeurs web", code):
        assert trades.code(columns.Column.TRADES, typed) == code
    assert known.place("", "5000", "Namur") == "be-5000-namur"
    assert known.place("", "B-5000", "namen") == "be-5000-namur"
    assert known.place("", "", "Namur") == "be-5000-namur"
    assert known.place("be-4000-liege", "", "Nulle part") == "be-4000-liege"
    with pytest.raises(errors.Malformed):
        known.place("", "", "Saint-Nulle-Part")
