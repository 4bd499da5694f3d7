"""When to stop asking."""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: share of the errors that a promise allows which decisions may come to in expectation: what is
#: left is for beliefs that are too sure of themselves, and for audits, which prove the sooner the
#: fewer errors there are
SHARE = 0.5
#: no decision is more doubtful than so many times what the promise allows in the mean
WORST = 4.0


class NextStep(IntEnum):
    """What happens to a task after its belief is updated."""

    #: one more answer is needed
    ASK = 0
    #: the belief is strong enough
    DECIDE = 1
    #: all the answers the step may buy are in, and they do not settle it: an expert looks
    ESCALATE = 2


def next_step(
    confidence: ArrayLike,
    n_answers: ArrayLike,
    min_answers: ArrayLike,
    max_answers: ArrayLike,
    target: ArrayLike,
) -> NDArray[np.int8]:
    """`NextStep` of each task, int8, for arrays (or scalars) that broadcast together.

    Fewer than `min_answers` always asks; then a confidence of at least `target` decides; then
    `max_answers` answers escalate; else one more is asked for. Raises ValueError where
    min_answers > max_answers, and where a confidence is not in 0..1.
    """
    belief = np.asarray(confidence, np.float64)
    n = np.asarray(n_answers)
    if np.any(np.asarray(min_answers) > np.asarray(max_answers)):
        raise ValueError("min_answers is larger than max_answers")
    if not np.all((belief >= 0) & (belief <= 1)):
        raise ValueError("a confidence is not between 0 and 1")
    enough = n >= np.asarray(min_answers)
    sure = belief >= np.asarray(target)
    spent = n >= np.asarray(max_answers)
    choice = [enough & sure, enough & spent]
    return np.asarray(
        np.select(choice, [NextStep.DECIDE, NextStep.ESCALATE], NextStep.ASK), np.int8
    )


def leaves_room(
    confidence: ArrayLike, error_max: float, doubt: float, decided: int
) -> NDArray[np.bool_]:
    """Which tasks may be decided though their belief is below the target, bool (n,).

    A promise of at most `error_max` errors is about all decisions together, and most are surer
    than the target of one: those before had `doubt` (the sum of their chances to be wrong) over
    `decided` of them. Where that leaves room, one more answer would buy what nobody was promised.
    The surest come first, while the mean of all, these included, is at most `SHARE` of
    `error_max`; none is more doubtful than `WORST` times `error_max`. `confidence`: float (n,),
    inside 0..1.
    """
    doubts = 1 - np.asarray(confidence, np.float64)
    order = np.argsort(doubts, kind="stable")
    total = doubt + np.cumsum(doubts[order])
    count = decided + np.arange(1, len(doubts) + 1)
    found = np.zeros(len(doubts), bool)
    found[order] = total <= SHARE * error_max * count
    return found & (doubts <= WORST * error_max)
