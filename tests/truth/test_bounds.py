"""What audits prove: the rules that the bounds keep for all inputs, and the ends of their range."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from canut.truth import bounds

DELTAS = st.sampled_from([1e-300, 1e-6, 0.01, 0.05, 0.5, 0.999])


@st.composite
def counts(draw, most=2000):
    """(audits, wrong)"""
    audits = draw(st.integers(1, most))
    return audits, draw(st.integers(0, audits))


@given(counts(), DELTAS)
def test_the_bound_is_between_the_rate_seen_and_one(seen, delta):
    """Protects from a bound below what was measured, and from a rate above 1."""
    audits, wrong = seen
    upper = bounds.upper_rate(audits, wrong, delta)
    assert wrong / audits <= upper <= 1


@given(counts(), DELTAS)
def test_a_clean_audit_never_hurts_a_wrong_one_never_helps(seen, delta):
    """Protects the direction of evidence."""
    audits, wrong = seen
    upper = bounds.upper_rate(audits, wrong, delta)
    assert bounds.upper_rate(audits + 1, wrong, delta) <= upper
    assert bounds.upper_rate(audits + 1, wrong + 1, delta) >= upper - 1e-12


@given(counts(), st.floats(1e-6, 0.5), st.floats(1.0001, 1.9))
def test_less_doubt_is_a_wider_bound(seen, delta, factor):
    """Protects the meaning of confidence."""
    audits, wrong = seen
    assert bounds.upper_rate(audits, wrong, delta) >= bounds.upper_rate(
        audits, wrong, delta * factor
    )


@given(counts(), st.floats(1e-6, 0.999), st.floats(1e-6, 0.999))
def test_capital_grows_with_the_rate_it_is_held_against(seen, one, other):
    """Protects the bisection that looks for the bound: there is one crossing."""
    low, high = sorted([one, other])
    capital = bounds.log_capital(np.array([low, high]), *seen)
    assert capital[0] <= capital[1] + 1e-9


@given(counts(300), st.integers(0, 300), DELTAS)
def test_a_batch_needs_no_more_than_a_stream(seen, more, delta):
    """Protects the finite form: drawing without replacement can only help. And it never claims
    fewer errors than were seen, nor more than there is room for."""
    audits, wrong = seen
    size = audits + more
    most = bounds.upper_batch(audits, wrong, size, delta)
    assert wrong <= most <= size - (audits - wrong)
    assert most / size <= bounds.upper_rate(audits, wrong, delta) + 1e-12


@given(counts(100), st.integers(0, 100), DELTAS)
def test_capital_of_a_batch_grows_with_the_errors_it_is_held_against(seen, more, delta):
    """Protects the bisection over whole numbers of errors."""
    audits, wrong = seen
    size = audits + more
    capital = [bounds.log_capital_batch(e, audits, wrong, size) for e in range(wrong, size + 1)]
    assert all(a <= b + 1e-9 for a, b in itertools.pairwise(capital))
    assert capital[0] < -math.log(0.999) or wrong == size - (audits - wrong)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.randoms(), st.integers(0, 40))
def test_order_does_not_matter(wrong, chance, more):
    """Protects a certificate from depending on how the same audits are listed."""
    shuffled = list(wrong)
    chance.shuffle(shuffled)
    size, errors = len(wrong) + more, sum(wrong) + more // 2
    one, other = (bounds.running_batch(errors, x, size)[-1] for x in (wrong, shuffled))
    assert one == pytest.approx(other, abs=1e-9) or one == other
    one, other = (bounds.running(0.2, np.array(x) * 1.1, 1.25)[-1] for x in (wrong, shuffled))
    assert one == pytest.approx(other, abs=1e-9)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 40), st.data())
def test_draw_by_draw_is_the_closed_form(wrong, more, data):
    """Protects the falling factorials: each step is its definition, what is left in the bag."""
    size = len(wrong) + more
    errors = data.draw(st.integers(sum(wrong), size))
    steps = bounds.running_batch(errors, wrong, size)
    closed = [
        bounds.log_capital_batch(errors, n, sum(wrong[:n]), size) for n in range(1, len(wrong) + 1)
    ]
    for step, sums in zip(steps, closed, strict=True):
        assert step == pytest.approx(sums, abs=1e-9) or step == sums


@given(counts(), st.floats(0.001, 0.9))
def test_a_stream_is_a_batch_without_end(seen, rate):
    """Protects the two forms from drifting apart."""
    audits, wrong = seen
    size = 10**12
    capital = bounds.log_capital_batch(round(rate * size), audits, wrong, size)
    assert capital == pytest.approx(float(bounds.log_capital(rate, audits, wrong)), abs=0.05)


@given(counts(), st.floats(0.001, 0.9), DELTAS)
def test_equal_weights_are_no_weights(seen, rate, delta):
    """Protects the weighted form: with all weights 1 it is the plain one."""
    audits, wrong = seen
    loss = np.r_[np.ones(wrong), np.zeros(audits - wrong)]
    plain = float(bounds.log_capital(rate, audits, wrong))
    weighted = bounds.log_capital_weighted(rate, audits, np.ones(wrong), 1.0)
    assert weighted == pytest.approx(plain, abs=1e-6)
    assert bounds.running(rate, loss)[-1] == pytest.approx(plain, abs=1e-6)


@given(st.lists(st.floats(0.01, 1.25), max_size=30), st.integers(1, 500), DELTAS)
def test_the_weighted_bound_is_never_below_the_estimate(loss, clean, delta):
    """Protects from a bound below what was measured where draws follow risk."""
    audits = len(loss) + clean
    upper = bounds.upper_weighted(audits, loss, 1.25, delta)
    assert min(1.0, sum(loss) / audits) <= upper <= 1
    assert bounds.upper_weighted(audits + 1, loss, 1.25, delta) <= upper


@given(counts(400), st.floats(0.005, 0.5), st.sampled_from([0.001, 0.05, 0.3]))
def test_certifying_is_the_bound_below_the_promise(seen, promise, delta):
    """Protects the two ways of saying the same: capital against the promise, and the bound."""
    audits, wrong = seen
    capital = float(bounds.log_capital(promise, audits, wrong))
    assume(abs(capital + math.log(delta)) > 1e-6)
    upper = bounds.upper_rate(audits, wrong, delta)
    assert bounds.proves(capital, delta) == (upper <= promise)


@given(st.floats(0.002, 0.4), st.sampled_from([1e-9, 0.01, 0.05]), counts(300), st.floats(0, 0.5))
def test_the_audits_needed_are_the_fewest_that_prove(promise, delta, seen, share):
    """Protects "about N more": N are enough, N - 1 are not."""
    audits, wrong = seen
    rate = share * promise
    total = bounds.audits_needed(promise, delta, audits=audits, wrong=wrong, rate=rate)
    if total is None:
        assert rate > 0.3 * promise or wrong / audits > promise
        return

    def enough(n):
        return bounds.proves(bounds.log_capital(promise, n, wrong + rate * (n - audits)), delta)

    assert total >= audits
    assert enough(total)
    assert total == audits or not enough(total - 1)


def test_nothing_seen_proves_nothing():
    """Protects the first page of a certificate, before any audit."""
    assert bounds.upper_rate(0, 0, 0.05) == 1
    assert bounds.upper_batch(0, 0, 10, 0.05) == 10
    assert bounds.upper_weighted(0, [], 1.25, 0.05) == 1


def test_one_decision():
    """Protects a batch of one: its audit says everything about it."""
    assert bounds.upper_batch(1, 0, 1, 0.05) == 0
    assert bounds.upper_batch(1, 1, 1, 0.05) == 1


def test_all_seen_is_all_known():
    """Protects the end of a batch: no doubt is left when every decision was audited."""
    for wrong in (0, 3, 10):
        assert bounds.upper_batch(10, wrong, 10, 1e-12) == wrong


def test_ten_million_audits():
    """Protects precision where n is large: the bound closes in on the rate, and no clean audit of
    ten million is lost in rounding."""
    n = 10**7
    assert 3e-7 < bounds.upper_rate(n, 0, 0.05) < 4e-7
    assert bounds.upper_rate(n, 0, 0.05) > bounds.upper_rate(n + 1, 0, 0.05)
    assert bounds.upper_batch(n, 0, n + 1, 0.05) in (0, 1)
    assert bounds.upper_rate(n, 50_000, 0.05) == pytest.approx(0.005, rel=0.2)
    assert bounds.upper_batch(n // 2, 25_000, n, 0.05) / n == pytest.approx(0.005, rel=0.2)


def test_figures_of_the_design():
    """Protects what the documentation promises: 172 clean audits prove 2%, 345 prove 1%, none
    prove what is not so."""
    assert bounds.audits_needed(0.02, 0.05) == 172
    assert bounds.audits_needed(0.01, 0.05) == 345
    assert bounds.audits_needed(0.02, 0.05, rate=0.02) is None


def test_allowed_errors_are_counted_in_decimals():
    """Protects from 29 of 100 being more than 0.29 of them."""
    assert bounds.errors_allowed(0.29, 100) == 29
    assert bounds.errors_allowed(0.07, 100) == 7
    assert bounds.errors_allowed(0.019, 100) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: bounds.upper_rate(1, 0, 0.0),
        lambda: bounds.upper_rate(1, 0, 1.0),
        lambda: bounds.upper_rate(1, 2, 0.05),
        lambda: bounds.log_capital(0.0, 1, 0),
        lambda: bounds.log_capital(1.0, 1, 0),
        lambda: bounds.log_capital_batch(3, 11, 0, 10),
        lambda: bounds.upper_weighted(2, [1.3], 1.25, 0.05),
        lambda: bounds.upper_weighted(2, [0.5], 0.5, 0.05),
        lambda: bounds.log_capital_weighted(0.1, 1, [1.0, 1.0], 1.25),
        lambda: bounds.binomial_tail(2, 1, 0.5),
    ],
)
def test_nonsense_is_refused(call):
    """Protects from a bound computed from counts that cannot be."""
    with pytest.raises(ValueError, match=r"inside|audits|weight|loss"):
        call()
