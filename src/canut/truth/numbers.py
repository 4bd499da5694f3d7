"""Beliefs about numbers: everybody has a bias and a spread, and now and then is plainly wrong."""

import numpy as np
from msgspec import Struct
from scipy.special import ndtr

from canut.truth.categorical import PLAUSIBLE, TEMPER, backed_off
from canut.truth.central import weighted_median
from canut.truth.votes import Float64, Int32, Int64, starts

#: largest size of a number: beyond it squares and differences would overflow
LIMIT = 1e100
#: numbers closer than this share are the same, whatever the tolerance: decimals are not exact
ROUNDING = 1e-12
#: how many tolerances a stranger strays, before the answers say better
SPREAD = 0.5
#: the least and the most tolerances that anybody strays; further away is plainly wrong
SPREAD_MIN, SPREAD_MAX = 0.15, 10.0
#: gaps between answers are cut down to this many tolerances: nobody strays as far
FAR = 1e4
#: answers that what strangers do is worth, against a contributor's own record
BACKING = 5.0
#: answers that `SPREAD` is worth, against everybody's record
BACKING_ALL = 20.0
ROUNDS = 8
#: where, in spreads from an answer, the belief is measured
KNOTS = np.array([-5, -3.6, -2.8, -2.1, -1.6, -1.15, -0.75, -0.35, 0])
#: cells worked on at once: 4 MB each
CELLS = 500_000
TURN = 2 * np.pi


class Readings(Struct, frozen=True):
    """Numbers as columns of the same length n."""

    #: int32 (n,), 0 <= task < n_tasks
    task: Int32
    #: int32 (n,), 0 <= contributor < n_contributors
    contributor: Int32
    #: float64 (n,), finite, at most `LIMIT` in size
    value: Float64
    n_tasks: int
    n_contributors: int


class Numbers(Struct, frozen=True):
    """What the readings say."""

    #: the median of the belief, with biases and gross errors taken out, float64 (n_tasks,); 0
    #: where nobody answered
    estimate: Float64
    #: which answer is likeliest to be right, int64 (n_tasks,); -1 where nobody answered
    chosen: Int64
    #: probability that the chosen answer is within the tolerance, float64 (n_tasks,)
    confidence: Float64
    #: the same of every answer, float64 (n,)
    agreement: Float64
    #: bias and spread of each contributor, in tolerances, float64 (n_contributors,)
    bias: Float64
    spread: Float64


class _Sorted(Struct, frozen=True):
    """Readings by task, value and contributor: sums of floats depend on their order."""

    order: Int64
    task: Int32
    who: Int32
    #: distance from the middle of its task, in tolerances, float64 (n,)
    u: Float64
    #: probability that each is no gross error, float64 (n,)
    sound: Float64


def numbers(
    readings: Readings,
    right: Float64,
    judged: Float64,
    *,
    tolerance: float = 0.0,
    relative_tolerance: float = 0.0,
    temper: float = TEMPER,
) -> Numbers:
    """Bias and spread of every contributor, robustly, and what is right within the tolerance.

    The tolerance T of a task is the larger of `tolerance` and `relative_tolerance` times the
    size of its weighted median. In units of T, contributor j answers

        y = mu + b_j + s_j * N(0, 1)     with probability p_j
        anything else                    with probability 1 - p_j, spread over `PLAUSIBLE`
                                         windows as wide as the tolerance (2 T) each

    p_j is such that j is within T as often as its record says (`backed_off`); b_j and s_j come
    from a few rounds of EM over these readings, each backed off to what strangers do, so a
    contributor with one reading is one. The belief in mu is the product over the readings,
    tempered like `canut.truth.categorical.naive_bayes`, integrated by trapezes. Without spread
    it is that naive Bayes: a tolerance of 0 asks for the same number. Assumes that errors are in
    proportion to the tolerance, and independent. A bias that all share cannot be seen.

    Source: Raykar et al., "Learning from crowds", JMLR 11 (2010), section on regression, with a
    bias; and the uniform component of Fraley & Raftery, JASA 97 (2002), for gross errors.
    Raises ValueError for a number that is not finite or larger than `LIMIT`.
    """
    value = readings.value
    if not np.all(np.abs(value) <= LIMIT):  # also refuses NaN
        raise ValueError(f"a number is not finite, or larger than {LIMIT:g}")
    skill = np.clip(backed_off(right, judged), 1 / PLAUSIBLE, 0.9999)
    middle, window = _windows(readings, skill, tolerance, relative_tolerance)
    data = _sorted(readings, skill, middle, window)
    bias, spread = _fit(data, readings.n_tasks, readings.n_contributors)
    sound = _sound(skill, bias, spread)[data.who]
    inside, central = _believe(data, bias[data.who], spread[data.who], sound, temper)

    estimate, confidence = np.zeros(readings.n_tasks), np.zeros(readings.n_tasks)
    chosen = np.full(readings.n_tasks, -1, np.int64)
    agreement = np.empty(len(value))
    agreement[data.order] = inside
    # of equals the one nearest to the estimate, then the smaller
    start = starts(data.task)
    away = np.abs(data.u - np.repeat(central[start], np.diff(np.append(start, len(data.u)))))
    best = np.lexsort((data.u, np.round(away, 9), -np.round(inside, 12), data.task))[start]
    here = data.task[start]
    chosen[here], confidence[here] = data.order[best], inside[best]
    estimate[here] = value[chosen[here]] + (central - data.u)[best] * window[here]
    return Numbers(estimate, chosen, confidence, agreement, bias, spread)


