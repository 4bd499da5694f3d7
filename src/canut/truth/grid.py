"""Votes as a sparse matrix, and the two products that every estimator is made of.

A confusion matrix per contributor turns expectation-maximisation into A @ X and A.T @ Z, where
row i of A says which (contributor, label) pairs spoke about task i. Dense results are tasks x
classes; `canut.truth.categorical.naive_bayes` is for taxonomies too long for that.
"""

from typing import TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array
from scipy.special import expit

from canut.truth.categorical import PRIOR_SKILL, backed_off
from canut.truth.votes import Float64, Int32, Int64, Votes

Float32 = NDArray[np.float32]
#: inner loops run in float32, twice as fast and half as large; what is given back is float64
Floats = TypeVar("Floats", Float32, Float64)

#: cells of a dense posterior, beyond which it would not fit: 1.6 GB of float64
CELLS_MAX = 200_000_000
#: tasks that are worked on at a time, so that what is computed of them stays in the cache
BLOCK = 8192
#: some tasks, and their rows of `Grid.heard`
Block = tuple[slice, csr_array]
#: the least probability whose logarithm is taken
TINY = np.float32(1e-12)


class Belief(Struct, frozen=True):
    """What an estimator says of every task and every contributor."""

    #: probability of each class, float64 (n_tasks, n_classes); rows sum to 1
    posterior: Float64
    #: how often each contributor is believed to be right, float64 (n_contributors,)
    skill: Float64


class Grid(Struct, frozen=True):
    """Votes, ready for estimators; made by `grid`."""

    votes: Votes
    #: how much each vote counts towards a belief, float64 (n,); None: 1 for all
    weight: Float64 | None
    #: position of each vote in `count`, flattened, int64 (n,)
    cell: Int64
    #: what counts towards a belief: weight of each (contributor, label), (n_tasks, J * K)
    heard: csr_array
    #: what counts towards a contributor's record: 1 for each vote, (J * K, n_tasks)
    said: csc_array
    #: weight of the votes for each class, float64 (n_tasks, n_classes)
    count: Float64
    #: how often each contributor gave each label, float64 (n_contributors, n_classes)
    given: Float64

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_tasks, n_contributors, n_classes)."""
        return self.votes.n_tasks, self.votes.n_contributors, self.votes.n_classes


def grid(votes: Votes, weight: Float64 | None = None) -> Grid:
    """Sort the votes into a matrix; the order in which they come does not matter.

    `weight` float64 (n,), 0 to 1, is how much each vote counts towards beliefs (see
    `canut.truth.clones.voices`); 1 for all where it is None. Raises ValueError where a column
    is out of range or the result would not fit (`CELLS_MAX`).
    """
    n_tasks, n_contributors, n_classes = votes.n_tasks, votes.n_contributors, votes.n_classes
    if n_classes < 1:
        raise ValueError("there must be at least one class")
    if n_tasks * n_classes > CELLS_MAX or n_contributors * n_classes**2 > CELLS_MAX:
        raise ValueError(f"{n_tasks} tasks x {n_classes} classes is too much for dense beliefs")
    limits = (("task", n_tasks), ("contributor", n_contributors), ("label", n_classes))
    for name, limit in limits:
        column = getattr(votes, name)
        if len(column) and (column.min() < 0 or column.max() >= limit):
            raise ValueError(f"a {name} is not in 0..{limit - 1}")
    who = _flat(votes.contributor, n_classes, votes.label)
    cell = _flat(votes.task, n_classes, votes.label)
    said = _matrix(votes, who, None)
    heard = said if weight is None else _matrix(votes, who, weight)
    return Grid(
        votes=votes,
        weight=weight,
        cell=cell,
        heard=heard,
        said=said.T,
        count=_sums(cell, weight, n_tasks * n_classes).reshape(n_tasks, n_classes),
        given=_sums(who, None, n_contributors * n_classes).reshape(n_contributors, n_classes),
    )


def _flat(row: Int32, width: int, column: NDArray[np.integer]) -> Int64:
    """Positions in a table of that width."""
    position = row.astype(np.int64)
    position *= width
    position += column
    return position


def _sums(position: Int64, weight: Float64 | None, size: int) -> Float64:
    """How much weighs on each position, float64 (size,)."""
    sums = np.bincount(position, weight, size)
    if weight is not None:
        return sums.astype(np.float64, copy=False)
    counts = sums.view(np.float64)  # converted where it stands: large
    for first in range(0, size, BLOCK):
        counts[first : first + BLOCK] = sums[first : first + BLOCK].copy()
    return counts


def _matrix(votes: Votes, who: Int64, weight: Float64 | None) -> csr_array:
    """Rows sorted by contributor and label, so that sums do not depend on the order of storage.

    Made by hand: scipy's own way by coordinates is most of the cost of a small step. Two votes
    of one contributor for one label stay two entries, which sum to the same.
    """
    width = votes.n_contributors * votes.n_classes
    bits = max(width - 1, 1).bit_length()
    key = votes.task.astype(np.int64)
    key <<= bits
    key |= who
    if weight is None:
        key.sort()
        data = np.ones(len(key), np.float32)
    else:
        order = np.lexsort((weight, key))
        key, data = key[order], weight[order].astype(np.float32)
    begin = np.zeros(votes.n_tasks + 1, np.int64)
    np.cumsum(np.bincount(votes.task, minlength=votes.n_tasks), out=begin[1:])
    small = max(width, len(key)) < np.iinfo(np.int32).max
    index = np.int32 if small else np.int64
    key &= (1 << bits) - 1
    return csr_array((data, key.astype(index), begin.astype(index)), shape=(votes.n_tasks, width))


def blocks_of(of: Grid) -> list[Block]:
    """`heard` cut into tasks that are worked on together; one where there are few."""
    n_tasks, heard = of.votes.n_tasks, of.heard
    if n_tasks <= BLOCK:
        return [(slice(0, n_tasks), heard)]
    blocks = []
    for first in range(0, n_tasks, BLOCK):
        tasks = slice(first, min(first + BLOCK, n_tasks))
        begin = heard.indptr[first : tasks.stop + 1]
        votes = slice(begin[0], begin[-1])
        part = heard.data[votes], heard.indices[votes], begin - begin[0]
        blocks.append((tasks, csr_array(part, shape=(len(begin) - 1, heard.shape[1]))))
    return blocks


def means(values: Floats) -> Floats:
    """Mean of each column, (columns,); numpy's own is slow and, in float32, rough."""
    total = np.zeros(values.shape[1])
    ones = np.ones(min(BLOCK, len(values)), values.dtype)
    for first in range(0, len(values), BLOCK):
        part = values[first : first + BLOCK]
        total += ones[: len(part)] @ part
    return (total / len(values)).astype(values.dtype)


