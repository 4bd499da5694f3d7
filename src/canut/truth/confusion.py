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
    Block,
    Float32,
    Floats,
    Grid,
    believe,
    blocks_of,
    expected,
    means,
    over_classes,
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
#: greatest log-odds whose exponentials are summed as they are; float32 overflows at 88
EXPONENT_MAX = 50.0


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
    blocks = blocks_of(of)
    for _ in range(rounds):
        posterior, change = _round(of, blocks, posterior, confuse, (True,))
        if change < settled:
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
    posterior = start.astype(np.float32)
    confuse: Callable[[Float32], Float32] = backed_off_confusion
    if row_weight is not None:
        confuse = partial(
            backed_off_confusion, row_weight=np.array(row_weight, np.float32)[:, None, None]
        )
    n_tasks, n_classes = start.shape
    if gold is not None:
        known = np.eye(n_classes, dtype=np.float32)[gold[1]]
    blocks = blocks_of(of)
    for _ in range(rounds):
        if gold is not None:
            posterior[gold[0]] = np.tile(known, posterior.shape[1] // n_classes)
        posterior, change = _round(of, blocks, posterior, confuse, balance)
        if change < SETTLED:
            break
    return posterior.reshape(n_tasks, -1, n_classes).transpose(1, 2, 0)


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
    blocks: list[Block],
    before: Floats,
    confuse: Callable[[Floats], Floats],
    balance: tuple[bool, ...],
) -> tuple[Floats, float]:
    """One round of EM, for models that differ in `balance`: posterior (n_tasks, models * K), and
    by how much it changed in the mean. `before` is written over, except at the start, when all
    models hold the same posterior, given once.

    Odds are against the last class, so that it need not be known which is the greatest. All that
    is done to a block of tasks is done while it is in the cache, and to whole blocks: loops over a
    few classes, or through memory, would cost most of the time.
    """
    models, n_classes = len(balance), of.shape[2]
    odds = _log_odds(of, before, confuse)
    share = np.maximum(means(before), TINY).reshape(-1, n_classes)
    # of each model the shares of its classes where they are learned, or 1; 0 elsewhere
    weight = np.where(np.array(balance)[:, None], share, share.dtype.type(1))
    each = (np.eye(models, dtype=share.dtype)[:, :, None] * weight).reshape(models, -1)
    begun = before.shape[1] == each.shape[1]
    after = before if begun else np.empty((len(before), each.shape[1]), before.dtype)
    change = 0.0
    for tasks, heard in blocks:
        likely, old = _exponentials(heard @ odds, n_classes), before[tasks]
        if likely.shape[1] < each.shape[1]:
            likely = np.tile(likely, models)
        likely *= (1 / (likely @ each.T)) @ each
        moved = likely - (old if begun else np.tile(old, models))
        change += float(np.abs(moved, out=moved).sum())
        after[tasks] = likely
    return after, change / after.size


def _log_odds(of: Grid, posterior: Floats, confuse: Callable[[Floats], Floats]) -> Floats:
    """log E[j, k, l] - log E[j, k, last], (J * K said, models * K)."""
    n_contributors, n_classes = of.given.shape
    counted = expected(of, posterior).reshape(n_contributors, n_classes, -1, n_classes)
    confusion = np.log(confuse(np.ascontiguousarray(counted.transpose(2, 1, 3, 0))))
    confusion -= confusion[:, :, -1:].copy()
    return confusion.transpose(3, 1, 0, 2).reshape(n_contributors * n_classes, -1)


def _exponentials(score: Floats, n_classes: int) -> Floats:
    """exp of log-odds in place, (n, models * n_classes); all of a task and a model as much
    smaller as it takes for none to overflow."""
    high = np.flatnonzero(score > EXPONENT_MAX)
    if len(high):
        rows = np.unique(high // score.shape[1])
        models = score[rows].reshape(len(rows), -1, n_classes)
        score[rows] = (models - models.max(2, keepdims=True)).reshape(len(rows), -1)
    return np.exp(score, out=score)
