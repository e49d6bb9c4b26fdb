"""A member's photo: read, written anew, shown to whom they choose, and gone."""

import asyncio
import io
import struct
import zlib
from collections.abc import Callable

import asyncpg
import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from directory import errors, files
from directory.members import photos, pictures, profiles
from directory.members.audiences import Audience, Field
from tests import people, profile_rows
from tests.people import Person

RED, BLUE = (255, 0, 0), (0, 0, 255)


@pytest.fixture
async def awa(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Person:
    """A member who is signed in."""
    awa = await people.member(connection)
    await people.sign_in(client, awa)
    return awa


def drawn(size: tuple[int, int] = (900, 600)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    return image


def encoded(image: Image.Image, kind: str = "JPEG", **given: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **given)
    return out.getvalue()


async def put(
    client: httpx.AsyncClient,
    person: Person,
    content: bytes,
    kind: str = "image/jpeg",
    **given: str,
) -> httpx.Response:
    return await client.put(
        f"/api/v1/members/{person.member_id}/photo",
        content=content, headers={"content-type": kind}, params=given,
    )  # fmt: skip


async def shown(
    client: httpx.AsyncClient, answer: httpx.Response, size: str = "large"
) -> Image.Image:
    assert answer.status_code == 200, answer.text
    picture = await client.get(answer.json()["photo"]["large"])
    assert picture.status_code == 200
    return Image.open(io.BytesIO(picture.content))


def is_near(pixel: object, colour: tuple[int, ...], by: int = 40) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(one - other) <= by for one, other in zip(pixel, colour, strict=False))


async def test_a_photo_is_shown_in_two_sizes(client: httpx.AsyncClient, awa: Person) -> None:
    answer = await put(client, awa, encoded(drawn()))
    for size, side in (("large", 512), ("small", 96)):
        picture = await client.get(answer.json()["photo"][size])
        assert picture.headers["content-type"] == "image/webp"
        assert picture.headers["x-content-type-options"] == "nosniff"
        assert picture.headers["cache-control"].startswith("private,")
        assert Image.open(io.BytesIO(picture.content)).size == (side, side)
    etag = {"if-none-match": picture.headers["etag"]}
    again = await client.get(answer.json()["photo"]["small"], headers=etag)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("focus", "left", "right"), [("centre", RED, BLUE), ("start", RED, RED), ("end", BLUE, BLUE)]
)
async def test_the_square_keeps_what_is_asked(
    client: httpx.AsyncClient, awa: Person,
    focus: str, left: tuple[int, ...], right: tuple[int, ...],
) -> None:  # fmt: skip
    image = await shown(client, await put(client, awa, encoded(drawn((1200, 600))), focus=focus))
    assert is_near(image.getpixel((10, 256)), left)
    assert is_near(image.getpixel((500, 256)), right)


async def test_a_photo_is_turned_upright_and_loses_what_it_carried(
    client: httpx.AsyncClient, awa: Person
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side: the left is the top
    exif[0x010F] = "Appareil-secret"
    exif.get_ifd(0x8825)[1] = "N"
    content = encoded(drawn((600, 600)), exif=exif, comment=b"secret-comment")
    answer = await put(client, awa, content + b"<script>trailing-secret</script>")
    image = await shown(client, answer)
    assert is_near(image.getpixel((256, 10)), RED)
    assert is_near(image.getpixel((256, 500)), BLUE)
    assert not image.getexif()
    for key in await files.list_keys("photo"):
        kept = await files.read(key)
        assert b"ecret" not in kept
        assert b"EXIF" not in kept
        assert b"ICCP" not in kept
        assert b"XMP" not in kept


def sixteen_bit(mode: str) -> Image.Image:
    image = Image.new(mode, (64, 64), 255 * 256)
    image.paste(0, (32, 0, 64, 64))
    return image


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), BLUE)] * 3
    return encoded(drawn((64, 64)), kind, save_all=True, append_images=frames, duration=50)


def wide_gamut() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return encoded(drawn((64, 64)), icc_profile=profile.tobytes())


