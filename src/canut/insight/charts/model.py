"""What a chart is told, before anybody draws it. Names and titles are texts in the language of the
reader; numbers are plain, with a unit that says how they are written."""

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

#: how a number is written: "number", "count" (marked at whole ones only), "percent" (a share of 1),
#: "belief" (the same, never said to be all), "duration" (milliseconds), "day" (milliseconds UTC),
#: or "money:EUR" (minor units)
Unit = str
#: (value, unit, short) -> text; short is for axes: "12k"
Write = Callable[[float, Unit, bool], str]
#: colour and thread of a mark: three that tell series apart, and what is said of them
Tone = Literal["main", "second", "third", "quiet", "good", "wrong"]


class Axis(Struct, frozen=True):
    """What is measured along one side. Ends that are None fit the data."""

    name: str = ""
    unit: Unit = "number"
    low: float | None = None
    high: float | None = None
    #: equal steps are equal ratios; values must be above 0
    log: bool = False


class Level(Struct, frozen=True):
    """A value marked right across, such as what was promised."""

    value: float
    name: str


class Line(Struct, frozen=True):
    """A series: points by rising x, and around each, if known, from where to where it may be."""

    name: str
    #: (x, y)
    points: Sequence[tuple[float, float]]
    #: (lowest, highest) of each point; none: there is no band
    band: Sequence[tuple[float, float]] = ()
    #: what the band is, for the table: "95 in 100"
    band_name: str = ""
    tone: Tone = "main"
    #: each point gets a mark
    marked: bool = False
    #: the value holds until the next point, as a price does
    stepped: bool = False


class LineChart(Struct, frozen=True):
    """Lines over a common axis."""

    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]
    levels: Sequence[Level] = ()
    #: marked on x, such as what is licensed
    marks: Sequence[Level] = ()


class Histogram(Struct, frozen=True):
    """How many are where: counts between edges (one more edge than counts)."""

    title: str
    x: Axis
    y: Axis
    edges: Sequence[float]
    counts: Sequence[float]
    #: marked on x, such as a threshold
    levels: Sequence[Level] = ()
    tone: Tone = "main"


class Bar(Struct, frozen=True):
    """A thing and how much of it there is."""

    name: str
    value: float
    tone: Tone = "main"


class BarChart(Struct, frozen=True):
    """Things compared, one beneath the other, so that long names have room."""

    title: str
    axis: Axis
    bars: Sequence[Bar]
    #: heading of the names, for the table
    names: str = ""


class Interval(Struct, frozen=True):
    """A thing, what was measured of it, and from where to where the truth may be."""

    name: str
    low: float
    value: float
    high: float
    tone: Tone = "main"


class IntervalChart(Struct, frozen=True):
    """Measurements compared, with how sure each is."""

    title: str
    axis: Axis
    intervals: Sequence[Interval]
    levels: Sequence[Level] = ()
    names: str = ""
    #: heading of the intervals, for the table: "95 in 100"
    band_name: str = ""


class Part(Struct, frozen=True):
    """A share of a whole."""

    name: str
    count: float
    tone: Tone = "main"


class Woven(Struct, frozen=True):
    """A whole by its parts, as cloth: what is done is woven, what is left is bare warp."""

    title: str
    parts: Sequence[Part]
    #: headings of the table: what a part is, how many, what share
    columns: tuple[str, str, str] = ("", "", "")


class Spark(Struct, frozen=True):
    """A course in the size of a word."""

    title: str
    values: Sequence[float]
    unit: Unit = "number"


Chart = LineChart | Histogram | BarChart | IntervalChart | Woven | Spark


class Key(Struct, frozen=True):
    """A line of the key: a name and what its mark looks like."""

    name: str
    tone: Tone
    #: "line", "area", "level" or "cloth"
    shape: str


class Drawing(Struct, frozen=True):
    """A chart drawn: markup that is safe to put into a page, its key, and its table."""

    svg: str
    keys: list[Key]
    #: column headings, and rows whose first cell names them
    head: list[str]
    rows: list[list[str]]
