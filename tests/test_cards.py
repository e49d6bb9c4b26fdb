"""The vCard of a member, read back by another library."""

import base64
import io
from datetime import date
from typing import Any

import asyncpg
import httpx
import vobject
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image

from directory import settings
from directory.members import cards
from directory.members.audiences import Audience, Field
from directory.members.views import (
    Availability,
    FiliereView,
    LanguageLevel,
    LanguageView,
    LinkView,
    MemberView,
    PlaceView,
    Stage,
    TerritoryView,
    Word,
)
from directory.settings import Settings
from tests import people, profile_rows
from tests.people import sign_in
from tests.test_photos import RED, encoded, is_near

TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), include_characters="\n\t"),
    min_size=1, max_size=120,
).filter(lambda text: bool(text.strip()))  # fmt: skip
LINE = TEXT.map(lambda text: " ".join(text.split()))
WORDS = st.lists(LINE.map(lambda label: Word("1", label)), max_size=5)
VIEWS = st.builds(
    MemberView,
    id=st.integers(1, 2**62),
    display_name=LINE,
    headline=st.just("") | LINE,
    biography=st.just("") | TEXT,
    trades=WORDS,
    sectors=WORDS,
    skills_offered=st.lists(LINE, max_size=5),
    skills_wanted=st.lists(LINE, max_size=5),
    availability=st.none() | st.sampled_from(Availability),
    available_until=st.none() | st.dates(date(2020, 1, 1)),
    languages=st.lists(st.builds(LanguageView, st.sampled_from(["fr", "nl", "wo"]),
                                 st.sampled_from(LanguageLevel)), max_size=3),
    stage=st.none() | st.sampled_from(Stage),
    place=st.none() | st.builds(PlaceView, st.just("be-5000-namur"), LINE, st.just("BE-WNA"), LINE),
    territory=st.none() | st.builds(TerritoryView, st.just("namur"), LINE),
    email=st.none() | st.just("a,b;c\\d@lemaire.example"),
    phone=st.just("") | LINE,
    links=st.lists(st.builds(LinkView, st.just("site"), st.sampled_from(
        ["https://lemaire.example/a,b;c?d=é#f", "https://forgé.example/%20", "http://a.example"],
    )), max_size=3),
    filieres=st.lists(st.builds(FiliereView, st.just("web"), LINE, st.just("trade")), max_size=3),
)  # fmt: skip


def parsed(text: str) -> Any:
    return vobject.readOne(text)


def values(component: Any, name: str) -> list[Any]:
    return [line.value for line in component.contents.get(name, [])]


def uris(text: str, name: str) -> list[str]:
    """Unfolded and taken apart by the library, which cuts a URI at its comma in all else."""
    lines = vobject.base.getLogicalLines(io.StringIO(text, newline=""), allowQP=False)
    apart = [vobject.base.parseLine(line) for line, _ in lines if line]
    return [value for found, _, value, _ in apart if found == name]


@examples(max_examples=150, deadline=None)
@given(view=VIEWS)
def test_another_library_reads_back_what_was_written(view: MemberView) -> None:
    settings.use(Settings(demo=True, secret_key="x" * 40, name="L’Établi; test, \\"))
    text = cards.card(view)
    read = parsed(text)
    assert values(read, "version") == ["4.0"]
    assert values(read, "fn") == [view.display_name]
    assert values(read, "title") == [word.label for word in view.trades]
    assert values(read, "email") == ([view.email] if view.email else [])
    assert values(read, "tel") == ([view.phone] if view.phone else [])
    assert values(read, "expertise") == view.skills_offered
    assert values(read, "note") == [one for one in (view.headline, view.biography) if one]
    assert values(read, "lang") == [one.language for one in view.languages]
    groups = [*(one.label for one in view.sectors), *(one.name for one in view.filieres)]
    assert values(read, "categories") == ([groups] if groups else [])
    assert [(one.city, one.region) for one in values(read, "adr")] == (
        [(view.place.label, view.place.region)] if view.place else []
    )
    assert len(values(read, "org")) == bool(view.territory)
    assert all(value.isascii() for value in values(read, "url"))


