"""Estimators with a confusion matrix per contributor: Dawid-Skene, and ours that backs off.

Notation of the comments: contributor j, label k that was said, class l that is true, C[j, k, l]
the expected number of times j said k where l was true, E[j, k, l] the probability of it.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from canut.truth.categorical import PRIOR_SKILL, PRIOR_WEIGHT
from canut.truth.grid import (
    TINY,
    Belief,
    Float32,
    Floats,
    Grid,
    believe,
    expected,
    log,
    over_classes,
    settle,
    summed,
    trivial,
)
from canut.truth.votes import Float64, Int32
from canut.truth.voting import shares, wawa_shares

#: answers that a confusion row's own backing off is worth
ROW_WEIGHT = 5.0
#: answers that the average is worth against what all contributors do with one class
CLASS_WEIGHT = 20.0
#: more are no better (on 24 public sets 82.1% are right after 6, 81.9% at convergence)
ROUNDS = 6
#: a mean change of the posterior that is not worth another round
SETTLED = 0.002


def dawid_skene(of: Grid, *, rounds: int = 100, settled: float = 1e-5) -> Belief:
    """Expectation-maximisation of class balance and confusion matrices, from the majority.

    Dawid & Skene, Applied Statistics 28 (1979). Assumes that votes are independent given the
    true class; nothing is held back: a contributor with one answer is believed to be what that
    answer makes of it (but for 0.01 imagined answers, so that nothing is impossible). Its
    posteriors are far too sure of themselves: never read them as probabilities. Stops where the
    posterior changes by less than `settled` in the mean: waiting for the largest change takes 5
    to 15 times as many rounds.
    """

    def confuse(counts: Float64) -> Float64:
        smooth = counts + 0.01
        return smooth / smooth.sum(-3, keepdims=True)  # type: ignore[no-any-return]

    certain = trivial(of)
    if certain:
        return certain
    posterior = shares(of.count)
    for _ in range(rounds):
        before = posterior
        posterior = _round(of, before.T[None], confuse, (True,))[0].T
        if np.abs(posterior - before).mean() < settled:
            break
    return believe(of, posterior)


def backoff(of: Grid, *, balance: bool = True, rounds: int = ROUNDS) -> Belief:
    """Backoff Dawid-Skene: every parameter leans on a coarser one until votes carry it.

    A contributor's accuracy p_j leans on that of strangers; how much harder or easier a class
    is, on the odds of a right answer, is learned from all contributors, and so is where wrong
    answers of that class fall; and each confusion row of a contributor leans on what the two
    make of it. So a contributor with one answer is a stranger, and one with a thousand is
    itself. `balance` says whether the balance of classes is learned, or all are equally likely:
    learning it helps where one class is rare, and harms where contributors are drawn to one.

    The hierarchy is that of Bayesian classifier combination (Kim & Ghahramani, AISTATS 2012;
    Venanzi et al., "Community-based Bayesian aggregation models", WWW 2014), fitted by a few
    rounds of EM from Wawa instead of sampling.
    """
    certain = trivial(of)
    if certain:
        return certain
    posterior = refine(of, wawa_shares(of), (balance,), rounds=rounds)
    return believe(of, whole(posterior[0].T))


def refine(
    of: Grid,
    start: Float64,
    balance: tuple[bool, ...],
    *,
    rounds: int = ROUNDS,
    row_weight: tuple[float, ...] | None = None,
    gold: tuple[Int32, Int32] | None = None,
) -> Float32:
    """Posteriors of `backoff`, one for each `balance`, after some rounds from `start`; float32
    (models, n_classes, n_tasks). Side by side, so that the votes are read once for all.

    `row_weight` is what stands for `ROW_WEIGHT` in each model. `gold` (tasks, their classes) is
    what the rounds take as known when they count who said what; the posterior that is returned
    for those tasks is that of the votes, from contributors who were judged by them.
    """
    posterior = start.T.astype(np.float32)[None]
    confuse: Callable[[Float32], Float32] = backed_off_confusion
    if row_weight is not None:
        confuse = partial(
            backed_off_confusion, row_weight=np.array(row_weight, np.float32)[:, None, None]
        )
    if gold is not None:
        known = np.eye(of.votes.n_classes, dtype=np.float32)[gold[1]].T
    for _ in range(rounds):
        if gold is not None:
            posterior[:, :, gold[0]] = known
        before, posterior = posterior, _round(of, posterior, confuse, balance)
        # large: not to be allocated twice
        change = np.subtract(posterior, before, out=before if len(before) > 1 else None)
        if np.abs(change, out=change).mean() < SETTLED:
            break
    return posterior


def whole(posterior: Float32) -> Float64:
    """The posterior as float64, with rows that sum to 1 as float64 has it."""
    return shares(posterior.astype(np.float64, order="C"))


def backed_off_confusion(
    counts: Floats,
    everybody: Floats | None = None,
    row_weight: Floats | float = ROW_WEIGHT,
    *,
    prior: Floats | float = PRIOR_SKILL,
) -> Floats:
    """E from C (both (..., K said, K true, n_contributors)) as `backoff` describes it.

    `everybody` (..., K said, K true) is the sum over all contributors, where `counts` is of some;
    `row_weight` may differ between models. `prior` is the accuracy that contributors lean on,
    (n_contributors,) or the same for all.
    Contributors are the last axis because there are most of them: sums over short last axes
    would take most of the time.
    """
    if everybody is None:
        everybody = counts.sum(-1)
    n_classes = counts.shape[-2]
    diagonal = np.arange(n_classes)
    judged = over_classes(counts.swapaxes(-3, -2))  # (..., l, j)
    all_right = np.trace(counts, axis1=-3, axis2=-2)  # (..., j)
    skill = (all_right + PRIOR_WEIGHT * prior) / (over_classes(judged) + PRIOR_WEIGHT)

    right, of_class = everybody[..., diagonal, diagonal], everybody.sum(-2)  # (..., l)
    mean = ((right.sum(-1) + PRIOR_SKILL) / (of_class.sum(-1) + 1))[..., None]
    by_class = (right + CLASS_WEIGHT * mean) / (of_class + CLASS_WEIGHT)
    easier = _odds(by_class) / _odds(mean)
    odds = _odds(skill)[..., None, :] * easier[..., None]
    on = odds / (1 + odds)  # (..., l, j)

    off = everybody + CLASS_WEIGHT / (n_classes - 1)  # (..., k, l)
    off[..., diagonal, diagonal] = 0
    off /= off.sum(-2, keepdims=True)

    # (C + S B) / (n + S), B = `on` on the diagonal and (1 - on) * off elsewhere
    weighed = row_weight * on
    confusion: Floats = (row_weight - weighed)[..., None, :, :] * off[..., None]
    for k in range(n_classes):
        confusion[..., k, k, :] = weighed[..., k, :]
    confusion += counts
    confusion /= (judged + row_weight)[..., None, :, :]
    return confusion


def _odds(probability: Floats) -> Floats:
    odds: Floats = np.divide(probability, np.maximum(1 - probability, TINY))
    return odds


def _round(
    of: Grid,
    posterior: Floats,
    confuse: Callable[[Floats], Floats],
    balance: tuple[bool, ...],
) -> Floats:
    """One round of EM, for models that differ in `balance`: posterior (models, K, n_tasks).

    The last class is what the others leave, so it is neither counted nor summed: a choice
    between two costs one column. At the start all models hold the same posterior, given once.
    """
    held, n_classes, n_tasks = posterior.shape
    n_contributors, dtype = len(of.given), posterior.dtype
    some = n_classes - 1
    columns = np.ascontiguousarray(posterior[:, :-1].reshape(held * some, n_tasks).T)
    counted = expected(of, columns).reshape(n_contributors, n_classes, held, some)
    counts = np.empty((held, n_classes, n_classes, n_contributors), dtype)
    counts[:, :, :-1] = counted.transpose(2, 1, 3, 0)
    rest = of.given.T - counts[:, :, :-1].sum(2)
    np.maximum(rest, 0, out=counts[:, :, -1], casting="same_kind")
    confusion = confuse(counts)
    held = len(confusion)
    odds = np.log(confusion[:, :, :-1] / confusion[:, :, -1:]).transpose(3, 1, 0, 2)
    total = summed(of, odds.reshape(n_contributors, n_classes, held * some))

    following = np.zeros((len(balance), n_classes, n_tasks), dtype)
    following[:, :-1] = total.T.reshape(held, some, n_tasks)
    if any(balance):
        share = log(posterior.mean(-1)) * np.array(balance, dtype)[:, None]
        following += share[:, :, None]
    return settle(following)
