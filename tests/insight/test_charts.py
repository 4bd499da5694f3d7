"""Charts made on the server: within their box, safe, and their table says what they show."""

import itertools
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from canut.insight import charts
from canut.insight.charts.scale import fit
from canut.web.formats import formats

WRITE = formats("en")["measure"]
UNITS = st.sampled_from(["number", "percent", "duration", "money:EUR", "money:JPY"])
#: figures of the largest platform, and what is no number
VALUES = st.floats(-1e9, 1e9) | st.sampled_from([float("nan"), float("inf"), 0.0, 5e-324])
NAMES = st.text(max_size=60) | st.just('</title><script>alert("1")</script>&')
AXES = st.builds(charts.Axis, NAMES, UNITS)
LOGS = st.builds(charts.Axis, NAMES, st.just("number"), log=st.booleans())
LEVELS = st.lists(st.builds(charts.Level, st.floats(-1e9, 1e9), NAMES), max_size=2)


@st.composite
def lines(draw: st.DrawFn) -> charts.LineChart:
    drawn = []
    for _ in range(draw(st.integers(0, 3))):
        points = sorted(draw(st.lists(st.tuples(VALUES, VALUES), max_size=8)))
        band = [(y - 1, y + 1) for _, y in points] if draw(st.booleans()) else []
        drawn.append(charts.Line(draw(NAMES), points, band, marked=draw(st.booleans())))
    return charts.LineChart(draw(NAMES), draw(LOGS), draw(AXES), drawn, draw(LEVELS))


@st.composite
def histograms(draw: st.DrawFn) -> charts.Histogram:
    edges = sorted(draw(st.lists(st.floats(-1e9, 1e9), max_size=8)))
    counts = draw(st.lists(st.floats(0, 1e12), min_size=len(edges), max_size=len(edges)))
    return charts.Histogram(draw(NAMES), draw(AXES), draw(AXES), edges, counts[1:], draw(LEVELS))


BARS = st.builds(
    charts.BarChart, NAMES, AXES, st.lists(st.builds(charts.Bar, NAMES, VALUES), max_size=6)
)
INTERVALS = st.builds(
    charts.IntervalChart,
    NAMES,
    AXES,
    st.lists(st.builds(charts.Interval, NAMES, VALUES, VALUES, VALUES), max_size=5),
    LEVELS,
)
PARTS = st.lists(st.builds(charts.Part, NAMES, VALUES), max_size=6)
WOVEN = st.builds(charts.Woven, NAMES, PARTS)
SPARKS = st.builds(charts.Spark, NAMES, st.lists(VALUES, max_size=12))
CHARTS = st.one_of(lines(), histograms(), BARS, INTERVALS, WOVEN, SPARKS)