ODD: dict[str, tuple[Callable[[], bytes], tuple[int, ...], tuple[int, ...]]] = {
    "cmyk": (lambda: encoded(drawn((64, 64)).convert("CMYK")), RED, BLUE),
    "palette": (lambda: encoded(drawn((64, 64)).convert("P"), "PNG"), RED, BLUE),
    "two colours": (lambda: encoded(sixteen_bit("I;16").convert("1"), "PNG"), (255,) * 3, (0,) * 3),
    "16 bits of grey": (lambda: encoded(sixteen_bit("I;16"), "PNG"), (255,) * 3, (0,) * 3),
    "grey": (lambda: encoded(drawn((64, 64)).convert("L")), (76,) * 3, (29,) * 3),
    "alpha": (lambda: encoded(Image.new("RGBA", (64, 64), (9, 9, 9, 0)), "PNG"),
        (255,) * 3, (255,) * 3),
    "grey and alpha": (lambda: encoded(Image.new("LA", (64, 64), (0, 0)), "PNG"),
        (255,) * 3, (255,) * 3),
    "transparent palette": (
        lambda: encoded(drawn((64, 64)).convert("P"), "PNG", transparency=0), RED, BLUE),
    "animated webp": (lambda: animated("WEBP"), RED, BLUE),
    "animated png": (lambda: animated("PNG"), RED, BLUE),
    "progressive": (lambda: encoded(drawn((64, 64)), progressive=True), RED, BLUE),
    "profile": (wide_gamut, RED, BLUE),
    "broken profile": (lambda: encoded(drawn((64, 64)), icc_profile=b"x" * 999), RED, BLUE),
    "one pixel": (lambda: encoded(Image.new("RGB", (1, 1), RED)), RED, RED),
    "a thread": (lambda: encoded(Image.new("RGB", (1, 9000), RED)), RED, RED),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
async def test_odd_pictures_are_shown_as_they_look(
    client: httpx.AsyncClient, awa: Person, name: str
) -> None:
    make, left, right = ODD[name]
    image = await shown(client, await put(client, awa, make()))
    assert is_near(image.getpixel((10, 256)), left, by=60)
    assert is_near(image.getpixel((500, 256)), right, by=60)


def bomb(side: int) -> bytes:
    """A PNG of some hundred bytes that says it is very large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


JPEG, PNG, WEBP = (encoded(drawn(), kind) for kind in ("JPEG", "PNG", "WEBP"))
HOSTILE = {
    "nothing": b"",
    "one byte": b"\xff",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "html": b"<!doctype html><script>alert(1)</script>",
    "gif": encoded(drawn((64, 64)), "GIF"),
    "gif and script": b"GIF89a/*" + b"\0" * 20 + b"*/=alert(1)",
    "bmp": encoded(drawn((64, 64)), "BMP"),
    "tiff": encoded(drawn((64, 64)), "TIFF"),
    "pdf": encoded(drawn((64, 64)), "PDF"),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "zip": b"PK\x03\x04" + b"\0" * 100,
    "head of a jpeg": JPEG[:30],
    "half a jpeg": JPEG[: len(JPEG) // 2],
    "half a png": PNG[: len(PNG) // 2],
    "half a webp": WEBP[: len(WEBP) // 2],
    "large png": bomb(7_100),
    "bomb": bomb(10_000),
    "larger bomb": bomb(30_000),
    "largest bomb": bomb(2**31 - 1),
    "no pixel": bomb(0),
    "too long": encoded(Image.new("1", (20_000, 2)), "PNG"),
    "too heavy": JPEG + b"\0" * (pictures.HEAVIEST + 1 - len(JPEG)),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_picture_is_refused_in_words(
    client: httpx.AsyncClient, awa: Person, name: str
) -> None:
    answer = await put(client, awa, HOSTILE[name])
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == "photo"
    assert await files.list_keys("photo") == []
    page = await client.post(
        f"/members/{awa.member_id}/photo",
        data={"version": 1, "audience": "members"}, files={"photo": ("a.jpg", HOSTILE[name])},
    )  # fmt: skip
    assert page.status_code == 400
    assert 'class="editing"' in page.text
    assert 'class="error"' in page.text


async def test_a_body_without_end_is_refused_early(client: httpx.AsyncClient, awa: Person) -> None:
    answer = await put(client, awa, b"\0" * (3 * pictures.HEAVIEST))
    assert answer.status_code == 413
    other = await client.patch(f"/api/v1/members/{awa.member_id}", content=b" " * 3_000_000)
    assert other.status_code == 413


async def test_another_media_type_is_refused(client: httpx.AsyncClient, awa: Person) -> None:
    for kind in ("image/gif", "application/json", "multipart/form-data; boundary=x", "x"):
        assert (await put(client, awa, JPEG, kind)).status_code == 415
    assert (await put(client, awa, PNG, "image/jpeg")).status_code == 200


BRIEFLY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SOURCES = st.sampled_from([JPEG, PNG, WEBP, animated("WEBP"), wide_gamut()])


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A picture with some bytes changed, cut out or put in."""
    content = bytearray(draw(SOURCES))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(content) - 1, 0)) | st.integers(0, 60))
        content[at : at + draw(st.integers(0, 9))] = draw(st.binary(max_size=9))
    return bytes(content)


