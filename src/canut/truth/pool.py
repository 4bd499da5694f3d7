"""The estimator that Canut decides with: three opinions, pooled, and calibrated on gold.

No single model is best everywhere. Wawa never goes far from the votes; `backoff` learns who
confuses what, once with and once without learning how common the classes are. Their weighted
geometric mean (a logarithmic opinion pool: Genest & Zidek, Statistical Science 1 (1986)) is

    P(l) proportional to exp(b_l) * product over members m of z_m(l) ** w_m

with every z_m kept above `FLOOR`: a posterior of 0.999999 from 5 answers is an artefact of
counting dependent votes as independent. Before there is gold, w is `PRIOR` and b is 0; the
exponents sum to less than 1, so it is a conservative temper.

With gold, `backoff` takes it as known in its rounds, two of its kind are added that lean ten times
as much on the coarser (`RICH`), and w and b are fitted. A task is never judged by its own gold:
opinions on gold tasks come from rounds that were not told them (`FOLDS`), as in cross-validation.

How it was chosen: variants of members, pulls and gold rounds were compared by their means over 13
public sets (10 or 20 draws of 30 gold items, scored on the others) and over 20 to 40 simulated
crowds (contributors who are better at one class, a third of
spammers, all drawn from one class to its neighbour, hard tasks that mislead, two to eight answers).
Kept is what was better on the sets and on the crowds alike, and the simpler where that was a tie
(of variants within 0.05 points on the sets, not the best of them was taken):
adding the posteriors of EBCC, GLAD or one coin, gold that counts more than once, and a second fit
around the first were ties or losses.
"""

from itertools import product

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.truth.confusion import refine
from canut.truth.grid import BLOCK, Belief, Float32, Grid, believe, settle, trivial
from canut.truth.votes import Float64, Int32
from canut.truth.voting import wawa_shares

#: weights of Wawa, backoff with and backoff without learned balance, before there is gold
PRIOR = np.array([0.2, 0.4, 0.2])
#: whether those learn the balance
BALANCE = (True, False)
#: row weight and learned balance of the members after Wawa, where there is gold
RICH = ((5.0, True), (5.0, False), (50.0, True), (50.0, False))
#: what the fitted weights of Wawa and `RICH` lean on
RICH_PRIOR = np.array([0.2, 0.25, 0.1, 0.15, 0.1])
#: parts that gold is cut into, each judged by rounds that know the others
FOLDS = 3
#: no member may call a class less likely than this
FLOOR = 0.003
#: gold that a fit needs
GOLD_MIN = 30
#: pull of the common temper to 1 (inverse variance)
TEMPER_PULL = 4.0
#: pulls of the weights to the prior, and of the biases to 0, that are tried, and averaged by how
#: likely each pair makes the gold
WEIGHT_PULLS = (12.0, 50.0, 200.0)
BIAS_PULLS = (0.3, 1.0, 4.0, 16.0, 64.0, 256.0)
#: the coldest temper: below it nobody would believe anything
TEMPER_MIN = 0.1
#: steps of Newton's method; the loss is strictly convex and a handful settle it
STEPS_MAX = 50


class Stack(Struct, frozen=True):
    """How to pool the members: what gold teaches."""

    #: exponent of each member, float64 (members,)
    weight: Float64
    #: log-odds added to each class, float64 (n_classes,)
    bias: Float64
    #: gold answers it was fitted on
    n_gold: int


def members(of: Grid, gold_task: Int32 | None = None, gold_label: Int32 | None = None) -> Float32:
    """log z of each member, floored, float32 (members, n_classes, n_tasks).

    Three members; with gold enough (int32 columns, as for `fit`) the five that are told it, each
    gold task as seen by those that were not told of it.
    """
    start = wawa_shares(of)
    if gold_task is None or gold_label is None or len(gold_task) < GOLD_MIN:
        return _opinions(start, refine(of, start, BALANCE))
    row_weight = tuple(weight for weight, _ in RICH)
    balance = tuple(learned for _, learned in RICH)
    part = np.unique(gold_task, return_inverse=True)[1] % FOLDS

    def told(here: NDArray[np.bool_]) -> Float32:
        gold = gold_task[here], gold_label[here]
        return refine(of, start, balance, row_weight=row_weight, gold=gold)

    posterior = told(part >= 0)
    for fold in range(FOLDS):
        unseen = gold_task[part == fold]
        posterior[:, :, unseen] = told(part != fold)[:, :, unseen]
    return _opinions(start, posterior)


def _opinions(start: Float64, posterior: Float32) -> Float32:
    """Wawa's and the others' posteriors, floored, as logarithms."""
    opinions = np.empty((1 + len(posterior), *start.T.shape), np.float32)
    opinions[0] = start.T
    opinions[1:] = posterior
    np.maximum(opinions, FLOOR, out=opinions, casting="same_kind")
    np.log(opinions, out=opinions)
    return opinions


def ungilded(n_classes: int) -> Stack:
    """The stack before there is gold."""
    return Stack(PRIOR, np.zeros(n_classes), 0)


class _Gold(Struct, frozen=True):
    """The regression: of n gold tasks, K classes and p parameters (weights, then biases)."""

    #: float64 (n, K, p)
    design: Float64
    #: row of `design` of the right class, float64 (n, p)
    right: Float64
    #: what the parameters are pulled to, and how much, float64 (p,)
    centre: Float64
    pull: Float64


