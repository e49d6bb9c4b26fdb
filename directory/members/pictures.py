"""Pictures that members send: read in full, and written anew as WebP without what they carried.

What is kept is never what was sent, only the pixels of it: no place, no camera, no comment, no
second file hidden behind the first.
"""

import io
import math
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

import anyio
import msgspec
from anyio import CapacityLimiter, to_thread
from PIL import Image, ImageCms, ImageOps

from directory import db, errors, files, jobs
from directory.languages import marked

FORMATS = ("JPEG", "PNG", "WEBP")
HEAVIEST = 8 * 1024 * 1024
MOST_PIXELS = 50_000_000
"""A phone's largest. As 32-bit colours they take 200 MB while they are read."""

LONGEST_SIDE = 16_000
AT_ONCE = 2
"""Pictures read at the same moment in one process: it bounds the memory."""

PHOTO_SIDES = (512, 96)
PICTURE_SIDES = (1600, 480)
QUALITY = 82
CAREFULLY, QUICKLY = 4, 0
"""How long to look for a smaller file (Pillow's `method` of WebP)."""

MIDDLE = 0.5
DEEP = ("I", "I;16", "I;16L", "I;16B", "F")
Focus = Literal["centre", "start", "end"]
"""What a crop keeps of the longer side: start is the top, or the left."""

CENTERING: dict[Focus, float] = {"start": 0.0, "centre": MIDDLE, "end": 1.0}

HEAVY = marked("Cette image pèse %(weight)s Mo. Choisissez-en une de %(most)s Mo au plus.")
NOT_READ = marked(
    "Ce fichier n’est pas une image JPEG, PNG ou WebP lisible. Choisissez une autre image."
)
BROKEN = marked("Cette image est abîmée ou incomplète. Choisissez-en une autre.")
HUGE = marked(
    "Cette image fait %(width)s × %(height)s pixels, c’est trop grand. "
    "Réduisez-la à %(most)s millions de pixels au plus."
)
BOMB = marked("Cette image est trop grande. Réduisez-la à %(most)s millions de pixels au plus.")
NONE = marked("Choisissez une image.")

_reading: list[CapacityLimiter] = []


class Written(msgspec.Struct, frozen=True):
    """A picture in its sizes, as WebP, the largest first; width and height are of that one."""

    contents: tuple[bytes, ...]
    width: int
    height: int


class FilesDropped(msgspec.Struct, frozen=True):
    """Files that no row names any more."""

    keys: list[str]


def new_name() -> str:
    """Nobody can guess it: 22 signs, 128 bits."""
    return secrets.token_urlsafe(16)


async def square(field: str, content: bytes, focus: Focus) -> Written:
    """The square of a photo. :raises errors.Malformed: for what is no such picture."""
    return await _in_thread(field, content, focus)


async def whole(field: str, content: bytes) -> Written:
    """A picture in its own shape. :raises errors.Malformed: for what is no such picture."""
    return await _in_thread(field, content, None)


async def _in_thread(field: str, content: bytes, focus: Focus | None) -> Written:
    weigh(field, len(content))
    if not _reading:
        _reading.append(CapacityLimiter(AT_ONCE))
    return await to_thread.run_sync(_written, field, content, focus, limiter=_reading[0])


def weigh(field: str, size: int) -> None:
    """:raises errors.Malformed: for more than HEAVIEST, and for nothing."""
    if size == 0:
        raise errors.Malformed.field(field, NONE)
    if size > HEAVIEST:
        raise errors.Malformed.field(
            field, HEAVY,
            weight=math.ceil(size / 1024**2), most=HEAVIEST // 1024**2,
        )  # fmt: skip


def _written(field: str, content: bytes, focus: Focus | None) -> Written:
    image = _opened(field, content)
    try:
        plain = _plain(image, PICTURE_SIDES[0])
    except Exception as error:
        raise errors.Malformed.field(field, BROKEN) from error
    sized = _squares(plain, focus) if focus else _whole(plain)
    return Written(tuple(_webp(one) for one in sized), *sized[0].size)