@BRIEFLY
@given(content=st.binary(max_size=200) | spoiled())
def test_any_bytes_are_a_picture_or_refused(content: bytes) -> None:
    async def read() -> None:
        for reading in (
            pictures.square("photo", content, "centre"),
            pictures.whole("picture", content),
        ):
            try:
                written = await reading
            except errors.Malformed:
                continue
            assert all(one.startswith(b"RIFF") for one in written.contents)

    asyncio.run(read())


@BRIEFLY
@given(body=st.binary(max_size=300))
async def test_any_form_is_read_or_refused(
    client: httpx.AsyncClient, awa: Person, body: bytes
) -> None:
    for start in (
        b"",
        b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n',
    ):
        answer = await client.post(
            f"/members/{awa.member_id}/photo",
            content=start + body + b"\r\n--x--",
            headers={"content-type": "multipart/form-data; boundary=x"},
        )
        assert answer.status_code in {400, 303}, answer.text


async def test_another_photo_takes_the_place_of_the_first(
    client: httpx.AsyncClient, awa: Person, connection: asyncpg.Connection
) -> None:
    first = (await put(client, awa, JPEG)).json()["photo"]
    second = (await put(client, awa, WEBP)).json()["photo"]
    assert first != second
    assert (await client.get(first["large"])).status_code == 404
    assert (await client.get(second["large"])).status_code == 200
    assert len(await files.list_keys("photo")) == 4
    await run_dropped(connection)
    assert {f"/{key.replace('photo/', '')}" for key in await files.list_keys("photo")} == {
        address.replace("/members", "").replace("/photo", "") for address in second.values()
    }
    acts = await connection.fetch(
        "SELECT action, fields FROM audit_entry WHERE action LIKE 'photo.%' ORDER BY id"
    )
    assert [tuple(act) for act in acts] == [("photo.changed", ["photo"])] * 2


async def run_dropped(connection: asyncpg.Connection) -> None:
    """What the worker does."""
    rows = await connection.fetch(
        "DELETE FROM pgqueuer WHERE entrypoint LIKE '%delete_dropped' RETURNING payload"
    )
    for row in rows:
        await pictures.delete_dropped(
            msgspec.json.decode(row["payload"], type=pictures.FilesDropped)
        )


async def test_a_photo_is_removed_after_a_question(
    client: httpx.AsyncClient, awa: Person, connection: asyncpg.Connection
) -> None:
    photo = (await put(client, awa, JPEG)).json()["photo"]
    path = f"/members/{awa.member_id}/photo/remove"
    asked = await client.get(path)
    assert asked.status_code == 200
    assert "Retirer la photo" in asked.text
    assert (await client.get(photo["small"])).status_code == 200
    assert (await client.post(path)).status_code == 303
    assert (await client.get(photo["small"])).status_code == 404
    await run_dropped(connection)
    assert await files.list_keys("photo") == []
    assert "Il n’y a pas de photo" in (await client.get(path)).text
    gone = await client.delete(f"/api/v1/members/{awa.member_id}/photo")
    assert gone.status_code == 204
    acts = await connection.fetch(
        "SELECT action FROM audit_entry WHERE action LIKE 'photo.%' ORDER BY id"
    )
    assert [act["action"] for act in acts] == ["photo.changed", "photo.removed"]


LEVELS = {Audience.PUBLIC: 3, Audience.MEMBERS: 2, Audience.FILIERES: 1, Audience.ME: 0}


