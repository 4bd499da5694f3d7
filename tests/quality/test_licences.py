"""When somebody may decide alone, and what is said when it is too early."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.quality.licences.thresholds import (
    STARTS,
    Ladder,
    choose,
    delta_share,
    descents,
    fixed_sequence,
    ladder,
    starts,
)
from canut.truth.bounds import binomial_tail, upper_rate

ALPHA, DELTA = 0.05, 0.05
LIVE = np.random.default_rng(1).beta(8, 1, 5000)
RUNGS = ladder(LIVE, 600, ALPHA, DELTA)


def drawn(seed, n, slope=0.3):
    """Confidences of uniformly drawn work, and errors that are likelier where it is low."""
    rng = np.random.default_rng(seed)
    sure = rng.beta(8, 1, n)
    return sure, rng.random(n) < slope * (1 - sure)


def test_a_ladder_falls_to_everything_and_starts_where_something_can_be_proved():
    """Protects from dying on one early error: the first rung holds enough to survive it."""
    assert (np.diff(RUNGS.thresholds) < 0).all()
    assert (np.diff(RUNGS.coverage) > 0).all()
    assert RUNGS.coverage[-1] == 1
    assert RUNGS.coverage[0] * 600 >= 60
    held = math.ceil(RUNGS.coverage[0] * 600)
    assert upper_rate(held, 1, DELTA) <= ALPHA


def test_a_ladder_of_equal_confidences_is_one_rung():
    """Protects contributors who are always equally sure, and evidence too small for more."""
    one = ladder(np.full(50, 0.9), 10, ALPHA, DELTA)
    assert one.thresholds.tolist() == [0.9]
    assert one.coverage.tolist() == [1.0]


def test_the_threshold_is_the_last_rung_that_holds():
    """Protects the choice: evidence clean above 0.8, bad below, licenses 0.8 and not less."""
    rungs = Ladder(np.array([0.95, 0.8, 0.5]), np.array([0.3, 0.6, 1.0]))
    sure = np.repeat([0.97, 0.85, 0.6], 200)
    wrong = np.repeat([False, False, True], 200)
    found = choose(sure, wrong, rungs, ALPHA, DELTA)
    assert (found.threshold, found.coverage, found.audits, found.wrong) == (0.8, 0.6, 400, 0)
    assert found.bound <= ALPHA
    assert found.shortfall is not None
    assert found.shortfall.threshold == 0.5
    assert found.shortfall.about is None


def test_a_rung_after_one_that_fails_is_never_taken():
    """Protects fixed-sequence testing: going on after a failure would be looking for luck."""
    rungs = Ladder(np.array([0.9, 0.5]), np.array([0.1, 0.7]))
    sure = np.r_[np.full(40, 0.95), np.full(960, 0.6)]
    wrong = np.r_[np.ones(10, bool), np.zeros(990, bool)]
    found = choose(sure, wrong, rungs, ALPHA, DELTA)
    assert found.threshold is None
    assert (found.coverage, found.audits, found.bound) == (0, 0, 1)


def test_too_early_says_how_much_is_missing():
    """Protects "not yet provable": the number of blind answers it names is enough, if they are as
    good as it says, and with as many fewer as a rung's share it is not."""
    found = choose([], [], RUNGS, ALPHA, DELTA)
    assert found.threshold is None
    assert found.shortfall is not None
    assert found.shortfall.about == found.shortfall.least
    coverage = RUNGS.coverage[starts(RUNGS.coverage)[-1]]
    enough = math.floor(found.shortfall.least * coverage + 1e-9)
    share = DELTA / (1 + len(STARTS))
    assert upper_rate(enough, 0, share) <= ALPHA
    assert upper_rate(enough - 2, 0, share) > ALPHA


def test_a_second_descent_begins_where_the_first_has_not_come():
    """Protects who is nearly always right from proving the surest answers apart first; and the
    rungs above, which are not proved by it."""
    rungs = Ladder(np.array([0.9, 0.6, 0.5]), np.array([0.1, 0.8, 1.0]))
    assert starts(rungs.coverage) == [0, 1]
    sure = np.r_[np.full(40, 0.95), np.full(960, 0.7)]
    wrong = np.r_[np.ones(10, bool), np.zeros(990, bool)]
    found = choose(sure, wrong, rungs, ALPHA, DELTA)
    assert (found.threshold, found.proved) == (0.5, [0.6, 0.5])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0.001, 0.5))
def test_descents_share_delta(p_values, delta):
    """Protects the promise: whatever is refuted is so at its descent's share of delta, with all
    rungs between it and that descent's beginning."""
    coverage = (1 + np.arange(len(p_values))) / len(p_values)
    begun = starts(coverage)
    for place in np.flatnonzero(descents(p_values, begun, delta)):
        share = delta / (1 + len(STARTS))
        assert any(b <= place and all(p <= share for p in p_values[b : place + 1]) for b in begun)


