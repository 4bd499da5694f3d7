"""Charts of agents: accuracy against coverage, and what lessons were worth. `word` says a message
in the language of the reader."""

from collections.abc import Callable, Sequence

from canut.agents.running.model import VersionAtWork
from canut.agents.standing import Standing
from canut.insight.charts import Axis, Level, Line, LineChart
from canut.insight.reliability import interval
from canut.web.i18n import N_

Word = Callable[[str], str]
#: blind answers from which on a share of them is drawn
LEAST = 30


def curve(found: Standing, word: Word) -> LineChart:
    """Accuracy against coverage on blind answers, with what is promised and what is licensed; with
    fewer than two points there is nothing to draw."""
    # of few answers nothing is known, and their band would flatten all the rest
    told = [one for one in found.curve if one.answers >= LEAST]
    shown = told if len(told) > 1 else []
    points = [(one.coverage, one.accuracy) for one in shown]
    band = [interval(one.accuracy, one.answers) for one in shown]
    licence = found.licence
    levels, marks = [], []
    if licence and points:
        levels.append(Level(1 - licence.error_max, word(N_("promised"))))
        if licence.threshold is not None and licence.slices is None:
            share = (licence.finding or {}).get("coverage", 0.0)
            marks.append(Level(share, word(N_("licensed"))))
    return LineChart(
        title=word(N_("Accuracy against coverage")),
        x=Axis(word(N_("share decided alone")), "percent", low=0, high=1),
        y=Axis(word(N_("accuracy")), "percent", high=1),
        lines=[Line(word(N_("This version")), points, band, word(N_("95 in 100")))],
        levels=levels,
        marks=marks,
    )


def lessons(versions: Sequence[VersionAtWork], word: Word) -> LineChart | None:
    """What each version was worth on examples held back, against what it had learned from; none
    where fewer than two were measured."""
    measured = sorted(
        {(one.lesson.examples, one.lesson.right) for one in versions if one.lesson.right}
    )
    shares = sorted(
        {(one.lesson.examples, one.lesson.coverage) for one in versions if one.lesson.right}
    )
    if len({examples for examples, _ in measured}) < 2:
        return None
    return LineChart(
        title=word(N_("What lessons are worth")),
        x=Axis(word(N_("examples")), low=0),
        y=Axis(word(N_("of what was held back")), "percent", high=1),
        lines=[
            Line(word(N_("right")), [(float(x), y) for x, y in measured], marked=True),
            Line(
                word(N_("might be decided alone")),
                [(float(x), y) for x, y in shares],
                tone="second",
                marked=True,
            ),
        ],
    )
