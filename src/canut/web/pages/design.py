"""The design system on one page: every component in all its states, with invented figures."""

import math
from typing import Any

from litestar import Response, get

from canut.errors import Problem
from canut.insight import charts
from canut.web.auth import OPEN, WebRequest
from canut.web.i18n import N_
from canut.web.pages.view import say, show

#: a moment to show, in milliseconds UTC
_A_DAY = 1_794_000_000_000
_HOUR = 3_600_000


@get("/design", opt=OPEN, include_in_schema=False)
async def design(request: WebRequest) -> Response[str]:
    """For whoever makes pages: open, because there is nothing to hide; not for search engines."""

    def word(message: str) -> str:
        return say(request, message)

    shown = show(
        request,
        "design/design.html",
        drawn=_charts(word),
        parts_of=_parts(word),
        course=[12.0, 15.0, 14.0, 19.0, 24.0, 22.0, 28.0, 33.0],
        at_ms=_A_DAY,
        problems=[Problem(word(N_("is missing")), field="reason")],
        hostile='<script>alert("1")</script> & "quotes"',
    )
    shown.headers["x-robots-tag"] = "noindex, nofollow"
    return shown


def _parts(word: Any) -> list[charts.Part]:
    return [
        charts.Part(word(N_("decided")), 2_412_904, "main"),
        charts.Part(word(N_("with an expert")), 41_377, "third"),
        charts.Part(word(N_("in hand")), 188_020, "second"),
        charts.Part(word(N_("waiting")), 357_699, "quiet"),
    ]


def _charts(word: Any) -> dict[str, charts.Chart]:
    """One of each kind."""
    return {
        "lines": _accuracy(word),
        "cost": _cost(word),
        "histogram": _confidence(word),
        "bars": _reasons(word),
        "intervals": _intervals(word),
        "empty": charts.LineChart(
            word(N_("Accuracy against coverage")), charts.Axis(), charts.Axis(), []
        ),
    }


def _accuracy(word: Any) -> charts.LineChart:
    shares = [n / 20 for n in range(1, 21)]
    agent = [(x, 0.995 - 0.11 * x**3) for x in shares]
    band = [(max(y - 0.004 - 0.012 * x, 0.0), min(y + 0.003 + 0.006 * x, 1.0)) for x, y in agent]
    before = [(x, 0.985 - 0.17 * x**2) for x in shares]
    return charts.LineChart(
        title=word(N_("Accuracy against coverage")),
        x=charts.Axis(word(N_("share decided alone")), "percent", low=0, high=1),
        y=charts.Axis(word(N_("accuracy")), "percent", high=1),
        lines=[
            charts.Line(word(N_("This version")), agent, band, word(N_("95 in 100"))),
            charts.Line(word(N_("The one before")), before, tone="second"),
        ],
        levels=[charts.Level(0.95, word(N_("promised")))],
    )


def _cost(word: Any) -> charts.LineChart:
    volumes = [100.0 * 10 ** (n / 2) for n in range(9)]
    costs = [(v, 9.0 + 52.0 / math.sqrt(v / 100)) for v in volumes]
    people = [(v, 41.0) for v in volumes]
    return charts.LineChart(
        title=word(N_("Cost per item against volume")),
        x=charts.Axis(word(N_("items")), log=True),
        y=charts.Axis(word(N_("per item")), "money:EUR", low=0),
        lines=[
            charts.Line(word(N_("With agents")), costs, marked=True),
            charts.Line(word(N_("People alone")), people, tone="third"),
        ],
    )


def _confidence(word: Any) -> charts.Histogram:
    counts = [120, 90, 160, 240, 410, 760, 1480, 2950, 6120, 14_300]
    return charts.Histogram(
        title=word(N_("Confidence of decisions")),
        x=charts.Axis(word(N_("confidence")), "percent"),
        y=charts.Axis(word(N_("decisions"))),
        edges=[0.5 + n / 20 for n in range(11)],
        counts=counts,
        levels=[charts.Level(0.9, word(N_("enough")))],
    )


def _reasons(word: Any) -> charts.BarChart:
    return charts.BarChart(
        title=word(N_("Why tasks were given back")),
        axis=charts.Axis(word(N_("tasks"))),
        bars=[
            charts.Bar(word(N_("The picture cannot be told apart from its background")), 1284),
            charts.Bar(word(N_("Two classes fit")), 640, "second"),
            charts.Bar(word(N_("Not in a language I read")), 97, "third"),
            charts.Bar(word(N_("Something else")), 0, "quiet"),
        ],
        names=word(N_("Reason")),
    )


def _intervals(word: Any) -> charts.IntervalChart:
    return charts.IntervalChart(
        title=word(N_("Errors that audits prove")),
        axis=charts.Axis(word(N_("share wrong")), "percent", low=0),
        intervals=[
            charts.Interval(word(N_("Category")), 0.011, 0.018, 0.027, "good"),
            charts.Interval(word(N_("Attributes")), 0.024, 0.041, 0.066),
            charts.Interval(word(N_("Picture")), 0.052, 0.083, 0.121, "wrong"),
        ],
        levels=[charts.Level(0.05, word(N_("promised at most")))],
        names=word(N_("Step")),
        band_name=word(N_("95 in 100")),
    )


ROUTES: list[Any] = [design]
