"""A reliability diagram as shapes: where each bin stands, and how sure that is. Pure geometry, in
the units of a square of `SIDE`; the page draws it."""

import math
from collections.abc import Sequence

from msgspec import Struct

from canut.quality.beliefs.model import Bin

#: side of the square of the diagram, and its margins
SIDE = 300.0
#: radius of the largest bin
RADIUS_MAX = 11.0
RADIUS_MIN = 3.0
#: quantile of the normal distribution for an interval of 95%
Z = 1.96


class Point(Struct, frozen=True):
    """A bin as it is drawn; y grows downwards, as in SVG."""

    x: float
    y: float
    #: grows with the number of answers
    radius: float
    #: ends of the interval of the share right
    high_y: float
    low_y: float


class Row(Struct, frozen=True):
    """A bin as the table tells it."""

    #: edges of the bin
    low: float
    high: float
    n: int
    confidence: float
    right: float
    #: interval of the share right, 95%
    right_low: float
    right_high: float


class Diagram(Struct, frozen=True):
    """What the page draws and tells: bins in which there is something."""

    points: list[Point]
    rows: list[Row]


def diagram(bins: Sequence[Bin]) -> Diagram:
    """Bins of equal width, from 0 to 1, in their order."""
    full = [(place, one) for place, one in enumerate(bins) if one.n]
    most = max((one.n for _, one in full), default=1)
    points, rows = [], []
    for place, one in full:
        low, high = interval(one.right, one.n)
        radius = max(RADIUS_MIN, RADIUS_MAX * math.sqrt(one.n / most))
        points.append(
            Point(
                x=_round(one.confidence * SIDE),
                y=_round((1 - one.right) * SIDE),
                radius=_round(radius),
                high_y=_round((1 - high) * SIDE),
                low_y=_round((1 - low) * SIDE),
            )
        )
        edges = place / len(bins), (place + 1) / len(bins)
        rows.append(Row(*edges, one.n, one.confidence, one.right, low, high))
    return Diagram(points, rows)


def interval(share: float, n: int) -> tuple[float, float]:
    """A 95% interval of a share seen among n. Source: Wilson, "Probable inference, the law of
    succession, and statistical inference", JASA 22 (1927)."""
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def _round(value: float) -> float:
    return round(value, 1)
