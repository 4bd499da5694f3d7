"""How sure a language model is, and how far that can be taken at its word.

What a model says of itself (agreement of several samples, or probabilities of tokens) is a score:
it ranks answers, and promises nothing. What a score is worth is learned from blind evidence, and
until there is some, every answer has one modest confidence.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike

from canut.questions.base import Question

#: confidence of an answer about which there is no evidence yet
UNPROVEN = 0.5
#: blind answers needed before a calibration says anything, and those in each of its steps
EVIDENCE_MIN = 20
#: standard errors by which a step stands under what was seen
CAUTION = 1.0
#: agreement at which two samples count as the same answer
SAME = 0.999


class Agreed(Struct, frozen=True):
    """What several samples say together."""

    #: place of the sample that stands for all
    chosen: int
    #: how far the samples back it, 0..1, itself included
    score: float


def agreement(question: Question, values: Sequence[Any]) -> Agreed | None:
    """The sample with which the others agree most (`Question.agree`), and how far they do; a
    sample without an answer (None) agrees with none. None where no sample has an answer."""
    there = [i for i, value in enumerate(values) if value is not None]
    if not there:
        return None
    means = {
        i: (1 + sum(question.agree(values[i], values[j]) for j in there if j != i)) / len(values)
        for i in there
    }
    chosen = max(there, key=lambda i: (means[i], -i))
    return Agreed(chosen, means[chosen])


class Calibration(Struct, frozen=True):
    """What scores are worth: a staircase that never falls."""

    #: least score of each step, ascending; the first is 0. Empty before there is evidence
    score: tuple[float, ...] = ()
    #: confidence of each step
    confidence: tuple[float, ...] = ()
    #: blind answers it rests on
    evidence: int = 0

    def __call__(self, score: float) -> float:
        """The confidence of an answer with this score."""
        if not self.score:
            return UNPROVEN
        step = int(np.searchsorted(self.score, score, side="right")) - 1
        return self.confidence[max(step, 0)]


def calibrate(score: ArrayLike, right: ArrayLike) -> Calibration:
    """Fit a calibration to scores, float (n,) in 0..1, and whether the answers were right, (n,).

    Isotonic regression by pooling adjacent violators (Ayer et al., Annals of Mathematical
    Statistics 26, 1955), on steps of at least `EVIDENCE_MIN`; each step is then the Wilson lower
    bound (JASA 22, 1927) at `CAUTION` standard errors, so that few answers promise little. Scores
    lower than any seen are worth what the lowest step is. Evidence must be drawn at random and
    answered blind, and not be what a licence is then proved on.
    """
    scores, rights = np.asarray(score, np.float64), np.asarray(right, bool)
    if len(scores) < EVIDENCE_MIN:
        return Calibration(evidence=len(scores))
    blocks: list[list[float]] = []
    for value in np.unique(scores):
        here = scores == value
        blocks.append([float(value), float(here.sum()), float(rights[here].sum())])
        # Merged while too small to say anything, or while it would say less than the one below.
        while len(blocks) > 1 and _merges(blocks[-2], blocks[-1]):
            _, n, k = blocks.pop()
            blocks[-1][1] += n
            blocks[-1][2] += k
    if len(blocks) > 1 and blocks[-1][1] < EVIDENCE_MIN:
        _, n, k = blocks.pop()
        blocks[-1][1] += n
        blocks[-1][2] += k
    bounds = [_lower(k, n) for _, n, k in blocks]
    # A larger step may be bounded higher than the better one above it: the lower counts.
    falling = np.minimum.accumulate(bounds[::-1])[::-1]
    starts = (0.0, *(block[0] for block in blocks[1:]))
    return Calibration(starts, tuple(float(one) for one in falling), len(scores))


def _merges(below: list[float], block: list[float]) -> bool:
    return below[1] < EVIDENCE_MIN or below[2] * block[1] >= block[2] * below[1]


def _lower(right: float, n: float) -> float:
    share, z2 = right / n, CAUTION**2
    centre = share + z2 / (2 * n)
    spread = CAUTION * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max((centre - spread) / (1 + z2 / n), 0.0)
