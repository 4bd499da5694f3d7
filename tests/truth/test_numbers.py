"""Numbers with biases, spreads and gross errors: calibration, invariances, corner cases."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.central import weighted_median
from canut.truth.numbers import LIMIT, Numbers, Readings, numbers
from canut.truth.votes import Float64

PEOPLE = 40


def crowd(
    seed: int, each: int, spread: float, bias: float, gross: float, n_tasks: int = 2000
) -> tuple[Readings, Float64, Float64]:
    """Readings, what is right, and the bias of each contributor; the tolerance is 1."""
    chance = np.random.default_rng(seed)
    right = chance.normal(0, 1000, n_tasks)
    biases = chance.normal(0, bias, PEOPLE)
    spreads = chance.uniform(0.1, spread, PEOPLE)
    task = np.repeat(np.arange(n_tasks, dtype=np.int32), each)
    who = np.concatenate([chance.permutation(PEOPLE)[:each] for _ in range(n_tasks)])
    error = biases[who] + spreads[who] * chance.normal(size=len(task))
    wild = chance.random(len(task)) < gross
    error[wild] = chance.uniform(-25, 25, wild.sum())
    readings = Readings(task, who.astype(np.int32), right[task] + error, n_tasks, PEOPLE)
    return readings, right, biases


def ask(readings: Readings, **options: float) -> Numbers:
    nothing = np.zeros(readings.n_contributors)
    return numbers(readings, nothing, nothing, **{"tolerance": 1.0, **options})


@pytest.mark.parametrize(
    ("each", "spread", "bias", "gross"),
    [(3, 1.0, 0.4, 0.1), (5, 0.2, 0.0, 0.3), (5, 2.0, 1.0, 0.2), (8, 1.5, 0.7, 0.1)],
)
def test_confidence_is_how_often_it_is_right(each: int, spread: float, bias: float, gross: float):
    """Protects stopping: of simulated crowds, the mean confidence is within 0.05 of the share
    of decisions within the tolerance, and the median does worse."""
    readings, right, _ = crowd(1, each, spread, bias, gross)
    belief = ask(readings)
    within = np.abs(readings.value[belief.chosen] - right) <= 1
    assert abs(belief.confidence.mean() - within.mean()) < 0.05
    even = np.ones(len(readings.value))
    median = readings.value[weighted_median(readings.task, readings.value, even, len(right))]
    assert (np.abs(belief.estimate - right) <= 1).mean() >= (np.abs(median - right) <= 1).mean()


def test_biases_are_found_and_taken_out():
    """Protects the estimate from a contributor whose scale is off."""
    readings, right, biases = crowd(2, 5, 1.0, 1.0, 0.1)
    belief = ask(readings)
    assert np.corrcoef(belief.bias, biases)[0, 1] > 0.95
    error = np.abs(belief.estimate - right)
    total = np.bincount(readings.task, readings.value)
    mean = total / np.bincount(readings.task)
    assert np.median(error) < 0.6 * np.median(np.abs(mean - right))


def test_a_stranger_is_a_stranger():
    """Protects from believing what one reading says of its contributor."""
    far = Readings(
        np.zeros(3, np.int32), np.arange(3, dtype=np.int32), np.array([5.0, 5.1, 5.9]), 1, 3
    )
    belief = ask(far)
    assert np.abs(belief.bias).max() < 0.2
    assert belief.spread == pytest.approx(0.5, abs=0.1)


ROWS = st.dictionaries(
    st.tuples(st.integers(0, 4), st.integers(0, 5)), st.integers(-40, 40), max_size=20
)


def as_readings(rows: dict[tuple[int, int], int], value: Float64) -> Readings:
    where = np.array(list(rows), np.int32).reshape(-1, 2)
    return Readings(where[:, 0], where[:, 1], value, 5, 6)


@given(ROWS, st.sampled_from([0.25, 8.0, 1024.0]), st.integers(-64, 64))
def test_units_and_origins_do_not_matter(rows: dict[tuple[int, int], int], unit: float, zero: int):
    """Protects from beliefs that change when grams become kilograms: all that is scaled and
    shifted together with the tolerance is believed as before."""
    value = np.array(list(rows.values()), np.float64) / 4
    plain = ask(as_readings(rows, value))
    other = ask(as_readings(rows, (value + zero) * unit), tolerance=unit)
    assert other.confidence == pytest.approx(plain.confidence, abs=1e-9)
    assert np.array_equal(other.chosen, plain.chosen)
    answered = plain.chosen >= 0
    expected = (plain.estimate[answered] + zero) * unit
    assert other.estimate[answered] == pytest.approx(expected, abs=1e-6 * unit)


@given(ROWS, st.randoms(use_true_random=False))
def test_order_and_names_do_not_matter(rows: dict[tuple[int, int], int], lot):
    """Protects reproducible decisions: storage order changes nothing to the bit, nor do other
    names of contributors and tasks but for rounding."""
    value = np.array(list(rows.values()), np.float64) / 4
    readings = as_readings(rows, value)
    plain = ask(readings)
    order = np.array(lot.sample(range(len(value)), len(value)), np.int64)
    mixed = ask(Readings(readings.task[order], readings.contributor[order], value[order], 5, 6))
    assert np.array_equal(mixed.confidence, plain.confidence)
    assert np.array_equal(mixed.agreement, plain.agreement[order])
    name, place = np.array(lot.sample(range(6), 6)), np.array(lot.sample(range(5), 5))
    renamed = Readings(
        place[readings.task].astype(np.int32), name[readings.contributor].astype(np.int32),
        value, 5, 6,
    )  # fmt: skip
    assert ask(renamed).confidence[place] == pytest.approx(plain.confidence, abs=1e-9)


@given(ROWS)
def test_what_is_given_back_is_sane(rows: dict[tuple[int, int], int]):
    """Protects from NaN and from values where nobody answered, whatever comes."""
    belief = ask(as_readings(rows, np.array(list(rows.values()), np.float64)))
    answered = np.zeros(5, bool)
    answered[[task for task, _ in rows]] = True
    assert np.array_equal(belief.chosen >= 0, answered)
    assert np.array_equal(belief.confidence > 0, answered)
    assert np.all((belief.agreement >= 0) & (belief.agreement <= 1))
    assert np.all(np.isfinite(belief.estimate))
    assert np.all(belief.spread > 0)


def test_hundreds_who_all_disagree():
    """Protects from products that run out of floating point."""
    n = 400
    who = np.arange(n, dtype=np.int32)
    belief = ask(Readings(np.zeros(n, np.int32), who, 1e4 * np.arange(n), 1, n))
    assert 0 < belief.confidence[0] < 0.5
    same = ask(Readings(np.zeros(n, np.int32), who, np.full(n, 0.0), 1, n), tolerance=0.0)
    assert same.confidence[0] > 0.999


def test_wild_numbers_do_not_back_each_other():
    """Protects exact numbers: two who are wrong by different amounts do not agree, however far
    off both are; two who are wrong alike do."""
    who = np.arange(4, dtype=np.int32)

    def asked(*values: float) -> Numbers:
        return ask(Readings(np.zeros(4, np.int32), who, np.array(values), 1, 4), tolerance=0.0)

    apart, alike = asked(1.0, 1.0, 7e9, 8e9), asked(1.0, 1.0, 8e9, 8e9)
    assert apart.chosen[0] in (0, 1)
    assert apart.confidence[0] > 0.8
    assert alike.confidence[0] < 0.55


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 10 * LIMIT])
def test_numbers_that_are_none_are_refused(value: float):
    """Protects the other tasks of a batch from one value that would spoil sums."""
    with pytest.raises(ValueError, match="not finite"):
        ask(Readings(np.zeros(1, np.int32), np.zeros(1, np.int32), np.array([value]), 1, 1))
    huge = Readings(
        np.zeros(2, np.int32), np.arange(2, dtype=np.int32), np.array([-LIMIT, LIMIT]), 1, 2
    )
    assert 0 < ask(huge).confidence[0] < 1


def test_ten_thousand_tasks_are_soon_done():
    """Protects the engine: 30,000 readings in well under a second."""
    readings, _, _ = crowd(3, 3, 1.0, 0.4, 0.1, n_tasks=10_000)
    began = time.process_time()
    ask(readings)
    assert time.process_time() - began < 1
