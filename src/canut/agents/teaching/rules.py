"""When a new version would help, and whether it takes over at once: pure rules."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from canut.agents.running.model import Worth

#: examples before an agent learns for the first time
FIRST = 100
#: an agent learns anew when its examples have grown by this factor: errors of a learner fall with
#: a power of its examples, and every version has to earn its licence
GROWTH = 1.5
#: the same when the work has changed under it
GROWTH_DRIFTED = 1.1
#: what was decided before the work changed counts so much of what it counted
FADED = 0.3
#: share of a lesson's examples, the newest, by which is told what it is worth
VALIDATED = 0.2
#: so many standard errors apart, what two versions got right of such few is no chance
CHANCE = 2.0

#: share of its tasks in the blind stream of an agent that could decide nothing yet, and of one that
#: could decide everything
LEARNING_PPM, PROVING_PPM = 200_000, 600_000

Begins = Literal["champion", "challenger"]


def lesson_due(examples: int, learned: int, *, drifted: bool = False) -> bool:
    """Whether to learn from `examples`, where the best taught version has seen `learned`."""
    if not learned:
        return examples >= FIRST
    return examples >= learned * (GROWTH_DRIFTED if drifted else GROWTH)


def begins_as(*, in_force: bool, before: Worth | None, now: Worth) -> Begins:
    """Whether a new version replaces the champion at once, or is held against it first.

    At once where nothing is lost by it: the champion was never taught (`before` None), or decides
    nothing alone. Who has learned more is better as a rule, and a first version that was lucky on a
    score of examples must not keep all others waiting: so the new one is held back only where it is
    worse by more than chance. (Of a kind whose worth does not show on examples that are like
    nothing before, a memory, nothing is told by these.)
    """
    if before is None:
        return "champion"
    if in_force:
        return "challenger"
    apart = CHANCE * math.sqrt(_variance(before) + _variance(now))
    worse = now.right > 0 and before.right - now.right > apart
    return "challenger" if worse else "champion"


def _variance(worth: Worth) -> float:
    """Of what a version got right, about: as if it had been right once and wrong once more."""
    n = max(1.0, VALIDATED * worth.examples)
    right = (worth.right * n + 1) / (n + 2)
    return right * (1 - right) / n


def earning_ppm(worth: Worth) -> int:
    """Share of its tasks that people answer blind while an agent earns its licence, in millionths.

    Evidence is good for all versions to come, and until it is there people answer nearly
    everything: it comes first where much would be licensed. Where little would be, examples come
    first, for what is evidence cannot be learned from.
    """
    share = min(max(worth.coverage, 0.0), 1.0)
    return round(LEARNING_PPM + (PROVING_PPM - LEARNING_PPM) * share)


def coverage_at(confidence: Sequence[float], agreement: Sequence[float], error_max: float) -> float:
    """The largest share of these, the surest first, of which at most `error_max` are wrong; rough,
    for one error is added. Lists of the same length."""
    order = np.argsort(-np.asarray(confidence, np.float64), kind="stable")
    wrong = np.cumsum(1 - np.asarray(agreement, np.float64)[order])
    count = np.arange(1, len(order) + 1)
    good = np.flatnonzero((wrong + 1) / (count + 1) <= error_max)
    return float(count[good[-1]] / len(order)) if len(good) else 0.0