def _windows(
    readings: Readings, skill: Float64, tolerance: float, relative: float
) -> tuple[Float64, Float64]:
    """Weighted median and tolerance of each task, float64 (n_tasks,)."""
    task, value = readings.task, readings.value
    chosen = weighted_median(task, value, skill[readings.contributor], readings.n_tasks)
    middle = np.zeros(readings.n_tasks)
    middle[chosen >= 0] = value[chosen[chosen >= 0]]
    window = np.maximum(max(relative, ROUNDING) * np.abs(middle), tolerance)
    return middle, np.where(window > 0, window, 1 / LIMIT)


def _sorted(readings: Readings, skill: Float64, middle: Float64, window: Float64) -> _Sorted:
    order = np.lexsort((readings.contributor, readings.value, readings.task))
    task, who = readings.task[order], readings.contributor[order]
    value = readings.value[order]
    u = (value - middle[task]) / window[task]
    wide = np.zeros(readings.n_tasks, bool)
    wide[task[np.abs(u) > FAR]] = True
    rows = np.flatnonzero(wide[task])
    if len(rows):
        # gaps are cut short, so that squares stay finite, and different numbers stay different
        gap = np.diff(value[rows], prepend=value[rows[0]]) / window[task[rows]]
        short = np.cumsum(np.clip(gap, 0.0, FAR))
        zero = np.full(readings.n_tasks, np.inf)
        np.minimum.at(zero, task[rows], np.where(u[rows] >= 0, short, np.inf))
        u[rows] = short - zero[task[rows]]
    return _Sorted(order, task, who, u, skill[who])


def _fit(data: _Sorted, n_tasks: int, n_contributors: int) -> tuple[Float64, Float64]:
    """EM: which readings are sound, what is right then, and who strays how far which way."""
    task, who, u = data.task, data.who, data.u
    bias, spread = np.zeros(n_contributors), np.full(n_contributors, SPREAD)
    mean = np.zeros(n_tasks)  # of u, the weighted median
    for _ in range(ROUNDS):
        z = (u - mean[task] - bias[who]) / spread[who]
        hit = data.sound * np.exp(-(z**2) / 2) / (spread[who] * np.sqrt(TURN))
        sound = hit / (hit + (1 - data.sound) / (2 * PLAUSIBLE))
        precision = sound / spread[who] ** 2
        total = np.bincount(task, precision, n_tasks) + 1e-12
        mean = np.bincount(task, precision * (u - bias[who]), n_tasks) / total
        error = u - mean[task]
        n = np.bincount(who, sound, n_contributors)
        bias = np.bincount(who, sound * error, n_contributors) / (n + BACKING)
        square = (error - bias[who]) ** 2 + np.minimum(1 / total[task], SPREAD_MAX**2)
        summed = np.bincount(who, sound * square, n_contributors)
        usual = (summed.sum() + BACKING_ALL * SPREAD**2) / (n.sum() + BACKING_ALL)
        variance = (summed + BACKING * usual) / (n + BACKING)
        spread = np.clip(np.sqrt(variance), SPREAD_MIN, SPREAD_MAX)
    return bias, spread


