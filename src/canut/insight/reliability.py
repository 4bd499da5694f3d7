"""How far confidences came true, bin by bin, with how sure that is. Pure."""

import math
from collections.abc import Sequence

from msgspec import Struct

from canut.quality.beliefs.model import Bin

#: quantile of the normal distribution for an interval of 95%
Z = 1.96


class Row(Struct, frozen=True):
    """A bin in which there is something."""

    #: edges of the bin
    low: float
    high: float
    n: int
    #: mean of the confidences, and the share that was right
    confidence: float
    right: float
    #: interval of the share right, 95%
    right_low: float
    right_high: float


def rows(bins: Sequence[Bin]) -> list[Row]:
    """Bins of equal width, from 0 to 1, in their order; those that are empty are left out."""
    width = 1 / max(len(bins), 1)
    return [
        Row(
            place * width,
            (place + 1) * width,
            one.n,
            one.confidence,
            one.right,
            *interval(one.right, one.n),
        )
        for place, one in enumerate(bins)
        if one.n
    ]


def interval(share: float, n: int) -> tuple[float, float]:
    """A 95% interval of a share seen among n. Source: Wilson, "Probable inference, the law of
    succession, and statistical inference", JASA 22 (1927)."""
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