def fit(opinions: Float32, gold_task: Int32, gold_label: Int32) -> Stack:
    """The stack that makes gold likeliest, leaning on the prior; `ungilded` below `GOLD_MIN`.

    `opinions` as from `members` with the same gold; gold as int32 columns (n,), of tasks drawn
    uniformly (of tasks chosen by hand the calibration would be theirs). Gold used here must not
    be used to certify.

    Multinomial logistic regression with a Gaussian prior; stacking: Wolpert, Neural Networks 5
    (1992). First one temper for all is fitted, then weights and biases around it with pulls in
    its units: where the votes are worth little, a bias must not grow just because they shrink.
    Whether contributors share a bias differs from step to step, and 30 answers hardly tell how
    large it is, nor which member is best: so it is fitted with each pair of pulls, and the fits
    are averaged by their evidence (Laplace's approximation: MacKay, Neural Computation 4 (1992)).
    """
    n_members, n_classes, _ = opinions.shape
    n_gold = len(gold_task)
    if n_gold < GOLD_MIN or n_classes < 2:
        return ungilded(n_classes)
    features = opinions[:, :, gold_task].transpose(2, 1, 0).astype(np.float64)
    gold = np.arange(n_gold), gold_label
    prior = PRIOR if n_members == len(PRIOR) else RICH_PRIOR
    tempered = (features @ prior)[:, :, None]
    one = _Gold(tempered, tempered[gold], np.ones(1), np.array([TEMPER_PULL]))
    temper = max(float(_newton(one)[0][0]), TEMPER_MIN)

    biases = np.broadcast_to(np.eye(n_classes), (n_gold, n_classes, n_classes))
    design = np.concatenate([features, biases], 2)
    centre = np.r_[temper * prior, np.zeros(n_classes)]
    fits = []
    for weight_pull, bias_pull in product(WEIGHT_PULLS, BIAS_PULLS):
        pull = np.r_[np.full(n_members, weight_pull), np.full(n_classes, bias_pull)]
        fits.append(_newton(_Gold(design, design[gold], centre, pull / temper**2)))
    evidence = np.array([of_one for _, of_one in fits])
    share = np.exp(evidence - evidence.max())
    mean = share @ np.array([parameters for parameters, _ in fits]) / share.sum()
    return Stack(mean[:n_members], mean[n_members:], n_gold)


def _newton(gold: _Gold) -> tuple[Float64, float]:
    """The likeliest parameters, float64 (p,), and the log evidence, up to a constant."""
    parameters = gold.centre
    loss, probability = _loss(gold, parameters)
    for _ in range(STEPS_MAX):
        slope, bend = _slopes(gold, parameters, probability)
        step = np.linalg.solve(bend, slope)
        before = loss
        while True:
            loss, probability = _loss(gold, parameters - step)
            if loss <= before or np.abs(step).max() < 1e-9:
                break
            step = step / 2
        parameters = parameters - step
        if before - loss < 1e-9:
            break
    _, bend = _slopes(gold, parameters, probability)
    volume = np.log(gold.pull).sum() - np.linalg.slogdet(bend)[1]
    return parameters, float(volume / 2 - loss)


def _loss(gold: _Gold, parameters: Float64) -> tuple[float, Float64]:
    """Negative log posterior, and the probability of each class, float64 (n, K)."""
    score = gold.design @ parameters
    top = score.max(1)
    total = np.log(np.exp(score - top[:, None]).sum(1)) + top
    away = gold.pull @ (parameters - gold.centre) ** 2 / 2
    loss = total.sum() - (gold.right @ parameters).sum() + away
    return float(loss), np.exp(score - total[:, None])


def _slopes(gold: _Gold, parameters: Float64, probability: Float64) -> tuple[Float64, Float64]:
    """First and second derivatives of the loss: (p,) and (p, p)."""
    mean = np.einsum("nk,nkp->np", probability, gold.design)
    slope = (mean - gold.right).sum(0) + gold.pull * (parameters - gold.centre)
    flat = gold.design.reshape(-1, len(parameters))
    bend = flat.T @ (flat * probability.reshape(-1, 1)) - mean.T @ mean + np.diag(gold.pull)
    return slope, bend


def apply(stack: Stack, opinions: Float32) -> Float64:
    """The pooled posterior, float64 (n_tasks, n_classes)."""
    score = np.tile(stack.bias[:, None], opinions.shape[2])
    for weight, opinion in zip(stack.weight, opinions, strict=True):
        score += weight * opinion
    return np.ascontiguousarray(settle(score).T)


def pooled(of: Grid, gold_task: Int32 | None = None, gold_label: Int32 | None = None) -> Belief:
    """What Canut believes: the pool, fitted on gold where there is enough of it."""
    certain = trivial(of)
    if certain:
        return certain
    if gold_task is None or gold_label is None:
        return believe(of, _before_gold(of))
    opinions = members(of, gold_task, gold_label)
    return believe(of, apply(fit(opinions, gold_task, gold_label), opinions))


def _before_gold(of: Grid) -> Float64:
    """`apply` of `ungilded` to `members`, task by task and in the cache."""
    start = wawa_shares(of)
    n_tasks, n_classes = start.shape
    others = refine(of, start, BALANCE).transpose(2, 0, 1).reshape(n_tasks, -1)
    weight = PRIOR.astype(np.float32)
    posterior, ones = np.empty((n_tasks, n_classes)), np.ones(n_classes)
    for first in range(0, n_tasks, BLOCK):
        tasks = slice(first, first + BLOCK)
        opinions = np.concatenate([start[tasks], others[tasks]], 1, dtype=np.float32)
        np.maximum(opinions, np.float32(FLOOR), out=opinions)
        np.log(opinions, out=opinions)
        score = np.einsum("nmk,m->nk", opinions.reshape(-1, len(weight), n_classes), weight)
        part = posterior[tasks]
        part[:] = np.exp(score, out=score)  # from FLOOR to 1: nothing overflows
        part /= (part @ ones)[:, None]
    return posterior
