"""A year of months as the points of a small drawing."""

from collections.abc import Sequence
from datetime import date

import msgspec

from directory.filieres.figures import Point

WIDTH, HEIGHT, MARGIN = 600, 160, 8


class Dot(msgspec.Struct, frozen=True):
    month: date
    members: int
    x: float
    y: float


class Curve(msgspec.Struct, frozen=True):
    """Dots from left to right; `top` is the number at the upper edge, the lower edge is nought."""

    dots: list[Dot]
    top: int

    @property
    def line(self) -> str:
        """For the `points` of a polyline."""
        return " ".join(f"{dot.x:g},{dot.y:g}" for dot in self.dots)


def of(points: Sequence[Point]) -> Curve | None:
    """None: there are not two months to draw. Months without a number leave their place empty."""
    numbers = [(place, one.month, one.members) for place, one in enumerate(points) if one.members]
    if len(numbers) < 2:
        return None
    top = max(members for _, _, members in numbers)
    step = (WIDTH - 2 * MARGIN) / (len(points) - 1)
    height = HEIGHT - 2 * MARGIN
    return Curve(
        [
            Dot(
                month, members, round(MARGIN + place * step, 1),
                round(MARGIN + height * (1 - members / top), 1),
            )
            for place, month, members in numbers
        ],
        top,
    )  # fmt: skip