def test_nothing_is_missing_when_everything_is_licensed():
    """Protects the end of the ladder."""
    sure, _ = drawn(3, 1200)
    found = choose(sure, np.zeros(1200, bool), RUNGS, ALPHA, DELTA)
    assert found.coverage == 1
    assert found.shortfall is None


def test_evidence_that_was_there_before_proves_more_and_still_keeps_delta():
    """Protects the promise of a version that looks back: of one that errs just as often as it may
    no, exactly counted over everything that may have been found, at most its share of delta is
    licensed; and it takes fewer right answers than evidence that is looked at all the time."""
    n, rungs = 400, Ladder(np.array([0.5]), np.array([1.0]))
    sure = np.full(n, 0.9)
    # every number of errors that may be licensed, and some of those that are far too many
    errors = [*range(3 * round(ALPHA * n)), *range(3 * round(ALPHA * n), n, 25)]

    def most_wrong(looked):
        found = [choose(sure, np.arange(n) < k, rungs, ALPHA, DELTA, looked=looked) for k in errors]
        licensed = [one for one in found if one.threshold is not None]
        assert all(one.bound <= ALPHA for one in licensed)
        return len(licensed) - 1

    once, always = most_wrong(n), most_wrong(0)
    assert once > always + 1
    assert binomial_tail(once, n, ALPHA) <= DELTA / (1 + len(STARTS)) / 2
    assert most_wrong(n // 2) <= once


def test_what_was_proved_by_a_look_back_stays_proved():
    """Protects the licence from its own later evidence: errors since are for the watch to judge."""
    rungs = Ladder(np.array([0.5]), np.array([1.0]))
    sure, wrong = np.full(500, 0.9), np.arange(500) >= 400
    assert choose(sure, wrong, rungs, ALPHA, DELTA, looked=400).threshold == 0.5
    assert choose(sure, wrong, rungs, ALPHA, DELTA).threshold is None


@given(st.integers(0, 10_000), st.integers(0, 400))
def test_more_clean_evidence_never_takes_a_licence_away(seed, n):
    """Protects from punishing right answers."""
    sure, wrong = drawn(seed, n)
    before = choose(sure, wrong, RUNGS, ALPHA, DELTA)
    sure, wrong = np.append(sure, 0.999), np.append(wrong, False)
    assert choose(sure, wrong, RUNGS, ALPHA, DELTA).coverage >= before.coverage


@given(st.lists(st.floats(0, 1), max_size=30), st.floats(0.001, 0.5))
def test_a_fixed_sequence_is_a_prefix(p_values, delta):
    """Protects the definition: all before are at most delta, the next is not."""
    n = fixed_sequence(p_values, delta)
    assert all(p <= delta for p in p_values[:n])
    assert n == len(p_values) or p_values[n] > delta


def test_versions_never_spend_more_than_delta():
    """Protects the promise over the whole history of a contributor on a step."""
    shares = [delta_share(DELTA, version) for version in range(1, 10_000)]
    assert 0.999 * DELTA < sum(shares) < DELTA
    assert shares == sorted(shares, reverse=True)
    # an agent that learns has some twenty versions: the last of them has something to spend
    assert shares[19] > DELTA / 150
    with pytest.raises(ValueError, match="versions"):
        delta_share(DELTA, 0)
    with pytest.raises(ValueError, match="confidences"):
        ladder([], 100, ALPHA, DELTA)


def test_mapie_agrees():
    """Oracle, where mapie is installed (it is not among the requirements): the same p-values for
    0/1 errors and the same fixed sequence."""
    pytest.importorskip("mapie", reason="mapie is not installed: its LTT is only an oracle here")
    from mapie.risk_control.fwer_control import FWERFixedSequenceTesting
    from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value

    for n in (60, 128, 600):
        # it takes the ceiling of n x rate: only rates that come back whole can be compared
        wrong = [k for k in range(n // 8) if n * (k / n) == k]
        theirs = compute_hoeffding_bentkus_p_value(np.array(wrong) / n, n, ALPHA, binary=True)
        ours = [binomial_tail(k, n, ALPHA) for k in wrong]
        assert np.ravel(theirs) == pytest.approx(ours, rel=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(200):
        p_values = rng.random(12) * rng.choice([0.05, 0.1, 1])
        rejected = FWERFixedSequenceTesting(n_starts=1).run(p_values, DELTA)
        assert rejected.tolist() == list(range(fixed_sequence(p_values, DELTA)))