def trivial(of: Grid) -> Belief | None:
    """The belief where there is nothing to infer (no votes, or one class only), else None."""
    n_tasks, n_contributors, n_classes = of.shape
    if n_classes > 1 and len(of.votes.task):
        return None
    even = np.full((n_tasks, n_classes), 1 / n_classes)
    return Belief(even, np.full(n_contributors, PRIOR_SKILL))


def expected(of: Grid, posterior: Floats) -> Floats:
    """C[j, k, ...]: how often j said k, split by the posterior's columns.

    `posterior` is (n_tasks, columns), the result (n_contributors, n_classes, columns).
    """
    _, n_contributors, n_classes = of.shape
    counts = of.said @ posterior
    return counts.reshape(n_contributors, n_classes, posterior.shape[1])  # type: ignore[no-any-return]


def summed(of: Grid, score: Floats) -> Floats:
    """Sum over the votes of each task of score[j, k, ...]: (n_tasks, columns)."""
    _, n_contributors, n_classes = of.shape
    flat = score.reshape(n_contributors * n_classes, score.shape[2])
    return of.heard @ flat  # type: ignore[no-any-return]


def right_answers(of: Grid, posterior: Float64) -> Float64:
    """How many right answers each contributor gave, in expectation; float64 (J,)."""
    votes = of.votes
    agreed = posterior.ravel()[of.cell]
    return np.bincount(votes.contributor, agreed, votes.n_contributors).astype(np.float64)


def believe(of: Grid, posterior: Float64) -> Belief:
    """The belief with this posterior, and the skill that follows from it."""
    return Belief(posterior, backed_off(right_answers(of, posterior), of.given.sum(1)))


def softmax(score: Floats) -> Floats:
    """exp(score) with rows summing to 1, in place; (n, columns)."""
    top = score[:, 0].copy()
    for column in range(1, score.shape[1]):
        np.maximum(top, score[:, column], out=top)
    score -= top[:, None]
    np.exp(score, out=score)
    score /= (score @ np.ones(score.shape[1], score.dtype))[:, None]
    return score


def settle(score: Floats) -> Floats:
    """The same for (..., classes, n_tasks), the layout in which it is fast."""
    if score.shape[-2] == 2:
        expit(score[..., 0, :] - score[..., 1, :], out=score[..., 0, :])
        np.subtract(1, score[..., 0, :], out=score[..., 1, :])
        return score
    top = score[..., 0, :].copy()
    for k in range(1, score.shape[-2]):
        np.maximum(top, score[..., k, :], out=top)
    score -= top[..., None, :]
    np.exp(score, out=score)
    score /= over_classes(score)[..., None, :]
    return score


def over_classes(values: Floats) -> Floats:
    """Sum over the last axis but one, of which numpy's own is slow where it is short."""
    total: Floats = values[..., 0, :].copy()
    for k in range(1, values.shape[-2]):
        total += values[..., k, :]
    return total


def log(probability: Floats) -> Floats:
    """Logarithm that never sees 0."""
    return np.log(np.maximum(probability, TINY))
