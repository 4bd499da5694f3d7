"""When to stop asking."""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
