"""Bars: how many are where, and things compared."""

import math

from canut.insight.charts.frame import HEIGHT, frame, upright
from canut.insight.charts.model import BarChart, Drawing, Histogram, Write
from canut.insight.charts.scale import finite, fit
from canut.insight.charts.svg import WIDTH, element, escaped, picture, place, short, text, titled

#: height that a compared thing takes: its name, and its bar
ROW, THICK = 40.0, 12.0
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
    values = finite(bar.value for bar in kept)
    scale = fit(chart.axis, [0.0, *values], 0, WIDTH, tight=True)
    zero, parts, rows = scale.at(0), [], []
    for n, bar in enumerate(kept):
        y, said = n * ROW, write(bar.value, chart.axis.unit, False)
        rows.append([bar.name, said])
        near, far = sorted((zero, scale.at(bar.value)))
        wide = max(far - near, SHORTEST if bar.value else 0.0)
        near = min(near, WIDTH - wide)
        name = element("title", escaped(bar.name)) + escaped(short(bar.name))
        parts.append(
            element("text", name, class_="said", x=0.0, y=y + 15)
            + text(said, WIDTH, y + 15, "said end")
            + element("path", class_="bare", d=f"M0 {place(y + 28)}H{place(WIDTH)}")
            + element("rect", class_=f"bar {bar.tone}", x=near, y=y + 22, width=wide, height=THICK)
        )
    height = max(len(kept), 1) * ROW
    told = "; ".join(": ".join(row) for row in rows)
    svg = picture("bars", height, chart.title, told, "".join(parts))
    return Drawing(svg, [], [chart.names, chart.axis.name], rows)
