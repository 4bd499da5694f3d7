"""Beliefs about a scale: a wrong answer is likelier next to the right one than far from it."""

import numpy as np
from msgspec import Struct

from canut.truth.categorical import TEMPER, backed_off
from canut.truth.votes import Float64, Int32, Pairs, Votes, group

#: how much less likely a wrong answer is with each point of distance
DECAY = 0.5


class Ordinal(Struct, frozen=True):
    """What the votes say about points of a scale."""

    #: probability of each point, float64 (n_tasks, n_classes)
    posterior: Float64
    #: the likeliest point, int32 (n_tasks,); -1 where nobody answered
    best: Int32
    #: probability that the right point is within `tolerance` of `best`, float64 (n_tasks,)
    confidence: Float64
    #: probability that the right point is within `tolerance` of each vote, float64 (n,)
    agreement: Float64


def ordinal(
    votes: Votes,
    right: Float64,
    judged: Float64,
    *,
    tolerance: int = 0,
    temper: float = TEMPER,
) -> Ordinal:
    """Naive Bayes over an ordered scale of K = n_classes points; dense, so for short scales.

    Contributor j is within `tolerance` of the truth with probability p_j (`backed_off`); inside
    and outside that window, answers fall off by `DECAY` with each point of distance. Posteriors
    are tempered like `canut.truth.categorical.naive_bayes`.

    Source: the stereotype of ordered errors in Lakshminarayanan & Teh, "Inferring ground truth
    from multi-annotator ordinal data" (2013), with one parameter per contributor.
    """
    k = votes.n_classes
    point = np.arange(k)
    distance = np.abs(point[:, None] - point[None, :])  # truth, answer
    within = distance <= tolerance
    fall = DECAY**distance
    inside = np.where(within, fall, 0.0).sum(axis=1)
    outside = np.where(within, 0.0, fall).sum(axis=1)
    shape = np.where(within, fall / inside[:, None], fall / np.maximum(outside, 1e-300)[:, None])

    # somebody worse than chance says nothing, rather than the contrary of what he says
    telling = outside > 0  # elsewhere every answer is within tolerance
    chance = float(np.max((inside / (inside + outside))[telling], initial=0.0))
    usable = np.clip(backed_off(right, judged), min(chance, 0.9999), 0.9999)
    pairs = group(votes)
    count, hit, miss = (
        _matrix(votes, pairs, pairs.sum(weight[votes.contributor]))
        for weight in (np.ones(len(usable)), np.log(usable), np.log1p(-usable))
    )
    score = count @ np.log(shape).T + hit @ (within & telling[:, None]).T + miss @ (~within).T

    mass = np.exp(temper * (score - score.max(axis=1, keepdims=True)))
    posterior = mass / mass.sum(axis=1, keepdims=True)
    near = posterior @ within
    best = posterior.argmax(axis=1).astype(np.int32)
    confidence = near[np.arange(votes.n_tasks), best]
    unanswered = count.sum(axis=1) == 0
    best[unanswered], confidence[unanswered] = -1, 0.0
    return Ordinal(
        posterior=posterior,
        best=best,
        confidence=np.minimum(confidence, 1.0),
        agreement=np.minimum(near[votes.task, votes.label], 1.0),
    )


def _matrix(votes: Votes, pairs: Pairs, value: Float64) -> Float64:
    """Values of pairs laid out as (n_tasks, n_classes)."""
    matrix = np.zeros((votes.n_tasks, votes.n_classes))
    matrix[pairs.task, pairs.label] = value
    return matrix
