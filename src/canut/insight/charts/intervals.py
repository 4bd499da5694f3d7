"""Interval marks: what was measured, and how sure that is."""

import math
from itertools import chain

from canut.insight.charts.frame import upright
from canut.insight.charts.model import Drawing, Interval, IntervalChart, Write
from canut.insight.charts.scale import Scale, fit
from canut.insight.charts.svg import WIDTH, element, picture, place, text, titled, wrapped

ROW, TOP, FOOT = 44.0, 22.0, 40.0
LEFT, RIGHT = 10.0, WIDTH - 10.0


def draw_intervals(chart: IntervalChart, write: Write) -> Drawing:
    """One beneath the other over a common axis, each with its name above it."""
    kept = [one for one in chart.intervals if all(map(math.isfinite, _ends(one)))]
    values = [*chain.from_iterable(map(_ends, kept)), *(level.value for level in chart.levels)]
    x = fit(chart.axis, values, LEFT, RIGHT, tight=False)
    bottom = TOP + max(len(kept), 1) * ROW
    parts = [_threads(chart, x, bottom, write), upright(chart.levels, x, 2, bottom)]
    parts += [_mark(one, n, x) for n, one in enumerate(kept)]
    unit = chart.axis.unit
    rows = [
        [
            one.name,
            write(one.value, unit, False),
            f"{write(one.low, unit, False)} – {write(one.high, unit, False)}",
        ]
        for one in kept
    ]
    told = "; ".join(f"{row[0]}: {row[1]} ({row[2]})" for row in rows)
    svg = picture("intervals", bottom + FOOT, chart.title, told, "".join(parts))
    return Drawing(svg, [], [chart.names, chart.axis.name, chart.band_name], rows)


def _ends(one: Interval) -> tuple[float, float, float]:
    return one.low, one.value, one.high


def _threads(chart: IntervalChart, x: Scale, bottom: float, write: Write) -> str:
    parts = []
    for tick in x.ticks:
        at = x.at(tick)
        side = "" if at < LEFT + 16 else "end" if at > RIGHT - 16 else "mid"
        shift = -LEFT if not side else 10 if side == "end" else 0
        d = f"M{place(at)} {place(TOP)}V{place(bottom)}"
        parts.append(element("path", class_="weft", d=d))
        parts.append(text(write(tick, chart.axis.unit, True), at + shift, bottom + 16, side))
    parts.append(text(chart.axis.name, WIDTH, bottom + FOOT - 5, "name end"))
    return "".join(parts)


def _mark(one: Interval, row: int, x: Scale) -> str:
    y = TOP + row * ROW + 30
    low, at, high = (x.at(value) for value in _ends(one))
    ends = "".join(f"M{place(end)} {place(y - 5)}v10" for end in (low, high))
    lines = wrapped(one.name)
    name = lines[0] if len(lines) == 1 else f"{lines[0]}…"
    whole = f"M{place(low)} {place(y)}H{place(high)}{ends}"
    return (
        text(name, 0, y - 13, "said")
        + element("path", class_=f"line solid {one.tone}", d=whole)
        + titled("circle", one.name, class_=f"mark full {one.tone}", cx=at, cy=y, r=5.0)
    )
