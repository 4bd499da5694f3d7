"""Bars: how many are where, and things compared."""

import math

from canut.insight.charts.frame import HEIGHT, frame, upright
from canut.insight.charts.model import Bar, BarChart, Drawing, Histogram, Write
from canut.insight.charts.scale import Scale, finite, fit
from canut.insight.charts.svg import WIDTH, element, picture, place, text, titled, wrapped

#: height that a compared thing takes: all, its bar, each line of its name but the first
ROW, THICK, LINE = 42.0, 12.0, 18.0
#: a bar of something is never so short that it looks like nothing
SHORTEST = 1.5


def draw_histogram(chart: Histogram, write: Write) -> Drawing:
    """Bars between edges, with a thread of ground between them."""
    counts = [count if math.isfinite(count) else 0.0 for count in chart.counts]
    spans = list(zip(chart.edges, chart.edges[1:], counts, strict=False))
    xs = [*chart.edges, *(level.value for level in chart.levels)]
    drawn = frame((chart.x, chart.y), (xs, counts), write, from_zero=True)
    zero, bars, rows = drawn.y.at(0), [], []
    for low, high, count in spans:
        named = f"{write(low, chart.x.unit, False)} – {write(high, chart.x.unit, False)}"
        said = write(count, chart.y.unit, False)
        rows.append([named, said])
        left, right, top = drawn.x.at(low), drawn.x.at(high), drawn.y.at(count)
        if count > 0:
            top = min(top, zero - SHORTEST)
        wide = max(right - left - 2, 0.5)
        d = f"M{place(left + 1)} {place(zero)}V{place(top)}h{place(wide)}V{place(zero)}z"
        bars.append(titled("path", f"{named}: {said}", class_=f"bar {chart.tone}", d=d))
    body = drawn.under + "".join(bars) + upright(chart.levels, drawn.x, 26, zero)
    told = "; ".join(": ".join(row) for row in rows)
    head = [chart.x.name, chart.y.name]
    return Drawing(picture("histogram", HEIGHT, chart.title, told, body), [], head, rows)


def draw_bars(chart: BarChart, write: Write) -> Drawing:
    """One beneath the other: the name and the value on a line, the bar under it."""
    kept = [bar for bar in chart.bars if math.isfinite(bar.value)]
    scale = fit(chart.axis, [0.0, *finite(bar.value for bar in kept)], 0, WIDTH, tight=True)
    y, parts, rows = 0.0, [], []
    for bar in kept:
        said = write(bar.value, chart.axis.unit, False)
        rows.append([bar.name, said])
        parts.append(text(said, WIDTH, y + 15, "said end"))
        lines = wrapped(bar.name)
        parts += [text(line, 0, y + 15 + n * LINE, "said") for n, line in enumerate(lines)]
        y += 22 + (len(lines) - 1) * LINE
        parts.append(_bar(bar, y, scale, f"{bar.name}: {said}"))
        y += ROW - 22
    told = "; ".join(": ".join(row) for row in rows)
    svg = picture("bars", max(y, ROW), chart.title, told, "".join(parts))
    return Drawing(svg, [], [chart.names, chart.axis.name], rows)


def _bar(bar: Bar, y: float, scale: Scale, said: str) -> str:
    """From nothing to the value, over a bare thread."""
    near, far = sorted((scale.at(0), scale.at(bar.value)))
    wide = max(far - near, SHORTEST if bar.value else 0.0)
    given = {"x": min(near, WIDTH - wide), "y": y, "width": wide, "height": THICK}
    thread = element("path", class_="bare", d=f"M0 {place(y + THICK / 2)}H{place(WIDTH)}")
    return thread + titled("rect", said, class_=f"bar {bar.tone}", **given)
