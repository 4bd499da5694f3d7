"""The charts of a batch: how sure its decisions are, and who made them."""

from collections.abc import Callable, Mapping

from msgspec import Struct

from canut.insight.charts import Axis, Bar, BarChart, Histogram, Level
from canut.insight.progress import BINS, Measured
from canut.web.i18n import N_

#: confidences below are drawn only where there are any
USUAL_FROM = 10

CONFIDENCE = N_("Confidence")
DECISIONS = N_("Decisions")
SURE = N_("How sure the decisions are")
WHO = N_("Who decided")
TARGET = N_("target")


class Drawn(Struct, frozen=True):
    """The charts of a step."""

    confidence: Histogram
    methods: BarChart


def drawn(
    measured: Measured, target: float, say: Callable[[str], str], methods: Mapping[str, str]
) -> Drawn:
    """The charts, with their names by `say`. Of a sample, decisions are scaled to all there are."""
    scale = measured.decided / measured.read
    lowest = next((place for place, n in enumerate(measured.bins) if n), BINS)
    first = min(USUAL_FROM, lowest)
    counts = [round(n * scale) for n in measured.bins[first:]]
    edges = [place / BINS for place in range(first, BINS + 1)]
    bars = sorted(measured.methods.items(), key=lambda one: -one[1])
    return Drawn(
        Histogram(
            say(SURE),
            Axis(say(CONFIDENCE), "percent"),
            Axis(say(DECISIONS)),
            edges,
            counts,
            [Level(target, say(TARGET))],
        ),
        BarChart(
            say(WHO),
            Axis(say(DECISIONS)),
            [Bar(say(methods[name]), round(n * scale)) for name, n in bars],
            say(WHO),
        ),
    )
