"""Lines over a number of answers or audits, as shapes: pure geometry, in the units of a box of
`WIDTH` by `HEIGHT`; the page draws it. y grows downwards, as in SVG."""

import math
from collections.abc import Sequence

from msgspec import Struct

WIDTH, HEIGHT = 400.0, 180.0
#: places marked on the axes, at most
TICKS = 4


class Mark(Struct, frozen=True):
    """A place on a line."""

    x: float
    y: float
    #: filled, or hollow
    full: bool


class Tick(Struct, frozen=True):
    """A place on an axis, and what it stands for."""

    at: float
    value: float


class Chart(Struct, frozen=True):
    """What the page draws."""

    #: of each line, "x,y x,y ..."
    lines: list[str]
    #: on the first line
    marks: list[Mark]
    #: height of a level that is marked across; None: it is outside
    level: float | None
    x_ticks: list[Tick]
    y_ticks: list[Tick]


def chart(
    xs: Sequence[int],
    lines: Sequence[Sequence[float]],
    level: float,
    top: float,
    full: Sequence[bool] = (),
) -> Chart:
    """Lines over xs (at least one, rising), from 0 to `top`; what is higher is cut off. `full`: of
    each mark on the first line, whether it is filled; none: there are no marks."""
    first, last = xs[0], xs[-1]
    span = max(last - first, 1)

    def x(value: float) -> float:
        return round((value - first) / span * WIDTH if last > first else WIDTH / 2, 1)

    def y(value: float) -> float:
        return round((1 - min(value, top) / top) * HEIGHT, 1)

    return Chart(
        lines=[" ".join(f"{x(n)},{y(v)}" for n, v in zip(xs, line, strict=True)) for line in lines],
        marks=[Mark(x(n), y(v), f) for n, v, f in zip(xs, lines[0], full, strict=False)],
        level=y(level) if level <= top else None,
        x_ticks=[Tick(x(n), n) for n in _whole(first, last)],
        y_ticks=[Tick(y(top * n / TICKS), top * n / TICKS) for n in range(TICKS + 1)],
    )


def _whole(first: int, last: int) -> list[int]:
    """Whole numbers from the first to the last, at most `TICKS` + 1 of them."""
    step = max(1, math.ceil((last - first) / TICKS))
    return list(range(first, last + 1, step))
