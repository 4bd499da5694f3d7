"""What charts with two axes share: the box, its threads, and what stands beside them."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from canut.insight.charts.model import Axis, Level, Write
from canut.insight.charts.scale import Scale, fit
from canut.insight.charts.svg import WIDTH, element, place, text

#: the box that is drawn in, and the whole
LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 54.0, WIDTH - 14.0, 34.0, 214.0, 262.0


class Frame(Struct, frozen=True):
    """Two scales and the markup of what lies beneath the marks."""

    x: Scale
    y: Scale
    under: str


def frame(
    axes: tuple[Axis, Axis],
    values: tuple[Iterable[float], Iterable[float]],
    write: Write,
    *,
    from_zero: bool = False,
) -> Frame:
    """Axes that hold these values. `from_zero`: bars are compared by length, so they begin at 0."""
    over, up = axes
    x = fit(over, values[0], LEFT, RIGHT, tight=True)
    y = fit(up, [*values[1], *([0.0] if from_zero else [])], BOTTOM, TOP, tight=False)
    parts = []
    for tick in y.ticks:
        at = y.at(tick)
        parts.append(element("path", class_="weft", d=f"M{place(LEFT)} {place(at)}H{place(RIGHT)}"))
        parts.append(text(write(tick, up.unit, True), LEFT - 8, at + 4.5, "end"))
    parts.append(_along(x, over, write))
    parts.append(text(up.name, 0, 14, "name"))
    parts.append(text(over.name, RIGHT, HEIGHT - 8, "name end"))
    return Frame(x, y, "".join(parts))


def across(levels: Sequence[Level], y: Scale, *, left: bool = False) -> str:
    """Levels from side to side, named above the line, or below it at the top; at the right, or at
    the `left`, below it."""
    parts = []
    for level in levels:
        at = y.at(level.value)
        d = f"M{place(LEFT)} {place(at)}H{place(RIGHT)}"
        parts.append(element("path", class_="level", d=d))
        if left:
            parts.append(text(level.name, LEFT + 6, at + 16, "said"))
        else:
            parts.append(text(level.name, RIGHT, at - 6 if at > TOP + 18 else at + 16, "said end"))
    return "".join(parts)


def upright(
    levels: Sequence[Level], x: Scale, top: float, bottom: float, *, said_at: float | None = None
) -> str:
    """Levels from top to bottom, named beside the line, on the side that has room, at the top or
    at `said_at`."""
    parts = []
    for level in levels:
        at = x.at(level.value)
        d = f"M{place(at)} {place(top)}V{place(bottom)}"
        parts.append(element("path", class_="level", d=d))
        side = "said end" if at > WIDTH * 0.6 else "said"
        parts.append(
            text(
                level.name,
                at + (-6 if at > WIDTH * 0.6 else 6),
                top + 12 if said_at is None else said_at,
                side,
            )
        )
    return "".join(parts)


def _along(x: Scale, axis: Axis, write: Write) -> str:
    """Threads up from x and what they stand for; the last ends where the box does."""
    parts = []
    for tick in x.ticks:
        at = x.at(tick)
        side = "end" if at > RIGHT - 16 else "mid"
        parts.append(
            element("path", class_="warp", d=f"M{place(at)} {place(BOTTOM)}v6")
            + text(write(tick, axis.unit, True), min(at, RIGHT), BOTTOM + 22, side)
        )
    return "".join(parts)