@given(CHARTS)
def test_every_chart_stays_in_its_box(chart: charts.Chart) -> None:
    """Whatever the figures, markup is whole, nothing is drawn outside, and no style, script, event
    or id is in it: hostile names stay text."""
    drawn = charts.draw(chart, WRITE)
    root = ET.fromstring(drawn.svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for element in root.iter():
        assert element.tag in {"svg", "g", "title", "desc", "text", "path", "rect", "circle"}
        assert not {"style", "id", "onload", "href"} & set(element.attrib)
        for x, y in places(element):
            assert -0.2 <= x <= width + 0.2, (element.attrib, width)
            assert -0.2 <= y <= height + 0.2, (element.attrib, height)


def places(element: ET.Element) -> list[tuple[float, float]]:
    """Every point that an element reaches."""
    a = element.attrib
    if element.tag == "circle":
        return [(float(a["cx"]), float(a["cy"]))]
    if element.tag == "rect":
        x, y = float(a["x"]), float(a["y"])
        return [(x, y), (x + float(a["width"]), y + float(a["height"]))]
    if element.tag == "text":
        return [(float(a["x"]), float(a["y"]))]
    if element.tag != "path":
        return []
    found, x, y = [], 0.0, 0.0
    for command, numbers in re.findall(r"([MLHVhvZz])([^MLHVhvZz]*)", a["d"]):
        given = [float(number) for number in numbers.split()]
        if command in "ML":
            x, y = given
        x = given[0] if command == "H" else x + given[0] if command == "h" else x
        y = given[0] if command == "V" else y + given[0] if command == "v" else y
        found.append((x, y))
    return found


@given(CHARTS)
def test_every_table_is_whole(chart: charts.Chart) -> None:
    """Each row has a cell for each heading, so that the table can be read instead of the chart."""
    drawn = charts.draw(chart, WRITE)
    assert all(len(row) == len(drawn.head) for row in drawn.rows)


@given(st.lists(st.floats(-1e12, 1e12), max_size=8), UNITS, st.booleans(), st.booleans())
@example(values=[1.0, 999999997698.0], unit="number", tight=False, log=True)
def test_scales_hold_their_values_and_rise(
    values: list[float], unit: str, tight: bool, log: bool
) -> None:
    """Marks lie on the axis, in order, few enough to be read; a larger value is never before a
    smaller one."""
    scale = fit(charts.Axis("", unit, log=log), values, 0, 400, tight=tight)
    assert scale.low < scale.high
    assert scale.ticks == sorted(scale.ticks)
    assert len(scale.ticks) <= 13
    assert all(scale.low <= tick <= scale.high for tick in scale.ticks)
    held = [scale.at(value) for value in sorted(values)]
    assert held == sorted(held)
    assert all(0 <= place <= 400 for place in held)


@given(PARTS)
def test_cloth_is_filled_in_proportion(parts: list[charts.Part]) -> None:
    """Parts fill the whole width, and the larger is never the narrower."""
    drawn = ET.fromstring(charts.draw(charts.Woven("", parts), WRITE).svg)
    widths = [float(rect.attrib["width"]) for rect in drawn.iter("rect")]
    counts = [part.count for part in parts if 0 < part.count < float("inf")]
    assert len(widths) == len(counts)
    if widths:
        assert sum(widths) == pytest.approx(440, abs=0.1 * len(widths))
    order = sorted(zip(counts, widths, strict=True))
    assert all(one[1] <= other[1] + 0.11 for one, other in itertools.pairwise(order))


def test_a_line_chart_tells_what_it_shows() -> None:
    """The table has each x, each line and each band, in the words and numbers of the language; a
    line that ends early says nothing further on."""
    chart = charts.LineChart(
        "Accuracy",
        charts.Axis("share decided", "percent"),
        charts.Axis("accuracy", "percent"),
        [
            charts.Line("now", [(0.5, 0.99), (1, 0.9)], [(0.98, 0.995), (0.85, 0.94)], "95 in 100"),
            charts.Line("before", [(0.5, 0.97)], tone="second"),
        ],
    )
    drawn = charts.draw(chart, formats("fr")["measure"])
    thin = "\u202f"
    assert drawn.head == ["share decided", "now", "95 in 100", "before"]
    assert drawn.rows == [
        [f"50,0{thin}%", f"99,0{thin}%", f"98,0{thin}% – 99,5{thin}%", f"97,0{thin}%"],
        [f"100,0{thin}%", f"90,0{thin}%", f"85,0{thin}% – 94,0{thin}%", "–"],
    ]
    assert [key.name for key in drawn.keys] == ["now", "before"]
    assert f"now: 99,0{thin}% (50,0{thin}%) → 90,0{thin}% (100,0{thin}%)" in drawn.svg


def test_long_names_wrap_and_are_said_to_be_cut() -> None:
    """Two lines have room; what does not fit ends in an ellipsis and stays in the table."""
    name = "L’image ne se distingue pas suffisamment de son arrière-plan, ni du cadre qui l’entoure"
    bar = charts.BarChart("", charts.Axis("tasks"), [charts.Bar(name, 3)])
    drawn = charts.draw(bar, WRITE)
    said = [text.text for text in ET.fromstring(drawn.svg).iter("text")]
    assert len(said) == 3
    assert (said[2] or "").endswith("…")
    assert drawn.rows == [[name, "3"]]