def _sound(skill: Float64, bias: Float64, spread: Float64) -> Float64:
    """How often each makes no gross error, given how often each is within the tolerance."""
    within = _normal((1 - bias) / spread) - _normal((-1 - bias) / spread)
    return np.minimum(skill / np.maximum(within, 0.01), np.maximum(skill, 0.99))


def _normal(z: Float64) -> Float64:
    return np.asarray(ndtr(z), np.float64)


def _believe(
    data: _Sorted, bias: Float64, spread: Float64, sound: Float64, temper: float
) -> tuple[Float64, Float64]:
    """Of each reading, the probability that mu is within 1 of it, and the median of mu;
    both float64 (n,). Tasks with as many readings are worked on together."""
    inside, central = np.zeros(len(data.u)), np.zeros(len(data.u))
    start = starts(data.task)
    size = np.diff(np.append(start, len(data.u)))
    for n in np.unique(size).tolist():
        at_once = max(CELLS // (n * (2 * len(KNOTS) + 2)), 1)
        first = start[size == n]
        for i in range(0, len(first), at_once):
            rows = first[i : i + at_once, None] + np.arange(n)
            found = _integrate(data.u[rows], bias[rows], spread[rows], sound[rows], temper)
            inside[rows], central[rows] = found
    return inside, central


def _integrate(
    u: Float64, bias: Float64, spread: Float64, sound: Float64, temper: float
) -> tuple[Float64, Float64]:
    """The same for arrays (tasks, n): see `_believe`.

    With t the temper, K = `PLAUSIBLE` and q_j = 1 + A_j exp(-t z_j^2 / 2), the density of mu is
    prod q_j - 1 (nobody is right: 1), and "elsewhere" weighs K^t. A_j is such that one reading
    alone weighs (p_j K / (1 - p_j))^t, whatever its spread: as in `naive_bayes`.
    """
    n_tasks, n = u.shape
    around = np.r_[KNOTS, -KNOTS[:-1]] * spread[..., None] + (u - bias)[..., None]
    knots = np.concatenate([around.reshape(n_tasks, -1), u - 1, u + 1], axis=1)
    place = np.argsort(knots, axis=1, kind="stable")
    mu = np.take_along_axis(knots, place, 1)
    height = (sound * PLAUSIBLE / (1 - sound)) ** temper * 2 / (spread * np.sqrt(TURN / temper))
    density, base = np.ones_like(mu), np.ones((n_tasks, 1))
    for j in range(n):
        one = slice(j, j + 1)
        ratio = mu - (u - bias)[:, one]
        ratio /= spread[:, one]
        ratio *= ratio
        # nothing from the outermost knot on: a trapeze must not carry it to the next answer
        near = ratio < 0.999 * KNOTS[0] ** 2
        np.exp(np.maximum(ratio * (-temper / 2), -700.0), out=ratio)
        ratio *= height[:, one] * near
        ratio += 1
        density *= ratio
        if j % 16 == 15:  # the product of hundreds must not overflow
            top = density.max(1, keepdims=True)
            density /= top
            base /= top
    density = np.maximum(density - base, 0.0) / 2
    piece = np.diff(mu, axis=1) * (density[:, 1:] + density[:, :-1]) / 2
    below = np.concatenate([np.zeros((n_tasks, 1)), piece.cumsum(1)], axis=1)
    total = below[:, -1:] + base * PLAUSIBLE**temper

    rank = np.empty_like(place)
    np.put_along_axis(rank, place, np.broadcast_to(np.arange(mu.shape[1]), mu.shape), 1)
    low, high = rank[:, -2 * n : -n], rank[:, -n:]
    mass = np.take_along_axis(below, high, 1) - np.take_along_axis(below, low, 1)
    inside = (mass + base) / (total + base)
    half = (below < below[:, -1:] / 2).sum(1, keepdims=True)
    before = np.maximum(half - 1, 0)
    left, right = (np.take_along_axis(below, i, 1) for i in (before, half))
    from_, to = (np.take_along_axis(mu, i, 1) for i in (before, half))
    share = np.clip((below[:, -1:] / 2 - left) / np.maximum(right - left, 1e-300), 0.0, 1.0)
    return np.clip(inside, 0.0, 1.0), np.broadcast_to(from_ + share * (to - from_), u.shape)
