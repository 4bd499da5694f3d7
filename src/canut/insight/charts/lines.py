"""Lines with bands: accuracy against coverage, cost against volume."""

import math
from collections.abc import Sequence

from canut.insight.charts.frame import BOTTOM, HEIGHT, TOP, Frame, across, frame, upright
from canut.insight.charts.model import Drawing, Key, Line, LineChart, Write
from canut.insight.charts.svg import element, picture, place, titled


def draw_lines(chart: LineChart, write: Write) -> Drawing:
    """The lines over each other, the first on top; points that are no numbers are left out."""
    lines = [_drawable(line) for line in chart.lines]
    xs = [x for line in lines for x, _ in line.points]
    xs += [mark.value for mark in chart.marks if math.isfinite(mark.value)]
    ys = [y for line in lines for _, y in line.points]
    ys += [end for line in lines for ends in line.band for end in ends]
    ys += [level.value for level in chart.levels]
    drawn = frame((chart.x, chart.y), (xs, ys), write)
    body = drawn.under + across(chart.levels, drawn.y, left=bool(chart.marks))
    body += upright(chart.marks, drawn.x, TOP, BOTTOM, said_at=BOTTOM - 8)
    body += "".join(_band(line, drawn) for line in reversed(lines))
    body += "".join(_line(line, drawn) for line in reversed(lines))
    body += "".join(_marks(line, drawn, chart, write) for line in reversed(lines))
    keys = [Key(line.name, line.tone, "line") for line in lines if line.name]
    head, rows = _table(chart, lines, write)
    told = "; ".join(_course(line, chart, write) for line in lines if line.points)
    return Drawing(picture("lines", HEIGHT, chart.title, told, body), keys, head, rows)


def _drawable(line: Line) -> Line:
    """The line without what is no number; a band stays only where each point has one."""
    kept = [n for n, point in enumerate(line.points) if all(map(math.isfinite, point))]
    whole = len(line.band) == len(line.points)
    band = [line.band[n] for n in kept] if whole else []
    band = band if all(math.isfinite(end) for ends in band for end in ends) else []
    return Line(
        line.name,
        [line.points[n] for n in kept],
        band,
        line.band_name,
        line.tone,
        line.marked,
        line.stepped,
    )


def _band(line: Line, drawn: Frame) -> str:
    if not line.band:
        return ""
    high = [(x, top) for (x, _), (_, top) in zip(line.points, line.band, strict=True)]
    low = [(x, end) for (x, _), (end, _) in zip(line.points, line.band, strict=True)]
    d = "M" + "L".join(_at(point, drawn) for point in [*high, *reversed(low)]) + "Z"
    return element("path", class_=f"band {line.tone}", d=d)


def _line(line: Line, drawn: Frame) -> str:
    if len(line.points) < 2:
        return ""
    d = "M" + _at(line.points[0], drawn)
    for point in line.points[1:]:
        x, y = _at(point, drawn).split()
        d += f"H{x}V{y}" if line.stepped else f"L{x} {y}"
    return element("path", class_=f"line {line.tone}", d=d)


def _marks(line: Line, drawn: Frame, chart: LineChart, write: Write) -> str:
    """Marks that say their values; a single point is always marked, or nobody would see it."""
    if not line.marked and len(line.points) != 1:
        return ""
    return "".join(
        titled(
            "circle",
            f"{line.name}: {write(x, chart.x.unit, False)}, {write(y, chart.y.unit, False)}",
            class_=f"mark {line.tone}",
            cx=drawn.x.at(x),
            cy=drawn.y.at(y),
            r=4.5,
        )
        for x, y in line.points
    )


def _at(point: tuple[float, float], drawn: Frame) -> str:
    return f"{place(drawn.x.at(point[0]))} {place(drawn.y.at(point[1]))}"


def _table(
    chart: LineChart, lines: Sequence[Line], write: Write
) -> tuple[list[str], list[list[str]]]:
    """A row for each x, a column for each line and each band; a dash where a line says nothing."""
    head = [chart.x.name]
    columns: list[dict[float, str]] = []
    for line in lines:
        head.append(line.name or chart.y.name)
        columns.append({x: write(y, chart.y.unit, False) for x, y in line.points})
        if line.band:
            head.append(line.band_name or f"{line.name} ±")
            ends = zip(line.points, line.band, strict=True)
            unit = chart.y.unit
            columns.append(
                {x: f"{write(a, unit, False)} – {write(b, unit, False)}" for (x, _), (a, b) in ends}
            )
    xs = sorted({x for line in lines for x, _ in line.points})
    rows = [
        [write(x, chart.x.unit, False), *(column.get(x, "–") for column in columns)] for x in xs
    ]
    return head, rows


def _course(line: Line, chart: LineChart, write: Write) -> str:
    ends = [line.points[0], line.points[-1]] if len(line.points) > 1 else line.points
    said = (f"{write(y, chart.y.unit, False)} ({write(x, chart.x.unit, False)})" for x, y in ends)
    return f"{line.name}: {' → '.join(said)}"
