"""Variational Bayes: one coin per contributor, and communities of tasks."""

import numpy as np
from scipy.special import digamma

from canut.truth.grid import (
    Belief,
    Grid,
    believe,
    expected,
    right_answers,
    softmax,
    summed,
    trivial,
)
from canut.truth.votes import Float64
from canut.truth.voting import shares

#: right and wrong answers a stranger is imagined to have given
COIN_PRIOR = (7.0, 3.0)
#: right and wrong answers, per class, that each kind of task is imagined to have drawn
KIND_PRIOR = (4.0, 1.0)
#: imagined tasks of each class, shared among its kinds, and of the class
KINDS_WEIGHT, CLASS_WEIGHT = 0.1, 1.0


def one_coin(of: Grid, *, rounds: int = 30, settled: float = 1e-5) -> Belief:
    """One accuracy per contributor with a Beta prior; wrong answers fall on any class alike.

    Mean-field variational Bayes: Liu, Peng & Ihler, "Variational inference for crowdsourcing",
    NIPS 2012. Assumes classes equally likely, and as hard as each other.
    """
    certain = trivial(of)
    if certain:
        return certain
    n_classes = of.votes.n_classes
    posterior = shares(of.count)
    answers = of.given.sum(1)
    for _ in range(rounds):
        right = right_answers(of, posterior)
        wrong = np.maximum(answers - right, 0)
        weight = digamma(COIN_PRIOR[0] + right) - digamma(COIN_PRIOR[1] + wrong)
        weight += np.log(n_classes - 1)
        score = weight[:, None, None] * np.eye(n_classes)
        before, posterior = posterior, softmax(summed(of, score))
        if np.abs(posterior - before).mean() < settled:
            break
    return believe(of, posterior)


def ebcc(
    of: Grid, *, kinds: int = 5, seed: int = 0, rounds: int = 100, settled: float = 1e-5
) -> Belief:
    """Enhanced Bayesian classifier combination: each class is a mixture of `kinds` kinds of task
    (the easy, the misleading...), and contributors answer independently given the kind.

    So contributors may err together on the same tasks, which every other estimator here denies.
    Variational Bayes of Li, Rubinstein & Cohn, "Exploiting worker correlation for label
    aggregation in crowdsourcing", ICML 2019. Kinds start at random, from `seed`. Needs many
    answers per contributor and class; costs `kinds` times as much as the others.
    """
    certain = trivial(of)
    if certain:
        return certain
    n_tasks, n_contributors, n_classes = of.shape
    posterior = shares(of.count)
    split = np.random.default_rng(seed).dirichlet(np.ones(kinds), n_classes * n_tasks)
    mixture = posterior[:, :, None] * split.reshape(n_tasks, n_classes, kinds)
    right, wrong = KIND_PRIOR
    prior = np.full((n_classes, n_classes), wrong) + (right - wrong) * np.eye(n_classes)
    for _ in range(rounds):
        # by contributor, label said, true class and kind
        counts = expected(of, mixture.reshape(n_tasks, -1))
        counts = counts.reshape(n_contributors, n_classes, n_classes, kinds) + prior[:, :, None]
        score = digamma(counts) - digamma(counts.sum(1, keepdims=True))
        total = summed(of, score.reshape(n_contributors, n_classes, -1))
        total += _log_prior(mixture).ravel()
        mixture = softmax(total).reshape(n_tasks, n_classes, kinds)
        before, posterior = posterior, mixture.sum(2)
        if np.abs(posterior - before).mean() < settled:
            break
    return believe(of, shares(posterior))


def _log_prior(mixture: Float64) -> Float64:
    """Expected log probability of each class and kind, float64 (n_classes, kinds)."""
    kinds = mixture.shape[2]
    of_kind = mixture.sum(0) + KINDS_WEIGHT / kinds
    of_class = mixture.sum((0, 2)) + CLASS_WEIGHT
    within = digamma(of_kind) - digamma(of_kind.sum(1, keepdims=True))
    return np.asarray(within + (digamma(of_class) - digamma(of_class.sum()))[:, None])
