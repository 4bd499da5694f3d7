"""Estimators that count votes."""

import numpy as np

from canut.truth.grid import Belief, Grid, believe, trivial
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
    right = np.bincount(votes.contributor, agrees, votes.n_contributors)
    weight = (right + agrees.mean()) / (of.given.sum(1) + 1)
    counted = weight[votes.contributor] * _heard(of)
    score = np.bincount(of.cell, counted, of.count.size).astype(np.float64)
    return shares(score.reshape(of.count.shape))


def _heard(of: Grid) -> Float64 | float:
    """Weight of each vote; a product with `heard` would be slower for one column."""
    return 1.0 if of.weight is None else of.weight


def shares(score: Float64) -> Float64:
    """Rows that sum to 1; all classes alike where a row has nothing."""
    total = score @ np.ones(score.shape[1])
    empty = total <= 0
    share = score / np.where(empty, 1.0, total)[:, None]
    share[empty] = 1 / score.shape[1]
    return share
