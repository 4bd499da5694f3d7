"""Prices follow measured time and the floor; the top-up closes what a price leaves open."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.pay.tariff import (
    HOUR_MS,
    Price,
    Times,
    hourly_minor,
    owed_for_time,
    pace,
    price,
    reprice,
    reprice_due,
    top_up,
    upper_mean_ms,
)

#: a contributor's usual time, five of them
PEOPLE_MS = [10_000, 12_000, 15_000, 20_000, 90_000]


def crowd(people=2000, tasks=200, differ=0.3, vary=0.6, seed=1):
    """Lognormal: people differ in speed, tasks in length."""
    rng = np.random.default_rng(seed)
    speed = rng.lognormal(0, differ, people)
    ms = 30_000 * speed[:, None] * rng.lognormal(0, vary, (people, tasks))
    return Times(np.repeat(np.arange(people), tasks), ms.astype(np.int64).ravel())


@pytest.mark.parametrize("differ", [0.25, 0.3, 0.4, 0.5])
def test_shares_under_the_floor_are_those_of_the_design(differ):
    """Median prices leave most under the floor, means many, 1.2 x mean a fifth to a quarter; what
    is missing then is a few per cent of the pay (pay-and-rights, Pay)."""
    times = crowd(differ=differ, vary=max(0.6, 1.2 * differ))
    each = times.active_ms.reshape(2000, 200).mean(axis=1)
    mean = times.mean_ms()
    under = {
        "median": (each > np.median(times.active_ms)).mean(),
        "mean": (each > mean).mean(),
        "fair": (each > 1.2 * mean).mean(),
    }
    assert 0.6 < under["median"] < 0.85
    assert 0.38 < under["mean"] < 0.47
    assert 0.17 < under["fair"] < 0.29
    missing = np.maximum(0, each - 1.2 * mean).sum() / (1.2 * mean * len(each))
    assert 0.02 < missing < 0.12


def test_the_formula():
    """1.2 x mean where much was measured: 30 s at 12.00 an hour are 12 cents, rounded up."""
    times = Times(np.arange(400), np.full(400, 30_000))
    found = price(times, 1200, seed=1)
    assert (found.minor, found.tasks, found.contributors) == (12, 400, 400)
    assert price(Times(np.arange(400), np.full(400, 30_100)), 1200, seed=1).minor == 13
    assert hourly_minor(found.minor, found.mean_ms) == pytest.approx(1440)


def test_few_contributors_who_differ_cost_more():
    """Where five people differ widely, the bound is above 1.2 x mean and sets the price."""
    times = Times(
        np.repeat(np.arange(5), 20), np.repeat([10_000, 12_000, 15_000, 20_000, 90_000], 20)
    )
    found = price(times, 1200, seed=3)
    assert found.upper_ms > 1.2 * found.mean_ms
    assert found.minor == -(-1200 * found.upper_ms // HOUR_MS)
    assert price(times, 1200, seed=3) == found


def test_the_bound_holds_nine_times_in_ten():
    """Over many pilots of 30 people, the true mean is under the bound in about 90%."""
    rng = np.random.default_rng(7)
    true = np.exp(0.3**2 / 2 + 0.5**2 / 2)
    held = 0
    for seed in range(150):
        speed = rng.lognormal(0, 0.3, 30)
        ms = 100_000 * speed[:, None] * rng.lognormal(0, 0.5, (30, 10))
        times = Times(np.repeat(np.arange(30), 10), ms.astype(np.int64).ravel())
        held += upper_mean_ms(times, seed) >= 100_000 * true
    assert 0.78 <= held / 150 <= 0.97


@given(st.integers(1, 10_000), st.integers(0, 10**9), st.integers(0, 10**7))
def test_topped_up_pay_reaches_the_floor_and_no_more(floor, agreed_ms, paid):
    """Pay + top-up >= floor x time, in exact arithmetic; without need there is no top-up."""
    added = top_up(floor, agreed_ms, paid)
    assert (paid + added) * HOUR_MS >= floor * agreed_ms
    if added:
        assert (paid + added - 1) * HOUR_MS < floor * agreed_ms
    assert added == 0 or paid + added == owed_for_time(floor, agreed_ms)


@given(st.integers(1, 500), st.integers(1, 500))
def test_prices_rise_for_done_work_and_fall_for_new_batches_only(agreed, measured):
    """Nobody who worked at an agreed price gets less by a measurement."""
    new = reprice(agreed, Price(measured, 1.0, 1.0, 30, 20))
    assert new.running_minor == max(agreed, measured)
    assert new.owed_minor == max(0, measured - agreed)
    assert new.new_minor == measured


def test_prices_are_looked_at_after_30_100_and_300_tasks():
    """At each mark once, also where several are passed at a time."""
    marks = [n for n in range(400) if reprice_due(n, n - 1)]
    assert marks == [30, 100, 300]
    assert reprice_due(150, 0)
    assert not reprice_due(150, 120)
    assert not reprice_due(900, 300)


def test_pace_is_relative_to_others_on_the_same_tasks():
    """Somebody with the hard tasks is not slow; somebody at twice the others' time is."""
    who = np.array([1, 2, 3, 1, 2, 3, 4])
    task = np.array([10, 10, 10, 11, 11, 11, 12])
    ms = np.array([1000, 1000, 3000, 9000, 9000, 27_000, 500_000])
    found = pace(who, task, ms)
    assert found[1] == pytest.approx(1)
    assert found[3] == pytest.approx(3)
    assert 4 not in found
    empty = np.zeros(0, np.int64)
    assert pace(empty, empty, empty) == {}


def test_no_times_no_floor_negative_times_are_errors():
    """Prices are never made up."""
    none = Times(np.zeros(0, np.int64), np.zeros(0, np.int64))
    with pytest.raises(ValueError, match="pilot"):
        price(none, 1200, 1)
    with pytest.raises(ValueError, match="floor"):
        price(Times(np.arange(1), np.arange(1)), 0, 1)
    with pytest.raises(ValueError, match="negative"):
        price(Times(np.arange(1), np.array([-1])), 100, 1)
