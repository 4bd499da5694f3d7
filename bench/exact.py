"""How often a certificate is false, without the noise of simulation: for `bench.promise`.

Where the capital depends on two counts, by going through all of them; where draws follow risk, by
drawing as the bets predict and weighing each run by its odds (importance sampling: capital is
exactly that ratio, so that every run which certifies weighs at most delta).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from canut.truth import bounds

Float64 = NDArray[np.float64]


def fewest_audits(capital: Callable[[int, int], float], bar: float, limit: int) -> Float64:
    """The fewest audits at which k errors certify, float64 (k,), ending with the first k that never
    does within `limit` (inf). Capital grows with audits and falls with errors."""
    fewest: list[float] = []
    low = 0
    while not fewest or math.isfinite(fewest[-1]):
        k, high = len(fewest), limit
        if k > limit or capital(limit, k) < bar:
            fewest.append(math.inf)
            continue
        low = max(low, k - 1)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if capital(middle, k) >= bar else (middle, high)
        fewest.append(high)
    return np.array(fewest)


def stream(rate: float, promise: float, delta: float, limit: int) -> float:
    """The chance that a stream of this error rate is certified within `limit` audits."""
    fewest = fewest_audits(
        lambda n, k: float(bounds.log_capital(promise, n, k)), -math.log(delta), limit
    )
    return _chance(fewest, lambda n, k: np.full(len(k), rate), limit)


def batch(errors: int, null: int, size: int, delta: float) -> float:
    """The chance that a batch with so many errors is certified to hold fewer than `null`."""
    fewest = fewest_audits(
        lambda n, k: bounds.log_capital_batch(null, n, k, size), -math.log(delta), size
    )

    def wrong_next(n: int, k: NDArray[np.int64]) -> Float64:
        share: Float64 = np.maximum(errors - k, 0) / (size - n + 1)
        return share

    return _chance(fewest, wrong_next, size)


def _chance(
    fewest: Float64, wrong_next: Callable[[int, NDArray[np.int64]], Float64], limit: int
) -> float:
    """The chance of ever having as few errors as certify, after so many audits; runs with more
    errors than can be made up for within `limit` are let go."""
    k = np.arange(len(fewest))
    alive, certified = np.zeros(len(fewest)), 0.0
    alive[0] = 1.0
    for n in range(1, limit + 1):
        wrong = alive * np.minimum(wrong_next(n, k), 1.0)
        alive = alive - wrong
        alive[1:] += wrong[:-1]
        over = n >= fewest
        certified += float(alive[over].sum())
        alive[over] = 0.0
    return certified


def by_risk(
    rng: np.random.Generator, chance: Float64, loss: Float64, weight_max: float, delta: float
) -> float:
    """One run's part in the chance that a batch exactly at the promise is certified.

    `chance` float64 (n,) is the probability that a draw takes each decision, `loss` float64 (n,)
    what it then counts; the promise is their product's sum. At most delta."""
    promise = float(chance @ loss)
    bet = rng.choice(len(bounds.RATIOS), p=bounds.SPREAD_WEIGHTED)
    stake = 1 - bounds.RATIOS[bet]
    odds = 1 + stake * (promise - loss) / (weight_max - promise)
    drawn = np.searchsorted(np.cumsum(chance * odds), rng.random(LENGTH) * (1 - 1e-12), "right")
    capital = bounds.running(promise, loss[drawn], weight_max)
    over = capital >= -math.log(delta)
    return float(np.exp(-capital[np.argmax(over)])) if over.any() else 0.0


#: draws of one run by risk
LENGTH = 5000
