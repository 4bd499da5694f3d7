"""The guarantee itself, by enumeration: every possible run of small cases, no simulation."""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from canut.truth import bounds

DELTA = 0.25


def arrangements(size: int, errors: int) -> Iterator[np.ndarray]:
    """Every order in which a batch with so many errors can be drawn; all equally likely."""
    for places in itertools.combinations(range(size), errors):
        x = np.zeros(size, bool)
        x[list(places)] = True
        yield x


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_capital_in_a_batch_is_a_fair_game_or_worse(size):
    """Protects validity: against the truth, or against anything below it, the expected capital is
    at most 1 after every draw."""
    for errors in range(1, size + 1):
        for truth in range(errors, size + 1):
            runs = [
                np.exp(bounds.running_batch(errors, x, size)) for x in arrangements(size, truth)
            ]
            assert np.mean(runs, axis=0).max() <= 1 + 1e-9


@pytest.mark.parametrize("size", [3, 8, 11])
def test_a_batch_is_certified_falsely_with_probability_delta_at_most(size):
    """Protects the promise: looking after every draw, the bound is below the truth at some moment
    in at most delta of all runs."""
    upper = {
        (n, k): bounds.upper_batch(n, k, size, DELTA)
        for n in range(1, size + 1)
        for k in range(n + 1)
    }
    for truth in range(size + 1):
        runs = [
            any(upper[n, k] < truth for n, k in enumerate(np.cumsum(x).tolist(), 1))
            for x in arrangements(size, truth)
        ]
        assert np.mean(runs) <= DELTA


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.9])
def test_a_stream_is_certified_falsely_with_probability_delta_at_most(rate):
    """Protects the promise for streams: all runs of 12 audits, each with its probability."""
    length, missed, mean = 12, 0.0, np.zeros(12)
    upper = {
        (n, k): bounds.upper_rate(n, k, DELTA) for n in range(1, length + 1) for k in range(n + 1)
    }
    for run in itertools.product([0, 1], repeat=length):
        chance = rate ** sum(run) * (1 - rate) ** (length - sum(run))
        seen = np.cumsum(run)
        missed += chance * any(upper[n, int(seen[n - 1])] < rate for n in range(1, length + 1))
        mean += chance * np.exp(bounds.log_capital(rate, np.arange(1, length + 1), seen))
    assert missed <= DELTA
    assert mean.max() <= 1 + 1e-9
    assert mean.min() >= 1 - 1e-9


@pytest.mark.parametrize("wrong", [(0,), (2,), (0, 1), (1, 2), (0, 1, 2)])
def test_draws_by_risk_are_certified_falsely_with_probability_delta_at_most(wrong):
    """Protects the weighted form: three decisions of unequal probability, all runs of 7 draws, with
    risks that are right, useless or misleading."""
    length = 7
    for q in ((0.6, 0.2, 0.2), (0.3, 0.3, 0.4), (0.2, 0.35, 0.45)):
        weight = 1 / (3 * np.array(q))
        truth, missed, mean = len(wrong) / 3, 0.0, np.zeros(length)
        rate = min(truth, 1 - 1e-9)
        known: dict[tuple[float, ...], bool] = {}
        runs: dict[tuple[float, ...], tuple[np.ndarray, bool]] = {}
        for run in itertools.product(range(3), repeat=length):
            chance = math.prod(q[i] for i in run)
            lost = tuple(float(weight[i]) if i in wrong else 0.0 for i in run)
            if lost not in runs:
                loss = np.array(lost)
                below = any(_below(loss[:n], weight.max(), truth, known) for n in (1, 4, 7))
                runs[lost] = np.exp(bounds.running(rate, loss, weight.max())), below
            capital, below = runs[lost]
            mean += chance * capital
            missed += chance * below
        assert missed <= DELTA
        assert mean.max() <= 1 + 1e-6


def _below(loss, weight_max, truth, known):
    key = (len(loss), *sorted(loss[loss > 0]))
    if key not in known:
        known[key] = bounds.upper_weighted(len(loss), loss[loss > 0], weight_max, DELTA) < truth
    return known[key]


def test_the_binomial_tail_is_the_sum():
    """Protects the p-value of licences and of the comparison: against exact fractions."""
    for audits in (1, 7, 40):
        for rate in (Fraction(1, 50), Fraction(3, 10), Fraction(9, 10)):
            for wrong in range(audits + 1):
                exact = sum(
                    math.comb(audits, i) * rate**i * (1 - rate) ** (audits - i)
                    for i in range(wrong + 1)
                )
                tail = bounds.binomial_tail(wrong, audits, float(rate))
                assert tail == pytest.approx(float(exact), rel=1e-9)


def test_the_binomial_tail_of_millions():
    """Protects precision: far from the mean the tail is tiny, not 0 or 1; the normal law agrees
    near the mean."""
    assert bounds.binomial_tail(0, 10**7, 1e-6) == pytest.approx(math.exp(-10), rel=1e-4)
    near = bounds.binomial_tail(100_000, 10**7, 0.01)
    assert near == pytest.approx(0.5, abs=0.002)
    assert 0 < bounds.binomial_tail(98_000, 10**7, 0.01) < 1e-9
