"""Charts made on the server: small values in, SVG markup and the table that says the same out.

`draw(chart, write)` takes any chart of `model.py`. Colours are classes, so that they follow the
theme; there are no inline styles, no scripts, and no ids, so that many fit on a page.
"""

from collections.abc import Callable
from typing import Any

from canut.insight.charts.bars import draw_bars, draw_histogram
from canut.insight.charts.intervals import draw_intervals
from canut.insight.charts.lines import draw_lines
from canut.insight.charts.model import (
    Axis,
    Bar,
    BarChart,
    Chart,
    Drawing,
    Histogram,
    Interval,
    IntervalChart,
    Key,
    Level,
    Line,
    LineChart,
    Part,
    Spark,
    Woven,
    Write,
)
from canut.insight.charts.small import draw_spark, draw_woven

__all__ = [
    "Axis",
    "Bar",
    "BarChart",
    "Chart",
    "Drawing",
    "Histogram",
    "Interval",
    "IntervalChart",
    "Key",
    "Level",
    "Line",
    "LineChart",
    "Part",
    "Spark",
    "Woven",
    "Write",
    "draw",
]

_DRAWN: dict[type, Callable[[Any, Write], Drawing]] = {
    LineChart: draw_lines,
    Histogram: draw_histogram,
    BarChart: draw_bars,
    IntervalChart: draw_intervals,
    Woven: draw_woven,
    Spark: draw_spark,
}


def draw(chart: Chart, write: Write) -> Drawing:
    """The chart as markup, its key and its table; numbers are written by `write`."""
    return _DRAWN[type(chart)](chart, write)