@examples(max_examples=150, deadline=None)
@given(text=st.text(max_size=300))
def test_no_text_ends_its_line_or_is_longer_than_a_line_may_be(text: str) -> None:
    folded = cards.fold(f"NOTE:{cards.escaped(text)}")
    lines = folded.encode(errors="replace").split(b"\r\n")
    assert all(len(line) <= cards.LINE_OCTETS for line in lines)
    assert all(line.startswith(b" ") for line in lines[1:])
    assert len(folded.replace("\r\n ", "").splitlines()) == 1


def test_a_folded_line_cuts_no_character_in_two() -> None:
    for line in cards.fold("é" * 200).encode().split(b"\r\n"):
        line.decode()


async def test_each_reader_gets_the_fields_that_they_see(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa, reader = await people.member(connection), await people.member(connection)
    await profile_rows.fill(connection, awa)
    shown = {Field.DISPLAY_NAME: Audience.PUBLIC, Field.HEADLINE: Audience.PUBLIC}
    await profile_rows.choose(
        connection, awa, shown | {Field.EMAIL: Audience.MEMBERS, Field.PHONE: Audience.ME}
    )
    for path in (f"/members/{awa.member_id}/card.vcf", f"/api/v1/members/{awa.member_id}/card"):
        client.cookies.clear()
        answer = await client.get(path)
        assert answer.headers["content-type"] == "text/vcard; charset=utf-8"
        card = parsed(answer.text)
        assert values(card, "fn") == ["Awa Lemaire"]
        assert values(card, "note") == ["Des choses simples"]
        assert set(card.contents) == {"version", "kind", "uid", "source", "fn", "note"}
        await sign_in(client, reader)
        card = parsed((await client.get(path)).text)
        assert values(card, "email")[0].endswith("@lemaire.example")
        assert "tel" not in card.contents
        await sign_in(client, awa)
        assert "tel" in parsed((await client.get(path)).text).contents


async def test_a_photo_is_in_the_card_of_who_sees_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa, reader = await people.member(connection), await people.member(connection)
    await sign_in(client, awa)
    sent = await client.put(
        f"/api/v1/members/{awa.member_id}/photo",
        content=encoded(Image.new("RGB", (600, 600), RED)), headers={"content-type": "image/jpeg"},
    )  # fmt: skip
    assert sent.status_code == 200, sent.text
    await sign_in(client, reader)
    path = f"/members/{awa.member_id}/card.vcf"
    text = (await client.get(path)).text
    assert all(len(line) <= cards.LINE_OCTETS for line in text.encode().split(b"\r\n"))
    (photo,) = uris(text, "PHOTO")
    head, _, body = photo.partition(",")
    assert head == "data:image/jpeg;base64"
    image = Image.open(io.BytesIO(base64.b64decode(body, validate=True)))
    assert (image.format, image.size) == ("JPEG", (512, 512))
    assert is_near(image.convert("RGB").getpixel((256, 256)), RED)
    export = "/api/v1/members/export?format=vcf"
    exported = (await client.get(export)).text
    (address,) = next(values(one, "photo") for one in vobject.readComponents(exported))
    assert address == settings.current().public_url + sent.json()["photo"]["large"]
    for audience in (Audience.ME, Audience.FILIERES):
        await profile_rows.choose(connection, awa, {Field.PHOTO: audience})
        assert values(parsed((await client.get(path)).text), "photo") == []
        assert "PHOTO" not in (await client.get(export)).text
    await sign_in(client, awa)
    assert values(parsed((await client.get(path)).text), "photo")


async def test_there_is_no_card_of_who_is_not_seen(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    awa = await people.member(connection)
    for number in (awa.member_id, 10**17):
        assert (await client.get(f"/members/{number}/card.vcf")).status_code == 404
        assert (await client.get(f"/api/v1/members/{number}/card")).status_code == 404