def _opened(field: str, content: bytes) -> Image.Image:
    """The picture, of which only the head was read: its size is known before its pixels are."""
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise errors.Malformed.field(field, BOMB, most=MOST_PIXELS // 10**6) from error
    except Exception as error:
        raise errors.Malformed.field(field, NOT_READ) from error
    width, height = image.size
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise errors.Malformed.field(
            field, HUGE, width=width, height=height, most=MOST_PIXELS // 10**6
        )
    return image


def _plain(image: Image.Image, enough: int) -> Image.Image:
    """Upright, in 8-bit sRGB on white, its first frame, with nothing of what it carried."""
    profile = image.info.get("icc_profile")
    image.draft("RGB", (2 * enough, 2 * enough))  # a JPEG is read smaller at once
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode in DEEP:
        upright = _eight_bits(upright)
    has_alpha = upright.has_transparency_data
    coloured = _srgb(upright, profile)
    if has_alpha:
        veiled = coloured.convert("RGBA")
        coloured = Image.new("RGBA", veiled.size, "white")
        coloured.alpha_composite(veiled)
    clean = Image.new("RGB", coloured.size, "white")
    clean.paste(coloured.convert("RGB"))
    return clean


def _eight_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits: Pillow would cut off what is above 255."""
    return image.convert("I").point(lambda level: level / 256).convert("L")


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """With the colours that its profile means, where it has one that can be read."""
    if not profile or image.mode not in {"RGB", "CMYK", "L"}:
        return image
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        shown = ImageCms.profileToProfile(
            image, given, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return shown or image


def _squares(image: Image.Image, focus: Focus) -> list[Image.Image]:
    at = CENTERING[focus]
    return [
        ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS, centering=(at, at))
        for side in PHOTO_SIDES
    ]


def sized(image: Image.Image, *, is_square: bool) -> tuple[bytes, ...]:
    """A picture that is drawn here, as what is sent would be kept."""
    made = _squares(image, "centre") if is_square else _whole(image)
    return tuple(_webp(one, QUICKLY) for one in made)


def _whole(image: Image.Image) -> list[Image.Image]:
    """Never made larger than it is."""
    sized = []
    for side in PICTURE_SIDES:
        one = image.copy()
        one.thumbnail((side, side), Image.Resampling.LANCZOS)
        sized.append(one)
    return sized


def _webp(image: Image.Image, method: int = CAREFULLY) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=method)
    return out.getvalue()


async def jpeg(content: bytes) -> bytes:
    """A picture of ours in the format that everything reads."""
    return await to_thread.run_sync(_jpeg, content)


def _jpeg(content: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(content), formats=("WEBP",)).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def keys(folder: str, member_id: int, name: str, sides: Sequence[int]) -> list[str]:
    """'photo/12/k3J…-512.webp' for each size."""
    return [f"{folder}/{member_id}/{name}-{side}.webp" for side in sides]


@asynccontextmanager
async def put(paths: Sequence[str], written: Written) -> AsyncIterator[None]:
    """Write the files around the transaction that comes to name them.

    When it fails, or the request is given up, they are deleted again.
    """
    try:
        async with anyio.create_task_group() as group:
            for path, content in zip(paths, written.contents, strict=True):
                group.start_soon(files.put, path, content)
        yield
    except BaseException:
        with anyio.CancelScope(shield=True):
            for path in paths:
                await files.delete(path)
        raise


async def drop(paths: Sequence[str]) -> None:
    """Once the open transaction, which forgets their name, is committed."""
    db.current()
    await jobs.emit(FilesDropped(list(paths)))


@jobs.on(FilesDropped)
async def delete_dropped(dropped: FilesDropped) -> None:
    for key in dropped.keys:
        await files.delete(key)
