"""When a new version would help, and whether it takes over at once: pure rules."""

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
#: by so much a new version is plainly better, as a share of the examples held back
BETTER = 0.02

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

    At once where nothing is lost by it: the champion was never taught (`before` None); or it
    decides nothing alone, and the new one is plainly better, or of a kind whose worth does not show
    on examples that are like nothing before (a memory).
    """
    if before is None:
        return "champion"
    better = now.right > before.right + BETTER or now.right == 0
    return "champion" if better and not in_force else "challenger"


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
