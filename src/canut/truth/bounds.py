"""What audits prove about an error rate, valid at whatever moment somebody looks.

Somebody bets against "the error rate is m or more" at odds that are fair, or worse, if that is
so. Capital (here always its logarithm) then reaches 1/delta with probability delta at most, over
all looks together; when it does, the claim is refuted at confidence 1 - delta. The upper bound is
the largest rate not refuted.

A bet is that the rate is r x m, for each r of `RATIOS`; capital is spread over them before the
first audit. Source: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by
betting", JRSS-B 86 (2024), where lambda = (1 - r) / (1 - m); Ville's inequality (1939).
docs/promise-mathematics.md has the proofs.
"""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from canut.truth.votes import Float64

#: alternatives, as shares of the rate to refute; few, for each idle bet costs the others capital
RATIOS = np.array([0.0, 0.05, 0.15, 0.3, 0.5, 0.75])
#: how the capital is spread over them. Any spread is valid; this one proves early where errors are
#: rare, and costs some 5% more audits than an even one at half of the promised rate
SPREAD = np.array([4, 4, 4, 3, 2, 1]) / 18
#: where draws follow risk, most errors weigh little, so bolder bets survive them
SPREAD_WEIGHTED = np.array([16, 12, 8, 4, 2, 1]) / 43
#: beyond this many audits we say "not at this rate" rather than count them
AUDITS_MAX = 10_000_000

_STAKES = 1 - RATIOS
_EVEN, _BOLD = np.log(SPREAD), np.log(SPREAD_WEIGHTED)


def log_capital(rate: ArrayLike, audits: ArrayLike, wrong: ArrayLike) -> Float64:
    """Log capital against "the error rate is `rate` or more", draws with replacement or from an
    endless stream. Arrays broadcast; rate is inside (0, 1), 0 <= wrong <= audits, which need not
    be whole. Depends on the sums alone, not on the order."""
    m = np.asarray(rate, np.float64)[..., None]
    n = np.asarray(audits, np.float64)[..., None]
    k = np.asarray(wrong, np.float64)[..., None]
    _require((m > 0) & (m < 1), "a rate must be inside (0, 1)")
    _require((k >= 0) & (k <= n), "audits cannot be fewer than the wrong ones")
    clean = (n - k) * (np.log1p(-RATIOS * m) - np.log1p(-m))
    with np.errstate(divide="ignore"):
        lost = np.where(k > 0, np.maximum(k, 1e-300) * np.log(RATIOS), 0.0)
    return _mean(clean + lost)


def upper_rate(audits: int, wrong: int, delta: float) -> float:
    """The error rate is at most this, float in [wrong/audits, 1], at confidence 1 - delta."""
    return _upper(lambda m: float(log_capital(m, audits, wrong)), delta)


def log_capital_batch(errors: int, audits: int, wrong: int, size: int) -> float:
    """Log capital against "`errors` or more of the `size` decisions are wrong", where `audits` of
    them were drawn without replacement.

    The powers of `log_capital` become falling factorials: each bet is the likelihood ratio of
    r x errors to errors among what is left in the bag. A bet that has seen more errors than it
    holds possible is lost. Depends on the sums alone. `inf` where `errors` is impossible.
    """
    clean = audits - wrong
    if not 0 <= wrong <= audits <= size:
        raise ValueError("audits cannot be more than the batch, nor fewer than the wrong ones")
    if errors > size - clean:
        return math.inf
    terms = [-math.inf] * len(RATIOS)
    for b, ratio in enumerate(RATIOS):
        bet = float(ratio) * errors
        if bet < wrong - 1e-9:
            continue
        spare = max(bet - wrong, 0.0)
        found = _falling(bet, spare) - _falling(errors, errors - wrong)
        passed = _falling(size - bet, size - bet - clean)
        terms[b] = found + passed - _falling(size - errors, size - errors - clean)
    return float(_mean(np.array(terms)))


def upper_batch(audits: int, wrong: int, size: int, delta: float) -> int:
    """At most this many of the `size` decisions are wrong, at confidence 1 - delta: an int between
    `wrong` and `size` - (right ones seen). Capital grows with `errors`, so bisection finds it."""
    bar = _bar(delta)
    kept, refuted = wrong, size - (audits - wrong) + 1
    while refuted - kept > 1:
        middle = (kept + refuted) // 2
        if log_capital_batch(middle, audits, wrong, size) < bar:
            kept = middle
        else:
            refuted = middle
    return kept


def log_capital_weighted(rate: float, audits: int, loss: ArrayLike, weight_max: float) -> float:
    """Log capital against "the error rate is `rate` or more", draws of unequal probability.

    A draw of item i counts w_i = 1 / (N q_i) if it is wrong and 0 if not, so that its mean is the
    error rate; `loss` float64 (k,) holds the w of the wrong ones, `weight_max` is the largest w of
    any item that may be drawn (not of those that were). `rate` is inside (0, 1).
    """
    value, count = np.unique(np.asarray(loss, np.float64), return_counts=True)
    _check_losses(value, weight_max)
    if not 0 < rate < 1 or audits < count.sum():
        raise ValueError("a rate must be inside (0, 1), audits not fewer than the wrong ones")
    terms = (audits - count.sum()) * _step(rate, np.zeros(1), weight_max)[0]
    terms = terms + (count[:, None] * _step(rate, value, weight_max)).sum(axis=0)
    return float(_mean(terms, _spread(weight_max)))


def upper_weighted(audits: int, loss: ArrayLike, weight_max: float, delta: float) -> float:
    """The error rate is at most this, float in [sum(loss)/audits, 1], at confidence 1 - delta."""
    return _upper(lambda m: log_capital_weighted(m, audits, loss, weight_max), delta)


