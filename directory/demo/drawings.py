"""Pictures of the demonstration: busts and posters of plain shapes, in the colours of the face.

They stand for nobody. The same number gives the same picture, byte for byte with the same Pillow.
"""

import math
from random import Random

from PIL import Image, ImageDraw

Colour = str
INK, PAPER, SHEET, TINT, HAIR = "#1d1a16", "#f8f5ee", "#fffefa", "#efeadf", "#cdc5b4"
BLUE, NIGHT, GREEN, RED, OCHRE, YELLOW = (
    "#1f3f9f", "#142b74", "#1a633e", "#a3211b", "#744a00", "#ffe27d",
)  # fmt: skip
SKY, MINT, ROSE, SAND = "#a9bcff", "#7fcda0", "#ff9f90", "#edc063"
# The ground, its pattern, the shoulders, the head, the hair.
BUSTS: tuple[tuple[Colour, ...], ...] = (
    (TINT, HAIR, BLUE, SAND, INK), (BLUE, NIGHT, PAPER, SKY, YELLOW),
    (SAND, YELLOW, INK, PAPER, RED), (MINT, PAPER, GREEN, OCHRE, INK),
    (ROSE, PAPER, RED, TINT, NIGHT), (SKY, PAPER, NIGHT, ROSE, INK),
    (GREEN, "#154f32", MINT, PAPER, YELLOW), (PAPER, TINT, OCHRE, ROSE, INK),
    (YELLOW, SAND, BLUE, OCHRE, INK), (NIGHT, BLUE, ROSE, SAND, PAPER),
    (TINT, PAPER, GREEN, INK, RED), (RED, "#841914", SAND, PAPER, INK),
)  # fmt: skip
SQUARE = 512
WIDE = (800, 560)
TWICE = 2
"""Drawn so much larger, then reduced: its edges are smooth."""


def bust(number: int) -> Image.Image:
    """A head and shoulders, SQUARE by SQUARE."""
    chance = Random(f"bust:{number}")  # noqa: S311 - the same picture for the same number
    ground, pattern, shoulders, head, hair = BUSTS[number % len(BUSTS)]
    side = SQUARE * TWICE
    image = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(image)
    _pattern(draw, chance, (side, side), pattern)
    middle = side * chance.uniform(0.46, 0.54)
    radius = side * chance.uniform(0.185, 0.215)
    top = side * chance.uniform(0.36, 0.42)
    broad = side * chance.uniform(0.34, 0.42)
    _disc(draw, middle, side * 1.06, broad, shoulders, high=side * 0.46)
    neck = radius * 0.42
    draw.rectangle((middle - neck, top, middle + neck, top + radius * 1.75), fill=head)
    _hair(draw, chance, (middle, top, radius), hair, behind=True)
    _disc(draw, middle, top, radius * 0.9, head, high=radius * 1.08)
    _hair(draw, chance, (middle, top, radius), hair, behind=False)
    return image.resize((SQUARE, SQUARE), Image.Resampling.BOX)


def poster(number: int) -> Image.Image:
    """A sheet of large shapes, WIDE."""
    chance = Random(f"poster:{number}")  # noqa: S311 - as above
    ground, pattern, first, second, third = BUSTS[(number * 5 + 2) % len(BUSTS)]
    width, height = WIDE[0] * TWICE, WIDE[1] * TWICE
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    _pattern(draw, chance, (width, height), pattern)
    columns = chance.choice((3, 4, 5))
    cell = width / columns
    for row in range(math.ceil(height / cell)):
        for column in range(columns):
            colour = chance.choice((first, second, third))
            _tile(draw, chance, (column * cell, row * cell, cell), colour)
    return image.resize(WIDE, Image.Resampling.BOX)


def _disc(
    draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: Colour, *, high: float
) -> None:
    draw.ellipse((x - radius, y - high, x + radius, y + high), fill=colour)


def _hair(
    draw: ImageDraw.ImageDraw,
    chance: Random,
    at: tuple[float, float, float],
    colour: Colour,
    *,
    behind: bool,
) -> None:
    """Some have it behind the head, some on it, some a hat."""
    x, y, radius = at
    kind = chance.randrange(5)
    high = y - radius * 1.12
    if behind and kind in {0, 1}:
        _disc(draw, x, y + radius * 0.1 * kind, radius * 1.14, colour, high=radius * 1.3)
    elif not behind and kind in {1, 2, 3}:
        low = y + radius * (0.1, 0.55, 0.9)[kind - 1]
        draw.chord((x - radius, high, x + radius, low), 180, 360, fill=colour)
    elif not behind and kind == 4:
        for wide, above, below in (
            (0.8, high - radius * 0.2, 0.45),
            (1.25, y - radius * 0.6, 0.42),
        ):
            draw.rectangle(
                (x - radius * wide, above, x + radius * wide, y - radius * below), fill=colour
            )


def _pattern(
    draw: ImageDraw.ImageDraw, chance: Random, size: tuple[int, int], colour: Colour
) -> None:
    width, height = size
    step = width // chance.choice((7, 9, 12))
    kind = chance.randrange(4)
    for n in range(-height // step, width // step + height // step + 1):
        if kind == 0:
            draw.line((n * step, 0, n * step + height, height), fill=colour, width=step // 3)
        elif kind == 1:
            draw.rectangle((0, n * step, width, n * step + step // 2), fill=colour)
        elif kind == 2:
            for row in range(height // step + 1):
                shift = step // 2 * (row % 2)
                _disc(draw, n * step + shift, row * step, step / 5, colour, high=step / 5)
    if kind == 3:
        _disc(draw, width / 2, height * 0.42, width * 0.44, colour, high=width * 0.44)


def _tile(
    draw: ImageDraw.ImageDraw, chance: Random, at: tuple[float, float, float], colour: Colour
) -> None:
    x, y, side = at
    kind = chance.randrange(6)
    if kind == 0:
        _disc(draw, x + side / 2, y + side / 2, side * 0.4, colour, high=side * 0.4)
    elif kind == 1:
        corner = chance.choice(((0, 0), (1, 0), (0, 1), (1, 1)))
        turn = {(0, 0): 0, (1, 0): 90, (1, 1): 180, (0, 1): 270}[corner]
        left, top = x + (corner[0] - 1) * side, y + (corner[1] - 1) * side
        draw.pieslice((left, top, left + 2 * side, top + 2 * side), turn, turn + 90, fill=colour)
    elif kind == 2:
        draw.polygon(((x, y + side), (x + side, y + side), (x + side, y)), fill=colour)
    elif kind == 3:
        for n in range(4):
            draw.rectangle(
                (x, y + n * side / 4, x + side, y + n * side / 4 + side / 9), fill=colour
            )
    elif kind == 4:
        draw.rectangle((x, y, x + side, y + side), fill=colour)
