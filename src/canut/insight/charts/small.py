"""Charts within a line of text or above a list: cloth by its parts, and a course."""

from canut.insight.charts.model import Drawing, Key, Spark, Woven, Write
from canut.insight.charts.scale import finite
from canut.insight.charts.svg import WIDTH, element, escaped, place, titled

#: the cloth is stretched to the width it is given, so only its height is a measure
CLOTH, ROWS = 16.0, 4
#: a course, and the room its ends need
WIDE, HIGH, EDGE = 96.0, 24.0, 3.0


def draw_woven(chart: Woven, write: Write) -> Drawing:
    """Parts beside each other in their order, each in its own weave, so that nobody needs colours
    to tell them apart. A part with anything in it is never too narrow to be seen."""
    parts = [part for part in chart.parts if part.count > 0 and finite([part.count])]
    whole = sum(part.count for part in parts)
    widths = _widths([part.count for part in parts])
    body, left = [], 0.0
    for part, wide in zip(parts, widths, strict=True):
        named = f"{part.name}: {write(part.count, 'number', False)}"
        ground = titled("rect", named, x=left, y=0.0, width=wide, height=CLOTH)
        body.append(element("g", ground + _threads(left, left + wide), class_=f"part {part.tone}"))
        left += wide
    counts = [max(part.count, 0.0) if finite([part.count]) else 0.0 for part in chart.parts]
    rows = [
        [part.name, write(n, "number", False), write(n / whole if whole else 0.0, "percent", False)]
        for part, n in zip(chart.parts, counts, strict=True)
    ]
    told = "; ".join(f"{name}: {count} ({share})" for name, count, share in rows)
    heard = element("title", escaped(chart.title)) + element("desc", escaped(told))
    svg = element(
        "svg",
        heard + "".join(body),
        class_="cloth-bar",
        viewBox=f"0 0 {place(WIDTH)} {place(CLOTH)}",
        preserveAspectRatio="none",
        role="img",
    )
    keys = [Key(part.name, part.tone, "cloth") for part in chart.parts]
    return Drawing(svg, keys, list(chart.columns), rows)


def draw_spark(chart: Spark, write: Write) -> Drawing:
    """The course, and a mark where it is now."""
    values = finite(chart.values)
    low, high = min(values, default=0.0), max(values, default=0.0)
    span = high - low or 1.0

    def at(n: int, value: float) -> tuple[float, float]:
        along = n / (len(values) - 1) if len(values) > 1 else 1.0
        share = (value - low) / span if high > low else 0.5
        return EDGE + along * (WIDE - 2 * EDGE), HIGH - EDGE - share * (HIGH - 2 * EDGE)

    points = [at(n, value) for n, value in enumerate(values)]
    body = element("title", escaped(f"{chart.title}: {_course(chart, values, write)}"))
    if len(points) > 1:
        d = "M" + "L".join(f"{place(x)} {place(y)}" for x, y in points)
        body += element("path", class_="line main", d=d)
    if points:
        x, y = points[-1]
        body += element("circle", class_="mark full main", cx=x, cy=y, r=2.5)
    box = f"0 0 {place(WIDE)} {place(HIGH)}"
    svg = element("svg", body, class_="chart spark", viewBox=box, role="img")
    rows = [[str(n), write(value, chart.unit, False)] for n, value in enumerate(values, 1)]
    return Drawing(svg, [], ["", chart.title], rows)


def _course(chart: Spark, values: list[float], write: Write) -> str:
    ends = values if len(values) < 2 else [values[0], values[-1]]
    return " → ".join(write(value, chart.unit, False) for value in ends) or "–"


def _widths(counts: list[float]) -> list[float]:
    """Widths in proportion that fill the cloth, none under three units."""
    whole, least = sum(counts), 3.0
    wide = [max(count / whole * WIDTH, least) for count in counts]
    room = sum(width - least for width in wide)
    over = sum(wide) - WIDTH
    if over <= 0 or room <= 0:
        return wide
    return [width - (width - least) * over / room for width in wide]


def _threads(left: float, right: float) -> str:
    """Picks of weft, one above the other; the stylesheet says how they float over the warp."""
    step = CLOTH / ROWS
    return "".join(
        element(
            "path",
            class_=f"pick p{n}",
            d=f"M{place(left)} {place(step * (n + 0.5))}H{place(right)}",
        )
        for n in range(ROWS)
    )