def running(rate: float, loss: ArrayLike, weight_max: float = 1.0) -> Float64:
    """Log capital after each audit, float64 (n,): what somebody sees who looks every time.

    `loss` float64 (n,) is 0 for a right decision, its weight (1 in uniform draws) for a wrong one.
    """
    y = np.asarray(loss, np.float64)
    _check_losses(y, weight_max)
    return _mean(np.cumsum(_step(rate, y, weight_max), axis=0), _spread(weight_max))


def running_batch(errors: int, wrong: ArrayLike, size: int) -> Float64:
    """`log_capital_batch` after each draw, float64 (n,), by its definition: draw by draw. `wrong`
    bool (n,)."""
    x = np.asarray(wrong, bool)
    before = np.cumsum(x) - x
    left = size - np.arange(len(x))
    null = (errors - before)[:, None].astype(np.float64)
    bet = RATIOS * errors - before[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(np.maximum(bet, 0)) - np.log(np.maximum(null, 0))
        passed = np.log(left[:, None] - bet) - np.log(np.maximum(left[:, None] - null, 0))
        steps = np.where(x[:, None], found, passed)
    impossible = np.logical_or.accumulate(~x & (null[:, 0] >= left))
    lost = (bet < -1e-9) | (x[:, None] & (bet < 1 - 1e-9))
    lost = np.logical_or.accumulate(lost, axis=0)
    total = np.cumsum(np.where(lost | impossible[:, None], 0.0, steps), axis=0)
    return np.where(impossible, np.inf, _mean(np.where(lost, -np.inf, total)))


def errors_allowed(error_max: float, size: int) -> int:
    """How many wrong decisions of `size` are within `error_max`, in exact decimal arithmetic: 29 of
    100 are within 0.29, though 0.29 x 100 in floating point is less."""
    return math.floor(Fraction(repr(float(error_max))) * size)


def proves(log_capital: float, delta: float) -> bool:
    """Whether this capital refutes at confidence 1 - delta."""
    return log_capital >= _bar(delta)


def audits_needed(
    error_max: float, delta: float, *, audits: int = 0, wrong: int = 0, rate: float = 0.0
) -> int | None:
    """How many audits in all refute `error_max`, if those to come are wrong at `rate`.

    At least `audits`; None if that takes more than `AUDITS_MAX`, as it does where `rate` is not
    below `error_max`. Stream form: a finite batch needs no more."""
    bar = _bar(delta)

    def enough(n: int) -> bool:
        return float(log_capital(error_max, n, wrong + rate * (n - audits))) >= bar

    step = 1
    while not enough(audits + step - 1):
        if audits + step > AUDITS_MAX:
            return None
        step *= 2
    low, high = audits + step // 2 - 1, audits + step - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def binomial_tail(wrong: int, audits: int, rate: float) -> float:
    """P(at most `wrong` errors in `audits`) at this error rate: the p-value of "the rate is `rate`
    or more" for a number of audits fixed beforehand (Clopper & Pearson 1934). Not valid for
    somebody who looks more than once."""
    if not 0 < rate < 1 or not 0 <= wrong <= audits:
        raise ValueError("a rate must be inside (0, 1), audits not fewer than the wrong ones")
    if wrong == audits:
        return 1.0
    steps = np.arange(wrong, 0, -1, dtype=np.float64)
    ratio = np.cumsum(np.log(steps) + np.log1p(-rate) - np.log(audits - steps + 1) - np.log(rate))
    first = _falling(audits, audits - wrong) - math.lgamma(wrong + 1)
    first += wrong * math.log(rate) + (audits - wrong) * math.log1p(-rate)
    return min(1.0, math.exp(min(0.0, first + float(np.logaddexp.reduce(np.append(ratio, 0.0))))))


def upper_rate_once(audits: int, wrong: int, delta: float) -> float:
    """The error rate is at most this at confidence 1 - delta, float in [wrong/audits, 1], for a
    number of audits fixed beforehand and looked at once (`binomial_tail`)."""
    return _upper(lambda m: -math.log(max(binomial_tail(wrong, audits, m), 1e-300)), delta)


def _step(rate: float, loss: Float64, weight_max: float) -> Float64:
    """Log of what each bet is multiplied by, float64 (len(loss), bets)."""
    gain = (rate - np.minimum(loss, weight_max)) / (weight_max - rate)
    with np.errstate(divide="ignore"):
        return np.log1p(_STAKES * gain[:, None])


def _mean(terms: Float64, spread: Float64 = _EVEN) -> Float64:
    """Log of the mean over the last axis, from logs; -inf where all are lost."""
    mean: Float64 = np.logaddexp.reduce(terms + spread, axis=-1)
    return mean


def _spread(weight_max: float) -> Float64:
    return _BOLD if weight_max > 1 else _EVEN


def _falling(top: float, bottom: float) -> float:
    """Log of top! / bottom!, real arguments."""
    return math.lgamma(top + 1) - math.lgamma(bottom + 1)


def _upper(capital: Callable[[float], float], delta: float) -> float:
    """sup {m: capital below the bar}, from above, by bisection."""
    bar = _bar(delta)
    low, high = 0.0, 1.0
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if capital(middle) < bar:
            low = middle
        else:
            high = middle
    return high


def _bar(delta: float) -> float:
    if not 0 < delta < 1:
        raise ValueError("delta must be inside (0, 1)")
    return -math.log(delta)


def _check_losses(loss: Float64, weight_max: float) -> None:
    if weight_max < 1 - 1e-9:
        raise ValueError("the largest weight is at least 1: the mean of all weights is 1")
    _require((loss >= 0) & (loss <= weight_max * (1 + 1e-12)), "a loss is from 0 to weight_max")


def _require(holds: NDArray[np.bool_], message: str) -> None:
    if not holds.all():
        raise ValueError(message)
