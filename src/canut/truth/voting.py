"""Estimators that count votes."""

import numpy as np

from canut.truth.grid import BLOCK, Belief, Grid, believe, trivial
from canut.truth.votes import Float64


def majority(of: Grid) -> Belief:
    """The share of the votes for each class. Assumes that all contributors are equally good.

    Condorcet, "Essai sur l'application de l'analyse" (1785). Tasks without votes: all classes
    alike.
    """
    return trivial(of) or believe(of, shares(of.count))


def wawa(of: Grid) -> Belief:
    """Worker agreement with aggregate: votes weighted by how often their contributor is with
    the majority (the first of equals), backed off to all contributors' mean by one answer.

    Assumes that the majority is mostly right. Source: Appen, "Calculating worker agreement
    with aggregate (Wawa)" (2016).
    """
    return trivial(of) or believe(of, wawa_shares(of))


def wawa_shares(of: Grid) -> Float64:
    """The posterior of `wawa`, of a grid that is not trivial."""
    votes = of.votes
    agrees = of.count.argmax(1)[votes.task] == votes.label
    right = np.bincount(votes.contributor[agrees], minlength=votes.n_contributors)
    weight = (right + agrees.mean()) / (of.given.sum(1) + 1)
    # a product with `heard` would be slower for one column
    counted = weight[votes.contributor]
    if of.weight is not None:
        counted *= of.weight
    score = np.bincount(of.cell, counted, of.count.size).reshape(of.count.shape)
    return _share(score.astype(np.float64, copy=False))


def shares(score: Float64) -> Float64:
    """Rows that sum to 1; all classes alike where a row has nothing."""
    return _share(score.copy())


def _share(score: Float64) -> Float64:
    """The same in place."""
    ones = np.ones(score.shape[1])
    for first in range(0, len(score), BLOCK):
        part = score[first : first + BLOCK]
        total = part @ ones
        empty = total <= 0
        part[empty], total[empty] = 1, len(ones)
        part /= total[:, None]
    return score