@pytest.mark.parametrize("audience", list(Audience))
@pytest.mark.parametrize("named", list(Audience))
async def test_a_photo_is_seen_by_those_who_may(
    client: httpx.AsyncClient, awa: Person, connection: asyncpg.Connection,
    audience: Audience, named: Audience,
) -> None:  # fmt: skip
    photo = (await put(client, awa, JPEG)).json()["photo"]["small"]
    await profile_rows.choose(connection, awa, {Field.PHOTO: audience, Field.DISPLAY_NAME: named})
    fellow, other = await people.member(connection), await people.member(connection)
    filiere_id = await people.filiere(connection, "image")
    await profile_rows.join(connection, filiere_id, awa, fellow)
    reach = min(LEVELS[audience], LEVELS[named])
    for distance, person in enumerate((awa, fellow, other, None)):
        client.cookies.clear()
        if person:
            await people.sign_in(client, person)
        answer = await client.get(photo)
        assert answer.status_code == (200 if distance <= reach else 404)
        if answer.status_code == 200:
            assert answer.headers["cache-control"] == "private, max-age=300"
            tag = answer.headers["etag"]
        never = await client.get(f"/members/{10**9}/photo/{'x' * 22}-96.webp")
        assert never.status_code == 404
        if answer.status_code == 404:
            assert answer.text.replace(photo, "") == never.text.replace(
                f"/members/{10**9}/photo/{'x' * 22}-96.webp", ""
            )
    await connection.execute(
        "UPDATE member SET left_on = current_date WHERE id = $1", awa.member_id
    )
    await people.sign_in(client, other)
    # What a browser kept is not confirmed to it any more.
    assert (await client.get(photo, headers={"if-none-match": tag})).status_code == 404


@pytest.mark.parametrize(
    "file", ["", "x", "%2e%2e%2fsecret", "x" * 22 + "-512.webp", "x" * 22 + "-1.webp", "\0"]
)
async def test_no_other_file_is_served(client: httpx.AsyncClient, awa: Person, file: str) -> None:
    await put(client, awa, JPEG)
    answer = await client.get(f"/members/{awa.member_id}/photo/{file.replace(chr(0), '%00')}")
    assert answer.status_code in {404, 405}


async def test_nobody_changes_anothers_photo(
    client: httpx.AsyncClient, awa: Person, connection: asyncpg.Connection
) -> None:
    other = await people.member(connection, "Bob")
    form = {"version": 1, "audience": "public"}
    for status in (403, 401):
        for answer in (
            await put(client, other, JPEG),
            await client.delete(f"/api/v1/members/{other.member_id}/photo"),
            await client.post(
                f"/members/{other.member_id}/photo", data=form, files={"photo": ("a", JPEG)}
            ),
            await client.get(f"/members/{other.member_id}/photo/remove"),
            await client.post(f"/members/{other.member_id}/photo/remove"),
        ):
            assert answer.status_code == status, answer.request.url
        client.cookies.clear()
    assert await files.list_keys("photo") == []


async def test_the_form_saves_photo_and_audience_together(
    client: httpx.AsyncClient, awa: Person
) -> None:
    path = f"/members/{awa.member_id}/photo"
    form = {"version": 1, "audience": "public", "focus": "start"}
    answer = await client.post(path, data=form, files={"photo": ("moi.jpg", JPEG)})
    assert answer.status_code == 303, answer.text
    seen = (await client.get(f"/api/v1/members/{awa.member_id}")).json()
    assert seen["audiences"]["photo"] == "public"
    assert seen["version"] == 2
    page = await client.get(f"/members/{awa.member_id}")
    assert f'src="{seen["photo"]["small"]}" width="96" height="96" alt="Awa Lemaire"' in page.text
    form = {"version": 2, "audience": "me"}
    empty = {"photo": ("", b"", "application/octet-stream")}
    assert (await client.post(path, data=form, files=empty)).status_code == 303
    kept = (await client.get(f"/api/v1/members/{awa.member_id}")).json()
    assert kept["photo"] == seen["photo"]
    assert kept["audiences"]["photo"] == "me"


async def test_too_many_pictures_in_an_hour_are_refused(
    client: httpx.AsyncClient, awa: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = msgspec.structs.replace(photos.SENT, most=2)
    monkeypatch.setattr(photos, "SENT", few)
    assert [(await put(client, awa, JPEG)).status_code for _ in range(3)] == [200, 200, 429]


async def test_a_photo_that_comes_with_an_old_version_leaves_no_file(
    client: httpx.AsyncClient, awa: Person
) -> None:
    await put(client, awa, JPEG)
    before = await files.list_keys("photo")
    answer = await client.put(
        f"/api/v1/members/{awa.member_id}/photo", content=PNG,
        headers={"content-type": "image/png", "if-match": '"1"'},
    )  # fmt: skip
    assert answer.status_code == 412
    assert await files.list_keys("photo") == before
    assert profiles.STALE.startswith("Votre fiche a changé")
