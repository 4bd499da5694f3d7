"""What an estimator is given (`Votes`) and what it gives back (`Posterior`).

Nothing here is ever tasks x classes large: a posterior is kept for the (task, label) pairs that
somebody answered, plus the mass of all the labels that nobody did, so a taxonomy of ten
thousand classes costs what a choice between ten does.
"""

from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


class Votes(Struct, frozen=True):
    """Answers as columns of the same length n: who gave which label to which task."""

    #: int32 (n,), 0 <= task < n_tasks
    task: Int32
    #: int32 (n,), 0 <= contributor < n_contributors
    contributor: Int32
    #: int32 (n,), 0 <= label < n_classes
    label: Int32
    n_tasks: int
    n_contributors: int
    n_classes: int


class Posterior(Struct, frozen=True):
    """What the votes say. Pairs are the m distinct (task, label) of the votes, sorted."""

    #: int32 (m,)
    task: Int32
    #: int32 (m,)
    label: Int32
    #: probability that `label` is the right one of `task`, float64 (m,)
    probability: Float64
    #: which pair each vote belongs to, int64 (n,)
    pair: Int64
    #: probability of each single label that nobody gave to the task, float64 (n_tasks,)
    rest: Float64
    #: the likeliest label, int32 (n_tasks,); the lowest of equals; -1 where nobody answered
    best: Int32
    #: probability of `best`, float64 (n_tasks,); 0 where nobody answered
    confidence: Float64
    #: how often each contributor is believed to be right, float64 (n_contributors,)
    skill: Float64
    n_classes: int

    def of_votes(self) -> Float64:
        """Probability that each vote is right, float64 (n,)."""
        return self.probability[self.pair]

    def dense(self) -> Float64:
        """The whole matrix (n_tasks, n_classes); only for few classes."""
        matrix = np.repeat(self.rest[:, None], self.n_classes, axis=1)
        matrix[self.task, self.label] = self.probability
        return matrix


class Estimator(Protocol):
    """The seam: anything that turns votes and what is known of contributors into a posterior."""

    def __call__(self, votes: Votes, right: Float64, judged: Float64, /) -> Posterior:
        """`right` of `judged` earlier answers of each contributor were right, in expectation;
        both float64 (n_contributors,). Same result for any order of the votes."""


class Pairs(Struct, frozen=True):
    """Votes grouped by (task, label)."""

    #: int32 (m,), sorted
    task: Int32
    #: int32 (m,), sorted within a task
    label: Int32
    #: pair of each vote, int64 (n,)
    pair: Int64
    #: the votes, sorted by pair, int64 (n,)
    order: Int64
    #: where each pair starts in `order`, int64 (m,)
    start: Int64
    #: where each answered task starts among the pairs, int64 (answered tasks,)
    task_start: Int64

    def sum(self, weight: Float64) -> Float64:
        """Sum of the votes' weights in each pair, float64 (m,)."""
        return np.add.reduceat(weight[self.order], self.start) if len(weight) else np.zeros(0)


def starts(sorted_key: NDArray[np.integer]) -> Int64:
    """Where each run of equal keys starts, int64."""
    if not len(sorted_key):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.r_[True, sorted_key[1:] != sorted_key[:-1]])


def group(votes: Votes) -> Pairs:
    """Group votes by (task, label).

    Votes of a pair are put in the order of their contributors: floating-point sums depend on
    their order, and a belief must not depend on the order in which answers were stored.
    """
    key = votes.task.astype(np.int64) * votes.n_classes + votes.label
    order = np.lexsort((votes.contributor, key))
    ordered = key[order]
    start = starts(ordered)
    pair = np.empty(len(key), np.int64)
    pair[order] = np.repeat(np.arange(len(start)), np.diff(np.append(start, len(key))))
    task, label = np.divmod(ordered[start], max(votes.n_classes, 1))
    return Pairs(
        task=task.astype(np.int32),
        label=label.astype(np.int32),
        pair=pair,
        order=order,
        start=start,
        task_start=starts(task),
    )


def conclude(
    votes: Votes, pairs: Pairs, probability: Float64, unseen_mass: Float64, skill: Float64
) -> Posterior:
    """Find the likeliest label of each task.

    `unseen_mass` float64 (n_tasks,) is shared equally by the labels nobody gave to the task.
    """
    best = np.full(votes.n_tasks, -1, np.int32)
    confidence = np.zeros(votes.n_tasks)
    # by task, then falling probability, then label: the first of each task is its best
    ranked = np.lexsort((pairs.label, -probability, pairs.task))
    first = ranked[pairs.task_start]
    best[pairs.task[first]] = pairs.label[first]
    confidence[pairs.task[first]] = probability[first]
    seen = np.bincount(pairs.task, minlength=votes.n_tasks)
    return Posterior(
        task=pairs.task,
        label=pairs.label,
        probability=probability,
        pair=pairs.pair,
        rest=unseen_mass / np.maximum(votes.n_classes - seen, 1),
        best=best,
        confidence=confidence,
        skill=skill,
        n_classes=votes.n_classes,
    )
